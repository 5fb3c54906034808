package server

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-auth/sallyport/core"
	authfiber "github.com/sallyport-auth/sallyport/server/fiber"
)

// observe surrounds every request: its id, the headers that every answer has, a line in
// the log, and an end to panics.
func (s *Server) observe(c *fiber.Ctx) (err error) {
	begin := time.Now()
	s.inFlight.Add(1)
	defer s.inFlight.Add(-1)
	id, err := s.requestID(c)
	if err != nil {
		return err
	}
	h := &c.Response().Header
	h.Set("X-Request-Id", id)
	h.Set("X-Content-Type-Options", "nosniff")
	if s.https() {
		// RFC 6797. Sub-domains are not ours to speak for.
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if s.stopping.Load() {
		h.SetConnectionClose() // the next request shall go elsewhere
	}
	s.forwardedFor(c)
	x := authfiber.Exchange(c)
	// The mount's strings are memory of the request's: they are used before it ends.
	owned := s.auth.Owns(x.Path())
	if err = s.receive(c); err == nil {
		err = s.contained(c, id)
	}
	if err != nil {
		if err := s.fail(c, err); err != nil {
			return err
		}
	}
	if owned && len(h.Peek("Cache-Control")) == 0 {
		h.Set("Cache-Control", "no-store")
	}
	level := slog.LevelInfo
	if quiet(x.Path()) && c.Response().StatusCode() < 400 {
		level = slog.LevelDebug
	}
	if !*s.cfg.Log.Requests || !s.log.Enabled(c.UserContext(), level) {
		return nil
	}
	s.log.LogAttrs(c.UserContext(), level, "request",
		slog.String("method", method(x.Method())), slog.String("path", s.pattern(c, x)), slog.Int("status", c.Response().StatusCode()),
		slog.Duration("took", time.Since(begin)), slog.Int("bytes", len(c.Response().Body())),
		slog.String("ip", s.auth.ClientIP(x)), slog.String("request_id", id))
	return nil
}

// quiet tells what is asked for so often that it would bury the rest: probes, and the
// parts of pages.
func quiet(path string) bool {
	return path == "/healthz" || path == "/readyz" || strings.HasSuffix(path, ".js") || strings.HasSuffix(path, ".css") || strings.HasSuffix(path, ".svg")
}

// contained runs the rest of the app; a panic is an error with its stack in the log.
func (s *Server) contained(c *fiber.Ctx, id string) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("panic", "panic", fmt.Sprint(v), "request_id", id, "stack", string(debug.Stack()))
			err = core.ErrInternal
		}
	}()
	return c.Next()
}

// maxRequestID is in characters.
const maxRequestID = 64

// requestID takes the client's id if it is one that a log can hold, or makes one. It is
// put into the request, where core finds it for its own lines.
func (s *Server) requestID(c *fiber.Ctx) (string, error) {
	if id := c.Request().Header.Peek("X-Request-Id"); saneID(id) {
		return string(id), nil
	}
	random := s.cfg.Core.Random
	if random == nil {
		random = rand.Reader
	}
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", core.ErrInternal.Because(err)
	}
	id := hex.EncodeToString(b[:])
	c.Request().Header.Set("X-Request-Id", id)
	return id, nil
}

func saneID(id []byte) bool {
	if len(id) == 0 || len(id) > maxRequestID {
		return false
	}
	for _, b := range id {
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '-' && b != '_' && b != '.' {
			return false
		}
	}
	return true
}

// forwardedFor warns once where a proxy is in front that nobody told us of: every client
// would count as one, and its limit would lock out all.
func (s *Server) forwardedFor(c *fiber.Ctx) {
	if len(s.cfg.Core.TrustedProxies) == 0 && s.cfg.Core.ClientAddr == nil && !s.forwarded.Load() &&
		len(c.Request().Header.Peek("X-Forwarded-For")) > 0 && s.forwarded.CompareAndSwap(false, true) {
		s.log.Warn("a request has X-Forwarded-For, and no proxy is trusted: if there is one in front, all clients count as one; this is said once",
			"option", "trustedProxies", "peer", c.Context().RemoteIP().String())
	}
}

// pattern names what was asked for, without what a path may hold of a person: a token,
// a typing error in one.
func (s *Server) pattern(c *fiber.Ctx, x core.Exchange) string {
	path := x.Path()
	if p, ok := s.auth.Pattern(x.Method(), path); ok {
		return p
	}
	switch {
	case path == "/healthz" || path == "/readyz":
	case c.Response().StatusCode() >= 400 || s.auth.Owns(path):
		return "unmatched"
	case s.pages == nil:
		return strings.Clone(c.Route().Path) // the app's own route
	}
	return strings.Clone(path)
}

// method keeps made-up methods, which may be as long as a header, out of the log.
func method(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return m
	}
	return "other"
}

// fail answers what went wrong outside of core, in core's form or that of the path.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	e := core.AsError(err)
	if e == nil {
		e = core.ErrInternal.Because(err)
		var f *fiber.Error
		if errors.As(err, &f) {
			switch f.Code {
			case fiber.StatusRequestEntityTooLarge:
				e = core.ErrPayloadTooLarge
			case fiber.StatusRequestHeaderFieldsTooLarge:
				e = core.ErrHeadersTooLarge
			case fiber.StatusNotFound, fiber.StatusMethodNotAllowed:
				e = core.ErrNotFound
			case fiber.StatusRequestTimeout:
				e = core.NewError("REQUEST_TIMEOUT", f.Code, "The request took too long to arrive")
			case fiber.StatusBadRequest, fiber.StatusBadGateway:
				// fasthttp could not parse the request; Fiber calls some of that 502.
				e = core.NewError("BAD_REQUEST", 400, "The request could not be read")
			}
		}
	}
	authfiber.Write(c, s.auth.AnswerAt(c.UserContext(), authfiber.Exchange(c).Path(), e))
	c.Response().Header.Set("Cache-Control", "no-store")
	c.Response().Header.Set("X-Content-Type-Options", "nosniff")
	return nil
}

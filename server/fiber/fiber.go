// Package fiber mounts an Auth in a Fiber v2 app. It is the lens between fasthttp and
// core, and nothing more: no config file, no health routes (package server has those).
//
//	app := fiber.New()
//	authfiber.Mount(app, auth)
package fiber

import (
	"net/netip"
	"strings"
	"unsafe"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-auth/sallyport/core"
)

// Mount has the app answer everything below the base path, aliases of endpoints, and
// CORS preflights of both from trusted origins. Requests for anything else go on.
//
// The app's BodyLimit should be above Config.MaxBody, ReadBufferSize at least 16 KiB and
// DisablePreParseMultipartForm set: else Fiber itself refuses long bodies, long headers
// and broken forms, before core could answer with a code.
func Mount(app fiber.Router, auth *core.Auth, options ...Option) {
	app.Use(Handler(auth, options...))
}

// Option changes a mount.
type Option func(*mount)

type mount struct{ cors bool }

// WithoutCORS leaves out answers to preflights and the headers for other origins.
func WithoutCORS() Option { return func(m *mount) { m.cors = false } }

// Handler is Mount as a middleware.
func Handler(auth *core.Auth, options ...Option) fiber.Handler {
	m := mount{cors: true}
	for _, o := range options {
		o(&m)
	}
	return func(c *fiber.Ctx) error {
		x := exchange{c}
		if !auth.Owns(x.Path()) {
			return c.Next()
		}
		if m.cors {
			if res, handled := auth.Preflight(x); handled {
				Write(c, res)
				return nil
			}
		}
		res := auth.Serve(c.UserContext(), x)
		if m.cors {
			auth.AddCORS(x, &res)
		}
		Write(c, res)
		return nil
	}
}

// Write writes an answer of core's.
func Write(c *fiber.Ctx, res core.Response) {
	r := c.Response()
	r.SetStatusCode(res.Status)
	typed := false
	for _, f := range res.Header {
		if f.Name == "Set-Cookie" {
			r.Header.Add(f.Name, f.Value)
			continue
		}
		typed = typed || f.Name == "Content-Type"
		r.Header.Set(f.Name, f.Value)
	}
	if !typed {
		r.Header.SetNoDefaultContentType(true)
	}
	r.SetBodyRaw(res.Body)
}

// Exchange shows a request to core, for apps that call core's functions themselves. It is
// valid until the handler returns.
func Exchange(c *fiber.Ctx) core.Exchange { return exchange{c} }

// exchange is one request of fasthttp's. What it returns is fasthttp's memory, valid
// until the handler returns: core copies what it keeps.
type exchange struct{ c *fiber.Ctx }

func (x exchange) Method() string { return x.c.Method() }

// Path is the path as it was sent, before any decoding or cleaning.
func (x exchange) Path() string {
	uri := text(x.c.Request().Header.RequestURI())
	if len(uri) > 0 && uri[0] != '/' { // absolute form, as proxies send it
		return text(x.c.Request().URI().PathOriginal())
	}
	// A "#" is no delimiter here (RFC 9112, section 3.2.1): what has one is no endpoint.
	path, _, _ := strings.Cut(uri, "?")
	return path
}

func (x exchange) Query() string { return text(x.c.Request().URI().QueryString()) }

func (x exchange) Header(name string) string {
	return text(x.c.Request().Header.Peek(name))
}

func (x exchange) HeaderLines(name string) []string {
	var out []string
	for _, v := range x.c.Request().Header.PeekAll(name) {
		if len(v) > 0 { // fasthttp gives one empty value for an absent Cookie header
			out = append(out, text(v))
		}
	}
	return out
}

func (x exchange) Peer() netip.Addr {
	a, _ := netip.AddrFromSlice(x.c.Context().RemoteIP())
	return a.Unmap()
}

func (x exchange) Body(limit int) ([]byte, error) {
	b := x.c.Request().Body() // raw: a Content-Encoding is core's to refuse
	if len(b) > limit {
		return nil, core.ErrPayloadTooLarge
	}
	return b, nil
}

func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

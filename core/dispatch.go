package core

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/input"
)

// Serve answers one request. The order is part of the contract:
//
//  1. the exact path and method; nothing else than 404 for what does not match
//  2. rate limit
//  3. media type and syntax of the body
//  4. Authenticate: bearer tokens, API keys
//  5. origin check, and the check of callback URLs in body and query
//  6. validation of body, query and path
//  7. access level: the session
//  8. login CSRF check; check of callback URLs of GET endpoints
//  9. Request.Before, the route's Before hooks, the handler, its After hooks,
//     Request.After
//  10. one place that turns what came out into an answer
//
// A panic anywhere is a 500 with its stack in the log.
func (a *Auth) Serve(ctx context.Context, ex Exchange) Response { return a.h.serve(ctx, ex) }

func (h *Host) serve(ctx context.Context, ex Exchange) (res Response) {
	method, path := ex.Method(), ex.Path()
	if h.router.disabled[strings.TrimSuffix(path, "/")] {
		return Response{Status: 404, Header: []Field{{"Content-Type", "text/plain"}}, Body: []byte("Not Found")}
	}
	ep, params := h.router.find(method, path)
	if ep == nil {
		return h.unmatched(ctx, ex)
	}
	c := &Call{host: h, ep: ep, ex: ex, http: true, now: h.Now(), hooks: ep.hooks}
	watched := c.watch(ctx)
	defer func() { c.unwatch(watched, res.Status) }()
	ctx, cancel := context.WithTimeout(watched, time.Duration(h.cfg.Timeout)*time.Second)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			res = c.finish(ctx, nil, &panicError{value: v, where: "the dispatcher at " + ep.path, stack: debug.Stack()})
		}
	}()
	out, err := h.dispatch(ctx, c, params)
	return c.finish(ctx, out, err)
}

func (h *Host) dispatch(ctx context.Context, c *Call, params func(string) (string, bool)) (any, error) {
	if err := h.limit(ctx, c); err != nil {
		return nil, err
	}
	src, err := c.source(params)
	if err != nil {
		return nil, err
	}
	if c.values, err = input.Parse(src); err != nil {
		return nil, err
	}
	return h.process(ctx, c)
}

// process is the part that requests and calls from Go share.
func (h *Host) process(ctx context.Context, c *Call) (any, error) {
	out, err := h.answer(context.WithValue(ctx, callKey{}, c), c)
	if c.tokenHeader != "" && c.handed != nil {
		c.ExposeHeader(c.tokenHeader, h.SignValue(c.handed.Token))
	}
	return out, err
}

func (h *Host) answer(ctx context.Context, c *Call) (any, error) {
	if err := Authenticate.Run(ctx, h, nil, &AuthenticateEvent{Call: c}, nil); err != nil {
		return nil, err
	}
	if c.http {
		if err := c.checkOrigin(); err != nil {
			return nil, err
		}
	}
	if err := c.checkBodyCallbacks(); err != nil {
		return nil, err
	}
	c.in = c.ep.newInput()
	if err := c.ep.decoder.Fill(c.in, c.values); err != nil {
		return nil, err
	}
	if err := c.requireAccess(ctx); err != nil {
		return nil, err
	}
	if c.http {
		if err := c.checkLogin(); err != nil {
			return nil, err
		}
	}
	if err := c.checkCallbacks(); err != nil {
		return nil, err
	}
	var out any
	err := Request.Run(ctx, h, nil, &RequestEvent{Call: c}, func(ctx context.Context) (err error) {
		if c.answer != nil {
			return nil
		}
		out, err = c.ep.run(ctx, c, c.in)
		return err
	})
	return out, err
}

type callKey struct{}

// callFrom returns the call that ctx belongs to; nil without one. It is for what stands
// behind an interface of package contract and cannot be handed the call.
func callFrom(ctx context.Context) *Call {
	c, _ := ctx.Value(callKey{}).(*Call)
	return c
}

func (c *Call) source(params func(string) (string, bool)) (input.Source, error) {
	a := c.ep.alias
	src := input.Source{ContentType: c.ex.Header("Content-Type"), Form: c.ep.form && a == nil, NoBody: c.ep.noBody, Query: c.ex.Query(), Param: params}
	if m := c.ex.Method(); m != "GET" && !c.ep.noBody {
		body, err := c.ex.Body(c.host.cfg.MaxBody)
		if err != nil {
			return src, err
		}
		// A body without a type is none: Better Auth's server for Node reads it that way.
		src.Body, src.HasBody = body, len(body) > 0 && src.ContentType != ""
	}
	if a != nil && a.Request != nil {
		return c.mapped(src)
	}
	return src, nil
}

// requireAccess loads the session that the endpoint wants.
func (c *Call) requireAccess(ctx context.Context) error {
	if c.ep.access == Public {
		return nil
	}
	read := sessionRead{useCache: true}
	switch c.ep.access {
	case SessionRequired, ServerOnly:
		read.useCache = false
	case ConfirmedSession:
		read.confirm = true
	case FreshSession:
		read.confirm = c.ex.Method() != "GET"
	}
	had := len(c.cookies)
	if _, err := c.resolveSession(ctx, read); err != nil {
		return err
	}
	if c.session == nil {
		if c.ep.denied != nil {
			return c.ep.denied
		}
		return ErrUnauthorized
	}
	if c.ep.access == FreshSession && !c.Fresh() {
		return ErrSessionNotFresh
	}
	if c.ep.denied == nil {
		c.lastCookie(had)
	}
	return nil
}

// lastCookie keeps the last line alone of what reading the session has set behind the had
// lines that were there (of Authenticate hooks). Better Auth's router copies a middleware's
// headers one over the other, so that with the cookie cache on a renewed session reaches the
// browser as its cache, and its cookie with /get-session. Endpoints that read the session
// themselves (NoSession, LoadSession) have all lines. So has a token that was signed with a
// secret that is rotated out: that is ours alone.
func (c *Call) lastCookie(had int) {
	n := len(c.cookies)
	if n-had < 2 {
		return
	}
	if _, resign := c.sessionToken(); resign {
		return
	}
	if c.cookies[n-1].name != c.host.cookies.token.attrs.Name {
		c.handed = nil
	}
	c.cookies = append(c.cookies[:had], c.cookies[n-1])
}

// Fresh tells whether the session began recently enough for sensitive acts.
func (c *Call) Fresh() bool {
	age := *c.host.cfg.Session.FreshAge
	return c.session != nil && (age == 0 || c.now.Sub(c.session.CreatedAt) < time.Duration(age)*time.Second)
}

// finish turns what came out into an answer, and is the only place that does.
func (c *Call) finish(ctx context.Context, out any, err error) (res Response) {
	if err == nil {
		res, err = c.success(ctx, out)
	}
	if err != nil {
		f := c.host.Classify(ctx, err)
		c.host.logFailure(ctx, c, f, err)
		c.failed = f
		c.recordFailure(f)
		res = c.ep.envelope.refuse(c.host.translated(ctx, f, reader{c.ex, c.user}))
		if c.issued != nil {
			// The session's transaction failed behind it: its cookies, and the headers in
			// which hooks hand it out, are worth nothing.
			c.cookies, c.header = nil, nil
		}
	}
	res.Header = append(res.Header, c.header...)
	for _, s := range c.cookies {
		res.Header = append(res.Header, Field{"Set-Cookie", s.line})
	}
	return res
}

// success is the answer of an endpoint that did its work, without cookies.
func (c *Call) success(ctx context.Context, out any) (Response, error) {
	res := Response{Status: 200}
	if c.answer != nil {
		res = *c.answer
	} else {
		if c.status != 0 {
			res.Status = c.status
		}
		body, err := encodeJSON(out)
		if err != nil {
			return res, fmt.Errorf("core: encoding the answer of %s: %w", c.ep.path, err)
		}
		res.Body = body
		// With room for what the mounts add.
		res.Header = append(make([]Field, 0, 5+len(c.header)+len(c.cookies)), Field{"Content-Type", "application/json"})
	}
	if a := c.ep.alias; a != nil && a.Response != nil {
		return a.Response(ctx, c, res)
	}
	return res, nil
}

// errorResponse is the answer that says no. An error without a text has no body: so it is
// with some of Better Auth's.
func errorResponse(e *Error) Response {
	b := []byte(nil)
	if e.Message != "" {
		b = append(b, `{"message":`...)
		b = appendString(b, e.Message)
		b = append(b, `,"code":`...)
		b = appendString(b, e.Code)
		if e.original != "" {
			b = appendString(append(b, `,"originalMessage":`...), e.original)
		}
		for _, m := range e.members {
			b = append(appendKey(b, m.Name), m.Raw...)
		}
		b = append(b, '}')
	}
	return Response{Status: e.Status, Header: append([]Field{{"Content-Type", "application/json"}}, e.header...), Body: b}
}

// logFailure writes one line per refused or failed request: what, where, why. Request
// values are attributes, never part of the text; secrets are in neither.
func (h *Host) logFailure(ctx context.Context, c *Call, f Failure, cause error) {
	if !h.log.Enabled(ctx, f.Level) {
		return
	}
	attrs := []slog.Attr{slog.String("code", f.Code), slog.Int("status", f.Status), slog.String("class", string(f.Class)),
		slog.String("method", strings.Clone(c.ex.Method())), slog.String("path", c.ep.path)}
	if id := c.requestID(); id != "" {
		attrs = append(attrs, slog.String("request_id", id))
	}
	if f.Canceled {
		attrs = append(attrs, slog.Bool("canceled", true))
	}
	attrs = append(attrs, h.failureAttrs(cause)...)
	h.log.LogAttrs(ctx, f.Level, "request failed", attrs...)
}

// seconds is a duration for Retry-After: whole seconds, rounded up, at least one.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int((d+time.Second-1)/time.Second)))
}

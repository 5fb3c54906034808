package core

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/input"
)

// CallOption describes a call from Go.
type CallOption interface{ applyCall(*goExchange) }

type callFunc func(*goExchange)

func (f callFunc) applyCall(x *goExchange) { f(x) }

// AsToken makes the call with the session of that token. The app vouches for it.
func AsToken(token string) CallOption { return callFunc(func(x *goExchange) { x.token = token }) }

// WithHeader makes the call with the headers of a request: its cookies give the session.
func WithHeader(h http.Header) CallOption { return callFunc(func(x *goExchange) { x.header = h }) }

// CaptureHeader adds the headers that an HTTP answer would have to h: cookies, mostly.
func CaptureHeader(h http.Header) CallOption { return callFunc(func(x *goExchange) { x.answer = h }) }

// FromAddr tells the client's address.
func FromAddr(a netip.Addr) CallOption { return callFunc(func(x *goExchange) { x.peer = a }) }

// goExchange is the Exchange of a call from Go.
type goExchange struct {
	method, path string
	header       http.Header
	answer       http.Header
	token        string
	peer         netip.Addr
}

func (x *goExchange) Method() string                   { return x.method }
func (x *goExchange) Path() string                     { return x.path }
func (x *goExchange) Query() string                    { return "" }
func (x *goExchange) Header(name string) string        { return x.header.Get(name) }
func (x *goExchange) HeaderLines(name string) []string { return x.header.Values(name) }
func (x *goExchange) Peer() netip.Addr                 { return x.peer }
func (x *goExchange) Body(int) ([]byte, error)         { return nil, nil }

// enter gives the input of a call from Go to the decoder that requests go through, so
// that the same rules hold, and runs the rest of the pipeline.
func (h *Host) enter(ctx context.Context, c *Call, in any) (out any, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, where: "a call of " + c.ep.path, stack: debug.Stack()}
		}
	}()
	src, err := encodeInput(in, h.cfg.MaxBody)
	if err != nil {
		return nil, err
	}
	if c.values, err = input.Parse(src); err != nil {
		return nil, err
	}
	return h.process(ctx, c)
}

// callRoute runs the shared part of the dispatcher for a call from Go.
func (h *Host) callRoute(ctx context.Context, key any, in any, options []CallOption) (any, error) {
	ep := h.routes[key]
	if ep == nil {
		return nil, fmt.Errorf("core: the route is not served: its plugin is not enabled")
	}
	if InTx(ctx) {
		return nil, errPoolInTx
	}
	x := &goExchange{method: ep.methods[0], path: ep.path, header: http.Header{}}
	for _, o := range options {
		o.applyCall(x)
	}
	c := &Call{host: h, ep: ep, ex: x, now: h.Now(), hooks: ep.hooks, presented: x.token}
	watched := c.watch(ctx)
	defer func() { c.unwatch(watched, 0) }()
	ctx, cancel := context.WithTimeout(watched, time.Duration(h.cfg.Timeout)*time.Second)
	defer cancel()
	out, err := h.enter(ctx, c, in)
	if err != nil && c.issued != nil {
		c.cookies, c.header = nil, nil // as in finish: they are worth nothing
	}
	if x.answer != nil {
		for _, f := range c.header {
			x.answer.Set(f.Name, f.Value)
		}
		for _, s := range c.cookies {
			x.answer.Add("Set-Cookie", s.line)
		}
	}
	if err != nil {
		f := h.Classify(ctx, err)
		h.logFailure(ctx, c, f, err)
		c.failed = f
		c.recordFailure(f)
		if f.cause == nil && AsError(err) != f.Error {
			return nil, f.Because(err)
		}
		return nil, f.Error
	}
	if c.answer != nil {
		return c.answer, nil
	}
	return out, nil
}

type sessionKey struct{}

// WithSession puts a session into a context: middleware does it, and tests of app code.
func WithSession(ctx context.Context, s *SessionAnswer) context.Context {
	return context.WithValue(ctx, sessionKey{}, s)
}

// SessionFrom returns the session that middleware put into the context. ok is false
// without one; s is never half filled.
func SessionFrom(ctx context.Context) (s *SessionAnswer, ok bool) {
	s, ok = ctx.Value(sessionKey{}).(*SessionAnswer)
	return s, ok && s != nil
}

// ReadSession reads the session of an app's request, for middleware. header holds what
// has to be added to the app's answer: refreshed cookies. No session is nil without an
// error; an error means that it cannot be known, or that a request with cookies that may
// change something comes from an origin that is not trusted: it must not go on.
func (a *Auth) ReadSession(ctx context.Context, ex Exchange) (s *SessionAnswer, header []Field, err error) {
	h := a.h
	ctx, cancel := context.WithTimeout(ctx, time.Duration(h.cfg.Timeout)*time.Second)
	defer cancel()
	ep := h.routes[GetSession]
	c := &Call{host: h, ep: ep, ex: ex, http: true, now: h.Now()}
	if c.values, err = input.Parse(input.Source{NoBody: true}); err != nil {
		return nil, nil, err
	}
	if err = Authenticate.Run(ctx, h, nil, &AuthenticateEvent{Call: c}, nil); err != nil {
		return nil, nil, err
	}
	if err = c.checkOrigin(); err != nil {
		return nil, nil, err
	}
	if _, err = c.resolveSession(ctx, sessionRead{useCache: true}); err != nil {
		return nil, nil, err
	}
	header = c.header
	for _, k := range c.cookies {
		header = append(header, Field{"Set-Cookie", k.line})
	}
	if c.session == nil {
		return nil, header, nil
	}
	return &SessionAnswer{Session: c.session, User: c.user}, header, nil
}

// Answer turns an error of ReadSession, or a missing session (ErrUnauthorized), into the
// answer that every endpoint gives. A failure of ours is logged with its cause.
func (a *Auth) Answer(ctx context.Context, err error) Response { return a.answer(ctx, nil, err) }

// AnswerAt is Answer in the form that failures have at a path, for what a mount refuses by
// itself.
func (a *Auth) AnswerAt(ctx context.Context, path string, err error) Response {
	return a.answer(ctx, a.h.router.envelopeOf(path), err)
}

func (a *Auth) answer(ctx context.Context, e *Envelope, err error) Response {
	f := a.h.Classify(ctx, err)
	if f.Status >= 500 {
		attrs := append([]slog.Attr{slog.String("code", f.Code), slog.Int("status", f.Status), slog.String("class", string(f.Class))},
			a.h.failureAttrs(err)...)
		a.h.log.LogAttrs(ctx, f.Level, "request failed", attrs...)
	}
	return e.refuse(f)
}

// CORS returns what an answer to a browser's cross-origin request has to say: the exact
// origin if it is trusted, with credentials. ok is false for one that is not trusted.
func (a *Auth) CORS(ex Exchange) (header []Field, ok bool) {
	origin := strings.Clone(ex.Header("Origin"))
	header = append(make([]Field, 0, 4), Field{"Vary", "Origin"})
	if origin == "" || origin == "null" || !a.h.origins.Origin(origin) {
		return header, false
	}
	return append(header, Field{"Access-Control-Allow-Origin", origin}, Field{"Access-Control-Allow-Credentials", "true"},
		Field{exposeHeaders, "set-auth-token, set-auth-jwt, Retry-After, X-Retry-After"}), true
}

// AddCORS is a mount's: it adds to an answer of Serve what CORS returns, and lets scripts
// of other origins read the headers that endpoints have exposed (Call.ExposeHeader), too.
func (a *Auth) AddCORS(ex Exchange, res *Response) {
	header, _ := a.CORS(ex)
	for _, f := range header {
		i := slices.IndexFunc(res.Header, func(h Field) bool { return h.Name == f.Name })
		if f.Name == exposeHeaders && i >= 0 {
			res.Header[i].Value = joinList(f.Value, res.Header[i].Value)
			continue
		}
		res.Header = append(res.Header, f)
	}
}

// joinList puts two lists of a header together, each name once.
func joinList(list, more string) string {
	have := splitComma(list)
	for _, name := range splitComma(more) {
		if !slices.ContainsFunc(have, func(s string) bool { return strings.EqualFold(s, name) }) {
			have = append(have, name)
		}
	}
	return strings.Join(have, ", ")
}

// Preflight answers a CORS preflight request. handled is false if the request is none.
func (a *Auth) Preflight(ex Exchange) (res Response, handled bool) {
	if ex.Method() != "OPTIONS" || ex.Header("Access-Control-Request-Method") == "" {
		return Response{}, false
	}
	header, ok := a.CORS(ex)
	if !ok {
		return Response{Status: 403, Header: header}, true
	}
	return Response{Status: 204, Header: append(header,
		Field{"Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE"},
		Field{"Access-Control-Allow-Headers", "Content-Type, Authorization, X-Api-Key, X-App-Id"},
		Field{"Access-Control-Max-Age", "600"})}, true
}

// Owns tells whether a path is one of core's: below the base path, an alias, an absolute
// endpoint, or below the prefix of an envelope that owns it.
func (a *Auth) Owns(path string) bool { return a.h.router.owns(path) }

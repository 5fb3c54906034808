package core

import (
	"context"
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/internal/input"
)

// Access says who may call an endpoint. The zero value wants a session that the
// database confirms.
type Access uint8

// The levels.
const (
	// SessionRequired wants a valid session, read from the database.
	SessionRequired Access = iota
	// CachedSession wants a valid session and takes the cookie cache's word for it, so a
	// session that was revoked elsewhere may pass for the cache's life. For reading.
	CachedSession
	// FreshSession wants a session that began within Session.FreshAge. The cookie cache's
	// word counts for GET alone: a session that was revoked adds no way in.
	FreshSession
	// Public wants nothing; the handler may ask Call.LoadSession.
	Public
	// ServerOnly endpoints have no HTTP route; Go code calls them, with a session.
	ServerOnly
	// ConfirmedSession is SessionRequired at an endpoint where Better Auth takes the cookie
	// cache's word: the database is asked, and a cache that was right is left as it is.
	ConfirmedSession
)

var accessNames = [...]string{"session", "cached session", "fresh session", "public", "server only", "confirmed session"}

func (a Access) String() string { return accessNames[a] }

// RouteOption describes an endpoint further.
type RouteOption interface{ apply(*endpoint) }

type optionFunc func(*endpoint)

func (f optionFunc) apply(e *endpoint) { f(e) }

func (a Access) apply(e *endpoint) { e.access = a }

var (
	// Form lets the endpoint take application/x-www-form-urlencoded beside JSON.
	Form RouteOption = optionFunc(func(e *endpoint) { e.form = true })
	// Login marks an endpoint that signs somebody in: a browser's request is checked for
	// its origin even without a cookie (login CSRF, by Fetch Metadata).
	Login RouteOption = optionFunc(func(e *endpoint) { e.login = true })
	// NoBody ignores the request's body.
	NoBody RouteOption = optionFunc(func(e *endpoint) { e.noBody = true })
	// Absolute serves the endpoint at its path as it is, not below the base path: for an API
	// of another form (Envelope).
	Absolute RouteOption = optionFunc(func(e *endpoint) { e.absolute = true })
)

// NoSession is what a request without a session is answered, where that is not
// ErrUnauthorized. Its status is 401.
func NoSession(e *Error) RouteOption { return optionFunc(func(ep *endpoint) { ep.denied = e }) }

// Callback names query or body members whose URL must be trusted before the handler
// runs, on GET too. callbackURL, redirectTo, errorCallbackURL and newUserCallbackURL of
// other methods are always checked.
func Callback(members ...string) RouteOption {
	return optionFunc(func(e *endpoint) { e.callbacks = members })
}

// Route is one endpoint's name, path and types: a value that hooks and Go callers refer
// to, so that a mistyped path cannot compile.
//
//	var CreateNote = core.NewRoute[CreateNoteInput, Note]("POST /notes/create")
type Route[I, O any] struct{ ep endpoint }

// NewRoute declares an endpoint: "METHOD /path" below the base path (but see Absolute), with ":name" for
// path parameters; several methods are joined by "|". It panics on a malformed pattern.
func NewRoute[I, O any](pattern string, options ...RouteOption) *Route[I, O] {
	methods, path, ok := strings.Cut(pattern, " ")
	if !ok || !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || len(path) > 1 && strings.HasSuffix(path, "/") {
		panic(fmt.Sprintf("core: route %q: want METHOD /path", pattern))
	}
	r := &Route[I, O]{endpoint{methods: strings.Split(methods, "|"), path: path, in: reflect.TypeFor[I](), out: reflect.TypeFor[O]()}}
	for _, o := range options {
		o.apply(&r.ep)
	}
	return r
}

// Path returns the path as it was declared.
func (r *Route[I, O]) Path() string { return r.ep.path }

// Handle binds the function that does the work, for Spec.Endpoints. The function's
// error is classified in one place: an *Error is the answer, everything else is ours.
func (r *Route[I, O]) Handle(fn func(context.Context, *Call, I) (O, error)) Endpoint {
	ep := r.ep
	ep.key = r
	ep.newInput = func() any { return new(I) }
	ep.run = func(ctx context.Context, c *Call, in any) (out any, err error) {
		i, o := in.(*I), new(O)
		for k := range c.hooks {
			if hk := &c.hooks[k]; hk.phase == before {
				if err := hookCall(ctx, c, hk, i); err != nil || c.answer != nil {
					return o, err
				}
			}
		}
		if *o, err = callHandler(ctx, c, fn, *i); err != nil || c.answer != nil {
			return o, err
		}
		for k := range c.hooks {
			if hk := &c.hooks[k]; hk.phase == after {
				if err := hookCall(ctx, c, hk, o); err != nil || c.answer != nil {
					return o, err
				}
			}
		}
		return o, nil
	}
	return Endpoint{ep: &ep}
}

func callHandler[I, O any](ctx context.Context, c *Call, fn func(context.Context, *Call, I) (O, error), in I) (out O, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, where: "the handler of " + c.ep.path, stack: debug.Stack()}
		}
	}()
	return fn(ctx, c, in)
}

func hookCall[E any](ctx context.Context, c *Call, hk *Hook, e *E) (err error) {
	defer recoverHook(hk, &err)
	return hk.fn.(func(context.Context, *Call, *E) error)(ctx, c, e)
}

// Before runs ahead of the handler, with the decoded input and the session in place. It
// may change the input; an error is the answer.
func (r *Route[I, O]) Before(fn func(context.Context, *Call, *I) error) Hook {
	return Hook{target: r, route: true, name: r.ep.path, phase: before, fn: fn}
}

// After runs behind a handler that succeeded. It may change the output.
func (r *Route[I, O]) After(fn func(context.Context, *Call, *O) error) Hook {
	return Hook{target: r, route: true, name: r.ep.path, phase: after, fn: fn}
}

// Call calls the endpoint from Go: same validation, access check, hooks and errors as
// over HTTP, targets of redirects included. What has no meaning without a browser is left
// out (origin check, rate limit by address). The session comes from AsToken or WithHeader.
func (r *Route[I, O]) Call(ctx context.Context, a *Auth, in I, options ...CallOption) (O, error) {
	var zero O
	out, err := a.h.callRoute(ctx, r, &in, options)
	if err != nil {
		return zero, err
	}
	o, ok := out.(*O)
	if !ok {
		return zero, fmt.Errorf("core: %s answered with a redirect or challenge", r.ep.path)
	}
	return *o, nil
}

// Endpoint is a route with its handler.
type Endpoint struct{ ep *endpoint }

// Alias serves the endpoint under a second, absolute path with other forms of request
// and answer, for clients of another API. Everything in between is the same. Aliases of
// other plugins' endpoints are in Spec.Aliases.
func (e Endpoint) Alias(aliases ...Alias) Endpoint {
	ep := *e.ep
	ep.aliases = append(append([]Alias(nil), ep.aliases...), aliases...)
	return Endpoint{&ep}
}

// Demand makes optional members of the body mandatory, where a plugin's options decide
// whether they are: what is absent is refused as any other mandatory member.
func (e Endpoint) Demand(members ...string) Endpoint {
	ep := *e.ep
	ep.demand = append(slices.Clone(ep.demand), members...)
	return Endpoint{&ep}
}

// endpoint is a route without its types.
type endpoint struct {
	methods   []string
	path      string
	pattern   string // with the base path, or an alias: what metrics and spans call it
	access    Access
	form      bool
	login     bool
	noBody    bool
	absolute  bool
	callbacks []string
	denied    *Error // without a session; nil for ErrUnauthorized
	aliases   []Alias
	demand    []string // members of the body that options make mandatory
	disabled  bool     // by Config.DisabledPaths
	in, out   reflect.Type

	key      any // *Route[I, O]
	owner    string
	newInput func() any
	run      func(context.Context, *Call, any) (any, error)
	decoder  *input.Decoder
	hooks    []Hook
	alias    *Alias
	envelope *Envelope // that its failures are written in; nil for core's own form
}

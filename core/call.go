package core

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/clientip"
	"github.com/sallyport-auth/sallyport/core/internal/cookie"
	"github.com/sallyport-auth/sallyport/core/internal/input"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Call is one request on its way through the dispatcher, over HTTP or from Go. It is
// not safe for use by several goroutines, and ends with the request.
type Call struct {
	host   *Host
	ep     *endpoint
	ex     Exchange
	http   bool // a request from outside; false for calls from Go
	now    time.Time
	hooks  []Hook
	values *input.Values
	in     any

	ip        netip.Addr
	ipKnown   bool
	cookieRaw string
	cookieOK  bool

	header     []Field
	headerRoom [2]Field // so that a few headers cost no allocation of their own
	cookies    []setCookie
	status     int
	answer     *Response // a redirect or challenge that takes the place of the output

	presented string // session token that Authenticate found (bearer), else ""
	outdated  bool   // presented was signed with a secret that has been rotated out
	// presentedID names a session that Authenticate found without its token, else "".
	presentedID string
	session     *Session
	user        *User
	loaded      bool
	fromCache   bool
	cacheEnds   time.Time // with fromCache: until when the cache may answer
	issued      *Session
	handed      *Session // whose token this answer carries
	tokenHeader string   // header that carries it as well, or ""

	watched watch
	failed  Failure // what the answer says no with
	// concerns is the user whom a failure is about, and refused tells that it was the gate's.
	concerns string
	refused  bool
}

type setCookie struct {
	name string
	line string
}

// Host returns the Auth that the call runs in.
func (c *Call) Host() *Host { return c.host }

// Now is the time of the request, in UTC and whole milliseconds: one for everything
// that it writes.
func (c *Call) Now() time.Time { return c.now }

// Method returns the request's method.
func (c *Call) Method() string { return c.ex.Method() }

// Path returns the endpoint's path below the base path, as declared.
func (c *Call) Path() string { return c.ep.path }

// Header returns a copy of the first request header of that name, or "".
func (c *Call) Header(name string) string { return strings.Clone(c.ex.Header(name)) }

// FromOutside tells a request over HTTP from a call by the app's own Go code.
func (c *Call) FromOutside() bool { return c.http }

// Log returns the logger for this request: its lines have the path and the request's id.
func (c *Call) Log() *slog.Logger {
	log := c.host.log.With("path", c.ep.path)
	if id := c.requestID(); id != "" {
		log = log.With("request_id", id)
	}
	return log
}

// Session returns the session and user that the access level has established, or nil.
func (c *Call) Session() (*Session, *User) { return c.session, c.user }

// Named tells whether the session was presented by its id alone (AuthenticateEvent.UseSessionID):
// by a credential that was made from the session, and must not give another one.
func (c *Call) Named() bool { return c.presentedID != "" }

// Issued returns the session that this call has made, or nil. Plugins that hand out
// other credentials (bearer, jwt) go by it, never by Set-Cookie.
func (c *Call) Issued() *Session { return c.issued }

// ExposeToken names a header in which the answer gives the token of the session that it
// hands out, signed, to clients that keep no cookies: also where it says no, for the
// session may have been renewed on the way.
func (c *Call) ExposeToken(header string) { c.tokenHeader = header }

// Concerns says whom a failure of this call is about, for its security event: a way to
// sign in calls it as soon as it knows the user, before anything was proved.
func (c *Call) Concerns(u *User) {
	if u != nil {
		c.concerns = u.ID
	}
}

// UserAgent returns the request's User-Agent, at most 512 bytes, as every database can keep
// it: one with a NUL, which PostgreSQL refuses, would keep what it did out of the events.
func (c *Call) UserAgent() string {
	ua := c.ex.Header("User-Agent")
	if len(ua) > 512 {
		ua = ua[:512]
	}
	return storable(strings.Clone(ua), 512)
}

// AcceptLanguage returns the request's header of that name, at most 256 bytes: see
// contract.MatchLanguage.
func (c *Call) AcceptLanguage() string {
	h := c.ex.Header("Accept-Language")
	if len(h) > 256 {
		h = h[:256]
	}
	return storable(strings.Clone(h), 256)
}

// ClientIP returns the client's address as limits and sessions know it: IPv4 as it is,
// IPv6 by its /64. Empty if unknown.
func (c *Call) ClientIP() string { return clientip.Key(c.addr()) }

func (c *Call) addr() netip.Addr {
	if !c.ipKnown {
		c.ip, c.ipKnown = c.host.clientAddr(c.ex.Peer(), c.ex.HeaderLines("X-Forwarded-For")), true
	}
	return c.ip
}

// SetHeader sets a header of the answer.
func (c *Call) SetHeader(name, value string) {
	for i := range c.header {
		if strings.EqualFold(c.header[i].Name, name) {
			c.header[i].Value = value
			return
		}
	}
	if c.header == nil {
		c.header = c.headerRoom[:0]
	}
	c.header = append(c.header, Field{name, value})
}

// ExposeHeader sets a header of the answer and lets scripts of other origins read it
// (Access-Control-Expose-Headers, Fetch section 3.3.3).
func (c *Call) ExposeHeader(name, value string) {
	c.SetHeader(name, value)
	for i := range c.header {
		if f := &c.header[i]; f.Name == exposeHeaders {
			f.Value = joinList(f.Value, name)
			return
		}
	}
	c.SetHeader(exposeHeaders, name)
}

const exposeHeaders = "Access-Control-Expose-Headers"

// SetStatus sets the status of a successful answer. Default 200.
func (c *Call) SetStatus(status int) { c.status = status }

// Redirect answers with 302 to a URL. It is an answer, not a failure: what was done
// stays done. The URL must have been checked (Callback) or come from configuration.
func (c *Call) Redirect(to string) {
	c.answer = &Response{Status: 302, Header: []Field{{"Location", Location(to)}, {"Content-Type", "application/json"}}}
}

// RedirectQuery is Redirect with query parameters added: pairs of name and value.
func (c *Call) RedirectQuery(to string, pairs ...string) { c.Redirect(AddQuery(to, pairs...)) }

// Navigation tells whether a browser is going to show the answer as a page.
func (c *Call) Navigation() bool {
	if mode := c.ex.Header("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return c.ex.Method() == "GET" && strings.Contains(c.ex.Header("Accept"), "text/html")
}

// Trusted tells whether a URL may be redirected to: a safe relative path, or an
// absolute URL of a trusted origin.
func (c *Call) Trusted(u string) bool { return c.host.origins.URL(u) }

// Cookie is a cookie of this Auth: name and attributes as configured.
type Cookie struct {
	attrs cookie.Cookie
}

// Name returns the full name, prefix included.
func (k Cookie) Name() string { return k.attrs.Name }

// Signed returns the value of a signed cookie of the request, or false if there is none
// or its signature fails. The signature does not cover the name (Better Auth's form):
// callers look the value up, and what it means follows from the row.
func (c *Call) Signed(k Cookie) (string, bool) {
	v, _, ok := c.signed(k)
	return v, ok
}

func (c *Call) signed(k Cookie) (value string, key int, ok bool) {
	raw, ok := cookie.Lookup(c.cookieHeader(), k.attrs.Name)
	if !ok {
		return "", 0, false
	}
	return c.host.signer.Verify(raw)
}

func (c *Call) cookieHeader() string {
	if !c.cookieOK {
		c.cookieOK = true
		lines := c.ex.HeaderLines("Cookie")
		switch len(lines) {
		case 0:
		case 1:
			c.cookieRaw = strings.Clone(lines[0])
		default: // HTTP/2 may split the header (RFC 9113 section 8.2.3)
			c.cookieRaw = strings.Join(lines, "; ")
		}
	}
	return c.cookieRaw
}

// SetSigned sets a signed cookie. session makes it end with the browser's session.
func (c *Call) SetSigned(k Cookie, value string, session bool) {
	a := k.attrs
	a.Value = c.host.signer.Sign(value)
	if session {
		a.MaxAge = nil
	}
	c.pushCookie(a)
}

func (c *Call) pushCookie(a cookie.Cookie) {
	c.cookies = append(c.cookies, setCookie{a.Name, a.String()})
}

// Expire deletes a cookie in the browser, and takes back what this answer set under its
// name, so that no log of raw headers keeps a live value.
func (c *Call) Expire(k Cookie) {
	kept := c.cookies[:0]
	for _, s := range c.cookies {
		if s.name != k.attrs.Name && !strings.HasPrefix(s.name, k.attrs.Name+".") {
			kept = append(kept, s)
		}
	}
	c.cookies = kept
	a := k.attrs
	zero := 0
	a.Value, a.MaxAge = "", &zero
	c.pushCookie(a)
}

// LoadSession loads the session on a public endpoint; nil if there is none. An error
// means that it could not be found out, and must not be taken for "no session".
func (c *Call) LoadSession(ctx context.Context) (*Session, *User, error) {
	if c.loaded {
		return c.session, c.user, nil
	}
	_, err := c.resolveSession(ctx, sessionRead{useCache: true})
	return c.session, c.user, err
}

// HoldSession asks the database whether the session still is one, whatever was read before,
// and keeps others from ending it by a new password or a proof of the address until tx ends:
// for an act that gives a way in. Who was put out while it was under way gets none.
func (c *Call) HoldSession(ctx context.Context, tx *Tx) error {
	if err := c.host.LockUser(ctx, tx, c.session.UserID); err != nil {
		return err
	}
	s, _, err := c.host.SessionByID(ctx, tx, c.session.ID)
	if err == nil && s == nil {
		err = ErrUnauthorized
	}
	return err
}

// RecheckSession asks the database whether the session still is one, where the cookie
// cache has vouched for it: inside an act that must not follow from a session which was
// revoked. Other than ConfirmSession it reads through q, and sets no cookie.
func (c *Call) RecheckSession(ctx context.Context, q storage.Conn) error {
	if !c.fromCache {
		return nil
	}
	s, _, err := c.host.findSession(ctx, q, c.session.Token)
	if err != nil {
		return err
	}
	if s == nil || s.ID != c.session.ID || s.ExpiresAt.Before(c.now) {
		return ErrUnauthorized
	}
	return nil // what the cache said of user and session is no newer by that: cookies keep its end
}

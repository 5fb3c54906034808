package core

import (
	"log/slog"
	"net/url"
	"strings"
)

// The origin check is the defence against cross-site requests. A request that carries
// a cookie must come from a trusted origin (Origin, else Referer). Endpoints that sign
// somebody in are checked without a cookie too, when Fetch Metadata or an Origin shows
// that a browser sent the request: else another site could sign its visitor into the
// attacker's account. Requests with neither are no browser's, and have no cookie that a
// browser would add by itself.

// checkOrigin is for every method that may change something.
func (c *Call) checkOrigin() error {
	if m := c.ex.Method(); m == "GET" || m == "HEAD" || m == "OPTIONS" {
		return nil
	}
	if c.cookieHeader() != "" {
		return c.trustedOrigin()
	}
	return nil
}

// checkBodyCallbacks refuses a target that is not trusted in any body, and in the query
// of the same request. It holds for calls from Go too: what an app hands on may be what
// a browser sent.
func (c *Call) checkBodyCallbacks() error {
	if m := c.ex.Method(); m == "GET" || m == "HEAD" || m == "OPTIONS" {
		return nil
	}
	for _, f := range callbackFields {
		value, isString, present := c.values.BodyString(f.member)
		if f.member == "callbackURL" && (!present || isString && value == "") {
			value, isString, present = c.values.QueryString(f.member)
		}
		switch {
		case !present || isString && value == "":
			continue
		case !isString:
			return f.notString
		}
		if !c.host.origins.URL(value) {
			return f.err
		}
	}
	return nil
}

var callbackFields = []struct {
	member         string
	err, notString *Error
}{
	{"callbackURL", ErrInvalidCallbackURL, errNoCallbackURL},
	{"redirectTo", ErrInvalidRedirectURL, errNoRedirectURL},
	{"errorCallbackURL", ErrInvalidErrorCallbackURL, errNoErrorCallbackURL},
	{"newUserCallbackURL", ErrInvalidNewUserCallback, errNoNewUserCallback},
}

// Better Auth derives the codes of these from their texts.
var (
	errNoCallbackURL      = Refuse(400, "Invalid callbackURL: expected a string")
	errNoRedirectURL      = Refuse(400, "Invalid redirectURL: expected a string")
	errNoErrorCallbackURL = Refuse(400, "Invalid errorCallbackURL: expected a string")
	errNoNewUserCallback  = Refuse(400, "Invalid newUserCallbackURL: expected a string")
)

// trustedOrigin wants a trusted Origin, or a trusted Referer where there is no Origin.
func (c *Call) trustedOrigin() error {
	origin := c.ex.Header("Origin")
	if origin == "null" && c.ex.Header("Sec-Fetch-Site") == "same-origin" {
		// A page of our own with Referrer-Policy: no-referrer sends "null"; the browser
		// itself says that it is the same origin.
		return nil
	}
	if origin == "" {
		origin = c.ex.Header("Referer")
	}
	if origin == "" || origin == "null" {
		return ErrMissingOrigin
	}
	if !c.host.origins.Origin(origin) {
		c.Log().Warn("origin is not trusted: if it is yours, add it to trustedOrigins", slog.String("origin", bareOrigin(origin)))
		return ErrInvalidOrigin
	}
	return nil
}

// bareOrigin is what a log may hold of an Origin or Referer: no path and no query, where
// a page's address may carry a token.
func bareOrigin(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "unreadable"
	}
	return u.Scheme + "://" + u.Host
}

// checkLogin is for endpoints that sign somebody in (login CSRF).
func (c *Call) checkLogin() error {
	if !c.ep.login || c.cookieHeader() != "" { // with a cookie, checkOrigin has looked
		return nil
	}
	site, mode := c.ex.Header("Sec-Fetch-Site"), c.ex.Header("Sec-Fetch-Mode")
	if strings.TrimSpace(site+mode+c.ex.Header("Sec-Fetch-Dest")) != "" {
		if site == "cross-site" && mode == "navigate" {
			return ErrCrossSiteNavigation
		}
		return c.trustedOrigin()
	}
	if c.ex.Header("Origin") != "" || c.ex.Header("Referer") != "" {
		return c.trustedOrigin()
	}
	return nil
}

// checkCallbacks is for the members that the endpoint names, on GET too.
func (c *Call) checkCallbacks() error {
	for _, member := range c.ep.callbacks {
		value, _, present := c.values.BodyString(member)
		if !present {
			value, _, present = c.values.QueryString(member)
		}
		if present && value != "" && !c.host.origins.URL(value) {
			return ErrInvalidCallbackURL
		}
	}
	return nil
}

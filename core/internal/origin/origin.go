// Package origin decides which origins may send credentials and where a redirect may
// lead. The rules are Better Auth's trustedOrigins; testdata/corpus.json holds its own
// verdict beside ours for every pair of pattern and address tried, and a reason for
// each place where we say no and it says yes. We never say yes where it says no.
//
// A pattern is one of:
//
//	https://app.example.com     this origin, exactly as a browser writes it
//	https://*.example.com       any sub-domain, at any depth, not the domain itself
//	http://localhost:*          any port
//	*.example.com               the same for http and https
//	192.168.*.*                 IPv4 addresses only, never a name that starts so
//	myapp://                    a custom scheme; also with authority and path prefix
//	exp://10.*.*.*:*/--         a custom scheme with wildcards
//
// "*" stands for any run of characters without a slash, "?" for one; see package glob.
package origin

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/core/internal/origin/glob"
	"github.com/sallyport-auth/sallyport/core/internal/origin/weburl"
)

// maxURL is the longest address that is looked at, in bytes; anything longer is not
// trusted. Browsers and proxies do not carry longer ones reliably.
const maxURL = 8192

// Matcher holds compiled patterns. It is safe for concurrent use; nil trusts nothing.
type Matcher struct {
	exact  map[string]bool // web origins without wildcard
	hosts  []webGlob       // wildcards over host and port, for http and https
	webs   []webGlob       // wildcards over the whole origin
	custom []customPattern // all other schemes
}

// webGlob is a wildcard; ipv4 is set when its host is an address range, which then
// admits addresses only: "192.168.*" must not admit 192.168.evil.example.
type webGlob struct {
	pattern *glob.Pattern
	ipv4    bool
}

// New compiles patterns. Every pattern that is malformed, that could match nothing, or
// that trusts hosts which anybody can register is part of the error, by its text.
func New(patterns []string) (*Matcher, error) {
	m := &Matcher{exact: make(map[string]bool, len(patterns))}
	var errs []error
	for _, p := range patterns {
		if err := m.add(p); err != nil {
			errs = append(errs, &PatternError{Pattern: p, Reason: err.Error()})
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return m, nil
}

// Origin reports whether the value of an Origin header, or of a Referer header (a whole
// URL, of which the origin counts), is trusted. "null" and "" are not.
func (m *Matcher) Origin(o string) bool { return m.absolute(o) }

// URL reports whether a redirect may lead to u: a path of this site that no browser or
// router can read as another host, or an address whose origin is trusted. Schemes other
// than http and https need a pattern that names them.
func (m *Matcher) URL(u string) bool {
	if strings.HasPrefix(u, "/") {
		return safeRelative(u)
	}
	return m.absolute(u)
}

// Source is the origin of an absolute URL as a Content-Security-Policy names it, or its
// scheme where that has none ("myapp:"); "" for everything else, and for what could end
// the directive that it stands in.
func Source(u string) string {
	if !clean(u) || strings.HasPrefix(u, "/") {
		return ""
	}
	w, ok := weburl.Parse(u)
	if !ok || denied[w.Scheme] || strings.IndexFunc(w.Authority(), func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789.-:[]", r)
	}) >= 0 {
		return ""
	}
	if o := w.Origin(); o != "" {
		return o
	}
	return w.Scheme + ":"
}

func (m *Matcher) absolute(s string) bool {
	if m == nil || !clean(s) {
		return false
	}
	u, ok := weburl.Parse(s)
	if !ok {
		return false
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		return m.web(u)
	}
	if denied[u.Scheme] {
		return false
	}
	c, ok := splitCustom(s, false)
	if !ok {
		return false
	}
	for i := range m.custom {
		if m.custom[i].match(c) {
			return true
		}
	}
	return false
}

func (m *Matcher) web(u weburl.URL) bool {
	o := u.Origin()
	if m.exact[o] {
		return true
	}
	for _, g := range m.hosts {
		if g.match(u.Authority(), u.Host) {
			return true
		}
	}
	for _, g := range m.webs {
		if g.match(o, u.Host) {
			return true
		}
	}
	return false
}

func (g webGlob) match(s, host string) bool {
	return g.pattern.Match(s) && (!g.ipv4 || isIPv4(host))
}

// clean refuses what must not stand in an Origin or Location header, and backslashes,
// which browsers read as slashes and others do not.
func clean(s string) bool {
	if s == "" || len(s) > maxURL || !utf8.ValidString(s) || s[0] == ' ' || s[len(s)-1] == ' ' {
		return false
	}
	return !strings.Contains(s, `\`) && !hasControl(s)
}

// hasControl finds C0 and C1 controls, DEL, and the line separators of Unicode.
func hasControl(s string) bool {
	for _, r := range s {
		if r < ' ' || 0x7f <= r && r <= 0x9f || r == 0x2028 || r == 0x2029 {
			return true
		}
	}
	return false
}

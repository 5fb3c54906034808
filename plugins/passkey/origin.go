package passkey

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// webOrigin reads an origin as browsers write it: scheme, host and port if it is not the
// scheme's own, in lower case, and nothing else.
func webOrigin(s string) (u *url.URL, ok bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || s != u.Scheme+"://"+u.Host || s != strings.ToLower(s) {
		return nil, false
	}
	if p := u.Port(); p == "" && strings.HasSuffix(u.Host, ":") || u.Scheme == "https" && p == "443" || u.Scheme == "http" && p == "80" {
		return nil, false
	}
	return u, true
}

// fits tells whether pages of an origin may use an RP ID: the same domain or one above
// it, in a secure context (WebAuthn Level 3, section 5.1.3; Secure Contexts, section 3.1).
func fits(u *url.URL, rpID string) bool {
	host := u.Hostname()
	if host != rpID && !strings.HasSuffix(host, "."+rpID) {
		return false
	}
	ip := net.ParseIP(host)
	return u.Scheme == "https" || host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// allowed tells whether an answer from that origin counts: one of Options.Origins, or
// without them the server's own and those of the trusted ones that fit the RP ID.
func (p *Plugin) allowed(origin string) bool {
	if len(p.o.Origins) > 0 {
		return slices.Contains(p.o.Origins, origin)
	}
	u, ok := webOrigin(origin)
	return ok && fits(u, p.o.RPID) && p.host.TrustedOrigin(origin)
}

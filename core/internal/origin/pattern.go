package origin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-auth/sallyport/core/internal/origin/glob"
	"github.com/sallyport-auth/sallyport/core/internal/origin/weburl"
	"golang.org/x/net/publicsuffix"
)

// PatternError names one pattern that New refuses, and why.
type PatternError struct{ Pattern, Reason string }

func (e *PatternError) Error() string {
	return fmt.Sprintf("trusted origin %q: %s", e.Pattern, e.Reason)
}

// add compiles one pattern into m.
func (m *Matcher) add(p string) error {
	if err := checkText(p); err != nil {
		return err
	}
	scheme, rest, hasScheme := strings.Cut(p, "://")
	wild := glob.Has(p)
	switch {
	case !hasScheme && wild:
		return m.addHost(p)
	case !hasScheme:
		return m.addBareScheme(p)
	case glob.Has(scheme) || isWeb(strings.ToLower(scheme)):
		if wild {
			return m.addWebGlob(p, scheme, rest)
		}
		return m.addExact(p)
	}
	return m.addCustom(p, scheme, wild)
}

func checkText(p string) error {
	switch {
	case p == "":
		return errors.New("is empty")
	case len(p) > 2048:
		return errors.New("is longer than 2048 bytes")
	case strings.Contains(p, `\`):
		return errors.New("holds a backslash, and there is no escape")
	}
	for i := 0; i < len(p); i++ {
		if p[i] <= ' ' || p[i] >= 0x7f {
			return errors.New("holds a space, a control character or a character outside ASCII (write hosts in their xn-- form)")
		}
	}
	return nil
}

func isWeb(scheme string) bool { return scheme == "http" || scheme == "https" }

func (m *Matcher) addExact(p string) error {
	u, ok := weburl.Parse(p)
	if !ok {
		return errors.New("is not a URL")
	}
	if u.Origin() != p {
		return fmt.Errorf("is not how a browser writes an origin; write %q", u.Origin())
	}
	m.exact[p] = true
	return nil
}

func (m *Matcher) addHost(p string) error {
	host, err := checkHost(p)
	if err != nil {
		return err
	}
	g, err := glob.Compile(p)
	if err != nil {
		return err
	}
	m.hosts = append(m.hosts, webGlob{pattern: g, ipv4: ipv4Range(host)})
	return nil
}

func (m *Matcher) addWebGlob(p, scheme, rest string) error {
	if g, err := glob.Compile(scheme); err != nil || !g.Match("http") && !g.Match("https") {
		return errors.New("only http and https can be meant by a wildcard in the scheme")
	}
	host, err := checkHost(rest)
	if err != nil {
		return err
	}
	g, err := glob.Compile(p)
	if err != nil {
		return err
	}
	m.webs = append(m.webs, webGlob{pattern: g, ipv4: ipv4Range(host)})
	return nil
}

// checkHost looks at host[:port] with wildcards and returns the host. It refuses those
// that no browser's origin can match, and those that anybody's host could match.
func checkHost(s string) (host string, err error) {
	if strings.ContainsAny(s, "/#@") {
		return "", errors.New("holds more than scheme, host and port; an origin has no path, and could never match")
	}
	if s != strings.ToLower(s) {
		return "", errors.New("holds upper-case letters; a browser writes origins in lower case")
	}
	host = s
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		host = s[:i]
	}
	if ipv4Range(host) || !glob.Has(host) {
		if host == "" {
			return "", errors.New("names no host")
		}
		return host, nil
	}
	if strings.ContainsAny(host, "[]:") {
		return "", errors.New("holds a wildcard in an IPv6 address")
	}
	// What stands after the last label with a wildcard is all that an attacker would
	// have to share.
	labels := strings.Split(host, ".")
	fixed := len(labels)
	for fixed > 0 && !glob.Has(labels[fixed-1]) {
		fixed--
	}
	suffix := strings.Join(labels[fixed:], ".")
	if suffix == "" {
		return "", errors.New("trusts hosts of anybody: the wildcard is in the last part of the host")
	}
	if ps, icann := publicsuffix.PublicSuffix(suffix); icann && ps == suffix {
		return "", fmt.Errorf("trusts hosts of anybody: names under %q can be registered", suffix)
	}
	return host, nil
}

// addBareScheme takes "myapp:" and "myapp:/path".
func (m *Matcher) addBareScheme(p string) error {
	scheme, rest, ok := strings.Cut(p, ":")
	if !ok || isWeb(strings.ToLower(scheme)) || rest != "" && strings.Trim(rest, "0123456789/") == "" {
		return errors.New("has no scheme; write https:// before the host")
	}
	return m.addCustom(p, scheme, false)
}

func (m *Matcher) addCustom(p, scheme string, wild bool) error {
	scheme = strings.ToLower(scheme)
	if !weburl.ValidScheme(scheme) {
		return errors.New("begins with something that is no scheme")
	}
	if denied[scheme] {
		return fmt.Errorf("names %s:, which runs or shows what the address holds and is never trusted", scheme)
	}
	if weburl.Special(scheme) {
		return fmt.Errorf("names %s:, which is neither a web page's nor an app's", scheme)
	}
	c, ok := splitCustom(p, wild)
	if !ok {
		return errors.New("is not a URL")
	}
	host, _, _ := strings.Cut(c.authority, ":")
	cp := customPattern{customURL: c, wildcard: wild, ipv4: ipv4Range(host)}
	var errAuthority, errPath error
	if wild && c.authority != "" {
		cp.authorityG, errAuthority = glob.Compile(c.authority)
	}
	if wild && c.path != "" {
		cp.pathG, errPath = glob.Compile(c.path)
	}
	m.custom = append(m.custom, cp)
	return errors.Join(errAuthority, errPath)
}

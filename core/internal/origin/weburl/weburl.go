// Package weburl reads absolute URLs the way browsers and the JavaScript URL class do
// (https://url.spec.whatwg.org, "basic URL parser" without a base), as far as the
// question "whom does this URL lead to?" needs it: scheme, host and port.
//
// net/url follows RFC 3986 and disagrees with browsers exactly where it is dangerous:
// backslashes, missing slashes, tabs, numeric hosts such as 0x7f.1. A check made with
// it can be passed by a URL that a browser takes elsewhere. Paths and queries are not
// read here; nothing in them makes a URL invalid.
package weburl

import (
	"strings"
)

// URL is what the parser keeps. The zero value is no URL.
type URL struct {
	Scheme string // lower case, without the colon
	Host   string // serialized: ASCII, lower case for web schemes, IPv6 in brackets; "" if none
	Port   string // decimal; "" when absent or the scheme's default
}

// defaultPorts are the special schemes of the standard; they alone get DNS or IP hosts.
var defaultPorts = map[string]string{
	"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21", "file": "",
}

// Special reports whether the standard treats scheme (lower case, without colon) as one
// of its special ones: http, https, ws, wss, ftp and file.
func Special(scheme string) bool {
	_, ok := defaultPorts[scheme]
	return ok
}

// Parse reads s; ok is false where new URL(s) throws.
func Parse(s string) (u URL, ok bool) {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	if strings.ContainsAny(s, "\t\n\r") {
		s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
	}
	scheme, rest, ok := cutScheme(s)
	if !ok {
		return URL{}, false
	}
	u.Scheme = scheme
	switch {
	case scheme == "file":
		return parseFile(u, rest)
	case Special(scheme):
		rest = strings.TrimLeft(rest, `/\`)
		return parseAuthority(u, until(rest, `/\?#`), true)
	case strings.HasPrefix(rest, "//"):
		return parseAuthority(u, until(rest[2:], "/?#"), false)
	}
	return u, true // a path, nothing to check
}

// Authority is the host with its port, as JavaScript's url.host.
func (u URL) Authority() string {
	if u.Port == "" {
		return u.Host
	}
	return u.Host + ":" + u.Port
}

// Origin is JavaScript's url.origin for http and https, and "" for all other schemes.
// (The standard also gives ws, wss, ftp and blob URLs an origin; none is one that a
// page could send a request from.)
func (u URL) Origin() string {
	if u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.Scheme + "://" + u.Authority()
}

func cutScheme(s string) (scheme, rest string, ok bool) {
	end := strings.IndexByte(s, ':')
	if end <= 0 || !ValidScheme(s[:end]) {
		return "", "", false
	}
	return strings.ToLower(s[:end]), s[end+1:], true
}

// ValidScheme reports whether s is a scheme by RFC 3986, section 3.1.
func ValidScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(s[i]))) {
			return false
		}
	}
	return s != ""
}

func parseFile(u URL, rest string) (URL, bool) {
	if len(rest) < 2 || !slash(rest[0]) || !slash(rest[1]) {
		return u, true
	}
	host := until(rest[2:], `/\?#`)
	if host == "" || driveLetter(host) {
		return u, true
	}
	h, ok := webHost(host)
	if !ok {
		return URL{}, false
	}
	if h != "localhost" {
		u.Host = h
	}
	return u, true
}

// parseAuthority reads [userinfo@]host[:port]; the userinfo ends at the last "@".
func parseAuthority(u URL, s string, special bool) (URL, bool) {
	at := strings.LastIndexByte(s, '@')
	hostPort := s[at+1:]
	host, port, hasPort := splitPort(hostPort)
	if host == "" && (special || at >= 0 || hasPort) {
		return URL{}, false
	}
	ok := true
	if special {
		u.Host, ok = webHost(host)
	} else {
		u.Host, ok = opaqueHost(host)
	}
	if !ok {
		return URL{}, false
	}
	u.Port, ok = readPort(port)
	if u.Port != "" && u.Port == defaultPorts[u.Scheme] {
		u.Port = ""
	}
	if !ok {
		return URL{}, false
	}
	return u, true
}

func splitPort(s string) (host, port string, has bool) {
	inside := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '[':
			inside = true
		case ']':
			inside = false
		case ':':
			if !inside {
				return s[:i], s[i+1:], true
			}
		}
	}
	return s, "", false
}

func readPort(s string) (string, bool) {
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return "", false
		}
		if n = n*10 + int(s[i]-'0'); n > 65535 {
			return "", false
		}
	}
	if s == "" {
		return "", true
	}
	s = strings.TrimLeft(s, "0")
	if s == "" {
		s = "0"
	}
	return s, true
}

func until(s, stops string) string {
	if i := strings.IndexAny(s, stops); i >= 0 {
		return s[:i]
	}
	return s
}

func slash(c byte) bool { return c == '/' || c == '\\' }

func driveLetter(s string) bool {
	return len(s) == 2 && (s[1] == ':' || s[1] == '|') &&
		('a' <= s[0]|0x20 && s[0]|0x20 <= 'z')
}

package cookie

import (
	"strconv"
	"strings"
)

// MaxMaxAge is the longest Max-Age in seconds, 400 days: browsers cut longer ones
// (draft-ietf-httpbis-rfc6265bis section 5.5), and Better Auth refuses them.
const MaxMaxAge = 34_560_000

// Cookie is one Set-Cookie line. The zero attributes are left out.
type Cookie struct {
	Name   string
	Value  string // already encoded: see Sign and Encode
	Path   string
	Domain string
	// SameSite is "lax", "strict" or "none" in any case of its first letter; "none"
	// forces Secure.
	SameSite string
	// MaxAge is in seconds; nil makes a cookie of the browser session, 0 deletes.
	// Values above MaxMaxAge are cut to it, negative ones delete.
	MaxAge      *int
	HTTPOnly    bool
	Secure      bool
	Partitioned bool // forces Secure
}

// String gives the Set-Cookie value with the attributes in Better Auth's order. A name
// that starts with __Secure- forces Secure; one that starts with __Host- forces Secure
// and Path=/ and drops the domain. It is empty, and must not be sent, if a part holds a
// byte that could end it early or if the name is no token.
func (c Cookie) String() string {
	if !isToken(c.Name) || !isValue(c.Value) || !isAttr(c.Path) || !isAttr(c.Domain) || !isAttr(c.SameSite) {
		return ""
	}
	path, domain := c.Path, c.Domain
	secure := c.Secure || c.Partitioned || strings.EqualFold(c.SameSite, "none")
	switch {
	case hasPrefixFold(c.Name, "__Host-"):
		secure, path, domain = true, "/", ""
	case hasPrefixFold(c.Name, "__Secure-"):
		secure = true
	}
	b := make([]byte, 0, len(c.Name)+len(c.Value)+len(path)+len(domain)+96)
	b = append(b, c.Name...)
	b = append(b, '=')
	b = append(b, c.Value...)
	if c.MaxAge != nil {
		b = append(b, "; Max-Age="...)
		b = strconv.AppendInt(b, int64(min(max(*c.MaxAge, 0), MaxMaxAge)), 10)
	}
	if domain != "" {
		b = append(append(b, "; Domain="...), domain...)
	}
	if path != "" {
		b = append(append(b, "; Path="...), path...)
	}
	if c.HTTPOnly {
		b = append(b, "; HttpOnly"...)
	}
	if secure {
		b = append(b, "; Secure"...)
	}
	if s := c.SameSite; s != "" {
		b = append(append(append(b, "; SameSite="...), strings.ToUpper(s[:1])...), s[1:]...)
	}
	if c.Partitioned {
		b = append(b, "; Partitioned"...)
	}
	return string(b)
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// isAttr reports whether s can stand as an attribute value: visible ASCII without ';'
// or ','.
func isAttr(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= 0x20 || c > 0x7e || c == ';' || c == ',' {
			return false
		}
	}
	return true
}

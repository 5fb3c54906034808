package cookie

import "strings"

// Lookup returns the value of the first cookie of that name in a Cookie header, as it
// was sent: quotes and escapes are still there (Verify and the Decode functions take it
// like that; see Decode for others). Names match exactly. It does not allocate.
func Lookup(header, name string) (value string, ok bool) {
	for header != "" {
		var pair string
		pair, header, _ = strings.Cut(header, ";")
		k, v, found := strings.Cut(pair, "=")
		if found && trim(k) == name {
			return trim(v), true
		}
	}
	return "", false
}

// Each calls fn for every well-formed pair, in order, repeated names included; where
// one value per name is wanted the last one counts. Names outside the RFC 9110 token
// set and values outside the RFC 6265 octets plus space and comma are passed over.
// Surrounding quotes are gone from the value, escapes are not.
func Each(header string, fn func(name, value string)) {
	for header != "" {
		var pair string
		pair, header, _ = strings.Cut(header, ";")
		k, v, found := strings.Cut(pair, "=")
		if !found {
			continue
		}
		k, v = trim(k), unquote(trim(v))
		if isToken(k) && isValue(v) {
			fn(k, v)
		}
	}
}

func trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// isToken reports whether s is a token of RFC 9110 section 5.6.2.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// isValue reports whether s has only octets of RFC 6265 section 4.1.1, space or comma.
func isValue(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == ';' || c == '\\' {
			return false
		}
	}
	return true
}

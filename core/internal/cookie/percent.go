package cookie

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

const upperHex = "0123456789ABCDEF"

// unreserved reports whether JavaScript's encodeURIComponent leaves the byte alone
// (ECMA-262, 19.2.6.4). It keeps more than url.QueryEscape does.
func unreserved(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("-_.!~*'()", c) >= 0
}

// Encode percent-encodes a value as encodeURIComponent does, for use in Cookie.Value.
func Encode(value string) string {
	n := 0
	for i := 0; i < len(value); i++ {
		if !unreserved(value[i]) {
			n++
		}
	}
	if n == 0 {
		return value
	}
	b := make([]byte, 0, len(value)+2*n)
	for i := 0; i < len(value); i++ {
		if c := value[i]; unreserved(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return string(b)
}

// Decode undoes what a sender may have done to a value of the Cookie header: it drops
// one pair of surrounding double quotes and percent-decodes once. A malformed escape,
// or one that does not give UTF-8, leaves the value as it is.
func Decode(raw string) string {
	v, _ := decode(raw)
	return v
}

// decode is Decode that also tells whether every escape was well-formed.
func decode(raw string) (string, bool) {
	raw = unquote(raw)
	if strings.IndexByte(raw, '%') < 0 {
		return raw, true
	}
	v, err := url.PathUnescape(raw)
	if err != nil || !utf8.ValidString(v) {
		return raw, false
	}
	return v, true
}

func unquote(v string) string {
	if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
		return v[1 : len(v)-1]
	}
	return v
}

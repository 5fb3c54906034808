// Package glob matches the wildcard patterns that trusted origins and rate-limit paths
// are written in: "*" stands for any run of characters, also an empty one and also
// across dots and slashes, "?" for exactly one. Everything else stands for itself;
// there is no escape and no case folding.
package glob

import (
	"unicode/utf16"
	"unicode/utf8"
)

// Has reports whether p holds a wildcard.
func Has(p string) bool {
	for i := 0; i < len(p); i++ {
		if p[i] == '*' || p[i] == '?' {
			return true
		}
	}
	return false
}

// Match reports whether the whole of s is described by pattern. Characters outside
// ASCII count as UTF-16 units, as they do for the JavaScript that wrote the patterns.
// It takes at most len(pattern)*len(s) steps.
func Match(pattern, s string) bool {
	if ascii(pattern) && ascii(s) {
		return match([]byte(pattern), []byte(s))
	}
	return match(units(pattern), units(s))
}

// match backtracks to the last star only: an earlier one can never need more, because
// what it leaves over the later one can take.
func match[E byte | uint16](p, s []E) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == s[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func units(s string) []uint16 { return utf16.Encode([]rune(s)) }

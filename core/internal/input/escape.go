package input

import (
	"unicode/utf16"
	"unicode/utf8"
)

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escaped goes on reading a string at its first backslash; from is where it began.
func (s *scanner) escaped(from int) (string, error) {
	buf := append(make([]byte, 0, 2*(s.pos-from)+32), s.text[from:s.pos]...)
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		switch {
		case c == '"':
			s.pos++
			return string(buf), nil
		case c < ' ':
			return "", errSyntax
		case c == '\\':
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			buf = utf8.AppendRune(buf, r)
		case c < utf8.RuneSelf:
			buf = append(buf, c)
			s.pos++
		default:
			r, n := utf8.DecodeRuneInString(s.text[s.pos:])
			if r == utf8.RuneError && n == 1 {
				return "", errUTF8
			}
			buf = append(buf, s.text[s.pos:s.pos+n]...)
			s.pos += n
		}
	}
	return "", errSyntax
}

// escape reads one escape sequence, or the two of a surrogate pair.
func (s *scanner) escape() (rune, error) {
	if s.pos+1 >= len(s.text) {
		return 0, errSyntax
	}
	if s.text[s.pos+1] != 'u' {
		r := escapes[s.text[s.pos+1]]
		if r == 0 {
			return 0, errSyntax
		}
		s.pos += 2
		return rune(r), nil
	}
	r, ok := s.unit()
	switch {
	case !ok:
		return 0, errSyntax
	case r == 0:
		return 0, errNUL
	case !utf16.IsSurrogate(r):
		return r, nil
	}
	if low, ok := s.unit(); ok {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, nil
		}
	}
	return 0, errSurrogate
}

// unit reads \uXXXX.
func (s *scanner) unit() (r rune, ok bool) {
	if s.pos+6 > len(s.text) || s.text[s.pos] != '\\' || s.text[s.pos+1] != 'u' {
		return 0, false
	}
	for _, c := range []byte(s.text[s.pos+2 : s.pos+6]) {
		d := hexDigit(c)
		if d < 0 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	s.pos += 6
	return r, true
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

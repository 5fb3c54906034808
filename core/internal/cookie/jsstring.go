package cookie

import (
	"unicode/utf16"
	"unicode/utf8"
)

const lowerHex = "0123456789abcdef"

// str copies one JSON string, escaping it as JavaScript does.
func (w *jsWriter) str() error {
	w.pos++
	w.out = append(w.out, '"')
	run := w.pos // start of text that is copied as it stands
	for w.pos < len(w.src) {
		switch c := w.src[w.pos]; {
		case c == '"':
			w.out = append(w.out, w.src[run:w.pos]...)
			w.out = append(w.out, '"')
			w.pos++
			return nil
		case c == '\\':
			w.out = append(w.out, w.src[run:w.pos]...)
			if err := w.escape(); err != nil {
				return err
			}
			run = w.pos
		case c < 0x20:
			return errJSON
		case c < utf8.RuneSelf:
			w.pos++
		default:
			n, ok := validRune(w.src[w.pos:])
			if !ok {
				return errJSON
			}
			w.pos += n
		}
	}
	return errJSON
}

func (w *jsWriter) escape() error {
	w.pos++
	c := w.peek()
	w.pos++
	switch c {
	case '"', '\\', 'b', 'f', 'n', 'r', 't':
		w.out = append(w.out, '\\', c)
		return nil
	case '/':
		w.out = append(w.out, '/')
		return nil
	case 'u':
	default:
		return errJSON
	}
	u, ok := w.hex4(w.pos)
	if !ok {
		return errJSON
	}
	w.pos += 4
	if !utf16.IsSurrogate(u) {
		w.char(u)
		return nil
	}
	if w.pos+1 < len(w.src) && w.src[w.pos] == '\\' && w.src[w.pos+1] == 'u' {
		if low, ok := w.hex4(w.pos + 2); ok {
			if r := utf16.DecodeRune(u, low); r != utf8.RuneError {
				w.pos += 6
				w.out = utf8.AppendRune(w.out, r)
				return nil
			}
		}
	}
	w.unicode(u) // alone: JSON.stringify keeps it as an escape
	return nil
}

// char writes one character that was given as an escape.
func (w *jsWriter) char(r rune) {
	switch r {
	case '"', '\\':
		w.out = append(w.out, '\\', byte(r))
	case '\b':
		w.out = append(w.out, '\\', 'b')
	case '\f':
		w.out = append(w.out, '\\', 'f')
	case '\n':
		w.out = append(w.out, '\\', 'n')
	case '\r':
		w.out = append(w.out, '\\', 'r')
	case '\t':
		w.out = append(w.out, '\\', 't')
	default:
		if r < 0x20 {
			w.unicode(r)
			return
		}
		w.out = utf8.AppendRune(w.out, r)
	}
}

func (w *jsWriter) unicode(r rune) {
	w.out = append(w.out, '\\', 'u', lowerHex[r>>12&15], lowerHex[r>>8&15], lowerHex[r>>4&15], lowerHex[r&15])
}

func (w *jsWriter) hex4(at int) (r rune, ok bool) {
	if at+4 > len(w.src) {
		return 0, false
	}
	for _, c := range w.src[at : at+4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// validRune is used where raw text must be UTF-8.
func validRune(b []byte) (size int, ok bool) {
	r, n := utf8.DecodeRune(b)
	return n, r != utf8.RuneError || n > 1
}

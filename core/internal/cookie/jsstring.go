package cookie

import (
	"time"
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

// reviveDate rewrites the string at out[start:] if it has the form of a date and is
// one to JavaScript. A year that needs more than four digits afterwards is an error.
func (w *jsWriter) reviveDate(start int) error {
	s := w.out[start+1 : len(w.out)-1]
	if !isDateForm(s) {
		return nil
	}
	num := func(from, to int) (n int) {
		for _, c := range s[from:to] {
			n = n*10 + int(c-'0')
		}
		return n
	}
	year, month, day := num(0, 4), num(5, 7), num(8, 10)
	hour, minute, sec, ms := num(11, 13), num(14, 16), num(17, 19), 0
	zero := minute == 0 && sec == 0
	for i, scale := 20, 100; i < len(s)-1; i, scale = i+1, scale/10 {
		ms += int(s[i]-'0') * scale // digits after the third are dropped: scale is 0
		zero = zero && s[i] == '0'
	}
	// What V8 accepts: 30 February rolls over, 24:00:00 is the next midnight.
	if month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || sec > 59 || (hour == 24 && !zero) {
		return nil
	}
	t := time.Date(year, time.Month(month), day, hour, minute, sec, ms*1e6, time.UTC)
	if t.Year() > 9999 {
		return errJSON
	}
	w.out = t.AppendFormat(w.out[:start+1], "2006-01-02T15:04:05.000Z")
	w.out = append(w.out, '"')
	return nil
}

// isDateForm reports whether s is YYYY-MM-DDTHH:MM:SS, optionally a fraction, and Z.
func isDateForm(s []byte) bool {
	const form = "0000-00-00T00:00:00"
	if len(s) < len(form)+1 || s[len(s)-1] != 'Z' {
		return false
	}
	for i := range len(form) {
		if form[i] == '0' {
			if s[i] < '0' || s[i] > '9' {
				return false
			}
		} else if s[i] != form[i] {
			return false
		}
	}
	frac := s[len(form) : len(s)-1]
	if len(frac) == 0 {
		return true
	}
	if frac[0] != '.' || len(frac) == 1 {
		return false
	}
	for _, c := range frac[1:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// isDate reports whether a canonical JSON value is a string that reviveDate made: in
// date form and a date to JavaScript.
func isDate(v []byte) bool {
	if len(v) != 26 || v[0] != '"' || !isDateForm(v[1:25]) {
		return false
	}
	_, err := time.Parse("2006-01-02T15:04:05.000Z", string(v[1:25]))
	return err == nil
}

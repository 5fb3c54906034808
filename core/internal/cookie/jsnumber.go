package cookie

import (
	"math"
	"strconv"
)

// number copies plain integers and gives the rest JavaScript's notation
// (ECMA-262, 6.1.6.1.20).
func (w *jsWriter) number() error {
	start := w.pos
	w.take('-')
	digits := w.digits()
	if digits == 0 || (digits > 1 && w.src[w.pos-digits] == '0') {
		return errJSON
	}
	plain := digits <= 15
	if w.take('.') {
		plain = false
		if w.digits() == 0 {
			return errJSON
		}
	}
	if w.take('e') || w.take('E') {
		plain = false
		if !w.take('+') {
			w.take('-')
		}
		if w.digits() == 0 {
			return errJSON
		}
	}
	text := w.src[start:w.pos]
	if plain && string(text) != "-0" {
		w.out = append(w.out, text...)
		return nil
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return errJSON // beyond float64: JavaScript would write null
	}
	w.out = appendNumber(w.out, f)
	return nil
}

func (w *jsWriter) digits() int {
	start := w.pos
	for c := w.peek(); '0' <= c && c <= '9'; c = w.peek() {
		w.pos++
	}
	return w.pos - start
}

func appendNumber(b []byte, f float64) []byte {
	abs := math.Abs(f)
	switch {
	case abs == 0: // JavaScript has no sign here
		return append(b, '0')
	case abs >= 1e-6 && abs < 1e21:
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	if n := len(b); b[n-2] == '0' && (b[n-3] == '-' || b[n-3] == '+') {
		b[n-2] = b[n-1] // e-07 is e-7 there
		b = b[:n-1]
	}
	return b
}

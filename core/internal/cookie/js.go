package cookie

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
)

// errJSON is all that is ever said about JSON that is refused: its text may be secret.
var errJSON = errors.New("cookie: JSON is malformed or not representable")

// ErrContent is the error of an Encode function for a session or user that has no form which
// every reader would take alike: a member "__proto__", a date behind the year 9999.
var ErrContent = errJSON

// maxDepth is how deeply JSON may be nested.
const maxDepth = 64

// MarshalJS encodes v as JSON.stringify would write the same data (ECMA-262, 25.5.2):
// no escaping of < > & or U+2028 and U+2029, \b and \f short, other controls \u00xx,
// lone surrogates as \udxxx in lower case, numbers in JavaScript's notation, members
// whose names are array indices first and in numeric order. Numbers beyond 2^53 lose
// precision as they do there. A time.Time keeps encoding/json's form, which is not
// JavaScript's: give times as strings with three decimals and Z.
func MarshalJS(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return rewrite(b.Bytes(), false)
}

// rewrite parses one JSON text and writes it as JavaScript would after JSON.parse. With
// dates it also does what Better Auth's reader does to every string in date form:
// to a Date and back, which gives it three decimals. Duplicate names and __proto__,
// which no serialiser writes and parsers disagree on, are errors.
func rewrite(src []byte, dates bool) ([]byte, error) {
	w := jsWriter{src: src, out: make([]byte, 0, len(src)+16), dates: dates}
	w.space()
	if err := w.value(0); err != nil {
		return nil, err
	}
	w.space()
	if w.pos != len(src) {
		return nil, errJSON
	}
	return w.out, nil
}

type jsWriter struct {
	src   []byte
	pos   int
	out   []byte
	dates bool
	stack []jsMember // members of the open objects, innermost last
}

// jsMember locates a member in out: its name with quotes, and where it ends.
type jsMember struct{ start, nameEnd, end int }

func (w *jsWriter) space() {
	for w.pos < len(w.src) {
		switch w.src[w.pos] {
		case ' ', '\t', '\n', '\r':
			w.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, or 0 at the end.
func (w *jsWriter) peek() byte {
	if w.pos < len(w.src) {
		return w.src[w.pos]
	}
	return 0
}

func (w *jsWriter) take(c byte) bool {
	if w.peek() != c {
		return false
	}
	w.pos++
	return true
}

func (w *jsWriter) value(depth int) error {
	if depth > maxDepth {
		return errJSON
	}
	switch c := w.peek(); {
	case c == '{':
		return w.object(depth)
	case c == '[':
		return w.array(depth)
	case c == '"':
		start := len(w.out)
		if err := w.str(); err != nil {
			return err
		}
		if w.dates {
			return w.reviveDate(start)
		}
		return nil
	case c == 't':
		return w.literal("true")
	case c == 'f':
		return w.literal("false")
	case c == 'n':
		return w.literal("null")
	default:
		return w.number()
	}
}

func (w *jsWriter) literal(s string) error {
	if !bytes.HasPrefix(w.src[w.pos:], []byte(s)) {
		return errJSON
	}
	w.pos += len(s)
	w.out = append(w.out, s...)
	return nil
}

func (w *jsWriter) array(depth int) error {
	w.pos++
	w.out = append(w.out, '[')
	w.space()
	if w.take(']') {
		w.out = append(w.out, ']')
		return nil
	}
	for {
		w.space()
		if err := w.value(depth + 1); err != nil {
			return err
		}
		w.space()
		if w.take(']') {
			w.out = append(w.out, ']')
			return nil
		}
		if !w.take(',') {
			return errJSON
		}
		w.out = append(w.out, ',')
	}
}

func (w *jsWriter) object(depth int) error {
	w.pos++
	open := len(w.out)
	w.out = append(w.out, '{')
	w.space()
	if w.take('}') {
		w.out = append(w.out, '}')
		return nil
	}
	base, indices := len(w.stack), false
	for {
		w.space()
		m := jsMember{start: len(w.out)}
		if w.peek() != '"' {
			return errJSON
		}
		if err := w.str(); err != nil {
			return err
		}
		m.nameEnd = len(w.out)
		if string(w.out[m.start:m.nameEnd]) == `"__proto__"` {
			return errJSON
		}
		w.space()
		if !w.take(':') {
			return errJSON
		}
		w.out = append(w.out, ':')
		w.space()
		if err := w.value(depth + 1); err != nil {
			return err
		}
		m.end = len(w.out)
		if _, is := w.index(m); is {
			indices = true
		}
		w.stack = append(w.stack, m)
		w.space()
		if w.take('}') {
			break
		}
		if !w.take(',') {
			return errJSON
		}
		w.out = append(w.out, ',')
	}
	err := w.unique(w.stack[base:])
	if err == nil && indices {
		w.reorder(open, w.stack[base:])
	}
	w.stack = w.stack[:base]
	w.out = append(w.out, '}')
	return err
}

func (w *jsWriter) name(m jsMember) []byte { return w.out[m.start:m.nameEnd] }

func (w *jsWriter) unique(members []jsMember) error {
	if len(members) > 24 {
		seen := make(map[string]struct{}, len(members))
		for _, m := range members {
			seen[string(w.name(m))] = struct{}{}
		}
		if len(seen) != len(members) {
			return errJSON
		}
		return nil
	}
	for i, m := range members {
		for _, n := range members[:i] {
			if bytes.Equal(w.name(m), w.name(n)) {
				return errJSON
			}
		}
	}
	return nil
}

// index returns the number of a member whose name is an array index (ECMA-262, 6.1.7):
// canonical decimal below 2^32-1.
func (w *jsWriter) index(m jsMember) (uint64, bool) {
	s := w.out[m.start+1 : m.nameEnd-1]
	if len(s) == 0 || len(s) > 10 || s[0] < '0' || s[0] > '9' || (s[0] == '0' && len(s) > 1) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s), 10, 64)
	return n, err == nil && n < math.MaxUint32
}

// reorder puts members with array indices first, as JavaScript lists them
// (ECMA-262, 10.1.11.1). open is where the object's brace stands in out.
func (w *jsWriter) reorder(open int, members []jsMember) {
	slices.SortStableFunc(members, func(a, b jsMember) int {
		m, mi := w.index(a)
		n, ni := w.index(b)
		switch {
		case mi && ni && m < n, mi && !ni:
			return -1
		case mi && ni && m > n, ni && !mi:
			return 1
		}
		return 0
	})
	body := make([]byte, 0, len(w.out)-open)
	for _, m := range members {
		body = append(append(body, ','), w.out[m.start:m.end]...)
	}
	body[0] = '{'
	w.out = append(w.out[:open], body...)
}

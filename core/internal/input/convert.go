package input

import (
	"math"
	"strconv"
	"strings"
)

// typeName is what zod calls the type of a value.
func (t *tree) typeName(i int32) string {
	if i < 0 {
		return "undefined"
	}
	switch t.nodes[i].kind {
	case kindNull:
		return "null"
	case kindBool:
		return "boolean"
	case kindNumber:
		return "number"
	case kindString:
		return "string"
	case kindArray:
		return "array"
	}
	return "object"
}

func (t *tree) float(i int32) float64 {
	f, _ := strconv.ParseFloat(t.nodes[i].str, 64) // the grammar was checked; a range error is Inf
	return f
}

// truthy is JavaScript's Boolean(value).
func (t *tree) truthy(i int32) bool {
	n := &t.nodes[i]
	switch n.kind {
	case kindNull:
		return false
	case kindBool:
		return n.truth
	case kindNumber:
		return t.float(i) != 0
	case kindString:
		return n.str != ""
	}
	return true
}

// jsString is JavaScript's String(value).
func (t *tree) jsString(i int32) string {
	n := &t.nodes[i]
	switch n.kind {
	case kindNull:
		return "null"
	case kindBool:
		return strconv.FormatBool(n.truth)
	case kindNumber:
		return jsNumber(t.float(i))
	case kindString:
		return n.str
	case kindObject:
		return "[object Object]"
	}
	var b strings.Builder
	for c := n.first; c != 0; c = t.nodes[c].next {
		if c != n.first {
			b.WriteByte(',')
		}
		if t.nodes[c].kind != kindNull { // in an array, null is the empty string
			b.WriteString(t.jsString(c))
		}
	}
	return b.String()
}

// jsNumber is Number::toString of ECMA-262.
func jsNumber(f float64) string {
	if f == 0 {
		return "0" // also -0
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	s := strconv.FormatFloat(f, 'e', -1, 64)
	// Go writes at least two digits of exponent.
	if n := len(s); n >= 4 && s[n-2] == '0' && (s[n-3] == '-' || s[n-3] == '+') {
		s = s[:n-2] + s[n-1:]
	}
	return s
}

// value is what encoding/json would make of it for an any.
func (t *tree) value(i int32) any {
	n := &t.nodes[i]
	switch n.kind {
	case kindBool:
		return n.truth
	case kindNumber:
		return t.float(i)
	case kindString:
		return n.str
	case kindArray:
		list := make([]any, 0, t.count(i))
		for c := n.first; c != 0; c = t.nodes[c].next {
			list = append(list, t.value(c))
		}
		return list
	case kindObject:
		m := make(map[string]any, t.count(i))
		for c := n.first; c != 0; c = t.nodes[c].next {
			m[t.nodes[c].name] = t.value(c)
		}
		return m
	}
	return nil
}

// raw is the JSON text of a value: as it was sent, or written for a string that came by
// form or query.
func (t *tree) raw(i int32) []byte {
	n := &t.nodes[i]
	if n.end > n.start {
		return []byte(t.text[n.start:n.end])
	}
	if n.kind == kindString {
		return quote(n.str)
	}
	out := []byte{'['}
	for c := n.first; c != 0; c = t.nodes[c].next {
		if c != n.first {
			out = append(out, ',')
		}
		out = append(out, t.raw(c)...)
	}
	return append(out, ']')
}

// quote writes a JSON string; s is valid UTF-8.
func quote(s string) []byte {
	const hex = "0123456789abcdef"
	out := append(make([]byte, 0, len(s)+2), '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c < ' ':
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}

func (t *tree) count(i int32) int {
	n := 0
	for c := t.nodes[i].first; c != 0; c = t.nodes[c].next {
		n++
	}
	return n
}

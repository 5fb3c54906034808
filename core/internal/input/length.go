package input

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// lengths applies the rules about length to whatever has one in JavaScript.
func (f *filler) lengths(s *schema, i int32) {
	if len(s.checks) == 0 {
		return
	}
	what, n, ok := f.size(i)
	if !ok {
		return
	}
	for _, c := range s.checks {
		f.length(c, what, n)
	}
}

func (f *filler) length(c check, what string, n float64) {
	unit := "characters"
	switch {
	case what == "array":
		unit = "items"
	case what == "unknown":
		unit = ""
	}
	var verdict, sign string
	switch {
	case c.op == opMin && !(n >= c.limit):
		verdict, sign = "Too small", ">="
	case c.op == opMax && !(n <= c.limit):
		verdict, sign = "Too big", "<="
	default:
		return
	}
	if unit == "" {
		f.issue(verdict, ": expected ", what, " to be ", sign, c.text)
	} else {
		f.issue(verdict, ": expected ", what, " to have ", sign, c.text, " ", unit)
	}
}

// size is the length of a value: code points of a string, items of an array, and of an
// object its member "length", which zod cannot tell from one.
func (t *tree) size(i int32) (what string, n float64, ok bool) {
	if i < 0 {
		return "", 0, false
	}
	switch t.nodes[i].kind {
	case kindString:
		return "string", float64(utf8.RuneCountInString(t.nodes[i].str)), true
	case kindArray:
		return "array", float64(t.count(i)), true
	case kindObject:
		if m := t.member(i, "length"); m != 0 {
			return "unknown", t.toNumber(m), true
		}
	}
	return "", 0, false
}

// toNumber is JavaScript's Number(value), but for numbers in other notations than JSON's.
func (t *tree) toNumber(i int32) float64 {
	n := &t.nodes[i]
	switch n.kind {
	case kindNull:
		return 0
	case kindBool:
		if n.truth {
			return 1
		}
		return 0
	case kindNumber:
		return t.float(i)
	case kindString, kindArray:
		s := trim(t.jsString(i))
		if s == "" {
			return 0
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
	}
	return math.NaN()
}

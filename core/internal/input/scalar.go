package input

import (
	"math"
	"reflect"
	"slices"
	"unicode/utf8"
)

func (f *filler) text(s *schema, i int32, dst reflect.Value) {
	if f.kind(i) != kindString && !s.coerce {
		f.wrong(s, i)
		return
	}
	str := f.nodes[i].str
	if s.coerce {
		str = f.jsString(i)
	}
	if s.enum != nil && !slices.Contains(s.enum, str) {
		f.issue(s.mismatch)
		return
	}
	for _, c := range s.checks {
		switch c.op {
		case opTrim:
			str = trim(str)
		case opEmail:
			if !isEmail(str) {
				f.issue("Invalid email address")
			}
		case opURL:
			if u, ok := isURL(str); ok {
				str = u
			} else {
				f.issue("Invalid URL")
			}
		default:
			f.length(c, "string", float64(utf8.RuneCountInString(str)))
		}
	}
	dst.SetString(str)
}

const maxSafe = 1<<53 - 1

func (f *filler) number(s *schema, i int32, dst reflect.Value) {
	if f.kind(i) != kindNumber {
		f.wrong(s, i)
		return
	}
	n := f.float(i)
	if s.want == wantInt {
		switch {
		case n != math.Trunc(n):
			f.issue("Invalid input: expected int, received number")
			return
		case n > maxSafe:
			f.issue("Too big: expected int to be <=9007199254740991")
		case n < -maxSafe:
			f.issue("Too small: expected int to be >=-9007199254740991")
		}
	}
	for _, c := range s.checks {
		if c.op == opMin && n < c.limit {
			f.issue("Too small: expected number to be >=", c.text)
		} else if c.op == opMax && n > c.limit {
			f.issue("Too big: expected number to be <=", c.text)
		}
	}
	if s.want == wantFloat {
		dst.SetFloat(n)
	} else if math.Abs(n) <= maxSafe {
		dst.SetInt(int64(n))
	}
}

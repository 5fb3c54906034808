package input

import (
	"strings"
	"unicode/utf8"
)

// parseForm fills t from a form body: an object of strings. Unlike Better Auth, which
// takes the last of several values, it refuses a repeated name.
func parseForm(t *tree, text string) error {
	t.text = text
	t.nodes = append(t.nodes, node{kind: kindObject})
	last := int32(0)
	var names nameSet
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		if len(t.nodes) > MaxMembers {
			return errMembers
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescape(name), unescape(value)
		switch {
		case !utf8.ValidString(name) || !utf8.ValidString(value):
			return errUTF8
		case strings.IndexByte(name, 0) >= 0 || strings.IndexByte(value, 0) >= 0:
			return errNUL
		case names.has(t, 0, name):
			return errDuplicate
		}
		t.nodes = append(t.nodes, node{kind: kindString, name: name, str: value})
		child := int32(len(t.nodes) - 1)
		t.chain(0, last, child)
		last = child
	}
	return nil
}

// parseQuery fills t from a raw query as URLSearchParams reads it: a repeated name is an
// array. What is no UTF-8, or NUL, is marked and refused only where it is used: links
// carry foreign parameters.
func parseQuery(t *tree, text string) error {
	t.nodes = append(t.nodes, node{kind: kindObject})
	last := int32(0)
	count := 0
	var names map[string]int32
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		if count++; count > MaxMembers {
			return errParams
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = strings.ToValidUTF8(unescape(name), "\uFFFD"), unescape(value)
		n := node{kind: kindString, name: name, str: value}
		if !utf8.ValidString(value) || strings.IndexByte(value, 0) >= 0 {
			n.bad, n.str = true, strings.ToValidUTF8(value, "\uFFFD")
		}
		var known int32
		if count <= 16 {
			known = t.member(0, name)
		} else {
			if names == nil {
				names = make(map[string]int32)
				for c := t.nodes[0].first; c != 0; c = t.nodes[c].next {
					names[t.nodes[c].name] = c
				}
			}
			known = names[name]
		}
		if known != 0 {
			t.repeat(known, n)
			continue
		}
		t.nodes = append(t.nodes, n)
		child := int32(len(t.nodes) - 1)
		if names != nil {
			names[name] = child
		}
		t.chain(0, last, child)
		last = child
	}
	return nil
}

// repeat adds another value to the parameter at i.
func (t *tree) repeat(i int32, n node) {
	n.name = ""
	if old := t.nodes[i]; old.kind != kindArray {
		t.nodes = append(t.nodes, node{kind: kindString, bad: old.bad, str: old.str})
		only := int32(len(t.nodes) - 1)
		t.nodes[i] = node{kind: kindArray, name: old.name, bad: old.bad, next: old.next, first: only, last: only}
	}
	t.nodes = append(t.nodes, n)
	item := int32(len(t.nodes) - 1)
	t.nodes[t.nodes[i].last].next = item
	t.nodes[i].last = item
	t.nodes[i].bad = t.nodes[i].bad || n.bad
}

// unescape decodes application/x-www-form-urlencoded text; a "%" without two digits is
// itself (https://url.spec.whatwg.org/#urlencoded-parsing).
func unescape(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			out = append(out, ' ')
		case c == '%' && i+2 < len(s) && hexDigit(s[i+1]) >= 0 && hexDigit(s[i+2]) >= 0:
			out = append(out, byte(hexDigit(s[i+1])<<4|hexDigit(s[i+2])))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

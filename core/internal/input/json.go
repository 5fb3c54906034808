package input

import (
	"math"
	"strings"
	"unicode/utf8"
)

// scanner reads one JSON text (RFC 8259). Its grammar is JSON.parse's.
type scanner struct {
	*tree
	pos     int
	depth   int
	members int
}

// parseJSON fills t from text. A byte order mark is skipped, as request.json() does.
func parseJSON(t *tree, text string) error {
	t.text = strings.TrimPrefix(text, "\uFEFF")
	s := &scanner{tree: t}
	s.space()
	if _, err := s.value(""); err != nil {
		return err
	}
	s.space()
	if s.pos != len(s.text) {
		return errSyntax
	}
	return nil
}

func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// add appends a node; the caller fills it through s.nodes[i], never through a pointer
// that a later append could leave behind.
func (s *scanner) add(k kind, name string) int32 {
	s.nodes = append(s.nodes, node{kind: k, name: name, start: int32(s.pos)})
	return int32(len(s.nodes) - 1)
}

func (s *scanner) value(name string) (i int32, err error) {
	if s.pos == len(s.text) {
		return 0, errSyntax
	}
	switch c := s.text[s.pos]; {
	case c == '{':
		i, err = s.object(name)
	case c == '[':
		i, err = s.array(name)
	case c == '"':
		i = s.add(kindString, name)
		var str string
		str, err = s.string()
		s.nodes[i].str = str
	case c == '-' || '0' <= c && c <= '9':
		i = s.add(kindNumber, name)
		err = s.number()
		s.nodes[i].str = s.text[s.nodes[i].start:s.pos]
		if err == nil && math.IsInf(s.float(i), 0) {
			err = errNumber // Infinity cannot be written as JSON again
		}
	default:
		i, err = s.literal(name)
	}
	s.nodes[i].end = int32(s.pos)
	return i, err
}

func (s *scanner) literal(name string) (int32, error) {
	i := s.add(kindNull, name)
	for _, l := range [...]struct {
		text string
		kind kind
	}{{"null", kindNull}, {"true", kindBool}, {"false", kindBool}} {
		if strings.HasPrefix(s.text[s.pos:], l.text) {
			s.pos += len(l.text)
			s.nodes[i].kind = l.kind
			s.nodes[i].truth = l.text == "true"
			return i, nil
		}
	}
	return i, errSyntax
}

// enter counts one more level; leave takes it back.
func (s *scanner) enter() error {
	if s.depth++; s.depth > MaxDepth {
		return errDepth
	}
	s.pos++
	s.space()
	return nil
}

func (s *scanner) count() error {
	if s.members++; s.members > MaxMembers {
		return errMembers
	}
	return nil
}

// more reads what stands after a member: a comma (true) or the closing byte (false).
func (s *scanner) more(closing byte) (bool, error) {
	s.space()
	if s.pos == len(s.text) {
		return false, errSyntax
	}
	c := s.text[s.pos]
	s.pos++
	switch c {
	case ',':
		s.space()
		return true, nil
	case closing:
		s.depth--
		return false, nil
	}
	return false, errSyntax
}

func (s *scanner) empty(closing byte) bool {
	if s.pos < len(s.text) && s.text[s.pos] == closing {
		s.pos++
		s.depth--
		return true
	}
	return false
}

func (s *scanner) array(name string) (int32, error) {
	i := s.add(kindArray, name)
	if err := s.enter(); err != nil || s.empty(']') {
		return i, err
	}
	last := int32(0)
	for {
		if err := s.count(); err != nil {
			return i, err
		}
		child, err := s.value("")
		if err != nil {
			return i, err
		}
		s.chain(i, last, child)
		last = child
		if again, err := s.more(']'); err != nil || !again {
			return i, err
		}
	}
}

func (s *scanner) object(name string) (int32, error) {
	i := s.add(kindObject, name)
	if err := s.enter(); err != nil || s.empty('}') {
		return i, err
	}
	last := int32(0)
	var names nameSet
	for {
		if err := s.count(); err != nil {
			return i, err
		}
		if s.pos == len(s.text) || s.text[s.pos] != '"' {
			return i, errSyntax
		}
		key, err := s.string()
		if err != nil {
			return i, err
		}
		if names.has(s.tree, i, key) {
			return i, errDuplicate
		}
		s.space()
		if s.pos == len(s.text) || s.text[s.pos] != ':' {
			return i, errSyntax
		}
		s.pos++
		s.space()
		child, err := s.value(key)
		if err != nil {
			return i, err
		}
		s.chain(i, last, child)
		last = child
		if again, err := s.more('}'); err != nil || !again {
			return i, err
		}
	}
}

func (s *scanner) digits() bool {
	from := s.pos
	for s.pos < len(s.text) && '0' <= s.text[s.pos] && s.text[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > from
}

func (s *scanner) accept(set string) bool {
	if s.pos < len(s.text) && strings.IndexByte(set, s.text[s.pos]) >= 0 {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) number() error {
	s.accept("-")
	if !s.accept("0") && !s.digits() {
		return errSyntax
	}
	if s.accept(".") && !s.digits() {
		return errSyntax
	}
	if s.accept("eE") {
		s.accept("+-")
		if !s.digits() {
			return errSyntax
		}
	}
	return nil
}

// string reads a string from its opening quote on. Without escapes it is a part of the
// text and costs nothing.
func (s *scanner) string() (string, error) {
	s.pos++
	from := s.pos
	ascii := true
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '"':
			str := s.text[from:s.pos]
			s.pos++
			if !ascii && !utf8.ValidString(str) {
				return "", errUTF8
			}
			return str, nil
		case c == '\\':
			if !ascii && !utf8.ValidString(s.text[from:s.pos]) {
				return "", errUTF8
			}
			return s.escaped(from)
		case c < ' ':
			return "", errSyntax
		case c >= utf8.RuneSelf:
			ascii = false
		}
		s.pos++
	}
	return "", errSyntax
}

package input

import (
	"fmt"
	"strconv"
	"strings"
)

// filler walks schema and tree together and collects issues.
type filler struct {
	*tree
	source  string
	path    []segment
	message []byte
	full    bool
	broken  bool // a text that had to be repaired was used
}

// segment is a member's name or, when that is not known, an item's index.
type segment struct {
	name string
	item int
}

func (f *filler) err() error {
	switch {
	case f.broken:
		return errQuery
	case len(f.message) > 0:
		return &Error{400, codeValidation, string(f.message)}
	}
	return nil
}

// issue adds "[source.path] text", the texts joined, as better-call does.
func (f *filler) issue(text ...string) {
	if f.full {
		return
	}
	before := len(f.message)
	if before > 0 {
		f.message = append(f.message, "; "...)
	}
	f.message = append(append(f.message, '['), f.source...)
	for _, s := range f.path {
		f.message = append(f.message, '.')
		if s.item >= 0 {
			f.message = strconv.AppendInt(f.message, int64(s.item), 10)
		} else {
			f.message = append(f.message, s.name...)
		}
	}
	f.message = append(f.message, "] "...)
	for _, t := range text {
		f.message = append(f.message, t...)
	}
	if len(f.message) > maxMessage {
		f.full = true
		f.message = f.message[:before]
		if before == 0 { // a name in the path is as long as the body: leave the path out
			f.message = fmt.Appendf(nil, "[%s] %s", f.source, strings.Join(text, ""))
		}
	}
}

func (f *filler) in(name string) { f.path = append(f.path, segment{name, -1}) }
func (f *filler) item(index int) { f.path = append(f.path, segment{"", index}) }
func (f *filler) out(depth int)  { f.path = f.path[:min(depth, len(f.path))] }
func (f *filler) kind(i int32) kind {
	if i == absent {
		return kindUndefined
	}
	return f.nodes[i].kind
}

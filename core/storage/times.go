package storage

import (
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/schema"
)

// Times says in which forms a statement takes times and gives them.
type Times struct {
	args    []schema.TimeForm // by argument
	columns []schema.TimeForm // by column of the result
	rest    schema.TimeForm   // of columns that are not in columns
}

// TimeDest is a destination that knows whether it takes a time.
type TimeDest interface{ IsTime() bool }

// Arg is the i-th argument, a time in UTC, in its form.
func (t *Times) Arg(i int, at time.Time) any {
	f := schema.TimeText
	if t != nil {
		f = t.args[i]
	}
	switch f {
	case schema.TimeMilliseconds:
		return at.UnixMilli()
	case schema.TimeSeconds:
		return at.Unix()
	case schema.TimeOffset:
		return at.Format("2006-01-02T15:04:05.000+00:00")
	}
	return at.Format(Layout)
}

// Column reads the i-th column of the result, which is a time: numbers by their form. Text
// says by itself what it is.
func (t *Times) Column(i int, src any) any {
	f := t.rest
	if i < len(t.columns) {
		f = t.columns[i]
	}
	if n, ok := src.(int64); ok && f == schema.TimeSeconds {
		return time.Unix(n, 0).UTC()
	}
	return src
}

// times finds out beside which columns a template's times stand. A value that is inserted
// has the form of its column, any other that of the column of times that is named last
// before it; a column of the result that of the first one that is named in it. Without any,
// as in a table that the schema does not know, it is what holds for the whole database.
func (x Expander) times(template string) *Times {
	rest := x.Names.TimeForm("", "")
	if x.Dialect != SQLite || rest == schema.TimeText && len(x.Names.TimeOverrides) == 0 {
		return nil
	}
	s := timeScan{x: x, out: &Times{rest: rest}, last: rest}
	for i := 0; i < len(template); {
		n := 1
		switch c := template[i]; {
		case c == '\'':
			n = strings.IndexByte(template[i+1:], '\'') + 2
		case c == '{':
			n = strings.IndexByte(template[i:], '}') + 1
			s.name(template[i+1 : i+n-1])
		case isWord(c):
			for i+n < len(template) && isWord(template[i+n]) {
				n++
			}
			s.word(template[i : i+n])
		default:
			s.sign(c)
		}
		i += n
	}
	s.end()
	return s.out
}

// timeScan goes through a template that Expand takes.
type timeScan struct {
	x     Expander
	out   *Times
	last  schema.TimeForm // of the column of times that was named last
	depth int             // of parentheses
	part  part
	into  []schema.TimeForm // columns of an INSERT; empty for those of other kinds
	nth   int               // which of them the next value is for
	item  schema.TimeForm   // of the result's column that is being read
}

// part is a part of a statement.
type part uint8

const (
	elsewhere part = iota
	intoTable      // behind INSERT
	intoList       // among its columns
	values         // its rows, each in parentheses
	selected       // the columns of INSERT ... SELECT
	result         // the columns of SELECT or RETURNING
)

func (s *timeScan) name(text string) {
	i := strings.IndexAny(text, ".:")
	form := schema.TimeForm("")
	if i > 0 {
		if t := s.x.Schema.Table(text[:i]); t != nil && t.Column(text[i+1:]).Kind == schema.Time {
			form = s.x.Names.TimeForm(text[:i], text[i+1:])
			s.last = form
		}
	}
	switch {
	case s.part == intoList:
		s.into = append(s.into, form)
	case s.part == result && s.item == "":
		s.item = form
	}
}

func (s *timeScan) word(w string) {
	if s.depth > 0 {
		return
	}
	switch strings.ToUpper(w) {
	case "INSERT":
		s.part = intoTable
	case "VALUES":
		s.part = values
	case "SELECT":
		if s.part, s.nth = result, 0; s.into != nil {
			s.part = selected
		}
	case "RETURNING":
		s.part = result
	case "FROM", "WHERE", "ON":
		s.end()
		s.part = elsewhere
	}
}

func (s *timeScan) sign(c byte) {
	switch {
	case c == '(':
		s.depth++
		if s.part == intoTable {
			s.part = intoList
		}
		if s.part == values && s.depth == 1 {
			s.nth = 0
		}
	case c == ')':
		s.depth--
		if s.part == intoList {
			s.part = elsewhere
		}
	case c == ',' && (s.part == values && s.depth == 1 || s.part == selected && s.depth == 0):
		s.nth++
	case c == ',' && s.part == result && s.depth == 0:
		s.column()
	case c == '?':
		form := s.last
		if (s.part == values || s.part == selected) && s.nth < len(s.into) && s.into[s.nth] != "" {
			form = s.into[s.nth]
		}
		s.out.args = append(s.out.args, form)
	}
}

func (s *timeScan) column() {
	if s.item == "" {
		s.item = s.out.rest
	}
	s.out.columns, s.item = append(s.out.columns, s.item), ""
}

func (s *timeScan) end() {
	if s.part == result {
		s.column()
	}
}

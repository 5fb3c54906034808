package storage

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sallyport-auth/sallyport/core/schema"
)

// MaxTemplate is the longest template in bytes. Templates are the program's own text;
// the limit catches one that was built from a request.
const MaxTemplate = 64 << 10

// Expanded is a template in the words of one database.
type Expanded struct {
	SQL  string
	Args int  // how many values it takes
	Read bool // it begins with SELECT, and so writes nothing
	// Times are the forms of its times; nil where all are the database's own, or text.
	Times *Times
}

// Expand puts a template into a database's own SQL. The package comment says what is
// replaced. It fails on a name that the schema lacks, on a brace without its partner,
// and on a question mark or brace inside a string literal.
func Expand(d Dialect, s *schema.Schema, n schema.Names, template string) (Expanded, error) {
	if len(template) > MaxTemplate {
		return Expanded{}, fmt.Errorf("template of %d bytes, at most %d are taken", len(template), MaxTemplate)
	}
	x := Expander{Dialect: d, Schema: s, Names: n}
	var b strings.Builder
	b.Grow(len(template) + len(template)/2)
	args, literal := 0, false
	for i := 0; i < len(template); i++ {
		c := template[i]
		switch {
		case c == 0:
			return Expanded{}, fmt.Errorf("template holds a NUL")
		case c == '\'':
			literal = !literal
			b.WriteByte(c)
		case literal && (c == '?' || c == '{' || c == '}'):
			return Expanded{}, fmt.Errorf("template holds %q inside a string literal: bind the value", c)
		case c == '?':
			args++
			if d == Postgres {
				b.WriteByte('$')
				b.WriteString(strconv.Itoa(args))
			} else {
				b.WriteByte('?')
			}
		case c == '}':
			return Expanded{}, fmt.Errorf("template holds } without {")
		case c == '{':
			end := strings.IndexByte(template[i:], '}')
			if end < 0 {
				return Expanded{}, fmt.Errorf("template holds { without }")
			}
			text, err := x.Name(template[i+1 : i+end])
			if err != nil {
				return Expanded{}, err
			}
			b.WriteString(text)
			i += end
		default:
			b.WriteByte(c)
		}
	}
	if literal {
		return Expanded{}, fmt.Errorf("template holds a string literal without an end")
	}
	sql := strings.TrimSpace(b.String())
	return Expanded{SQL: sql, Args: args, Read: hasVerb(sql, "SELECT"), Times: x.times(template)}, nil
}

func hasVerb(sql, verb string) bool {
	if len(sql) < len(verb) || !strings.EqualFold(sql[:len(verb)], verb) {
		return false
	}
	return len(sql) == len(verb) || !isWord(sql[len(verb)])
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// Expander turns logical names into quoted ones of a database.
type Expander struct {
	Dialect Dialect
	Schema  *schema.Schema
	Names   schema.Names
}

// Name expands what stands between braces: t, t=, t.c, t:c or "skip locked".
func (x Expander) Name(name string) (string, error) {
	if name == "skip locked" {
		if x.Dialect == Postgres {
			return "FOR UPDATE SKIP LOCKED", nil
		}
		return "", nil
	}
	table, rest, sep := name, "", byte(0)
	if i := strings.IndexAny(name, ".:="); i >= 0 {
		table, rest, sep = name[:i], name[i+1:], name[i]
	}
	if x.Schema == nil {
		return "", fmt.Errorf("{%s}: no schema is bound", name)
	}
	t := x.Schema.Table(table)
	if t == nil || sep == '=' && rest != "" {
		return "", fmt.Errorf("{%s}: the schema has no such table", name)
	}
	if (sep == '.' || sep == ':') && t.Column(rest) == nil {
		return "", fmt.Errorf("{%s}: the schema has no such column", name)
	}
	switch sep {
	case '.':
		return Quote(x.Names.Table(table)) + "." + Quote(x.Names.Column(table, rest)), nil
	case ':':
		return Quote(x.Names.Column(table, rest)), nil
	case '=':
		return x.Table(table) + " AS " + Quote(x.Names.Table(table)), nil
	}
	return x.Table(table), nil
}

// Table returns a logical table's name, quoted, and qualified where there are schemas.
func (x Expander) Table(table string) string { return x.Qualify(x.Names.Table(table)) }

// Qualify quotes a name of the database, and puts the schema before it on PostgreSQL:
// a search_path must never decide which table is read.
func (x Expander) Qualify(name string) string {
	if x.Dialect != Postgres {
		return Quote(name)
	}
	return Quote(x.Names.SchemaName()) + "." + Quote(name)
}

// Quote quotes an identifier.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

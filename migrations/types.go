package migrations

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

var types = map[storage.Dialect]map[schema.Kind]string{
	storage.Postgres: {schema.String: "text", schema.Bool: "boolean", schema.Int: "integer", schema.BigInt: "bigint",
		schema.Time: "timestamptz", schema.JSON: "jsonb", schema.Bytes: "bytea"},
	storage.SQLite: {schema.String: "text", schema.Bool: "integer", schema.Int: "integer", schema.BigInt: "bigint",
		schema.Time: "date", schema.JSON: "text", schema.Bytes: "blob"},
}

// typeOf is the type of a new column. f is the form of its times, if it has some.
func typeOf(d storage.Dialect, k schema.Kind, f schema.TimeForm) string {
	if d == storage.SQLite && k == schema.Time && f.Number() {
		return "integer"
	}
	return types[d][k]
}

// fit says how well a column's type holds a kind.
type fit uint8

const (
	unusable fit = iota
	tolerated
	same
)

const (
	notUTC   = "its times have no zone, and are right only while every program writes UTC"
	idType   = "ids are read and written as text, and must have its form"
	asText   = "its values are read and written as text"
	tooBig   = "a value beyond its range is refused"
	tooLong  = "a longer value is refused, and some may be as long as 255 characters"
	anyAffix = "SQLite keeps what is written"
	jsonText = "its text is JSON, and must be"
)

// equivalents are the types that may stand in a table that somebody else made, with
// what there is to know about them; an empty text is nothing. They are written as
// format_type does, without lengths, on PostgreSQL; on SQLite in small letters.
var equivalents = map[storage.Dialect]map[schema.Kind]map[string]string{
	storage.Postgres: {
		schema.String: {"text": "", "character varying": "", "citext": "", "character": "it pads values with spaces"},
		schema.Bool:   {"boolean": ""},
		schema.Int:    {"integer": "", "bigint": "", "smallint": tooBig, "numeric": asText},
		schema.BigInt: {"bigint": "", "numeric": asText},
		schema.Time:   {"timestamp with time zone": "", "timestamp without time zone": notUTC},
		schema.JSON:   {"jsonb": "", "json": "", "text": asText},
		schema.Bytes:  {"bytea": ""},
	},
	storage.SQLite: {
		schema.String: {"text": "", "varchar": "", "character varying": "", "char": "", "character": "", "clob": ""},
		schema.Bool:   {"integer": "", "int": "", "boolean": "", "bool": "", "tinyint": "", "numeric": anyAffix},
		schema.Int:    {"integer": "", "int": "", "bigint": "", "smallint": "", "numeric": anyAffix},
		schema.BigInt: {"bigint": "", "integer": "", "int": "", "numeric": anyAffix},
		schema.Time:   {"date": "", "datetime": "", "timestamp": "", "text": ""},
		schema.JSON:   {"text": "", "json": "", "jsonb": "", "clob": ""},
		schema.Bytes:  {"blob": ""},
	},
}

// timeNumbers are the types of SQLite that keep times that are numbers as such: a column of
// texts would make them some.
var timeNumbers = map[string]string{"integer": "", "int": "", "bigint": "", "date": "", "datetime": "", "timestamp": "", "numeric": anyAffix}

// ids are further types of primary keys and of references, as uuid and serial ids make.
var ids = map[string]bool{"uuid": true, "integer": true, "bigint": true, "int": true, "smallint": true}

func fits(d storage.Dialect, c *schema.Column, f schema.TimeForm, live string) (fit, string) {
	base := BaseType(live)
	if d == storage.Postgres && strings.HasSuffix(base, ".citext") { // an extension in a schema that is not on the search path
		base = "citext"
	}
	why, ok := equivalents[d][c.Kind][base]
	if d == storage.SQLite && c.Kind == schema.Time && f.Number() {
		why, ok = timeNumbers[base]
	}
	switch {
	case ok && d == storage.Postgres && c.Kind == schema.String && short(base, live):
		return tolerated, tooLong
	case ok && why == "":
		return same, ""
	case ok:
		return tolerated, why
	case c.Kind == schema.String && (c.PrimaryKey || c.References != nil) && ids[base]:
		return tolerated, idType
	case c.JSONText && d == storage.Postgres && (base == "json" || base == "jsonb"):
		return tolerated, jsonText
	}
	return unusable, ""
}

// short tells whether a type of texts holds fewer characters than the texts that are written
// may have: addresses, browsers' names, hashes.
func short(base, live string) bool {
	if base != "character varying" && base != "character" {
		return false
	}
	_, n, _ := strings.Cut(live, "(")
	n, _, _ = strings.Cut(n, ")")
	length, err := strconv.Atoi(n)
	return err == nil && length < 255
}

// Fits tells whether a live column of that type can hold a column's values, times in the
// form f, and what there is to know about it; see Plan.Notes and Plan.Faults.
func Fits(d storage.Dialect, c *schema.Column, f schema.TimeForm, live string) (ok bool, why string) {
	how, why := fits(d, c, f, live)
	return how != unusable, why
}

// BaseType leaves a length or precision out: "timestamp(3) with time zone" is
// "timestamp with time zone".
func BaseType(live string) string {
	live = strings.ToLower(live)
	if i := strings.IndexByte(live, '('); i >= 0 {
		if j := strings.IndexByte(live[i:], ')'); j >= 0 {
			live = strings.TrimSpace(live[:i]) + live[i+j+1:]
		}
	}
	return live
}

// column returns a column's name, type and NOT NULL.
func (p *planner) column(t *schema.Table, c *schema.Column) string {
	s := storage.Quote(p.Names.Column(t.Name, c.Name)) + " " + p.columnType(t, c)
	if !c.Nullable {
		s += " NOT NULL"
	}
	return s
}

// columnType returns the type of a new column. One that refers to an id that was not
// made by us takes the type of that id: PostgreSQL compares no text with a uuid.
func (p *planner) columnType(t *schema.Table, c *schema.Column) string {
	if r := c.References; r != nil && c.Kind == schema.String {
		if lt := p.live.Table(p.Names.Table(r.Table)); lt != nil {
			if lc := lt.Column(p.Names.Column(r.Table, r.Column)); lc != nil && ids[BaseType(lc.Type)] {
				return lc.Type
			}
		}
	}
	typ := typeOf(p.Dialect, c.Kind, p.Names.TimeForm(t.Name, c.Name))
	if lt := p.live.Table(p.Names.Table(t.Name)); lt != nil && lt.Strict {
		switch typ { // the rest are types of STRICT tables, too
		case "bigint":
			return "integer"
		case "date":
			return "text"
		}
	}
	return typ
}

// defaultOf returns a column's DEFAULT, or nothing.
func (p *planner) defaultOf(c *schema.Column) string {
	switch v := c.Default.(type) {
	case nil:
		if c.DefaultNow && p.Dialect == storage.Postgres {
			return " DEFAULT CURRENT_TIMESTAMP"
		}
		return ""
	case bool:
		switch {
		case p.Dialect == storage.Postgres:
			return fmt.Sprintf(" DEFAULT %t", v)
		case v:
			return " DEFAULT 1"
		}
		return " DEFAULT 0"
	case string:
		return " DEFAULT " + literal(v)
	default:
		return fmt.Sprintf(" DEFAULT %d", v)
	}
}

func (p *planner) references(r *schema.Reference) string {
	s := " REFERENCES " + p.Table(r.Table) + " (" + storage.Quote(p.Names.Column(r.Table, r.Column)) + ")"
	switch r.OnDelete {
	case schema.Cascade:
		s += " ON DELETE CASCADE"
	case schema.SetNull:
		s += " ON DELETE SET NULL"
	}
	return s
}

// literal quotes a text. Backslashes mean themselves: standard_conforming_strings is on
// by default since PostgreSQL 9.1, and SQLite knows nothing else.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

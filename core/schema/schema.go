// Package schema describes tables and columns as data: no SQL, no database. A
// plugin's row structs become Tables (see FromStruct), the core merges all of them
// into one Schema, and adapters and migrations turn that into what a database needs.
//
// Names in this package are logical: Better Auth's camelCase ("emailVerified").
// Names maps them to what the database calls them.
package schema

import (
	"errors"
	"fmt"
)

// Kind is a column's type, independent of a database.
type Kind uint8

// The kinds, with their PostgreSQL and SQLite types.
const (
	String Kind = iota + 1 // text, text
	Bool                   // boolean, integer 0 or 1
	Int                    // integer (32 bit), integer
	BigInt                 // bigint (64 bit), bigint
	Time                   // timestamptz in whole milliseconds, one of the TimeForms
	JSON                   // jsonb, text
	Bytes                  // bytea, blob
)

func (k Kind) String() string {
	switch k {
	case String:
		return "string"
	case Bool:
		return "bool"
	case Int:
		return "int"
	case BigInt:
		return "bigint"
	case Time:
		return "time"
	case JSON:
		return "json"
	case Bytes:
		return "bytes"
	}
	return "invalid"
}

// Action is what happens to a row when the row that it refers to is deleted.
type Action uint8

// The actions. The zero value refuses the deletion.
const (
	Restrict Action = iota
	Cascade
	SetNull
)

// Reference is a foreign key to one column of another table.
type Reference struct {
	Table    string
	Column   string // "id" unless said otherwise
	OnDelete Action
	// Joined tells that statements compare the column with others of the same ids, as a JOIN
	// does: a server does not start where PostgreSQL cannot (see storage.KeyFaults).
	Joined bool
}

// Column is one column of a table.
type Column struct {
	Name       string // logical name
	Kind       Kind
	Nullable   bool
	PrimaryKey bool
	Unique     bool
	Index      bool
	// Hash makes the index one for equality alone, of texts of any length: an ordinary one
	// refuses what is longer than a third of a page (PostgreSQL: 2,704 bytes).
	Hash       bool
	References *Reference
	// Default is a constant that the database fills in when a row is written by
	// somebody who does not know the column: string, bool, int64 or nil for none.
	Default any
	// DefaultNow makes the database fill in the time of writing (PostgreSQL only, as
	// Better Auth does it).
	DefaultNow bool
	// Written columns are nullable, but every row that is written has a value there: the
	// app's own required fields. A database may have them NOT NULL.
	Written bool
	// JSONText is a String whose text is JSON. Where somebody else made the table it may be a
	// column of JSON.
	JSONText bool
	// Hidden columns never leave the server in an answer.
	Hidden bool
	// Owner is the plugin that wants the column ("core" for core's own); it is named
	// when the column is missing.
	Owner string
}

// Index is an index over several columns, or a unique one.
type Index struct {
	Columns []string
	Unique  bool
}

// Table is one table.
type Table struct {
	Name    string // logical name
	Columns []Column
	Indexes []Index
	Owner   string
	// RowSecurity names the column that holds the id of the user to whom a row
	// belongs; empty for none. On PostgreSQL the table then has row-level security,
	// forced, on that column against app.current_user_id; elsewhere the adapter's
	// callers filter by it.
	RowSecurity string
	// AppendOnly has the database itself refuse to change or delete rows, by a trigger. What
	// Erasable lists may be set to NULL all the same: personal data of who has gone.
	AppendOnly bool
	// Erasable names nullable columns of an append-only table.
	Erasable []string
}

// Column returns the column of that logical name, or nil.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// Extension adds columns to a table of somebody else's.
type Extension struct {
	Table   string
	Columns []Column
}

// Schema is all tables in the order in which they are created.
type Schema struct{ Tables []Table }

// Table returns the table of that logical name, or nil.
func (s *Schema) Table(name string) *Table {
	for i := range s.Tables {
		if s.Tables[i].Name == name {
			return &s.Tables[i]
		}
	}
	return nil
}

// Merge puts tables and extensions together. It reports every fault at once: a table
// or column declared twice, an extension of an unknown table, a reference to nothing,
// a column added to an existing table that is neither nullable nor has a default
// (other programs that write to the table could not go on).
func Merge(tables []Table, extensions []Extension) (*Schema, error) {
	s := &Schema{}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("schema: "+format, args...)) }
	for _, t := range tables {
		if old := s.Table(t.Name); old != nil {
			fault("table %q of %s is declared by %s already", t.Name, t.Owner, old.Owner)
			continue
		}
		t.Columns = append([]Column(nil), t.Columns...)
		s.Tables = append(s.Tables, t)
	}
	for _, e := range extensions {
		t := s.Table(e.Table)
		for _, c := range e.Columns {
			switch {
			case t == nil:
				fault("%s adds column %q to unknown table %q", c.Owner, c.Name, e.Table)
			case t.Column(c.Name) != nil:
				fault("column %s.%s of %s is declared by %s already", e.Table, c.Name, c.Owner, t.Column(c.Name).Owner)
			case !c.Nullable && c.Default == nil && !c.DefaultNow:
				fault("column %s.%s of %s must be nullable or have a default", e.Table, c.Name, c.Owner)
			default:
				t.Columns = append(t.Columns, c)
			}
		}
	}
	for i := range s.Tables {
		faults = append(faults, s.check(&s.Tables[i])...)
	}
	return s, errors.Join(faults...)
}

func (s *Schema) check(t *Table) (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("schema: "+format, args...)) }
	seen, keys := map[string]bool{}, 0
	for _, c := range t.Columns {
		if seen[c.Name] {
			fault("column %s.%s is declared twice", t.Name, c.Name)
		}
		seen[c.Name] = true
		if c.PrimaryKey {
			keys++
		}
		if c.Kind < String || c.Kind > Bytes {
			fault("column %s.%s has no kind", t.Name, c.Name)
		}
		if r := c.References; r != nil && (s.Table(r.Table) == nil || s.Table(r.Table).Column(r.Column) == nil) {
			fault("column %s.%s refers to %s.%s, which nobody declares: want logical names, as in references=user", t.Name, c.Name, r.Table, r.Column)
		}
	}
	if keys != 1 {
		fault("table %q of %s has %d primary keys, wants one", t.Name, t.Owner, keys)
	}
	for _, ix := range t.Indexes {
		for _, c := range ix.Columns {
			if !seen[c] {
				fault("an index of table %q names unknown column %q", t.Name, c)
			}
		}
	}
	if t.RowSecurity != "" && !seen[t.RowSecurity] {
		fault("row security of table %q names unknown column %q", t.Name, t.RowSecurity)
	}
	return faults
}

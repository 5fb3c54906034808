package schema

import "strings"

// Live is what a database holds, by its own names: the input of the migration planner.
type Live struct {
	Tables []LiveTable
	// Others are what else has a name that a new table or index cannot have.
	Others []LiveOther
	// Role is who is connected, and BypassesRLS tells that row-level security does not hold
	// for that role (a superuser, BYPASSRLS). Role is empty where the database has none.
	Role        string
	BypassesRLS bool
	// Casts tells that somebody made implicit casts between the types of keys, or operators that
	// compare them: then it is not known what can be compared (PostgreSQL).
	Casts bool
	// SchemaExists tells whether the schema that holds the tables is there (PostgreSQL).
	SchemaExists bool
}

// LiveOther is an index, a view, a sequence, a type or the like.
type LiveOther struct {
	Name string
	Kind string // as people say: "an index", "a view", "a type"
}

// Other returns what is no table and has that name, in any case if fold is set; nil if
// there is none.
func (l *Live) Other(name string, fold bool) *LiveOther {
	for i := range l.Others {
		if o := &l.Others[i]; o.Name == name || fold && strings.EqualFold(o.Name, name) {
			return o
		}
	}
	return nil
}

// LiveTable is one table of a database.
type LiveTable struct {
	Name    string
	Columns []LiveColumn
	Indexes []LiveIndex
	// RowSecurity tells whether row-level security is enabled and forced.
	RowSecurity bool
	// Strict tells that it is one of SQLite's STRICT tables, which know few types.
	Strict bool
	// Policies are the names of its row-level security policies.
	Policies []string
	// Triggers are the names of its triggers that are enabled.
	Triggers []string
}

// LiveColumn is one column of a database's table.
type LiveColumn struct {
	Name     string
	Type     string // as the database's catalogue writes it
	Nullable bool
	Default  bool // it has some default
	// Always tells that the database alone gives it its values (GENERATED ALWAYS).
	Always bool
	// RowID tells that it is the number that SQLite keeps a row by, and takes no texts: an
	// INTEGER PRIMARY KEY, except for odd forms of it.
	RowID bool
	// Sequence tells that a sequence belongs to it, for its numbers (PostgreSQL).
	Sequence bool
}

// LiveIndex is an index or unique constraint of a database's table.
type LiveIndex struct {
	Name    string
	Columns []string
	Unique  bool
}

// Table returns the table of that name, or nil.
func (l *Live) Table(name string) *LiveTable {
	for i := range l.Tables {
		if l.Tables[i].Name == name {
			return &l.Tables[i]
		}
	}
	return nil
}

// Column returns the column of that name, or nil.
func (t *LiveTable) Column(name string) *LiveColumn {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

package migrations

import (
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// adopt adds to a table that is there what it lacks.
func (p *planner) adopt(t *schema.Table, lt *schema.LiveTable) {
	known := map[string]bool{}
	for i := range t.Columns {
		c := &t.Columns[i]
		name := p.Names.Column(t.Name, c.Name)
		known[name] = true
		lc := lt.Column(name)
		if lc == nil {
			if p.Dialect == storage.SQLite {
				for _, other := range lt.Columns {
					if strings.EqualFold(other.Name, name) {
						p.fault(t, owner(t, c), "there is a column %s already, and SQLite makes no difference between its name and %q: set another one (database.overrides)", schema.Printable(other.Name), name)
					}
				}
			}
			p.addColumn(t, c)
			continue
		}
		p.compare(t, c, lc)
		switch {
		case c.Unique && !c.PrimaryKey && !covered(lt, []string{name}, true):
			p.addUnique(t, owner(t, c), []string{c.Name})
		case c.Index && !c.Unique && !c.PrimaryKey && !covered(lt, []string{name}, false):
			p.indexExisting(t, lt, owner(t, c), []string{c.Name})
		}
	}
	for _, lc := range lt.Columns {
		switch {
		case known[lc.Name]:
		case !lc.Nullable && !lc.Default:
			p.fault(t, t.Owner, "column %s, which no plugin knows, is NOT NULL without a default: every insert would fail", schema.Printable(lc.Name))
		default:
			p.note(t, t.Owner, "no plugin knows column %s; it stays as it is", schema.Printable(lc.Name))
		}
	}
	for _, ix := range t.Indexes {
		var names []string
		for _, c := range ix.Columns {
			names = append(names, p.Names.Column(t.Name, c))
		}
		switch {
		case covered(lt, names, ix.Unique):
		case ix.Unique:
			p.addUnique(t, t.Owner, ix.Columns)
		default:
			p.indexExisting(t, lt, t.Owner, ix.Columns)
		}
	}
	p.secure(t, lt)
	p.appendOnly(t, lt)
}

// indexExisting adds an index to a table that may be large. The plan is one transaction, in
// which PostgreSQL builds indexes while nobody writes to the table, and a table that gets a
// column is locked altogether until the end: what makes queries
// faster and no more may be built before, beside the program.
func (p *planner) indexExisting(t *schema.Table, lt *schema.LiveTable, owner string, columns []string) {
	name := p.index(t, owner, columns, false)
	there := !slices.ContainsFunc(columns, func(c string) bool { return lt.Column(p.Names.Column(t.Name, c)) == nil }) // else only the plan makes it
	if p.Dialect == storage.Postgres && there {
		sql := p.indexes[len(p.indexes)-1].SQL
		p.note(t, owner, "nobody can write to the table while index %s is built, nor read it if the plan adds a column; if it is large, run this before: %s;", name,
			strings.Replace(sql, "CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1))
	}
}

func (p *planner) addUnique(t *schema.Table, owner string, columns []string) {
	name := p.index(t, owner, columns, true)
	p.plan.Missing = append(p.plan.Missing, Missing{Plugin: owner, Table: t.Name, LiveTable: p.Names.Table(t.Name), Unique: name})
}

// covered tells whether an index does the work of one on these columns: a unique one
// must have exactly them, in any order; any other may go on behind them.
func covered(lt *schema.LiveTable, columns []string, unique bool) bool {
	return slices.ContainsFunc(lt.Indexes, func(ix schema.LiveIndex) bool {
		if len(ix.Columns) < len(columns) {
			return false
		}
		if !unique {
			return slices.Equal(ix.Columns[:len(columns)], columns)
		}
		return ix.Unique && slices.Equal(slices.Sorted(slices.Values(ix.Columns)), slices.Sorted(slices.Values(columns)))
	})
}

// addColumn adds a column to a table that may hold rows.
func (p *planner) addColumn(t *schema.Table, c *schema.Column) {
	who, name := owner(t, c), p.Names.Column(t.Name, c.Name)
	p.plan.Missing = append(p.plan.Missing, Missing{Plugin: who, Table: t.Name, LiveTable: p.Names.Table(t.Name), Column: name})
	def := p.defaultOf(c)
	if p.Dialect == storage.SQLite && c.DefaultNow && !c.Nullable && c.Default == nil {
		// SQLite adds a column only with a constant. Rows that are there get the
		// beginning of the epoch: it is no real time, and no NULL either.
		def = " DEFAULT " + epoch(p.Names.TimeForm(t.Name, c.Name))
		p.note(t, who, "existing rows get 1970-01-01 in the new column %s", name)
	}
	switch {
	case c.PrimaryKey:
		p.fault(t, who, "the primary key %s is missing", name)
		return
	case !c.Nullable && def == "":
		p.fault(t, who, "column %s is missing and has no default: existing rows would have no value (add it by hand, or by a step)", name)
		return
	case c.Unique && !c.Nullable:
		p.fault(t, who, "the unique column %s is missing: existing rows would all get the same value (add it by hand)", name)
		return
	case c.Unique:
		def = "" // all rows would get the same
	case c.References != nil && def != "" && p.Dialect == storage.SQLite:
		p.fault(t, who, "column %s is missing: SQLite adds no reference with a default", name)
		return
	}
	sql := "ALTER TABLE " + p.Table(t.Name) + " ADD COLUMN " + p.column(t, c) + def
	if c.References != nil {
		sql += p.references(c.References)
	}
	p.columns = append(p.columns, Statement{who, sql})
	if c.Unique || c.Index {
		// An inline UNIQUE cannot be added on SQLite; Better Auth makes an index on both.
		p.index(t, who, []string{c.Name}, c.Unique)
	}
}

// epoch is the beginning of the epoch as SQL.
func epoch(f schema.TimeForm) string {
	switch f {
	case schema.TimeMilliseconds, schema.TimeSeconds:
		return "0"
	case schema.TimeOffset:
		return "'1970-01-01T00:00:00.000+00:00'"
	}
	return "'1970-01-01T00:00:00.000Z'"
}

// compare reports what differs in a column that is there. It is never changed.
func (p *planner) compare(t *schema.Table, c *schema.Column, lc *schema.LiveColumn) {
	who, form := owner(t, c), p.Names.TimeForm(t.Name, c.Name)
	switch fit, why := fits(p.Dialect, c, form, lc.Type); fit {
	case tolerated:
		p.note(t, who, "column %s is %s: %s", schema.Printable(lc.Name), schema.Printable(lc.Type), why)
	case unusable:
		p.fault(t, who, "column %s is %s, want %s", schema.Printable(lc.Name), schema.Printable(lc.Type), typeOf(p.Dialect, c.Kind, form))
	}
	switch {
	case c.Nullable && !c.Written && c.Default == nil && !lc.Nullable:
		p.fault(t, who, "column %s is NOT NULL, but rows without a value are written", schema.Printable(lc.Name))
	case !c.Nullable && lc.Nullable && !c.PrimaryKey:
		p.note(t, who, "column %s may be NULL; a row with a NULL cannot be read", schema.Printable(lc.Name))
	}
}

package migrations

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Step is a numbered change, see storage.Step. In its statements {table}, {table.column}
// and {table:column} stand for the database's names where the schema has such a table;
// all other text is taken as it is, question marks too. Steps run after tables and
// columns were added, on a new database as on an old one.
type Step = storage.Step

// Statement is one statement of a plan.
type Statement struct {
	Plugin string // who wants it
	SQL    string
}

// Missing is something that is wanted and not there.
type Missing struct {
	Plugin     string
	Table      string // logical name
	LiveTable  string // the database's name
	Column     string // the database's name of a column; empty if the whole table is missing
	Unique     string // the name of a unique index
	RowSecured bool   // row-level security is missing
	AppendOnly bool   // the trigger that refuses changes is missing
}

func (m Missing) String() string {
	table := fmt.Sprintf("plugin %s: table %s (%q)", m.Plugin, m.Table, m.LiveTable)
	switch {
	case m.Column != "":
		return table + " lacks column " + m.Column
	case m.Unique != "":
		return table + " lacks unique index " + m.Unique
	case m.RowSecured:
		return table + " lacks row-level security"
	case m.AppendOnly:
		return table + " can be changed, and must only grow"
	}
	return table + " is missing"
}

// Plan is what has to be done to a database.
type Plan struct {
	Statements []Statement
	// Missing is what the statements add, without indexes that only make it faster.
	Missing []Missing
	// Pending are the steps that the statements run.
	Pending []Step
	// Notes are worth knowing: columns that nobody knows, types that are not what a
	// new table would have.
	Notes []string
	// Faults are what a plan cannot put right and what would make statements fail. A
	// plan with faults is not applied.
	Faults []string

	slow []string // of Faults: those of indexes that only make queries faster
}

// Empty tells that there is nothing to do.
func (p *Plan) Empty() bool { return len(p.Statements) == 0 }

// SQL returns the statements, in order. Together they are one transaction.
func (p *Plan) SQL() []string {
	out := make([]string, len(p.Statements))
	for i, s := range p.Statements {
		out[i] = s.SQL
	}
	return out
}

// String writes the plan as a script: every statement under the plugin that wants it,
// notes and faults as comments before.
func (p *Plan) String() string {
	var b strings.Builder
	for _, n := range p.Notes {
		b.WriteString("-- note: " + n + "\n")
	}
	for _, f := range p.Faults {
		b.WriteString("-- fault: " + f + "\n")
	}
	plugin := ""
	for _, s := range p.Statements {
		if s.Plugin != plugin {
			plugin = s.Plugin
			b.WriteString("\n-- " + plugin + "\n")
		}
		b.WriteString(s.SQL + ";\n")
	}
	return strings.TrimPrefix(b.String(), "\n")
}

// planner gathers statements in the order in which they can run.
type planner struct {
	storage.Expander
	live *schema.Live
	plan *Plan

	tables, columns, indexes, keys, security []Statement
}

// New makes the plan. It does nothing and reads nothing: live is what Inspect found,
// done the checksums of the steps that ran, by StepKey. It fails on steps that are not
// in order or were changed after they ran; everything else is in the plan's faults.
func New(dialect storage.Dialect, live *schema.Live, want *schema.Schema, names schema.Names, steps []Step, done map[string]string) (*Plan, error) {
	if dialect != storage.Postgres && dialect != storage.SQLite {
		return nil, fmt.Errorf("migrations: unknown dialect %q", dialect)
	}
	p := &planner{Expander: storage.Expander{Dialect: dialect, Schema: want, Names: names}, live: live, plan: &Plan{}}
	for i := range want.Tables {
		t := &want.Tables[i]
		if lt := live.Table(names.Table(t.Name)); lt != nil {
			p.adopt(t, lt)
		} else {
			p.create(t)
		}
	}
	if dialect == storage.Postgres && !live.SchemaExists && names.SchemaName() != "public" {
		p.plan.add("core", "CREATE SCHEMA "+storage.Quote(names.SchemaName()))
	}
	if live.Table(Ledger) == nil {
		p.plan.add("core", p.ledger())
	}
	if sql := p.counter(); sql != "" {
		p.plan.add("core", sql)
	}
	for _, part := range [][]Statement{p.tables, p.columns, p.indexes, p.keys, p.security} {
		p.plan.Statements = append(p.plan.Statements, part...)
	}
	if err := p.steps(steps, done); err != nil {
		return nil, err
	}
	return p.plan, nil
}

func (p *Plan) add(plugin, sql string) {
	p.Statements = append(p.Statements, Statement{plugin, sql})
}

func (p *planner) note(t *schema.Table, owner, format string, args ...any) {
	p.plan.Notes = append(p.plan.Notes, p.about(t, owner)+fmt.Sprintf(format, args...))
}

func (p *planner) fault(t *schema.Table, owner, format string, args ...any) {
	p.plan.Faults = append(p.plan.Faults, p.about(t, owner)+fmt.Sprintf(format, args...))
}

func (p *planner) about(t *schema.Table, owner string) string {
	return fmt.Sprintf("plugin %s: table %s (%q): ", owner, t.Name, p.Names.Table(t.Name))
}

// owner returns who wants a column.
func owner(t *schema.Table, c *schema.Column) string {
	if c.Owner != "" {
		return c.Owner
	}
	return t.Owner
}

func (p *planner) create(t *schema.Table) {
	name := p.Names.Table(t.Name)
	p.plan.Missing = append(p.plan.Missing, Missing{Plugin: t.Owner, Table: t.Name, LiveTable: name})
	if o := p.taken(name); o != nil {
		p.fault(t, t.Owner, "there is %s of that name already: set another one for the table (database.overrides)", o.Kind)
	}
	if p.Dialect == storage.SQLite {
		for _, lt := range p.live.Tables {
			if strings.EqualFold(lt.Name, name) {
				p.fault(t, t.Owner, "there is a table %s already, and SQLite makes no difference between the names: set another one (database.overrides)", schema.Printable(lt.Name))
			}
		}
	}
	var lines []string
	for i := range t.Columns {
		c := &t.Columns[i]
		line := "\t" + p.column(t, c)
		if c.PrimaryKey {
			line += " PRIMARY KEY"
		}
		if c.Unique && !c.PrimaryKey {
			line += " UNIQUE"
		}
		line += p.defaultOf(c)
		if c.References != nil {
			if p.later(t, c.References) {
				p.keys = append(p.keys, Statement{owner(t, c), "ALTER TABLE " + p.Table(t.Name) + " ADD CONSTRAINT " +
					storage.Quote(schema.ConstraintName(name, p.Names.Column(t.Name, c.Name), "fkey")) +
					" FOREIGN KEY (" + storage.Quote(p.Names.Column(t.Name, c.Name)) + ")" + p.references(c.References)})
			} else {
				line += p.references(c.References)
			}
		}
		lines = append(lines, line)
		if c.Index && !c.Unique && !c.PrimaryKey {
			p.index(t, owner(t, c), []string{c.Name}, false)
		}
	}
	p.tables = append(p.tables, Statement{t.Owner, "CREATE TABLE " + p.Table(t.Name) + " (\n" + strings.Join(lines, ",\n") + "\n)"})
	for _, ix := range t.Indexes {
		p.index(t, t.Owner, ix.Columns, ix.Unique)
	}
	p.secure(t, nil)
	p.appendOnly(t, nil)
}

// taken returns what is no table and has a name already.
func (p *planner) taken(name string) *schema.LiveOther {
	return p.live.Other(name, p.Dialect == storage.SQLite)
}

// later tells whether a reference leads to what is not there yet when t is created.
// SQLite looks for it when rows are written, not before.
func (p *planner) later(t *schema.Table, r *schema.Reference) bool {
	if p.Dialect != storage.Postgres {
		return false
	}
	if lt := p.live.Table(p.Names.Table(r.Table)); lt != nil {
		return lt.Column(p.Names.Column(r.Table, r.Column)) == nil
	}
	at := func(name string) int {
		return slices.IndexFunc(p.Schema.Tables, func(t schema.Table) bool { return t.Name == name })
	}
	return at(r.Table) > at(t.Name)
}

// index adds an index on logical columns.
func (p *planner) index(t *schema.Table, owner string, columns []string, unique bool) string {
	table := p.Names.Table(t.Name)
	var names, quoted []string
	for _, c := range columns {
		name := p.Names.Column(t.Name, c)
		names, quoted = append(names, name), append(quoted, storage.Quote(name))
	}
	kind := "INDEX "
	if unique {
		kind = "UNIQUE INDEX "
	}
	using := ""
	if c := t.Column(columns[0]); p.Dialect == storage.Postgres && len(columns) == 1 && !unique && c.Hash {
		using = " USING hash" // SQLite's indexes take texts of any length
	}
	name := schema.IndexName(table, names, unique)
	if o := p.taken(name); o != nil && o.Kind != "a type" {
		p.fault(t, owner, "there is %s %s already, which does not do the work of the index that would be called so: it may be one of some rows only, of an expression or of other columns, or one that was never finished; rename or drop it", o.Kind, name)
		if !unique {
			p.plan.slow = append(p.plan.slow, p.plan.Faults[len(p.plan.Faults)-1])
		}
	}
	p.indexes = append(p.indexes, Statement{owner, "CREATE " + kind + storage.Quote(name) + " ON " +
		p.Table(t.Name) + using + " (" + strings.Join(quoted, ", ") + ")"})
	return name
}

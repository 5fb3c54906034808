package adopt

import (
	"slices"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
)

// States of a table or column.
const (
	Fits    = "fits"      // it is there and holds what is wanted
	Differs = "differs"   // it is there, and there is something to know about it
	Missing = "missing"   // the plan adds it
	Lacks   = "lacks"     // a table that is there without all of its columns
	Unknown = "not known" // nothing here uses it; it stays as it is
)

// Report is what adopt has to say about a database.
type Report struct {
	From     string `json:"from"`
	Database string `json:"database"` // its kind and schema, never its URL
	// Mapping is the part of the config file that takes the database over; empty where that
	// is configured already.
	Mapping string   `json:"mapping"`
	Tables  []Table  `json:"tables"`
	Losses  []Loss   `json:"losses"`
	Notes   []string `json:"notes"`
	// Faults are what keeps it from being taken over.
	Faults []string `json:"faults"`
	// Prepare is what is needed first and what --apply does not do.
	Prepare []string `json:"prepare"`
	// Plan is what --apply does, in order, as one transaction.
	Plan []Statement `json:"plan"`
}

// Statement is one statement of the plan.
type Statement struct {
	Plugin string `json:"plugin"`
	SQL    string `json:"sql"`
}

// Table is one table, by its logical name (empty: nothing here knows it) and the database's.
type Table struct {
	Name    string   `json:"name,omitempty"`
	Live    string   `json:"live"`
	Plugin  string   `json:"plugin,omitempty"`
	State   string   `json:"state"`
	Why     string   `json:"why,omitempty"`
	Columns []Column `json:"columns,omitempty"`
}

// Column is one column.
type Column struct {
	Name  string `json:"name,omitempty"`
	Live  string `json:"live"`
	Type  string `json:"type,omitempty"`
	State string `json:"state"`
	Why   string `json:"why,omitempty"`
}

// NewReport compares what is there with what is wanted under these names. plan is the
// plan of the migrations for the same.
func NewReport(d storage.Dialect, live *schema.Live, want *schema.Schema, names schema.Names, plan *migrations.Plan) *Report {
	r := &Report{Losses: []Loss{}, Notes: []string{}, Prepare: []string{}, Plan: []Statement{},
		Database: "SQLite", Faults: append([]string{}, plan.Faults...)}
	if d == storage.Postgres {
		r.Database = "PostgreSQL, schema " + Quote(names.SchemaName())
	}
	seen := map[string]bool{migrations.Ledger: true, storage.CounterTable: true}
	for i := range want.Tables {
		t := &want.Tables[i]
		name := names.Table(t.Name)
		seen[name] = true
		r.Tables = append(r.Tables, table(d, live.Table(name), t, names))
	}
	m := &matcher{live: live, names: &names}
	m.tables(entries())
	for i := range live.Tables {
		lt := &live.Tables[i]
		if seen[lt.Name] {
			continue
		}
		out := Table{Live: lt.Name, State: Unknown}
		for _, x := range m.matches {
			if x.live.Name == lt.Name {
				out.Why = x.whose()
			}
		}
		r.Tables = append(r.Tables, out)
	}
	for _, s := range plan.Statements {
		r.Plan = append(r.Plan, Statement{s.Plugin, s.SQL})
	}
	return r
}

func (m *match) whose() string {
	if m.mana {
		return "of the plugin " + m.plugin
	}
	return whose(m.plugin)
}

// whose names the plugin of Better Auth's that a table or column belongs to.
func whose(plugin string) string {
	if plugin == "" {
		return "Better Auth's own"
	}
	return "of Better Auth's plugin " + plugin
}

func table(d storage.Dialect, lt *schema.LiveTable, t *schema.Table, names schema.Names) Table {
	out := Table{Name: t.Name, Live: names.Table(t.Name), Plugin: t.Owner, State: Fits}
	if lt == nil {
		out.State = Missing
		return out
	}
	known := map[string]bool{}
	for i := range t.Columns {
		c := &t.Columns[i]
		name := names.Column(t.Name, c.Name)
		known[name] = true
		lc := lt.Column(name)
		if lc == nil {
			out.Columns = append(out.Columns, Column{Name: c.Name, Live: name, State: Missing})
			continue
		}
		x := Column{Name: c.Name, Live: name, Type: lc.Type, State: Fits}
		ok, why := migrations.Fits(d, c, names.TimeForm(t.Name, c.Name), lc.Type)
		switch {
		case !ok:
			x.State, x.Why = Differs, "a "+c.Kind.String()+" is wanted: it cannot be used as it is"
		case why != "" && !(c.Kind == schema.String && (c.PrimaryKey || c.References != nil)):
			x.State, x.Why = Differs, why
		case !c.Nullable && lc.Nullable && !c.PrimaryKey:
			x.State, x.Why = Differs, "it may be NULL, and a row with a NULL cannot be read"
		}
		out.Columns = append(out.Columns, x)
	}
	for _, lc := range lt.Columns {
		if !known[lc.Name] {
			out.Columns = append(out.Columns, Column{Live: lc.Name, Type: lc.Type, State: Unknown, Why: stranger(t.Name, lc)})
		}
	}
	for _, s := range [][2]string{{Differs, Differs}, {Missing, Lacks}} {
		if slices.ContainsFunc(out.Columns, func(c Column) bool { return c.State == s[0] }) {
			out.State = s[1]
		}
	}
	return out
}

// stranger says what is known of a column that no plugin here wants.
func stranger(table string, lc schema.LiveColumn) string {
	for _, e := range entries() {
		if e.name != table {
			continue
		}
		for _, c := range e.columns {
			switch {
			case norm(lc.Name) != norm(c.name):
			case c.name == "banned" || c.name == "banExpires":
				return "of Better Auth's plugin admin: bans hold"
			case c.name == "issuer":
				return "left over from Better Auth 1.7.0 to 1.7.2"
			default:
				return whose(c.plugin)
			}
		}
	}
	return ""
}

// Pending tells that the plan has something to do.
func (r *Report) Pending() bool { return len(r.Plan) > 0 }

// Lost tells that somebody would lose something, or may, since it could not be counted.
func (r *Report) Lost() bool {
	return slices.ContainsFunc(r.Losses, func(l Loss) bool { return l.Count != 0 || l.Unknown != "" })
}

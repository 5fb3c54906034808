package adopt

import (
	"errors"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
)

// ErrNoTables says that there is nothing to adopt.
var ErrNoTables = errors.New("no table of the schema looks like Better Auth's user, session and account (names that are entirely different have to be set: database.overrides)")

// Sources of a database.
const (
	BetterAuth = "better-auth"
	Mana       = "mana"
)

// Proposal is how a database could be taken over.
type Proposal struct {
	From      string
	Dialect   storage.Dialect
	Naming    schema.Naming
	Schema    string // PostgreSQL's; empty for "public"
	Overrides map[string]string
	// IDs is "random", "uuid" or "serial": how ids have to be made for the keys that are there.
	IDs string
	// Plugins are the ids of plugins whose tables or columns are there.
	Plugins []string
	// Teams and Roles are options of the plugin organization.
	Teams, Roles bool
	// Fields are columns of user that no plugin knows and that want a value.
	Fields []Field
	// Times and TimeOverrides are how a SQLite database holds times, as in schema.Names.
	Times         schema.TimeForm
	TimeOverrides map[string]schema.TimeForm
	// Notes are worth knowing.
	Notes []string
	// Faults keep the proposal from being one.
	Faults []string

	live    *schema.Live
	m       *matcher
	missing []migrations.Missing
}

// Field is a column of user that only the app knows, for user.additionalFields.
type Field struct{ Name, Column, Type string }

// Propose looks at the tables of one schema. names are as they are configured, if anything
// is: a table that they name is that table, whatever it looks like. It fails with
// ErrNoTables.
func Propose(d storage.Dialect, live *schema.Live, from string, names schema.Names) (*Proposal, error) {
	p := &Proposal{From: from, Dialect: d, Schema: names.Schema, Overrides: map[string]string{}, live: live, m: &matcher{live: live}}
	if said(names) {
		p.m.names = &names
	}
	p.m.tables(entries())
	for _, name := range []string{"user", "session", "account"} {
		if p.m.find(name) == nil {
			return nil, ErrNoTables
		}
	}
	p.Naming = p.m.naming()
	p.m.settle(p.Naming)
	p.Faults = p.m.faults
	p.IDs = p.ids()
	p.plugins()
	p.fields()
	return p, nil
}

// said tells whether somebody configured what tables and columns are called.
func said(names schema.Names) bool { return names.Naming != "" || len(names.Overrides) > 0 }

// ids is what the keys ask for of the tables that are used here. A key of texts takes any;
// where others ask for different ones, it is a fault (storage.KeyFaults).
func (p *Proposal) ids() string {
	out := "random"
	for _, m := range p.m.matches {
		c := m.live.Column(m.cols["id"])
		if c == nil || m.name == "rateLimit" || m.plugin != "" && plugins[m.plugin] == "" {
			continue
		}
		switch migrations.BaseType(c.Type) {
		case "uuid":
			if out == "random" {
				out = "uuid"
			}
		case "integer", "bigint", "int", "smallint":
			out = "serial"
		}
	}
	return out
}

// plugins finds out what was in use. Passwords always are: who has none can set one.
func (p *Proposal) plugins() {
	p.Plugins = []string{"email-password"}
	add := func(theirs string) {
		if ours := plugins[theirs]; ours != "" && !slices.Contains(p.Plugins, ours) {
			p.Plugins = append(p.Plugins, ours)
		}
	}
	for _, m := range p.m.matches {
		if add(m.plugin); m.name == "user" && m.has("twoFactorEnabled") {
			add("two-factor") // its table is missing: the plan makes it
		}
	}
	p.Teams = p.m.find("team") != nil
	p.Roles = p.m.find("organizationRole") != nil
}

// fields finds columns that every new user needs a value for. Sessions are made without
// input: such a column of theirs is a fault of the plan.
func (p *Proposal) fields() {
	m := p.m.find("user")
	var fields []string
	for _, c := range m.live.Columns {
		if c.Nullable || c.Default || m.known(c.Name) {
			continue
		}
		typ, name := fieldType(p.Dialect, c.Type), c.Name
		if p.Naming == schema.Snake {
			name = camel(c.Name)
		}
		if typ != "" && plain(name) {
			p.Fields = append(p.Fields, Field{name, c.Name, typ})
			fields = append(fields, name)
		}
	}
	if len(fields) > 0 {
		p.Notes = append(p.Notes, "who signs up has to give values of "+strings.Join(fields, ", ")+", and chooses them: set input: false and a defaultValue for what users may not choose (user.additionalFields)")
	}
}

func (m *match) known(live string) bool {
	for _, l := range m.cols {
		if l == live {
			return true
		}
	}
	return false
}

// fieldType is how additionalFields calls a type; empty for one that it does not know.
func fieldType(d storage.Dialect, live string) string {
	for _, t := range []struct {
		kind schema.Kind
		name string
	}{{schema.String, "string"}, {schema.Bool, "boolean"}, {schema.Int, "number"}, {schema.Time, "date"}, {schema.JSON, "json"}} {
		if ok, _ := migrations.Fits(d, &schema.Column{Kind: t.kind}, schema.TimeText, live); ok {
			return t.name
		}
	}
	return ""
}

// camel turns snake_case into camelCase.
func camel(s string) string {
	parts := strings.Split(s, "_")
	for i := 1; i < len(parts); i++ {
		if parts[i] != "" {
			parts[i] = strings.ToUpper(parts[i][:1]) + parts[i][1:]
		}
	}
	return strings.Join(parts, "")
}

// Complete adds the overrides, once it is known which tables and columns the plugins want.
// A table of ours whose name an app's own table has already gets another one, and so does a
// column of ours that SQLite, which minds no letter case, would take for one of the app's.
func (p *Proposal) Complete(want *schema.Schema) {
	rule := schema.Names{Naming: p.Naming}
	for i := range want.Tables {
		t := &want.Tables[i]
		name := rule.Table(t.Name)
		m := p.m.find(t.Name)
		if m == nil {
			if p.elsewhere(t, rule) {
				p.Overrides[t.Name] = "sallyport_" + name
			}
			continue
		}
		if name != m.live.Name {
			p.Overrides[t.Name] = m.live.Name
		}
		for _, c := range t.Columns {
			column := rule.Column(t.Name, c.Name)
			switch live := m.cols[c.Name]; {
			case live != "" && live != column:
				p.Overrides[t.Name+"."+c.Name] = live
			case live == "" && p.Dialect == storage.SQLite && m.live.Column(column) == nil &&
				slices.ContainsFunc(m.live.Columns, func(lc schema.LiveColumn) bool { return strings.EqualFold(lc.Name, column) }):
				p.Overrides[t.Name+"."+c.Name] = "sallyport_" + column
			}
		}
		for _, f := range p.Fields {
			if t.Name == "user" && f.Column != rule.Column(t.Name, f.Name) {
				p.Overrides[t.Name+"."+f.Name] = f.Column
			}
		}
	}
	// A ban holds although no plugin wants its columns.
	u := p.m.find("user")
	for _, c := range []string{"banned", "banExpires"} {
		if live := u.cols[c]; live != "" && live != rule.Column("user", c) {
			p.Overrides["user."+c] = live
		}
	}
}

// elsewhere tells whether a table of ours has to have another name than its own, or has it
// since an app's own table had that one. SQLite takes names for the same that differ in
// letter case only.
func (p *Proposal) elsewhere(t *schema.Table, rule schema.Names) bool {
	name := rule.Table(t.Name)
	if lt := p.live.Table(name); lt != nil {
		return !ours(t, lt, rule)
	}
	other := p.live.Table("sallyport_" + name)
	return other != nil && ours(t, other, rule) ||
		p.live.Other(name, p.Dialect == storage.SQLite) != nil ||
		p.Dialect == storage.SQLite && slices.ContainsFunc(p.live.Tables, func(lt schema.LiveTable) bool { return strings.EqualFold(lt.Name, name) })
}

// ours tells whether a table that has the name of one of ours was made for it: it has
// every column that a row needs.
func ours(t *schema.Table, lt *schema.LiveTable, rule schema.Names) bool {
	for _, c := range t.Columns {
		if !c.Nullable && lt.Column(rule.Column(t.Name, c.Name)) == nil {
			return false
		}
	}
	return true
}

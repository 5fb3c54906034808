package adopt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/schema"
)

// match is a known table that was found.
type match struct {
	entry
	live *schema.LiveTable
	cols map[string]string // logical to live
}

// has tells whether the table has that column.
func (m *match) has(column string) bool { return m != nil && m.cols[column] != "" }

// must tells whether Better Auth's table always has that column.
func (m *match) must(name string) bool {
	return slices.ContainsFunc(m.columns, func(c column) bool { return c.name == name && c.must })
}

// matcher finds known tables in a live schema.
type matcher struct {
	live    *schema.Live
	names   *schema.Names // as they are configured; nil: nobody said anything
	faults  []string
	matches []*match
	camel   int // names that are as Better Auth writes them, and not in snake case
	snake   int // the other way round
}

func (m *matcher) find(name string) *match {
	for _, x := range m.matches {
		if x.name == name {
			return x
		}
	}
	return nil
}

// tables matches every entry with the table that the configuration names, or else with the
// live table that looks most like it.
func (m *matcher) tables(list []entry) {
	taken := map[string]bool{}
	for _, e := range list {
		if x := m.configured(e); x != nil {
			taken[x.live.Name] = true
			m.matches = append(m.matches, x)
		}
	}
	for _, like := range []likeness{{exact: true, whole: true}, {whole: true}, {exact: true}} {
		for _, e := range list {
			if m.find(e.name) != nil {
				continue
			}
			if x := m.best(e, like, taken); x != nil {
				taken[x.live.Name] = true
				m.matches = append(m.matches, x)
			}
		}
	}
	slices.SortStableFunc(m.matches, func(a, b *match) int { return order(list, a.name) - order(list, b.name) })
}

func order(list []entry, name string) int {
	return slices.IndexFunc(list, func(e entry) bool { return e.name == name })
}

// configured is the table that the configuration has for an entry. What only follows from
// the naming has to look like it: an app's own "member" may be anybody's.
func (m *matcher) configured(e entry) *match {
	if m.names == nil {
		return nil
	}
	name := m.names.Table(e.name)
	lt := m.live.Table(name)
	if lt == nil || !plainSQL(name) {
		return nil
	}
	x, must, have := m.columns(e, lt)
	if _, said := m.names.Overrides[e.name]; !said && have*2 < must {
		return nil
	}
	return x
}

// plainSQL tells whether a name that somebody configured may stand, quoted, in a statement
// that is not a template.
func plainSQL(name string) bool { return !strings.ContainsAny(name, "{}?'\"\x00") }

// columns finds an entry's columns in a table. must is how many it must have, have how many
// of these are there.
func (m *matcher) columns(e entry, t *schema.LiveTable) (x *match, must, have int) {
	x = &match{entry: e, live: t, cols: map[string]string{}}
	for _, c := range e.columns {
		found := m.candidates(t, c.name)
		for _, a := range c.also {
			if len(found) == 0 {
				found = m.candidates(t, a)
			}
		}
		if m.names != nil {
			if name := m.names.Column(e.name, c.name); t.Column(name) != nil && plainSQL(name) {
				found = []string{name}
			}
		}
		if len(found) > 0 {
			x.cols[c.name] = found[0]
		}
		if c.must {
			must++
			have += min(1, len(found))
		}
	}
	return x, must, have
}

// likeness is how much a table has to look like an entry: exact, it has its name, or else one
// that ends in it; whole, it has all of the columns that it must have, or else half of them.
// An app's own "member" may be anybody's, and its "accounts" a bank's beside "auth_account".
type likeness struct{ exact, whole bool }

// best is the table that looks most like an entry, and that much.
func (m *matcher) best(e entry, like likeness, taken map[string]bool) (best *match) {
	keys := []string{tableKey(e.name)}
	for _, a := range e.also {
		keys = append(keys, tableKey(a))
	}
	var top, second int
	for i := range m.live.Tables {
		t := &m.live.Tables[i]
		key := tableKey(t.Name)
		same := slices.Contains(keys, key)
		if taken[t.Name] || same != like.exact || !like.exact && (key == "" || !strings.HasSuffix(key, keys[0])) {
			continue
		}
		x, must, have := m.columns(e, t)
		if have*2 < must || like.whole && have < must {
			continue
		}
		switch n := len(x.cols); {
		case n > top:
			best, top, second = x, n, 0
		case n == top:
			second = n
		}
	}
	if best != nil && second == top {
		m.faults = append(m.faults, fmt.Sprintf("several tables look like Better Auth's %s: name the right one in a mapping (database.overrides)", e.name))
	}
	return best
}

func (m *matcher) candidates(t *schema.LiveTable, logical string) (out []string) {
	for _, c := range t.Columns {
		if n := norm(c.Name); n != "" && n == norm(logical) {
			out = append(out, c.Name)
		}
	}
	return out
}

// naming decides by the names that differ between the two rules which one holds.
func (m *matcher) naming() schema.Naming {
	camel, snake := schema.Names{Naming: schema.BetterAuth}, schema.Names{Naming: schema.Snake}
	vote := func(live, c, s string) {
		switch {
		case c == s:
		case live == c:
			m.camel++
		case live == s:
			m.snake++
		}
	}
	for _, x := range m.matches {
		vote(x.live.Name, camel.Table(x.name), snake.Table(x.name))
		for logical, live := range x.cols {
			vote(live, camel.Column(x.name, logical), snake.Column(x.name, logical))
		}
	}
	if m.camel > m.snake {
		return schema.BetterAuth
	}
	return schema.Snake
}

// settle chooses among columns that differ in letter case and underscores only: the one
// that follows the naming.
func (m *matcher) settle(naming schema.Naming) {
	rule := schema.Names{Naming: naming}
	for _, x := range m.matches {
		for logical := range x.cols {
			list := m.candidates(x.live, logical)
			if len(list) < 2 {
				continue
			}
			if want := rule.Column(x.name, logical); slices.Contains(list, want) {
				x.cols[logical] = want
				continue
			}
			m.faults = append(m.faults, fmt.Sprintf("table %s has several columns that look like %s: name the right one in a mapping (database.overrides)", Quote(x.live.Name), logical))
		}
	}
	slices.Sort(m.faults)
}

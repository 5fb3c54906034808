package schema

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Naming is a rule from logical names to the database's.
type Naming string

// The namings. Snake is the default: emailVerified becomes email_verified. BetterAuth
// keeps every name as Better Auth's own migrations write it, so that both can open the
// same database.
const (
	Snake      Naming = "snake"
	BetterAuth Naming = "betterauth"
)

// Names maps logical names to the database's.
type Names struct {
	// Naming is the rule; empty means Snake.
	Naming Naming
	// Overrides go before the rule: "user" renames a table, "user.emailVerified" a
	// column. Values are used verbatim.
	Overrides map[string]string
	// Schema is the PostgreSQL schema that holds the tables; empty means "public".
	// Other databases ignore it.
	Schema string
	// Times is how columns of times hold them on SQLite; empty means TimeText.
	Times TimeForm
	// TimeOverrides go before Times: "session" for all columns of a table, "session.expiresAt"
	// for one.
	TimeOverrides map[string]TimeForm
}

// Table returns the database's name of a table.
func (n Names) Table(table string) string {
	if v, ok := n.Overrides[table]; ok {
		return v
	}
	return n.rule(table)
}

// Column returns the database's name of a column.
func (n Names) Column(table, column string) string {
	if v, ok := n.Overrides[table+"."+column]; ok {
		return v
	}
	return n.rule(column)
}

func (n Names) rule(s string) string {
	if n.Naming == BetterAuth {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if unicode.IsUpper(r) {
			// credentialID is credential_id, not credential_i_d.
			if i > 0 && !unicode.IsUpper(rune(s[i-1])) {
				b.WriteByte('_')
			}
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Check reports overrides that name nothing in s, names that no database takes, and
// two logical names that would meet in one.
func (n Names) Check(s *Schema) (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("naming: "+format, args...)) }
	if n.Naming != "" && n.Naming != Snake && n.Naming != BetterAuth {
		fault("unknown naming %q (have %q and %q)", n.Naming, Snake, BetterAuth)
	}
	for k, v := range n.Overrides {
		table, column, isColumn := strings.Cut(k, ".")
		t := s.Table(table)
		if t == nil || isColumn && t.Column(column) == nil {
			fault("override of unknown %q", k)
		}
		if v == "" || len(v) > MaxName || strings.ContainsAny(v, "\"\x00") {
			fault("override of %q: %q is no usable name (1 to 63 bytes, no quote)", k, v)
		}
	}
	if len(n.Schema) > MaxName || strings.ContainsAny(n.Schema, "\"\x00") {
		fault("%q is no usable schema name (1 to %d bytes, no quote)", n.Schema, MaxName)
	}
	n.checkTimes(s, fault)
	tables := map[string]string{}
	for _, t := range s.Tables {
		name := n.Table(t.Name)
		if old, ok := tables[name]; ok {
			fault("tables %q and %q are both called %q", old, t.Name, name)
		}
		tables[name] = t.Name
		if len(name) > MaxName {
			fault("table %q would be called %q, which is longer than %d bytes", t.Name, name, MaxName)
		}
		columns := map[string]string{}
		for _, c := range t.Columns {
			name := n.Column(t.Name, c.Name)
			if old, ok := columns[name]; ok {
				fault("columns %q and %q of %q are both called %q", old, c.Name, t.Name, name)
			}
			columns[name] = c.Name
			if len(name) > MaxName {
				fault("column %q of %q would be called %q, which is longer than %d bytes", c.Name, t.Name, name, MaxName)
			}
		}
	}
	return faults
}

// Printable writes a name that was found in a database for people and for comments of
// SQL: as it stands if it is made of letters, digits, underscores, hyphens, spaces, commas
// and parentheses, as names and types are, else quoted, with everything escaped that ends
// a line or that a terminal takes for a command. Whoever may make a table chose the name.
func Printable(s string) string {
	strange := strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_- ,().[]", r)
	})
	if s == "" || strange {
		return strconv.Quote(s)
	}
	return s
}

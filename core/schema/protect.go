package schema

import (
	"fmt"
	"slices"
)

// AppendOnlyTrigger names the trigger that keeps an append-only table. table is the
// database's name.
func AppendOnlyTrigger(table string) string { return ConstraintName(table, "", "append_only") }

// Unprotected says what the database does not enforce although a table is declared so:
// row-level security that is off, not forced or without a policy; a role for which it does
// not hold; a table that can be changed and must only grow. Tables that are missing are
// Missing's business.
func Unprotected(want *Schema, names Names, live *Live) []string {
	var out []string
	for _, t := range want.Tables {
		name := names.Table(t.Name)
		lt := live.Table(name)
		if lt == nil {
			continue
		}
		about := fmt.Sprintf("plugin %s: table %s (%q)", t.Owner, t.Name, name)
		switch {
		case t.RowSecurity == "" || live.Role == "":
		case live.BypassesRLS:
			out = append(out, fmt.Sprintf("%s: %s", about, Bypasses(live)))
		case !lt.RowSecurity || len(lt.Policies) == 0:
			out = append(out, about+": row-level security is not enabled, not forced, or has no policy: run the migrations")
		}
		if t.AppendOnly && !slices.Contains(lt.Triggers, AppendOnlyTrigger(name)) {
			out = append(out, about+": its rows can be changed, and must not be: run the migrations")
		}
	}
	return out
}

// Bypasses says that row-level security does not hold for who is connected; empty if it
// does.
func Bypasses(live *Live) string {
	if !live.BypassesRLS {
		return ""
	}
	return fmt.Sprintf("the role %q is a superuser or has BYPASSRLS, and row-level security does not hold for it: connect as a role without", live.Role)
}

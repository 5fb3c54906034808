package schema

import "fmt"

// MissingColumn is something that the schema wants and the database lacks.
type MissingColumn struct {
	Plugin string
	Table  string // logical
	Column string // logical; empty if the whole table is missing
	// LiveTable and LiveColumn are the names that the database should have.
	LiveTable, LiveColumn string
}

// String names plugin, table and column, by both names.
func (m MissingColumn) String() string {
	if m.Column == "" {
		return fmt.Sprintf("plugin %s: table %s (%q) is missing", m.Plugin, m.Table, m.LiveTable)
	}
	return fmt.Sprintf("plugin %s: column %s.%s (%q.%q) is missing", m.Plugin, m.Table, m.Column, m.LiveTable, m.LiveColumn)
}

// Missing compares what is wanted with what is there.
func Missing(want *Schema, names Names, live *Live) []MissingColumn {
	var out []MissingColumn
	for _, t := range want.Tables {
		name := names.Table(t.Name)
		lt := live.Table(name)
		if lt == nil {
			out = append(out, MissingColumn{Plugin: t.Owner, Table: t.Name, LiveTable: name})
			continue
		}
		for _, c := range t.Columns {
			if cn := names.Column(t.Name, c.Name); lt.Column(cn) == nil {
				out = append(out, MissingColumn{Plugin: c.Owner, Table: t.Name, Column: c.Name, LiveTable: name, LiveColumn: cn})
			}
		}
	}
	return out
}

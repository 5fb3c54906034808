package storage

// Step is a change of the database that adding tables and columns cannot express.
// Steps of a plugin run once each, in the order of their numbers, and are recorded with
// a checksum: a step that was applied must never change.
type Step struct {
	Plugin string // filled in by the core
	Number int    // from 1, without gaps
	Name   string
	// SQL holds the statements by dialect. {table}, {table.column} and {table:column}
	// stand for the database's names where the schema has such a table; everything else
	// is verbatim. A dialect without an entry records the step without doing anything.
	SQL map[Dialect][]string
}

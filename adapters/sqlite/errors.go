package sqlite

import (
	"errors"
	"strings"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/sallyport-auth/sallyport/adapters/internal/sqldb"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// stale: SQLite prepares again by itself when tables change.
func stale(error) bool { return false }

var states = map[int]struct {
	name string
	kind storage.Kind
}{
	lib.SQLITE_CONSTRAINT_UNIQUE:     {"SQLITE_CONSTRAINT_UNIQUE", storage.Unique},
	lib.SQLITE_CONSTRAINT_PRIMARYKEY: {"SQLITE_CONSTRAINT_PRIMARYKEY", storage.Unique},
	lib.SQLITE_CONSTRAINT_ROWID:      {"SQLITE_CONSTRAINT_ROWID", storage.Unique},
	lib.SQLITE_CONSTRAINT_FOREIGNKEY: {"SQLITE_CONSTRAINT_FOREIGNKEY", storage.ForeignKey},
	lib.SQLITE_CONSTRAINT_NOTNULL:    {"SQLITE_CONSTRAINT_NOTNULL", storage.NotNull},
	lib.SQLITE_CONSTRAINT_CHECK:      {"SQLITE_CONSTRAINT_CHECK", storage.Check},
	lib.SQLITE_CONSTRAINT_DATATYPE:   {"SQLITE_CONSTRAINT_DATATYPE", storage.Data},
	lib.SQLITE_CONSTRAINT_TRIGGER:    {"SQLITE_CONSTRAINT_TRIGGER", storage.Check},
	lib.SQLITE_BUSY:                  {"SQLITE_BUSY", storage.Conflict},
	lib.SQLITE_LOCKED:                {"SQLITE_LOCKED", storage.Conflict},
	lib.SQLITE_READONLY:              {"SQLITE_READONLY", storage.ReadOnly},
	lib.SQLITE_INTERRUPT:             {"SQLITE_INTERRUPT", storage.Canceled},
	lib.SQLITE_IOERR:                 {"SQLITE_IOERR", storage.Unavailable},
	lib.SQLITE_FULL:                  {"SQLITE_FULL", storage.Unavailable},
	lib.SQLITE_CANTOPEN:              {"SQLITE_CANTOPEN", storage.Unavailable},
	lib.SQLITE_CORRUPT:               {"SQLITE_CORRUPT", storage.Unavailable},
	lib.SQLITE_NOTADB:                {"SQLITE_NOTADB", storage.Unavailable},
	lib.SQLITE_NOMEM:                 {"SQLITE_NOMEM", storage.Unavailable},
	lib.SQLITE_PROTOCOL:              {"SQLITE_PROTOCOL", storage.Conflict},
	lib.SQLITE_MISMATCH:              {"SQLITE_MISMATCH", storage.Data},
	lib.SQLITE_TOOBIG:                {"SQLITE_TOOBIG", storage.Data},
	lib.SQLITE_SCHEMA:                {"SQLITE_SCHEMA", storage.Schema},
	lib.SQLITE_ERROR:                 {"SQLITE_ERROR", storage.Unknown},
}

// classify implements sqldb.Config.Classify. n may be nil.
func classify(err error, n *sqldb.Naming) *storage.Error {
	var s *sqlite.Error
	if !errors.As(err, &s) {
		return nil
	}
	state, ok := states[s.Code()]
	if !ok {
		state = states[s.Code()&0xff]
	}
	e := &storage.Error{Kind: state.kind, SQLState: state.name}
	msg := s.Error()
	switch e.Kind {
	case storage.Unique, storage.NotNull:
		if n != nil {
			e.Table, e.Columns = failed(msg, n)
		}
	case storage.Unknown:
		for _, text := range []string{"no such table", "no such column", "has no column named", "no such index",
			"ON CONFLICT clause does not match"} {
			if strings.Contains(msg, text) {
				e.Kind = storage.Schema
			}
		}
	}
	return e
}

// failed reads "... constraint failed: user.email, user.name (2067)". It holds names
// only, no values.
func failed(msg string, n *sqldb.Naming) (table string, columns []string) {
	i := strings.LastIndex(msg, "constraint failed: ")
	if i < 0 {
		return "", nil
	}
	msg = msg[i+len("constraint failed: "):]
	if j := strings.LastIndex(msg, " ("); j >= 0 {
		msg = msg[:j]
	}
	for _, part := range strings.Split(msg, ", ") {
		t, c, ok := strings.Cut(part, ".")
		if !ok {
			return "", nil // an index on an expression: "index 'name'"
		}
		table, columns = t, append(columns, c)
	}
	table = n.Table(table)
	return table, n.Columns(table, columns)
}

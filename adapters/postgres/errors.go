package postgres

import (
	"errors"
	"strings"

	"github.com/sallyport-auth/sallyport/adapters/internal/sqldb"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// stater is satisfied by the errors of lib/pq and pgx alike.
type stater interface {
	error
	SQLState() string
}

func stateOf(err error) string {
	var s stater
	if errors.As(err, &s) {
		return s.SQLState()
	}
	return ""
}

// stale tells that a prepared statement is of no more use, and did not run:
// feature_not_supported ("cached plan must not change result type") and
// invalid_sql_statement_name (a pooler or DISCARD has lost it).
func stale(err error) bool {
	s := stateOf(err)
	return s == "0A000" || s == "26000"
}

// classify implements sqldb.Config.Classify.
func classify(err error, n *sqldb.Naming) *storage.Error {
	var s stater
	if !errors.As(err, &s) {
		if strings.HasPrefix(err.Error(), "failed to encode args[") {
			// pgx finds out before the server does, and has no type for it.
			return &storage.Error{Kind: storage.Data}
		}
		return nil
	}
	e := storage.Foreign(s)
	if e.Table == "" {
		e.Columns = nil
	} else {
		e.Table = n.Table(e.Table)
		e.Columns = n.Columns(e.Table, e.Columns)
	}
	if e.Columns == nil && (e.Kind == storage.Unique || e.Kind == storage.ForeignKey) {
		if t, columns, ok := n.Constraint(e.Constraint); ok {
			e.Table, e.Columns = t, columns
		}
	}
	return e
}

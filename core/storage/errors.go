package storage

import (
	"errors"
	"strings"
)

// Kind tells failures of a database apart.
type Kind uint8

// The kinds. The zero value means that nothing is known.
const (
	Unknown     Kind = iota
	Unique           // SQLSTATE 23505
	ForeignKey       // 23503
	NotNull          // 23502
	Check            // 23514
	Data             // class 22: a value that the column cannot hold; the client's fault
	Schema           // 42P01, 42703, ...: a table or column is missing
	Unavailable      // class 08, 53, 57, refused or broken connections, a full disk
	ReadOnly         // 25006, a read-only file
	Conflict         // 40001, 40P01, busy: the same transaction may succeed when tried again
	Timeout          // statement or pool time-out, deadline
	Canceled         // the caller's context was cancelled
	Missed           // a statement that must touch a row has touched none
)

var kindNames = [...]string{"unknown", "unique", "foreign key", "not null", "check", "data", "schema",
	"unavailable", "read-only", "conflict", "timeout", "canceled", "missed"}

func (k Kind) String() string { return kindNames[k] }

// Error is a failure of the database. Its text is for the log, never for a client: it
// may name tables, but holds no value of a row.
type Error struct {
	Kind       Kind
	SQLState   string   // PostgreSQL's code, or "SQLITE_..."; empty if there is none
	Constraint string   // the database's name of a violated constraint
	Table      string   // logical name where it could be told, else the database's
	Columns    []string // logical names of a violated unique or not-null constraint
	Err        error    // the driver's error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("database: ")
	b.WriteString(e.Kind.String())
	if e.SQLState != "" {
		b.WriteString(" (" + e.SQLState + ")")
	}
	if e.Table != "" {
		b.WriteString(" on " + e.Table)
		if len(e.Columns) > 0 {
			b.WriteString("." + strings.Join(e.Columns, ","))
		}
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// IsUnique tells whether err is a violation of a unique constraint on exactly these
// columns of a table, by their logical names.
func IsUnique(err error, table string, columns ...string) bool {
	var e *Error
	if !errors.As(err, &e) || e.Kind != Unique || e.Table != table || len(e.Columns) != len(columns) {
		return false
	}
	for i := range columns {
		if e.Columns[i] != columns[i] {
			return false
		}
	}
	return true
}

// KindOf returns the kind of the *Error inside err, or Unknown.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unknown
}

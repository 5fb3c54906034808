// Package storage is what the core wants of a database. Adapters implement Database;
// the suite in adapters/adaptertest says whether they do it right.
//
// Statements are templates in the subset of SQL that PostgreSQL and SQLite share.
// Identifiers are logical and stand in braces, values are question marks:
//
//	SELECT {user.id}, {user.email} FROM {user} WHERE {user.email} = ?
//	INSERT INTO {rateLimit} ({rateLimit:key}, {rateLimit:count}) VALUES (?, 1)
//
// {t} is the table, qualified and quoted; {t.c} is the column qualified by its table's
// unqualified name; {t:c} is the bare quoted column, for the column lists of INSERT,
// the left side of SET, and ON CONFLICT; {t=} is the table with its own unqualified
// name as alias, for FROM and JOIN where {t.c} follows; {skip locked} is FOR UPDATE
// SKIP LOCKED where the database has it and nothing elsewhere. Nothing else is
// replaced, and a name that the schema lacks is an error. A question mark or brace
// inside a string literal is not supported: bind it.
package storage

import (
	"context"

	"github.com/sallyport-auth/sallyport/core/schema"
)

// Dialect names a family of databases.
type Dialect string

// The dialects.
const (
	Postgres Dialect = "postgres"
	SQLite   Dialect = "sqlite"
)

// Statement is a template with its values.
type Statement struct {
	SQL  string
	Args []any
	// Must has a batch in which it touches no row fail as a whole, with the kind Missed.
	Must bool
}

// Rows is the result of a query; *sql.Rows is one. Destinations are what database/sql
// takes, see Dest for the columns whose form differs between databases.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// Conn runs statements. Values may be string, bool, int, int64, []byte, time.Time
// (stored in UTC, cut to milliseconds), json.RawMessage, nil, and pointers to these
// (a nil pointer is NULL). Every error is an *Error.
type Conn interface {
	// Query runs a statement that returns rows, in one round trip.
	Query(ctx context.Context, sql string, args ...any) (Rows, error)
	// Exec runs a statement and says how many rows it touched, in one round trip.
	Exec(ctx context.Context, sql string, args ...any) (int64, error)
	// Batch runs INSERT, UPDATE and DELETE statements without RETURNING and says how
	// many rows each touched. All of them take effect or none does. Where the database
	// can (PostgreSQL: data-modifying WITH) it costs one round trip. The statements
	// must not depend on each other's effects, but a foreign key may refer to a row
	// that another statement of the batch inserts.
	Batch(ctx context.Context, statements ...Statement) ([]int64, error)
}

// TxOptions says how a transaction begins.
type TxOptions struct {
	// UserID is put into app.current_user_id for the transaction (row-level security);
	// empty for none. Databases without row-level security ignore it.
	UserID string
}

// Tx is a transaction. After Commit or Rollback every call fails. Rollback after
// Commit is no error.
type Tx interface {
	Conn
	// TryLock takes an advisory lock of that name until the transaction ends, and says
	// whether it got it; it never waits. It is the lock of Database.Lock, except where a
	// transaction that writes is alone on its database anyway (SQLite): there it always is.
	TryLock(ctx context.Context, name string) (bool, error)
	Commit() error
	Rollback() error
}

// Database is an adapter.
type Database interface {
	Conn
	// Bind tells the adapter the schema and its names, once, before any statement.
	Bind(s *schema.Schema, names schema.Names) error
	// Begin starts a transaction. On SQLite it takes the write lock at once.
	Begin(ctx context.Context, o TxOptions) (Tx, error)
	Dialect() Dialect
	// Ping tells whether the database answers.
	Ping(ctx context.Context) error
	// Inspect reads the tables that are there, in the bound schema.
	Inspect(ctx context.Context) (*schema.Live, error)
	// DDL runs statements verbatim (no templates) in one transaction: migrations only.
	DDL(ctx context.Context, statements ...string) error
	// Lock runs fn while holding an advisory lock of that name, across processes. It
	// waits until ctx ends. fn may use the database.
	Lock(ctx context.Context, name string, fn func(context.Context) error) error
	// Stats describes the connection pool.
	Stats() Stats
	// Close closes what the adapter opened itself; a handle that the app handed over
	// stays open.
	Close() error
}

// Sequencer is what a Database may be besides: it draws n ids from the sequence that fills a
// table's key, through q. What was drawn in a transaction stays drawn, whatever becomes of it.
type Sequencer interface {
	NextIDs(ctx context.Context, q Conn, table string, n int) ([]int64, error)
}

// Counter is what a Database may be besides that has no sequences: CountUp draws the next
// number of a table's key in a transaction that nobody else writes beside. A number that
// was drawn and kept is never given again, whatever becomes of its row.
type Counter interface {
	CountUp(ctx context.Context, tx Conn, table string) (int64, error)
}

// CounterTable is where a Counter keeps the last number of each table.
const CounterTable = "sallyport_counter"

// Placer is what a Database may be besides: Place is the column that says where a row is, by
// which one statement finds it again without an index (PostgreSQL's ctid); empty if it has
// none.
type Placer interface{ Place() string }

// Explainer is what a Database may be besides: it describes an error of its driver's that
// did not come through it, with logical names. It returns nil if it is none.
type Explainer interface{ Explain(err error) *Error }

// Stats describes a connection pool.
type Stats struct {
	MaxOpen, Open, InUse int
	WaitCount            int64
}

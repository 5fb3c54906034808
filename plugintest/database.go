package plugintest

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/adapters/sqlite"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Engine is a kind of database.
type Engine string

// The engines. SQLite is a file in the test's folder; Postgres a fresh database on the
// server that SALLYPORT_TEST_POSTGRES names (see adapters/adaptertest).
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

func open(t testing.TB, e Engine) *database {
	t.Helper()
	ctx := context.Background()
	var db storage.Database
	var err error
	switch e {
	case SQLite, "":
		db, err = sqlite.Open(ctx, filepath.Join(t.TempDir(), "auth.db"), sqlite.Options{})
	case Postgres:
		// A role as services have it: row-level security does not hold for superusers.
		dsn := adaptertest.PostgresRole(t, adaptertest.PostgresURL(t), "GRANT USAGE, CREATE ON SCHEMA public TO $role")
		db, err = postgres.Open(ctx, dsn, postgres.Options{})
	default:
		t.Fatalf("plugintest: there is no engine %q", e)
	}
	if err != nil {
		t.Fatalf("plugintest: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("plugintest: closing the database: %v", err)
		}
	})
	return &database{Database: db}
}

// database watches what is done while a transaction is open: the kit runs one request
// at a time, so that a statement of the pool's, a password hash or a message to the
// outside then comes from inside of it, also where the context was lost on the way.
type database struct {
	storage.Database
	mu     sync.Mutex
	open   int
	begun  int64 // hashes when the transaction began
	hashes func() int64
	faults []string
}

// Announcement implements storage.Announcer, on PostgreSQL.
func (d *database) Announcement(channel, text string) storage.Statement {
	return d.Database.(storage.Announcer).Announcement(channel, text)
}

// Listen implements storage.Announcer, on PostgreSQL.
func (d *database) Listen(channel string, l storage.Listener) (stop func(), err error) {
	return d.Database.(storage.Announcer).Listen(channel, l)
}

// JoinSQL hands the app's transaction on to the adapter.
func (d *database) JoinSQL(tx *sql.Tx) (storage.Tx, error) {
	j, ok := d.Database.(interface {
		JoinSQL(*sql.Tx) (storage.Tx, error)
	})
	if !ok {
		return nil, errors.New("plugintest: the adapter cannot join a transaction")
	}
	return j.JoinSQL(tx)
}

// inTx notes a fault if a transaction is open.
func (d *database) inTx(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open > 0 {
		d.faults = append(d.faults, what+" inside a transaction")
	}
}

func (d *database) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.faults
	d.faults = nil
	return f
}

func (d *database) Query(ctx context.Context, sql string, args ...any) (storage.Rows, error) {
	d.inTx("the pool was used (" + verb(sql) + ")")
	return d.Database.Query(ctx, sql, args...)
}

func (d *database) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	d.inTx("the pool was used (" + verb(sql) + ")")
	return d.Database.Exec(ctx, sql, args...)
}

func (d *database) Batch(ctx context.Context, s ...storage.Statement) ([]int64, error) {
	d.inTx("the pool was used (a batch)")
	return d.Database.Batch(ctx, s...)
}

// verb is as much of a statement as a message needs.
func verb(sql string) string {
	words := strings.Fields(sql)
	return strings.Join(words[:min(3, len(words))], " ")
}

func (d *database) Begin(ctx context.Context, o storage.TxOptions) (storage.Tx, error) {
	d.inTx("another transaction was begun")
	st, err := d.Database.Begin(ctx, o)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open++
	if d.hashes != nil {
		d.begun = d.hashes()
	}
	return &transaction{Tx: st, d: d}, nil
}

type transaction struct {
	storage.Tx
	d    *database
	once sync.Once
}

func (t *transaction) end() {
	t.once.Do(func() {
		t.d.mu.Lock()
		defer t.d.mu.Unlock()
		if t.d.hashes != nil && t.d.hashes() != t.d.begun {
			t.d.faults = append(t.d.faults, "a password was hashed inside a transaction")
		}
		t.d.open--
	})
}

func (t *transaction) Commit() error {
	err := t.Tx.Commit()
	t.end()
	return err
}

func (t *transaction) Rollback() error {
	err := t.Tx.Rollback()
	t.end()
	return err
}

// Engines runs a test on SQLite and on a fresh PostgreSQL database; engine sets the one
// in the options of a harness.
//
//	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
//		o := plugintest.Options{Plugins: plugins}
//		engine(&o)
//		h := plugintest.New(t, o)
//	})
func Engines(t *testing.T, run func(t *testing.T, engine func(*Options))) {
	for _, e := range []Engine{SQLite, Postgres} {
		t.Run(string(e), func(t *testing.T) { run(t, func(o *Options) { o.Database = e }) })
	}
}

package postgres_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"

	_ "modernc.org/sqlite"
)

func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		dsn  string
		o    postgres.Options
		want string
	}{
		"bad string":   {"postgres://u:geheim@%zz/", postgres.Options{}, "postgres: the connection string cannot be read"},
		"one conn":     {"postgres://127.0.0.1/x", postgres.Options{MaxOpen: 1}, "postgres: maxOpen is 1, at least 2 are needed"},
		"nobody there": {"postgres://u:geheim@127.0.0.1:1/x?sslmode=disable", postgres.Options{}, "postgres: database: unavailable"},
		"no database":  {"", postgres.Options{}, "postgres: database: schema (3D000)"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.dsn == "" {
				c.dsn = strings.Replace(adaptertest.PostgresURL(t), "sallyport_test_", "sallyport_none_", 1)
			}
			_, err := postgres.Open(t.Context(), c.dsn, c.o)
			if err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

func TestFromRefuses(t *testing.T) {
	dsn := adaptertest.PostgresURL(t)
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	lite, err := sql.Open("sqlite", "file::memory:")
	if err != nil {
		t.Fatal(err)
	}
	good, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		db   *sql.DB
		o    postgres.Options
		want string
	}{
		"no handle": {nil, postgres.Options{}, "no handle"},
		"simple":    {stdlib.OpenDB(*cfg), postgres.Options{}, "simple protocol"},
		"SQLite":    {lite, postgres.Options{}, "does not lead to PostgreSQL"},
		"pool size": {good, postgres.Options{MaxOpen: 5}, "set on the handle itself"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := postgres.From(t.Context(), c.db, c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
		if c.db != nil {
			t.Cleanup(func() { c.db.Close() })
		}
	}
	db, err := postgres.From(t.Context(), good, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := good.PingContext(t.Context()); err != nil {
		t.Errorf("Close closed the app's handle: %v", err)
	}
	good.SetMaxOpenConns(1)
	if db, err = postgres.From(t.Context(), good, postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := db.Lock(t.Context(), "x", func(context.Context) error { return nil }); storage.KindOf(err) != storage.Unavailable {
		t.Errorf("a lock with one connection: %v", err)
	}
}

func TestTimeouts(t *testing.T) {
	dsn := adaptertest.PostgresURL(t)
	short := open(t, dsn, postgres.Options{MaxOpen: 2, StatementTimeout: time.Second})
	sleep := func(ctx context.Context, db storage.Database, kind storage.Kind) {
		t.Helper()
		_, err := db.Exec(ctx, `SELECT pg_sleep(30)`)
		if storage.KindOf(err) != kind {
			t.Errorf("error %v, want kind %v", err, kind)
		}
	}
	// The server's own: the caller's deadline is far away.
	far, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	sleep(far, short, storage.Timeout)
	sleep(t.Context(), short, storage.Timeout)
	long := open(t, dsn, postgres.Options{MaxOpen: 2})
	near, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	sleep(near, long, storage.Timeout)
	stopped, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := long.Exec(stopped, `SELECT pg_sleep(30)`)
		ended <- err
	}()
	// As soon as the server works on it, the caller leaves.
	watcher := open(t, dsn, postgres.Options{})
	for read(t, watcher, `SELECT count(*) FROM pg_stat_activity
		WHERE query = $$SELECT pg_sleep(30)$$ AND state = $$active$$ AND datname = current_database()`) == "0" {
	}
	stop()
	if err := <-ended; storage.KindOf(err) != storage.Canceled {
		t.Errorf("error %v, want canceled", err)
	}

	// Every connection taken: who waits gets a time-out, with and without a deadline.
	for range 2 {
		tx, err := short.Begin(t.Context(), storage.TxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
	}
	sleep(t.Context(), short, storage.Timeout)
	if _, err := short.Begin(t.Context(), storage.TxOptions{}); storage.KindOf(err) != storage.Timeout {
		t.Errorf("begin: %v", err)
	}
	if s := short.Stats(); s.MaxOpen != 2 || s.InUse != 2 || s.WaitCount == 0 {
		t.Errorf("stats %+v", s)
	}
}

// A connection that breaks is Unavailable, and the handle gets over it.
func TestBrokenConnection(t *testing.T) {
	dsn := adaptertest.PostgresURL(t)
	db, admin := open(t, dsn, postgres.Options{}), open(t, dsn, postgres.Options{})
	tx, err := db.Begin(t.Context(), storage.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	write(t, admin, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE pid <> pg_backend_pid() AND datname = current_database()`)
	if _, err := tx.Exec(t.Context(), `SELECT 1`); storage.KindOf(err) != storage.Unavailable {
		t.Errorf("in the transaction: %v", err)
	}
	_ = tx.Rollback()
	if got := read(t, db, `SELECT 'there'`); got != "there" {
		t.Errorf("afterwards %q", got)
	}
}

func TestReadOnly(t *testing.T) {
	dsn := adaptertest.PostgresURL(t)
	adaptertest.Setup(t, open(t, dsn, postgres.Options{}))
	db := open(t, dsn+"&default_transaction_read_only=on", postgres.Options{})
	s := &schema.Schema{Tables: []schema.Table{{Name: "user", Columns: []schema.Column{{Name: "id", Kind: schema.String, PrimaryKey: true}}}}}
	if err := db.Bind(s, schema.Names{}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), `DELETE FROM {user}`); storage.KindOf(err) != storage.ReadOnly {
		t.Errorf("error %v", err)
	}
}

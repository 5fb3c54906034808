package postgres

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Reads whose context lasts longer than any statement can are not watched for its end
// (sqldb.DB.unwatched). These are the cases in which a request must not hang for it.
func TestUnwatched(t *testing.T) {
	dsn := adaptertest.PostgresURL(t)
	db, err := Open(t.Context(), dsn, Options{MaxOpen: 6})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	sleep := func(ctx context.Context, seconds string) error {
		rows, err := db.Query(ctx, "SELECT pg_sleep("+seconds+")")
		if err != nil {
			return err
		}
		defer rows.Close()
		rows.Next()
		return rows.Err()
	}
	soon := func(after, until time.Duration) context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), until)
		time.AfterFunc(after, cancel)
		return ctx
	}
	const long, never = time.Minute, time.Hour
	leave := leaving(t, db, dsn, long)
	if err := leave(); err != nil {
		t.Errorf("a short read whose client has gone is read to its end, got %v", err)
	}
	if err := sleep(soon(never, 200*time.Millisecond), "30"); storage.KindOf(err) != storage.Timeout {
		t.Errorf("a deadline sooner than the statement's own: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	if err := sleep(ctx, "30"); storage.KindOf(err) != storage.Canceled {
		t.Errorf("a context without a deadline: %v", err)
	}
	over, cancel := context.WithTimeout(t.Context(), long)
	cancel()
	if err := sleep(over, "0"); storage.KindOf(err) != storage.Canceled {
		t.Errorf("a context that is over: %v", err)
	}

	if err := sleep(t.Context(), "0"); err != nil {
		t.Fatal(err)
	}
	var held []storage.Tx
	for range 6 {
		tx, err := db.Begin(t.Context(), storage.TxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, tx)
	}
	if err := sleep(soon(200*time.Millisecond, long), "0"); storage.KindOf(err) != storage.Canceled {
		t.Errorf("waiting for a connection when all are taken: %v", err)
	}
	for _, tx := range held {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
	// Locks take connections as well.
	locked, let := make(chan error, 6), make(chan struct{})
	var locks sync.WaitGroup
	for i := range 6 {
		locks.Go(func() {
			err := db.Lock(t.Context(), string(rune('a'+i)), func(context.Context) error { locked <- nil; <-let; return nil })
			if err != nil {
				locked <- err
			}
		})
	}
	for range 6 {
		if err := <-locked; err != nil {
			t.Fatal(err)
		}
	}
	if err := sleep(soon(200*time.Millisecond, long), "0"); storage.KindOf(err) != storage.Canceled {
		t.Errorf("waiting for a connection when locks have all: %v", err)
	}
	close(let)
	locks.Wait()
	// What was taken is given back: reads go unwatched again.
	if err := leave(); err != nil {
		t.Errorf("after the transactions have ended: %v", err)
	}
}

// leaving returns a function that reads what waits for a lock. Its client leaves while the
// server waits, and a moment later it is let go.
func leaving(t *testing.T, db storage.Database, dsn string, until time.Duration) func() error {
	t.Helper()
	raw, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	read := func(ctx context.Context) error {
		rows, err := db.Query(ctx, "SELECT pg_advisory_xact_lock_shared(7)")
		if err != nil {
			return err
		}
		defer rows.Close()
		rows.Next()
		return rows.Err()
	}
	if err := read(t.Context()); err != nil { // prepares it
		t.Fatal(err)
	}
	return func() error {
		tx, err := raw.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback() //nolint:errcheck // it only holds the lock
		if _, err := tx.Exec("SELECT pg_advisory_xact_lock(7)"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), until)
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- read(ctx) }()
		for waiting := 0; waiting == 0; {
			err := tx.QueryRow("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())").Scan(&waiting)
			if err != nil {
				t.Fatal(err)
			}
			if len(ended) > 0 {
				return errors.Join(errors.New("it did not wait"), <-ended)
			}
		}
		cancel()
		time.Sleep(250 * time.Millisecond) // one that is watched would be ended
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		return <-ended
	}
}

// A statement that lasts longer than the server allows is ended by it, watched or not.
func TestUnwatchedIsBounded(t *testing.T) {
	db, err := Open(t.Context(), adaptertest.PostgresURL(t), Options{StatementTimeout: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	rows, err := db.Query(ctx, "SELECT pg_sleep(30)")
	if err == nil {
		rows.Next()
		err = errors.Join(rows.Err(), rows.Close())
	}
	if storage.KindOf(err) != storage.Timeout {
		t.Errorf("%v, want a timeout", err)
	}
}

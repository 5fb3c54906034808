package postgres_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// silent passes bytes on to a server until it is told to swallow them, as a server that
// was stopped does, and a network that is gone. cut ends what still waits then.
func silent(t *testing.T, to string) (addr string, stop, cut func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var stopped atomic.Bool
	ended := make(chan struct{})
	pass := func(to io.WriteCloser, from io.Reader) {
		defer to.Close()
		b := make([]byte, 32<<10)
		for {
			n, err := from.Read(b)
			if err != nil {
				return
			}
			if stopped.Load() {
				continue
			}
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
	}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				return
			}
			go func() { <-ended; client.Close(); server.Close() }()
			go pass(server, client)
			go pass(client, server)
		}
	}()
	return l.Addr().String(), func() { stopped.Store(true) }, func() { close(ended) }
}

// A server that falls silent holds nobody for ever: not a statement on a connection that
// was open, with a deadline or without, and no commit.
func TestSilentServer(t *testing.T) {
	u, err := url.Parse(adaptertest.PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	addr, stop, cut := silent(t, u.Host)
	u.Host = addr
	db, err := postgres.Open(t.Context(), u.String(), postgres.Options{MaxOpen: 4, StatementTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	defer cut()
	query := func(ctx context.Context) error {
		rows, err := db.Query(ctx, "SELECT 1")
		if err == nil {
			err = rows.Close()
		}
		return err
	}
	for range 3 { // prepares it
		if err := query(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tx, err := db.Begin(t.Context(), storage.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	ended := make(chan error, 3)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		ended <- query(ctx)
	}()
	go func() { ended <- query(t.Context()) }()
	go func() { ended <- tx.Commit() }()
	for range 3 {
		select {
		case err := <-ended:
			if k := storage.KindOf(err); k != storage.Timeout && k != storage.Unavailable {
				t.Errorf("%v is %v", err, k)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("somebody waits for a server that is silent")
		}
	}
}

// What may take any time takes it: migrations know no time-out.
func TestPatience(t *testing.T) {
	db, err := postgres.Open(t.Context(), adaptertest.PostgresURL(t), postgres.Options{MaxOpen: 2, StatementTimeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.DDL(t.Context(), "SELECT pg_sleep(3.5)"); err != nil {
		t.Errorf("a migration of 3.5 s: %v", err)
	}
}

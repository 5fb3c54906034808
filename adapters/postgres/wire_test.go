package postgres_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// proxy stands before PostgreSQL and counts round trips: the messages after which a
// client waits for an answer (Query, Sync).
type proxy struct {
	trips atomic.Int64
	wg    sync.WaitGroup
}

func startProxy(t *testing.T, dsn string) (p *proxy, through string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p = &proxy{}
	target := u.Host
	p.wg.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				client.Close()
				continue
			}
			p.wg.Go(func() { io.Copy(client, server); client.Close() })
			p.wg.Go(func() { p.forward(server, client); server.Close() })
		}
	})
	t.Cleanup(func() { ln.Close(); p.wg.Wait() })
	u.Host = ln.Addr().String()
	return p, u.String()
}

// forward passes messages on: a start-up message without a type, then one byte of type
// and four of length.
func (p *proxy) forward(server io.Writer, client io.Reader) {
	head := make([]byte, 5)
	for first := true; ; first = false {
		h := head
		if first {
			h = head[1:]
		}
		if _, err := io.ReadFull(client, h); err != nil {
			return
		}
		n := binary.BigEndian.Uint32(head[1:])
		// Counted before it is passed on: the answer must not overtake the count.
		if !first && (head[0] == 'Q' || head[0] == 'S') {
			p.trips.Add(1)
		}
		if _, err := server.Write(h); err != nil {
			return
		}
		if _, err := io.CopyN(server, client, int64(n)-4); err != nil {
			return
		}
	}
}

const (
	insertUser = `INSERT INTO {user} ({user:id}, {user:name}, {user:email}, {user:emailVerified}, {user:createdAt},
		{user:count}, {user:total}) VALUES (?, 'x', ?, true, CURRENT_TIMESTAMP, 0, 0)`
	selectUser = `SELECT {user.name} FROM {user} WHERE {user.id} = ?`
	updateUser = `UPDATE {user} SET {user:count} = {user.count} + 1 WHERE {user.id} = ?`
)

func read(t *testing.T, q storage.Conn, template string, args ...any) (got string) {
	t.Helper()
	rows, err := q.Query(t.Context(), template, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&got); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return got
}

func write(t *testing.T, q storage.Conn, template string, args ...any) int64 {
	t.Helper()
	n, err := q.Exec(t.Context(), template, args...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRoundTrips(t *testing.T) {
	for _, c := range []struct {
		name     string
		open     func(t *testing.T, url string) storage.Database
		userTrip int64 // of BEGIN with a user
	}{
		{"open", func(t *testing.T, url string) storage.Database { return open(t, url, postgres.Options{MaxOpen: 2}) }, 1},
		{"lib/pq", func(t *testing.T, url string) storage.Database { return from(t, "postgres", url) }, 2},
		{"pgx", func(t *testing.T, url string) storage.Database { return from(t, "pgx", url) }, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, url := startProxy(t, adaptertest.PostgresURL(t))
			db := c.open(t, url)
			adaptertest.Setup(t, db)
			write(t, db, insertUser, "a", "a")
			trips := func(what string, want int64, fn func()) {
				t.Helper()
				before := p.trips.Load()
				fn()
				if got := p.trips.Load() - before; got != want {
					t.Errorf("%s took %d round trips, want %d", what, got, want)
				}
			}
			begin := func(user string) storage.Tx {
				t.Helper()
				tx, err := db.Begin(t.Context(), storage.TxOptions{UserID: user})
				if err != nil {
					t.Fatal(err)
				}
				return tx
			}
			batch := func(q storage.Conn, id string) {
				t.Helper()
				if _, err := q.Batch(t.Context(), storage.Statement{SQL: insertUser, Args: []any{id, id}},
					storage.Statement{SQL: updateUser, Args: []any{"a"}}); err != nil {
					t.Fatal(err)
				}
			}
			// One connection is in use at a time, so what is warm on it stays warm. The
			// statements of the first transaction are prepared for the second.
			work := func(tx storage.Tx) {
				read(t, tx, selectUser, "a")
				write(t, tx, updateUser, "a")
			}
			read(t, db, selectUser, "a")
			batch(db, "b")
			for range 2 {
				tx := begin("")
				work(tx)
				if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
			}
			trips("a query", 1, func() { read(t, db, selectUser, "a") })
			trips("a query with no row", 1, func() { read(t, db, selectUser, "nobody") })
			trips("a batch", 1, func() { batch(db, "c") })
			var tx storage.Tx
			trips("BEGIN", 1, func() { tx = begin("") })
			trips("a query in a transaction", 1, func() { read(t, tx, selectUser, "a") })
			trips("an update in a transaction", 1, func() { write(t, tx, updateUser, "a") })
			trips("a batch in a transaction", 1, func() { batch(tx, "d") })
			trips("COMMIT", 1, func() {
				if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
			})
			trips("BEGIN with a user", c.userTrip, func() { tx = begin("a") })
			trips("ROLLBACK", 1, func() { tx.Rollback() })
		})
	}
}

// A table that changes under prepared statements must not be noticed outside a
// transaction, whichever connections hold them, and costs a transaction one retry.
func TestChangedPlan(t *testing.T) {
	for name, open := range map[string]func(t *testing.T, url string) storage.Database{
		"open":   func(t *testing.T, url string) storage.Database { return open(t, url, postgres.Options{}) },
		"lib/pq": func(t *testing.T, url string) storage.Database { return from(t, "postgres", url) },
		"pgx":    func(t *testing.T, url string) storage.Database { return from(t, "pgx", url) },
	} {
		t.Run(name, func(t *testing.T) {
			url := adaptertest.PostgresURL(t)
			db := open(t, url)
			adaptertest.Setup(t, db)
			write(t, db, insertUser, "a", "a")
			warm := func() {
				var held []storage.Rows
				for range 3 {
					rows, err := db.Query(t.Context(), selectUser, "a")
					if err != nil {
						t.Fatal(err)
					}
					held = append(held, rows)
				}
				for _, rows := range held {
					rows.Close()
				}
			}
			warm()
			change := func(typ string) {
				if err := db.DDL(t.Context(), `ALTER TABLE "user" ALTER COLUMN "name" TYPE `+typ); err != nil {
					t.Fatal(err)
				}
			}
			change("varchar(100)")
			for range 4 {
				if got := read(t, db, selectUser, "a"); got != "x" {
					t.Errorf("read %q", got)
				}
			}
			warm()
			change("text")
			tx, err := db.Begin(t.Context(), storage.TxOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Query(t.Context(), selectUser, "a"); storage.KindOf(err) != storage.Conflict {
				t.Errorf("in a transaction: %v, want a conflict", err)
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			if tx, err = db.Begin(t.Context(), storage.TxOptions{}); err != nil {
				t.Fatal(err)
			}
			if got := read(t, tx, selectUser, "a"); got != "x" {
				t.Errorf("read %q in the next transaction", got)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			// A pooler that forgets statements.
			write(t, db, `DEALLOCATE ALL`)
			for range 4 {
				if got := read(t, db, selectUser, "a"); got != "x" {
					t.Errorf("read %q after DEALLOCATE", got)
				}
			}
		})
	}
}

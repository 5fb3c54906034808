package core_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/adapters/sqlite"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
)

var thing = core.NewPoint[thingEvent]("thing")

type thingEvent struct{ name string }

func (e *env) insert(ctx context.Context, q storage.Conn, id string) error {
	now := e.clock.Now()
	_, err := q.Exec(ctx, "INSERT INTO {user} ({user:id}, {user:name}, {user:email}, {user:emailVerified}, {user:createdAt}, {user:updatedAt}) VALUES (?, '', ?, ?, ?, ?)",
		id, id+"@example.com", false, now, now)
	return err
}

func TestTransactions(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		var log []string
		e := start(t, db, hooks(
			thing.Before(func(_ context.Context, e *thingEvent) error { log = append(log, "before "+e.name); return nil }),
			thing.After(func(_ context.Context, e *thingEvent) error { log = append(log, "after "+e.name); return nil }),
			thing.Committed(func(ctx context.Context, e *thingEvent) {
				if core.InTx(ctx) {
					t.Error("a Committed hook runs inside the transaction")
				}
				log = append(log, "committed "+e.name)
			})))
		h, ctx := e.auth.Host(), t.Context()
		act := func(ctx context.Context, tx *core.Tx, name string, do error) error {
			return thing.Run(ctx, h, tx, &thingEvent{name}, func(ctx context.Context) error {
				if err := e.insert(ctx, tx, name); err != nil {
					return err
				}
				return do
			})
		}
		errNo := errors.New("no")
		reset := func() {
			e.exec("DELETE FROM {user}")
			log = nil
		}
		check := func(t *testing.T, want []string, rows ...string) {
			t.Helper()
			if !slices.Equal(log, want) {
				t.Errorf("log %q, want %q", log, want)
			}
			if got := e.rows("SELECT {user:id} FROM {user} ORDER BY {user:id}"); !slices.Equal(got, rows) && len(got)+len(rows) > 0 {
				t.Errorf("rows %v, want %v", got, rows)
			}
			reset()
		}

		t.Run("joined, committed in order", func(t *testing.T) {
			err := h.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
				if err := act(ctx, tx, "a", nil); err != nil {
					return err
				}
				return h.Tx(ctx, tx, func(ctx context.Context, inner *core.Tx) error {
					if inner != tx {
						t.Error("the inner transaction is another one")
					}
					return act(ctx, inner, "b", nil)
				})
			})
			if err != nil {
				t.Error(err)
			}
			check(t, []string{"before a", "after a", "before b", "after b", "committed a", "committed b"}, "a", "b")
		})
		t.Run("a swallowed inner error dooms", func(t *testing.T) {
			rolled := 0
			err := h.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
				tx.OnRollback(func(ctx context.Context) {
					rolled++
					if core.InTx(ctx) {
						t.Error("a rollback hook runs inside the transaction")
					}
				})
				_ = h.Tx(ctx, tx, func(ctx context.Context, tx *core.Tx) error { return act(ctx, tx, "a", errNo) })
				if err := h.Tx(ctx, tx, func(context.Context, *core.Tx) error { t.Error("a doomed one goes on"); return nil }); err == nil {
					t.Error("joining a doomed one is no error")
				}
				return nil
			})
			if !errors.Is(err, errNo) || rolled != 1 {
				t.Errorf("%v, %d rollback hooks", err, rolled)
			}
			check(t, []string{"before a"})
		})
		t.Run("an error rolls back", func(t *testing.T) {
			err := h.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
				tx.OnRollback(func(context.Context) { log = append(log, "rolled back") })
				if err := act(ctx, tx, "a", nil); err != nil {
					return err
				}
				return errNo
			})
			if !errors.Is(err, errNo) {
				t.Error(err)
			}
			check(t, []string{"before a", "after a", "rolled back"})
		})
		t.Run("a panic rolls back and goes on", func(t *testing.T) {
			func() {
				defer func() {
					if recover() != "boom" {
						t.Error("the panic did not go on")
					}
				}()
				_ = h.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
					tx.OnRollback(func(context.Context) { log = append(log, "rolled back") })
					if err := act(ctx, tx, "a", nil); err != nil {
						return err
					}
					panic("boom")
				})
			}()
			check(t, []string{"before a", "after a", "rolled back"})
		})
		t.Run("a failed commit", func(t *testing.T) {
			e.db.fail(refusing(broken("", ""), "commit"))
			err := h.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
				tx.OnRollback(func(context.Context) { log = append(log, "rolled back") })
				return act(ctx, tx, "a", nil)
			})
			e.db.fail(nil)
			if storage.KindOf(err) != storage.Unavailable {
				t.Error(err)
			}
			check(t, []string{"before a", "after a", "rolled back"})
		})
		t.Run("a panic behind the commit", func(t *testing.T) {
			err := h.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
				tx.OnCommit(func(context.Context) { panic("boom") })
				tx.OnCommit(func(context.Context) { log = append(log, "next") })
				return e.insert(ctx, tx, "a")
			})
			if err != nil {
				t.Error(err)
			}
			check(t, []string{"next"}, "a")
		})
		t.Run("the client goes away behind the commit", func(t *testing.T) {
			ctx, cancel := context.WithCancel(ctx)
			err := h.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
				tx.OnCommit(func(ctx context.Context) {
					cancel()
					if ctx.Err() != nil {
						t.Error("what follows the commit ends with the request")
					}
				})
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	})
}

// A use of the pool inside a transaction is an error at once, on both databases: with
// one writer it would wait for itself.
func TestPoolInsideTransaction(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		e.client().signUp("a@example.com")
		h := e.auth.Host()
		for name, fn := range map[string]func(context.Context, *core.Tx) error{
			"query": func(ctx context.Context, _ *core.Tx) error { _, err := h.UserByID(ctx, h.DB(), "x"); return err },
			"exec": func(ctx context.Context, _ *core.Tx) error {
				_, err := h.DB().Exec(ctx, "DELETE FROM {session}")
				return err
			},
			"batch": func(ctx context.Context, _ *core.Tx) error {
				_, err := h.DB().Batch(ctx, storage.Statement{SQL: "DELETE FROM {session}"})
				return err
			},
			"begin": func(ctx context.Context, _ *core.Tx) error {
				return h.Tx(ctx, nil, func(context.Context, *core.Tx) error { return nil })
			},
			"hash": func(ctx context.Context, _ *core.Tx) error { _, err := h.HashPassword(ctx, password); return err },
			"verify": func(ctx context.Context, _ *core.Tx) error {
				_, _, err := h.CheckPassword(ctx, core.Credential{}, "x", password)
				return err
			},
			"count": func(ctx context.Context, _ *core.Tx) error { _, err := h.Attempts("x").Reserve(ctx, "x"); return err },
		} {
			deadline, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			err := h.Tx(deadline, nil, func(ctx context.Context, tx *core.Tx) error {
				if err := fn(ctx, tx); err == nil || !strings.Contains(err.Error(), "inside a transaction") {
					t.Errorf("%s: %v", name, err)
				}
				return nil
			})
			if err != nil || deadline.Err() != nil {
				t.Errorf("%s: the transaction itself: %v %v", name, err, deadline.Err())
			}
			cancel()
		}
		if e.sum("session") != 1 {
			t.Error("a statement went through")
		}
	})
}

// handles opens databases by a handle of the app's.
var handles = map[string]func(t *testing.T) (*sql.DB, storage.Database){
	"sqlite": func(t *testing.T) (*sql.DB, storage.Database) {
		raw, err := sql.Open("sqlite", "file:"+t.TempDir()+"/app.db?_txlock=immediate&_pragma=foreign_keys(1)&_dqs=0")
		if err != nil {
			t.Fatal(err)
		}
		raw.SetMaxOpenConns(1)
		db, err := sqlite.From(t.Context(), raw, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return raw, db
	},
	"postgres": func(t *testing.T) (*sql.DB, storage.Database) {
		raw, err := sql.Open("postgres", adaptertest.PostgresURL(t))
		if err != nil {
			t.Fatal(err)
		}
		db, err := postgres.From(t.Context(), raw, postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return raw, db
	},
}

// An app's own transaction: core's part is committed or undone with it.
func TestJoinSQL(t *testing.T) {
	for name, fn := range handles {
		t.Run(name, func(t *testing.T) {
			raw, db := fn(t)
			t.Cleanup(func() { raw.Close() })
			committed := 0
			e := start(t, on(db), hooks(core.UserCreate.Committed(func(context.Context, *core.UserCreateEvent) { committed++ })))
			h, ctx := e.auth.Host(), t.Context()
			make := func(finish func(*sql.Tx) error) func(context.Context) {
				tx, err := raw.BeginTx(ctx, nil)
				if err != nil {
					t.Fatal(err)
				}
				joined, after, err := h.JoinSQL(tx)
				if err != nil {
					t.Fatal(err)
				}
				u, err := h.NewUser("A", "a@example.com", nil)
				if err != nil {
					t.Fatal(err)
				}
				if err := h.CreateUser(ctx, joined, nil, u, "app", ""); err != nil {
					t.Fatal(err)
				}
				// The pool is refused in here as in a transaction of core's own.
				err = h.Tx(ctx, joined, func(ctx context.Context, _ *core.Tx) error {
					if _, err := h.UserByID(ctx, h.DB(), u.ID); err == nil || !strings.Contains(err.Error(), "inside a transaction") {
						t.Errorf("the pool inside: %v", err)
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				if err := finish(tx); err != nil {
					t.Fatal(err)
				}
				return after
			}
			make((*sql.Tx).Rollback)
			if e.sum("user") != 0 || committed != 0 {
				t.Errorf("after a rollback: %d users, %d hooks", e.sum("user"), committed)
			}
			after := make((*sql.Tx).Commit)
			if e.sum("user") != 1 || committed != 0 {
				t.Errorf("after a commit: %d users, %d hooks", e.sum("user"), committed)
			}
			after(ctx)
			if committed != 1 {
				t.Errorf("%d committed hooks", committed)
			}
		})
	}
}

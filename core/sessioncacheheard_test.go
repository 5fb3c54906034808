package core_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// What is announced is nobody's secret, is at most as long as PostgreSQL takes, and follows
// the commit.
func TestAnnouncements(t *testing.T) {
	var heard []string
	var mu sync.Mutex
	e, auths := remembering(t, 2)
	ear := &earFor{func(text string) { mu.Lock(); heard = append(heard, text); mu.Unlock() }}
	stop, err := e.db.Listen("sallyport_sessions", ear)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	got := func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(heard) }
	eventually(t, "it listens", func() bool {
		_ = auths[0].Host().SessionsChanged(t.Context(), nil, "somebody")
		return len(got()) > 0
	})
	c := e.client().signUp("a@example.com")
	w, h := c.who(), auths[1].Host()
	undone := h.Tx(t.Context(), nil, func(ctx context.Context, tx *core.Tx) error {
		return errors.Join(h.RevokeSessions(ctx, tx, w.user, ""), errors.New("undone"))
	})
	c.get("/get-session")
	if n := e.asked(func() { c.get("/get-session") }); undone == nil || n != 0 {
		t.Errorf("undone: %v; asked %d times: a change that was none left something behind", undone, n)
	}
	before := len(got())
	ids := make([]string, 1000)
	for i := range ids {
		ids[i] = fmt.Sprint("user", i)
	}
	if err := h.SessionsChanged(t.Context(), nil, ids...); err != nil {
		t.Fatal(err)
	}
	c.must(200, "POST", "/sign-out", m{})
	eventually(t, "all are heard", func() bool { return len(strings.Fields(strings.Join(got()[before:], " "))) == 1001 })
	for _, text := range got() {
		for _, secret := range []string{w.token, w.user, w.session, "a@example.com", "user1"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is announced", secret)
			}
		}
	}
}

type earFor struct{ heard func(string) }

func (e *earFor) Reset(error)       {}
func (e *earFor) Heard(text string) { e.heard(text) }
func (e *earFor) Current(time.Time) {}

// A command that changes something has no cache of its own, and tells the others.
func TestCommandsAnnounce(t *testing.T) {
	e, _ := remembering(t, 1)
	cfg := e.config()
	cfg.NoBackground = true
	command, err := core.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer command.Close(context.Background())
	c := e.client().signUp("a@example.com")
	c.get("/get-session")
	if err := command.Host().RevokeSessions(t.Context(), nil, c.who().user, ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is refused", func() bool { return string(c.clone().get("/get-session").Body) == "null" })
	b := e.client()
	b.signIn("a@example.com", password)
	for range 2 {
		if n := e.asked(func() { b.at(command).get("/get-session") }); n != 1 {
			t.Error("a command believes its memory")
		}
	}
}

// In a transaction of the app's the announcement follows the app's commit.
func TestCacheJoinsTheApp(t *testing.T) {
	dsn := adaptertest.PostgresURL(t)
	db, err := postgres.Open(t.Context(), dsn, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	app, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { app.Close() })
	e, auths := remembering(t, 2, on(db))
	c := e.client().signUp("a@example.com")
	w := c.who()
	for _, a := range auths {
		c.at(a).get("/get-session")
	}
	tx, err := app.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	joined, committed, err := auths[0].Host().JoinSQL(tx)
	if err != nil {
		t.Fatal(err)
	}
	if err := auths[0].Host().RevokeSessions(t.Context(), joined, w.user, ""); err != nil {
		t.Fatal(err)
	}
	for i, a := range auths {
		if got := string(c.at(a).clone().get("/get-session").Body); got == "null" {
			t.Errorf("replica %d knows of what is not committed", i)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	committed(t.Context())
	if got := string(c.at(auths[0]).clone().get("/get-session").Body); got != "null" {
		t.Errorf("who did it serves it: %s", got)
	}
	eventually(t, "the other hears of it", func() bool { return string(c.at(auths[1]).clone().get("/get-session").Body) == "null" })
}

func fromHandle(t *testing.T, dsn string) storage.Database {
	app, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { app.Close() })
	db, err := postgres.From(t.Context(), app, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

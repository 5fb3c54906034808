package core_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// sessionChanges is whatever changes a session or its user.
func sessionChanges() map[string]func(e *env, h *core.Host, c *client, w who) error {
	ctx := context.Background()
	other := func(e *env) *client {
		c := e.client()
		if a := c.signIn("a@example.com", password); a.Status != 200 {
			e.t.Fatalf("%d %s", a.Status, a.Body)
		}
		return c
	}
	return map[string]func(e *env, h *core.Host, c *client, w who) error{
		"sign-out": func(_ *env, _ *core.Host, c *client, _ who) error { c.must(200, "POST", "/sign-out", m{}); return nil },
		"revoke this": func(_ *env, _ *core.Host, c *client, w who) error {
			c.must(200, "POST", "/revoke-session", m{"token": w.token})
			return nil
		},
		"revoke all": func(_ *env, _ *core.Host, c *client, _ who) error {
			c.must(200, "POST", "/revoke-sessions", m{})
			return nil
		},
		"revoke others": func(e *env, _ *core.Host, _ *client, _ who) error {
			other(e).must(200, "POST", "/revoke-other-sessions", m{})
			return nil
		},
		"new password": func(e *env, _ *core.Host, _ *client, _ who) error {
			other(e).must(200, "POST", "/change-password", m{"currentPassword": password, "newPassword": wrong, "revokeOtherSessions": true})
			return nil
		},
		"update the user": func(_ *env, _ *core.Host, c *client, _ who) error {
			c.must(200, "POST", "/update-user", m{"name": "New"})
			return nil
		},
		"update the session": func(_ *env, _ *core.Host, c *client, _ who) error {
			c.must(200, "POST", "/update-session", m{"device": "New"})
			return nil
		},
		"delete the user": func(_ *env, _ *core.Host, c *client, _ who) error {
			c.must(200, "POST", "/delete-user", m{"password": password})
			return nil
		},
		"RevokeSession": func(_ *env, h *core.Host, _ *client, w who) error {
			_, err := h.RevokeSession(ctx, nil, w.session)
			return err
		},
		"RevokeSessions in a transaction": func(_ *env, h *core.Host, _ *client, w who) error {
			return h.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error { return h.RevokeSessions(ctx, tx, w.user, "") })
		},
		"statements of an app": func(_ *env, h *core.Host, _ *client, w who) error {
			return h.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
				if _, err := tx.Exec(ctx, "UPDATE {user=} SET {user:name} = ? WHERE {user.id} = ?", "New", w.user); err != nil {
					return err
				}
				return h.SessionsChanged(ctx, tx, w.user)
			})
		},
	}
}

var deviceField = config(func(c *core.Config) { c.Session.Fields = []core.Extra{{Name: "device", Type: "string"}} })

// Whatever changes a session or its user is seen by every replica at once.
func TestChangesVoidCopies(t *testing.T) {
	for name, change := range sessionChanges() {
		t.Run(name, func(t *testing.T) {
			e, _, auths := replicas(t, 2, deviceField)
			c := e.client().signUp("a@example.com")
			w, b := c.who(), c.at(auths[1])
			b.get("/get-session")
			old := ""
			if got := e.db.count(func() { old = string(b.get("/get-session").Body) }); len(got) != 0 {
				t.Fatal("there is no copy")
			}
			if err := change(e, e.auth.Host(), c, w); err != nil {
				t.Fatal(err)
			}
			now := string(b.get("/get-session").Body)
			if now == old || strings.Contains(now, "New") == (now == "null") {
				t.Errorf("the other replica says %s", now)
			}
		})
	}
}

// A refresh moves the session's end, for all replicas.
func TestRefreshVoidsTheCopy(t *testing.T) {
	e, _, auths := replicas(t, 2)
	c := e.client().signUp("a@example.com")
	e.clock.Add(25 * time.Hour)
	b := c.at(auths[1])
	b.get("/get-session?disableRefresh=true")
	before := string(b.get("/get-session?disableRefresh=true").Body)
	if a := c.get("/get-session"); a.cookies()[tokenCookie] == "" {
		t.Fatal("not refreshed")
	}
	if after := string(b.get("/get-session?disableRefresh=true").Body); after == before {
		t.Errorf("the other replica serves the old end: %s", after)
	}
}

// The two moments in which a reader could keep what is about to change: inside of the
// transaction, and between the block and the commit.
func TestReadersInsideAChange(t *testing.T) {
	var inside func()
	e, s, auths := replicas(t, 2, on(openPostgres(t)), hooks(core.UserUpdate.After(func(context.Context, *core.UserUpdateEvent) error {
		inside()
		return nil
	})))
	c := e.client().signUp("a@example.com")
	b := c.at(auths[1])
	reads := 0
	read := func() {
		reads++
		for range 2 {
			if a := b.get("/get-session"); !strings.Contains(string(a.Body), `"name":"Ada"`) {
				t.Errorf("uncommitted: %s", a.Body)
			}
		}
	}
	inside, s.blocked = read, read
	c.must(200, "POST", "/update-user", m{"name": "New"})
	if reads != 2 {
		t.Errorf("read %d times, want inside and behind the block", reads)
	}
	if a := b.get("/get-session"); !strings.Contains(string(a.Body), `"name":"New"`) {
		t.Errorf("after the commit: %s", a.Body)
	}
}

// A transaction that is undone leaves no block behind.
func TestUndoneChangeLeavesNoBlock(t *testing.T) {
	e, _, _ := replicas(t, 1)
	c := e.client().signUp("a@example.com")
	w := c.who()
	h := e.auth.Host()
	err := h.Tx(t.Context(), nil, func(ctx context.Context, tx *core.Tx) error {
		if err := h.RevokeSessions(ctx, tx, w.user, ""); err != nil {
			return err
		}
		return errors.New("undone")
	})
	if err == nil {
		t.Fatal("committed")
	}
	c.get("/get-session")
	if got := e.db.count(func() { c.get("/get-session") }); len(got) != 0 {
		t.Errorf("no copy was made: %q", got)
	}
}

// 50 readers on three replicas while sessions are revoked: whoever asks when the
// revocation has returned is refused.
func TestRevocationWinsEveryRace(t *testing.T) {
	e, _, auths := replicas(t, 3, on(openPostgres(t)))
	for round := range 4 {
		c := e.client()
		if round == 0 {
			c.signUp("a@example.com")
		} else if a := c.signIn("a@example.com", password); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		w := c.who()
		var revoked atomic.Bool
		var served atomic.Int64
		done := make(chan struct{})
		var readers sync.WaitGroup
		for i := range 50 {
			readers.Go(func() {
				b := c.at(auths[i%3])
				for {
					select {
					case <-done:
						return
					default:
					}
					over := revoked.Load()
					a := serve(b.auth, b.request("GET", "/get-session", nil))
					if served.Add(1); over && string(a.Body) != "null" {
						t.Errorf("served after the revocation had returned: %d %s", a.Status, a.Body)
						return
					}
				}
			})
		}
		wait := func(n int64) {
			for begin := served.Load(); served.Load() < begin+n && !t.Failed(); {
				time.Sleep(time.Millisecond)
			}
		}
		wait(200)
		var err error
		if round%2 == 0 {
			_, err = auths[1].Host().RevokeSession(t.Context(), nil, w.session)
		} else {
			err = auths[1].Host().RevokeSessions(t.Context(), nil, w.user, "")
		}
		if err != nil {
			t.Error(err)
		}
		revoked.Store(true)
		wait(200)
		close(done)
		readers.Wait()
	}
	if st := e.auth.Host().Stores().Sessions; st.Hits == 0 {
		t.Errorf("%+v: no copy was ever served", st)
	}
}

package core_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/storetest"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
)

func TestDatabaseAttempts(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		storetest.Attempts(t, func(t *testing.T) []contract.AttemptStore {
			e.exec("DELETE FROM {attempt}")
			return []contract.AttemptStore{core.DatabaseAttempts(e.auth), core.DatabaseAttempts(e.auth)}
		})
	})
}

// from sends a client's requests from an address.
func (c *client) from(addr string) *client {
	c.peer = netip.MustParseAddr(addr)
	return c
}

// A network that guesses once at each of many accounts is locked, the accounts are not,
// and a right password of the attacker's own does not help.
func TestNetworkLock(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, config(func(c *core.Config) {
			c.Lockout.Network = core.NetworkLockoutConfig{Max: 8, Window: 600, Duration: 1200}
		}))
		e.client().signUp("a@example.com")
		e.client().signUp("attacker@example.com")
		for i := range 8 {
			c := e.client().from("2001:db8:1:2:" + itoa(i+1) + "::1")
			if a := c.signIn("user"+itoa(i)+"@example.com", wrong); a.Status != 401 {
				t.Fatalf("guess %d: %d %s", i, a.Status, a.Body)
			}
			if i == 5 {
				c.must(200, "POST", "/sign-in/email", m{"email": "attacker@example.com", "password": password})
			}
		}
		before := core.Hashes(e.auth)
		for i := range 3 {
			a := e.client().from("2001:db8:1:2::ffff").signIn("other"+itoa(i)+"@example.com", wrong)
			if a.code() != "TOO_MANY_REQUESTS" || a.Get("Retry-After") != "1200" {
				t.Errorf("from the network: %d %s %s", a.Status, a.Body, a.Get("Retry-After"))
			}
		}
		if n := core.Hashes(e.auth) - before; n != 0 {
			t.Errorf("%d passwords were looked at", n)
		}
		if n := len(e.rows("SELECT {attempt:id} FROM {attempt}")); n != 10 { // 8 unknown ones, the attacker, the network
			t.Errorf("%d counters: what is refused must leave none", n)
		}
		if a := e.client().from("2001:db8:1:3::1").signIn("a@example.com", password); a.Status != 200 {
			t.Errorf("from elsewhere: %d %s", a.Status, a.Body)
		}
		e.clock.Add(20*time.Minute - time.Millisecond)
		if a := e.client().from("2001:db8:1:2::1").signIn("a@example.com", password); a.Status != 429 {
			t.Errorf("before the end: %d", a.Status)
		}
		e.clock.Add(time.Millisecond)
		if a := e.client().from("2001:db8:1:2::1").signIn("a@example.com", password); a.Status != 200 {
			t.Errorf("at the end: %d %s", a.Status, a.Body)
		}
	})
}

// 200 parallel guesses at one account from 20 addresses: at most five are looked at.
func TestFloodOfGuesses(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		owner := e.client().signUp("a@example.com")
		before := core.Hashes(e.auth)
		var got outcomes
		parallel(t, 200, func(i int) { got.add(e.client().from("198.51.100."+itoa(i%20+1)).signIn("a@example.com", wrong)) })
		if n := core.Hashes(e.auth) - before; n > 5 {
			t.Errorf("%d guesses reached the password check", n)
		}
		t.Logf("answers: %v", got.n)
		if got.n["401 INVALID_EMAIL_OR_PASSWORD"] > 5 || got.n["429 ACCOUNT_LOCKED"]+got.n["429 TOO_MANY_REQUESTS"] < 195 {
			t.Errorf("answers: %v", got.n)
		}
		if a := owner.signIn("a@example.com", password); a.Status != 200 {
			t.Errorf("the owner's device: %d %s", a.Status, a.Body)
		}
	})
}

func TestUnlock(t *testing.T) {
	hooked := ""
	e := start(t, hooks(core.UserUnlock.After(func(_ context.Context, u *core.UserUnlockEvent) error {
		hooked = u.UserID
		return nil
	})))
	e.client().signUp("a@example.com")
	id := e.rows("SELECT {user:id} FROM {user}")[0]
	locked(e, "a@example.com", 5)
	h := e.auth.Host()
	if until, err := h.LockedUntil(t.Context(), id); err != nil || !until.Equal(e.clock.Now().Add(30*time.Minute)) {
		t.Errorf("locked until %v, %v", until, err)
	}
	if err := h.Unlock(t.Context(), nil, id); err != nil || hooked != id {
		t.Errorf("%v, hook %q", err, hooked)
	}
	if until, err := h.LockedUntil(t.Context(), id); err != nil || !until.IsZero() {
		t.Errorf("unlocked, but locked until %v, %v", until, err)
	}
	if a := e.client().signIn("a@example.com", password); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

// mute is a store of attempts that may not answer.
type mute struct {
	contract.AttemptStore
	err error
}

func (d *mute) Reserve(ctx context.Context, now time.Time, lease time.Duration, l ...contract.AttemptLimit) ([]time.Duration, error) {
	if d.err != nil {
		return nil, d.err
	}
	return d.AttemptStore.Reserve(ctx, now, lease, l...)
}

func (d *mute) Fail(ctx context.Context, now time.Time, l ...contract.AttemptLimit) error {
	if d.err != nil {
		return d.err
	}
	return d.AttemptStore.Fail(ctx, now, l...)
}

func (d *mute) Release(ctx context.Context, now time.Time, forget string, l ...contract.AttemptLimit) error {
	if d.err != nil {
		return d.err
	}
	return d.AttemptStore.Release(ctx, now, forget, l...)
}

// A store of its own counts as the database does, and where it does not answer the
// database does; where neither answers, what was chosen holds.
func TestAttemptStore(t *testing.T) {
	for _, choice := range []string{"", "closed", "open"} {
		t.Run("on failure "+choice, func(t *testing.T) {
			outside := start(t)
			store := &mute{core.DatabaseAttempts(outside.auth), nil}
			e := start(t, config(func(c *core.Config) { c.Lockout.Store, c.Lockout.OnFailure = store, choice }))
			e.client().signUp("a@example.com")
			for range 3 { // a right password clears there as well
				locked(e, "a@example.com", 4)
				if a := e.client().signIn("a@example.com", password); a.Status != 200 {
					t.Fatalf("%d %s", a.Status, a.Body)
				}
			}
			if e.sum("attempt") != 0 || outside.guesses() == 0 { // the network's
				t.Error("it was not the store that counted")
			}
			store.err = errors.New("connection refused to secret-host")
			if a := e.client().signIn("a@example.com", password); a.Status != 200 {
				t.Errorf("the right password without the store: %d %s", a.Status, a.Body)
			}
			var got outcomes // the database counts
			for range 8 {
				got.add(e.client().signIn("a@example.com", wrong))
			}
			got.want(t, map[string]int{"401 INVALID_EMAIL_OR_PASSWORD": 5, "429 ACCOUNT_LOCKED": 3})
			e.db.fail(refusing(broken("", ""), "attempt")) // neither does
			a := e.client().signIn("a@example.com", wrong)
			if want := map[bool]int{true: 401, false: 503}[choice == "open"]; a.Status != want || strings.Contains(string(a.Body), "secret") {
				t.Errorf("without store and database: %d %s, want %d", a.Status, a.Body, want)
			}
			e.db.fail(nil)
			if s := e.auth.Host().Stores().Attempts; s.Failures == 0 || !s.Failing {
				t.Errorf("statistics: %+v", s)
			}
			store.err = nil
			locked(e, "a@example.com", 5)
			c := e.client()
			if a := c.signIn("a@example.com", password); a.code() != "ACCOUNT_LOCKED" {
				t.Errorf("the store is back: %d %s", a.Status, a.Body)
			}
			c.must(200, "POST", "/request-password-reset", m{"email": "a@example.com"})
			c.must(200, "POST", "/reset-password", m{"newPassword": password, "token": e.mailed("reset-password").Token})
			if a := c.signIn("a@example.com", password); a.Status != 200 {
				t.Errorf("after the reset: %d %s", a.Status, a.Body)
			}
			store.err = errors.New("again")
			if a := e.client().signIn("a@example.com", password); a.Status != 200 {
				t.Errorf("the reset has left the database's lock: %d %s", a.Status, a.Body)
			}
		})
	}
}

// With the counters in the database, OnFailure is about their table alone.
func TestAttemptTableFails(t *testing.T) {
	for choice, want := range map[string]int{"closed": 503, "open": 200} {
		e := start(t, config(func(c *core.Config) { c.Lockout.OnFailure = choice }))
		e.client().signUp("a@example.com")
		e.db.fail(refusing(&storage.Error{Kind: storage.Schema}, "INSERT INTO {attempt=}"))
		if a := e.client().signIn("a@example.com", password); a.Status != want {
			t.Errorf("%s: %d %s", choice, a.Status, a.Body)
		}
		if logged := strings.Contains(e.logs.text(), "wrong guesses are not counted"); logged != (choice == "open") {
			t.Errorf("%s: logged %v", choice, logged)
		}
	}
}

// What nobody guessed is no guess: a rejected origin, bad input, a client that hangs up.
func TestWhatIsNoGuess(t *testing.T) {
	e := start(t)
	e.client().signUp("a@example.com")
	for range 8 {
		c := e.client()
		c.jar["x"] = "y"
		c.header["Origin"] = "https://evil.example"
		if a := c.signIn("a@example.com", wrong); a.code() != "INVALID_ORIGIN" {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		e.client().post("/sign-in/email", m{"email": "a@example.com"})
		e.client().post("/sign-in/email", "{")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if a := serveIn(ctx, e.auth, e.client().request("POST", "/sign-in/email", m{"email": "a@example.com", "password": wrong})); a.Status != 503 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	if e.guesses() != 0 {
		t.Error("something was counted")
	}
}

package core_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// CVE-2024-4629: of 100 parallel wrong passwords at most Lockout.Max are verified.
func TestParallelWrongPasswords(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		for _, email := range []string{"a@example.com", "nobody@example.com"} {
			e := start(t, db)
			e.client().signUp("a@example.com")
			before := core.Hashes(e.auth)
			var got outcomes
			parallel(t, 100, func(int) { got.add(e.client().signIn(email, wrong)) })
			if n := core.Hashes(e.auth) - before; n != 5 {
				t.Errorf("%s: %d passwords were verified, want 5", email, n)
			}
			// Beside five that are on their way, and behind a lock.
			if got.n["401 INVALID_EMAIL_OR_PASSWORD"] != 5 || got.n["429 TOO_MANY_REQUESTS"]+got.n["429 ACCOUNT_LOCKED"] != 95 {
				t.Errorf("%s: %v", email, got.n)
			}
			if a := e.client().signIn(email, password); a.code() != "ACCOUNT_LOCKED" {
				t.Errorf("%s: the right password while locked: %d %s", email, a.Status, a.Body)
			}
			empty(t, e)
		}
	})
}

// empty empties the tables, so that one database serves both halves of a test.
func empty(t *testing.T, e *env) {
	t.Helper()
	for _, table := range []string{"session", "account", "user", "attempt"} {
		e.exec("DELETE FROM {" + table + "}")
	}
}

func locked(e *env, email string, tries int) {
	e.t.Helper()
	for range tries {
		if a := e.client().signIn(email, wrong); a.Status != 401 {
			e.t.Fatalf("a wrong password: %d %s", a.Status, a.Body)
		}
	}
}

// A lock lasts exactly its duration, and says how long.
func TestLockLastsItsDuration(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		e.client().signUp("a@example.com")
		locked(e, "a@example.com", 5)
		a := e.client().signIn("a@example.com", password)
		if a.Status != 429 || a.Get("Retry-After") != "1800" || a.Get("X-Retry-After") != "1800" {
			t.Errorf("%d, Retry-After %q", a.Status, a.Get("Retry-After"))
		}
		e.clock.Add(30*time.Minute - time.Millisecond)
		if a := e.client().signIn("a@example.com", password); a.Status != 429 || a.Get("Retry-After") != "1" {
			t.Errorf("a moment before the end: %d, Retry-After %q", a.Status, a.Get("Retry-After"))
		}
		e.clock.Add(time.Millisecond)
		locked(e, "a@example.com", 4) // failures before the lock do not count any more
		if a := e.client().signIn("a@example.com", password); a.Status != 200 {
			t.Errorf("at the end: %d %s", a.Status, a.Body)
		}
	})
}

func TestWindowOfFailures(t *testing.T) {
	e := start(t)
	e.client().signUp("a@example.com")
	locked(e, "a@example.com", 4)
	e.clock.Add(15 * time.Minute)
	locked(e, "a@example.com", 4)
	if a := e.client().signIn("a@example.com", password); a.Status != 200 {
		t.Errorf("four failures in each of two windows: %d %s", a.Status, a.Body)
	}
}

// A right password forgets the wrong ones before it.
func TestRightPasswordClears(t *testing.T) {
	e := start(t)
	e.client().signUp("a@example.com")
	for range 3 {
		locked(e, "a@example.com", 4)
		if a := e.client().signIn("a@example.com", password); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	c := e.client().signUp("b@example.com")
	for range 3 {
		for range 4 {
			c.must(400, "POST", "/verify-password", m{"password": wrong})
		}
		c.must(200, "POST", "/verify-password", m{"password": password})
	}
}

// CVE-2025-24806, CVE-2026-9798: every way to try a password shares one count.
func TestAllWaysShareTheCount(t *testing.T) {
	e := start(t)
	c := e.client().signUp("ada@example.com")
	delete(c.jar, deviceCookie) // or else it would have a counter of its own
	tries := []func() answer{
		func() answer { return e.client().signIn("ada@example.com", wrong) },
		func() answer { return e.client().signIn("ADA@Example.COM", wrong) },
		func() answer { return c.post("/verify-password", m{"password": wrong}) },
		func() answer { return c.post("/change-password", m{"currentPassword": wrong, "newPassword": wrong}) },
		func() answer { return c.post("/delete-user", m{"password": wrong}) },
	}
	for i, try := range tries {
		if a := try(); a.Status == 429 || a.Status < 400 {
			t.Fatalf("try %d: %d %s", i, a.Status, a.Body)
		}
	}
	for i, try := range tries {
		if a := try(); a.code() != "ACCOUNT_LOCKED" {
			t.Errorf("try %d of a locked account: %d %s", i, a.Status, a.Body)
		}
	}
	// Spaces do not make another account of it: they are refused before counting.
	if a := e.client().signIn(" ada@example.com", wrong); a.code() != "INVALID_EMAIL" {
		t.Errorf("with a space: %d %s", a.Status, a.Body)
	}
	if n := e.guesses(); n != 2 {
		t.Errorf("%d counters for one account and one network", n)
	}
}

// An unknown address locks like a known one, and its counter does not hold the address.
func TestUnknownAddressesAreCounted(t *testing.T) {
	e := start(t)
	locked(e, "Nobody@example.com", 5)
	if a := e.client().signIn("nobody@EXAMPLE.com", wrong); a.code() != "ACCOUNT_LOCKED" || a.Get("Retry-After") != "1800" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if ids := e.rows("SELECT {attempt:id} FROM {attempt}"); len(ids) != 2 || strings.Contains(strings.ToLower(strings.Join(ids, "")), "nobody") {
		t.Errorf("counters %v", ids)
	}
}

// A process that dies between reserving and settling locks nobody out: the leases run
// out and count as nothing.
func TestLeasesRunOut(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		e.client().signUp("a@example.com")
		at := e.auth.Host().Attempts("password")
		id := e.rows("SELECT {user:id} FROM {user}")[0]
		var held []core.Attempt
		for range 5 {
			try, err := at.Reserve(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, try)
		}
		if a := e.client().signIn("a@example.com", password); a.Status != 429 || a.Get("Retry-After") != "30" {
			t.Errorf("with all attempts in flight: %d, Retry-After %q", a.Status, a.Get("Retry-After"))
		}
		e.clock.Add(30 * time.Second)
		if a := e.client().signIn("a@example.com", password); a.Status != 200 {
			t.Errorf("after the leases: %d %s", a.Status, a.Body)
		}
		// Those that come back late are no licence for more.
		for range 2 {
			if _, err := at.Reserve(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		e.clock.Add(30 * time.Second)
		if _, err := at.Reserve(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		for _, try := range held[:3] {
			if err := try.Fail(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		free := 0
		for range 10 {
			if _, err := at.Reserve(t.Context(), id); err == nil {
				free++
			}
		}
		if free != 2 {
			t.Errorf("%d more attempts after 3 failures, want 2", free)
		}
	})
}

// The incident that must not happen: a database that fails while passwords are checked
// counts nothing, whatever statement it fails at.
func TestDatabaseFailureCountsNothing(t *testing.T) {
	for _, tt := range []struct{ name, part, pass string }{
		{"everything, right password", "", password},
		{"everything, wrong password", "", wrong},
		{"reserving, right password", "INSERT INTO {attempt=}", password},
		{"reserving, wrong password", "INSERT INTO {attempt=}", wrong},
		{"settling a wrong one", "{attempt.failures} + 1,", wrong},
		{"settling a right one", "batch", password},
		{"the session", "INSERT INTO {session}", password},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := start(t)
			e.client().signUp("a@example.com")
			for range 12 {
				e.db.fail(refusing(broken("", ""), tt.part))
				if a := e.client().signIn("a@example.com", tt.pass); a.Status != 503 || a.code() != "SERVICE_UNAVAILABLE" || len(a.cookies()) != 0 {
					t.Fatalf("%d %s", a.Status, a.Body)
				}
				e.db.fail(nil)
				e.clock.Add(30 * time.Second)
			}
			if e.guesses() != 0 {
				t.Error("a failure was counted")
			}
			if a := e.client().signIn("a@example.com", password); a.Status != 200 {
				t.Errorf("afterwards %d %s", a.Status, a.Body)
			}
		})
	}
}

func TestUnlockByReset(t *testing.T) {
	e := start(t)
	e.client().signUp("a@example.com")
	locked(e, "a@example.com", 5)
	c := e.client()
	c.must(200, "POST", "/request-password-reset", m{"email": "a@example.com"})
	c.must(200, "POST", "/reset-password", m{"newPassword": "a new password", "token": e.mailed("reset-password").Token})
	if a := c.signIn("a@example.com", "a new password"); a.Status != 200 {
		t.Errorf("after the reset: %d %s", a.Status, a.Body)
	}
}

// Who is refused for another reason than the password has not guessed.
func TestRefusalIsNoGuess(t *testing.T) {
	e := start(t)
	e.client().signUp("a@example.com")
	bannable(e)
	e.exec("UPDATE {user} SET {user:banned} = ?", true)
	for range 8 {
		if a := e.client().signIn("a@example.com", password); a.code() != "BANNED_USER" {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
}

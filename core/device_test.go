package core_test

import (
	"context"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// The device that signed in before is counted apart: the owner gets in while somebody
// else keeps the account locked, and so does nobody who guesses.
func TestKnownDevice(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		owner := e.client().signUp("a@example.com")
		owner.must(200, "POST", "/sign-out", m{})
		mallory := e.client().signUp("mallory@example.com")
		lock := func() {
			for range 5 {
				e.client().from("203.0.113.9").signIn("a@example.com", wrong)
			}
		}
		lock()
		refused := func(c *client, who string) {
			t.Helper()
			if a := c.signIn("a@example.com", password); a.code() != "ACCOUNT_LOCKED" {
				t.Errorf("%s: %d %s", who, a.Status, a.Body)
			}
		}
		refused(e.client(), "a new browser")
		refused(mallory, "a browser that somebody else signed in with")
		forged := e.client()
		forged.jar[deviceCookie] = owner.jar[deviceCookie][:24] + ".AAAA"
		refused(forged, "a cookie without its signature")
		if a := owner.signIn("a@example.com", password); a.Status != 200 {
			t.Fatalf("the owner's device: %d %s", a.Status, a.Body)
		}
		refused(e.client(), "a new browser, after the owner")

		// A stolen cookie is worth five guesses, then it is locked like the account.
		thief := e.client().from("203.0.113.9")
		thief.jar[deviceCookie] = owner.jar[deviceCookie]
		before := core.Hashes(e.auth)
		for range 20 {
			thief.clone().signIn("a@example.com", wrong)
		}
		if n := core.Hashes(e.auth) - before; n != 5 {
			t.Errorf("a stolen cookie was good for %d guesses", n)
		}
		refused(owner, "the device while its own counter is locked")
		e.clock.Add(30 * time.Minute)
		lock()
		if a := owner.signIn("a@example.com", password); a.Status != 200 {
			t.Errorf("the owner's device, later: %d %s", a.Status, a.Body)
		}
	})
}

// A device that is known passes where the network is locked, too: the owner may sit
// behind the same address as the attacker.
func TestKnownDeviceBehindALockedNetwork(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.Lockout.Network.Max = 3 }))
	owner := e.client().signUp("a@example.com")
	for i := range 3 {
		e.client().signIn("x"+itoa(i)+"@example.com", wrong)
	}
	if a := e.client().signIn("a@example.com", password); a.code() != "TOO_MANY_REQUESTS" {
		t.Errorf("a new browser: %d %s", a.Status, a.Body)
	}
	if a := owner.signIn("a@example.com", password); a.Status != 200 {
		t.Errorf("the known one: %d %s", a.Status, a.Body)
	}
}

// What ends a user's access ends what their devices are known for.
func TestDevicesAreForgotten(t *testing.T) {
	for name, act := range map[string]func(e *env, c *client){
		"reset": func(e *env, c *client) {
			c.must(200, "POST", "/request-password-reset", m{"email": "a@example.com"})
			c.must(200, "POST", "/reset-password", m{"newPassword": password, "token": e.mailed("reset-password").Token})
		},
		"reset that ends no session": func(e *env, c *client) {
			e.ep.RevokeSessionsOnPasswordReset = ptr(false)
			e.auth = e.compile()
			d := e.client()
			d.must(200, "POST", "/request-password-reset", m{"email": "a@example.com"})
			d.must(200, "POST", "/reset-password", m{"newPassword": password, "token": e.mailed("reset-password").Token})
		},
		"revoke-sessions": func(_ *env, c *client) { c.must(200, "POST", "/revoke-sessions", m{}) },
		"claim": func(e *env, c *client) {
			err := e.auth.Host().Tx(t.Context(), nil, func(ctx context.Context, tx *core.Tx) error {
				u, err := e.auth.Host().UserByEmail(ctx, tx, "a@example.com")
				if err == nil {
					_, err = e.auth.Host().ClaimUnproven(ctx, tx, nil, u)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		},
		"deletion": func(_ *env, c *client) { c.must(200, "POST", "/delete-user", m{"password": password}) },
	} {
		t.Run(name, func(t *testing.T) {
			e := start(t)
			c := e.client().signUp("a@example.com")
			other := e.client().signUp("b@example.com")
			if e.sum("knownDevice") != 2 {
				t.Fatal("the devices are not remembered: the test shows nothing")
			}
			act(e, c)
			if e.sum("knownDevice") != 1 || other.jar[deviceCookie] == "" {
				t.Errorf("%d devices are known, want the other user's", e.sum("knownDevice"))
			}
		})
	}
}

// A user has at most ten devices, a browser is one however often it signs in, and what
// nobody has used for 400 days goes.
func TestDevicesAreBounded(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		first := e.client().signUp("a@example.com")
		for range 3 {
			first.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password})
		}
		if n := e.sum("knownDevice"); n != 1 {
			t.Errorf("one browser is %d devices", n)
		}
		for range 12 {
			e.clock.Add(time.Minute)
			e.client().signIn("a@example.com", password)
		}
		if n := e.sum("knownDevice"); n != 10 {
			t.Errorf("%d devices", n)
		}
		for range 5 {
			e.client().from("203.0.113.9").signIn("a@example.com", wrong)
		}
		if a := first.signIn("a@example.com", password); a.Status != 429 {
			t.Errorf("the one used longest ago is still known: %d", a.Status)
		}
		e.clock.Add(401 * 24 * time.Hour)
		if _, err := e.auth.Host().Clean(t.Context()); err != nil || e.sum("knownDevice") != 0 {
			t.Errorf("after 400 days: %v, %d devices", err, e.sum("knownDevice"))
		}
	})
}

// Whoever does not want to be remembered, or has lockout off, gets no device cookie.
func TestNoDeviceCookie(t *testing.T) {
	e := start(t)
	e.client().signUp("a@example.com")
	c := e.client()
	c.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password, "rememberMe": false})
	off := start(t, config(func(c *core.Config) { c.Lockout.Disabled = true }))
	d := off.client().signUp("a@example.com")
	if c.jar[deviceCookie]+d.jar[deviceCookie] != "" || e.sum("knownDevice") != 1 || off.sum("knownDevice") != 0 {
		t.Errorf("cookies %v %v", jarNames(c), jarNames(d))
	}
}

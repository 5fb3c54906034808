package core_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugins/magiclink"
)

// A sign-in takes as long as a hash. A password that was replaced, or taken away, in that
// time signs nobody in: whoever knows the old one and signs in all the time would be left
// inside by the very act that is to put them out.
func TestThePasswordOfASignInIsTheOneAtItsEnd(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		for name, renew := range map[string]func(e *env, a *client){
			"reset": reset,
			"changed": func(_ *env, a *client) {
				a.must(200, "POST", "/change-password", m{"currentPassword": password, "newPassword": "another good one", "revokeOtherSessions": true})
			},
			"claimed": func(e *env, _ *client) {
				b := e.client()
				b.must(200, "POST", "/sign-in/magic-link", m{"email": "a@example.com"})
				b.must(302, "GET", link(t, e.mailed("magic-link").URL)+"&callbackURL=/", nil)
			},
		} {
			t.Run(name, func(t *testing.T) {
				e := start(t, db, with(magiclink.New(magiclink.Options{})), config(func(c *core.Config) { c.Notices.Disabled = true }))
				e.exec("DELETE FROM {user}")
				a := e.client().signUp("a@example.com")
				eve := e.client()
				e.db.behind = func() { renew(e, a) }
				if r := eve.signIn("a@example.com", password); r.Status != 401 || r.code() != emailpassword.ErrInvalidCredentials.Code {
					t.Errorf("signed in by the old password: %d %s", r.Status, r.Body)
				}
				if eve.user() != "" {
					t.Error("there is a session for it")
				}
				if n := e.sum("session"); n > 1 {
					t.Errorf("%d sessions, want the owner's alone", n)
				}
			})
		}
	})
}

// The same as a race. Nothing is said of who is refused: a password that was right a moment
// ago may come too late, and may not sign anybody in.
func TestANewPasswordRacesWithSignIns(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, config(func(c *core.Config) { c.Lockout.Disabled = true }))
		old := password
		a := e.client().signUp("a@example.com")
		for round := range 25 {
			next := "round " + itoa(round) + " " + password
			e.clock.Add(time.Second)
			e.client().must(200, "POST", "/request-password-reset", m{"email": "a@example.com"})
			token := e.mailed("reset-password").Token
			inside := make([]*client, 6)
			parallel(t, len(inside)+1, func(i int) {
				if i == len(inside) {
					e.client().must(200, "POST", "/reset-password", m{"token": token, "newPassword": next})
					return
				}
				inside[i] = e.client()
				if r := inside[i].signIn("a@example.com", old); r.Status != 200 && r.code() != "INVALID_EMAIL_OR_PASSWORD" {
					t.Errorf("a sign-in: %d %s", r.Status, r.Body)
				}
			})
			for _, c := range inside {
				if c.user() != "" {
					t.Fatalf("round %d: somebody is inside by a password that was replaced", round)
				}
			}
			old = next
		}
		if a.user() != "" {
			t.Error("the first session is there still")
		}
	})
}

// Nor does a session that was ended in that time change the password, or get another session
// in its place: with the second factor on, the password alone would not bring its holder back.
func TestAChangeOfThePasswordDoesNotOutliveItsSession(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		for name, revoke := range map[string]bool{"alone": false, "ending the others": true} {
			t.Run(name, func(t *testing.T) {
				e := start(t, db)
				e.exec("DELETE FROM {user}")
				owner := e.client().signUp("a@example.com")
				eve := e.client()
				if r := eve.signIn("a@example.com", password); r.Status != 200 {
					t.Fatalf("signing in: %d %s", r.Status, r.Body)
				}
				e.db.behind = func() { owner.must(200, "POST", "/revoke-other-sessions", nil) }
				r := eve.post("/change-password", m{"currentPassword": password, "newPassword": "eve's own password", "revokeOtherSessions": revoke})
				if r.Status != 401 || eve.user() != "" {
					t.Errorf("a session that was ended changes the password: %d %s", r.Status, r.Body)
				}
				if owner.user() == "" {
					t.Error("the owner is put out")
				}
				if r := e.client().signIn("a@example.com", password); r.Status != 200 {
					t.Errorf("the owner's password: %d %s", r.Status, r.Body)
				}
			})
		}
	})
}

// Nor does it delete the account.
func TestADeletionDoesNotOutliveItsSession(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, config(func(c *core.Config) { c.User.DeleteUser.Enabled = true }))
		owner := e.client().signUp("a@example.com")
		eve := e.client()
		if r := eve.signIn("a@example.com", password); r.Status != 200 {
			t.Fatalf("signing in: %d %s", r.Status, r.Body)
		}
		e.db.behind = func() { owner.must(200, "POST", "/revoke-other-sessions", nil) }
		if r := eve.post("/delete-user", m{"password": password}); r.Status != 401 || owner.user() == "" {
			t.Errorf("a session that was ended deletes the user: %d %s", r.Status, r.Body)
		}
	})
}

// A user without a password: nothing that a claim takes away tells the links of a change
// apart that were begun before it.
func TestChangeLinkOfAPasswordlessAccountEndsWithAClaim(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, with(magiclink.New(magiclink.Options{})), config(func(c *core.Config) { c.Account.AllowUnlinkingAll = true }))
		eve := e.client().signUp("victim@example.com")
		id := eve.user()
		e.exec("DELETE FROM {account}") // as /unlink-account, or signing up with a passkey, leaves it
		to := begin(t, e, eve, "verify-email")
		b := e.client()
		b.must(200, "POST", "/sign-in/magic-link", m{"email": "victim@example.com"})
		b.must(302, "GET", link(t, e.mailed("magic-link").URL)+"&callbackURL=/", nil)
		if r := e.client().get(to); r.code() != "INVALID_TOKEN" {
			t.Errorf("an older link: %d %s", r.Status, r.Body)
		}
		if got := owner(t, e, id); got != "victim@example.com" {
			t.Errorf("the address is %s", got)
		}
	})
}

// A first password is on its way while the owner takes the account over: the session was good
// when it was read, and is not when the password is written.
func TestAFirstPasswordDoesNotOutliveItsSession(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, with(magiclink.New(magiclink.Options{})))
		eve := e.client().signUp("victim@example.com")
		e.exec("DELETE FROM {account}") // as /unlink-account, or signing up with a passkey, leaves it
		token := eve.token()
		e.db.behind = func() {
			b := e.client()
			b.must(200, "POST", "/sign-in/magic-link", m{"email": "victim@example.com"})
			b.must(302, "GET", link(t, e.mailed("magic-link").URL)+"&callbackURL=/", nil)
		}
		_, err := emailpassword.SetPassword.Call(t.Context(), e.auth, emailpassword.SetPasswordInput{NewPassword: "eve's own password"}, core.AsToken(token))
		if !errors.Is(err, core.ErrUnauthorized) {
			t.Errorf("a session that is over sets a password: %v", err)
		}
		if r := e.client().signIn("victim@example.com", "eve's own password"); r.Status != 401 {
			t.Errorf("signed in by it: %d %s", r.Status, r.Body)
		}
	})
}

// A change of address is asked for while the owner takes the account over: its link is made
// behind the first proof, which would void one that was there.
func TestAChangeOfAddressDoesNotOutliveItsSession(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, with(magiclink.New(magiclink.Options{})))
		eve := e.client().signUp("victim@example.com")
		id := eve.user()
		e.db.behind = func() {
			b := e.client()
			b.must(200, "POST", "/sign-in/magic-link", m{"email": "victim@example.com"})
			b.must(302, "GET", link(t, e.mailed("magic-link").URL)+"&callbackURL=/", nil)
			e.clock.Add(2 * time.Second)
		}
		if r := eve.post("/change-email", m{"newEmail": "eve@example.com"}); r.Status != 401 {
			t.Errorf("a session that is over changes an address: %d %s", r.Status, r.Body)
		}
		for _, mail := range e.deliver() {
			if mail.To == "eve@example.com" {
				e.client().get(link(t, mail.URL))
				t.Errorf("a link was mailed; the address behind it: %s", owner(t, e, id))
			}
		}
	})
}

// The same where the address is changed at once, and the owner sets a password by a mailed link.
func TestAChangeAtOnceDoesNotOutliveItsSession(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, config(func(c *core.Config) { c.User.ChangeEmail.UpdateWithoutVerification = true }))
		eve := e.client().signUp("a@example.com")
		id := eve.user()
		e.db.behind = func() { reset(e, eve) }
		if r := eve.post("/change-email", m{"newEmail": "mallory@example.com"}); r.Status != 401 {
			t.Errorf("a session that is over changes an address: %d %s", r.Status, r.Body)
		}
		if got := owner(t, e, id); got != "a@example.com" {
			t.Errorf("the address is %s", got)
		}
	})
}

// The link of a change is followed while the owner takes the account over: whatever has been
// read by then, the change does not come behind the first proof. Without a claim in between
// it is what it always was.
func TestAChangeLinkDoesNotRaceWithAClaim(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		for read := range 5 { // the last ones come too late
			e := start(t, db, with(magiclink.New(magiclink.Options{})), config(func(c *core.Config) { c.Notices.Disabled = true }))
			e.exec("DELETE FROM {user}")
			eve := e.client().signUp("victim@example.com")
			id, to := eve.user(), begin(t, e, eve, "verify-email")
			e.client().must(200, "POST", "/sign-in/magic-link", m{"email": "victim@example.com"})
			proof := link(t, e.mailed("magic-link").URL) + "&callbackURL=/"
			claim := func() { e.client().must(302, "GET", proof, nil) }
			if read == 4 { // as a race
				parallel(t, 2, func(i int) {
					if i == 0 {
						claim()
						return
					}
					e.client().get(to)
				})
			} else {
				for range read {
					then := claim
					claim = func() { e.db.behind = then }
				}
				e.db.behind = claim
				e.client().get(to)
				e.db.behind = nil
			}
			claims, err := e.auth.Host().Events(t.Context(), core.EventQuery{UserID: id, Types: []string{core.EventUserClaimed}})
			if err != nil {
				t.Fatal(err)
			}
			got := owner(t, e, id)
			if n := len(claims.Events); n > 0 && got != "victim@example.com" || read == 0 && n != 1 {
				t.Errorf("behind %d reads: %d claims, and the address is %s", read+1, n, got)
			}
		}
	})
}

// A second factor uses its challenge up, and then makes a session, which refers to the user. A
// change of address that deletes the challenge meanwhile waits for that, and does not have
// the user in a way that the session would wait for in turn.
func TestAChangeOfAddressWaitsForAChallenge(t *testing.T) {
	for name, direct := range map[string]bool{"by a link": false, "at once": true} {
		t.Run(name, func(t *testing.T) {
			e := start(t, on(openPostgres(t)), config(func(c *core.Config) { c.User.ChangeEmail.UpdateWithoutVerification = direct }))
			h, a := e.auth.Host(), e.client().signUp("old@example.com")
			id := a.user()
			change := func() answer { return a.post("/change-email", m{"newEmail": "mallory@example.com"}) }
			if !direct {
				to := begin(t, e, a, "verify-email")
				change = func() answer { return a.get(to) }
			}
			if err := h.PutVerification(t.Context(), h.DB(), "challenge", id, time.Hour); err != nil {
				t.Fatal(err)
			}
			answered := make(chan answer, 1)
			err := h.Tx(t.Context(), nil, func(ctx context.Context, tx *core.Tx) error {
				if _, _, err := h.TakeVerification(ctx, tx, "challenge"); err != nil {
					return err
				}
				go func() { answered <- change() }()
				for waits := false; !waits; { // until the change waits for this transaction
					rows, err := h.DB().Query(t.Context(), "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')")
					if err != nil {
						return err
					}
					for rows.Next() {
						err = rows.Scan(&waits)
					}
					if err := errors.Join(err, rows.Close()); err != nil {
						return err
					}
				}
				// As the foreign key of a new session does.
				rows, err := tx.Query(ctx, "SELECT 1 FROM {user=} WHERE {user.id} = ? FOR KEY SHARE", id)
				if err != nil {
					return err
				}
				return errors.Join(rows.Close(), rows.Err())
			})
			if err != nil {
				t.Errorf("the second factor: %v", err)
			}
			if r := <-answered; r.Status != 200 {
				t.Errorf("the change: %d %s", r.Status, r.Body)
			}
			if got := owner(t, e, id); got != "mallory@example.com" {
				t.Errorf("the address is %s", got)
			}
		})
	}
}

// Links that were mailed to an address are worth nothing once the user has another one:
// whoever reads the old mailbox may be why.
func TestLinksEndWithTheAddress(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		for name, direct := range map[string]bool{"by a link": false, "at once": true} {
			t.Run(name, func(t *testing.T) {
				e := start(t, db, config(func(c *core.Config) { c.User.ChangeEmail.UpdateWithoutVerification = direct }))
				e.exec("DELETE FROM {user}")
				a := e.client().signUp("old@example.com")
				e.client().must(200, "POST", "/request-password-reset", m{"email": "old@example.com"})
				reset := e.mailed("reset-password").Token
				a.must(200, "POST", "/change-email", m{"newEmail": "new@example.com"})
				if mailed := e.mailed("verify-email"); !direct {
					a.must(200, "GET", link(t, mailed.URL), nil)
				}
				if got := owner(t, e, a.user()); got != "new@example.com" {
					t.Fatalf("the address is %s", got)
				}
				if r := e.client().post("/reset-password", m{"token": reset, "newPassword": "of the old mailbox"}); r.code() != "INVALID_TOKEN" {
					t.Errorf("a link to the old address: %d %s", r.Status, r.Body)
				}
			})
		}
	})
}

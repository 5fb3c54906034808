package twofactor

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// A mailbox is one factor. Who reads it resets the password, and must not get the second
// factor from there as well, where the user has one that is not in it.
func TestAMailboxIsOneFactor(t *testing.T) {
	for _, e := range []plugintest.Engine{plugintest.SQLite, plugintest.Postgres} {
		w := newWorld(t, Options{}, func(o *plugintest.Options) { o.Database = e })
		m := w.enrol("ada@example.com")
		w.exec("UPDATE {user} SET {user:emailVerified} = ?", true)
		offered := func(mailed bool) *plugintest.Client {
			t.Helper()
			c := w.Client()
			a := c.Post("/sign-in/email", plugintest.M{"email": m.email, "password": password}).Want(200)
			list, _ := a.Get("twoFactorMethods").([]any)
			if slices.Contains(list, any("otp")) != mailed || !slices.Contains(list, any("totp")) {
				t.Errorf("%s: offered %v, by mail: want %v", e, list, mailed)
			}
			if got := c.Post("/two-factor/send-otp", plugintest.M{}); mailed != (got.Status == 200) {
				t.Errorf("%s: send-otp answers %d %s", e, got.Status, got.Body)
			}
			w.Clock.Advance(time.Minute)
			return c
		}
		offered(true)
		for _, pass := range []func(c *plugintest.Client){
			func(c *plugintest.Client) {
				c.Post("/two-factor/verify-totp", plugintest.M{"code": m.code(0)}).Want(200)
			},
			func(c *plugintest.Client) {
				c.Post("/two-factor/verify-backup-code", plugintest.M{"code": m.codes[0]}).Want(200)
			},
			func(c *plugintest.Client) { // who is inside by another proof, and changes the password
				c.Post("/two-factor/verify-totp", plugintest.M{"code": m.code(0)}).Want(200)
				c.Post("/change-password", plugintest.M{"currentPassword": password, "newPassword": password}).Want(200)
			},
		} {
			w.Client().Post("/request-password-reset", plugintest.M{"email": m.email}).Want(200)
			w.Client().Post("/reset-password", plugintest.M{"token": w.Mail(m.email, "reset-password").Token, "newPassword": password}).Want(200)
			w.Clock.Advance(time.Minute)
			offered(false)
			pass(offered(false))
			w.Clock.Advance(time.Minute)
			offered(true)
		}
	}
}

// Who has nothing but codes by mail keeps them: without, nobody would get in.
func TestAMailboxIsEnoughWhereItIsAll(t *testing.T) {
	w := newWorld(t, Options{})
	c := w.signUp("ada@example.com")
	c.Post("/two-factor/enable", plugintest.M{"password": password, "method": "otp"}).Want(200)
	w.Client().Post("/request-password-reset", plugintest.M{"email": "ada@example.com"}).Want(200)
	w.Client().Post("/reset-password", plugintest.M{"token": w.Mail("ada@example.com", "reset-password").Token, "newPassword": password}).Want(200)
	in := w.challenge("ada@example.com")
	in.Post("/two-factor/send-otp", plugintest.M{}).Want(200)
	in.Post("/two-factor/verify-otp", plugintest.M{"code": w.Mail("ada@example.com", mailName).OTP}).Want(200)
}

// Nor is there anything left to ask behind a link in that mailbox: a challenge that nothing
// meets would keep them out for good, whose account has no password. It is one factor all the same.
func TestALinkIsEnoughWhereTheMailboxIsAll(t *testing.T) {
	w := newWorld(t, Options{})
	link := func(email string) (*plugintest.Client, *plugintest.Answer) {
		t.Helper()
		w.Clock.Advance(time.Minute)
		w.Client().Post("/sign-in/magic-link", plugintest.M{"email": email}).Want(200)
		c := w.Client()
		return c, c.Get("/magic-link/verify?token=" + w.Mail(email, "magic-link").Token).Want(200)
	}
	c, _ := link("ada@example.com")
	c.Post("/two-factor/send-otp", plugintest.M{}).Want(200)
	c.Post("/two-factor/verify-otp", plugintest.M{"code": w.Mail("ada@example.com", mailName).OTP}).Want(200)
	if a := c.Get("/get-session").Want(200); a.Get("user.twoFactorEnabled") != true {
		t.Fatalf("it is not on: %s", a.Body)
	}
	id := c.Get("/get-session").Want(200).Text("user.id")
	w.exec("DELETE FROM {session}")
	c, a := link("ada@example.com")
	if !signedIn(c) {
		t.Errorf("a link by mail: %s", a.Body)
	}
	if list := w.sessions(id); len(list) != 1 || list[0]["aal"] != "1" {
		t.Errorf("sessions: %v, want one of level 1", list)
	}
	// Whoever has a password as well is to use it: it is the other factor.
	w.signUp("eve@example.com").Post("/two-factor/enable", plugintest.M{"password": password, "method": "otp"}).Want(200)
	w.exec("UPDATE {user} SET {user:emailVerified} = ?", true)
	if c, a := link("eve@example.com"); signedIn(c) || a.Get("twoFactorRedirect") != true {
		t.Errorf("the password is not asked for: %s", a.Body)
	}
	// Whoever has more is asked for it, also where this server does not offer it.
	m := w.enrol("bob@example.com")
	w.exec("UPDATE {user} SET {user:emailVerified} = ?", true)
	for _, off := range []bool{false, true} {
		w.p.o.TOTP.Disable = off
		if c, a := link(m.email); signedIn(c) || a.Get("twoFactorRedirect") != true {
			t.Errorf("an authenticator is not asked for, switched off: %v: %s", off, a.Body)
		}
	}
}

// bans brings the column of bans: where it is, a sign-in holds the user's row as well.
type bans struct{}

func (bans) Spec() core.Spec {
	return core.Spec{ID: "bans", Extend: []schema.Extension{{Table: "user", Columns: []schema.Column{{Name: "banned", Kind: schema.Bool, Nullable: true}}}}}
}

// A challenge that began with the old password ends with it, also where both happen at once.
func TestAChallengeRacesWithAReset(t *testing.T) {
	for _, e := range []plugintest.Engine{plugintest.SQLite, plugintest.Postgres} {
		w := newWorld(t, Options{}, noLockout, func(o *plugintest.Options) { o.Database, o.Plugins = e, append(o.Plugins, bans{}) })
		m := w.enrol("ada@example.com")
		for round := range 15 {
			eve := w.challenge(m.email)
			w.Client().Post("/request-password-reset", plugintest.M{"email": m.email}).Want(200)
			token := w.Mail(m.email, "reset-password").Token
			var wg sync.WaitGroup
			wg.Add(2)
			go func() {
				defer wg.Done()
				eve.Post("/two-factor/verify-totp", plugintest.M{"code": m.code(0)})
			}()
			go func() {
				defer wg.Done()
				w.Client().Post("/reset-password", plugintest.M{"token": token, "newPassword": password}).Want(200)
			}()
			wg.Wait()
			if signedIn(eve) {
				t.Fatalf("%s, round %d: somebody is inside by a password that was replaced", e, round)
			}
			w.Clock.Advance(time.Minute)
		}
	}
}

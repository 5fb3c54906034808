package core_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

// CVE-2026-114607: every kind of one-time secret is redeemed at every endpoint; all but
// its own refuse it, and leave it usable.
func TestSecretsOfOtherFlows(t *testing.T) {
	for _, storage := range []string{"hashed", "compat"} {
		e := start(t, config(func(c *core.Config) {
			c.Session.TokenStorage, c.User.DeleteUser.VerifyByMail = storage, true
			c.Email.AutoSignIn = true
		}))
		c := e.client().signUp("a@example.com")
		secrets := map[string]string{"session": c.token()}
		c.must(200, "POST", "/request-password-reset", m{"email": "a@example.com"})
		secrets["reset"] = e.mailed("reset-password").Token
		c.must(200, "POST", "/send-verification-email", m{"email": "a@example.com"})
		secrets["verify"] = e.mailed("verify-email").Token
		c.must(200, "POST", "/delete-user", m{})
		secrets["delete"] = e.mailed("delete-account").Token
		for _, row := range e.rows("SELECT {verification:identifier} FROM {verification}") {
			secrets["stored "+row] = row
		}
		redeem := map[string]func(tok string) answer{
			"reset": func(tok string) answer {
				return e.client().post("/reset-password", m{"newPassword": password, "token": tok})
			},
			"verify": func(tok string) answer { return e.client().get("/verify-email?token=" + url.QueryEscape(tok)) },
			"delete": func(tok string) answer {
				return c.clone().get("/delete-user/callback?token=" + url.QueryEscape(tok))
			},
			"delete in body": func(tok string) answer { return c.clone().post("/delete-user", m{"token": tok}) },
			"session": func(tok string) answer {
				d := e.client()
				d.jar[tokenCookie] = url.QueryEscape(tok)
				return d.get("/list-accounts")
			},
		}
		for kind, value := range secrets {
			for _, form := range []string{value, "reset-password:" + value, "delete-account-" + value} {
				for at, fn := range redeem {
					if form == value && (kind == at || kind == "delete" && at == "delete in body") {
						continue
					}
					if a := fn(form); a.Status < 400 || len(a.cookies()[tokenCookie]) > 0 {
						t.Errorf("%s: %s (%s) at %s: %d %s", storage, kind, form, at, a.Status, a.Body)
					}
				}
			}
		}
		for _, kind := range []string{"verify", "delete"} {
			if a := redeem[kind](secrets[kind]); a.Status != 200 {
				t.Errorf("%s: %s at its own endpoint: %d %s: the test shows nothing", storage, kind, a.Status, a.Body)
			}
		}
	}
}

// CVE-2026-34969, GHSA-x3f4-v83f-7wp2: no Location carries a session token.
func TestLocationsCarryNoSession(t *testing.T) {
	e := start(t, passwords(func(o *emailpassword.Options) {}), config(func(c *core.Config) { c.Email.AutoSignIn = true }))
	e.client().signUp("a@example.com")
	c := e.client()
	a := c.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password, "callbackURL": "/x"})
	e.client().must(200, "POST", "/send-verification-email", m{"email": "a@example.com", "callbackURL": "/y"})
	v := e.client()
	b := v.must(302, "GET", "/verify-email?callbackURL=%2Fy&token="+e.mailed("verify-email").Token, nil)
	if v.user() == "" {
		t.Fatal("the link has not signed in: the test shows nothing")
	}
	for _, res := range []answer{a, b} {
		for _, tok := range []string{c.token(), v.token()} {
			if strings.Contains(res.Get("Location"), tok) || res.Get("Location") == "" {
				t.Errorf("Location %q", res.Get("Location"))
			}
		}
	}
}

// CVE-2023-49097 and others: links come from the configuration, whatever the headers say.
func TestLinksIgnoreHeaders(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.User.DeleteUser.VerifyByMail = true }))
	c := e.client().signUp("a@example.com")
	for _, name := range []string{"Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "Forwarded", "X-Original-Host", "X-Original-URL", "X-Rewrite-URL", "X-Host"} {
		c.header[name] = "evil.example"
	}
	c.must(200, "POST", "/request-password-reset", m{"email": "a@example.com"})
	c.must(200, "POST", "/send-verification-email", m{"email": "a@example.com"})
	c.must(200, "POST", "/change-email", m{"newEmail": "b@example.com"})
	c.must(200, "POST", "/delete-user", m{})
	list := e.deliver()
	if len(list) != 4 {
		t.Fatalf("mails %v", templates(list))
	}
	for _, mail := range list {
		if !strings.HasPrefix(mail.URL, base+"/api/auth/") || strings.Contains(mail.URL, "evil") {
			t.Errorf("%s: %s", mail.Template, mail.URL)
		}
	}
}

// CVE-2026-73431, CVE-2026-37982, GHSA-hc7v-rggr-4hvx: a reset link works once, and not
// after the password was changed in another way; a mail scanner's GET does not spend it.
func TestResetLinks(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	link := func() string {
		e.client().must(200, "POST", "/request-password-reset", m{"email": "a@example.com", "redirectTo": "/reset"})
		return e.mailed("reset-password").Token
	}
	reset := func(tok string) answer {
		return e.client().post("/reset-password", m{"newPassword": "a new password", "token": tok})
	}
	tok := link()
	if rows := e.rows("SELECT {verification:identifier} FROM {verification}"); strings.Contains(rows[0], tok) {
		t.Error("the token is stored as it is")
	}
	for range 3 {
		if a := e.client().get("/reset-password/" + tok + "?callbackURL=%2Freset"); a.Status != 302 || a.Get("Location") != base+"/reset?token="+tok {
			t.Errorf("GET: %d to %s", a.Status, a.Get("Location"))
		}
	}
	if a := reset(tok); a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if a := reset(tok); a.Status != 400 || a.code() != "INVALID_TOKEN" {
		t.Errorf("again: %d %s", a.Status, a.Body)
	}
	first, second := link(), link()
	c.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": "a new password"})
	c.must(200, "POST", "/change-password", m{"currentPassword": "a new password", "newPassword": password})
	for _, tok := range []string{first, second} {
		if a := reset(tok); a.code() != "INVALID_TOKEN" {
			t.Errorf("after the change: %d %s", a.Status, a.Body)
		}
	}
	// CVE-2025-64708: expiry counts at use, whether or not something cleans up.
	tok = link()
	e.clock.Add(time.Hour - time.Millisecond)
	if a := e.client().get("/reset-password/" + tok + "?callbackURL=%2Freset"); !strings.Contains(a.Get("Location"), "token=") {
		t.Errorf("just before its end: %s", a.Get("Location"))
	}
	e.clock.Add(time.Millisecond)
	if a := reset(tok); a.code() != "INVALID_TOKEN" {
		t.Errorf("at its end: %d %s", a.Status, a.Body)
	}
	// CVE-2026-18963: no step of the flow can be left out.
	for _, body := range []m{{"newPassword": password}, {"newPassword": password, "token": ""}, {"newPassword": password, "email": "a@example.com", "userId": c.user()}} {
		if a := e.client().post("/reset-password", body); a.Status != 400 {
			t.Errorf("%v: %d", body, a.Status)
		}
	}
}

// The link that deletes an account works for its owner, once, until it expires.
func TestDeletionLinks(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.User.DeleteUser.VerifyByMail, c.User.DeleteUser.TokenExpiresIn = true, 60 }))
	c, other := e.client().signUp("a@example.com"), e.client().signUp("b@example.com")
	link := func() string {
		c.must(200, "POST", "/delete-user", m{})
		return "/delete-user/callback?token=" + e.mailed("delete-account").Token
	}
	late := link()
	e.clock.Add(time.Minute)
	if a := c.get(late); a.Status != 404 || a.code() != "INVALID_TOKEN" {
		t.Errorf("at its end: %d %s", a.Status, a.Body)
	}
	tried := link()
	if a := other.get(tried); a.Status != 404 || a.code() != "INVALID_TOKEN" {
		t.Errorf("another user: %d %s", a.Status, a.Body)
	}
	if a := c.get(tried); a.Status != 404 {
		t.Errorf("a link that another user has tried: %d %s", a.Status, a.Body)
	}
	if a := e.client().get(link()); a.Status != 404 || a.code() != "FAILED_TO_GET_USER_INFO" {
		t.Errorf("without a session: %d %s", a.Status, a.Body)
	}
	if e.sum("user") != 2 {
		t.Fatal("somebody was deleted")
	}
	good := link()
	e.clock.Add(time.Minute - time.Millisecond)
	if a := c.get(good); a.Status != 200 || e.sum("user") != 1 || other.user() == "" {
		t.Errorf("in time: %d %s, %d users", a.Status, a.Body, e.sum("user"))
	}
}

// formbricks #8848: a change of address that was begun before a reset cannot be finished
// after it; #7196: it takes no effect before the new address is proved.
func TestChangeOfAddress(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	id := c.user()
	address := func() string { return e.rows("SELECT {user:email} FROM {user} WHERE {user:id} = ?", id)[0] }
	c.must(200, "POST", "/change-email", m{"newEmail": "b@example.com"})
	tok := e.mailed("verify-email").Token
	if address() != "a@example.com" {
		t.Error("the change took effect at once")
	}
	other := e.client().signUp("other@example.com")
	if a := other.get("/verify-email?token=" + tok); a.Status != 401 || a.code() != "INVALID_USER" {
		t.Errorf("with another user's session: %d %s", a.Status, a.Body)
	}
	// Somebody in a stolen session begins a change; a new password ends it.
	for _, renew := range []func(){
		func() {
			e.client().must(200, "POST", "/request-password-reset", m{"email": "a@example.com"})
			e.client().must(200, "POST", "/reset-password", m{"newPassword": password, "token": e.mailed("reset-password").Token})
		},
		func() {
			c.must(200, "POST", "/change-password", m{"currentPassword": password, "newPassword": password})
		},
	} {
		c.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password})
		c.must(200, "POST", "/change-email", m{"newEmail": "thief@example.com"})
		begun := e.mailed("verify-email").Token
		e.clock.Add(time.Minute)
		renew()
		if a := e.client().get("/verify-email?token=" + begun); a.Status != 401 || a.code() != "INVALID_TOKEN" || address() == "thief@example.com" {
			t.Errorf("after a new password: %d %s", a.Status, a.Body)
		}
	}
	// Rehashing is no new password.
	c.must(200, "POST", "/change-email", m{"newEmail": "b@example.com"})
	tok = e.mailed("verify-email").Token
	e.clock.Add(time.Minute)
	e.cfg.Password.MemoryKiB = 16
	e.auth = e.compile()
	c.auth = e.auth
	c.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password})
	if hash := e.rows("SELECT {account:password} FROM {account} WHERE {account:userId} = ?", c.user())[0]; !strings.Contains(hash, "m=16") {
		t.Fatalf("no rehash: %s", hash)
	}
	if a := c.clone().get("/verify-email?token=" + tok); a.Status != 200 {
		t.Errorf("after a rehash: %d %s", a.Status, a.Body)
	}
	c.must(200, "POST", "/change-email", m{"newEmail": "c@example.com"})
	tok = e.mailed("verify-email").Token
	e.clock.Add(time.Hour)
	if a := c.get("/verify-email?token=" + tok); a.Status != 401 || a.code() != "TOKEN_EXPIRED" {
		t.Errorf("after an hour: %d %s", a.Status, a.Body)
	}
}

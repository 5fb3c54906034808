package core_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
)

func TestRefresh(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		c := e.client().signUp("a@example.com")
		expires := func() string { return c.get("/get-session").json["session"].(map[string]any)["expiresAt"].(string) }
		begin := e.clock.Now()
		at := func(d time.Duration) string { return begin.Add(d).Format(storage.Layout) }
		week := 7 * 24 * time.Hour
		e.clock.Add(24*time.Hour - time.Millisecond)
		if a := c.get("/get-session"); len(a.cookies()) != 0 {
			t.Errorf("a day too early: %v", a.cookies())
		}
		if got := expires(); got != at(week) {
			t.Errorf("ends %s", got)
		}
		e.clock.Add(time.Millisecond)
		if a := c.get("/get-session?disableRefresh=true"); len(a.cookies()) != 0 {
			t.Errorf("with disableRefresh: %v", a.cookies())
		}
		a := c.get("/get-session")
		if a.cookies()[tokenCookie] == "" || !strings.Contains(fmt.Sprint(a.Header), "Max-Age=604800") {
			t.Errorf("after a day: %v", a.Header)
		}
		if got := expires(); got != at(week+24*time.Hour) {
			t.Errorf("ends %s", got)
		}
		// Long after: expired means gone, and the row with it.
		e.clock.Add(week + time.Millisecond)
		a = c.get("/get-session")
		if string(a.Body) != "null" || len(a.cookies()) != 3 {
			t.Errorf("expired: %s %v", a.Body, a.cookies())
		}
		if e.sum("session") != 0 {
			t.Error("the expired row is still there")
		}
	})
}

func TestDontRememberMe(t *testing.T) {
	e := start(t)
	e.client().signUp("a@example.com")
	e.exec("DELETE FROM {session}")
	c := e.client()
	a := c.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password, "rememberMe": false})
	if n := strings.Count(fmt.Sprint(a.Header), "Max-Age"); n != 0 {
		t.Errorf("%d cookies live on: %v", n, a.Header)
	}
	if c.jar[forgetCookie] == "" {
		t.Error("no reminder")
	}
	e.clock.Add(24*time.Hour - time.Millisecond)
	if a := c.get("/get-session"); string(a.Body) == "null" || len(a.cookies()) != 0 {
		t.Errorf("just before a day: %s %v", a.Body, a.cookies())
	}
	e.clock.Add(2 * time.Millisecond)
	if c.user() != "" {
		t.Error("it lives for more than a day")
	}
}

// A way to sign in that does not ask whether to be remembered leaves a browser as it was;
// so does what replaces a session. Their rows live as long as any.
func TestForgottenBrowserStaysForgotten(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.Email.AutoSignIn, c.Notices.Disabled = true, true }))
	c := e.client()
	c.must(200, "POST", "/sign-up/email", m{"email": "a@example.com", "password": password, "name": "A", "rememberMe": false})
	e.client().signUp("b@example.com")
	verify := func() answer {
		e.exec("UPDATE {user} SET {user:emailVerified} = ?", false)
		e.client().must(200, "POST", "/send-verification-email", m{"email": "b@example.com"})
		return c.must(200, "GET", "/verify-email?token="+e.mailed("verify-email").Token, nil)
	}
	if a := verify(); strings.Contains(fmt.Sprint(a.Header), "Max-Age") || c.jar[forgetCookie] == "" || !strings.Contains(string(c.get("/get-session").Body), "b@example.com") {
		t.Errorf("signed in by a link: %v", a.Header)
	}
	a := c.must(200, "POST", "/change-password", m{"currentPassword": password, "newPassword": password, "revokeOtherSessions": true})
	if strings.Contains(fmt.Sprint(a.Header), "Max-Age") || c.jar[forgetCookie] == "" {
		t.Errorf("the session behind a new password: %v", a.Header)
	}
	e.clock.Add(24*time.Hour + time.Millisecond)
	if c.user() == "" {
		t.Error("it lives for a day alone")
	}
	c.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password, "rememberMe": true})
	if c.jar[forgetCookie] != "" {
		t.Error("who asks to be remembered is not")
	}
	if a := verify(); !strings.Contains(fmt.Sprint(a.Header), "Max-Age=604800") {
		t.Errorf("a browser that is remembered: %v", a.Header)
	}
}

func TestFreshSession(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	e.clock.Add(24*time.Hour - time.Millisecond)
	c.must(200, "GET", "/list-sessions", nil)
	e.clock.Add(time.Millisecond)
	if a := c.get("/list-sessions"); a.Status != 403 || a.code() != "SESSION_NOT_FRESH" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := c.post("/delete-user", m{}); a.Status != 400 || a.code() != "SESSION_EXPIRED" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	e.cfg.Session.FreshAge = ptr(0)
	e.auth = e.compile()
	c.auth = e.auth
	c.must(200, "GET", "/list-sessions", nil)
}

func TestDeferredRefresh(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.Session.DeferRefresh = true }))
	c := e.client().signUp("a@example.com")
	needs := func(a answer) any { return a.json["needsRefresh"] }
	if a := c.get("/get-session"); needs(a) != false {
		t.Errorf("fresh: %s", a.Body)
	}
	e.clock.Add(24 * time.Hour)
	var a answer
	if n := e.db.count(func() { a = c.get("/get-session") }); needs(a) != true || len(n) != 1 || len(a.cookies()) != 0 {
		t.Errorf("GET writes: %s %q", a.Body, n)
	}
	a = c.post("/get-session", nil)
	if a.Status != 200 || a.cookies()[tokenCookie] == "" || a.json["needsRefresh"] != nil {
		t.Errorf("POST: %d %s %v", a.Status, a.Body, a.cookies())
	}
	if a := c.get("/get-session"); needs(a) != false {
		t.Errorf("afterwards: %s", a.Body)
	}
	e.clock.Add(8 * 24 * time.Hour)
	if n := e.db.count(func() { a = c.clone().get("/get-session") }); string(a.Body) != "null" || len(n) != 1 {
		t.Errorf("expired: %s %q", a.Body, n)
	}
}

// A session that goes while it is being renewed does not come back.
func TestRefreshOfARevokedSession(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	e.clock.Add(25 * time.Hour)
	e.db.fail(func(op, sql string) error {
		if op == "exec" && strings.HasPrefix(sql, "UPDATE {session=}") {
			if _, err := e.db.Database.Exec(t.Context(), "DELETE FROM {session}"); err != nil {
				t.Error(err)
			}
		}
		return nil
	})
	a := c.get("/get-session")
	e.db.fail(nil)
	if a.Status != 401 && string(a.Body) != "null" || a.cookies()[tokenCookie] != "" || e.sum("session") != 0 {
		t.Errorf("%d %s %v", a.Status, a.Body, a.cookies())
	}
}

// What a hook has set before the session was read stays, although of what reading it sets
// the last line alone does.
func TestRefreshLeavesCookiesOfHooks(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.Session.CookieCache.Enabled = true }), hooks(core.Authenticate.Before(func(_ context.Context, ev *core.AuthenticateEvent) error {
		ev.Call.SetSigned(ev.Call.Host().Cookie("mine", time.Hour), "x", false)
		return nil
	})))
	c := e.client().signUp("a@example.com")
	e.clock.Add(25 * time.Hour)
	got := c.must(200, "GET", "/list-accounts", nil).cookies()
	if got["__Secure-better-auth.mine"] == "" || got[dataCookie] == "" || len(got) != 2 {
		t.Errorf("behind a renewal: %v", got)
	}
}

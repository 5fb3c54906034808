package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

// history lists the events of a user, or of everybody, oldest first, with what waited.
func (e *env) history(userID string) []core.EventRecord {
	e.t.Helper()
	if err := e.auth.FlushEvents(e.t.Context()); err != nil {
		e.t.Fatal(err)
	}
	var out []core.EventRecord
	q := core.EventQuery{UserID: userID, Limit: 100}
	for {
		page, err := e.auth.Host().Events(e.t.Context(), q)
		if err != nil {
			e.t.Fatal(err)
		}
		out = append(out, page.Events...)
		if q.After = page.Next; q.After == "" {
			slices.Reverse(out)
			return out
		}
	}
}

// types lists the types of a user's events, sorted: within a millisecond there is no order.
func (e *env) types(userID string) (out []string) {
	e.t.Helper()
	for _, r := range e.history(userID) {
		out = append(out, r.Type)
	}
	slices.Sort(out)
	return out
}

// eventsOf runs fn and returns the types of events that it recorded, sorted.
func (e *env) eventsOf(fn func()) (out []string) {
	e.t.Helper()
	before := map[string]bool{}
	for _, r := range e.history("") {
		before[r.ID] = true
	}
	fn()
	for _, r := range e.history("") {
		if !before[r.ID] {
			out = append(out, r.Type)
		}
	}
	slices.Sort(out)
	return out
}

// Every change has its event, with whom, from where and how.
func TestEventsOfChanges(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, passwords(func(o *emailpassword.Options) {}))
		c := e.client()
		c.header["User-Agent"], c.header["X-Request-Id"] = "Browser/1", "req-1"
		c.peer = addr("192.0.2.7")
		want := func(what string, fn func(), types ...string) {
			t.Helper()
			if got := e.eventsOf(fn); !slices.Equal(got, types) {
				t.Errorf("%s: %q, want %q", what, got, types)
			}
		}
		want("sign-up", func() { c.signUp("a@example.com") }, core.EventSignIn, core.EventSignUp)
		id := c.user()
		for _, r := range e.history(id) {
			if r.UserID != id || r.IP != "192.0.2.7" || r.UserAgent != "Browser/1" || r.RequestID != "req-1" || !r.CreatedAt.Equal(e.clock.Now()) ||
				r.Actor != "" || r.Reason != "" {
				t.Errorf("%+v", r)
			}
			if r.Type == core.EventSignIn && (r.Detail["methods"] != "pwd" || r.Detail["aal"] != "1" || r.Detail["session"] == "") {
				t.Errorf("a sign-in: %v", r.Detail)
			}
		}
		want("get-session", func() { c.get("/get-session") })
		want("profile", func() { c.must(200, "POST", "/update-user", m{"name": "Grace", "image": nil}) }, core.EventUserUpdated)
		for _, r := range e.history(id) {
			if r.Type == core.EventUserUpdated && r.Detail["fields"] != "image,name" { // as the test's JSON has them
				t.Errorf("%v", r.Detail)
			}
		}
		want("sign-in", func() { e.client().signIn("a@example.com", password) }, core.EventSignIn)
		want("revoke others", func() { c.must(200, "POST", "/revoke-other-sessions", m{}) }, core.EventSessionRevoked)
		want("change password", func() {
			c.must(200, "POST", "/change-password", m{"currentPassword": password, "newPassword": "another password", "revokeOtherSessions": true})
		}, core.EventPasswordChanged)
		want("ask for a reset", func() { c.must(200, "POST", "/request-password-reset", m{"email": "a@example.com"}) }, core.EventPasswordResetRequested)
		token := e.mailed("reset-password").Token
		want("ask for a reset of nobody", func() { e.client().must(200, "POST", "/request-password-reset", m{"email": "b@example.com"}) }, core.EventPasswordResetRequested)
		want("reset", func() {
			e.client().must(200, "POST", "/reset-password", m{"token": token, "newPassword": password})
		}, core.EventPasswordReset)
		want("an old token", func() {
			e.client().must(400, "POST", "/reset-password", m{"token": token, "newPassword": password})
		})
		want("sign-in again", func() { c.signIn("a@example.com", password) }, core.EventSignIn)
		want("change address", func() { c.must(200, "POST", "/change-email", m{"newEmail": "c@example.com"}) }, core.EventEmailChangeRequested)
		link := e.deliver()
		want("follow the link", func() {
			c.must(302, "GET", strings.TrimPrefix(link[len(link)-1].URL, base+"/api/auth"), nil)
		}, core.EventEmailChanged)
		want("sign-out", func() { c.must(200, "POST", "/sign-out", m{}) }, core.EventSignOut)
		want("sign-out without a session", func() { c.must(200, "POST", "/sign-out", m{}) })
		c.signIn("c@example.com", password)
		want("revoke all", func() { c.must(200, "POST", "/revoke-sessions", m{}) }, core.EventSessionRevoked)
	})
}

// A change that is undone leaves no event but that of the failure; a hook that refuses an
// event undoes the change.
func TestEventsOfUndoneChanges(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		refuse := ""
		broken := errors.New("a sink that fails")
		e := start(t, db, hooks(
			core.SessionCreate.After(func(context.Context, *core.SessionEvent) error {
				if refuse == "session" {
					return broken
				}
				return nil
			}),
			core.EventRecorded.After(func(_ context.Context, ev *core.Event) error {
				if ev.Tx == nil {
					t.Errorf("%s: no transaction", ev.Type)
				}
				if refuse == ev.Type {
					return broken
				}
				return nil
			})))
		c := e.client().signUp("a@example.com")
		undone := func(what, path string, body any) {
			t.Helper()
			refuse = what
			defer func() { refuse = "" }()
			before := e.sum("session") + 100*e.sum("user")
			client := c.clone()
			if got := e.eventsOf(func() { client.must(500, "POST", path, body) }); !slices.Equal(got, []string{core.EventServiceError}) {
				t.Errorf("%s: %q is left", what, got)
			}
			if after := e.sum("session") + 100*e.sum("user"); after != before {
				t.Errorf("%s: %d, before %d", what, after, before)
			}
		}
		undone("session", "/sign-in/email", m{"email": "a@example.com", "password": password})
		undone("session", "/sign-up/email", m{"name": "B", "email": "b@example.com", "password": password})
		undone(core.EventSignIn, "/sign-in/email", m{"email": "a@example.com", "password": password})
		undone(core.EventSignUp, "/sign-up/email", m{"name": "B", "email": "b@example.com", "password": password})
		undone(core.EventSignOut, "/sign-out", m{})
		undone(core.EventSessionRevoked, "/revoke-sessions", m{})
		undone(core.EventPasswordChanged, "/change-password", m{"currentPassword": password, "newPassword": "another password"})
		if a := c.signIn("a@example.com", password); a.Status != 200 {
			t.Errorf("the password has changed: %d %s", a.Status, a.Body)
		}
	})
}

// The history of a user who was deleted stays, and says nothing of them any more.
func TestEventsOutliveTheUser(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		other := e.client().signUp("other@example.com").user()
		c := e.client()
		c.peer, c.header["User-Agent"] = addr("192.0.2.7"), "Browser/1"
		c.signUp("a@example.com")
		id := c.user()
		c.must(200, "POST", "/delete-user", m{"password": password})
		if got, want := e.types(id), []string{core.EventSignIn, core.EventSignUp, core.EventUserDeleted}; !slices.Equal(got, want) {
			t.Fatalf("%q, want %q", got, want)
		}
		names := map[string]bool{}
		for _, r := range e.history(id) {
			names[r.UserID] = true
			if !strings.HasPrefix(r.UserID, "erased-") || r.IP+r.UserAgent+r.RequestID != "" || r.Detail != nil {
				t.Errorf("%+v", r)
			}
		}
		if len(names) != 1 {
			t.Errorf("one user has the names %v", names)
		}
		for _, col := range []string{"userId", "ipAddress", "userAgent", "detail"} {
			text := fmt.Sprint(e.rows("SELECT {securityEvent:" + col + "} FROM {securityEvent} WHERE {securityEvent:" + col + "} IS NOT NULL"))
			if strings.Contains(text, id) || strings.Contains(text, "192.0.2.7") || strings.Contains(text, "Browser/1") {
				t.Errorf("the column %s still knows the user: %s", col, text)
			}
		}
		if got := e.types(other); len(got) != 2 {
			t.Errorf("another user's history: %q", got)
		}
	})
}

// The endpoint shows a user their own events, page by page.
func TestSecurityEvents(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		e.client().signUp("other@example.com")
		c := e.client().signUp("a@example.com")
		for range 5 {
			e.clock.Add(time.Second)
			c.must(200, "POST", "/update-user", m{"name": "Grace"})
		}
		if a := e.client().get("/security-events"); a.Status != 401 {
			t.Errorf("without a session: %d", a.Status)
		}
		seen, path, last := map[string]bool{}, "/security-events?limit=2", "9"
		for pages := 0; path != ""; pages++ {
			a := c.must(200, "GET", path, nil)
			for _, x := range a.json["events"].([]any) {
				ev := x.(map[string]any)
				at := ev["createdAt"].(string)
				if seen[ev["id"].(string)] || at > last {
					t.Errorf("twice, or out of order: %v behind %s", ev, last)
				}
				seen[ev["id"].(string)], last = true, at
			}
			path = ""
			if next, _ := a.json["nextCursor"].(string); next != "" {
				path = "/security-events?limit=2&cursor=" + next
			}
			if pages > 10 {
				t.Fatal("the pages do not end")
			}
		}
		if len(seen) != 7 {
			t.Errorf("%d events, want 7", len(seen))
		}
		for _, q := range []string{"limit=0", "limit=101", "limit=x", "limit=-1", "limit=1e2", "limit="} {
			if a := c.get("/security-events?" + q); a.Status != 400 || a.code() != "VALIDATION_ERROR" {
				t.Errorf("%s: %d %s", q, a.Status, a.Body)
			}
		}
		for _, q := range []string{"x", "%00", "LTE", "MC4", "OTk5OTk5OTk5OTk5OTk5OTk5OS54", strings.Repeat("A", 500)} {
			if a := c.get("/security-events?cursor=" + q); a.Status != 400 {
				t.Errorf("cursor %s: %d %s", q, a.Status, a.Body)
			}
		}
	})
}

// A type that nobody declares is a fault of the caller, and undoes what it belongs to.
func TestUnknownEvent(t *testing.T) {
	e := start(t)
	err := e.auth.Host().Record(t.Context(), &core.Event{Type: "made.up"})
	if err == nil || !strings.Contains(err.Error(), "made.up is declared by no plugin") {
		t.Errorf("%v", err)
	}
}

// A header that a database cannot keep hides nothing: neither a guess nor whom it locks out.
func TestEventsOfOddBrowsers(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		e.client().signUp("a@example.com")
		c := e.client()
		c.header["User-Agent"] = "Brow\x00ser\xff/1"
		got := e.eventsOf(func() {
			if a := c.signIn("a@example.com", "not the password"); a.Status != 401 {
				t.Errorf("a wrong password: %d %s", a.Status, a.Body)
			}
			if a := c.signIn("a@example.com", password); a.Status != 200 {
				t.Errorf("the right one: %d %s", a.Status, a.Body)
			}
		})
		if want := []string{core.EventSignIn, core.EventSignInFailed}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

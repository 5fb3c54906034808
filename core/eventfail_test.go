package core_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// failures lists type, reason, user and code of the failures that are recorded.
func (e *env) failures() (out []string) {
	e.t.Helper()
	for _, r := range e.history("") {
		if r.Reason != "" {
			who := "nobody"
			if r.UserID != "" {
				who = "somebody"
			}
			text := r.Type + " " + r.Reason + " " + who + " " + r.Detail["code"]
			if n := r.Detail["count"]; n != "" {
				text += " x" + n
			}
			out = append(out, text)
		}
	}
	return out
}

// A failure is recorded with its class and whom it is about, and not what was typed.
func TestEventsOfFailures(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		c := e.client().signUp("a@example.com")
		e.client().signIn("a@example.com", wrong)
		e.client().signIn("typed-by-mistake@example.com", wrong)
		e.clock.Add(time.Hour)
		c.must(400, "POST", "/verify-password", m{"password": wrong})
		c.must(400, "POST", "/delete-user", m{"password": wrong})
		e.client().must(401, "GET", "/list-sessions", nil) // no session is no failed sign-in
		c.must(400, "POST", "/update-user", m{})
		got := strings.Join(e.failures(), "\n")
		const want = "sign-in.failed INVALID_CREDENTIALS"
		for _, line := range []string{want + " somebody INVALID_EMAIL_OR_PASSWORD", want + " nobody INVALID_EMAIL_OR_PASSWORD", want + " somebody INVALID_PASSWORD"} {
			if !strings.Contains(got, line) {
				t.Errorf("%q is not in\n%s", line, got)
			}
		}
		if n := strings.Count(got, "\n") + 1; n != 4 {
			t.Errorf("%d failures, want 4:\n%s", n, got)
		}
		for _, col := range []string{"detail", "userId"} {
			if text := fmt.Sprint(e.rows("SELECT {securityEvent:" + col + "} FROM {securityEvent} WHERE {securityEvent:" + col + "} IS NOT NULL")); strings.Contains(text, "mistake") || strings.Contains(text, wrong) {
				t.Errorf("what was typed is stored: %s", text)
			}
		}
		// Their owner sees them.
		a := c.must(200, "GET", "/security-events", nil)
		if !strings.Contains(string(a.Body), `"type":"sign-in.failed","actor":null,"reason":"INVALID_CREDENTIALS","ipAddress":"192.0.2.1"`) {
			t.Errorf("%s", a.Body)
		}
	})
}

// What the gate refuses is a failed sign-in, whatever the rule is called.
func TestEventOfRefusedSignIn(t *testing.T) {
	no := core.NewError("NOT_TODAY", 403, "Not today")
	closed := false
	e := start(t, config(func(c *core.Config) { c.Errors = []*core.Error{no} }), hooks(core.SignInPoint.Before(func(context.Context, *core.SignInEvent) error {
		if closed {
			return no
		}
		return nil
	})))
	c := e.client().signUp("a@example.com")
	closed = true
	c.must(403, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password})
	if got := e.failures(); len(got) != 1 || got[0] != "sign-in.failed UNAUTHORIZED somebody NOT_TODAY" {
		t.Errorf("%q", got)
	}
}

// A flood of failures is few rows: like ones are counted, and of others so many are
// remembered. Those about accounts are not pushed out by those about nobody.
func TestFloodOfFailures(t *testing.T) {
	e := start(t)
	e.client().signUp("a@example.com")
	var h = e.auth.Host()
	fail := func(user, ip string) {
		h.RecordLater(nil, &core.Event{Type: core.EventSignInFailed, UserID: user, IP: ip, Reason: "INVALID_CREDENTIALS"})
	}
	count := func() int {
		return len(e.rows("SELECT {securityEvent:id} FROM {securityEvent} WHERE {securityEvent:reason} IS NOT NULL"))
	}
	flush := func() {
		t.Helper()
		if err := core.FlushDue(t.Context(), e.auth); err != nil {
			t.Fatal(err)
		}
	}
	for range 100_000 {
		fail("u", "192.0.2.9")
	}
	flush()
	if n := count(); n != 1 {
		t.Fatalf("%d rows of one failure", n)
	}
	for range 59 {
		e.clock.Add(time.Second)
		fail("u", "192.0.2.9")
		flush()
	}
	if n := count(); n != 1 {
		t.Errorf("%d rows within a minute", n)
	}
	e.clock.Add(time.Second)
	flush()
	if got := e.failures(); len(got) != 2 || !strings.HasSuffix(got[0], "x100000") || !strings.HasSuffix(got[1], "x59") {
		t.Errorf("%q", got)
	}
	// Many addresses.
	for i := range 5000 {
		fail("", strconv.Itoa(i))
	}
	fail("v", "192.0.2.9")
	flush()
	if n := count(); n != 2+1000+1 {
		t.Errorf("%d rows, want 1003", n)
	}
	if !strings.Contains(e.logs.text(), "\"events\":4000") {
		t.Error("nobody is told that 4000 found no room")
	}
	// What is not repeated is forgotten, and leaves room.
	e.clock.Add(2 * time.Minute)
	flush()
	for i := range 10 {
		fail("", "again"+strconv.Itoa(i))
	}
	flush()
	if n := count(); n != 1013 {
		t.Errorf("%d rows, want 1013", n)
	}
}

// A database that is down breaks no answer and loses no failure: they wait.
func TestFailuresWaitForTheDatabase(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		e.client().signUp("a@example.com")
		e.client().signIn("a@example.com", wrong)
		e.db.fail(refusing(broken("", ""), ""))
		for range 10 {
			if a := e.client().signIn("a@example.com", password); a.Status != 503 {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			if err := core.FlushDue(t.Context(), e.auth); err == nil {
				t.Fatal("written without a database")
			}
		}
		e.db.fail(nil)
		got := e.failures()
		if len(got) != 2 || got[1] != "service.error SERVICE_UNAVAILABLE nobody SERVICE_UNAVAILABLE x10" && got[0] != "service.error SERVICE_UNAVAILABLE nobody SERVICE_UNAVAILABLE x10" {
			t.Errorf("%q", got)
		}
		if n := strings.Count(e.logs.text(), "security events cannot be written and wait"); n != 1 {
			t.Errorf("%d lines about it, want one", n)
		}
	})
}

// An event that the database or a hook refuses is left out, and keeps no other back.
func TestRefusedFailure(t *testing.T) {
	bad := true
	e := start(t, hooks(core.EventRecorded.Before(func(_ context.Context, ev *core.Event) error {
		if ev.UserID == "panic" {
			panic("a sink")
		}
		if ev.UserID == "bad" && bad {
			return errors.New("a sink that fails")
		}
		return nil
	})))
	for _, u := range []string{"x", "bad", "panic", "y"} {
		e.auth.Host().RecordLater(nil, &core.Event{Type: core.EventSignInFailed, UserID: u, Reason: "INVALID_CREDENTIALS"})
	}
	if n := len(e.failures()); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
	e = start(t)
	e.auth.Host().RecordLater(nil, &core.Event{Type: core.EventSignInFailed, UserID: "x"})
	e.db.fail(func(op, sql string) error {
		if strings.HasPrefix(op, "batch") {
			return &storage.Error{Kind: storage.Data, SQLState: "22021"}
		}
		return nil
	})
	if err := core.FlushDue(t.Context(), e.auth); err != nil || e.sum("securityEvent") != 1 {
		t.Errorf("%v, %d rows", err, e.sum("securityEvent"))
	}
}

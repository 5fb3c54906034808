package plugintest

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// TestSign: a cookie signed by the kit is taken, or the checks of bad cookies would prove
// nothing.
func TestSign(t *testing.T) {
	h := New(t, Options{})
	alice := h.SignUp("alice@example.com")
	raw, err := url.QueryUnescape(alice.Cookie("session_token"))
	if err != nil {
		t.Fatal(err)
	}
	token, _, _ := strings.Cut(raw, ".")
	c := h.Client()
	c.SetCookie("session_token", url.QueryEscape(sign(Secret, token)))
	if got := c.Get("/get-session").Want(200).Get("user.email"); got != "alice@example.com" {
		t.Errorf("get-session with a cookie that the kit signed: %v", got)
	}
}

// TestClock: sessions end when the clock says so, and not before.
func TestClock(t *testing.T) {
	h := New(t, Options{Config: func(c *core.Config) { c.Session.ExpiresIn, c.Session.DisableRefresh = 3600, true }})
	alice := h.SignUp("alice@example.com")
	h.Clock.Advance(59 * time.Minute)
	if alice.Get("/get-session").Want(200).Get("user") == nil {
		t.Error("the session ended early")
	}
	h.Clock.Advance(2 * time.Minute)
	if alice.Get("/get-session").Want(200).Get("user") != nil {
		t.Error("the session outlived its end")
	}
	if alice.Cookie("session_token") != "" {
		t.Error("the client still has the cookie of a session that ended")
	}
}

// TestMemoryIsSpoiled: what somebody keeps of a request without a copy is not what it was.
func TestMemoryIsSpoiled(t *testing.T) {
	var kept, copied string
	hook := core.Request.Before(func(_ context.Context, e *core.RequestEvent) error {
		copied = e.Call.Header("X-Note")
		return nil
	})
	h := New(t, Options{Config: func(c *core.Config) { c.Hooks = []core.Hook{hook} }})
	x := &exchange{method: "GET", path: "/api/auth/ok", header: map[string]string{"x-note": "a note"}}
	kept = x.Header("X-Note")
	h.serve(x)
	if copied != "a note" || kept != "~~~~~~" {
		t.Errorf("Call.Header gave %q, want a copy; the exchange gave %q, want it spoiled", copied, kept)
	}
}

// TestHarnessStaysOut: the endpoint that makes sessions for tests cannot be reached.
func TestHarnessStaysOut(t *testing.T) {
	h := New(t, Options{})
	u := h.CreateUser("alice@example.com")
	h.Client().Post(openSession.Path(), M{"userId": u.ID, "methods": []string{"x"}}).Want(404)
}

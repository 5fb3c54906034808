package v1_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
	v1 "github.com/sallyport-auth/sallyport/server/v1"
)

// TestOutside: services outside are told until they have done it, and the report does not
// say that they have.
func TestOutside(t *testing.T) {
	down, calls := true, []string{}
	h, c := start(t, setup{o: v1.Options{Outside: []v1.Outside{{ID: "sync", Name: "Sync", Erase: func(_ context.Context, userID string) error {
		if calls = append(calls, userID); down {
			return errors.New("not now")
		}
		return nil
	}}}}})
	id := c.get(a + "/session").want(200).text("user.id")
	if r := c.get(me + "/data").want(200); !strings.Contains(string(r.body), `"projectId":"sync"`) || !strings.Contains(string(r.body), `"available":false`) {
		t.Errorf("data: %s", r.body)
	}
	r := c.do("DELETE", me+"/data", m{"password": pass}).want(200)
	if !strings.Contains(string(r.body), `{"projectId":"sync","projectName":"Sync","success":false,"pending":true,"deletedCount":0}`) {
		t.Errorf("report: %s", r.body)
	}
	if h.RunJobs(); len(calls) != 1 || calls[0] != id || h.Count("user") != 0 {
		t.Errorf("calls %v", calls)
	}
	down = false
	h.Clock.Advance(time.Hour)
	if h.RunJobs(); len(calls) != 2 || h.Count("job") != 0 {
		t.Errorf("calls %v, %d jobs", calls, h.Count("job"))
	}
}

// TestUndone: what fails on the way out leaves everything, and sends nothing.
func TestUndone(t *testing.T) {
	stop := false
	h, c := start(t, setup{o: v1.Options{Outside: []v1.Outside{{ID: "sync", Erase: func(context.Context, string) error { return nil }}}}, config: func(c *core.Config) {
		c.Hooks = append(c.Hooks, core.UserDelete.After(func(context.Context, *core.UserDeleteEvent) error {
			if stop {
				return errors.New("no")
			}
			return nil
		}))
	}})
	h.RunJobs()
	stop = true
	c.do("DELETE", me+"/data", m{"password": pass}).fails(500, core.ClassInternal)
	c.do("DELETE", a+"/account", m{"password": pass}).fails(500, core.ClassInternal)
	if h.RunJobs() != 0 || h.Count("user") != 1 {
		t.Error("something is left of what failed")
	}
	c.get(a + "/sessions").want(200)
}

// TestNoPassword: who has none shows a session that has just begun.
func TestNoPassword(t *testing.T) {
	h := setup{}.start(t)
	url := listen(t, h, "net/http")
	client := func() *old {
		b := h.SignIn("alice@example.com")
		c := newOld(t, h, url)
		name := h.Host.Cookie("session_token", 0).Name()
		c.cookies[name] = b.Cookie(name)
		return c
	}
	h.CreateUser("alice@example.com")
	c := client()
	h.Clock.Advance(25 * time.Hour)
	c.do("DELETE", me+"/data", nil).fails(401, core.ClassUnauthorized)
	c.do("DELETE", a+"/account", m{"password": "anything"}).fails(401, core.ClassUnauthorized)
	client().do("DELETE", me+"/data", nil).want(200)
	if h.Count("user") != 0 {
		t.Error("the user is there")
	}
}

// TestEraseLocks: guessing the password on the way out is guessing.
func TestEraseLocks(t *testing.T) {
	_, c := start(t, setup{})
	for i := range 5 {
		c.do("DELETE", []string{me + "/data", a + "/account"}[i%2], m{"password": "wrong password"}).fails(401, core.ClassInvalidCredentials)
	}
	c.do("DELETE", me+"/data", m{"password": pass}).fails(429, core.ClassAccountLocked)
	c.login("alice@example.com").fails(429, core.ClassAccountLocked)
}

// TestOptions: what cannot be is said before anything starts.
func TestOptions(t *testing.T) {
	for want, s := range map[string]setup{
		"maxDailySignUps: -1 is negative":           {o: v1.Options{MaxDailySignUps: -1}},
		"refreshGrace: 301 s is not between":        {o: v1.Options{RefreshGrace: 301}},
		"refreshGrace: -1 s is not between":         {o: v1.Options{RefreshGrace: -1}},
		`outside: "" needs an id of its own`:        {o: v1.Options{Outside: []v1.Outside{{}}}},
		`outside: "x" needs an id of its own and a`: {o: v1.Options{Outside: []v1.Outside{{ID: "x"}}}},
	} {
		_, err := plugintest.Start(t, plugintest.Options{Plugins: s.plugins()})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	_, err := plugintest.Start(t, plugintest.Options{Plugins: []core.Plugin{v1.New(v1.Options{})}})
	for _, want := range []string{`"POST /sign-in/email", which no plugin serves`, `"GET /jwks", which no plugin serves`, "needs a contract.TokenMinter"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

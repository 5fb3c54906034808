package core_test

import (
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

// The budgets: statements beside BEGIN and COMMIT, and transactions.
func TestStatementsPerRequest(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, passwords(func(o *emailpassword.Options) {}), config(func(c *core.Config) { c.Email.SendOnSignUp = ptr(true) }))
		c := e.client()
		for _, tt := range []struct {
			name string
			most int
			do   func() answer
		}{
			{"sign-up", 4, func() answer {
				return c.post("/sign-up/email", m{"name": "A", "email": "a@example.com", "password": password})
			}},
			{"get-session", 1, func() answer { return c.get("/get-session") }},
			{"sign-in", 3, func() answer { return c.signIn("a@example.com", password) }},
			{"sign-in, wrong", 3, func() answer { return e.client().signIn("a@example.com", wrong) }},
			{"sign-in, unknown", 3, func() answer { return e.client().signIn("nobody@example.com", wrong) }},
			{"list-accounts", 2, func() answer { return c.get("/list-accounts") }},
			{"sign-out", 2, func() answer { return c.post("/sign-out", m{}) }},
			{"get-session without a cookie", 0, func() answer { return e.client().get("/get-session") }},
		} {
			var a answer
			got := e.db.count(func() { a = tt.do() })
			if a.Status >= 500 || len(got) > tt.most {
				t.Errorf("%s: %d, %d statements, at most %d:\n%s", tt.name, a.Status, len(got), tt.most, strings.Join(got, "\n"))
			}
			if tt.name == "get-session" && len(got) != 1 {
				t.Errorf("get-session sent %d statements: the test counts nothing", len(got))
			}
		}
	})
}

func TestCookieCacheSavesTheTrip(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.Session.CookieCache.Enabled = true }))
	c := e.client().signUp("a@example.com")
	if got := e.db.count(func() { c.must(200, "GET", "/get-session", nil) }); len(got) != 0 {
		t.Errorf("statements %q", got)
	}
	if c.user() == "" {
		t.Error("no session")
	}
}

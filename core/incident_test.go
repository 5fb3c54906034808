package core_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
)

// The incident: a column disappears under a running server. Every sign-in must be 503
// with a code, the log must say why, nobody's failures may be counted, and when the
// column is back everything goes on.
func TestColumnDropsUnderLoad(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, config(func(c *core.Config) { c.User.Fields = []core.Extra{{Name: "plan", Type: "string"}} }))
		for i := range 4 {
			e.client().signUp("u" + itoa(i) + "@example.com")
		}
		var stop atomic.Bool
		var wg sync.WaitGroup
		var load outcomes
		for i := range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for !stop.Load() {
					load.add(e.client().signIn("u"+itoa(i)+"@example.com", password))
				}
			}()
		}
		e.ddl(`ALTER TABLE "` + e.cfg.Names.Table("user") + `" DROP COLUMN "plan"`)
		for i := range 20 {
			pass := password
			if i%2 == 1 {
				pass = wrong
			}
			a := e.client().signIn("u"+itoa(i%4)+"@example.com", pass)
			if a.Status != 503 || a.code() != "SERVICE_UNAVAILABLE" || a.Get("Retry-After") == "" || len(a.cookies()) != 0 {
				t.Fatalf("without the column: %d %s %v", a.Status, a.Body, a.Header)
			}
		}
		if a := e.client().post("/sign-up/email", m{"name": "A", "email": "new@example.com", "password": password}); a.Status != 503 {
			t.Errorf("sign-up: %d %s", a.Status, a.Body)
		}
		stop.Store(true)
		wg.Wait()
		for k := range load.n {
			if k != "200" && k != "503 SERVICE_UNAVAILABLE" {
				t.Errorf("under load: %v", load.n)
			}
		}
		logs := e.logs.text()
		state := `"sqlstate":"42703"`
		if e.db.Dialect() == "sqlite" {
			state = `"sqlstate":"SQLITE_`
		}
		if !strings.Contains(logs, state) || !strings.Contains(logs, "plan") {
			t.Errorf("the log does not say why: %.600s", logs)
		}
		if n := e.rows("SELECT {attempt:id} FROM {attempt} WHERE {attempt:failures} > 0"); len(n) != 0 {
			t.Errorf("%d counters of failures", len(n))
		}
		e.ddl(`ALTER TABLE "` + e.cfg.Names.Table("user") + `" ADD COLUMN "plan" TEXT`)
		for i := range 4 {
			if a := e.client().signIn("u"+itoa(i)+"@example.com", password); a.Status != 200 {
				t.Errorf("with the column again: %d %s", a.Status, a.Body)
			}
		}
	})
}

// A start on a database that lacks something names the plugin and the column.
func TestStartRefusesDrift(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		e.ddl(`ALTER TABLE "` + e.cfg.Names.Table("session") + `" DROP COLUMN "` + e.cfg.Names.Column("session", "userAgent") + `"`)
		e.ddl(`DROP TABLE "` + e.cfg.Names.Table("attempt") + `"`)
		_, err := core.New(t.Context(), e.config())
		var drift *core.DriftError
		if !errors.As(err, &drift) {
			t.Fatalf("New: %v", err)
		}
		for _, part := range []string{"core", "session", e.cfg.Names.Column("session", "userAgent"), "attempt", "migrations"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("the error does not name %s: %v", part, err)
			}
		}
		cfg := e.config()
		cfg.SkipVerify = true
		if a, err := core.New(t.Context(), cfg); err != nil {
			t.Errorf("with SkipVerify: %v", err)
		} else {
			a.Close(t.Context())
		}
	})
}

// Every endpoint answers 503 while the database is away, and none lets anybody in.
func TestDatabaseAway(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.User.DeleteUser.VerifyByMail = true }))
	c := e.client().signUp("a@example.com")
	c.must(200, "POST", "/request-password-reset", m{"email": "a@example.com"})
	reset := e.mailed("reset-password").Token
	c.must(200, "POST", "/send-verification-email", m{"email": "a@example.com"})
	verify := e.mailed("verify-email").Token
	e.db.fail(refusing(broken("", "")))
	for _, tt := range []struct {
		method, path string
		body         any
	}{
		{"GET", "/get-session", nil}, {"GET", "/list-sessions", nil}, {"GET", "/list-accounts", nil},
		{"POST", "/sign-in/email", m{"email": "a@example.com", "password": password}},
		{"POST", "/sign-up/email", m{"email": "b@example.com", "password": password, "name": "B"}},
		{"POST", "/sign-out", m{}}, {"POST", "/revoke-session", m{"token": "x"}}, {"POST", "/revoke-sessions", m{}},
		{"POST", "/revoke-other-sessions", m{}}, {"POST", "/update-session", m{"x": "y"}}, {"POST", "/update-user", m{"name": "x"}},
		{"POST", "/change-email", m{"newEmail": "b@example.com"}}, {"POST", "/delete-user", m{}},
		{"GET", "/delete-user/callback?token=x", nil}, {"POST", "/unlink-account", m{"accountId": "x"}},
		{"POST", "/send-verification-email", m{"email": "a@example.com"}}, {"GET", "/verify-email?token=" + verify, nil},
		{"GET", "/verify-email?callbackURL=%2Fx&token=" + verify, nil},
		{"POST", "/change-password", m{"currentPassword": password, "newPassword": password}},
		{"POST", "/verify-password", m{"password": password}}, {"POST", "/request-password-reset", m{"email": "a@example.com"}},
		{"POST", "/reset-password", m{"newPassword": password, "token": reset}},
		{"GET", "/reset-password/" + reset + "?callbackURL=%2Fx", nil},
	} {
		a := serve(e.auth, c.request(tt.method, tt.path, tt.body))
		if a.Status != 503 || a.code() != "SERVICE_UNAVAILABLE" {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, a.Status, a.Body)
		}
		for name, v := range a.cookies() {
			if v != "" || tt.path != "/sign-out" {
				t.Errorf("%s %s sets %s=%q", tt.method, tt.path, name, v)
			}
		}
	}
	if a := e.client().get("/ok"); a.Status != 200 {
		t.Errorf("/ok: %d", a.Status)
	}
	e.db.fail(nil)
	if c.user() == "" {
		t.Error("the session did not survive")
	}
}

package core_test

import (
	"maps"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

// CVE-2026-29193: a method that is switched off is off for direct requests.
func TestSwitchedOffIsOff(t *testing.T) {
	e := start(t, passwords(func(o *emailpassword.Options) { o.DisableSignUp, o.DisableReset = true, true }),
		config(func(c *core.Config) {
			c.User.DeleteUser.Enabled, c.User.ChangeEmail.Enabled, c.Email.Disabled = false, false, true
		}))
	u, err := e.auth.Host().NewUser("A", "a@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := e.auth.Host().HashPassword(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.auth.Host().CreateUser(t.Context(), nil, nil, u, "test", hash); err != nil {
		t.Fatal(err)
	}
	c := e.client()
	c.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password})
	for path, tt := range map[string]struct {
		body   m
		status int
	}{
		"/sign-up/email":           {m{"name": "B", "email": "b@example.com", "password": password}, 400},
		"/request-password-reset":  {m{"email": "a@example.com"}, 400},
		"/delete-user":             {m{"password": password}, 404},
		"/change-email":            {m{"newEmail": "b@example.com"}, 400},
		"/send-verification-email": {m{"email": "a@example.com"}, 400},
	} {
		if a := c.clone().post(path, tt.body); a.Status != tt.status {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	if e.sum("user") != 1 || len(e.deliver()) != 0 {
		t.Error("something was done")
	}
}

// CVE-2026-27946, CVE-2026-54693: nothing that a user sends makes an address verified,
// changes an id, or sets what takes no input.
func TestFlagsAreNotWritable(t *testing.T) {
	e := start(t, config(func(c *core.Config) {
		c.User.Fields = []core.Extra{{Name: "role", Type: "string", Default: "user", Input: ptr(false)}}
		c.Session.Fields = []core.Extra{{Name: "theme", Type: "string"}, {Name: "org", Type: "string", Input: ptr(false)}}
		c.User.ChangeEmail.UpdateWithoutVerification = true
	}))
	bannable(e)
	evil := m{"emailVerified": true, "email_verified": true, "id": "chosen", "role": "admin", "banned": false, "createdAt": "2000-01-01T00:00:00Z",
		"updatedAt": "2000-01-01T00:00:00Z", "userId": "x", "amr": "hwk", "aal": 2, "authenticatedAt": "2030-01-01T00:00:00Z", "org": "x",
		"expiresAt": "2099-01-01T00:00:00Z", "token": "chosen", "model": "x", "__proto__": m{"emailVerified": true}, "Extra": m{"role": "admin"}}
	c := e.client()
	with := func(more m) m {
		out := maps.Clone(evil)
		maps.Copy(out, more)
		return out
	}
	c.must(200, "POST", "/sign-up/email", with(m{"name": "A", "email": "a@example.com", "password": password}))
	c.post("/update-user", with(m{"name": "B"}))
	delete(evil, "role")
	c.post("/update-user", with(m{"name": "B"}))
	c.post("/update-session", with(m{"theme": "dark"}))
	delete(evil, "org")
	c.post("/update-session", with(m{"theme": "dark"}))
	c.post("/sign-in/email", with(m{"email": "a@example.com", "password": password}))
	c.post("/change-password", with(m{"currentPassword": password, "newPassword": password}))
	c.post("/change-email", with(m{"newEmail": "b@example.com"}))
	e.client().post("/request-password-reset", with(m{"email": "b@example.com"}))
	e.client().post("/send-verification-email", with(m{"email": "b@example.com"}))
	if n := len(e.rows("SELECT {user:id} FROM {user} WHERE {user:emailVerified} = ? AND {user:role} = 'user' AND {user:id} <> 'chosen' AND {user:createdAt} > ?", false, e.clock.Now().Add(-time.Hour))); n != 1 {
		t.Error("the user's row was changed")
	}
	for _, row := range e.rows("SELECT {session:amr} FROM {session} WHERE {session:aal} = 1 AND {session:org} IS NULL AND {session:expiresAt} < ? AND {session:token} <> 'chosen'", e.clock.Now().Add(8*24*time.Hour)) {
		if row != "pwd" {
			t.Errorf("amr %s", row)
		}
	}
	if a := c.post("/update-user", m{"role": "admin"}); a.code() != "FIELD_NOT_ALLOWED" {
		t.Errorf("role: %d %s", a.Status, a.Body)
	}
	if a := c.post("/update-session", m{"org": "x"}); a.code() != "FIELD_NOT_ALLOWED" {
		t.Errorf("org: %d %s", a.Status, a.Body)
	}
}

// CVE-2026-73420, CVE-2024-24784, CVE-2025-59937: only a bare address in ASCII is one.
func TestAddresses(t *testing.T) {
	e := start(t)
	for _, email := range []string{"a\uff20example.com", "a\ufe6bexample.com", "a@b@example.com", "A <a@example.com>", "a@example.com (x)", "<a@example.com>",
		"a@example.com\r\nBcc: b@example.com", "a b@example.com", "a@exam\u0440le.com", "a@example.com,b@example.com", "a@[127.0.0.1]", "\"a b\"@example.com",
		"a@example", ".a@example.com", "a..b@example.com", "a@example.com\x00", "\u212Aelvin@example.com", " a@example.com", "a@example.com ", "group:a@example.com;"} {
		for path, body := range map[string]m{"/sign-up/email": {"name": "A", "email": email, "password": password}, "/request-password-reset": {"email": email}, "/send-verification-email": {"email": email}} {
			if a := e.client().post(path, body); a.Status != 400 {
				t.Errorf("%s %q: %d %s", path, email, a.Status, a.Body)
			}
		}
		if a := e.client().signIn(email, password); a.Status != 400 {
			t.Errorf("sign-in %q: %d", email, a.Status)
		}
	}
	if e.sum("user") != 0 {
		t.Error("a user was made")
	}
}

// CVE-2025-71404: the error page reflects nothing but a code of harmless characters.
func TestErrorPageReflectsNothing(t *testing.T) {
	e := start(t)
	for _, q := range []string{"<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "javascript:alert(1)", "a&b=<x>", "' onload='x"} {
		a := e.client().get("/error?error=" + url.QueryEscape(q) + "&error_description=" + url.QueryEscape(q))
		if a.Status != 200 || strings.Contains(string(a.Body), "<script") || strings.Contains(string(a.Body), "<img") || strings.Contains(string(a.Body), "' onload") {
			t.Errorf("%q: %d %s", q, a.Status, a.Body)
		}
		if csp := a.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script-src") {
			t.Errorf("CSP %s", csp)
		}
	}
}

// CVE-2025-64484, CVE-2023-41338: identity is never read from headers, nor is "local".
func TestHeadersAreNoIdentity(t *testing.T) {
	e := start(t)
	id := e.client().signUp("a@example.com").user()
	c := e.client()
	c.peer = netip.MustParseAddr("127.0.0.1")
	for _, h := range []string{"X-User", "X_User", "X-Forwarded-User", "X-Remote-User", "Remote-User", "X-Forwarded-Email", "X-Auth-Request-User", "X-User-Id",
		"X_Forwarded_User", "Authorization", "X-Session-Token", "Session-Token", "X-Api-Key", "better-auth.session_token"} {
		for _, v := range []string{id, "a@example.com", "Bearer " + id, "127.0.0.1"} {
			c.header[h] = v
			if c.user() != "" {
				t.Errorf("%s: %s is a session", h, v)
			}
		}
	}
}

// GHSA-xmf8-cvqr-rfgj, CVE-2025-59043: no header makes it fail; a compressed body is not
// unpacked.
func TestOddHeaders(t *testing.T) {
	e := start(t)
	for _, h := range []string{"Authorization", "Cookie", "Origin", "Referer", "Content-Type", "Content-Encoding", "X-Forwarded-For", "User-Agent", "Accept", "Sec-Fetch-Mode", "X-Request-Id"} {
		for _, v := range []string{"", " ", "\xff\xfe", strings.Repeat("a=b; ", 2000), "Bearer", "Bearer ", "null", "gzip", "%", "%%%", "\"", ";;;===", "a\x00b", strings.Repeat("9", 5000)} {
			for _, path := range []string{"/get-session", "/sign-in/email", "/sign-out"} {
				method := "POST"
				if path == "/get-session" {
					method = "GET"
				}
				r := e.client().request(method, path, m{"email": "a@example.com", "password": "x"})
				r.header[h] = []string{v, v}
				if a := e.do(r); a.Status >= 500 || a.cookies()[tokenCookie] != "" {
					t.Errorf("%s: %.20q %s: %d %s", h, v, path, a.Status, a.Body)
				}
			}
		}
	}
	// Not more than one hash for each address could have been verified: nobody is locked
	// by what is no guess.
	if a := e.client().signIn("b@example.com", password); a.Status != 401 {
		t.Errorf("afterwards: %d", a.Status)
	}
}

// GHSA-jfwg-rxf3-p7r9: values are bound. What is pasted into a statement in this package
// is a name that the program itself wrote.
func TestNoValueInStatements(t *testing.T) {
	sprintf := regexp.MustCompile(`(?i)Sprintf\("[^"]*\b(select|insert into|update|delete from|where)\b`)
	for _, pattern := range []string{"*.go", "../plugins/*/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(f, "_test.go") && sprintf.Match(raw) {
				t.Errorf("%s formats a statement", f)
			}
		}
	}
	e := start(t)
	for _, s := range []string{"'; DROP TABLE user; --", `" OR "1"="1`, "{user}", "?", "$1", "\\'", "a@example.com' --"} {
		c := e.client()
		a := c.post("/sign-up/email", m{"name": s, "email": "u@example.com", "password": password, "image": s})
		if a.Status != 200 || a.json["user"].(map[string]any)["name"] != s {
			t.Errorf("%q: %d %s", s, a.Status, a.Body)
		}
		for _, path := range []string{"/revoke-session", "/unlink-account"} {
			if a := c.post(path, m{"token": s, "accountId": s}); a.Status >= 500 {
				t.Errorf("%s %q: %d", path, s, a.Status)
			}
		}
		c.must(200, "POST", "/delete-user", m{"password": password})
	}
}

// A cookie, a token, a link: nothing that a stranger sends is a session by chance of
// a shared format. Everything that the program hands out is tried in every place.
func TestAnswersHoldNoSecrets(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	hash := e.rows("SELECT {account:password} FROM {account}")[0]
	for _, path := range []string{"/get-session", "/list-sessions", "/list-accounts", "/ok", "/features", "/error"} {
		body := string(c.get(path).Body)
		for name, secret := range map[string]string{"the hash": hash, "the stored token": core.HashToken(c.token()), "the secret": e.cfg.Secret, "a column": `"password"`} {
			if strings.Contains(body, secret) {
				t.Errorf("%s holds %s: %s", path, name, body)
			}
		}
	}
	if got := slices.Contains(tokens(c.get("/list-sessions")), c.token()); !got {
		t.Error("the own token is missing in the list")
	}
}

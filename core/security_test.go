package core_test

import (
	"fmt"
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

// Tests named after published advisories of other products: each shows that what went
// wrong there does not here. What is tested elsewhere is named in the comments:
//
//   - GHSA-xg6x-h9c9-2m83 (cache cookie before the second factor): TestChallenge
//   - CVE-2024-4629, CVE-2023-47111 (parallel guesses): TestParallelWrongPasswords
//   - CVE-2025-24806, CVE-2026-47203, CVE-2025-54998 (spellings share a count): TestAllWaysShareTheCount
//   - CVE-2025-54999, CVE-2026-44332, CVE-2026-111933, CVE-2026-23511: TestSignInDoesNotTellAccounts
//   - CVE-2023-39522: TestLinksDoNotTellAccounts; better-auth #8091: TestSignUpDoesNotTellAccounts
//   - CVE-2026-9802 (revocation in memory): revocation is a deleted row, TestRevocationSurvivesARestart
//   - CVE-2025-66630 (failing randomness): TestFailingRandomness
//   - CVE-2026-45364 (IPv6 keyed by text): TestRateLimits; GHSA-3fxj-6jh8-hvhx: TestClientAddress
//   - GHSA-x732-6j76-qmhm, GO-2026-4950 (odd paths): TestExactPaths
//   - CVE-2024-56734 and its kin (callback targets): TestCallbackTargets
//   - CVE-2026-40575 (a /0 network): TestEveryFaultIsReported
//   - GHSA-r277-6w6q-xmqw (a missing authenticator): TestEveryFaultIsReported
//   - CVE-2025-62513 (secrets in logs): TestNoSecretInLogs
//   - CVE-2026-25748 (malformed cookies): FuzzCookies

// Signed cookies do not carry their purpose (the form is Better Auth's): a value that is
// moved to another cookie's name gets nothing there (CVE-2023-48309). All pairs.
func TestSignedValueUnderAnotherName(t *testing.T) {
	for _, strategy := range []string{"", "compact", "jwt", "jwe"} {
		e := start(t, config(func(c *core.Config) {
			c.Session.CookieCache = core.CookieCacheConfig{Enabled: strategy != "", Strategy: strategy}
		}))
		e.client().signUp("a@example.com")
		c := e.client()
		c.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password, "rememberMe": false})
		e.client().must(200, "POST", "/request-password-reset", m{"email": "a@example.com"})
		values := maps.Clone(c.jar)
		values["reset token"] = e.signed(e.mailed("reset-password").Token)
		e.client().must(200, "POST", "/send-verification-email", m{"email": "a@example.com"})
		values["mail token"] = e.mailed("verify-email").Token
		values["signed mail token"] = e.signed(values["mail token"])
		c.auth = e.auth
		for from, value := range values {
			for _, to := range []string{tokenCookie, dataCookie, forgetCookie} {
				if from == to {
					continue
				}
				thief := e.client()
				thief.jar[to] = value
				if thief.clone().user() != "" {
					t.Errorf("%q: %s as %s is a session", strategy, from, to)
				}
				if a := thief.get("/list-accounts"); a.Status != 401 {
					t.Errorf("%q: %s as %s lists accounts: %d", strategy, from, to, a.Status)
				}
			}
		}
		// A session's value as the reminder does not keep the session from being renewed.
		d := e.client()
		d.signIn("a@example.com", password)
		e.clock.Add(25 * time.Hour)
		d.jar[forgetCookie] = d.jar[tokenCookie]
		if a := d.get("/get-session"); a.cookies()[tokenCookie] == "" {
			t.Errorf("%q: a moved value counts as the reminder: %v", strategy, a.cookies())
		}
		// A cache is no mail token.
		for name, value := range c.jar {
			raw, _ := url.PathUnescape(value)
			for _, tok := range []string{value, raw} {
				if a := e.client().get("/verify-email?token=" + url.QueryEscape(tok)); a.Status != 401 || a.code() != "INVALID_TOKEN" {
					t.Errorf("%q: %s as a mail token: %d %s", strategy, name, a.Status, a.Body)
				}
			}
		}
	}
}

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

// GHSA-2vg6-77g8-24mp, CVE-2025-29928, GHSA-7hgr-xvrr-xpw3: after deleting, revoking,
// resetting, the old token is refused, whatever storage and cache.
func TestRevokedEverywhere(t *testing.T) {
	ends := map[string]func(e *env, c *client){
		"sign-out":   func(_ *env, c *client) { c.clone().must(200, "POST", "/sign-out", m{}) },
		"delete":     func(_ *env, c *client) { c.clone().must(200, "POST", "/delete-user", m{"password": password}) },
		"revoke":     func(_ *env, c *client) { c.clone().must(200, "POST", "/revoke-session", m{"token": c.token()}) },
		"revoke all": func(_ *env, c *client) { c.clone().must(200, "POST", "/revoke-sessions", m{}) },
		"new password": func(_ *env, c *client) {
			c.clone().must(200, "POST", "/change-password", m{"currentPassword": password, "newPassword": "a new password", "revokeOtherSessions": true})
		},
		"password reset": func(e *env, c *client) {
			e.client().must(200, "POST", "/request-password-reset", m{"email": "a@example.com"})
			e.client().must(200, "POST", "/reset-password", m{"newPassword": "a new password", "token": e.mailed("reset-password").Token})
		},
	}
	for name, end := range ends {
		for _, storage := range []string{"hashed", "compat"} {
			for _, cache := range []bool{false, true} {
				e := start(t, config(func(c *core.Config) { c.Session.TokenStorage, c.Session.CookieCache.Enabled = storage, cache }))
				c := e.client().signUp("a@example.com")
				end(e, c)
				if a := c.clone().post("/revoke-other-sessions", m{}); a.Status != 401 {
					t.Errorf("%s, %s, cache %v: %d", name, storage, cache, a.Status)
				}
				if cache {
					e.clock.Add(5*time.Minute + time.Millisecond)
				}
				if c.clone().user() != "" {
					t.Errorf("%s, %s, cache %v: the session lives", name, storage, cache)
				}
			}
		}
	}
}

// CVE-2026-9802: what was revoked stays so after a restart.
func TestRevocationSurvivesARestart(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	c.clone().must(200, "POST", "/sign-out", m{})
	c.auth = e.compile()
	if c.user() != "" {
		t.Error("a revoked session lives again")
	}
}

// CVE-2024-28197: no cookie has a Domain unless it is configured.
func TestNoDomainUnlessConfigured(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.Session.CookieCache.Enabled = true }))
	for _, f := range e.client().signUp("a@example.com").must(200, "POST", "/sign-out", m{}).Header {
		if f.Name == "Set-Cookie" && strings.Contains(strings.ToLower(f.Value), "domain") {
			t.Error(f.Value)
		}
	}
}

// CVE-2024-7341, CVE-2024-38513: a sign-in makes a token of its own; what the client
// brought is never adopted.
func TestTokensAreFresh(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	seen := map[string]bool{c.token(): true}
	for range 3 {
		c.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password})
		if tok := c.token(); seen[tok] || len(tok) != 32 {
			t.Errorf("token %s", tok)
		}
		seen[c.token()] = true
	}
	chosen := strings.Repeat("A", 32)
	d := e.client()
	d.jar[tokenCookie] = e.signed(chosen)
	a := d.post("/sign-in/email", m{"email": "a@example.com", "password": password})
	if a.json["token"] == chosen || len(e.rows("SELECT {session:id} FROM {session} WHERE {session:token} IN (?, ?)", chosen, core.HashToken(chosen))) != 0 {
		t.Error("a token that the client chose was adopted")
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

// CVE-2026-34454, better-auth #8273: signing out, and reading a session that has gone,
// delete every cookie that could hold one, chunks and cache too.
func TestEveryCookieGoes(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.Session.CookieCache.Enabled = true }))
	c := e.client().signUp("a@example.com")
	for i := range 3 {
		c.jar[fmt.Sprintf("%s.%d", dataCookie, i)] = "x"
	}
	c.jar[forgetCookie] = "x"
	for _, do := range []func(*client) answer{
		func(c *client) answer { return c.post("/sign-out", m{}) },
		func(c *client) answer { return c.get("/get-session?disableCookieCache=1") },
	} {
		d := c.clone()
		do(d)
		if len(d.jar) != 0 {
			t.Errorf("left: %v", jarNames(d))
		}
	}
}

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

// CVE-2026-77561: counters of invented names deny nobody else.
func TestInventedNamesLockNobody(t *testing.T) {
	e := start(t)
	e.client().signUp("a@example.com")
	for i := range 300 {
		e.client().signIn("nobody"+itoa(i)+"@example.com", wrong)
	}
	if a := e.client().signIn("a@example.com", password); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	e.clock.Add(2 * time.Hour)
	if n, err := e.auth.Host().Clean(t.Context()); err != nil || n < 300 || e.sum("attempt") != 0 {
		t.Errorf("cleaned %d, %v, %d left", n, err, e.sum("attempt"))
	}
}

// CVE-2026-73421: a session accessor gives a session or an error, never both.
func TestNeverASessionWithAnError(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	for _, fail := range []func(op, sql string) error{nil, refusing(broken("", ""))} {
		e.db.fail(fail)
		s, header, err := e.auth.ReadSession(t.Context(), &exchange{r: c.request("GET", "/x", nil)})
		if err != nil && (s != nil || len(header) != 0) {
			t.Errorf("session %v and header %v with %v", s, header, err)
		}
		if (fail == nil) != (err == nil) {
			t.Error(err)
		}
	}
	e.db.fail(nil)
	// State-changing requests from another site have no session.
	r := c.request("POST", "/x", nil)
	r.header["Origin"] = []string{"https://evil.example"}
	if s, _, err := e.auth.ReadSession(t.Context(), &exchange{r: r}); s != nil || core.AsError(err) == nil || core.AsError(err).Status != 403 {
		t.Errorf("%v %v", s, err)
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

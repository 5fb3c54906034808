package core_test

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
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
		if len(d.jar) != 1 || d.jar[deviceCookie] == "" { // which is no credential
			t.Errorf("left: %v", jarNames(d))
		}
	}
}

// CVE-2026-77561: counters of invented names deny nobody else.
func TestInventedNamesLockNobody(t *testing.T) {
	e := start(t)
	e.client().signUp("a@example.com")
	for i := range 300 {
		c := e.client()
		c.peer = netip.AddrFrom4([4]byte{198, 51, 100, byte(i / 10)})
		c.signIn("nobody"+itoa(i)+"@example.com", wrong)
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

package core_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// signed is a value as the configured secret signs it: a client's cookie cannot be made
// without it.
func (e *env) signed(value string) string {
	e.t.Helper()
	return e.runProbe(signer(value), "/sign-anything").cookies()[tokenCookie]
}

// signer is a plugin that signs a value as the session's cookie.
func signer(value string) core.Plugin {
	route := core.NewRoute[core.None, core.Status]("POST /sign-anything", core.Public)
	return &probe{core.Spec{ID: "signer", Endpoints: []core.Endpoint{route.Handle(
		func(_ context.Context, c *core.Call, _ core.None) (core.Status, error) {
			core.SignCookie(c, c.Host().Cookie("session_token", 0), value)
			return core.Status{}, nil
		})}}}
}

// runProbe calls an endpoint of a plugin on a second Auth with the same configuration.
func (e *env) runProbe(p core.Plugin, path string) answer {
	e.t.Helper()
	cfg := e.config()
	cfg.Plugins = append(cfg.Plugins, p)
	a, err := core.New(e.t.Context(), cfg)
	if err != nil {
		e.t.Fatal(err)
	}
	defer a.Close(e.t.Context())
	out := serve(a, e.client().request("POST", path, m{}))
	// A second Auth has bound the database to its own schema.
	e.auth = e.compile()
	return out
}

func storedTokens(e *env) []string { return e.rows("SELECT {session:token} FROM {session}") }

// What the database holds of a token opens nothing: not as it is, not signed with the
// right secret, not as the handle of a list.
func TestStoredTokenIsNoToken(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	stored := storedTokens(e)[0]
	if strings.Contains(stored, c.token()) || stored != core.HashToken(c.token()) {
		t.Fatalf("the database holds %s", stored)
	}
	id := e.rows("SELECT {session:id} FROM {session}")[0]
	for _, value := range []string{stored, "session_" + id, id, strings.TrimPrefix(stored, "sha256:"), core.HashToken(stored)} {
		thief := e.client()
		thief.jar[tokenCookie] = e.signed(value)
		if thief.user() != "" {
			t.Errorf("%s signed with the secret is a session", value)
		}
		thief = e.client()
		thief.jar[tokenCookie] = e.signed(value)
		if a := thief.post("/sign-out", m{}); a.Status != 200 || e.sum("session") != 1 {
			t.Errorf("%s signed out somebody: %d", value, a.Status)
		}
		if s, err := core.GetSession.Call(t.Context(), e.auth, core.None{}, core.AsToken(value)); err != nil || s != nil {
			t.Errorf("AsToken(%s): %v %v", value, s, err)
		}
	}
	honest := e.client()
	honest.jar[tokenCookie] = e.signed(c.token())
	if honest.user() == "" {
		t.Error("the token itself, signed, is no session: the test shows nothing")
	}
}

// Look-ups accept both forms, so that the way of storing can change while people are
// signed in.
func TestBothFormsOfStorage(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, config(func(c *core.Config) { c.Session.TokenStorage = "compat" }))
		c := e.client().signUp("a@example.com")
		if got := storedTokens(e); got[0] != c.token() {
			t.Fatalf("compat stores %s", got)
		}
		e.cfg.Session.TokenStorage = "hashed"
		e.auth = e.compile()
		c.auth = e.auth
		if c.user() == "" {
			t.Error("a token that was stored as it is, read by who stores hashes")
		}
		d := e.client()
		d.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password})
		e.cfg.Session.TokenStorage = "compat"
		e.auth = e.compile()
		d.auth = e.auth
		if d.user() == "" {
			t.Error("a token that was stored hashed, read by who stores them as they are")
		}
	})
}

func tokens(a answer) (out []string) {
	var list []struct{ Token string }
	_ = json.Unmarshal(a.Body, &list)
	for _, s := range list {
		out = append(out, s.Token)
	}
	return out
}

func TestListAndRevoke(t *testing.T) {
	for _, storage := range []string{"hashed", "compat"} {
		both(t, func(t *testing.T, db option) {
			e := start(t, db, config(func(c *core.Config) { c.Session.TokenStorage = storage }))
			a := e.client().signUp("a@example.com")
			other := e.client().signUp("other@example.com")
			var rest []*client
			for range 3 {
				e.clock.Add(time.Second)
				c := e.client()
				c.signIn("a@example.com", password)
				rest = append(rest, c)
			}
			list := tokens(a.get("/list-sessions"))
			if len(list) != 4 || !slices.Contains(list, a.token()) {
				t.Fatalf("list %v", list)
			}
			for i, c := range rest {
				if got := slices.Contains(list, c.token()); got != (storage == "compat") {
					t.Errorf("the token of session %d is in another one's list: %v", i, got)
				}
			}
			// Another user's names have no effect, and nobody learns whether they exist.
			names := tokens(other.get("/list-sessions"))
			names = append(names, other.token(), "session_"+e.rows("SELECT {session:id} FROM {session} WHERE {session:userId} = ?", other.user())[0])
			for _, name := range append(names, "unknown", "") {
				if got := a.post("/revoke-session", m{"token": name}); got.Status != 200 || string(got.Body) != `{"status":true}` {
					t.Errorf("revoke %q: %d %s", name, got.Status, got.Body)
				}
			}
			if other.user() == "" || e.sum("session") != 5 {
				t.Fatal("a session of another user was revoked")
			}
			// By what the list says, and by the token itself.
			for _, name := range list {
				if name != a.token() && len(list) > 0 {
					a.must(200, "POST", "/revoke-session", m{"token": name})
					break
				}
			}
			alive := func() (n int) {
				for _, c := range rest {
					if c.clone().user() != "" {
						n++
					}
				}
				return n
			}
			if alive() != 2 {
				t.Errorf("%d of 3 live after revoking one by the list", alive())
			}
			for _, c := range rest {
				if c.clone().user() != "" {
					a.must(200, "POST", "/revoke-session", m{"token": c.token()})
					break
				}
			}
			if alive() != 1 {
				t.Errorf("%d of 3 live after revoking one by its token", alive())
			}
			a.must(200, "POST", "/revoke-other-sessions", m{})
			if alive() != 0 || a.user() == "" || other.user() == "" {
				t.Error("revoke-other-sessions went wrong")
			}
			if got := a.must(200, "POST", "/revoke-session", m{"token": a.token()}); got.cookies()[tokenCookie] != "" || len(got.cookies()) != 3 {
				t.Errorf("revoking oneself leaves the cookies: %v", got.cookies())
			}
			if a.user() != "" {
				t.Error("the revoked session lives")
			}
		})
	}
}

// The stored form is no name of a session for its own user either.
func TestRevokeByStoredHash(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	c.must(200, "POST", "/revoke-session", m{"token": storedTokens(e)[0]})
	if c.user() == "" {
		t.Error("the stored hash names a session")
	}
}

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

func TestCookieCache(t *testing.T) {
	for _, strategy := range []string{"compact", "jwt", "jwe"} {
		t.Run(strategy, func(t *testing.T) {
			e := start(t, config(func(c *core.Config) {
				c.Session.CookieCache = core.CookieCacheConfig{Enabled: true, Strategy: strategy, MaxAge: 60}
				c.User.Fields = []core.Extra{{Name: "plan", Type: "string", Default: "free"}, {Name: "secret", Type: "string", Default: "hidden", Returned: ptr(false)}}
				c.Session.Fields = []core.Extra{{Name: "note", Type: "string"}}
			}))
			c := e.client().signUp("a@example.com")
			fromDB := e.client()
			fromDB.jar[tokenCookie] = c.jar[tokenCookie]
			want := string(fromDB.get("/get-session").Body)
			var body string
			if n := e.db.count(func() { body = string(c.get("/get-session").Body) }); len(n) != 0 || body != want {
				t.Errorf("%d statements\n%s\nwant\n%s", len(n), body, want)
			}
			if raw := c.jar[dataCookie]; strings.Contains(raw, "hidden") {
				t.Error("the cookie holds a hidden column")
			}

			// The bound on staleness: a revoked session reads as valid for the cache's life,
			// and not a moment longer; what changes something never takes it for valid.
			stale := c.clone()
			e.exec("DELETE FROM {session}")
			e.clock.Add(60*time.Second - time.Millisecond)
			if stale.clone().user() == "" {
				t.Error("the cache ends early")
			}
			for _, path := range []string{"/revoke-sessions", "/change-password", "/change-email", "/delete-user", "/revoke-session", "/revoke-other-sessions", "/verify-password",
				"/unlink-account", "/update-user", "/update-session"} {
				a := stale.clone().post(path, m{"token": "x", "password": password, "newPassword": password, "currentPassword": password, "newEmail": "b@example.com",
					"accountId": "x", "name": "Mallory", "note": "x"})
				if a.Status != 401 || len(a.cookies()) != 3 {
					t.Errorf("%s: %d %s %v", path, a.Status, a.Body, a.cookies())
				}
			}
			if names := e.rows("SELECT {user:name} FROM {user}"); slices.Contains(names, "Mallory") {
				t.Error("a revoked session changed a name")
			}
			if got := stale.clone().get("/get-session?disableCookieCache=true"); string(got.Body) != "null" || len(got.cookies()) != 3 {
				t.Error("disableCookieCache asks the cache")
			}
			e.clock.Add(time.Millisecond * 2)
			if stale.clone().user() != "" {
				t.Error("the cache outlives its age")
			}
		})
	}
}

func TestCookieCacheRefusesForeign(t *testing.T) {
	for _, strategy := range []string{"compact", "jwt", "jwe"} {
		t.Run(strategy, func(t *testing.T) {
			e := start(t, config(func(c *core.Config) {
				c.Session.CookieCache = core.CookieCacheConfig{Enabled: true, Strategy: strategy}
			}))
			a, b := e.client().signUp("a@example.com"), e.client().signUp("b@example.com")
			idA := a.user()
			mixed := a.clone()
			mixed.jar[dataCookie] = b.jar[dataCookie]
			if got := mixed.user(); got != idA {
				t.Errorf("another session's cache gives user %q", got)
			}
			alone := e.client()
			alone.jar[dataCookie] = a.jar[dataCookie]
			if alone.user() != "" {
				t.Error("the cache alone is a session")
			}
			for i := range len(a.jar[dataCookie]) {
				if i%37 != 0 {
					continue
				}
				broken := a.clone()
				raw := []byte(broken.jar[dataCookie])
				raw[i] ^= 1
				broken.jar[dataCookie] = string(raw)
				if got := broken.user(); got != idA {
					t.Errorf("a flipped bit at %d gives %q", i, got)
				}
			}
			e.cfg.Session.CookieCache.Version = "2"
			e.auth = e.compile()
			a.auth = e.auth
			if n := e.db.count(func() { a.user() }); len(n) != 1 {
				t.Errorf("a cache of another version answers: %d statements", len(n))
			}
		})
	}
}

// A rotated secret signs nobody out: cookies verify by the old one and are signed anew.
func TestSecretRotation(t *testing.T) {
	for _, cache := range []bool{false, true} {
		e := start(t, config(func(c *core.Config) { c.Session.CookieCache.Enabled = cache }))
		c := e.client().signUp("a@example.com")
		old := c.jar[tokenCookie]
		e.cfg.Secrets = []core.Secret{{Version: 2, Value: "K4vX9cT2mR7pW1zQ8sB5nH3jF6dL0gYu"}, {Version: 1, Value: e.cfg.Secret}}
		e.cfg.Secret = ""
		e.auth = e.compile()
		c.auth = e.auth
		c.jar = map[string]string{tokenCookie: old}
		if c.user() == "" {
			t.Fatal("the old cookie is worth nothing")
		}
		if c.jar[tokenCookie] == old {
			t.Fatal("the cookie is not signed anew")
		}
		e.cfg.Secrets = e.cfg.Secrets[:1]
		e.auth = e.compile()
		c.auth = e.auth
		if c.user() == "" {
			t.Error("the new cookie does not verify with the new secret alone")
		}
		c.jar = map[string]string{tokenCookie: old}
		if c.user() != "" {
			t.Error("the old cookie verifies without the old secret")
		}
	}
}

func TestDecryptOnlySecretSignsNothing(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	e.cfg.Secrets = []core.Secret{{Version: 2, Value: "K4vX9cT2mR7pW1zQ8sB5nH3jF6dL0gYu"}, {Version: 1, Value: e.cfg.Secret, DecryptOnly: true}}
	e.cfg.Secret = ""
	e.auth = e.compile()
	c.auth = e.auth
	if c.user() != "" {
		t.Error("a cookie signed with a decrypt-only secret is taken")
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

func TestCookieAttributes(t *testing.T) {
	for _, tt := range []struct {
		name string
		fn   func(*core.Config)
		want string
	}{
		{"https", func(*core.Config) {}, "__Secure-better-auth.session_token=V; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{"http", func(c *core.Config) { c.BaseURL = "http://localhost:3000" }, "better-auth.session_token=V; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"},
		{"prefix", func(c *core.Config) { c.Cookies.Prefix = "mine" }, "__Secure-mine.session_token=V; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{"domain", func(c *core.Config) { c.Cookies.Domain = "example.com" }, "__Secure-better-auth.session_token=V; Max-Age=604800; Domain=example.com; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{"none", func(c *core.Config) { c.Cookies.SameSite, c.Cookies.Partitioned = "none", true },
			"__Secure-better-auth.session_token=V; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"},
		{"override", func(c *core.Config) {
			c.Cookies.Override = map[string]core.CookieOverride{"session_token": {Name: "sid", SameSite: "strict", Path: "/api"}}
		}, "__Secure-sid=V; Max-Age=604800; Path=/api; HttpOnly; Secure; SameSite=Strict"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := start(t, config(tt.fn))
			c := e.client()
			c.header = nil
			a := c.must(200, "POST", "/sign-up/email", m{"name": "A", "email": "a@example.com", "password": password})
			got := a.Get("Set-Cookie")
			if name, rest, ok := strings.Cut(got, "="); ok {
				_, attrs, _ := strings.Cut(rest, ";")
				got = name + "=V;" + attrs
			}
			if sorted(got) != sorted(tt.want) {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}

func sorted(cookie string) string {
	parts := strings.Split(cookie, "; ")
	slices.Sort(parts[1:])
	return strings.Join(parts, "; ")
}

// A long cache is cut into chunks, which are read together and deleted together.
func TestChunkedCache(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.Session.CookieCache.Enabled = true }))
	c := e.client().signUp("a@example.com")
	c.must(200, "POST", "/update-user", m{"name": strings.Repeat("long ", 1000)})
	if c.jar[dataCookie+".0"] == "" || c.jar[dataCookie+".1"] == "" || c.jar[dataCookie] != "" {
		t.Fatalf("cookies %v", jarNames(c))
	}
	if n := e.db.count(func() { c.user() }); len(n) != 0 {
		t.Errorf("the chunks are not read: %q", n)
	}
	gone := c.clone()
	delete(gone.jar, dataCookie+".0")
	if n := e.db.count(func() { gone.user() }); len(n) != 1 {
		t.Errorf("half a cache answers: %q", n)
	}
	c.must(200, "POST", "/sign-out", m{})
	if len(c.jar) != 0 {
		t.Errorf("after signing out: %v", jarNames(c))
	}
}

func jarNames(c *client) (out []string) {
	for k := range c.jar {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// A token with a percent sign, with quotes, twice: the first of a name counts.
func TestCookieForms(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	enc := c.jar[tokenCookie]
	raw, _ := url.PathUnescape(enc)
	for _, tt := range []struct {
		header string
		ok     bool
	}{
		{tokenCookie + "=" + enc, true}, {tokenCookie + "=" + raw, true}, {tokenCookie + "=\"" + enc + "\"", true},
		{"a=b;" + tokenCookie + "=" + enc, true}, {tokenCookie + "=" + enc + "; " + tokenCookie + "=x", true},
		{tokenCookie + "=x; " + tokenCookie + "=" + enc, false}, {tokenCookie + "=" + enc + "%", false},
		{tokenCookie + "=" + strings.TrimSuffix(enc, "%3D"), false}, {strings.ToUpper(tokenCookie) + "=" + enc, false},
		{"better-auth.session_token=" + enc, false}, {tokenCookie + "=" + c.token(), false}, {tokenCookie + "=", false},
		{tokenCookie + "=" + strings.Replace(enc, c.token(), strings.ToLower(c.token()), 1), false},
	} {
		r := e.client().request("GET", "/get-session", nil)
		r.header["Cookie"] = []string{tt.header}
		if got := string(e.do(r).Body) != "null"; got != tt.ok {
			t.Errorf("%s: session %v, want %v", tt.header, got, tt.ok)
		}
	}
}

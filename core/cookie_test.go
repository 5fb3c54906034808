package core_test

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

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
	if len(c.jar) != 1 || c.jar[deviceCookie] == "" {
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

// TestRenewedBesideTheCache: endpoints before which the session is read give the last cookie
// alone; those that read it themselves, and /get-session, give all.
func TestRenewedBesideTheCache(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.Session.CookieCache.Enabled, c.Session.UpdateAge = true, ptr(0) }))
	c := e.client().signUp("a@example.com")
	for _, tt := range []struct {
		path string
		want []string
	}{
		{"/list-accounts", nil},
		{"/list-accounts?disableCookieCache=1", []string{dataCookie}},
		{"/delete-user/callback?token=none", []string{dataCookie, tokenCookie}},
		{"/delete-user/callback?token=none&disableRefresh=1", []string{dataCookie, tokenCookie}},
		{"/list-accounts?disableCookieCache=1&disableRefresh=1", nil},
		{"/get-session?disableCookieCache=1", []string{dataCookie, tokenCookie}},
	} {
		got := slices.Sorted(maps.Keys(c.get(tt.path).cookies()))
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s sets %v, want %v", tt.path, got, tt.want)
		}
	}
}

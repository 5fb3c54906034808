package core_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// faults are requests to one endpoint that each fail one check, in the order of the
// checks. Every pair is put into one request: the earlier check answers.
type fault struct {
	code  string
	apply func(*request)
}

func set(name, value string) func(*request) {
	return func(r *request) { r.header[name] = []string{value} }
}

func TestOrderOfChecks(t *testing.T) {
	var ran []string
	note := func(s string) { ran = append(ran, s) }
	type in struct {
		Text        string  `json:"text"`
		CallbackURL *string `json:"callbackURL"`
	}
	route := core.NewRoute[in, core.Status]("POST /probe/act", core.Login, core.SessionRequired)
	p := &probe{core.Spec{ID: "probe", Limits: []core.RateLimit{{Paths: []string{"/probe/*"}, Max: 1, Window: 60}},
		Hooks: []core.Hook{
			core.Authenticate.Before(func(_ context.Context, e *core.AuthenticateEvent) error { note("authenticate"); return nil }),
			core.Request.Before(func(_ context.Context, e *core.RequestEvent) error {
				note("request before")
				if e.Call.Header("X-Refuse") != "" {
					return errHook
				}
				return nil
			}),
			core.Request.After(func(context.Context, *core.RequestEvent) error { note("request after"); return nil }),
			route.Before(func(context.Context, *core.Call, *in) error { note("route before"); return nil }),
			route.After(func(context.Context, *core.Call, *core.Status) error { note("route after"); return nil }),
		},
		Endpoints: []core.Endpoint{route.Handle(func(_ context.Context, c *core.Call, _ in) (core.Status, error) {
			note("handler")
			return core.Status{Status: true}, nil
		})}}}
	e := start(t, with(p), config(func(c *core.Config) { c.RateLimit = core.RateLimitConfig{Enabled: ptr(true)} }))
	c := e.client().signUp("a@example.com")
	good := func() request {
		e.clock.Add(2 * time.Minute)
		return c.request("POST", "/probe/act", m{"text": "x", "callbackURL": "/x"})
	}
	ran = nil
	if a := e.do(good()); a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if want := []string{"authenticate", "request before", "route before", "handler", "route after", "request after"}; !slices.Equal(ran, want) {
		t.Errorf("ran %v, want %v", ran, want)
	}
	limit := func(*request) { e.do(c.request("POST", "/probe/act", m{"text": "x"})) }
	order := []fault{
		{"", func(r *request) { r.path += "/" }},
		{"TOO_MANY_REQUESTS", limit},
		{"UNSUPPORTED_MEDIA_TYPE", set("Content-Type", "text/plain")},
		{"BAD_REQUEST", func(r *request) { r.body = "{" + r.body }},
		{"INVALID_ORIGIN", set("Origin", "https://evil.example")},
		{"INVALID_CALLBACK_URL", func(r *request) {
			r.body = strings.Replace(r.body, `"/x"`, `"https://evil.example"`, 1)
		}},
		{"VALIDATION_ERROR", func(r *request) { r.body = strings.Replace(r.body, `"x"`, `1`, 1) }},
		{"UNAUTHORIZED", set("Cookie", "theme=dark")},
		{"HOOK_SAYS_NO", set("X-Refuse", "1")},
	}
	for i, first := range order {
		for k := i; k < len(order); k++ {
			second := order[k]
			if first.code == "UNSUPPORTED_MEDIA_TYPE" && second.code == "BAD_REQUEST" {
				continue // one check: the type decides how the body is read
			}
			r := good()
			first.apply(&r)
			if k != i {
				second.apply(&r)
			}
			ran = nil
			a := e.do(r)
			if a.code() != first.code || first.code == "" && (a.Status != 404 || len(a.Body) != 0) {
				t.Errorf("%q with %q: %d %s", first.code, second.code, a.Status, a.Body)
			}
			if slices.Contains(ran, "handler") {
				t.Errorf("%q with %q: the handler ran", first.code, second.code)
			}
		}
	}
}

// GHSA-x732-6j76-qmhm, GO-2026-4950: a path that is odd in any way has no endpoint.
func TestExactPaths(t *testing.T) {
	e := start(t)
	for _, path := range []string{
		"/api/auth", "/api/auth/", "/api/authok", "/api/auth//ok", "//api/auth/ok", "/api//auth/ok", "/api/auth/ok/",
		"/api/auth/OK", "/API/auth/ok", "/api/auth/./ok", "/api/auth/../auth/ok", "/api/auth/x/../ok", "/api/auth/%6fk",
		"/api/auth%2Fok", "/api/auth/ok%00", "/api/auth/ok%2e", "/api/auth/%2e/ok", "/api/auth/ok;x=1", "/api/auth/ok ",
		"/api/auth/ok\x00", "/api/auth/ok?", "/api/auth/ok#x", "api/auth/ok", "/api/auth\\ok", "/api/auth/%252e%252e/ok", "", "/", "*",
	} {
		if a := serve(e.auth, request{method: "GET", path: path}); a.Status != 404 || len(a.Body) != 0 || len(a.Header) != 0 {
			t.Errorf("%q: %d %s %v", path, a.Status, a.Body, a.Header)
		}
	}
	for _, method := range []string{"HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "get", "TRACE", "CONNECT", ""} {
		if method == "" {
			continue
		}
		if a := serve(e.auth, request{method: method, path: "/api/auth/ok"}); a.Status != 404 || len(a.Body) != 0 {
			t.Errorf("%s: %d", method, a.Status)
		}
	}
	if a := serve(e.auth, request{method: "GET", path: "/api/auth/ok"}); a.Status != 200 || string(a.Body) != `{"ok":true}` {
		t.Errorf("/ok: %d %s", a.Status, a.Body)
	}
	if a := serve(e.auth, request{method: "GET", path: "/api/auth/sign-in/email"}); a.Status != 404 {
		t.Errorf("GET of a POST endpoint: %d", a.Status)
	}
	// A parameter is one piece of the path, taken as it was sent.
	for path, status := range map[string]int{"/api/auth/reset-password/": 404, "/api/auth/reset-password/a/b": 404,
		"/api/auth/reset-password/a%2Fb": 302, "/api/auth/reset-password/a": 302} {
		if a := serve(e.auth, request{method: "GET", path: path, query: "callbackURL=/x"}); a.Status != status {
			t.Errorf("%s: %d, want %d", path, a.Status, status)
		}
	}
}

func TestBasePaths(t *testing.T) {
	for base, path := range map[string]string{"/": "/ok", "/auth/": "/auth/ok", "/a/b": "/a/b/ok"} {
		e := start(t, config(func(c *core.Config) { c.BasePath = base }))
		if a := serve(e.auth, request{method: "GET", path: path}); a.Status != 200 {
			t.Errorf("%s: %d", path, a.Status)
		}
		if a := serve(e.auth, request{method: "GET", path: "/api/auth/ok"}); a.Status != 404 {
			t.Errorf("the default beside %s: %d", base, a.Status)
		}
		if !e.auth.Owns(path) {
			t.Errorf("%s is not owned", path)
		}
	}
}

func TestContentTypes(t *testing.T) {
	e := start(t)
	for _, tt := range []struct {
		path, ct, body string
		code           string
	}{
		{"/sign-in/email", "application/json", `{"email":"x","password":"y"}`, "INVALID_EMAIL"},
		{"/sign-in/email", "Application/JSON; charset=utf-8", `{"email":"x","password":"y"}`, "INVALID_EMAIL"},
		{"/sign-in/email", "application/x-www-form-urlencoded", `email=x&password=y`, "INVALID_EMAIL"},
		{"/sign-in/email", "text/plain", `{"email":"x","password":"y"}`, "UNSUPPORTED_MEDIA_TYPE"},
		{"/sign-in/email", "multipart/form-data; boundary=x", `--x`, "UNSUPPORTED_MEDIA_TYPE"},
		{"/sign-in/email", "application/jsonp", `{}`, "UNSUPPORTED_MEDIA_TYPE"},
		{"/sign-in/email", "application/json, text/plain", `{}`, "UNSUPPORTED_MEDIA_TYPE"},
		{"/request-password-reset", "application/x-www-form-urlencoded", `email=x`, "UNSUPPORTED_MEDIA_TYPE"},
		{"/sign-in/email", "application/json", `{"email":"x","email":"y","password":"z"}`, "BAD_REQUEST"},
		{"/sign-in/email", "application/json", `{"email":"x","password":"y"} x`, "BAD_REQUEST"},
		{"/sign-in/email", "application/json", `not json`, "BAD_REQUEST"},
		{"/sign-in/email", "application/json", `[]`, "VALIDATION_ERROR"},
		{"/sign-in/email", "application/json", `{"Email":"x","Password":"y"}`, "VALIDATION_ERROR"},
		{"/sign-in/email", "application/json", strings.Repeat("[", 10000), "JSON_TOO_DEEP"},
	} {
		r := e.client().request("POST", tt.path, nil)
		r.body, r.header["Content-Type"] = tt.body, []string{tt.ct}
		if a := e.do(r); a.code() != tt.code {
			t.Errorf("%s %s: %d %s, want %s", tt.ct, tt.body[:min(40, len(tt.body))], a.Status, a.Body, tt.code)
		}
	}
}

// CVE-2025-58186: the limit holds at its byte.
func TestBodyLimit(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.MaxBody = 1000 }))
	pad := func(n int) string {
		s := `{"email":"x","password":"y"}`
		return s + strings.Repeat(" ", n-len(s))
	}
	if a := e.client().post("/sign-in/email", pad(1000)); a.code() != "INVALID_EMAIL" {
		t.Errorf("at the limit: %d %s", a.Status, a.Body)
	}
	if a := e.client().post("/sign-in/email", pad(1001)); a.Status != 413 || a.code() != "PAYLOAD_TOO_LARGE" {
		t.Errorf("one more: %d %s", a.Status, a.Body)
	}
}

// evil are targets that must never be redirected to (CVE-2024-56734 and its kin).
var evil = []string{"https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "https:/\\evil.example",
	"http://auth.example.com", "https://auth.example.com.evil.example", "https://auth.example.com@evil.example", "https://auth.example.com:444",
	"javascript:alert(1)", "data:text/html,x", "vbscript:x", "JAVASCRIPT:alert(1)", " javascript:alert(1)", "/%2f/evil.example", "/%5cevil.example",
	"https://app.example.com.evil.example", "https://evil.example#https://app.example.com", "https://evil.example/?https://app.example.com",
	"app", "?x", "#x", "/\r\nSet-Cookie: a=b", "http:evil.example", "///evil.example", "https://\u0430pp.example.com", "file:///etc/passwd", "myapp2://x"}

// Every endpoint that redirects refuses them, wherever they stand, and says so.
func TestCallbackTargets(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.User.DeleteUser.VerifyByMail = true }))
	c := e.client().signUp("a@example.com")
	c.must(200, "POST", "/send-verification-email", m{"email": "a@example.com"})
	token := e.mailed("verify-email").Token
	fields := map[string]string{"callbackURL": "INVALID_CALLBACK_URL", "redirectTo": "INVALID_REDIRECT_URL",
		"errorCallbackURL": "INVALID_ERROR_CALLBACK_URL", "newUserCallbackURL": "INVALID_NEW_USER_CALLBACK_URL"}
	posts := []string{"/sign-in/email", "/sign-up/email", "/request-password-reset", "/send-verification-email", "/change-email", "/delete-user", "/update-user", "/sign-out"}
	for _, target := range evil {
		for _, path := range posts {
			for field, code := range fields {
				if a := c.clone().post(path, m{field: target}); a.Status != 403 || a.code() != code {
					t.Errorf("POST %s %s=%q: %d %s", path, field, target, a.Status, a.Body)
				}
			}
			if a := c.clone().post(path+"?callbackURL="+core.EncodeURIComponent(target), m{}); a.Status != 403 || a.code() != "INVALID_CALLBACK_URL" {
				t.Errorf("POST %s?callbackURL=%q: %d %s", path, target, a.Status, a.Body)
			}
		}
		for _, path := range []string{"/verify-email?token=" + token, "/verify-email?token=x", "/reset-password/x?", "/delete-user/callback?token=x"} {
			a := c.clone().get(path + "&callbackURL=" + core.EncodeURIComponent(target))
			if a.Get("Location") != "" || a.Status < 400 {
				t.Errorf("GET %s %q: %d to %q", path, target, a.Status, a.Get("Location"))
			}
		}
	}
	for _, target := range []string{"/", "/x?y=1#z", base, base + "/x", "https://app.example.com/x", "https://APP.example.com", "myapp://open"} {
		if a := c.clone().post("/request-password-reset", m{"email": "a@example.com", "redirectTo": target}); a.Status != 200 {
			t.Errorf("%q: %d %s", target, a.Status, a.Body)
		}
	}
}

type originCase struct {
	header map[string]string
	cookie bool
	code   string // "" passes
}

// The origin check and the login CSRF check, by what a browser can and cannot send.
func TestOrigins(t *testing.T) {
	e := start(t)
	const missing, invalid, cross = "MISSING_OR_NULL_ORIGIN", "INVALID_ORIGIN", "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"
	h := func(kv ...string) map[string]string {
		out := map[string]string{}
		for i := 0; i < len(kv); i += 2 {
			out[kv[i]] = kv[i+1]
		}
		return out
	}
	for _, tt := range []originCase{
		{h(), true, missing}, {h("Origin", "null"), true, missing}, {h("Origin", ""), true, missing},
		{h("Origin", "https://evil.example"), true, invalid}, {h("Origin", base), true, ""}, {h("Origin", "https://app.example.com"), true, ""},
		{h("Origin", base+".evil.example"), true, invalid}, {h("Origin", "http://auth.example.com"), true, invalid},
		{h("Origin", base+":8443"), true, invalid}, {h("Origin", base+":443"), true, ""}, {h("Origin", "HTTPS://AUTH.EXAMPLE.COM"), true, ""},
		{h("Referer", base+"/page"), true, ""}, {h("Referer", "https://evil.example/"+base), true, invalid},
		{h("Origin", "null", "Referer", base+"/page"), true, missing}, {h("Origin", "https://evil.example", "Referer", base), true, invalid},
		{h("Origin", "null", "Sec-Fetch-Site", "same-origin"), true, ""}, {h("Origin", "null", "Sec-Fetch-Site", "same-site"), true, missing},
		{h("Origin", "null", "Sec-Fetch-Site", "cross-site"), true, missing}, {h("Host", "evil.example", "Origin", "https://evil.example"), true, invalid},
		{h("X-Forwarded-Host", "evil.example", "Origin", "https://evil.example"), true, invalid},
		{h("Origin", "/"), true, invalid}, {h("Origin", base+", https://evil.example"), true, invalid},
		{h(), false, ""}, {h("Origin", "https://evil.example"), false, invalid}, {h("Referer", "https://evil.example"), false, invalid},
		{h("Origin", "null"), false, missing}, {h("Sec-Fetch-Mode", "cors"), false, missing}, {h("Sec-Fetch-Dest", "empty"), false, missing},
		{h("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Origin", base), false, cross},
		{h("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"), false, cross},
		{h("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Origin", "https://evil.example"), false, invalid},
		{h("Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors", "Origin", base), false, ""},
		{h("Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Origin", base), false, ""},
	} {
		for _, path := range []string{"/sign-in/email", "/sign-up/email", "/sign-out"} {
			r := e.client().request("POST", path, m{"name": "x", "email": "a@b", "password": password})
			delete(r.header, "Origin")
			for k, v := range tt.header {
				r.header[k] = []string{v}
			}
			if tt.cookie {
				r.header["Cookie"] = []string{"theme=dark"}
			}
			want := tt.code
			if path == "/sign-out" && !tt.cookie {
				want = "" // signs nobody in
			}
			a := e.do(r)
			got := a.code()
			if got == "INVALID_EMAIL" || got == "VALIDATION_ERROR" || a.Status == 200 {
				got = ""
			}
			if path == "/sign-up/email" && !tt.cookie {
				continue // validation comes first there; sign-in shows the rest
			}
			if got != want {
				t.Errorf("%s %v cookie %v: %d %s, want %q", path, tt.header, tt.cookie, a.Status, a.Body, want)
			}
		}
	}
	// Reading is never checked.
	r := e.client().request("GET", "/get-session", nil)
	r.header["Origin"], r.header["Cookie"] = []string{"https://evil.example"}, []string{"a=b"}
	if a := e.do(r); a.Status != 200 {
		t.Errorf("GET: %d", a.Status)
	}
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestRateLimits(t *testing.T) {
	for _, storage := range []string{"memory", "database"} {
		both(t, func(t *testing.T, db option) {
			e := start(t, db, config(func(c *core.Config) {
				c.RateLimit = core.RateLimitConfig{Enabled: ptr(true), Storage: storage, Rules: []core.RateLimit{{Paths: []string{"/ok"}, Max: 7, Window: 10}}}
			}))
			var got outcomes
			parallel(t, 50, func(int) { got.add(e.client().get("/ok")) })
			got.want(t, map[string]int{"200": 7, "429 TOO_MANY_REQUESTS": 43})
			e.clock.Add(9 * time.Second)
			a := e.client().get("/ok")
			if a.Status != 429 || a.Get("X-Retry-After") != "1" || a.Get("Retry-After") != "1" {
				t.Errorf("%d, X-Retry-After %q", a.Status, a.Get("X-Retry-After"))
			}
			e.clock.Add(time.Second)
			e.client().must(200, "GET", "/ok", nil)
			// Another address has its own count; another spelling of one has not.
			e.clock.Add(11 * time.Second)
			for i := range 8 {
				c := e.client()
				c.peer = addr(fmt.Sprintf("2001:db8:0:1::%d", i+1))
				if a := c.get("/ok"); (a.Status == 200) != (i < 7) {
					t.Errorf("address %d of one /64: %d", i, a.Status)
				}
			}
			c := e.client()
			c.peer = addr("2001:db8:0:2::1")
			c.must(200, "GET", "/ok", nil)
			c.peer = addr("::ffff:192.0.2.9")
			for range 7 {
				c.must(200, "GET", "/ok", nil)
			}
			c.peer = addr("192.0.2.9")
			if a := c.get("/ok"); a.Status != 429 {
				t.Errorf("an IPv4 address in IPv6 form has another count: %d", a.Status)
			}
		})
	}
}

// A limiter that cannot be asked does not let through.
func TestRateLimitFailsClosed(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.RateLimit = core.RateLimitConfig{Enabled: ptr(true), Storage: "database"} }))
	e.db.fail(refusing(broken("", ""), "rateLimit"))
	if a := e.client().get("/ok"); a.Status != 503 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

func TestDefaultRulesOfSignIn(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.RateLimit.Enabled = ptr(true) }))
	for i, path := range []string{"/sign-in/email", "/sign-up/email", "/change-password", "/change-email", "/request-password-reset", "/send-verification-email"} {
		c := e.client()
		c.peer = addr(fmt.Sprintf("192.0.2.%d", i+10))
		for n := 1; ; n++ {
			if a := c.post(path, m{}); a.Status == 429 {
				if n != 4 {
					t.Errorf("%s: %d requests passed, want 3", path, n-1)
				}
				break
			}
			if n > 100 {
				t.Errorf("%s has no limit", path)
				break
			}
		}
	}
}

// GHSA-3fxj-6jh8-hvhx and others: an address is read from a header only where the peer
// is a trusted proxy, from the right.
func TestClientAddress(t *testing.T) {
	for _, tt := range []struct {
		trusted   []string
		peer      string
		forwarded []string
		want      string
	}{
		{nil, "192.0.2.1", []string{"203.0.113.7"}, "192.0.2.1"},
		{[]string{"192.0.2.0/24"}, "192.0.2.1", []string{"203.0.113.7"}, "203.0.113.7"},
		{[]string{"192.0.2.0/24"}, "198.51.100.1", []string{"203.0.113.7"}, "198.51.100.1"},
		{[]string{"192.0.2.0/24"}, "192.0.2.1", []string{"1.2.3.4, 203.0.113.7, 192.0.2.2"}, "203.0.113.7"},
		{[]string{"192.0.2.0/24"}, "192.0.2.1", []string{"1.2.3.4", "203.0.113.7"}, "203.0.113.7"},
		{[]string{"192.0.2.0/24"}, "192.0.2.1", nil, ""}, // a proxy that does not say for whom
		{[]string{"192.0.2.0/24"}, "192.0.2.1", []string{"2001:DB8::1"}, "2001:0db8:0000:0000:0000:0000:0000:0000"},
	} {
		e := start(t, config(func(c *core.Config) { c.TrustedProxies = tt.trusted }))
		c := e.client()
		c.peer = addr(tt.peer)
		r := c.request("POST", "/sign-up/email", m{"name": "A", "email": "a@example.com", "password": password})
		r.header["X-Forwarded-For"], r.header["X-Real-IP"], r.header["True-Client-IP"], r.header["Forwarded"] =
			tt.forwarded, []string{"6.6.6.6"}, []string{"6.6.6.6"}, []string{"for=6.6.6.6"}
		if a := e.do(r); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		got := e.rows("SELECT {session:ipAddress} FROM {session}")
		if len(got) != 1 || got[0] != tt.want && !(strings.HasPrefix(tt.want, "2001") && strings.HasPrefix(got[0], "2001")) {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

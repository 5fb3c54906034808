package core_test

import (
	"context"
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

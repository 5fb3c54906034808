package core_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

type shelfInput struct {
	ID    string  `json:"id"`
	Color *string `query:"color"`
}

type shelfAnswer struct {
	ID, Color, Alias string
	Body             bool
}

var (
	shelf    = core.NewRoute[shelfInput, shelfAnswer]("POST /shelf")
	plain    = core.NewRoute[core.None, core.Status]("GET /v1/plain/:name", core.Public, core.Absolute)
	errGone  = core.NewError("GONE_AWAY", 410, "It is gone")
	v1Shelf  = core.Alias{Method: "DELETE", Path: "/v1/shelves/:id/books", Target: "POST /shelf"}
	envelope = core.Envelope{Prefix: "/v1/", Owns: true, Write: func(f core.Failure) core.Response {
		return core.Response{Status: f.Class.Status(), Header: []core.Field{{Name: "Content-Type", Value: "text/plain"}}, Body: []byte(f.Class)}
	}}
)

func shelves(ctx context.Context, c *core.Call, in shelfInput) (shelfAnswer, error) {
	c.SetHeader("X-Shelf", "yes")
	color := ""
	if in.Color != nil {
		color = *in.Color
	}
	_, body := c.BodyText("id")
	return shelfAnswer{in.ID, color, c.Alias(), body}, nil
}

// library makes a plugin with an alias, and one that serves its target.
func library(change func(*core.Alias)) []core.Plugin {
	a := v1Shelf
	a.Request = func(_ *core.Call, in *core.AliasInput) error {
		in.Set("id", in.Path["id"])
		in.Query.Set("color", in.Query.Get("colour"))
		if in.Path["id"] == "cellar" {
			return errGone
		}
		return nil
	}
	if change != nil {
		change(&a)
	}
	return []core.Plugin{
		&probe{core.Spec{ID: "library", Aliases: []core.Alias{a, {Method: "GET", Path: "/v1/lost", Target: "GET /nowhere", Absent: errGone}},
			Endpoints: []core.Endpoint{plain.Handle(ok)}, Envelopes: []core.Envelope{envelope}, Errors: []*core.Error{errGone}}},
		&probe{core.Spec{ID: "another", Endpoints: []core.Endpoint{shelf.Handle(shelves)}}},
	}
}

func TestAlias(t *testing.T) {
	e := start(t, with(library(nil)...))
	c := e.client().signUp("a@example.com")
	at := func(method, path, query, body string, header ...string) answer {
		r := c.request(method, "", body)
		r.path, r.query = path, query
		if body == "" {
			delete(r.header, "Content-Type")
		}
		for i := 0; i < len(header); i += 2 {
			r.header[header[i]] = []string{header[i+1]}
		}
		return serve(e.auth, r)
	}
	for _, x := range []struct {
		name string
		got  answer
		code int
		body string
	}{
		{"parameters, query, no body", at("DELETE", "/v1/shelves/s1/books", "colour=red", ""), 200, `{"ID":"s1","Color":"red","Alias":"/v1/shelves/:id/books","Body":true}`},
		{"a body that is no object", at("DELETE", "/v1/shelves/s1/books", "", `[]`), 400, "VALIDATION"},
		{"broken JSON", at("DELETE", "/v1/shelves/s1/books", "", `{`), 400, "VALIDATION"},
		{"a text as JSON", at("DELETE", "/v1/shelves/s1/books", "", `{"id":"x"}`, "Content-Type", "text/plain"), 400, "VALIDATION"},
		{"a form", at("DELETE", "/v1/shelves/s1/books", "", `id=x`, "Content-Type", "application/x-www-form-urlencoded"), 400, "VALIDATION"},
		{"a query that cannot be read", at("DELETE", "/v1/shelves/s1/books", "colour=%zz", ""), 400, "VALIDATION"},
		{"refused by Request", at("DELETE", "/v1/shelves/cellar/books", "", ""), 400, "VALIDATION"},
		{"another method", at("POST", "/v1/shelves/s1/books", "", `{}`), 404, "NOT_FOUND"},
		{"no parameter", at("DELETE", "/v1/shelves//books", "", ""), 404, "NOT_FOUND"},
		{"no endpoint", at("GET", "/v1/nothing", "", ""), 404, "NOT_FOUND"},
		{"no target", at("GET", "/v1/lost", "", ""), 400, "VALIDATION"},
		{"an absolute endpoint", at("GET", "/v1/plain/x", "", ""), 200, `{"status":true}`},
		{"it is not below the base path", at("GET", "/api/auth/v1/plain/x", "", ""), 404, ""},
		{"the target itself", at("POST", "/api/auth/shelf", "", `{"id":"x"}`), 200, `{"ID":"x","Color":"","Alias":"","Body":true}`},
		{"its failures", at("POST", "/api/auth/shelf", "", `{`), 400, `{"message":"Invalid JSON in request body","code":"BAD_REQUEST"}`},
		{"a foreign origin", at("DELETE", "/v1/shelves/s1/books", "", "", "Origin", "https://evil.example"), 400, "VALIDATION"},
		{"no session", serve(e.auth, request{method: "DELETE", path: "/v1/shelves/s1/books"}), 401, "UNAUTHORIZED"},
	} {
		if x.got.Status != x.code || string(x.got.Body) != x.body {
			t.Errorf("%s: %d %s", x.name, x.got.Status, x.got.Body)
		}
	}
	for path, want := range map[string]bool{"/v1/shelves/s/books": true, "/v1/anything": true, "/v1": false, "/v2/shelves": false, "/api/auth/x": true} {
		if e.auth.Owns(path) != want {
			t.Errorf("owns %s: %v", path, !want)
		}
	}
	if p, ok := e.auth.Pattern("DELETE", "/v1/shelves/secret/books"); !ok || p != "/v1/shelves/:id/books" {
		t.Errorf("pattern %q", p)
	}
}

var jsonType = map[string][]string{"Content-Type": {"application/json"}}

// A failure of Response is the answer, and takes back the session that was made.
func TestAliasResponse(t *testing.T) {
	fail := false
	alias := core.Alias{Method: "POST", Path: "/v1/login", Target: "POST /sign-in/email",
		Response: func(_ context.Context, c *core.Call, res core.Response) (core.Response, error) {
			if fail {
				return res, errors.New("no token")
			}
			c.SetHeader("X-Session", c.Issued().ID)
			res.Body = []byte("in")
			return res, nil
		}}
	e := start(t, with(&probe{core.Spec{ID: "v1", Aliases: []core.Alias{alias}}}))
	e.client().signUp("a@example.com")
	body := `{"email":"a@example.com","password":"` + password + `"}`
	got := serve(e.auth, request{method: "POST", path: "/v1/login", body: body, header: jsonType})
	if got.Status != 200 || string(got.Body) != "in" || got.Get("X-Session") == "" || len(got.cookies()) == 0 {
		t.Errorf("%d %s %v", got.Status, got.Body, got.Header)
	}
	fail = true
	got = serve(e.auth, request{method: "POST", path: "/v1/login", body: body, header: jsonType})
	if got.Status != 500 || got.code() != "INTERNAL_SERVER_ERROR" || len(got.cookies()) != 0 || strings.Contains(string(got.Body), "no token") {
		t.Errorf("a failed mapping: %d %s %v", got.Status, got.Body, got.Header)
	}
	// A failure does not get to Response; a form of its own may be given.
	alias.Failure = func(core.Failure) core.Response { return core.Response{Status: 200, Body: []byte("as always")} }
	e = start(t, with(&probe{core.Spec{ID: "v1", Aliases: []core.Alias{alias}}}))
	if got = serve(e.auth, request{method: "POST", path: "/v1/login", body: "{", header: jsonType}); got.Status != 200 || string(got.Body) != "as always" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestAliasFaults(t *testing.T) {
	target := func(s string) func(*core.Alias) { return func(a *core.Alias) { a.Target = s } }
	more := func(e ...core.Envelope) core.Plugin { return &probe{core.Spec{ID: "more", Envelopes: e}} }
	for want, plugins := range map[string][]core.Plugin{
		`leads to "POST /shelf2", which no plugin serves`: library(target("POST /shelf2")),
		`leads to "GET /shelf", which no plugin serves`:   library(target("GET /shelf")),
		`alias /v1/plain/:x is taken by library`:          library(func(a *core.Alias) { a.Method, a.Path = "GET", "/v1/plain/:x" }),
		`want an upper-case method`:                       library(func(a *core.Alias) { a.Path = "v1" }),
		`envelope /v1/: there is one already`:             append(library(nil), more(envelope)),
		`want a prefix with a slash at both ends`:         append(library(nil), more(core.Envelope{Prefix: "/v2", Write: envelope.Write})),
		`it holds the base path, or is below it`:          append(library(nil), more(core.Envelope{Prefix: "/api/", Write: envelope.Write})),
	} {
		cfg := prepare(t).config()
		cfg.Plugins, cfg.SkipVerify = plugins, true
		a, err := core.New(t.Context(), cfg)
		if err == nil {
			a.Close(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// The hook that comes last decides which session counts.
func TestUseSessionIDThenToken(t *testing.T) {
	var present func(*core.AuthenticateEvent)
	e := start(t, hooks(core.Authenticate.Before(func(_ context.Context, ev *core.AuthenticateEvent) error {
		if present != nil {
			present(ev)
		}
		return nil
	})))
	a, b := e.client().signUp("a@example.com"), e.client().signUp("b@example.com")
	id := a.get("/get-session").json["session"].(map[string]any)["id"].(string)
	alice, bob := a.user(), b.user()
	for want, fn := range map[string]func(*core.AuthenticateEvent){
		alice: func(ev *core.AuthenticateEvent) { ev.UseToken(b.token()); ev.UseSessionID(id) },
		bob:   func(ev *core.AuthenticateEvent) { ev.UseSessionID(id); ev.UseToken(b.token()) },
	} {
		present = fn
		if got := e.client().user(); got != want {
			t.Errorf("session of %s, want %s", got, want)
		}
	}
}

// A session that was presented by its id is that session, and nothing of it leaks: no
// token, no cookie.
func TestUseSessionID(t *testing.T) {
	for _, storage := range []string{"hashed", "compat"} {
		t.Run(storage, func(t *testing.T) {
			e := start(t, config(func(c *core.Config) { c.Session.TokenStorage = storage }),
				hooks(core.Authenticate.Before(func(_ context.Context, ev *core.AuthenticateEvent) error {
					if id := ev.Call.Header("X-Session-Id"); id != "" {
						ev.UseSessionID(id)
					}
					return nil
				})))
			c := e.client().signUp("a@example.com")
			token := c.token()
			id := c.get("/get-session").json["session"].(map[string]any)["id"].(string)
			as := func(method, path, body string) answer {
				header := map[string][]string{"X-Session-Id": {id}, "Content-Type": {"application/json"}}
				return serve(e.auth, request{method: method, path: "/api/auth" + path, body: body, header: header})
			}
			check := func(path string, got answer) {
				t.Helper()
				if got.Status != 200 || strings.Contains(string(got.Body), token) || len(got.cookies()) > 0 {
					t.Errorf("%s: %d %s %v", path, got.Status, got.Body, got.cookies())
				}
			}
			check("get-session", as("GET", "/get-session", ""))
			check("list-sessions", as("GET", "/list-sessions", ""))
			check("update-user", as("POST", "/update-user", `{"name":"B"}`))
			e.clock.Add(25 * time.Hour)
			check("renewal", as("GET", "/get-session", ""))
			e.clock.Add(6*24*time.Hour + time.Hour)
			if got := as("GET", "/get-session", ""); string(got.Body) == "null" {
				t.Error("the session was not renewed")
			}
			if got := as("POST", "/sign-out", `{}`); got.Status != 200 {
				t.Errorf("sign-out: %d %s", got.Status, got.Body)
			}
			for _, path := range []string{"/get-session", "/list-accounts"} {
				if got := as("GET", path, ""); path == "/get-session" && string(got.Body) != "null" || path != "/get-session" && got.Status != 401 {
					t.Errorf("%s after signing out: %d %s", path, got.Status, got.Body)
				}
			}
		})
	}
}

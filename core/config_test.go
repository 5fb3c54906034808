package core_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

var (
	pageA = core.NewRoute[core.None, core.Status]("GET /page", core.Public)
	pageB = core.NewRoute[core.None, core.Status]("GET /page", core.Public)
	parA  = core.NewRoute[core.None, core.Status]("GET /x/:a", core.Public)
	parB  = core.NewRoute[core.None, core.Status]("GET /x/:b", core.Public)
	away  = core.NewRoute[core.None, core.Status]("GET /away", core.Public)
)

func ok(context.Context, *core.Call, core.None) (core.Status, error) {
	return core.Status{Status: true}, nil
}

type speaker interface{ Speak() string }
type listener interface{ Listen() }
type absentee interface{ Absent() }
type loud struct{}
type deaf struct{}

func (loud) Speak() string { return "!" }
func (deaf) Listen()       {}

type badInput struct {
	C chan int `json:"c"`
}

// Every fault is found, named, and reported together with all others.
func TestEveryFaultIsReported(t *testing.T) {
	type faultyPlugin struct {
		spec core.Spec
		want string
	}
	var absent absentee
	var cycled speaker
	var heard listener
	run := func(context.Context, *core.Host, []string, io.Writer) error { return nil }
	job := core.NewJob[string]("twice")
	handler := job.Handle(func(context.Context, string) error { return nil })
	duplicate := core.NewError("SAME_CODE", 400, "one")
	plugins := []faultyPlugin{
		{core.Spec{ID: "Bad_ID"}, `id "Bad_ID"`},
		{core.Spec{ID: ""}, `id ""`},
		{core.Spec{ID: "core"}, `"core" is listed twice`},
		{core.Spec{ID: "twin"}, ``},
		{core.Spec{ID: "twin"}, `"twin" is listed twice`},
		{core.Spec{ID: "errors-a", Errors: []*core.Error{duplicate, duplicate}}, ``},
		{core.Spec{ID: "errors-b", Errors: []*core.Error{core.NewError("SAME_CODE", 401, "two")}}, `error SAME_CODE differs from the one that errors-a declares`},
		{core.Spec{ID: "errors-c", Errors: []*core.Error{core.NewError("not a code", 400, "x")}}, `error "not a code"`},
		{core.Spec{ID: "errors-d", Errors: []*core.Error{core.NewError("STATUS", 200, "x")}}, `error "STATUS" with status 200`},
		{core.Spec{ID: "errors-e", Errors: []*core.Error{core.NewError("INVALID_TOKEN", 500, "x")}}, `error INVALID_TOKEN differs from the one that core declares`},
		{core.Spec{ID: "errors-f", Errors: []*core.Error{nil}}, `plugin errors-f: a nil error`},
		{core.Spec{ID: "route-a", Endpoints: []core.Endpoint{pageA.Handle(ok), parA.Handle(ok)}}, ``},
		{core.Spec{ID: "route-b", Endpoints: []core.Endpoint{pageB.Handle(ok)}}, `plugin route-b: GET /page is taken by route-a`},
		{core.Spec{ID: "route-c", Endpoints: []core.Endpoint{pageA.Handle(ok)}}, `plugin route-c: /page is registered twice (by route-a)`},
		{core.Spec{ID: "route-d", Endpoints: []core.Endpoint{parB.Handle(ok)}}, `plugin route-d: GET /x/:b is taken by route-a`},
		{core.Spec{ID: "route-e", Endpoints: []core.Endpoint{{}}}, `plugin route-e: an endpoint without a handler`},
		{core.Spec{ID: "route-f", Endpoints: []core.Endpoint{core.NewRoute[badInput, core.Status]("POST /bad").Handle(
			func(context.Context, *core.Call, badInput) (core.Status, error) { return core.Status{}, nil })}}, `plugin route-f: input of /bad`},
		{core.Spec{ID: "alias-b", Endpoints: []core.Endpoint{core.NewRoute[core.None, core.Status]("GET /aliased2", core.Public).Handle(ok).
			Alias(core.Alias{Method: "GET", Path: "/v1/x"}, core.Alias{Method: "GET", Path: "/v1/x"})}}, `plugin alias-b: alias /v1/x is taken by alias-b`},
		{core.Spec{ID: "alias-c", Endpoints: []core.Endpoint{core.NewRoute[core.None, core.Status]("GET /aliased3", core.Public).Handle(ok).
			Alias(core.Alias{Method: "get", Path: "no-slash"})}}, `plugin alias-c: alias get no-slash`},
		{core.Spec{ID: "hook-a", Hooks: []core.Hook{away.Before(func(context.Context, *core.Call, *core.None) error { return nil })}}, `plugin hook-a: hook on /away, which no plugin serves: is its plugin in the list?`},
		{core.Spec{ID: "hook-d", Hooks: []core.Hook{core.NewRoute[core.None, core.None]("POST /sign-out").Before(
			func(context.Context, *core.Call, *core.None) error { return nil })}}, `plugin hook-d: hook on another route value than the one that core serves at /sign-out: use its variable`},
		{core.Spec{ID: "hook-b", Hooks: []core.Hook{{}}}, `plugin hook-b: an empty hook`},
		{core.Spec{ID: "hook-c", Hooks: []core.Hook{core.SignInPoint.Before(nil)}}, `plugin hook-c: an empty hook: "sign-in" without a function`},
		{core.Spec{ID: "service-a", Provides: []core.Service{core.Provide(loud{})}}, `plugin service-a: provides core_test.loud, which is no interface`},
		{core.Spec{ID: "service-b", Provides: []core.Service{core.Provide[contract.Mailer](nil)}}, `plugin service-b: provides a nil contract.Mailer`},
		{core.Spec{ID: "service-c", Provides: []core.Service{core.Provide[contract.Sealer](sealer{})}}, `plugin service-c: contract.Sealer is provided by core already`},
		{core.Spec{ID: "service-d", Needs: []core.Need{core.Require(&absent)}}, `plugin service-d: needs a core_test.absentee, which no plugin provides`},
		{core.Spec{ID: "service-e", Needs: []core.Need{core.Optional(&absent)}}, ``},
		{core.Spec{ID: "steps-a", Steps: []storage.Step{{Number: 2, Name: "x"}}}, `plugin steps-a: schema step 2 must have number 1`},
		{core.Spec{ID: "steps-b", Steps: []storage.Step{{Number: 1, Name: "x"}, {Number: 3, Name: "y"}}}, `plugin steps-b: schema step 3 must have number 2`},
		{core.Spec{ID: "steps-c", Steps: []storage.Step{{Number: 1}}}, `plugin steps-c: schema step 1 must have number 1 and a name`},
		{core.Spec{ID: "jobs-a", Jobs: []core.JobHandler{handler, handler}}, `plugin jobs-a: job "twice" has a handler already`},
		{core.Spec{ID: "jobs-b", Jobs: []core.JobHandler{{}}}, `plugin jobs-b: a job without a name`},
		{core.Spec{ID: "limits-a", Limits: []core.RateLimit{{Paths: []string{"no-slash"}, Max: 1, Window: 1}}}, `no-slash`},
		{core.Spec{ID: "limits-b", Limits: []core.RateLimit{{Paths: []string{"/zero-max"}, Window: 1}}}, `"/zero-max": 0 per 1s allows nothing`},
		{core.Spec{ID: "limits-d", Limits: []core.RateLimit{{Paths: []string{"/nowhere"}, Max: 1, Window: 1}}}, `plugin limits-d: the rate limit of "/nowhere" holds for no endpoint`},
		{core.Spec{ID: "limits-c", Limits: []core.RateLimit{{Max: 1, Window: 1}}}, `plugin limits-c: a rate limit without paths`},
		{core.Spec{ID: "table-a", Tables: []schema.Table{{Name: "user", Columns: []schema.Column{{Name: "id", Kind: schema.String, PrimaryKey: true}}}}}, `user`},
		{core.Spec{ID: "table-b", Extend: []schema.Extension{{Table: "nowhere", Columns: []schema.Column{{Name: "x", Kind: schema.String, Nullable: true}}}}}, `nowhere`},
		{core.Spec{ID: "table-c", Extend: []schema.Extension{{Table: "user", Columns: []schema.Column{{Name: "email", Kind: schema.String, Nullable: true}}}}}, `email`},
		{core.Spec{ID: "table-d", Extend: []schema.Extension{{Table: "user", Columns: []schema.Column{{Name: "mustHave", Kind: schema.String}}}}}, `mustHave`},
		{core.Spec{ID: "needs-a", Provides: []core.Service{core.Provide[speaker](loud{})}, Needs: []core.Need{core.Require(&heard)}}, `plugins: needs-a -> needs-b -> needs-a need each other`},
		{core.Spec{ID: "needs-b", Provides: []core.Service{core.Provide[listener](deaf{})}, Needs: []core.Need{core.Require(&cycled)}}, ``},
		{core.Spec{ID: "alias-d", Endpoints: []core.Endpoint{core.NewRoute[core.None, core.Status]("GET /aliased4", core.ServerOnly).Handle(ok).
			Alias(core.Alias{Method: "GET", Path: "/v1/z"})}}, `plugin alias-d: /aliased4 has an alias`},
		{core.Spec{ID: "names-a", Commands: []core.Command{{Name: "go", Run: run}, {Name: "go", Run: run}}}, `plugin names-a: command "names-a go" is taken by names-a`},
		{core.Spec{ID: "names-b", Commands: []core.Command{{Name: "two words", Run: run}}}, `plugin names-b: command "two words": want one word`},
		{core.Spec{ID: "names-c", Commands: []core.Command{{Name: "idle"}}}, `plugin names-c: command "idle": want one word and a function`},
		{core.Spec{ID: "names-d", Data: []core.DataSet{{Name: "user"}}}, `plugin names-d: data set "user" is taken by core`},
		{core.Spec{ID: "names-e", Data: []core.DataSet{{}}}, `plugin names-e: data set without a name`},
		{core.Spec{ID: "names-f", Events: []core.EventType{{Name: "e"}, {Name: "e"}}}, `plugin names-f: event "e" is taken by names-f`},
		{core.Spec{ID: "options", Faults: []error{errors.New("tries: -1 is negative")}}, `plugin options: tries: -1 is negative`},
	}
	options := []struct {
		name string
		fn   func(*core.Config)
		want string
	}{
		{"base", func(c *core.Config) { c.BaseURL = "https://auth.example.com/path" }, "baseURL: "},
		{"base path", func(c *core.Config) { c.BasePath = "auth//x" }, `basePath: "auth//x"`},
		{"no secret", func(c *core.Config) { c.Secret = "" }, "secret: required"},
		{"origins", func(c *core.Config) { c.TrustedOrigins = []string{"not an origin at all "} }, "trustedOrigins: "},
		{"proxies", func(c *core.Config) { c.TrustedProxies = []string{"0.0.0.0/0"} }, "trustedProxies: "},
		{"ids", func(c *core.Config) { c.IDs = "number" }, `ids: "number" is none of random, uuid, serial`},
		{"token storage", func(c *core.Config) { c.Session.TokenStorage = "plain" }, `session.tokenStorage: "plain"`},
		{"strategy", func(c *core.Config) { c.Session.CookieCache.Strategy = "paseto" }, `session.cookieCache.strategy: "paseto"`},
		{"hash", func(c *core.Config) { c.Password.Hash = "md5" }, `password.hash: "md5"`},
		{"limits", func(c *core.Config) { c.RateLimit.Storage = "disk" }, `rateLimit.storage: "disk"`},
		{"rule", func(c *core.Config) { c.RateLimit.Rules = []core.RateLimit{{Paths: []string{"/half"}, Max: 1}} }, `/half`},
		{"rule without a path", func(c *core.Config) { c.RateLimit.Rules = append(c.RateLimit.Rules, core.RateLimit{Max: 1, Window: 1}) }, `rateLimit.rules: a rule without paths`},
		{"same site", func(c *core.Config) { c.Cookies.SameSite = "maybe" }, `cookies.sameSite: "maybe"`},
		{"override", func(c *core.Config) {
			c.Cookies.Override = map[string]core.CookieOverride{"session_token": {SameSite: "perhaps"}}
		}, `cookies.override.session_token.sameSite: "perhaps"`},
		{"override name", func(c *core.Config) { c.Cookies.Override["session_data"] = core.CookieOverride{Name: "a b"} }, `cookies.override.session_data.name: "a b"`},
		{"override path", func(c *core.Config) { c.Cookies.Override["dont_remember"] = core.CookieOverride{Path: "/;x"} }, `cookies.override.dont_remember.path: "/;x"`},
		{"prefix", func(c *core.Config) { c.Cookies.Prefix = "a;b" }, `cookies.prefix: "a;b"`},
		{"domain", func(c *core.Config) { c.Cookies.Domain = "example.com; Secure" }, `cookies.domain: "example.com; Secure"`},
		{"expiry", func(c *core.Config) { c.Session.ExpiresIn = -1 }, "session.expiresIn: -1 is negative"},
		{"update age", func(c *core.Config) { c.Session.UpdateAge = ptr(-1) }, "session.updateAge: -1 is negative"},
		{"fresh age", func(c *core.Config) { c.Session.FreshAge = ptr(-1) }, "session.freshAge: -1 is negative"},
		{"cache age", func(c *core.Config) { c.Session.CookieCache.MaxAge = 86401 }, "session.cookieCache.maxAge: 86401"},
		{"body", func(c *core.Config) { c.MaxBody = -1 }, "maxBody: -1 is negative"},
		{"timeout", func(c *core.Config) { c.Timeout = -1 }, "timeout: -1 is negative"},
		{"window", func(c *core.Config) { c.RateLimit.Window = -1 }, "rateLimit.window: -1 is negative"},
		{"max", func(c *core.Config) { c.RateLimit.Max = -1 }, "rateLimit.max: -1 is negative"},
		{"lockout", func(c *core.Config) { c.Lockout = core.LockoutConfig{Max: -1, Window: -1, Duration: -1} }, "lockout.duration: -1 is negative"},
		{"mail", func(c *core.Config) { c.Email.ExpiresIn = -1 }, "emailVerification.expiresIn: -1 is negative"},
		{"deletion", func(c *core.Config) { c.User.DeleteUser.TokenExpiresIn = -1 }, "user.deleteUser.deleteTokenExpiresIn: -1 is negative"},
		{"length", func(c *core.Config) { c.Password.MinLength, c.Password.MaxLength = 20, 10 }, "password.minLength: 20 is more than maxLength 10"},
		{"lengths", func(c *core.Config) {}, ""},
		{"field", func(c *core.Config) { c.User.Fields = []core.Extra{{Name: "x", Type: "blob"}} }, `user.additionalFields: "x" has type "blob"`},
		{"field name", func(c *core.Config) { c.User.Fields = append(c.User.Fields, core.Extra{Name: "a} b", Type: "string"}) }, `user.additionalFields: "a} b" is no name`},
		{"deletion by mail", func(c *core.Config) { c.User.DeleteUser.VerifyByMail, c.Mailer = true, nil }, "user.deleteUser.verifyByMail: no mailer"},
		{"field default", func(c *core.Config) {
			c.Session.Fields = []core.Extra{{Name: "n", Type: "number", Default: "many"}}
		}, "session.additionalFields: n: default"},
		{"disabled", func(c *core.Config) { c.DisabledPaths = []string{"/nowhere"} }, `disabledPaths: no endpoint has the path "/nowhere"`},
		{"error page", func(c *core.Config) { c.ErrorURL = "javascript:alert(1)" }, `errorURL: "javascript:alert(1)"`},
		{"challenge page", func(c *core.Config) { c.ChallengeURL = "javascript:alert(1)" }, `challengeURL: "javascript:alert(1)"`},
	}
	want := []string{"plugins: a nil plugin", "database: required"}
	e := prepare(t)
	cfg := e.cfg
	cfg.Database = nil
	for _, o := range options {
		o.fn(&cfg)
		if o.want != "" {
			want = append(want, o.want)
		}
	}
	cfg.Plugins = []core.Plugin{nil, emailpassword.New(emailpassword.Options{ResetTokenExpiresIn: -1})}
	want = append(want, "plugin email-password: resetPasswordTokenExpiresIn: -1 is negative")
	for _, p := range plugins {
		cfg.Plugins = append(cfg.Plugins, &probe{p.spec})
		if p.want != "" {
			want = append(want, p.want)
		}
	}
	_, err := core.New(t.Context(), cfg)
	if err == nil {
		t.Fatal("New took everything")
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("not reported: %s", w)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

// An alias takes no endpoint's place, nor another alias's.
func TestAliasCollisions(t *testing.T) {
	alias := func(id, method, path string) core.Plugin {
		return &probe{core.Spec{ID: id, Endpoints: []core.Endpoint{core.NewRoute[core.None, core.Status](method+" /"+id, core.Public).Handle(ok).
			Alias(core.Alias{Method: method, Path: path})}}}
	}
	for _, tt := range []struct {
		want    string
		plugins []core.Plugin
	}{
		{"alias /api/auth/ok is taken by core", []core.Plugin{alias("a", "GET", "/api/auth/ok")}},
		{"alias /v1/x is taken by a", []core.Plugin{alias("a", "GET", "/v1/x"), alias("b", "GET", "/v1/x")}},
		{"", []core.Plugin{alias("a", "GET", "/v1/x"), alias("b", "POST", "/v1/x")}},
	} {
		cfg := prepare(t).config()
		cfg.Plugins, cfg.SkipVerify = tt.plugins, true
		a, err := core.New(t.Context(), cfg)
		if err == nil {
			if got := serve(a, request{method: "GET", path: "/v1/x"}); got.Status != 200 {
				t.Errorf("an alias: %d", got.Status)
			}
			a.Close(t.Context())
		}
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
}

// A path that is switched off has no other way in.
func TestDisabledPathsHaveNoAlias(t *testing.T) {
	cfg := prepare(t).config()
	cfg.Plugins = []core.Plugin{&probe{core.Spec{ID: "a", Endpoints: []core.Endpoint{pageA.Handle(ok).Alias(core.Alias{Method: "GET", Path: "/v1/page"})}}}}
	cfg.DisabledPaths, cfg.SkipVerify = []string{"/page"}, true
	a, err := core.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(t.Context())
	for _, path := range []string{"/api/auth/page", "/v1/page"} {
		if got := serve(a, request{method: "GET", path: path}); got.Status != 404 {
			t.Errorf("%s: %d", path, got.Status)
		}
	}
}

type sealer struct{}

func (sealer) Seal(string, []byte, []byte) (string, error) { return "", nil }
func (sealer) Open(string, string, []byte) ([]byte, error) { return nil, nil }

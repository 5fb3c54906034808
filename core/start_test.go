package core_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
)

// Each single fault stops New: none hides behind another.
func TestProductionIsStricter(t *testing.T) {
	for name, tt := range map[string]struct {
		fn   func(*core.Config)
		want string
	}{
		"good":        {func(*core.Config) {}, ""},
		"plain http":  {func(c *core.Config) { c.BaseURL = "http://auth.example.com" }, "plain http"},
		"weak secret": {func(c *core.Config) { c.Secret = "hunter2" }, "secret: "},
		"weak entry": {func(c *core.Config) {
			c.Secrets = []core.Secret{{Version: 1, Value: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}
		}, "secrets[0]: "},
		"twice": {func(c *core.Config) {
			c.Secrets = []core.Secret{{Version: 1, Value: c.Secret}, {Version: 1, Value: c.Secret}}
		}, "secrets: "},
		"other host":  {func(c *core.Config) { c.Cookies.Domain = "example.org" }, "cookies.domain"},
		"suffix":      {func(c *core.Config) { c.Cookies.Domain = "com" }, "public suffix"},
		"suffix 2":    {func(c *core.Config) { c.BaseURL, c.Cookies.Domain = "https://a.co.uk", "co.uk" }, "public suffix"},
		"secrets off": {func(c *core.Config) { c.Cookies.Secure = ptr(false) }, "cookies.secure"},
	} {
		t.Run(name, func(t *testing.T) {
			e := prepare(t, config(func(c *core.Config) { c.Production, c.SkipVerify = true, true; tt.fn(c) }))
			a, err := core.New(t.Context(), e.config())
			if err == nil {
				a.Close(t.Context())
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), e.cfg.Secret) {
				t.Error("the error holds the secret")
			}
		})
	}
}

// A plugin value keeps what its Auth gave it: in two at once, each would use the other's.
func TestOnePluginValueInTwoAuths(t *testing.T) {
	e := start(t)
	cfg := e.config()
	first, err := core.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := core.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "another Auth") {
		t.Errorf("a second Auth with the same plugin value: %v", err)
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := core.New(t.Context(), cfg)
	if err != nil {
		t.Fatalf("after the first was closed: %v", err)
	}
	again.Close(t.Context())
	// A New that fails lets go of its plugins.
	bad := cfg
	bad.Secret = ""
	if _, err := core.New(t.Context(), bad); err == nil {
		t.Fatal("no secret")
	}
	if again, err = core.New(t.Context(), cfg); err != nil {
		t.Errorf("after a New that failed: %v", err)
	} else {
		again.Close(t.Context())
	}
}

func TestOnePluginValueTwiceInAList(t *testing.T) {
	e := prepare(t)
	p := &probe{core.Spec{ID: "probe"}}
	cfg := e.config()
	cfg.Plugins = append(cfg.Plugins, p, p)
	if _, err := core.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "one plugin value is listed twice") {
		t.Error(err)
	}
}

// What Init refuses closes what was opened before it, in reverse order.
func TestInitFails(t *testing.T) {
	var log []string
	part := func(id string, err error) core.Plugin {
		return &probe{core.Spec{ID: id,
			Init:  func(context.Context, *core.Host) error { log = append(log, "init "+id); return err },
			Close: func(context.Context) error { log = append(log, "close "+id); return nil }}}
	}
	e := start(t)
	cfg := e.config()
	cfg.Plugins = append(cfg.Plugins, part("a", nil), part("b", nil), part("c", io.ErrUnexpectedEOF), part("d", nil))
	_, err := core.New(t.Context(), cfg)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "plugin c") {
		t.Error(err)
	}
	if got := strings.Join(log, ", "); got != "init a, init b, init c, close b, close a" {
		t.Error(got)
	}
}

// CVE-2025-66630: a source of randomness that fails yields an error and no token.
func TestFailingRandomness(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	e.exec("DELETE FROM {session}")
	src := &failingReader{}
	e.cfg.Random = src
	e.auth = e.compile()
	src.fail = true
	for _, do := range []func() answer{
		func() answer { return e.client().signIn("a@example.com", password) },
		func() answer {
			return e.client().post("/sign-up/email", m{"name": "B", "email": "b@example.com", "password": password})
		},
		func() answer { return e.client().post("/request-password-reset", m{"email": "a@example.com"}) },
	} {
		if a := do(); a.Status != 500 || len(a.cookies()) != 0 || strings.Contains(string(a.Body), "token") {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	if n := e.sum("session") + e.sum("verification") + e.sum("job"); n != 0 || e.sum("user") != 1 {
		t.Errorf("%d rows were written", n)
	}
	_ = c
}

type failingReader struct{ fail bool }

func (r *failingReader) Read(b []byte) (int, error) {
	if r.fail {
		return 0, errors.New("no randomness")
	}
	for i := range b {
		b[i] = byte(i * 7)
	}
	return len(b), nil
}

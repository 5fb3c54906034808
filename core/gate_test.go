package core_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

var errHook = core.NewError("HOOK_SAYS_NO", 403, "No")

// refusals are hooks around the gate that fail in every way.
func refusals() map[string]core.Hook {
	no := func(context.Context, *core.SignInEvent) error { return errHook }
	return map[string]core.Hook{
		"sign-in before":        core.SignInPoint.Before(no),
		"sign-in after":         core.SignInPoint.After(no),
		"session before":        core.SessionCreate.Before(func(context.Context, *core.SessionEvent) error { return errHook }),
		"session after":         core.SessionCreate.After(func(context.Context, *core.SessionEvent) error { return errHook }),
		"sign-in before panics": core.SignInPoint.Before(func(context.Context, *core.SignInEvent) error { panic("boom") }),
		"session after panics":  core.SessionCreate.After(func(context.Context, *core.SessionEvent) error { panic("boom") }),
		"unknown error":         core.SignInPoint.Before(func(context.Context, *core.SignInEvent) error { return errors.New("hm") }),
		"route before":          emailpassword.SignInEmail.Before(func(context.Context, *core.Call, *emailpassword.SignInInput) error { return errHook }),
	}
}

// A hook that errs or panics leaves no session: no row, no cookie, no token.
func TestHooksFailClosed(t *testing.T) {
	for name, hook := range refusals() {
		t.Run(name, func(t *testing.T) {
			e := start(t)
			e.client().signUp("a@example.com")
			e.exec("DELETE FROM {session}")
			e.cfg.Hooks = []core.Hook{hook}
			e.auth = e.compile()
			a := e.client().signIn("a@example.com", password)
			want, code := 403, "HOOK_SAYS_NO"
			if strings.Contains(name, "panics") || name == "unknown error" {
				want, code = 500, "INTERNAL_SERVER_ERROR"
			}
			if a.Status != want || a.code() != code {
				t.Errorf("%d %s, want %d %s", a.Status, a.Body, want, code)
			}
			if n := e.sum("session"); n != 0 {
				t.Errorf("%d session rows", n)
			}
			if len(a.cookies()) != 0 || strings.Contains(string(a.Body), "token") {
				t.Errorf("cookies %v, body %s", a.cookies(), a.Body)
			}
		})
	}
}

func TestHooksFailClosedAtSignUp(t *testing.T) {
	for name, hook := range refusals() {
		if name == "route before" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			e := start(t, hooks(hook))
			a := e.client().post("/sign-up/email", m{"name": "A", "email": "a@example.com", "password": password})
			if a.Status < 400 || len(a.cookies()) != 0 {
				t.Errorf("%d with cookies %v", a.Status, a.cookies())
			}
			if n := e.sum("user") + e.sum("account") + e.sum("session"); n != 0 {
				t.Errorf("%d rows are left of a sign-up that was refused", n)
			}
		})
	}
}

// A handler that swallows the gate's error must not go on with the session it has not got.
func TestSwallowedRefusalLeavesNothing(t *testing.T) {
	for name, refuse := range map[string]core.Hook{
		"behind the session": core.SessionCreate.After(func(context.Context, *core.SessionEvent) error { return errHook }),
		"behind the sign-in": core.SignInPoint.After(func(_ context.Context, e *core.SignInEvent) error {
			e.Call.SetHeader("set-auth-token", e.Call.Issued().Token)
			return errHook
		}),
	} {
		t.Run(name, func(t *testing.T) {
			var issued, current *core.Session
			route := core.NewRoute[core.None, core.Status]("POST /swallow", core.Public)
			p := &probe{spec: core.Spec{ID: "probe", Hooks: []core.Hook{refuse},
				Endpoints: []core.Endpoint{route.Handle(func(ctx context.Context, c *core.Call, _ core.None) (core.Status, error) {
					u, err := c.Host().UserByEmail(ctx, c.Host().DB(), "a@example.com")
					if err != nil {
						return core.Status{}, err
					}
					_, err = c.Host().SignIn(ctx, nil, &core.SignIn{Call: c, User: u, Methods: []string{"pwd"}})
					if !errors.Is(err, errHook) {
						t.Errorf("the gate gave %v", err)
					}
					issued = c.Issued()
					current, _ = c.Session()
					return core.Status{Status: true}, nil
				})}}}
			e := start(t)
			e.client().signUp("a@example.com")
			e.exec("DELETE FROM {session}")
			e.cfg.Plugins = []core.Plugin{p}
			e.auth = e.compile()
			a := e.client().post("/swallow", m{})
			if a.Status != 200 || len(a.cookies()) != 0 || a.Get("set-auth-token") != "" || issued != nil || current != nil || e.sum("session") != 0 {
				t.Errorf("%d, header %v, issued %v, current %v, %d rows", a.Status, a.Header, issued, current, e.sum("session"))
			}
		})
	}
}

// probe is a plugin made of what a test wants.
type probe struct{ spec core.Spec }

func (p *probe) Spec() core.Spec { return p.spec }

func challenge(methods ...string) core.Hook {
	return core.SignInPoint.Before(func(_ context.Context, e *core.SignInEvent) error {
		if e.Call.Path() == "/sign-in/email" {
			e.Challenge(methods...)
		}
		return nil
	})
}

func TestChallenge(t *testing.T) {
	e := start(t, hooks(challenge("totp", "otp")), config(func(c *core.Config) { c.Session.CookieCache.Enabled = true }))
	c := e.client().signUp("a@example.com")
	e.exec("DELETE FROM {session}")
	c.jar = map[string]string{}
	c.signIn("a@example.com", wrong)
	if e.guesses() != 2 {
		t.Fatal("no attempt was counted")
	}

	a := c.signIn("a@example.com", password)
	if a.Status != 200 || string(a.Body) != `{"twoFactorRedirect":true,"twoFactorMethods":["totp","otp"]}` {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	for name, value := range a.cookies() {
		if value != "" {
			t.Errorf("cookie %s=%s before the second factor", name, value)
		}
	}
	if c.user() != "" || e.sum("session") != 0 {
		t.Error("there is a session before the second factor")
	}
	if e.guesses() != 1 { // the network's stay
		t.Error("a right password before a challenge has not cleared the wrong ones")
	}
}

func TestChallengeOfANavigation(t *testing.T) {
	for _, tt := range []struct{ name, page, callback, want string }{
		{"to the page", "/two-factor", "/after", "/two-factor?twoFactorRedirect=true&twoFactorMethods=totp"},
		{"to the callback", "", "/after?x=1", "/after?x=1&twoFactorRedirect=true&twoFactorMethods=totp"},
		{"to the start", "", "", base + "/?twoFactorRedirect=true&twoFactorMethods=totp"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := start(t, hooks(challenge("totp")), config(func(c *core.Config) { c.ChallengeURL = tt.page }))
			e.client().signUp("a@example.com")
			e.exec("DELETE FROM {session}")
			c := e.client()
			c.header["Sec-Fetch-Mode"], c.header["Sec-Fetch-Site"] = "navigate", "same-origin"
			a := c.post("/sign-in/email", m{"email": "a@example.com", "password": password, "callbackURL": tt.callback})
			if a.Status != 302 || a.Get("Location") != tt.want {
				t.Errorf("%d to %q, want %q", a.Status, a.Get("Location"), tt.want)
			}
			if a.cookies()[tokenCookie] != "" || e.sum("session") != 0 {
				t.Error("there is a session before the second factor")
			}
		})
	}
}

// What proves to be undone at the commit is not handed to the client.
func TestFailedCommitLeavesNoCookie(t *testing.T) {
	e := start(t, hooks(core.SessionCreate.After(func(_ context.Context, e *core.SessionEvent) error {
		e.Call.SetHeader("set-auth-token", e.Session.Token)
		return nil
	})))
	e.db.fail(func(op, _ string) error {
		if op == "commit" {
			return broken("", "")
		}
		return nil
	})
	a := e.client().post("/sign-up/email", m{"name": "A", "email": "a@example.com", "password": password})
	if a.Status != 503 || len(a.cookies()) != 0 || a.Get("set-auth-token") != "" {
		t.Errorf("%d, cookies %v, token %q", a.Status, a.cookies(), a.Get("set-auth-token"))
	}
	h := map[string][]string{}
	_, err := emailpassword.SignUpEmail.Call(t.Context(), e.auth, emailpassword.SignUpInput{Name: "A", Email: "a@example.com", Password: password}, core.CaptureHeader(h))
	if err == nil || len(h) != 0 {
		t.Errorf("a call from Go: %v, headers %v", err, h)
	}
	e.db.fail(nil)
	if e.sum("user")+e.sum("session") != 0 {
		t.Error("rows are left")
	}
}

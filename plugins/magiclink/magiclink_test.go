package magiclink_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugins/magiclink"
	"github.com/sallyport-auth/sallyport/plugintest"
)

func TestSignUpAndIn(t *testing.T) {
	for _, e := range engines {
		h := harness(t, e, magiclink.Options{})
		c := h.Client()
		to := ask(h, "Ada@Example.com", m{"name": "Ada", "callbackURL": "/in?x=1#f", "newUserCallbackURL": "https://auth.example.com/new"})
		location(c.Get(to), "https://auth.example.com/new")
		a := c.Get("/get-session").Want(200)
		if a.Get("user.email") != "ada@example.com" || a.Get("user.name") != "Ada" || a.Get("user.emailVerified") != true {
			t.Errorf("%s: %s", e, a.Body)
		}
		location(h.Client().Get(to), "https://auth.example.com/in?x=1&error=INVALID_TOKEN#f")
		location(h.Client().Get(ask(h, "ada@example.com", m{"callbackURL": "/in?x=1#f"})), "https://auth.example.com/in?x=1#f")
		if n := h.Count("user"); n != 1 {
			t.Errorf("%s: %d users", e, n)
		}
		if rows := h.Rows("session"); rows[0]["amr"] != "email" || rows[0]["aal"] != "1" {
			t.Errorf("%s: the session was proved by %q at level %q", e, rows[0]["amr"], rows[0]["aal"])
		}
		if n := h.Count("verification"); n != 0 {
			t.Errorf("%s: %d secrets are left", e, n)
		}
	}
}

func TestAnswerWithoutCallback(t *testing.T) {
	h := harness(t, plugintest.SQLite, magiclink.Options{})
	h.Client().Post("/sign-in/magic-link", m{"email": "bob@example.com"}).Want(200)
	c := h.Client()
	a := c.Get("/magic-link/verify?token=" + h.Mail("bob@example.com", "magic-link").Token).Want(200)
	if a.Text("token") == "" || a.Text("user.email") != "bob@example.com" || a.Text("session.token") != a.Text("token") || a.Text("session.userId") != a.Text("user.id") {
		t.Errorf("%s", a.Body)
	}
	c.Get("/get-session").Want(200).Text("session.id")
}

func TestDisableSignUp(t *testing.T) {
	h := harness(t, plugintest.SQLite, magiclink.Options{DisableSignUp: true})
	known, unknown := h.Client(), h.Client()
	h.CreateUser("known@example.com")
	a := known.Post("/sign-in/magic-link", m{"email": "known@example.com"}).Want(200)
	b := unknown.Post("/sign-in/magic-link", m{"email": "unknown@example.com"}).Want(200)
	if string(a.Body) != string(b.Body) || len(a.Header) != len(b.Header) {
		t.Errorf("known: %s, unknown: %s", a.Body, b.Body)
	}
	location(known.Get(link(h, "known@example.com")), "https://auth.example.com/")
	to := link(h, "unknown@example.com")
	location(unknown.Get(to), "https://auth.example.com/?error=new_user_signup_disabled")
	location(unknown.Get(to), "https://auth.example.com/?error=INVALID_TOKEN")
	if n := h.Count("user"); n != 1 {
		t.Errorf("%d users", n)
	}
}

// TestClaim is GHSA-qq9h-g4jm-xgf3: nothing of whoever made the account before stays.
func TestClaim(t *testing.T) {
	for _, e := range engines {
		h := harness(t, e, magiclink.Options{})
		eve := h.Client()
		eve.Post("/sign-up/email", m{"name": "Eve", "email": "victim@example.com", "password": "evil password"}).Want(200)
		h.Client().Post("/request-password-reset", m{"email": "victim@example.com"}).Want(200)
		reset := h.Mail("victim@example.com", "reset-password").Token
		owner := h.Client()
		owner.Get(ask(h, "victim@example.com", nil)).Want(302)
		if a := eve.Get("/get-session").Want(200); a.Get("user") != nil {
			t.Errorf("%s: the session made before is still good: %s", e, a.Body)
		}
		h.Client().Post("/sign-in/email", m{"email": "victim@example.com", "password": "evil password"}).WantCode(401, "INVALID_EMAIL_OR_PASSWORD")
		h.Client().Post("/reset-password", m{"token": reset, "newPassword": "another password"}).WantCode(400, "INVALID_TOKEN")
		if a := owner.Get("/get-session").Want(200); a.Get("user.emailVerified") != true {
			t.Errorf("%s: %s", e, a.Body)
		}
		if n := h.Count("account"); n != 0 {
			t.Errorf("%s: %d accounts are left", e, n)
		}
	}
}

// TestProvenKeepsPassword is the other side: a proved address was the owner's before.
func TestProvenKeepsPassword(t *testing.T) {
	h := harness(t, plugintest.SQLite, magiclink.Options{})
	c := h.Client()
	c.Post("/sign-up/email", m{"name": "Ada", "email": "ada@example.com", "password": "a good password"}).Want(200)
	h.Client().Get(ask(h, "ada@example.com", nil)).Want(302)
	h.Client().Post("/sign-in/email", m{"email": "ada@example.com", "password": "a good password"}).WantCode(401, "INVALID_EMAIL_OR_PASSWORD")
	// The first link claimed the account; now it is proved, and a password stays.
	if _, err := emailpassword.SetPassword.Call(context.Background(), h.Auth, emailpassword.SetPasswordInput{NewPassword: "a good password"},
		core.WithHeader(h.SignIn("ada@example.com").Headers())); err != nil {
		t.Fatal(err)
	}
	h.Client().Get(ask(h, "ada@example.com", nil)).Want(302)
	h.Client().Post("/sign-in/email", m{"email": "ada@example.com", "password": "a good password"}).Want(200)
}

func TestCallbacks(t *testing.T) {
	h := harness(t, plugintest.SQLite, magiclink.Options{})
	codes := map[string]string{"callbackURL": "INVALID_CALLBACK_URL", "newUserCallbackURL": "INVALID_NEW_USER_CALLBACK_URL", "errorCallbackURL": "INVALID_ERROR_CALLBACK_URL"}
	to := ask(h, "a@example.com", nil)
	for _, bad := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)", "https://auth.example.com.evil.example", "http://auth.example.com/"} {
		for name, code := range codes {
			h.Client().Post("/sign-in/magic-link", m{"email": "a@example.com", name: bad}).WantCode(403, code)
			path, _, _ := strings.Cut(to, "&")
			h.Client().Get(path+"&"+name+"="+url.QueryEscape(bad)).WantCode(403, "INVALID_CALLBACK_URL")
		}
	}
	h.NoMail("a@example.com")
	location(h.Client().Get(to), "https://auth.example.com/") // refusals used nothing up
}

// TestChallenge follows a link as somebody with a second factor.
func TestChallenge(t *testing.T) {
	h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{magiclink.New(magiclink.Options{})}, Config: func(c *core.Config) {
		c.Hooks = append(c.Hooks, core.SignInPoint.Before(func(_ context.Context, e *core.SignInEvent) error {
			e.Challenge("totp")
			return nil
		}))
	}})
	c := h.Client()
	location(c.Do(plugintest.Request{Method: "GET", Path: ask(h, "a@example.com", m{"callbackURL": "/in"}), Header: map[string]string{"sec-fetch-mode": "navigate"}}),
		"https://auth.example.com/in?twoFactorRedirect=true&twoFactorMethods=totp")
	a := c.Get(ask(h, "a@example.com", nil)).Want(200)
	if a.Get("twoFactorRedirect") != true || a.Get("token") != nil || a.Get("session") != nil {
		t.Errorf("%s", a.Body)
	}
	if h.Count("session") != 0 || c.Cookie("session_token") != "" {
		t.Error("there is a session before the second factor")
	}
}

// TestFailure breaks the database in the middle: the answer is 503, and the link works
// once it is mended.
func TestFailure(t *testing.T) {
	broken := true
	refuse := core.NewError("NO_NEW_USERS", 403, "No new users")
	h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{magiclink.New(magiclink.Options{})}, Config: func(c *core.Config) {
		c.Hooks = append(c.Hooks, core.SessionCreate.Before(func(context.Context, *core.SessionEvent) error {
			if broken {
				return errors.New("the disk is gone")
			}
			return nil
		}), core.UserCreate.Before(func(_ context.Context, e *core.UserCreateEvent) error {
			if e.Method != "magic-link" {
				return fmt.Errorf("method %q", e.Method)
			}
			if e.User.Email == "no@example.com" {
				return refuse
			}
			return nil
		}))
	}})
	to := ask(h, "a@example.com", nil)
	if a := h.Client().Get(to); a.Status < 500 {
		t.Fatalf("%d", a.Status)
	}
	if h.Count("user") != 0 {
		t.Error("half of it has happened")
	}
	broken = false
	location(h.Client().Get(to), "https://auth.example.com/")
	location(h.Client().Get(ask(h, "no@example.com", m{"errorCallbackURL": "/bad"})), "https://auth.example.com/bad?error=NO_NEW_USERS&error_description=No+new+users")
}

func TestFaultsOfOptions(t *testing.T) {
	for want, o := range map[string]magiclink.Options{
		"expiresIn":        {ExpiresIn: 86401},
		"rateLimit":        {RateLimit: magiclink.Limit{Max: -1}},
		"is not \"plain\"": {StoreToken: "md5"},
		"needs Options":    {StoreToken: "custom"},
		"is set and not":   {Hash: func(string) (string, error) { return "", nil }},
	} {
		_, err := plugintest.Start(t, plugintest.Options{Plugins: []core.Plugin{magiclink.New(o)}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
	_, err := plugintest.Start(t, plugintest.Options{Plugins: []core.Plugin{magiclink.New(magiclink.Options{ExpiresIn: -1})}, Config: func(c *core.Config) { c.Mailer = nil }})
	if err == nil || !strings.Contains(err.Error(), "expiresIn") || !strings.Contains(err.Error(), "mailer") {
		t.Errorf("not every fault is named: %v", err)
	}
}

func TestGenerateToken(t *testing.T) {
	short := magiclink.New(magiclink.Options{GenerateToken: func(string) (string, error) { return "1234", nil }})
	h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{short}})
	if a := h.Client().Post("/sign-in/magic-link", m{"email": "a@example.com"}); a.Status != 500 || h.Count("verification") != 0 {
		t.Errorf("a guessable token is sent: %d %s", a.Status, a.Body)
	}
	long := magiclink.New(magiclink.Options{GenerateToken: func(email string) (string, error) { return email + "-0123456789+0123456789", nil }})
	h = plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{long}})
	location(h.Client().Get(ask(h, "a@example.com", nil)), "https://auth.example.com/")
}

func TestRateLimit(t *testing.T) {
	h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{magiclink.New(magiclink.Options{})}, Config: func(c *core.Config) {
		on := true
		c.RateLimit.Enabled = &on
	}})
	for range 5 {
		h.Client().Post("/sign-in/magic-link", m{"email": "a@example.com"}).Want(200)
		h.Client().Get("/magic-link/verify?token=x").Want(302)
	}
	h.Client().Post("/sign-in/magic-link", m{"email": "a@example.com"}).WantCode(429, "TOO_MANY_REQUESTS")
	h.Client().Get("/magic-link/verify?token=x").WantCode(429, "TOO_MANY_REQUESTS")
}

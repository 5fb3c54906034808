package emailpassword_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugintest"
)

const pass = "correct horse battery"

type opt = emailpassword.Options

func harness(t *testing.T, o opt, change ...func(*core.Config)) *plugintest.Harness {
	t.Helper()
	return plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{emailpassword.New(o)}, Config: func(c *core.Config) {
		for _, fn := range change {
			fn(c)
		}
	}})
}

func signUp(h *plugintest.Harness, email string) *plugintest.Client {
	c := h.Client()
	c.Post("/sign-up/email", plugintest.M{"name": "A", "email": email, "password": pass}).Want(200)
	return c
}

func no() *bool { b := false; return &b }

// Lengths count UTF-16 code units of what was typed; nothing is trimmed.
func TestLengths(t *testing.T) {
	h := harness(t, opt{})
	for i, tt := range []struct{ pass, code string }{
		{strings.Repeat("x", 7), "PASSWORD_TOO_SHORT"}, {strings.Repeat("x", 8), ""},
		{strings.Repeat("x", 128), ""}, {strings.Repeat("x", 129), "PASSWORD_TOO_LONG"},
		{strings.Repeat("😀", 4), ""}, {strings.Repeat("😀", 3), "PASSWORD_TOO_SHORT"},
		{strings.Repeat("😀", 64), ""}, {strings.Repeat("😀", 65), "PASSWORD_TOO_LONG"},
		{"       ", "PASSWORD_TOO_SHORT"}, {"        ", ""}, {"\x00\x00\x00\x00\x00\x00\x00\x00", "BAD_REQUEST"},
	} {
		a := h.Client().Post("/sign-up/email", plugintest.M{"name": "A", "email": fmt.Sprintf("u%d@example.com", i), "password": tt.pass})
		if tt.code == "" {
			a.Want(200)
		} else {
			a.WantCode(400, tt.code)
		}
	}
	c := signUp(h, "a@example.com")
	for _, tt := range []struct{ path, field, token string }{{"/change-password", "newPassword", ""}, {"/reset-password", "newPassword", "x"}} {
		body := plugintest.M{"currentPassword": pass, "token": "x", tt.field: "short"}
		c.Post(tt.path, body).WantCode(400, "PASSWORD_TOO_SHORT")
		body[tt.field] = strings.Repeat("x", 129)
		c.Post(tt.path, body).WantCode(400, "PASSWORD_TOO_LONG")
	}
	long := strings.Repeat("x", 129)
	c.Post("/verify-password", plugintest.M{"password": long}).WantCode(400, "PASSWORD_TOO_LONG")
	c.Post("/change-password", plugintest.M{"currentPassword": long, "newPassword": pass}).WantCode(400, "PASSWORD_TOO_LONG")
	h.Client().Post("/sign-in/email", plugintest.M{"email": "a@example.com", "password": long}).WantCode(400, "PASSWORD_TOO_LONG")
}

// Passwords are compared in NFKC, so that a keyboard does not decide.
func TestSpellings(t *testing.T) {
	h := harness(t, opt{})
	h.Client().Post("/sign-up/email", plugintest.M{"name": "A", "email": "a@example.com", "password": "Ame\u0301lie-\ufb01n\u00e9"}).Want(200)
	h.Client().Post("/sign-in/email", plugintest.M{"email": "a@example.com", "password": "Am\u00e9lie-fine\u0301"}).Want(200)
	for _, other := range []string{"Amelie-fine", "Am\u00e9lie-fine\u0301 ", " Am\u00e9lie-fine\u0301", "am\u00e9lie-fine\u0301"} {
		h.Client().Post("/sign-in/email", plugintest.M{"email": "a@example.com", "password": other}).WantCode(401, "INVALID_EMAIL_OR_PASSWORD")
	}
}

func TestAutoSignInOff(t *testing.T) {
	h := harness(t, opt{AutoSignIn: no()})
	c := h.Client()
	a := c.Post("/sign-up/email", plugintest.M{"name": "A", "email": "a@example.com", "password": pass}).Want(200)
	if a.Get("token") != nil || len(a.Values("Set-Cookie")) != 0 || h.Count("session") != 0 {
		t.Errorf("a session: %s", a.Text("token"))
	}
	c.Post("/sign-in/email", plugintest.M{"email": "a@example.com", "password": pass}).Want(200)
}

func TestDisabledSignUp(t *testing.T) {
	h := harness(t, opt{DisableSignUp: true})
	h.Client().Post("/sign-up/email", plugintest.M{"name": "A", "email": "a@example.com", "password": pass}).WantCode(400, "EMAIL_PASSWORD_SIGN_UP_DISABLED")
	if h.Count("user") != 0 {
		t.Error("a user was made")
	}
}

// Which mails follow a sign-up and a refused sign-in.
func TestVerificationMails(t *testing.T) {
	yes := true
	for _, tt := range []struct {
		name             string
		required         bool
		onUp             *bool
		onIn             bool
		disabled         bool
		afterUp, afterIn bool
	}{
		{name: "nothing asked"},
		{name: "required", required: true, afterUp: true},
		{name: "on sign-up only", onUp: &yes},
		{name: "required, not at sign-up", required: true, onUp: no()},
		{name: "required, again at sign-in", required: true, onIn: true, afterUp: true, afterIn: true},
		{name: "not required: sign-in is not refused", onIn: true},
		{name: "no mail for verification", required: true, onIn: true, disabled: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.onUp == &yes {
				tt.afterUp = true
			}
			h := harness(t, opt{RequireEmailVerification: tt.required}, func(c *core.Config) {
				c.Email.SendOnSignUp, c.Email.SendOnSignIn, c.Email.Disabled = tt.onUp, tt.onIn, tt.disabled
			})
			check := func(when string, want bool) {
				t.Helper()
				if want {
					h.Mail("a@example.com", "verify-email")
				}
				h.NoMail("a@example.com")
			}
			h.Client().Post("/sign-up/email", plugintest.M{"name": "A", "email": "a@example.com", "password": pass}).Want(200)
			check("sign-up", tt.afterUp)
			h.Client().Post("/sign-in/email", plugintest.M{"email": "a@example.com", "password": "wrong password"}).WantCode(401, "INVALID_EMAIL_OR_PASSWORD")
			check("wrong password", false)
			a := h.Client().Post("/sign-in/email", plugintest.M{"email": "a@example.com", "password": pass})
			if tt.required {
				a.WantCode(403, "EMAIL_NOT_VERIFIED")
			} else {
				a.Want(200)
			}
			check("sign-in", tt.afterIn)
		})
	}
}

func TestAutoSignInAfterVerification(t *testing.T) {
	for _, auto := range []bool{false, true} {
		h := harness(t, opt{RequireEmailVerification: true}, func(c *core.Config) { c.Email.AutoSignIn = auto })
		h.Client().Post("/sign-up/email", plugintest.M{"name": "A", "email": "a@example.com", "password": pass}).Want(200)
		link := "/verify-email?token=" + h.Mail("a@example.com", "verify-email").Token
		c := h.Client()
		c.Get(link).Want(200)
		if got := h.Count("session") == 1; got != auto || (c.Cookie("session_token") != "") != auto {
			t.Errorf("auto sign-in %v: %d sessions", auto, h.Count("session"))
		}
		// The link stays valid, but it signs nobody in any more.
		d := h.Client()
		d.Get(link).Want(200)
		if d.Cookie("session_token") != "" {
			t.Error("a link signed in twice")
		}
	}
}

func TestRevokeSessionsOnReset(t *testing.T) {
	for _, keep := range []bool{false, true} {
		o := opt{}
		if keep {
			o.RevokeSessionsOnPasswordReset = no()
		}
		h := harness(t, o)
		c := signUp(h, "a@example.com")
		other := signUp(h, "b@example.com")
		h.Client().Post("/request-password-reset", plugintest.M{"email": "a@example.com"}).Want(200)
		token := h.Mail("a@example.com", "reset-password").Token
		h.Client().Post("/reset-password", plugintest.M{"newPassword": "a new password", "token": token}).Want(200)
		status := 401
		if keep {
			status = 200
		}
		c.Post("/revoke-other-sessions", plugintest.M{}).Want(status)
		other.Post("/revoke-other-sessions", plugintest.M{}).Want(200)
	}
}

func TestResetTokenLife(t *testing.T) {
	h := harness(t, opt{ResetTokenExpiresIn: 60})
	signUp(h, "a@example.com")
	for _, tt := range []struct {
		wait   time.Duration
		status int
	}{{time.Minute - time.Millisecond, 200}, {time.Minute, 400}} {
		h.Client().Post("/request-password-reset", plugintest.M{"email": "a@example.com"}).Want(200)
		token := h.Mail("a@example.com", "reset-password").Token
		h.Clock.Advance(tt.wait)
		h.Client().Post("/reset-password", plugintest.M{"newPassword": "a new password", "token": token}).Want(tt.status)
	}
}

func TestResetDisabled(t *testing.T) {
	for name, h := range map[string]*plugintest.Harness{
		"by the option": harness(t, opt{DisableReset: true}),
		"no mailer":     harness(t, opt{}, func(c *core.Config) { c.Mailer = nil }),
	} {
		a := h.Client().Post("/request-password-reset", plugintest.M{"email": "a@example.com"})
		if a.Code() != "RESET_PASSWORD_DISABLED" {
			t.Errorf("%s: %s", name, a.Code())
		}
	}
}

// A change keeps the session unless asked otherwise, and never another user's password.
func TestChangePassword(t *testing.T) {
	h := harness(t, opt{})
	c, other := signUp(h, "a@example.com"), signUp(h, "b@example.com")
	second := h.Client()
	second.Post("/sign-in/email", plugintest.M{"email": "a@example.com", "password": pass}).Want(200)
	a := c.Post("/change-password", plugintest.M{"currentPassword": pass, "newPassword": "the second one"}).Want(200)
	if a.Get("token") != nil {
		t.Errorf("token %v", a.Get("token"))
	}
	second.Get("/list-sessions").Want(200)
	a = c.Post("/change-password", plugintest.M{"currentPassword": "the second one", "newPassword": pass, "revokeOtherSessions": true}).Want(200)
	if a.Text("token") == "" {
		t.Error("no new token")
	}
	second.Post("/verify-password", plugintest.M{"password": pass}).WantCode(401, "UNAUTHORIZED")
	c.Post("/verify-password", plugintest.M{"password": pass}).Want(200)
	other.Post("/verify-password", plugintest.M{"password": pass}).Want(200)
}

// Options that cannot be are reported, not guessed at.
func TestBadOptions(t *testing.T) {
	faults := emailpassword.New(opt{ResetTokenExpiresIn: -1}).Spec().Faults
	if len(faults) != 1 || !strings.Contains(faults[0].Error(), "resetPasswordTokenExpiresIn") {
		t.Errorf("%v", faults)
	}
	if faults := emailpassword.New(opt{}).Spec().Faults; len(faults) != 0 {
		t.Errorf("%v", faults)
	}
}

package emailpassword_test

import (
	"context"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// journey goes through every endpoint as one user would.
func journey(h *plugintest.Harness) {
	const first, second, third = "correct horse battery", "staple of the second", "the third and last one"
	c := h.Client()
	c.Post("/sign-up/email", plugintest.M{"name": "Alice", "email": "alice@example.com", "password": first}).Want(200)
	c.Post("/verify-password", plugintest.M{"password": first}).Want(200)
	c.Post("/change-password", plugintest.M{"currentPassword": first, "newPassword": second, "revokeOtherSessions": true}).Want(200)

	c = h.Client()
	c.Post("/sign-in/email", plugintest.M{"email": "alice@example.com", "password": first}).WantCode(401, "INVALID_EMAIL_OR_PASSWORD")
	c.Post("/sign-in/email", plugintest.M{"email": "alice@example.com", "password": second, "rememberMe": false}).Want(200)

	h.Client().Post("/request-password-reset", plugintest.M{"email": "alice@example.com", "redirectTo": "/reset"}).Want(200)
	token := h.Mail("alice@example.com", "reset-password").Token
	h.Client().Get("/reset-password/" + token + "?callbackURL=%2Freset").Want(302)
	h.Client().Post("/reset-password", plugintest.M{"newPassword": third, "token": token}).Want(200)
	c.Post("/verify-password", plugintest.M{"password": third}).WantCode(401, "UNAUTHORIZED")
	h.Client().Post("/sign-in/email", plugintest.M{"email": "alice@example.com", "password": third}).Want(200)
}

func TestRules(t *testing.T) {
	public := []string{"/sign-up/email", "/sign-in/email", "/request-password-reset", "/reset-password/:token", "/reset-password"}
	rules := plugintest.Rules{Journey: journey, Public: public}
	plugintest.Check(t, func() core.Plugin { return emailpassword.New(emailpassword.Options{}) }, plugintest.Options{Rules: rules})
}

// verified is the journey where the address has to be verified first.
func verified(h *plugintest.Harness) {
	const password = "correct horse battery"
	c := h.Client()
	c.Post("/sign-up/email", plugintest.M{"name": "Bob", "email": "bob@example.com", "password": password}).Want(200)
	c.Post("/sign-in/email", plugintest.M{"email": "bob@example.com", "password": password}).WantCode(403, "EMAIL_NOT_VERIFIED")
	c.Get("/verify-email?token=" + h.Mail("bob@example.com", "verify-email").Token).Want(200)
	c.Post("/sign-in/email", plugintest.M{"email": "bob@example.com", "password": password}).Want(200)
}

func TestVerificationFirst(t *testing.T) {
	h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{RequireEmailVerification: true})}})
	verified(h)
	known := h.Client().Post("/sign-up/email", plugintest.M{"name": "Eve", "email": "bob@example.com", "password": "guessing around"}).Want(200)
	fresh := h.Client().Post("/sign-up/email", plugintest.M{"name": "Eve", "email": "eve@example.com", "password": "guessing around"}).Want(200)
	if known.Get("token") != nil || fresh.Get("token") != nil {
		t.Errorf("signing up made a session before the address was verified")
	}
	if got := known.Get("user.email"); got != "bob@example.com" {
		t.Errorf("a known address is answered with %v", got)
	}
	h.NoMail("bob@example.com")
	if n := h.Count("user"); n != 2 {
		t.Errorf("%d users, want 2", n)
	}
}

// TestSetPassword calls the endpoint that has no route.
func TestSetPassword(t *testing.T) {
	h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{})}})
	c := h.SignUp("carol@example.com")
	c.Post("/set-password", plugintest.M{"newPassword": "a first password"}).Want(404)
	set := func(options ...core.CallOption) error {
		_, err := emailpassword.SetPassword.Call(context.Background(), h.Auth, emailpassword.SetPasswordInput{NewPassword: "a first password"}, options...)
		return err
	}
	if err := set(); core.AsError(err) == nil || core.AsError(err).Status != 401 {
		t.Errorf("without a session: %v", err)
	}
	if err := set(core.WithHeader(c.Headers())); err != nil {
		t.Fatal(err)
	}
	if err := set(core.WithHeader(c.Headers())); core.AsError(err) == nil || core.AsError(err).Code != "PASSWORD_ALREADY_SET" {
		t.Errorf("the second time: %v", err)
	}
	h.Client().Post("/sign-in/email", plugintest.M{"email": "carol@example.com", "password": "a first password"}).Want(200)
}

package twofactor

import (
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// journey goes through every endpoint as people would.
func journey(h *plugintest.Harness) {
	w := &world{Harness: h, p: New(Options{})}
	ada := w.enrol("ada@example.com")
	ada.Post("/two-factor/get-totp-uri", m{"password": password}).Want(200)

	c := w.challenge(ada.email)
	c.Post("/two-factor/verify-totp", m{"code": ada.wrongCode()}).WantCode(401, "INVALID_CODE")
	c.Post("/two-factor/verify-totp", m{"code": ada.code(0), "trustDevice": true}).Want(200)
	h.Clock.Advance(time.Minute)
	c.Post("/sign-in/email", m{"email": ada.email, "password": password}).Want(200)

	c = w.challenge(ada.email)
	c.Post("/two-factor/send-otp", m{}).Want(200)
	c.Post("/two-factor/verify-otp", m{"code": h.Mail(ada.email, "two-factor-otp").OTP}).Want(200)

	w.challenge(ada.email).Post("/two-factor/verify-backup-code", m{"code": ada.codes[0]}).Want(200)
	ada.Post("/two-factor/verify-backup-code", m{"code": ada.codes[1], "disableSession": true}).Want(200)
	ada.Post("/two-factor/generate-backup-codes", m{"password": password}).Want(200)
	ada.Post("/two-factor/disable", m{"password": password}).Want(200)

	bob := w.signUp("bob@example.com")
	bob.Post("/two-factor/send-otp", m{}).Want(200)
	bob.Post("/two-factor/verify-otp", m{"code": h.Mail("bob@example.com", "two-factor-otp").OTP}).Want(200)
	w.challenge("bob@example.com")
}

// all is journey with the endpoints of the plugin beside this one, which Check holds to
// the same rules.
func all(h *plugintest.Harness) {
	c := h.Client()
	c.Post("/sign-up/email", m{"name": "Eve", "email": "eve@example.com", "password": password}).Want(200)
	c.Post("/verify-password", m{"password": password}).Want(200)
	c.Post("/change-password", m{"currentPassword": password, "newPassword": password + "!"}).Want(200)
	c.Post("/request-password-reset", m{"email": "eve@example.com", "redirectTo": "/reset"}).Want(200)
	token := h.Mail("eve@example.com", "reset-password").Token
	c.Get("/reset-password/" + token + "?callbackURL=%2Freset").Want(302)
	c.Post("/reset-password", m{"newPassword": password, "token": token}).Want(200)
	journey(h)
}

func TestRules(t *testing.T) {
	rules := plugintest.Rules{
		Others:  func() []core.Plugin { return []core.Plugin{emailpassword.New(emailpassword.Options{})} },
		Journey: all,
		Public: []string{"/sign-up/email", "/sign-in/email", "/request-password-reset", "/reset-password/:token", "/reset-password",
			"/two-factor/verify-totp", "/two-factor/send-otp", "/two-factor/verify-otp", "/two-factor/verify-backup-code"},
		Carries: []string{"/two-factor/enable", "/two-factor/get-totp-uri", "/two-factor/generate-backup-codes", "/two-factor/verify-totp",
			"/two-factor/verify-otp", "/two-factor/verify-backup-code"},
	}
	plugintest.Check(t, func() core.Plugin { return New(Options{}) }, plugintest.Options{Rules: rules})
}

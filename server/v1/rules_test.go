package v1_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugins/jwt"
	"github.com/sallyport-auth/sallyport/plugintest"
	v1 "github.com/sallyport-auth/sallyport/server/v1"
)

// journey uses every endpoint of the facade and of those that it needs.
func journey(h *plugintest.Harness) {
	const email = "journey@example.com"
	c := h.Client()
	c.Get(a + "/signup-status").Want(200)
	c.Post(a+"/register", m{"email": email, "password": pass}).Want(200)
	in := c.Post(a+"/login", m{"email": email, "password": pass}).Want(200)
	c.UserID, c.Email = in.Text("user.id"), email
	for _, path := range []string{"/session", "/profile", "/sessions", "/security-events", "/jwks"} {
		c.Get(a + path).Want(200)
	}
	next := c.Post(a+"/session-to-token", nil).Want(200)
	next = c.Post(a+"/refresh", m{"refreshToken": next.Text("refreshToken")}).Want(200)
	c.Post(a+"/validate", m{"token": next.Text("accessToken")}).Want(200)
	c.Post(a+"/profile", m{"name": "J"}).Want(200)
	c.Do(plugintest.Request{Method: "PATCH", Path: me + "/profile", Body: m{"name": "Jo"}}).Want(200)
	c.Get(me + "/data").Want(200)
	c.Get(me + "/data/export").Want(200)
	c.Get("/token").Want(200)
	c.Post("/verify-password", m{"password": pass}).Want(200)
	c.Post(a+"/change-password", m{"currentPassword": pass, "newPassword": pass + "2"}).Want(200)
	// Not by the alias, which looks like success whatever refuses it.
	c.Post("/request-password-reset", m{"email": email, "redirectTo": "/reset"}).Want(200)
	h.RunJobs()
	msg, ok := h.Outbox.Take(email, "reset-password")
	if !ok {
		h.T.Fatal("no mail")
	}
	link, err := url.Parse(msg.URL)
	if err != nil {
		h.T.Fatal(err)
	}
	h.Client().Get(strings.TrimPrefix(link.RequestURI(), "/api/auth")).Want(302)
	h.Client().Post(a+"/reset-password", m{"token": msg.Token, "newPassword": pass}).Want(200)
	d := h.Client()
	again := d.Post(a+"/login", m{"email": email, "password": pass}).Want(200)
	d.UserID, d.Email = again.Text("user.id"), email
	d.Do(plugintest.Request{Method: "DELETE", Path: a + "/sessions/unknown"}).Want(200)
	h.Client().Post(a+"/logout", m{"refreshToken": again.Text("refreshToken")}).Want(200)
	for _, path := range []string{a + "/account", me + "/data"} {
		gone := "gone" + strings.ReplaceAll(path, "/", "-") + "@example.com"
		e := h.Client()
		e.UserID, e.Email = e.Post(a+"/register", m{"email": gone, "password": pass}).Want(200).Text("user.id"), gone
		e.Do(plugintest.Request{Method: "DELETE", Path: path, Body: m{"password": pass}}).Want(200)
	}
}

func TestRules(t *testing.T) {
	plugintest.Check(t, func() core.Plugin { return v1.New(v1.Options{MaxDailySignUps: 1000}) }, plugintest.Options{Rules: plugintest.Rules{
		Others: func() []core.Plugin {
			return []core.Plugin{emailpassword.New(emailpassword.Options{}), jwt.New(jwt.Options{DisableHeader: true})}
		},
		Journey: journey,
		Public: []string{"/sign-up/email", "/sign-in/email", "/request-password-reset", "/reset-password/:token", "/reset-password", "/jwks",
			a + "/refresh", a + "/validate", a + "/signup-status"},
		Carries: []string{"/token", "/sign-in/email", a + "/session-to-token", a + "/refresh"},
		Keeps:   []string{"securityEvent"},
	}})
}

package magiclink_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugins/magiclink"
	"github.com/sallyport-auth/sallyport/plugintest"
)

type m = plugintest.M

// link is the path of a mailed link below the base path.
func link(h *plugintest.Harness, to string) string {
	h.T.Helper()
	u := h.Mail(to, "magic-link").URL
	path, ok := strings.CutPrefix(u, h.Host.URL(""))
	if !ok {
		h.T.Fatalf("the link is %s", u)
	}
	return path
}

func ask(h *plugintest.Harness, email string, more m) string {
	h.T.Helper()
	body := m{"email": email}
	for k, v := range more {
		body[k] = v
	}
	h.Client().Post("/sign-in/magic-link", body).Want(200)
	return link(h, email)
}

func location(a *plugintest.Answer, want string) {
	if got := a.Value("Location"); a.Status != 302 || got != want {
		panic(fmt.Sprintf("%s: %d to %q, want %q", a.What, a.Status, got, want))
	}
}

func journey(h *plugintest.Harness) {
	c := h.Client()
	c.Get(ask(h, "new@example.com", m{"name": "New", "callbackURL": "/in", "newUserCallbackURL": "/new", "errorCallbackURL": "/bad", "metadata": m{"a": 1}})).Want(302)
	c.Get("/get-session").Want(200)
	token := h.Client()
	token.Get(strings.TrimSuffix(ask(h, "new@example.com", nil), "&callbackURL=%2F")).Want(200)
	h.CreateUser("unproven@example.com", func(u *core.User) { u.EmailVerified = false })
	h.Client().Get(ask(h, "unproven@example.com", nil)).Want(302)
}

func TestRules(t *testing.T) {
	plugintest.Check(t, func() core.Plugin { return magiclink.New(magiclink.Options{}) }, plugintest.Options{
		Rules: plugintest.Rules{Journey: journey, Public: []string{"/sign-in/magic-link", "/magic-link/verify"}}})
}

func TestRulesConfirm(t *testing.T) {
	confirmed := func(h *plugintest.Harness) {
		c := h.Client()
		page := c.Get(ask(h, "page@example.com", nil)).Want(200)
		r := form(page)
		r.Header = map[string]string{"content-type": r.Header["content-type"]} // the kit tries origins of its own
		c.Do(r).Want(302)
	}
	plugintest.Check(t, func() core.Plugin { return magiclink.New(magiclink.Options{ConfirmOnPost: true}) }, plugintest.Options{
		Rules: plugintest.Rules{Journey: confirmed, Public: []string{"/sign-in/magic-link", "/magic-link/verify"}, NoPostgres: true}})
}

func harness(t *testing.T, e plugintest.Engine, o magiclink.Options) *plugintest.Harness {
	return plugintest.New(t, plugintest.Options{Database: e, Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{}), magiclink.New(o)}})
}

var engines = []plugintest.Engine{plugintest.SQLite, plugintest.Postgres}

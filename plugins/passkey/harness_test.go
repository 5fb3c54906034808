package passkey

import (
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

type m = plugintest.M

var engines = []plugintest.Engine{plugintest.SQLite, plugintest.Postgres}

func harness(t testing.TB, e plugintest.Engine, o Options, config ...func(*core.Config)) *plugintest.Harness {
	return plugintest.New(t, plugintest.Options{Database: e, Plugins: []core.Plugin{New(o)}, Config: func(c *core.Config) {
		for _, f := range config {
			f(c)
		}
	}})
}

const (
	registerPath = "/passkey/verify-registration"
	assertPath   = "/passkey/verify-authentication"
)

func registerChallenge(c *plugintest.Client) string {
	return c.Get("/passkey/generate-register-options").Want(200).Text("challenge")
}

func assertChallenge(c *plugintest.Client) string {
	return c.Get("/passkey/generate-authenticate-options").Want(200).Text("challenge")
}

// enrol registers a key and returns the passkey's id.
func enrol(c *plugintest.Client, k *key) string {
	return c.Post(registerPath, m{"response": k.register(registerChallenge(c)), "name": " Laptop "}).Want(200).Text("id")
}

// use signs in with a key on a client of its own.
func use(h *plugintest.Harness, k *key) (*plugintest.Client, *plugintest.Answer) {
	c := h.Client()
	ch := assertChallenge(c)
	k.counter++
	return c, c.Post(assertPath, m{"response": k.assert(ch)})
}

func journey(h *plugintest.Harness) {
	alice, k := h.SignUp("alice@example.com"), newKey(-7)
	id := enrol(alice, k)
	alice.Get("/passkey/list-user-passkeys").Want(200)
	alice.Post("/passkey/update-passkey", m{"id": id, "name": "Work laptop"}).Want(200)
	alice.Get("/passkey/generate-authenticate-options").Want(200)
	c, a := use(h, k)
	a.Want(200)
	c.Get("/get-session").Want(200).Text("user.email")
	h.Client().Get("/passkey/capability").Want(200)
	second := newKey(-8)
	c.Post(registerPath, m{"response": second.register(registerChallenge(c)), "createSession": true}).Want(200)
	alice.Post("/passkey/delete-passkey", m{"id": id}).Want(200)
}

var redeems = []string{"/passkey/generate-register-options", "/passkey/generate-authenticate-options"}

func TestRules(t *testing.T) {
	plugintest.Check(t, func() core.Plugin { return New(Options{}) }, plugintest.Options{Rules: plugintest.Rules{Journey: journey,
		Public: []string{"/passkey/generate-authenticate-options", "/passkey/verify-authentication", "/passkey/capability"}, Redeems: redeems}})
}

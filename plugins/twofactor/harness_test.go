package twofactor

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugins/magiclink"
	"github.com/sallyport-auth/sallyport/plugintest"
)

const password = "correct horse battery"

// world is an Auth with this plugin beside passwords and magic links.
type world struct {
	*plugintest.Harness
	p *Plugin
}

func newWorld(t testing.TB, o Options, change ...func(*plugintest.Options)) *world {
	t.Helper()
	w := &world{p: New(o)}
	po := plugintest.Options{Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{}), magiclink.New(magiclink.Options{}), w.p}}
	for _, f := range change {
		f(&po)
	}
	w.Harness = plugintest.New(t, po)
	return w
}

// config changes the configuration of a world.
func config(f func(*core.Config)) func(*plugintest.Options) {
	return func(o *plugintest.Options) { o.Config = f }
}

// noLockout leaves the limits of this plugin alone.
var noLockout = config(func(c *core.Config) { c.Lockout.Disabled = true })

// member is a user with TOTP.
type member struct {
	*plugintest.Client // signed in
	w                  *world
	email              string
	key                []byte
	codes              []string
}

func (w *world) signUp(email string) *plugintest.Client {
	w.T.Helper()
	c := w.Client()
	a := c.Post("/sign-up/email", plugintest.M{"name": "Test", "email": email, "password": password}).Want(200)
	c.UserID, c.Email = a.Text("user.id"), email
	return c
}

// enrol makes a user who has confirmed TOTP. The clock moves on, so that the next code
// is another one.
func (w *world) enrol(email string) *member {
	w.T.Helper()
	m := &member{Client: w.signUp(email), w: w, email: email}
	m.begin()
	m.Post("/two-factor/verify-totp", plugintest.M{"code": m.code(0)}).Want(200)
	w.Clock.Advance(time.Minute)
	return m
}

// begin starts enrolling.
func (m *member) begin() *plugintest.Answer {
	m.w.T.Helper()
	a := m.Post("/two-factor/enable", plugintest.M{"password": password}).Want(200)
	m.key = keyOf(m.w.T, a.Text("totpURI"))
	m.codes = nil
	for _, c := range a.Get("backupCodes").([]any) {
		m.codes = append(m.codes, c.(string))
	}
	return a
}

func keyOf(t testing.TB, uri string) []byte {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	key, err := noPadding.DecodeString(u.Query().Get("secret"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// code is the code of so many steps from now.
func (m *member) code(steps int64) string {
	m.w.T.Helper()
	s, err := m.w.p.totp.at(m.key, m.w.Clock.Now().Unix()/int64(m.w.p.o.TOTP.Period)+steps)
	if err != nil {
		m.w.T.Fatal(err)
	}
	return s
}

// wrongCode is a code of no step around.
func (m *member) wrongCode() string {
	for _, c := range []string{"000000", "111111", "222222", "333333", "444444"} {
		if c != m.code(-1) && c != m.code(0) && c != m.code(1) && c != m.code(2) {
			return c
		}
	}
	panic("five codes in a row")
}

// challenge signs in with the password, in another browser, as far as the challenge.
func (w *world) challenge(email string) *plugintest.Client {
	w.T.Helper()
	c := w.Client()
	a := c.Post("/sign-in/email", plugintest.M{"email": email, "password": password}).Want(200)
	if a.Get("twoFactorRedirect") != true {
		w.T.Fatalf("no challenge: %s", a.Body)
	}
	return c
}

func (w *world) factor(userID string) plugintest.Row {
	w.T.Helper()
	for _, r := range w.Rows("twoFactor") {
		if r["userId"] == userID {
			return r
		}
	}
	w.T.Fatal("no factor")
	return nil
}

// sessions are the rows of a user's sessions.
func (w *world) sessions(userID string) (out []plugintest.Row) {
	for _, r := range w.Rows("session") {
		if r["userId"] == userID {
			out = append(out, r)
		}
	}
	return out
}

func (w *world) exec(sql string, args ...any) {
	w.T.Helper()
	if _, err := w.Host.DB().Exec(context.Background(), sql, args...); err != nil {
		w.T.Fatal(err)
	}
}

func signedIn(c *plugintest.Client) bool {
	return strings.TrimSpace(string(c.Get("/get-session").Want(200).Body)) != "null"
}

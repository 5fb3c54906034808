package passkey

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// signed is a cookie's value with a right signature.
func signed(value string) string {
	mac := hmac.New(sha256.New, []byte(plugintest.Secret))
	mac.Write([]byte(value))
	return url.QueryEscape(value + "." + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// TestOrigins registers from many places (CVE-2026-30964).
func TestOrigins(t *testing.T) {
	for _, x := range []struct {
		name    string
		o       Options
		trusted []string
		yes, no []string
	}{
		{"derived", Options{}, []string{"https://app.auth.example.com:8443", "https://*.sub.auth.example.com", "https://example.com", "http://plain.auth.example.com", "https://xauth.example.com"},
			[]string{"https://auth.example.com", "https://app.auth.example.com:8443", "https://a.sub.auth.example.com"},
			[]string{"http://auth.example.com", "https://auth.example.com:8443", "https://app.auth.example.com", "https://example.com", "http://plain.auth.example.com",
				"https://xauth.example.com", "https://auth.example.com.", "https://auth.example.com:443", "https://AUTH.example.com", "https://auth.example.com/", "https://auth.example.com:", "null", "", "android:apk-key-hash:abc"}},
		{"a domain above", Options{RPID: "example.com"}, []string{"https://app.example.com", "https://app.example.org"},
			[]string{"https://auth.example.com", "https://app.example.com"}, []string{"https://example.com", "https://app.example.org", "https://evil.example.com"}},
		{"listed", Options{Origins: []string{"https://login.example.com", "http://localhost:3000", "android:apk-key-hash:abc"}}, []string{"https://app.auth.example.com"},
			[]string{"https://login.example.com", "http://localhost:3000", "android:apk-key-hash:abc"},
			[]string{"https://auth.example.com", "https://app.auth.example.com", "http://localhost", "android:apk-key-hash:abcd", "https://login.example.com:443"}},
	} {
		h := harness(t, plugintest.SQLite, x.o, func(c *core.Config) { c.TrustedOrigins = x.trusted })
		alice := h.SignUp("alice@example.com")
		try := func(origin, header string, want int) {
			k := newKey(-7)
			if k.origin = origin; x.o.RPID != "" {
				k.rpID = x.o.RPID
			}
			ch := registerChallenge(alice)
			// The request's own Origin header, however trusted, decides nothing.
			a := alice.Do(plugintest.Request{Method: "POST", Path: registerPath, Body: m{"response": k.register(ch)}, Header: map[string]string{"origin": header}})
			if a.Status != want {
				t.Errorf("%s: from %q: %d, want %d: %s", x.name, origin, a.Status, want, a.Body)
			}
		}
		for _, o := range x.yes {
			try(o, plugintest.BaseURL, 200)
		}
		for _, o := range x.no {
			try(o, plugintest.BaseURL, 400)
		}
		if len(x.trusted) > 1 && x.name == "derived" {
			try("https://example.com", "https://example.com", 400)
		}
	}
}

func TestLocalhost(t *testing.T) {
	h := harness(t, plugintest.SQLite, Options{}, func(c *core.Config) { c.BaseURL = "http://localhost:3000" })
	alice, k := h.SignUp("alice@example.com"), newKey(-7)
	k.rpID, k.origin = "localhost", "http://localhost:3000"
	enrol(alice, k)
	_, a := use(h, k)
	a.Want(200)
}

func TestFaultsOfOptions(t *testing.T) {
	no := false
	for want, o := range map[string]Options{
		"rpID: \"example.org\"":    {RPID: "example.org"},
		"rpID: \"com\"":            {RPID: "com"},
		"rpID: \"xample.com\"":     {RPID: "xample.com"},
		"is no origin":             {Origins: []string{"https://auth.example.com/"}},
		"https and localhost":      {Origins: []string{"http://auth.example.com"}},
		"userVerification: \"on\"": {UserVerification: "on"},
		"attestation: \"full\"":    {Attestation: "full"},
		"residentKey":              {Selection: Selection{ResidentKey: "yes"}},
		"authenticatorAttachment":  {Selection: Selection{Attachment: "usb"}},
		"registration.require":     {Registration: Registration{RequireSession: &no}},
	} {
		_, err := plugintest.Start(t, plugintest.Options{Plugins: []core.Plugin{New(o)}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	_, err := plugintest.Start(t, plugintest.Options{Plugins: []core.Plugin{New(Options{RPID: "example.org", Attestation: "full"})}})
	if err == nil || !strings.Contains(err.Error(), "rpID") || !strings.Contains(err.Error(), "attestation") {
		t.Errorf("not every fault is named: %v", err)
	}
}

func TestOptionsAreHandedOn(t *testing.T) {
	h := harness(t, plugintest.SQLite, Options{RPName: "Example", Attestation: "direct", UserVerification: "discouraged", ChallengeCookie: "pk",
		Selection:      Selection{Attachment: "cross-platform", ResidentKey: "required", UserVerification: "discouraged"},
		Registration:   Registration{Extensions: map[string]any{"minPinLength": true, "credProps": false}},
		Authentication: Authentication{Extensions: map[string]any{"uvm": true}}})
	alice := h.SignUp("alice@example.com")
	a := alice.Get("/passkey/generate-register-options").Want(200)
	for path, want := range map[string]any{"rp.name": "Example", "attestation": "direct", "authenticatorSelection.authenticatorAttachment": "cross-platform",
		"authenticatorSelection.residentKey": "required", "authenticatorSelection.requireResidentKey": true, "authenticatorSelection.userVerification": "discouraged",
		"extensions.minPinLength": true, "extensions.credProps": true} {
		if a.Get(path) != want {
			t.Errorf("%s is %v, want %v", path, a.Get(path), want)
		}
	}
	if alice.Cookie("pk") == "" || alice.Cookie("better-auth-passkey") != "" {
		t.Error("the cookie has another name")
	}
	k := newKey(-7)
	alice.Post(registerPath, m{"response": k.register(a.Text("challenge"))}).WantCode(400, "FAILED_TO_VERIFY_REGISTRATION")
	k.format = "packed"
	enrol(alice, k)
	b := alice.Get("/passkey/generate-authenticate-options").Want(200)
	if b.Get("userVerification") != "discouraged" || b.Get("extensions.uvm") != true {
		t.Errorf("%s", b.Body)
	}
	alice.Get("/passkey/generate-register-options?authenticatorAttachment=usb").WantCode(400, "VALIDATION_ERROR")
	if got := alice.Get("/passkey/generate-register-options?authenticatorAttachment=platform").Want(200).Get("authenticatorSelection.authenticatorAttachment"); got != "platform" {
		t.Errorf("%v", got)
	}
}

// open is a plugin with which people sign up.
func open() Options {
	no := false
	p := Options{Registration: Registration{RequireSession: &no}}
	p.Registration.ResolveUser = func(_ context.Context, _ *core.Call, about string) (Candidate, error) {
		if about == "nobody" {
			return Candidate{}, nil
		}
		return Candidate{ID: about, Name: about}, nil
	}
	return p
}

// opened makes a harness with it; users are stored under the address that was the context.
func opened(t *testing.T, e plugintest.Engine) *plugintest.Harness {
	var host *core.Host
	o := open()
	o.Registration.NewUser = func(_ context.Context, _ *core.Call, who Candidate, about string) (*core.User, error) {
		if who.ID != about {
			t.Errorf("%+v for %q", who, about)
		}
		return host.NewUser(who.Name, about, nil)
	}
	h := harness(t, e, o)
	host = h.Host
	return h
}

func TestSignUp(t *testing.T) {
	for _, e := range engines {
		h := opened(t, e)
		c, k := h.Client(), newKey(-7)
		a := c.Get("/passkey/generate-register-options?context=new%40example.com").Want(200)
		if a.Get("user.name") != "new@example.com" || a.Get("user.displayName") != "new@example.com" {
			t.Errorf("%s", a.Body)
		}
		b := c.Post(registerPath, m{"response": k.register(a.Text("challenge")), "createSession": true}).Want(200)
		if b.Text("user.email") != "new@example.com" || b.Text("userId") != b.Text("user.id") || b.Text("session.userId") != b.Text("userId") {
			t.Errorf("%s: %s", e, b.Body)
		}
		c.Get("/get-session").Want(200).Text("session.id")
		_, a = use(h, k)
		a.Want(200)
		h.Client().Get("/passkey/generate-register-options?context=nobody").WantCode(400, "RESOLVED_USER_INVALID")
		// Nobody who exists gets a passkey without their session.
		victim := h.SignUp("victim@example.com")
		eve := h.Client()
		ch := eve.Get("/passkey/generate-register-options?context=victim%40example.com").Want(200).Text("challenge")
		eve.Post(registerPath, m{"response": newKey(-7).register(ch), "createSession": true}).WantCode(422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")
		if n := h.Count("passkey"); n != 1 || eve.Cookie("session_token") != "" {
			t.Errorf("%s: %d passkeys", e, n)
		}
		// With a session it is the session's user, fresh ones only.
		mine := newKey(-7)
		if got := victim.Post(registerPath, m{"response": mine.register(registerChallenge(victim))}).Want(200).Text("userId"); got != victim.UserID {
			t.Errorf("%s: registered for %s", e, got)
		}
		ch = eve.Get("/passkey/generate-register-options?context=new2%40example.com").Want(200).Text("challenge")
		victim.SetCookie("better-auth-passkey", eve.Cookie("better-auth-passkey"))
		victim.Post(registerPath, m{"response": newKey(-7).register(ch)}).WantCode(401, "YOU_ARE_NOT_ALLOWED_TO_REGISTER_THIS_PASSKEY")
		h.Clock.Advance(25 * 3600e9)
		victim.Get("/passkey/generate-register-options").WantCode(403, "SESSION_NOT_FRESH")
	}
}

func TestRulesOpen(t *testing.T) {
	plugintest.Check(t, func() core.Plugin {
		o := open()
		p := New(o)
		p.o.Registration.NewUser = func(_ context.Context, c *core.Call, who Candidate, about string) (*core.User, error) {
			return c.Host().NewUser(who.Name, about, nil)
		}
		return p
	}, plugintest.Options{Rules: plugintest.Rules{NoPostgres: true, Redeems: redeems,
		Public: []string{"/passkey/verify-registration", "/passkey/generate-register-options", "/passkey/generate-authenticate-options", "/passkey/verify-authentication", "/passkey/capability"},
		Journey: func(h *plugintest.Harness) {
			c, k := h.Client(), newKey(-7)
			ch := c.Get("/passkey/generate-register-options?context=new%40example.com").Want(200).Text("challenge")
			id := c.Post(registerPath, m{"response": k.register(ch), "createSession": true}).Want(200).Text("id")
			c.Get("/passkey/list-user-passkeys").Want(200)
			c.Post("/passkey/update-passkey", m{"id": id, "name": "x"}).Want(200)
			_, a := use(h, k)
			a.Want(200)
			c.Get("/passkey/capability").Want(200)
			c.Post("/passkey/delete-passkey", m{"id": id}).Want(200)
		}}})
}

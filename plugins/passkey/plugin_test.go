package passkey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

func TestRegisterAndSignIn(t *testing.T) {
	for _, e := range engines {
		h := harness(t, e, Options{})
		alice, k := h.SignUp("alice@example.com"), newKey(-7)
		o := alice.Get("/passkey/generate-register-options?authenticatorAttachment=platform&name=Ally").Want(200)
		want := `"rp":{"name":"Sallyport","id":"auth.example.com"},"user":{"id":"` + o.Text("user.id") + `","name":"Ally","displayName":"alice@example.com"},` +
			`"pubKeyCredParams":[{"alg":-8,"type":"public-key"},{"alg":-7,"type":"public-key"},{"alg":-257,"type":"public-key"}],"timeout":60000,` +
			`"attestation":"none","excludeCredentials":[],"authenticatorSelection":{"residentKey":"preferred","userVerification":"preferred",` +
			`"authenticatorAttachment":"platform","requireResidentKey":false},"extensions":{"credProps":true},"hints":[]}`
		if got := string(o.Body); got != `{"challenge":"`+o.Text("challenge")+`",`+want {
			t.Errorf("%s: options\n%s\nwant\n%s", e, got, want)
		}
		a := alice.Post(registerPath, m{"response": k.register(o.Text("challenge")), "name": "  Laptop "}).Want(200)
		if a.Get("name") != "Laptop" || a.Get("userId") != alice.UserID || a.Get("credentialID") != b64(k.id) || a.Get("counter") != 0.0 ||
			a.Get("deviceType") != "multiDevice" || a.Get("backedUp") != true || a.Get("transports") != "internal,hybrid" ||
			a.Get("aaguid") != "00000000-0000-0000-0000-000000000000" || a.Get("session") != nil {
			t.Errorf("%s: %s", e, a.Body)
		}
		again := alice.Get("/passkey/generate-register-options").Want(200)
		if again.Get("excludeCredentials.0.id") != b64(k.id) || again.Get("excludeCredentials.0.transports.1") != "hybrid" {
			t.Errorf("%s: %s", e, again.Body)
		}
		if o := alice.Get("/passkey/generate-authenticate-options").Want(200); o.Get("allowCredentials.0.id") != b64(k.id) {
			t.Errorf("%s: %s", e, o.Body)
		}
		c, signedIn := use(h, k)
		if signedIn.Want(200).Text("user.id") != alice.UserID || signedIn.Text("session.userId") != alice.UserID || signedIn.Text("session.token") == "" {
			t.Errorf("%s: %s", e, signedIn.Body)
		}
		c.Get("/get-session").Want(200).Text("session.id")
		if got := h.Rows("passkey")[0]["counter"]; got != "1" {
			t.Errorf("%s: counter %s", e, got)
		}
	}
}

// TestProof looks at what the session says about how it was made.
func TestProof(t *testing.T) {
	for _, x := range []struct {
		flags    byte
		amr, aal string
	}{{up | uv | be | bs, "swk,user", "2"}, {up | be, "swk,user", "1"}, {up | uv, "hwk,user", "2"}, {up, "hwk,user", "1"}} {
		h := harness(t, plugintest.SQLite, Options{})
		k := newKey(-7)
		enrol(h.SignUp("a@example.com"), k)
		k.flags = x.flags
		_, a := use(h, k)
		a.Want(200)
		for _, r := range h.Rows("session") {
			if r["id"] == a.Text("session.id") && (r["amr"] != x.amr || r["aal"] != x.aal) {
				t.Errorf("flags %x: %s at level %s, want %s at %s", x.flags, r["amr"], r["aal"], x.amr, x.aal)
			}
		}
		// Nothing that is sent beside the proof counts.
		c := h.Client()
		k.counter++
		body := with(k.assert(assertChallenge(c)), "amr", []string{"pwd", "mfa"})
		if b := c.Post(assertPath, m{"response": body, "aal": 2, "methods": []string{"mfa"}}).Want(200); b.Text("session.id") == a.Text("session.id") {
			t.Error("the session is an older one")
		}
	}
}

// TestVerificationPolicy: what was required when the challenge was made is required still,
// whatever the client sends or the configuration has become.
func TestVerificationPolicy(t *testing.T) {
	h := harness(t, plugintest.SQLite, Options{UserVerification: "required", Selection: Selection{UserVerification: "required"}})
	alice, k := h.SignUp("alice@example.com"), newKey(-7)
	weak := newKey(-7)
	weak.flags = up
	a := alice.Get("/passkey/generate-register-options?userVerification=discouraged").Want(200)
	if a.Get("authenticatorSelection.userVerification") != "required" {
		t.Errorf("%s", a.Body)
	}
	alice.Post(registerPath, m{"response": weak.register(a.Text("challenge")), "userVerification": "discouraged"}).WantCode(400, "FAILED_TO_VERIFY_REGISTRATION")
	enrol(alice, k)
	k.flags = up | be | bs
	_, b := use(h, k)
	b.WantCode(400, "AUTHENTICATION_FAILED")
	k.flags |= uv
	_, b = use(h, k)
	b.Want(200)
	for _, x := range []struct {
		stored, configured string
		want               bool
	}{{"required", "preferred", true}, {"", "required", true}, {"discouraged", "required", true}, {"", "preferred", false}, {"", "discouraged", false}} {
		if ch := (challenge{Policy: x.stored}); ch.expect(x.configured).verification != x.want {
			t.Errorf("stored %q, configured %q: want %v", x.stored, x.configured, x.want)
		}
	}
}

func TestCounter(t *testing.T) {
	var events []core.Event
	h := harness(t, plugintest.SQLite, Options{}, func(c *core.Config) {
		c.Hooks = append(c.Hooks, core.EventRecorded.Before(func(_ context.Context, e *core.Event) error {
			events = append(events, *e)
			return nil
		}))
	})
	alice, k := h.SignUp("alice@example.com"), newKey(-7)
	id := enrol(alice, k)
	k.counter = 9
	_, a := use(h, k)
	a.Want(200)
	for _, n := range []uint32{9, 8, 0} { // use adds one
		k.counter = n
		_, a := use(h, k)
		a.WantCode(400, "AUTHENTICATION_FAILED")
		if got := h.Rows("passkey")[0]["counter"]; got != "10" {
			t.Errorf("counter %s behind %d", got, n+1)
		}
	}
	regressions := 0
	for _, e := range events {
		if e.Type == eventRegression && e.UserID == alice.UserID && e.Detail["passkey"] == id {
			regressions++
		}
	}
	if regressions != 3 || strings.Count(h.Logs.String(), "there may be a copy") != 3 {
		t.Errorf("%d of 3 were recorded, %d logged", regressions, strings.Count(h.Logs.String(), "there may be a copy"))
	}
	// Without the key a counter proves nothing, and reports nothing.
	events = nil
	bad := *k
	bad.private, bad.counter = newKey(-7).private, 2
	_, a = use(h, &bad)
	a.WantCode(400, "AUTHENTICATION_FAILED")
	if len(events) != 0 {
		t.Errorf("a forged counter was recorded: %+v", events)
	}
	k.counter = 10
	_, a = use(h, k)
	a.Want(200)
}

func TestForeign(t *testing.T) {
	for _, e := range engines {
		h := harness(t, e, Options{})
		alice, eve, k := h.SignUp("alice@example.com"), h.SignUp("eve@example.com"), newKey(-7)
		id := enrol(alice, k)
		before := h.Rows("passkey")[0].String()
		eve.Post("/passkey/update-passkey", m{"id": id, "name": "Mine"}).WantCode(401, "YOU_ARE_NOT_ALLOWED_TO_REGISTER_THIS_PASSKEY")
		if a := eve.Post("/passkey/delete-passkey", m{"id": id}).Want(401); len(a.Body) != 0 {
			t.Errorf("%s", a.Body)
		}
		for _, c := range []*plugintest.Client{alice, eve} {
			c.Post("/passkey/update-passkey", m{"id": "unknown", "name": "Mine"}).WantCode(404, "PASSKEY_NOT_FOUND")
			c.Post("/passkey/delete-passkey", m{"id": "unknown"}).WantCode(404, "PASSKEY_NOT_FOUND")
			c.Post("/passkey/delete-passkey", m{"id": ""}).Want(400)
			c.Post("/passkey/update-passkey", m{"id": id, "name": "  "}).WantCode(400, "VALIDATION_ERROR")
		}
		if after := h.Rows("passkey")[0].String(); after != before {
			t.Errorf("%s: %s, was %s", e, after, before)
		}
		// Eve's options and cookie with Alice's session, and the other way round.
		ch := registerChallenge(eve)
		mixed := alice.Copy()
		mixed.SetCookie("better-auth-passkey", eve.Cookie("better-auth-passkey"))
		mixed.Post(registerPath, m{"response": newKey(-7).register(ch)}).WantCode(401, "YOU_ARE_NOT_ALLOWED_TO_REGISTER_THIS_PASSKEY")
		// A credential that is known is refused, whoever has it.
		stolen := newKey(-7)
		stolen.id = k.id
		ch = registerChallenge(eve)
		eve.Post(registerPath, m{"response": stolen.register(ch)}).WantCode(400, "PREVIOUSLY_REGISTERED")
		eve.Post(registerPath, m{"response": newKey(-7).register(ch)}).WantCode(400, "CHALLENGE_NOT_FOUND")
		if a := eve.Get("/passkey/list-user-passkeys").Want(200); string(a.Body) != "[]" {
			t.Errorf("%s: %s", e, a.Body)
		}
		_, a := use(h, k)
		a.Want(200)
		a = alice.Post("/passkey/update-passkey", m{"id": id, "name": " a\nb "}).Want(200)
		if a.Get("passkey.name") != "a\nb" || a.Get("passkey.counter") != 1.0 {
			t.Errorf("%s", a.Body)
		}
		alice.Post("/passkey/delete-passkey", m{"id": id}).Want(200)
		_, a = use(h, k)
		a.WantCode(401, "PASSKEY_NOT_FOUND")
	}
}

// TestFresh: an old or revoked session registers and deletes nothing.
func TestFresh(t *testing.T) {
	h := harness(t, plugintest.SQLite, Options{}, func(c *core.Config) { c.Session.CookieCache.Enabled = true })
	alice, k := h.SignUp("alice@example.com"), newKey(-7)
	id := enrol(alice, k)
	alice.Get("/get-session").Want(200)
	ch := registerChallenge(alice)
	ctx := context.Background()
	if err := h.Host.RevokeSessions(ctx, nil, alice.UserID, ""); err != nil {
		t.Fatal(err)
	}
	alice.Post(registerPath, m{"response": newKey(-7).register(ch)}).WantCode(401, "UNAUTHORIZED")
	alice.Post("/passkey/delete-passkey", m{"id": id}).WantCode(401, "UNAUTHORIZED")
	alice.Post("/passkey/update-passkey", m{"id": id, "name": "x"}).WantCode(401, "UNAUTHORIZED")
	if n := h.Count("passkey"); n != 1 {
		t.Errorf("%d passkeys", n)
	}
	alice = h.SignIn("alice@example.com")
	h.Clock.Advance(24 * time.Hour)
	alice.Get("/passkey/generate-register-options").WantCode(403, "SESSION_NOT_FRESH")
	alice.Post(registerPath, m{"response": object{}}).WantCode(403, "SESSION_NOT_FRESH")
	alice.Post("/passkey/delete-passkey", m{"id": id}).WantCode(403, "SESSION_NOT_FRESH")
	alice.Post("/passkey/update-passkey", m{"id": id, "name": "x"}).Want(200)
}

// TestFailureOfOurs breaks what comes behind the proof: nothing counts, and the same
// answer is good once it is mended.
func TestFailureOfOurs(t *testing.T) {
	broken := false
	h := harness(t, plugintest.SQLite, Options{}, func(c *core.Config) {
		c.Hooks = append(c.Hooks, core.SessionCreate.Before(func(context.Context, *core.SessionEvent) error {
			if broken {
				return errors.New("the disk is gone")
			}
			return nil
		}))
	})
	k := newKey(-7)
	enrol(h.SignUp("alice@example.com"), k)
	c := h.Client()
	ch := assertChallenge(c)
	k.counter = 3
	answer, before := k.assert(ch), h.Rows("passkey")[0].String()
	broken = true
	for range 15 {
		if a := c.Post(assertPath, m{"response": answer}); a.Status < 500 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	if now := h.Rows("passkey")[0].String(); now != before {
		t.Errorf("%s, was %s", now, before)
	}
	broken = false
	c.Post(assertPath, m{"response": answer}).Want(200)
}

func TestClaimDropsPasskeys(t *testing.T) {
	h := harness(t, plugintest.SQLite, Options{})
	eve, k := h.SignUp("victim@example.com", func(u *core.User) { u.EmailVerified = false }), newKey(-7)
	enrol(eve, k)
	other := newKey(-7)
	enrol(h.SignUp("other@example.com"), other)
	ctx := context.Background()
	u, err := h.Host.UserByEmail(ctx, h.Host.DB(), "victim@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if u, err = h.Host.ClaimUnproven(ctx, nil, nil, u); err != nil || u == nil || !u.EmailVerified {
		t.Fatal(u, err)
	}
	_, a := use(h, k)
	a.WantCode(401, "PASSKEY_NOT_FOUND")
	_, a = use(h, other)
	a.Want(200)
	mine := newKey(-7)
	enrol(h.SignIn("victim@example.com"), mine)
	if u, err = h.Host.ClaimUnproven(ctx, nil, nil, u); err != nil || u == nil {
		t.Fatal(u, err)
	}
	_, a = use(h, mine) // proved before: nothing to claim
	a.Want(200)
}

func TestCapability(t *testing.T) {
	h := harness(t, plugintest.SQLite, Options{}, func(c *core.Config) {
		c.TrustedOrigins = []string{"https://app.auth.example.com", "https://other.example"}
	})
	for origin, want := range map[string]bool{"": true, "https://auth.example.com": true, "https://app.auth.example.com": true,
		"https://other.example": false, "https://evil.example": false, "null": false, "http://auth.example.com": false} {
		a := h.Client().Do(plugintest.Request{Method: "GET", Path: "/passkey/capability", Header: map[string]string{"origin": origin}}).Want(200)
		if a.Get("available") != want || a.Get("conditional") != want || a.Get("rpId") != "auth.example.com" || a.Get("userVerification") != "preferred" {
			t.Errorf("%q: %s", origin, a.Body)
		}
	}
}

// Columns of whole seconds give passkeys that are made at once the same time.
func TestThoseOfOneSecondAreListedAsTheyCame(t *testing.T) {
	h := harness(t, plugintest.SQLite, Options{})
	alice, at := h.SignUp("alice@example.com"), h.Host.Now()
	for i := range 30 {
		name := fmt.Sprint(i)
		k := Passkey{ID: fmt.Sprint("passkey", 99-i), UserID: alice.UserID, CredentialID: name, DeviceType: "singleDevice", Name: &name, CreatedAt: &at}
		if err := passkeys.Insert(t.Context(), h.Host.DB(), &k); err != nil {
			t.Fatal(err)
		}
	}
	a := alice.Get("/passkey/list-user-passkeys").Want(200)
	for i := range 30 {
		if got := a.Text(fmt.Sprint(i, ".name")); got != fmt.Sprint(i) {
			t.Fatalf("at %d: %s", i, got)
		}
	}
}

func TestExport(t *testing.T) {
	h := harness(t, plugintest.SQLite, Options{})
	alice := h.SignUp("alice@example.com")
	enrol(alice, newKey(-7))
	out, err := h.Host.Export(context.Background(), alice.UserID)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(out["passkeys"])
	if err != nil || !strings.Contains(string(b), `"name":"Laptop"`) {
		t.Errorf("%s, %v", b, err)
	}
}

func BenchmarkSignIn(b *testing.B) {
	h := harness(b, plugintest.SQLite, Options{}, func(c *core.Config) { c.Lockout.Disabled = true })
	k := newKey(-7)
	enrol(h.SignUp("alice@example.com"), k)
	for b.Loop() {
		if _, a := use(h, k); a.Status != 200 {
			b.Fatal(a.Status)
		}
	}
}

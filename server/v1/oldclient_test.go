package v1_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/vault"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// both runs a test on SQLite behind net/http, and on PostgreSQL behind Fiber.
func both(t *testing.T, s setup, fn func(t *testing.T, h *plugintest.Harness, url string)) {
	for engine, mount := range map[plugintest.Engine]string{plugintest.SQLite: "net/http", plugintest.Postgres: "fiber"} {
		t.Run(string(engine)+"/"+mount, func(t *testing.T) {
			s.engine = engine
			h := s.start(t)
			fn(t, h, listen(t, h, mount))
		})
	}
}

// TestOldClient is the life of a user with a client of the earlier system.
func TestOldClient(t *testing.T) {
	both(t, setup{verify: true}, func(t *testing.T, h *plugintest.Harness, url string) {
		const alice = "alice@example.com"
		c := newOld(t, h, url)
		c.get(a + "/signup-status").want(200)

		// Register: no session before the address is verified; the name is the local part.
		r := c.post(a+"/register", m{"email": "Alice@example.com", "password": pass, "sourceAppUrl": "https://app.mana.example/welcome"}).want(200)
		if r.get("token") != nil || r.text("user.name") != "Alice" || r.text("user.email") != alice || r.get("user.emailVerified") != false || r.get("accessToken") != nil {
			t.Errorf("registered: %s", r.body)
		}
		c.login(alice).fails(403, core.ClassEmailNotVerified)
		link, ok := c.take(alice, "verify-email")
		if !ok {
			t.Fatal("no mail")
		}
		if to := c.follow(link).want(302).header.Get("Location"); to != "https://app.mana.example/welcome" {
			t.Errorf("the link leads to %q", to)
		}
		c.post(a+"/resend-verification", m{"email": "nobody@example.com"}).want(200)

		// Login: tokens, and the cookie beside them.
		c.post(a+"/login", m{"email": alice, "password": "wrong password"}).fails(401, core.ClassInvalidCredentials)
		r = c.keep(c.login(alice).want(200))
		if r.get("redirect") != false || r.text("user.email") != alice || r.text("token") == "" || len(c.cookies) == 0 {
			t.Errorf("login: %s, cookies %v", r.body, c.cookies)
		}
		cl := claims(t, c.access)
		if cl["email"] != alice || cl["role"] != "user" || cl["tier"] != "public" || cl["aud"] != "mana" || cl["iss"] != plugintest.BaseURL ||
			cl["sub"] != r.text("user.id") || cl["sid"] == nil || cl["exp"].(float64)-cl["iat"].(float64) != 900 || len(cl) != 9 {
			t.Errorf("claims %v", cl)
		}
		if v := c.post(a+"/validate", m{"token": c.access}).want(200); v.get("valid") != true || v.text("payload.sub") != r.text("user.id") {
			t.Errorf("validate: %s", v.body)
		}
		if v := c.post(a+"/validate", m{"token": c.access + "x"}).want(200); string(v.body) != `{"valid":false}` {
			t.Errorf("validate: %s", v.body)
		}
		if k := c.get(a + "/jwks").want(200); k.text("keys.0.alg") != "EdDSA" {
			t.Errorf("jwks: %s", k.body)
		}

		// From here on without cookies, as the client does it.
		c.plain = true
		for _, path := range []string{"/session", "/profile"} {
			if s := c.get(a + path).want(200); s.text("user.email") != alice || strings.Contains(string(s.body), r.text("token")) {
				t.Errorf("%s: %s", path, s.body)
			}
		}
		c.post(a+"/profile", m{"name": "Alice L."}).want(200)
		if p := c.do("PATCH", me+"/profile", m{"name": "  Ada ", "image": "https://example.com/a.png", "feedbackShowRealName": true}).want(200); string(p.body) != `{"name":"Ada","image":"https://example.com/a.png","feedbackShowRealName":true}` {
			t.Errorf("profile: %s", p.body)
		}
		c.do("PATCH", me+"/profile", m{"name": strings.Repeat("x", 81)}).fails(400, core.ClassValidation)
		c.do("PATCH", me+"/profile", m{"name": "  "}).fails(400, core.ClassValidation)
		if r := c.post(a+"/change-email", m{"newEmail": "ada@example.com"}).want(200); r.get("success") != true || r.text("message") == "" {
			t.Errorf("change-email: %s", r.body)
		}
		c.post(a+"/change-email", m{}).fails(400, core.ClassValidation)

		// Refresh: by the token alone; the cookie of the session works as well.
		first := c.refresh
		h.Clock.Advance(16 * time.Minute)
		c.get(a+"/sessions").fails(401, core.ClassUnauthorized)
		c.access = ""
		c.keep(c.post(a+"/refresh", m{"refreshToken": c.refresh}).want(200))
		if c.refresh == first {
			t.Error("the refresh token was not rotated")
		}
		c.plain, c.access = false, ""
		c.post(a+"/refresh", m{}).want(200)
		sso := c.post(a+"/session-to-token", nil).want(200)
		if sso.text("accessToken") == "" || sso.text("refreshToken") == c.refresh {
			t.Errorf("session-to-token: %s", sso.body)
		}
		c.plain, c.access = true, sso.text("accessToken")

		// Sessions and events.
		other := newOld(t, h, url)
		other.plain = true
		other.keep(other.login(alice).want(200))
		list := other.get(a + "/sessions").want(200)
		// One of the link, one of each login.
		if list.get("3") != nil || strings.Count(string(list.body), `"current":true`) != 1 || strings.Contains(string(list.body), "token") {
			t.Errorf("sessions: %s", list.body)
		}
		mine := claims(t, c.access)["sid"].(string)
		other.do("DELETE", a+"/sessions/"+claims(t, other.access)["sid"].(string)+"x", nil).want(200) // unknown: nothing happens
		other.get(a + "/sessions").want(200)
		c.do("DELETE", a+"/sessions/"+claims(t, other.access)["sid"].(string), nil).want(200)
		other.get(a+"/sessions").fails(401, core.ClassUnauthorized)
		other.post(a+"/refresh", m{"refreshToken": other.refresh}).fails(401, core.ClassTokenExpired)
		if other.post(a+"/validate", m{"token": other.access}).want(200).get("valid") != false {
			t.Error("a token of a session that was ended is valid")
		}
		c.get(a + "/session").want(200)
		events := c.get(a + "/security-events?limit=3").want(200)
		if events.get("2") == nil || events.get("3") != nil || events.text("0.createdAt") == "" {
			t.Errorf("events: %s", events.body)
		}
		if all := string(c.get(a + "/security-events?limit=1000").want(200).body); !strings.Contains(all, `"eventType":"LOGIN_SUCCESS"`) || !strings.Contains(all, `"eventType":"REGISTER"`) ||
			!strings.Contains(all, `"eventType":"PROFILE_UPDATED"`) || !strings.Contains(all, `"eventType":"EMAIL_CHANGE_REQUESTED"`) {
			t.Errorf("events: %s", all)
		}

		// Passwords.
		c.post(a+"/change-password", m{"currentPassword": "wrong password", "newPassword": "another good one"}).fails(401, core.ClassInvalidCredentials)
		c.post(a+"/change-password", m{"currentPassword": pass, "newPassword": "short"}).fails(400, core.ClassWeakPassword)
		if r := c.post(a+"/change-password", m{"currentPassword": pass, "newPassword": pass + "!"}).want(200); string(r.body) != `{"success":true}` {
			t.Errorf("change-password: %s", r.body)
		}
		if r := c.post(a+"/forgot-password", m{"email": alice, "redirectTo": "https://app.mana.example/reset"}).want(200); string(r.body) != `{"success":true}` {
			t.Errorf("forgot-password: %s", r.body)
		}
		link, ok = c.take(alice, "reset-password")
		if !ok {
			t.Fatal("no mail")
		}
		to := c.follow(link).want(302).header.Get("Location")
		page, token, _ := strings.Cut(to, "?token=")
		if page != "https://app.mana.example/reset" {
			t.Errorf("the link leads to %q", to)
		}
		c.post(a+"/reset-password", m{"token": token + "x", "newPassword": pass}).fails(400, core.ClassTokenInvalid)
		if r := c.post(a+"/reset-password", m{"token": token, "newPassword": pass}).want(200); string(r.body) != `{"success":true}` {
			t.Errorf("reset-password: %s", r.body)
		}
		// A reset ends all sessions.
		c.get(a+"/sessions").fails(401, core.ClassUnauthorized)
		if mine == "" {
			t.Error("no session id")
		}

		// Logout by the refresh token alone.
		c.cookies = map[string]string{}
		c.access = ""
		c.keep(c.login(alice).want(200))
		bare := newOld(t, h, url)
		bare.plain = true
		bare.post(a+"/logout", m{"refreshToken": c.refresh}).want(200)
		c.get(a+"/sessions").fails(401, core.ClassUnauthorized)
		bare.post(a+"/refresh", m{"refreshToken": c.refresh}).fails(401, core.ClassTokenExpired)
	})
}

// TestPasskeys: the seven endpoints.
func TestPasskeys(t *testing.T) {
	both(t, setup{}, func(t *testing.T, h *plugintest.Harness, url string) {
		c := newOld(t, h, url).signUp("alice@example.com")
		if r := c.get(a + "/passkeys/capability").want(200); string(r.body) != `{"enabled":true,"conditionalUIAvailable":true,"rpId":"auth.example.com"}` {
			t.Errorf("capability: %s", r.body)
		}
		k := newAuthenticator(t)
		options := c.post(a+"/passkeys/register/options", m{}).want(200)
		created := c.post(a+"/passkeys/register/verify", m{"response": k.register(options.text("challenge")), "friendlyName": "Phone"}).want(200)
		if created.text("name") != "Phone" {
			t.Errorf("registered: %s", created.body)
		}
		id := created.text("id")
		if r := c.get(a + "/passkeys").want(200); r.text("0.id") != id {
			t.Errorf("list: %s", r.body)
		}
		if r := c.do("PATCH", a+"/passkeys/"+id, m{"friendlyName": "Key"}).want(200); r.text("passkey.name") != "Key" {
			t.Errorf("renamed: %s", r.body)
		}

		if r := c.get(me + "/data/export").want(200); r.text("details.passkeys.0.friendlyName") != "Key" {
			t.Errorf("export: %s", r.body)
		}

		in := newOld(t, h, url)
		ch := in.post(a+"/passkeys/authenticate/options", m{}).want(200).text("challenge")
		r := in.keep(in.post(a+"/passkeys/authenticate/verify", m{"response": k.assert(ch)}).want(200))
		if r.text("session.id") != claims(t, in.access)["sid"] {
			t.Errorf("signed in: %s", r.body)
		}
		in.cookies = map[string]string{}
		in.get(a + "/passkeys").want(200)
		// Without "response" around it, as an early client sends it.
		ch = in.post(a+"/passkeys/authenticate/options", m{}).want(200).text("challenge")
		in.post(a+"/passkeys/authenticate/verify", k.assert(ch)).want(200)

		// What proves nothing.
		stranger := newOld(t, h, url)
		ch = stranger.post(a+"/passkeys/authenticate/options", m{}).want(200).text("challenge")
		stranger.post(a+"/passkeys/authenticate/verify", m{"response": newAuthenticator(t).assert(ch)}).fails(401, core.ClassPasskeyFailed)
		ch = stranger.post(a+"/passkeys/authenticate/options", m{}).want(200).text("challenge")
		forged := &authenticator{k.id, newAuthenticator(t).key}
		stranger.post(a+"/passkeys/authenticate/verify", m{"response": forged.assert(ch)}).fails(401, core.ClassPasskeyFailed)
		stranger.post(a+"/passkeys/authenticate/verify", `{`).fails(400, core.ClassValidation)

		c.do("DELETE", a+"/passkeys/unknown", nil).fails(404, core.ClassNotFound)
		if r := c.do("DELETE", a+"/passkeys/"+id, nil).want(200); string(r.body) != `{"status":true}` {
			t.Errorf("deleted: %s", r.body)
		}
		all := string(c.get(a + "/security-events").want(200).body)
		for _, e := range []string{"PASSKEY_REGISTERED", "PASSKEY_DELETED"} {
			if !strings.Contains(all, `"eventType":"`+e+`"`) {
				t.Errorf("no %s in %s", e, all)
			}
		}
		if n := strings.Count(all, `"eventType":"PASSKEY_LOGIN_SUCCESS"`); n != 2 {
			t.Errorf("%d sign-ins by passkey, want 2 in %s", n, all)
		}
	})
}

// TestTwoFactor: a challenge passes the facade, and ends in tokens.
func TestTwoFactor(t *testing.T) {
	both(t, setup{}, func(t *testing.T, h *plugintest.Harness, url string) {
		c := newOld(t, h, url).signUp("alice@example.com")
		enabled := c.post("/api/auth/two-factor/enable", m{"password": pass}).want(200)
		secret := enabled.text("totpURI")
		_, secret, _ = strings.Cut(secret, "secret=")
		secret, _, _ = strings.Cut(secret, "&")
		code := func() string {
			s, err := totp.GenerateCode(secret, h.Clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		c.post("/api/auth/two-factor/verify-totp", m{"code": code()}).want(200)

		h.Clock.Advance(time.Minute)
		in := newOld(t, h, url)
		r := in.login("alice@example.com").want(200)
		if r.get("twoFactorRedirect") != true || r.get("accessToken") != nil || r.get("token") != nil {
			t.Errorf("challenge: %s", r.body)
		}
		in.post(a+"/session-to-token", nil).fails(401, core.ClassUnauthorized)
		wrong := "000000"
		for _, near := range []time.Duration{-30 * time.Second, 0, 30 * time.Second} {
			if s, err := totp.GenerateCode(secret, h.Clock.Now().Add(near)); err != nil || s == wrong {
				wrong = "111111"
			}
		}
		in.post("/api/auth/two-factor/verify-totp", m{"code": wrong}).want(401)
		verified := in.post("/api/auth/two-factor/verify-totp", m{"code": code()}).want(200)
		in.keep(in.post(a+"/session-to-token", nil).want(200))
		in.plain = true
		if s := in.get(a + "/session").want(200); s.text("user.email") != "alice@example.com" || in.get(me+"/data").want(200).get("auth.has2FA") != true {
			t.Errorf("session: %s", s.body)
		}
		// Without cookies, the token of the session itself gives tokens.
		app := newOld(t, h, url)
		app.plain, app.access = true, verified.text("token")
		app.post(a+"/session-to-token", nil).want(200)
	})
}

// TestMe: what is kept, as numbers and as a file, and its end.
func TestMe(t *testing.T) {
	both(t, setup{}, func(t *testing.T, h *plugintest.Harness, url string) {
		c := newOld(t, h, url).signUp("alice@example.com")
		c.plain = true
		r := c.get(me + "/data").want(200)
		if r.text("user.email") != "alice@example.com" || r.text("user.role") != "user" || r.get("auth.accountsCount") != 1.0 || r.get("auth.has2FA") != false ||
			r.text("auth.lastLoginAt") == "" || r.get("credits.balance") != 0.0 || r.get("projects.0") == nil || r.get("totals.totalEntities") == 0.0 {
			t.Errorf("data: %s", r.body)
		}
		r = c.get(me + "/data/export").want(200)
		if name := r.header.Get("Content-Disposition"); name != `attachment; filename="meine-daten-`+h.Clock.Now().Format("2006-01-02")+`.json"` {
			t.Errorf("attachment %q", name)
		}
		if r.text("exportVersion") != "2.0" || r.text("data.user.email") != "alice@example.com" || r.get("details.sessions.0") == nil || r.get("details.apiKeys") == nil ||
			r.get("details.passkeys") == nil || r.get("details.securityEvents.0") == nil {
			t.Errorf("export: %s", r.body)
		}
		for _, secret := range []string{c.refresh, strings.Split(c.refresh, ".")[1], c.access} {
			if strings.Contains(string(r.body), secret) {
				t.Error("the export holds a token")
			}
		}

		c.do("DELETE", me+"/data", nil).fails(400, core.ClassValidation)
		c.do("DELETE", me+"/data", m{"password": "wrong password"}).fails(401, core.ClassInvalidCredentials)
		if h.Count("user") != 1 {
			t.Fatal("the user is gone")
		}
		report := c.do("DELETE", me+"/data", m{"password": pass}).want(200)
		if report.get("success") != true || report.get("deletedFromAuth.user") != true || report.get("deletedFromAuth.accounts") != 1.0 || report.get("totalDeleted").(float64) < 3 {
			t.Errorf("report: %s", report.body)
		}
		for _, table := range []string{"user", "account", "session", "v1Refresh"} {
			if n := h.Count(table); n != 0 {
				t.Errorf("%d rows of %s are left", n, table)
			}
		}
		if _, ok := c.take("alice@example.com", "account-erased"); !ok {
			t.Error("no mail")
		}
		c.get(me+"/data").fails(401, core.ClassUnauthorized)

		bob := newOld(t, h, url).signUp("bob@example.com")
		bob.do("DELETE", a+"/account", m{}).fails(400, core.ClassValidation)
		if r := bob.do("DELETE", a+"/account", m{"password": pass}).want(200); string(r.body) != `{"success":true}` || h.Count("user") != 0 {
			t.Errorf("account: %s", r.body)
		}
	})
}

// TestOtherPlugins: what other plugins serve below /api/v1 takes access tokens too, and
// fails in its own form.
func TestOtherPlugins(t *testing.T) {
	s := setup{more: func() core.Plugin { return vault.New(vault.Options{}) }}
	h, c := start(t, s)
	if r := c.get(me + "/encryption-vault/status").want(200); r.get("vaultExists") != false {
		t.Errorf("status: %s", r.body)
	}
	if r := c.get(me + "/encryption-vault/key").want(404); r.text("code") != "VAULT_NOT_INITIALISED" {
		t.Errorf("key: %s", r.body)
	}
	c.post(a+"/logout", m{}).want(200)
	c.get(me + "/encryption-vault/status").want(401)
	if h.Count("session") != 1 {
		t.Error("the session is there")
	}
}

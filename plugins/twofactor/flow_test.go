package twofactor

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

type m = plugintest.M

// TestPending holds that a challenge is no session, by any name: no row, no cookie, no
// token, and whatever came back opens nothing (GHSA-xg6x-h9c9-2m83, GHSA-4qvm-r4pr-v3wg,
// CVE-2025-64103, CVE-2026-32246).
func TestPending(t *testing.T) {
	w := newWorld(t, Options{}, config(func(c *core.Config) { c.Session.CookieCache.Enabled = true }))
	ada := w.enrol("ada@example.com")
	before := w.Count("session")
	c := w.Client()
	a := c.Post("/sign-in/email", m{"email": ada.email, "password": password}).Want(200)
	if got, want := string(a.Body), `{"twoFactorRedirect":true,"twoFactorMethods":["totp","otp"]}`; got != want {
		t.Errorf("body %s, want %s", got, want)
	}
	if w.Count("session") != before {
		t.Error("a session was made")
	}
	for _, f := range a.Header {
		if f.Name == "Set-Cookie" && !strings.Contains(f.Value, "two_factor=") && !strings.Contains(f.Value, "=; Max-Age=0") {
			t.Errorf("sets %s", f.Value)
		}
		if strings.HasPrefix(strings.ToLower(f.Name), "set-auth") {
			t.Errorf("hands out %s", f.Name)
		}
	}
	value := c.Cookie("two_factor")
	for _, name := range []string{"session_token", "session_data", "trust_device", "dont_remember"} {
		x := w.Client()
		x.SetCookie(name, value)
		if signedIn(x) {
			t.Errorf("the challenge is a session as %s", name)
		}
		x.Post("/two-factor/disable", m{"password": password}).WantCode(401, "UNAUTHORIZED")
	}
	if signedIn(c) {
		t.Error("signed in before the second factor")
	}
	c.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(200)
	if !signedIn(c) || c.Cookie("two_factor") != "" {
		t.Error("no session behind the second factor")
	}
}

// TestNoOtherCookie puts every signed value of this server into the challenge's and the
// trusted device's cookie.
func TestNoOtherCookie(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.enrol("ada@example.com")
	c := w.challenge(ada.email)
	c.Post("/two-factor/send-otp", nil).Want(200)
	c.Post("/two-factor/verify-totp", m{"code": ada.code(0), "trustDevice": true}).Want(200)
	w.Clock.Advance(time.Minute)
	open := w.challenge(ada.email)
	open.Post("/two-factor/send-otp", nil).Want(200)
	id := strings.SplitN(open.Cookie("two_factor"), ".", 2)[0]
	sign := func(v string) string { return url.QueryEscape(w.Host.SignValue(v)) }
	// Rows of other flows that stand for the user as well.
	if err := w.Host.PutVerification(t.Context(), w.Host.DB(), "reset-password:abcdefgh", ada.UserID, time.Hour); err != nil {
		t.Fatal(err)
	}
	raw, _ := url.QueryUnescape(c.Cookie("trust_device"))
	_, device, _ := strings.Cut(raw[:strings.LastIndexByte(raw, '.')], "!")
	values := map[string]string{"a session": c.Cookie("session_token"), "a trusted device": c.Cookie("trust_device"), "a flag": sign("true"),
		"the counter": sign(attemptsPrefix + id), "the code by mail": sign(otpPrefix + id), "the first proof": sign(proofPrefix + id),
		"the user": sign(ada.UserID), "nothing": sign(""), "a prefix": sign("2fa-"), "a reset link": sign("reset-password:abcdefgh"), "a device's row": sign(device), "its row's name unsigned": id}
	for name, v := range values {
		x := w.Client()
		x.SetCookie("two_factor", v)
		x.Post("/two-factor/verify-totp", m{"code": ada.code(1)}).WantCode(401, "INVALID_TWO_FACTOR_COOKIE")
		x.Post("/two-factor/send-otp", m{}).WantCode(401, "INVALID_TWO_FACTOR_COOKIE")
		if name == "a trusted device" {
			continue
		}
		x = w.Client()
		x.SetCookie("trust_device", v)
		if a := x.Post("/sign-in/email", m{"email": ada.email, "password": password}); a.Get("twoFactorRedirect") != true {
			t.Errorf("%s is taken for a trusted device: %s", name, a.Body)
		}
	}
}

// TestEveryMethod holds that no way to sign in is left out, that a sign-in of level 2 is
// enough, and what "upstream" leaves out (CVE-2026-9091).
func TestEveryMethod(t *testing.T) {
	for _, enforce := range []string{"all", "upstream"} {
		w := newWorld(t, Options{Enforce: enforce})
		ada := w.enrol("ada@example.com")
		w.exec("UPDATE {user=} SET {user:emailVerified} = ? WHERE {user.id} = ?", true, ada.UserID)
		_, err := w.TrySignIn(ada.email) // another plugin's method
		if asked := err != nil || len(w.sessions(ada.UserID)) == 1; asked != (enforce == "all") {
			t.Errorf("%s: another method asked: %v", enforce, asked)
		}
		w.Client().Post("/sign-in/magic-link", m{"email": ada.email, "callbackURL": "/in"}).Want(200)
		token := w.Mail(ada.email, "magic-link").Token
		before := w.Count("session")
		c := w.Client()
		a := c.Get("/magic-link/verify?callbackURL=%2Fin&token=" + token)
		if enforce == "upstream" {
			if w.Count("session") != before+1 {
				t.Errorf("upstream: the magic link made no session: %s", a.Body)
			}
			continue
		}
		if w.Count("session") != before || signedIn(c) {
			t.Error("a magic link went around the second factor")
		}
		if got := string(a.Body); got != `{"twoFactorRedirect":true,"twoFactorMethods":["totp"]}` {
			t.Errorf("the mailbox proves once: %s", got)
		}
		c.Post("/two-factor/send-otp", nil).WantCode(400, "OTP_NOT_CONFIGURED")
		w.NoMail(ada.email)
		a = c.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(200)
		if !strings.HasSuffix(a.Text("url"), "/in") || !signedIn(c) {
			t.Errorf("the sign-in wanted to go to /in: %s", a.Body)
		}
		if s := w.sessions(ada.UserID); !hasProof(s, "email,otp,mfa", "2") {
			t.Errorf("sessions %v", s)
		}
	}
}

func hasProof(rows []plugintest.Row, amr, aal string) bool {
	for _, r := range rows {
		if r["amr"] == amr && r["aal"] == aal {
			return true
		}
	}
	return false
}

// TestReset is the way back in that the operator has.
func TestReset(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.enrol("ada@example.com")
	var out strings.Builder
	for _, c := range w.Auth.Commands() {
		if c.Plugin != ID || c.Name != "reset" {
			continue
		}
		for _, args := range [][]string{nil, {"nobody@example.com"}, {ada.email, "more"}} {
			if c.Run(t.Context(), w.Host, args, &out) == nil {
				t.Errorf("reset %v succeeded", args)
			}
		}
		if err := c.Run(t.Context(), w.Host, []string{"ADA@example.com"}, &out); err != nil {
			t.Fatal(err)
		}
	}
	if out.String() == "" || w.Count("twoFactor") != 0 || len(w.sessions(ada.UserID)) != 0 {
		t.Errorf("after the reset: %q, %d rows, %d sessions", out.String(), w.Count("twoFactor"), len(w.sessions(ada.UserID)))
	}
	c := w.Client()
	c.Post("/sign-in/email", m{"email": ada.email, "password": password}).Want(200)
	if !signedIn(c) {
		t.Error("still asked")
	}
}

// stepUp signs in with a proof of level 2, as a passkey with user verification does.
type stepUp struct {
	host *core.Host
	aal  int
}

type who struct {
	ID string `json:"id"`
}

var stepUpRoute = core.NewRoute[who, core.Status]("POST /test/step-up", core.Public)

func (s *stepUp) Spec() core.Spec {
	return core.Spec{ID: "test-step-up", Init: func(_ context.Context, h *core.Host) error { s.host = h; return nil },
		Endpoints: []core.Endpoint{stepUpRoute.Handle(func(ctx context.Context, c *core.Call, in who) (core.Status, error) {
			u, err := s.host.UserByID(ctx, s.host.DB(), in.ID)
			if err != nil {
				return core.Status{}, err
			}
			_, err = s.host.SignIn(ctx, nil, &core.SignIn{Call: c, User: u, Methods: []string{"hwk", "user"}, AAL: s.aal})
			return core.Status{Status: true}, err
		})}}
}

func TestLevelTwoIsEnough(t *testing.T) {
	s := &stepUp{}
	w := newWorld(t, Options{}, func(o *plugintest.Options) { o.Plugins = append(o.Plugins, s) })
	ada := w.enrol("ada@example.com")
	s.aal = 2
	c := w.Client()
	c.Post("/test/step-up", m{"id": ada.UserID}).Want(200)
	if !signedIn(c) || !hasProof(w.sessions(ada.UserID), "hwk,user", "2") {
		t.Error("a passkey with user verification was asked again")
	}
	s.aal = 1
	c = w.Client()
	if a := c.Post("/test/step-up", m{"id": ada.UserID}); a.Get("twoFactorRedirect") != true || signedIn(c) {
		t.Errorf("a passkey without it was not asked: %s", a.Body)
	}
}

// TestAnySpelling signs in with other spellings of the address (CVE-2025-55001).
func TestAnySpelling(t *testing.T) {
	w := newWorld(t, Options{})
	w.enrol("ada@example.com")
	for _, s := range []string{"ADA@example.com", "Ada@Example.Com"} {
		w.challenge(s)
	}
}

// TestProof holds that a session's level follows from what was shown (CVE-2024-45042).
func TestProof(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.enrol("ada@example.com")
	if s := w.sessions(ada.UserID); len(s) != 1 || s[0]["amr"] != "pwd,otp,mfa" || s[0]["aal"] != "2" {
		t.Errorf("after enrolling: %v", s)
	}
	c := w.challenge(ada.email)
	c.Post("/two-factor/verify-backup-code", m{"code": ada.codes[0], "trustDevice": true}).Want(200)
	if s := w.sessions(ada.UserID); !hasProof(s, "pwd,backup-code,mfa", "2") {
		t.Errorf("after a backup code: %v", s)
	}
	c.Post("/sign-out", m{}).Want(200)
	c.Post("/sign-in/email", m{"email": ada.email, "password": password}).Want(200)
	if s := w.sessions(ada.UserID); !signedIn(c) || !hasProof(s, "pwd", "1") {
		t.Errorf("from a trusted device: %v", s)
	}
	otp := w.signUp("otp@example.com")
	otp.Post("/two-factor/enable", m{"password": password, "method": "otp"}).Want(200)
	if s := w.sessions(otp.UserID); len(s) != 1 || s[0]["amr"] != "pwd" || s[0]["aal"] != "1" {
		t.Errorf("switched on without a code: %v", s)
	}
	c = w.challenge("otp@example.com")
	c.Post("/two-factor/send-otp", nil).Want(200)
	c.Post("/two-factor/verify-otp", m{"code": w.Mail("otp@example.com", "two-factor-otp").OTP}).Want(200)
	if s := w.sessions(otp.UserID); !hasProof(s, "pwd,email,mfa", "2") {
		t.Errorf("after a code by mail: %v", s)
	}
}

// TestBackupCodeConfirmsNothing: a code that was shown a moment before does not prove that
// the authenticator has the secret.
func TestBackupCodeConfirmsNothing(t *testing.T) {
	w := newWorld(t, Options{})
	c := w.signUp("ada@example.com")
	codes := c.Post("/two-factor/enable", m{"password": password}).Want(200).Get("backupCodes").([]any)
	a := c.Post("/two-factor/verify-backup-code", m{"code": codes[0]}).Want(200)
	if a.Get("user.twoFactorEnabled") == true || slices.ContainsFunc(a.Header, func(f core.Field) bool { return f.Name == "Set-Cookie" }) {
		t.Errorf("switched on by a backup code: %s", a.Body)
	}
	c.Post("/two-factor/verify-backup-code", m{"code": codes[0]}).WantCode(401, "INVALID_BACKUP_CODE")
	if c = w.Client(); c.Post("/sign-in/email", m{"email": "ada@example.com", "password": password}).Get("twoFactorRedirect") != nil {
		t.Error("asked for a second factor that nobody confirmed")
	}
}

// TestDisableSession spends a code that buys no session.
func TestDisableSession(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.enrol("ada@example.com")
	c := w.challenge(ada.email)
	before := w.Count("session")
	a := c.Post("/two-factor/verify-backup-code", m{"code": ada.codes[0], "disableSession": true}).Want(200)
	if a.Get("token") != nil || a.Text("user.email") != ada.email || w.Count("session") != before || signedIn(c) {
		t.Errorf("%s", a.Body)
	}
	c.Post("/two-factor/verify-backup-code", m{"code": ada.codes[1]}).WantCode(401, "INVALID_TWO_FACTOR_COOKIE")
	w.challenge(ada.email).Post("/two-factor/verify-backup-code", m{"code": ada.codes[0]}).WantCode(401, "INVALID_BACKUP_CODE")
	a = ada.Post("/two-factor/verify-backup-code", m{"code": ada.codes[2], "disableSession": true}).Want(200)
	if a.Text("token") == "" {
		t.Errorf("the session's own token is missing: %s", a.Body)
	}
}

// TestReplacedGoesOn: a session that is replaced stays where it began, and its fields with a
// default begin again.
func TestReplacedGoesOn(t *testing.T) {
	w := newWorld(t, Options{SkipVerificationOnEnable: true}, config(func(c *core.Config) {
		c.Session.Fields = []core.Extra{{Name: "theme", Type: "string", Default: "light"}, {Name: "note", Type: "string"}}
	}))
	c := w.signUp("ada@example.com")
	began, _ := c.Get("/get-session").Want(200).Get("session.userAgent").(string)
	c.Post("/update-session", m{"theme": "dark", "note": "kept"}).Want(200)
	c.Do(plugintest.Request{Method: "POST", Path: "/two-factor/enable", Body: m{"password": password}, Header: map[string]string{"user-agent": "Another/1.0"}}).Want(200)
	a := c.Get("/get-session").Want(200)
	if a.Get("session.userAgent") != began || a.Get("session.theme") != "light" || a.Get("session.note") != "kept" {
		t.Errorf("began in %q: %s", began, a.Body)
	}
}

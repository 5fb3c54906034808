package twofactor

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// TestOneStepOnce: a code, and one of an earlier step, is never accepted behind a later
// one, while signing in and while signed in (CVE-2026-61630).
func TestOneStepOnce(t *testing.T) {
	w := newWorld(t, Options{}, noLockout)
	ada := w.enrol("ada@example.com")
	older, now, newer := ada.code(-1), ada.code(0), ada.code(1)
	w.challenge(ada.email).Post("/two-factor/verify-totp", m{"code": now}).Want(200)
	for name, code := range map[string]string{"the same": now, "an older one": older} {
		if a := w.challenge(ada.email).Post("/two-factor/verify-totp", m{"code": code}); a.Status != 401 || a.Code() != "INVALID_CODE" {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
		ada.Post("/two-factor/verify-totp", m{"code": code}).WantCode(401, "INVALID_CODE")
	}
	ada.Post("/two-factor/verify-totp", m{"code": newer}).Want(200)
	w.challenge(ada.email).Post("/two-factor/verify-totp", m{"code": newer}).WantCode(401, "INVALID_CODE")
	w.Clock.Advance(time.Minute)
	w.challenge(ada.email).Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(200)
}

// TestSpellings: a code is n digits (CVE-2025-55000, CVE-2025-55003). Other spellings are
// wrong, are counted, and leave the code unused.
func TestSpellings(t *testing.T) {
	w := newWorld(t, Options{}, noLockout)
	ada := w.enrol("ada@example.com")
	c := w.challenge(ada.email)
	code := ada.code(0)
	for i, s := range []string{" " + code, code + " ", code[:3] + " " + code[3:], code + "\n", "\u0660" + code[1:], code[:5], "0" + code, "", "+" + code[1:], "0x" + code[2:]} {
		if i%4 == 0 {
			c = w.challenge(ada.email)
		}
		if i == 8 {
			w.exec("UPDATE {twoFactor=} SET {twoFactor:failedVerificationCount} = 0, {twoFactor:lockedUntil} = NULL")
		}
		if a := c.Post("/two-factor/verify-totp", m{"code": s}); a.Code() != "INVALID_CODE" {
			t.Errorf("%q: %d %s", s, a.Status, a.Body)
		}
	}
	if n := w.factor(ada.UserID)["failedVerificationCount"]; n != "2" {
		t.Errorf("%s failures counted since, want 2", n)
	}
	c.Post("/two-factor/verify-totp", m{"code": code}).Want(200)
}

// TestPasswordAgain: each change wants the password in the request (CVE-2026-3429).
func TestPasswordAgain(t *testing.T) {
	w := newWorld(t, Options{}, noLockout)
	ada := w.enrol("ada@example.com")
	for _, path := range []string{"/two-factor/disable", "/two-factor/get-totp-uri", "/two-factor/generate-backup-codes"} {
		ada.Post(path, m{}).WantCode(400, "VALIDATION_ERROR")
		ada.Post(path, m{"password": nil}).WantCode(400, "VALIDATION_ERROR")
		ada.Post(path, m{"password": ""}).WantCode(400, "INVALID_PASSWORD")
		ada.Post(path, m{"password": "wrong horse"}).WantCode(400, "INVALID_PASSWORD")
		ada.Post(path, m{"password": strings.Repeat("x", 129)}).WantCode(400, "PASSWORD_TOO_LONG")
		w.Client().Post(path, m{"password": password}).WantCode(401, "UNAUTHORIZED")
		w.challenge(ada.email).Post(path, m{"password": password}).WantCode(401, "UNAUTHORIZED")
	}
	if w.factor(ada.UserID)["verified"] != "true" {
		t.Error("something was changed")
	}
}

// TestPasswordless: who has no password shows a fresh session, where that is allowed.
func TestPasswordless(t *testing.T) {
	w := newWorld(t, Options{}, noLockout)
	c := w.SignUp("kit@example.com")
	c.Post("/two-factor/enable", m{"password": password}).WantCode(400, "INVALID_PASSWORD")
	w = newWorld(t, Options{AllowPasswordless: true}, noLockout)
	c = w.SignUp("kit@example.com")
	k := &member{Client: c, w: w, email: c.Email}
	w.Clock.Advance(25 * time.Hour)
	c.Post("/two-factor/enable", m{}).WantCode(403, "SESSION_NOT_FRESH")
	k.Client = w.SignIn(c.Email)
	k.UserID = c.UserID
	k.begin()
	k.Post("/two-factor/verify-totp", m{"code": k.code(0)}).Want(200)
	k.Post("/two-factor/get-totp-uri", m{}).Want(200)
	k.Post("/two-factor/generate-backup-codes", m{}).Want(200)
	w.Clock.Advance(25 * time.Hour)
	for _, path := range []string{"/two-factor/get-totp-uri", "/two-factor/generate-backup-codes", "/two-factor/disable"} {
		k.Post(path, m{}).WantCode(403, "SESSION_NOT_FRESH")
	}
	ada := w.signUp("ada@example.com") // who has one is asked for it
	ada.Post("/two-factor/enable", m{}).WantCode(400, "INVALID_PASSWORD")
	ada.Post("/two-factor/enable", m{"password": "wrong horse"}).WantCode(400, "INVALID_PASSWORD")
	ada.Post("/two-factor/enable", m{"password": password}).Want(200)
}

// TestRevoked: a session that was revoked elsewhere does nothing here, though the cookie
// cache still shows it.
func TestRevoked(t *testing.T) {
	w := newWorld(t, Options{}, config(func(c *core.Config) { c.Session.CookieCache.Enabled = true }))
	ada := w.enrol("ada@example.com")
	if err := w.Host.RevokeSessions(t.Context(), nil, ada.UserID, ""); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/two-factor/get-totp-uri", "/two-factor/generate-backup-codes", "/two-factor/enable", "/two-factor/disable"} {
		ada.Copy().Post(path, m{"password": password}).WantCode(401, "UNAUTHORIZED")
	}
	ada.Copy().Post("/two-factor/verify-totp", m{"code": ada.code(0)}).WantCode(401, "INVALID_TWO_FACTOR_COOKIE")
	ada.Copy().Post("/two-factor/send-otp", nil).WantCode(401, "INVALID_TWO_FACTOR_COOKIE")
}

// TestTrustedDevice: whose it is, how long, and what ends it.
func TestTrustedDevice(t *testing.T) {
	w := newWorld(t, Options{TrustDeviceMaxAge: 3600}, noLockout)
	ada, bob := w.enrol("ada@example.com"), w.enrol("bob@example.com")
	trust := func() *plugintest.Client {
		c := w.challenge(ada.email)
		c.Post("/two-factor/verify-totp", m{"code": ada.code(0), "trustDevice": true}).Want(200)
		w.Clock.Advance(time.Minute)
		return c
	}
	asked := func(c *plugintest.Client, email string) bool {
		return c.Post("/sign-in/email", m{"email": email, "password": password}).Want(200).Get("twoFactorRedirect") == true
	}
	c := trust()
	stolen := c.Copy()
	if asked(c.Copy(), bob.email) == false {
		t.Error("one user's device is trusted for another")
	}
	if asked(c, ada.email) {
		t.Fatal("a trusted device is asked")
	}
	if stolen.Cookie("trust_device") == c.Cookie("trust_device") || !asked(stolen, ada.email) {
		t.Error("the cookie is not replaced with each use")
	}
	if stolen.Cookie("trust_device") != "" {
		t.Error("a cookie that is no good stays")
	}
	forged := w.Client()
	raw, _ := url.QueryUnescape(c.Cookie("trust_device"))
	value := raw[:strings.LastIndexByte(raw, '.')]
	_, id, _ := strings.Cut(value, "!")
	forged.SetCookie("trust_device", url.QueryEscape(w.Host.SignValue(w.Host.SecretMAC(bob.UserID+"!"+id)+"!"+id)))
	if !asked(forged.Copy(), bob.email) {
		t.Error("the row of one user's device served another")
	}
	forged.SetCookie("trust_device", url.QueryEscape(w.Host.SignValue(strings.Repeat("A", 43)+"!"+id)))
	if !asked(forged.Copy(), ada.email) {
		t.Error("the name of a row was enough")
	}
	w.Clock.Advance(time.Hour)
	if !asked(c, ada.email) {
		t.Error("trusted beyond its time")
	}
	c = trust()
	ada.Post("/change-password", m{"currentPassword": password, "newPassword": password, "revokeOtherSessions": false}).Want(200)
	if !asked(c, ada.email) {
		t.Error("trusted beyond a new password")
	}
	c, pending := trust(), w.challenge(ada.email)
	ada.Post("/two-factor/disable", m{"password": password}).Want(200)
	pending.Post("/two-factor/verify-backup-code", m{"code": ada.codes[0]}).WantCode(401, "INVALID_TWO_FACTOR_COOKIE")
	ada.begin()
	ada.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(200)
	w.Clock.Advance(time.Minute)
	pending.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).WantCode(401, "INVALID_TWO_FACTOR_COOKIE")
	if !asked(c, ada.email) {
		t.Error("trusted beyond the factor that made it so")
	}
}

// TestSwitchedOffElsewhere: a challenge ends with the switch, whoever turned it.
func TestSwitchedOffElsewhere(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.enrol("ada@example.com")
	c := w.challenge(ada.email)
	w.exec("UPDATE {user=} SET {user:twoFactorEnabled} = ? WHERE {user.id} = ?", false, ada.UserID)
	c.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).WantCode(401, "INVALID_TWO_FACTOR_COOKIE")
	c.Post("/two-factor/send-otp", nil).WantCode(401, "INVALID_TWO_FACTOR_COOKIE")
}

// TestBan: the gate's other rules hold behind the second factor as before it.
func TestBan(t *testing.T) {
	banned := false
	hook := core.SignInPoint.Before(func(_ context.Context, e *core.SignInEvent) error {
		if banned && e.AAL == 2 {
			return core.ErrBanned
		}
		return nil
	})
	w := newWorld(t, Options{}, config(func(c *core.Config) { c.Hooks = []core.Hook{hook} }))
	ada := w.enrol("ada@example.com")
	c := w.challenge(ada.email)
	banned = true
	before := w.Count("session")
	c.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).WantCode(403, "BANNED_USER")
	c.Post("/two-factor/verify-backup-code", m{"code": ada.codes[0]}).WantCode(403, "BANNED_USER")
	if w.Count("session") != before || signedIn(c) {
		t.Error("a session in spite of the ban")
	}
	banned = false
	c.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(200) // nothing was used up
}

// TestFailuresOfOurs: what the server cannot read or store counts against nobody.
func TestFailuresOfOurs(t *testing.T) {
	fail := false
	boom := &storage.Error{Kind: storage.Unavailable, Err: errors.New("the disk is gone")}
	hook := core.SessionCreate.After(func(context.Context, *core.SessionEvent) error {
		if fail {
			return boom
		}
		return nil
	})
	w := newWorld(t, Options{}, config(func(c *core.Config) { c.Hooks = []core.Hook{hook} }))
	ada := w.enrol("ada@example.com")
	c := w.challenge(ada.email)
	fail = true
	for range 12 {
		c.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(503)
		c.Post("/two-factor/verify-backup-code", m{"code": ada.codes[0]}).Want(503)
	}
	fail = false
	secret := w.factor(ada.UserID)["secret"]
	w.exec("UPDATE {twoFactor=} SET {twoFactor:secret} = ?", "00")
	for range 12 {
		c.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(500)
	}
	w.exec("UPDATE {twoFactor=} SET {twoFactor:secret} = ?", secret)
	if f := w.factor(ada.UserID); f["failedVerificationCount"] != "0" || f["lockedUntil"] != "" {
		t.Errorf("counted: %v", f)
	}
	c.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(200)
}

// TestNothingInLogs looks for everything secret that was about.
func TestNothingInLogs(t *testing.T) {
	w := newWorld(t, Options{}, noLockout)
	ada := w.enrol("ada@example.com")
	c := w.challenge(ada.email)
	c.Post("/two-factor/send-otp", nil).Want(200)
	secrets := append([]string{ada.code(0), w.Mail(ada.email, "two-factor-otp").OTP, noPadding.EncodeToString(ada.key), string(ada.key), password}, ada.codes...)
	c.Post("/two-factor/verify-totp", m{"code": ada.wrongCode()}).Want(401)
	c.Post("/two-factor/verify-otp", m{"code": ada.wrongCode()}).Want(401)
	c.Post("/two-factor/verify-backup-code", m{"code": "AAAAA-AAAAA"}).Want(401)
	stored := w.factor(ada.UserID)["backupCodes"]
	w.exec("UPDATE {twoFactor=} SET {twoFactor:backupCodes} = ?", `["`+ada.codes[0])
	c.Post("/two-factor/verify-backup-code", m{"code": ada.codes[0]}).Want(500)
	w.exec("UPDATE {twoFactor=} SET {twoFactor:backupCodes} = ?", stored)
	c.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(200)
	logs := w.Logs.String()
	for _, s := range append(secrets, ada.wrongCode(), "AAAAA-AAAAA") {
		if strings.Contains(logs, s) {
			t.Errorf("%q is in the log", s)
		}
	}
	if !strings.Contains(logs, "INVALID_CODE") {
		t.Error("no log at all")
	}
}

// TestStoredEncrypted looks into the rows.
func TestStoredEncrypted(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.enrol("ada@example.com")
	f := w.factor(ada.UserID)
	for _, s := range append([]string{string(ada.key), noPadding.EncodeToString(ada.key)}, ada.codes...) {
		if strings.Contains(f["secret"]+f["backupCodes"], s) {
			t.Error("stored as it is")
		}
	}
	plain, err := w.Host.Decrypt(f["secret"])
	if err != nil || string(plain) != string(ada.key) {
		t.Errorf("not in Better Auth's form: %v", err)
	}
}

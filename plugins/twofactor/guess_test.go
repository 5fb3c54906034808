package twofactor

import (
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/plugintest"
)

// TestChallengeAttempts: five wrong codes, TOTP and backup together; the sixth is not
// read, and ends the challenge. Another challenge is not touched.
func TestChallengeAttempts(t *testing.T) {
	w := newWorld(t, Options{}, noLockout)
	ada := w.enrol("ada@example.com")
	other := w.challenge(ada.email)
	c := w.challenge(ada.email)
	for i := range 5 {
		if i%2 == 0 {
			c.Post("/two-factor/verify-totp", m{"code": ada.wrongCode()}).WantCode(401, "INVALID_CODE")
		} else {
			c.Post("/two-factor/verify-backup-code", m{"code": "AAAAA-AAAAA"}).WantCode(401, "INVALID_BACKUP_CODE")
		}
	}
	held := c.Copy()
	c.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).WantCode(400, "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE")
	if c.Cookie("two_factor") != "" {
		t.Error("the cookie stays")
	}
	held.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).WantCode(401, "INVALID_TWO_FACTOR_COOKIE")
	held.Post("/two-factor/send-otp", nil).WantCode(401, "INVALID_TWO_FACTOR_COOKIE")
	other.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(200)
}

// TestAccountLockout counts wrong codes in a row over challenges and factors.
func TestAccountLockout(t *testing.T) {
	w := newWorld(t, Options{Lockout: LockoutOptions{MaxFailedAttempts: 6, Duration: 60}}, noLockout)
	ada := w.enrol("ada@example.com")
	fail := func(n int) {
		for range n {
			c := w.challenge(ada.email)
			c.Post("/two-factor/verify-totp", m{"code": ada.wrongCode()}).WantCode(401, "INVALID_CODE")
			c.Post("/two-factor/send-otp", nil).Want(200)
			c.Post("/two-factor/verify-otp", m{"code": "x"}).WantCode(401, "INVALID_CODE")
			c.Post("/two-factor/verify-backup-code", m{"code": "x"}).WantCode(401, "INVALID_BACKUP_CODE")
		}
	}
	fail(1)
	w.challenge(ada.email).Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(200)
	w.Clock.Advance(time.Minute)
	fail(2) // six in a row now, not nine
	c := w.challenge(ada.email)
	for path, code := range map[string]string{"verify-totp": ada.code(0), "verify-backup-code": ada.codes[0], "verify-otp": "123456"} {
		a := c.Post("/two-factor/"+path, m{"code": code}).WantCode(429, "ACCOUNT_TEMPORARILY_LOCKED")
		if a.Value("Retry-After") != "61" {
			t.Errorf("Retry-After %q", a.Value("Retry-After"))
		}
	}
	ada.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(200) // not while signed in
	w.Clock.Advance(61 * time.Second)
	c.Post("/two-factor/verify-totp", m{"code": ada.wrongCode()}).WantCode(401, "INVALID_CODE")
	if f := w.factor(ada.UserID); f["failedVerificationCount"] != "1" || f["lockedUntil"] != "" {
		t.Errorf("a lock that is over still counts: %s, %s", f["failedVerificationCount"], f["lockedUntil"])
	}
	c.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(200)
	if f := w.factor(ada.UserID); f["failedVerificationCount"] != "0" {
		t.Errorf("after a right code: %v", f["failedVerificationCount"])
	}
}

// TestNullCounter counts for a row of Better Auth's that has no counter yet.
func TestNullCounter(t *testing.T) {
	w := newWorld(t, Options{Lockout: LockoutOptions{MaxFailedAttempts: 2}}, noLockout)
	ada := w.enrol("ada@example.com")
	w.exec("UPDATE {twoFactor=} SET {twoFactor:failedVerificationCount} = NULL, {twoFactor:verified} = NULL, {twoFactor:lastStep} = NULL")
	c := w.challenge(ada.email)
	c.Post("/two-factor/verify-totp", m{"code": ada.wrongCode()}).Want(401)
	c.Post("/two-factor/verify-totp", m{"code": ada.wrongCode()}).Want(401)
	c.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).WantCode(429, "ACCOUNT_TEMPORARILY_LOCKED")
	w.Clock.Advance(15*time.Minute + time.Second)
	c = w.challenge(ada.email)
	c.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(200)
	if f := w.factor(ada.UserID); f["verified"] != "true" {
		t.Errorf("verified is %q", f["verified"])
	}
}

// TestJointAttempts: core counts TOTP, mail and backup codes together, over challenges,
// by default, and while signed in (CVE-2024-32868, CVE-2025-64102).
func TestJointAttempts(t *testing.T) {
	w := newWorld(t, Options{Lockout: LockoutOptions{MaxFailedAttempts: 1000}})
	ada := w.enrol("ada@example.com")
	ada.SetCookie("device", "") // a known device has attempts of its own
	c := w.challenge(ada.email)
	c.Post("/two-factor/send-otp", nil).Want(200)
	right := w.Mail(ada.email, "two-factor-otp").OTP
	c.Post("/two-factor/verify-totp", m{"code": ada.wrongCode()}).WantCode(401, "INVALID_CODE")
	c.Post("/two-factor/verify-otp", m{"code": "x"}).WantCode(401, "INVALID_CODE")
	c.Post("/two-factor/verify-backup-code", m{"code": "x"}).WantCode(401, "INVALID_BACKUP_CODE")
	w.challenge(ada.email).Post("/two-factor/verify-totp", m{"code": ada.wrongCode()}).WantCode(401, "INVALID_CODE")
	ada.Post("/two-factor/verify-totp", m{"code": ada.wrongCode()}).WantCode(401, "INVALID_CODE")
	for _, x := range []*plugintest.Client{c, w.challenge(ada.email), ada.Client} {
		x.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).WantCode(429, "ACCOUNT_LOCKED")
		x.Post("/two-factor/verify-backup-code", m{"code": ada.codes[0]}).WantCode(429, "ACCOUNT_LOCKED")
	}
	c.Post("/two-factor/verify-otp", m{"code": right}).WantCode(429, "ACCOUNT_LOCKED")
	// The password is another counter, and another user another subject.
	w.challenge(ada.email)
	bob := w.enrol("bob@example.com")
	w.challenge(bob.email).Post("/two-factor/verify-totp", m{"code": bob.code(0)}).Want(200)
	w.Clock.Advance(31 * time.Minute)
	w.challenge(ada.email).Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(200)
}

// TestUnlock: an operator lifts both locks on codes.
func TestUnlock(t *testing.T) {
	for name, options := range map[string]Options{"core's": {Lockout: LockoutOptions{MaxFailedAttempts: 1000}}, "the factor's": {Lockout: LockoutOptions{MaxFailedAttempts: 5}}} {
		w := newWorld(t, options)
		ada := w.enrol("ada@example.com")
		c := w.challenge(ada.email)
		for range 5 {
			c.Post("/two-factor/verify-totp", m{"code": ada.wrongCode()}).WantCode(401, "INVALID_CODE")
		}
		if a := w.challenge(ada.email).Post("/two-factor/verify-totp", m{"code": ada.code(0)}); a.Status != 429 {
			t.Fatalf("%s: not locked: %d %s", name, a.Status, a.Body)
		}
		if err := w.Host.Unlock(t.Context(), nil, ada.UserID); err != nil {
			t.Fatal(err)
		}
		w.challenge(ada.email).Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(200)
	}
}

// TestEnrolmentGuesses counts while enrolling too.
func TestEnrolmentGuesses(t *testing.T) {
	w := newWorld(t, Options{})
	ada := &member{Client: w.signUp("ada@example.com"), w: w, email: "ada@example.com"}
	ada.begin()
	ada.SetCookie("device", "")
	for range 5 {
		ada.Post("/two-factor/verify-totp", m{"code": ada.wrongCode()}).WantCode(401, "INVALID_CODE")
	}
	ada.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).WantCode(429, "ACCOUNT_LOCKED")
	bob := w.signUp("bob@example.com")
	bob.SetCookie("device", "")
	for range 5 {
		bob.Post("/two-factor/enable", m{"password": "wrong horse"}).WantCode(400, "INVALID_PASSWORD")
	}
	bob.Post("/two-factor/enable", m{"password": password}).WantCode(429, "ACCOUNT_LOCKED")
	if w.Count("twoFactor") != 1 {
		t.Error("enrolled while locked")
	}
}

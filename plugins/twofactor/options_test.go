package twofactor

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// TestEnrolment: nothing is asked before a code was right; a second secret takes the
// place of the first; a confirmed one stays.
func TestEnrolment(t *testing.T) {
	w := newWorld(t, Options{}, noLockout)
	ada := &member{Client: w.signUp("ada@example.com"), w: w, email: "ada@example.com"}
	ada.Post("/two-factor/enable", m{}).WantCode(400, "VALIDATION_ERROR")
	ada.Post("/two-factor/enable", m{"password": ""}).WantCode(400, "INVALID_PASSWORD")
	ada.Post("/two-factor/enable", m{"password": "wrong horse"}).WantCode(400, "INVALID_PASSWORD")
	ada.begin()
	first := ada.code(0)
	if signedInNow := w.Client(); true {
		signedInNow.Post("/sign-in/email", m{"email": ada.email, "password": password}).Want(200)
		if !signedIn(signedInNow) {
			t.Error("asked before a code was right")
		}
	}
	ada.begin()
	if n := w.Count("twoFactor"); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
	ada.Post("/two-factor/verify-totp", m{"code": first}).WantCode(401, "INVALID_CODE")
	old := ada.Copy()
	a := ada.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(200)
	if signedIn(old) || !signedIn(ada.Client) {
		t.Error("the session was not replaced")
	}
	if a.Text("token") == "" || a.Get("user.twoFactorEnabled") != false {
		t.Errorf("answer %s", a.Body) // the user as before, as Better Auth answers
	}
	ada.Post("/two-factor/enable", m{"password": password}).WantCode(400, "TOTP_ALREADY_ENABLED")
	w.Clock.Advance(time.Minute)
	// The codes belong to the second secret.
	w.challenge(ada.email).Post("/two-factor/verify-backup-code", m{"code": ada.codes[3]}).Want(200)
}

func TestSkipVerification(t *testing.T) {
	w := newWorld(t, Options{SkipVerificationOnEnable: true, Issuer: "Shop"})
	c, other := w.signUp("ada@example.com"), w.signUp("bob@example.com")
	old := c.Copy()
	a := c.Post("/two-factor/enable", m{"password": password, "issuer": "Mine"}).Want(200)
	if got := other.Post("/two-factor/enable", m{"password": password}).Want(200).Text("totpURI"); !strings.Contains(got, "totp/Shop:") {
		t.Errorf("uri %s", got)
	}
	if !strings.Contains(a.Text("totpURI"), "totp/Mine:ada%40example.com?") || !strings.HasSuffix(a.Text("totpURI"), "&issuer=Mine&digits=6&period=30") {
		t.Errorf("uri %s", a.Text("totpURI"))
	}
	if signedIn(old) || !signedIn(c) || !hasProof(w.sessions(c.UserID), "pwd", "1") {
		t.Error("the session was not replaced, or says more than was proved")
	}
	if got := c.Post("/two-factor/get-totp-uri", m{"password": password}).Want(200).Text("totpURI"); !strings.Contains(got, "totp/Sallyport:ada") {
		t.Errorf("uri %s", got)
	}
	w.challenge("ada@example.com")
}

// TestOptions uses every option of the codes.
func TestOptions(t *testing.T) {
	o := Options{TOTP: TOTPOptions{Digits: 8, Period: 60}, OTP: OTPOptions{Digits: 7, Period: 1, AllowedAttempts: 2},
		BackupCodes: BackupCodeOptions{Amount: 3, Length: 12, Store: "plain"}, ChallengeMaxAge: 120}
	for _, store := range []string{"plain", "hashed", "encrypted"} {
		o.OTP.Store = store
		w := newWorld(t, o, noLockout)
		ada := w.enrol("ada@example.com")
		w.Clock.Advance(time.Minute)
		if len(ada.code(0)) != 8 || len(ada.codes) != 3 || len(ada.codes[0]) != 13 || ada.codes[0][5] != '-' {
			t.Errorf("codes %v", ada.codes)
		}
		if got := w.factor(ada.UserID)["backupCodes"]; !strings.HasPrefix(got, `["`) {
			t.Errorf("backup codes are not plain: %.10s", got)
		}
		c := w.challenge(ada.email)
		c.Post("/two-factor/send-otp", nil).Want(200)
		code := w.Mail(ada.email, "two-factor-otp").OTP
		if !digitsOnly(code, 7) {
			t.Errorf("code %q", code)
		}
		for _, r := range w.Rows("verification") {
			if plain := strings.HasPrefix(r["value"], code+":"); plain && store != "plain" {
				t.Errorf("%s: stored as it is", store)
			}
		}
		wrong := "0000000"
		if code == wrong {
			wrong = "1111111"
		}
		c.Post("/two-factor/verify-otp", m{"code": wrong}).WantCode(401, "INVALID_CODE")
		again := c.Copy()
		again.Post("/two-factor/verify-otp", m{"code": code}).Want(200)
		c = w.challenge(ada.email)
		c.Post("/two-factor/send-otp", nil).Want(200)
		w.Mail(ada.email, "two-factor-otp")
		c.Post("/two-factor/verify-otp", m{"code": wrong}).Want(401)
		c.Post("/two-factor/verify-otp", m{"code": wrong}).Want(401)
		c.Post("/two-factor/verify-otp", m{"code": wrong}).WantCode(400, "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE")
		c.Post("/two-factor/verify-otp", m{"code": wrong}).WantCode(400, "OTP_HAS_EXPIRED")
		c.Post("/two-factor/send-otp", nil).Want(200)
		late := w.Mail(ada.email, "two-factor-otp").OTP
		w.Clock.Advance(time.Minute)
		c.Post("/two-factor/verify-otp", m{"code": late}).WantCode(400, "OTP_HAS_EXPIRED")
		c.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).Want(200)
		c = w.challenge(ada.email)
		w.Clock.Advance(2 * time.Minute)
		c.Post("/two-factor/verify-totp", m{"code": ada.code(0)}).WantCode(401, "INVALID_TWO_FACTOR_COOKIE")
	}
}

// TestFaults reports all that is wrong with the options at once.
func TestFaults(t *testing.T) {
	_, err := plugintest.Start(t, plugintest.Options{Plugins: []core.Plugin{New(Options{Enforce: "some", TOTP: TOTPOptions{Digits: 9, Period: 5},
		OTP: OTPOptions{Store: "rot13", Digits: 3}, BackupCodes: BackupCodeOptions{Length: 4, Amount: -1}, Lockout: LockoutOptions{MaxFailedAttempts: -1}})}})
	if err == nil {
		t.Fatal("started")
	}
	for _, want := range []string{`enforce: "some" is not one of`, "totpOptions.digits: 9", "totpOptions.period: 5", `storeOTP: "rot13"`,
		"otpOptions.digits: 3", "backupCodeOptions.length: 4", "backupCodeOptions.amount: -1", "maxFailedAttempts: -1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in %v", want, err)
		}
	}
	if _, err := plugintest.Start(t, plugintest.Options{Plugins: []core.Plugin{New(Options{TOTP: TOTPOptions{Disable: true}, OTP: OTPOptions{Disable: true}})}}); err == nil {
		t.Error("a server without any second factor started")
	}
}

// TestSwitchedOff is TOTP or mail switched off by the operator.
func TestSwitchedOff(t *testing.T) {
	w := newWorld(t, Options{TOTP: TOTPOptions{Disable: true}})
	c := w.signUp("ada@example.com")
	a := c.Post("/two-factor/enable", m{"password": password}).WantCode(400, "TOTP_NOT_CONFIGURED")
	if a.Get("message") != "TOTP is not available" {
		t.Errorf("%s", a.Body)
	}
	for _, path := range []string{"/two-factor/verify-totp", "/two-factor/get-totp-uri"} {
		if a := c.Post(path, m{"code": "123456", "password": password}).WantCode(400, "TOTP_NOT_CONFIGURED"); a.Get("message") != "totp isn't configured" {
			t.Errorf("%s", a.Body)
		}
	}
	w = newWorld(t, Options{OTP: OTPOptions{Disable: true}})
	ada := w.enrol("ada@example.com")
	ada.Post("/two-factor/enable", m{"password": password, "method": "otp"}).WantCode(400, "OTP_NOT_CONFIGURED")
	c = w.challenge(ada.email)
	c.Post("/two-factor/send-otp", nil).WantCode(400, "OTP_NOT_CONFIGURED")
	w.NoMail(ada.email)
}

// TestView gives the app's own code what is left of the codes; there is no route.
func TestView(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.enrol("ada@example.com")
	w.challenge(ada.email).Post("/two-factor/verify-backup-code", m{"code": ada.codes[4]}).Want(200)
	ada.Post("/two-factor/view-backup-codes", m{}).Want(404)
	out, err := ViewBackupCodes.Call(t.Context(), w.Auth, core.None{}, core.WithHeader(ada.Headers()))
	if err != nil || len(out.BackupCodes) != 9 || out.BackupCodes[4] != ada.codes[5] {
		t.Errorf("%v, %v", out, err)
	}
	if _, err := ViewBackupCodes.Call(t.Context(), w.Auth, core.None{}, core.WithHeader(http.Header{})); core.AsError(err) == nil || core.AsError(err).Status != 401 {
		t.Errorf("without a session: %v", err)
	}
	fresh := ada.Post("/two-factor/generate-backup-codes", m{"password": password}).Want(200).Get("backupCodes").([]any)
	w.challenge(ada.email).Post("/two-factor/verify-backup-code", m{"code": ada.codes[0]}).WantCode(401, "INVALID_BACKUP_CODE")
	w.challenge(ada.email).Post("/two-factor/verify-backup-code", m{"code": fresh[0]}).Want(200)
}

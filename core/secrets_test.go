package core_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

// CVE-2025-62513, CVE-2025-62705, CVE-2024-8365: all flows run, with everything that can
// fail failing, and the log at its most talkative is searched for every secret.
func TestNoSecretInLogs(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, config(func(c *core.Config) {
			c.Session.CookieCache.Enabled, c.User.DeleteUser.VerifyByMail = true, true
			c.User.Fields = []core.Extra{{Name: "nick", Type: "string", Unique: true}}
		}), passwords(func(o *emailpassword.Options) {}))
		secrets := map[string]string{"the configured secret": e.cfg.Secret}
		keep := func(what, s string) {
			if len(s) >= 6 {
				secrets[what+" "+s] = s
				if raw, err := url.PathUnescape(s); err == nil {
					secrets[what+" (decoded) "+s] = raw
				}
			}
		}
		jar := func(c *client) {
			for name, v := range c.jar {
				keep(name, v)
			}
			if c.jar[tokenCookie] != "" {
				keep("token", c.token())
				keep("stored token", core.HashToken(c.token()))
			}
		}
		mails := func() (out []contract.Message) {
			before := len(e.mail.all())
			for range 20 { // a job may fail, or not be read at all
				if worked, err := core.RunJob(t.Context(), e.auth); err != nil || !worked {
					break
				}
			}
			out = e.mail.all()[before:]
			for _, mail := range out {
				keep("mail token", mail.Token)
				keep("link", mail.URL)
			}
			return out
		}
		flows := func() {
			c := e.client()
			jar(c)
			c.post("/sign-up/email", m{"name": "A", "email": "a@example.com", "password": password, "nick": "sameNick"})
			jar(c)
			c.post("/sign-up/email", m{"name": "A", "email": "b@example.com", "password": "another-secret-1", "nick": "sameNick"})
			e.client().signIn("a@example.com", "wrong-secret-2")
			e.client().post("/sign-in/email", `{"email":"a@example.com","password":"unclosed-secret-3`)
			e.client().post("/sign-in/email", m{"email": "a@example.com", "password": []string{"typed-secret-4"}})
			e.client().get("/verify-email?token=query-secret-5&callbackURL=" + url.QueryEscape("https://evil.example/?t=query-secret-6"))
			e.client().get("/reset-password/path-secret-7?callbackURL=%2Fx")
			e.client().post("/reset-password", m{"newPassword": "new-secret-8", "token": "body-secret-9"})
			c.signIn("a@example.com", password)
			jar(c)
			c.post("/request-password-reset", m{"email": "a@example.com"})
			c.post("/send-verification-email", m{"email": "a@example.com"})
			c.post("/change-email", m{"newEmail": "new@example.com"})
			c.post("/delete-user", m{})
			for _, mail := range mails() {
				if mail.Template == "reset-password" {
					e.client().get("/reset-password/" + mail.Token + "?callbackURL=https%3A%2F%2Fevil.example")
				} else {
					e.client().get("/verify-email?token=" + mail.Token + "x")
				}
			}
			c.post("/change-password", m{"currentPassword": "wrong-secret-10", "newPassword": "new-secret-11"})
			c.post("/verify-password", m{"password": "wrong-secret-12"})
			c.post("/revoke-session", m{"token": "token-secret-13"})
			c.post("/update-user", m{"nick": 12, "x": "field-secret-14"})
			bad := c.clone()
			bad.jar[tokenCookie] = "forged-secret-15.AAAA"
			bad.jar[dataCookie] = "forged-secret-16"
			bad.get("/get-session")
			bad.header["Authorization"] = "Bearer forged-secret-17"
			bad.header["Origin"] = "https://evil.example"
			bad.post("/sign-out", m{})
			bad.header["X-Request-Id"] = "line one\nline two"
			bad.get("/list-accounts")
			if _, err := emailpassword.SignInEmail.Call(t.Context(), e.auth, emailpassword.SignInInput{Email: "a@example.com", Password: "wrong-secret-18"}); err == nil {
				t.Error("a wrong password")
			} else if strings.Contains(err.Error(), "wrong-secret") {
				t.Errorf("an error holds the password: %v", err)
			}
		}
		for i := range 18 {
			secrets["secret "+itoa(i+1)] = "-secret-" + itoa(i+1)
		}
		keep("password", password)
		flows()
		// Everything again while the mail server, the database, and single statements fail.
		e.mail.fail = func(contract.Message) error { return errors.New("mail server refuses") }
		flows()
		for _, part := range []string{"query", "exec", "batch", "begin", "commit", "{session", "{attempt", "{verification"} {
			e.db.fail(refusing(&storage.Error{Kind: storage.Unknown, SQLState: "XX000", Err: errors.New("driver says so")}, part))
			flows()
			e.db.fail(nil)
		}
		// And with a column too few, which the driver itself complains about.
		e.ddl(`ALTER TABLE "` + e.cfg.Names.Table("account") + `" DROP COLUMN "password"`)
		flows()
		for _, hash := range []string{core.HashToken(password)} {
			keep("hash", hash)
		}
		keep("argon2", "$argon2id$")
		logs := e.logs.text()
		if len(logs) < 10000 || !strings.Contains(logs, "XX000") || !strings.Contains(logs, "mail server refuses") {
			t.Fatalf("the log has %d bytes: the test shows nothing", len(logs))
		}
		for what, s := range secrets {
			for form, v := range map[string]string{"": s, "base64 ": base64.StdEncoding.EncodeToString([]byte(s)), "base64url ": base64.RawURLEncoding.EncodeToString([]byte(s)), "hex ": hex.EncodeToString([]byte(s))} {
				if i := strings.Index(logs, v); i >= 0 {
					t.Errorf("%s%s is in the log: ...%s...", form, what, logs[max(0, i-200):min(len(logs), i+200)])
				}
			}
		}
		// CVE-2023-6484: one line for each record, whatever was sent.
		if strings.Contains(logs, "\nline two") {
			t.Error("a header has made a line of its own")
		}
		if n := len(secrets); n < 40 {
			t.Errorf("only %d secrets were searched for", n)
		}
	})
}

// What waits in the table for a retry shows nothing either.
func TestFailedMailKeepsNoSecret(t *testing.T) {
	e := start(t)
	e.client().signUp("a@example.com")
	e.mail.fail = func(contract.Message) error { return errors.New("no") }
	e.client().must(200, "POST", "/request-password-reset", m{"email": "a@example.com"})
	e.deliver()
	for _, row := range append(e.rows("SELECT {job:payload} FROM {job}"), e.rows("SELECT {job:lastError} FROM {job}")...) {
		if strings.Contains(row, "reset") || strings.Contains(row, "a@example.com") {
			t.Errorf("%s", row)
		}
	}
	e.mail.fail = nil
	e.clock.Add(time.Minute)
	e.mailed("reset-password")
}

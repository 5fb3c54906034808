package core_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/mailtext"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// proved signs a user up, whose address is proved.
func (e *env) proved(email string) *client {
	e.t.Helper()
	c := e.client().signUp(email)
	e.exec("UPDATE {user} SET {user:emailVerified} = ?", true)
	return c
}

func (e *env) wantMails(what string, want ...string) []contract.Message {
	e.t.Helper()
	list := e.deliver()
	if got := templates(list); !slices.Equal(got, want) {
		e.t.Errorf("%s: mails %v, want %v", what, got, want)
	}
	return list
}

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 <script>evil.example\r\n"

func TestNewDeviceNotice(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		a := e.proved("a@example.com")
		e.wantMails("sign-up")
		a.signIn("a@example.com", password)
		e.wantMails("the browser of the sign-up")

		b := e.client()
		b.header["User-Agent"] = firefox
		var in answer
		if got := e.db.count(func() { in = b.signIn("a@example.com", password) }); in.Status != 200 || len(got) > 3 {
			t.Errorf("%d, %d statements: %q", in.Status, len(got), got)
		}
		list := e.wantMails("another browser", core.NoticeNewDevice)
		if len(list) == 1 {
			m, want := list[0], map[string]string{"time": "2026-03-04 05:06 UTC", "ip": "192.0.2.1", "browser": "Firefox", "system": "Linux"}
			if m.To != "a@example.com" || fmt.Sprint(m.Data) != fmt.Sprint(want) || m.URL+m.Token+m.OTP != "" || m.ExternalID == "" {
				t.Errorf("%+v", m)
			}
		}
		b.signIn("a@example.com", password)
		e.wantMails("once more")
		if a := e.client().signIn("a@example.com", wrong); a.Status != 401 {
			t.Error(a.Status)
		}
		e.wantMails("a wrong password")

		quiet := e.client() // who must not come in unheard by asking not to be remembered
		quiet.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password, "rememberMe": false})
		e.wantMails("not to be remembered", core.NoticeNewDevice)

		a.must(200, "POST", "/revoke-sessions", m{}) // which forgets all devices
		e.client().signIn("a@example.com", password)
		e.wantMails("after all sessions were ended", core.NoticeNewDevice)
		e.client().signUp("b@example.com")
		b.signIn("b@example.com", password)
		e.wantMails("an address that nobody has proved")
		for range 8 { // a client without cookies
			e.client().signIn("a@example.com", password)
		}
		if n := len(e.deliver()); n != 4 {
			t.Errorf("%d mails to one user on one day, want 4 after the one of new devices", n)
		}
		e.clock.Add(25 * time.Hour)
		e.client().signIn("a@example.com", password)
		e.wantMails("on the next day", core.NoticeNewDevice)
	})
}

// TestNewDeviceNoticeAfterRetention: an account that slept until its events were deleted is
// the one that nobody would miss.
func TestNewDeviceNoticeAfterRetention(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		month := 30 * 24 * 3600
		e := start(t, db, config(func(c *core.Config) { c.Audit.Retention = &month }))
		e.proved("a@example.com")
		e.clock.Add(31 * 24 * time.Hour)
		e.exec("DELETE FROM {securityEvent}") // as the clean-up does by then
		e.client().signIn("a@example.com", password)
		e.wantMails("another browser", core.NoticeNewDevice)
	})
}

func TestNewDeviceNoticeOff(t *testing.T) {
	for name, o := range map[string]option{
		"disabled":              config(func(c *core.Config) { c.Notices.Disabled = true }),
		"this one":              config(func(c *core.Config) { c.Notices.Except = []string{core.NoticeNewDevice} }),
		"devices are not known": config(func(c *core.Config) { c.Lockout.Disabled = true }),
		"there is no mailer":    config(func(c *core.Config) { c.Mailer = nil }),
		"a hook refuses it afterwards": hooks(core.SignInPoint.After(func(_ context.Context, e *core.SignInEvent) error {
			if e.User.EmailVerified { // not the one of the sign-up
				return core.ErrConflict
			}
			return nil
		})),
	} {
		t.Run(name, func(t *testing.T) {
			e := start(t, o)
			e.proved("a@example.com")
			e.client().signIn("a@example.com", password)
			e.wantMails(name)
			if n := e.sum("job"); n != 0 {
				t.Errorf("%d jobs wait", n)
			}
		})
	}
}

func TestLockNotice(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		a := e.proved("a@example.com")
		id := a.user()
		lock := func(most int) {
			t.Helper()
			thief := e.client()
			thief.header["User-Agent"], thief.header["Accept-Language"] = firefox, "de"
			for i := range 7 {
				var in answer
				got := e.db.count(func() { in = thief.signIn("a@example.com", wrong) })
				if want := map[bool]int{true: 401, false: 429}[i < 5]; in.Status != want || i < 5 && len(got) > most {
					t.Fatalf("guess %d: %d %s, %d statements", i, in.Status, in.Body, len(got))
				}
			}
			if err := e.auth.FlushEvents(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		lock(3)
		list := e.wantMails("locked", core.NoticeAccountLocked)
		if len(list) == 1 && (list[0].To != "a@example.com" || list[0].Language != "" || list[0].Data["browser"]+list[0].Data["ip"] != "") {
			t.Errorf("%+v", list[0]) // what is of the thief has no business there
		}
		for range 3 {
			e.clock.Add(31 * time.Minute)
			lock(3)
			e.wantMails("locked again on the same day")
		}
		e.clock.Add(24 * time.Hour)
		lock(3)
		e.wantMails("on the next day", core.NoticeAccountLocked)

		e.clock.Add(48 * time.Hour)
		e.exec("UPDATE {user} SET {user:emailVerified} = ? WHERE {user:id} = ?", false, id)
		lock(3)
		e.wantMails("an address that nobody has proved")
		for range 7 {
			e.client().signIn("nobody@example.com", wrong)
		}
		if err := e.auth.FlushEvents(t.Context()); err != nil {
			t.Fatal(err)
		}
		e.wantMails("an address that nobody has")
	})
}

func TestPasswordNotice(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		a := e.client().signUp("a@example.com")
		change := func(from, to string) {
			t.Helper()
			a.must(200, "POST", "/change-password", m{"currentPassword": from, "newPassword": to})
		}
		change(password, "another good one")
		e.wantMails("an address that nobody has proved") // or whoever signs up with it could have them mailed
		e.exec("UPDATE {user} SET {user:emailVerified} = ?", true)
		a.header["Accept-Language"] = "fr"
		change("another good one", password)
		if list := e.wantMails("changed", core.NoticePasswordChanged); len(list) == 1 && (list[0].To != "a@example.com" || list[0].Language != "fr" || list[0].Data["ip"] != "192.0.2.1") {
			t.Errorf("%+v", list[0])
		}
		a.must(400, "POST", "/change-password", m{"currentPassword": wrong, "newPassword": password})
		e.wantMails("refused")

		e.client().must(200, "POST", "/request-password-reset", m{"email": "a@example.com"})
		token := e.mailed("reset-password").Token
		e.client().must(200, "POST", "/reset-password", m{"token": token, "newPassword": "a third good one"})
		e.wantMails("reset", core.NoticePasswordChanged)
		if err := e.auth.Host().Record(t.Context(), &core.Event{Type: core.EventPasswordChanged, UserID: "gone"}); err != nil {
			t.Fatal(err)
		}
		e.wantMails("of a user who is gone")
	})
}

func TestEmailAndDeletionNotices(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.User.ChangeEmail.SkipConfirmation = true }))
	a := e.proved("old@example.com")
	a.must(200, "POST", "/change-email", m{"newEmail": "new@example.com"})
	a.must(200, "GET", link(t, e.mailed("verify-email").URL), nil)
	list := e.wantMails("another address", core.NoticeEmailChanged)
	if len(list) == 1 && (list[0].To != "old@example.com" || list[0].NewEmail != "new@example.com") {
		t.Errorf("%+v", list[0])
	}
	a.must(200, "POST", "/delete-user", m{"password": password})
	if list := e.wantMails("deleted", core.NoticeAccountDeleted); len(list) == 1 && list[0].To != "new@example.com" {
		t.Errorf("%+v", list[0])
	}
	b := e.client().signUp("b@example.com")
	b.must(200, "POST", "/delete-user", m{"password": password})
	e.wantMails("deleted, an address that nobody has proved")
}

func TestNoticeOptions(t *testing.T) {
	e := prepare(t, config(func(c *core.Config) { c.Notices.Except = []string{"new-devices"} }))
	if _, err := core.Describe(e.config()); err == nil || !strings.Contains(err.Error(), `notices.except: "new-devices" is none of new-device, account-locked`) {
		t.Error(err)
	}
}

// TestMailLanguage follows the language from the request to the text.
func TestMailLanguage(t *testing.T) {
	e := start(t, config(func(c *core.Config) {
		c.Email.SendOnSignUp = ptr(true)
		c.User.Fields = []core.Extra{{Name: "locale", Type: "string"}}
	}))
	r, err := mailtext.New(mailtext.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		header string
		body   m
		want   string
	}{
		{"de-AT,de;q=0.9,en;q=0.8", m{}, "Bestätigen Sie"},
		{"de", m{"locale": "fr"}, "Confirmez"},
		{"de", m{"locale": "pt"}, "Bestätigen Sie"},
		{"", m{"locale": "it-CH"}, "Conferma"},
		{"", m{}, "Verify"},
		{"de", m{"locale": "es,en\r\nX: y"}, "Bestätigen Sie"},
	} {
		c := e.client()
		if tt.header != "" {
			c.header["Accept-Language"] = tt.header
		}
		tt.body["name"], tt.body["email"], tt.body["password"] = "A", fmt.Sprintf("u%d@example.com", i), password
		c.must(200, "POST", "/sign-up/email", tt.body)
		mail, err := r.Render(e.mailed("verify-email"))
		if err != nil || !strings.HasPrefix(mail.Subject, tt.want) {
			t.Errorf("%q, %v: %q, %v", tt.header, tt.body["locale"], mail.Subject, err)
		}
	}
}

// bringer is a plugin with texts.
type bringer struct{ mails []contract.MailTemplate }

func (p *bringer) Spec() core.Spec { return core.Spec{ID: "bringer", Mails: p.mails} }

// TestMailTexts: what a plugin brings comes with the message, so that any mailer that
// writes mail can write it.
func TestMailTexts(t *testing.T) {
	x := contract.MailTemplate{Name: "hello", Subject: "Hello {{.User.Name}}", Text: "x", HTML: "x"}
	de := contract.MailTemplate{Name: "hello", Language: "de", Subject: "Hallo {{.Name}}", Text: "x", HTML: "x"}
	e := start(t, config(func(c *core.Config) { c.Plugins = append(c.Plugins, &bringer{[]contract.MailTemplate{x, de}}) }))
	for language, want := range map[string]string{"": "Hello Ada", "de": "Hallo Ada"} {
		err := e.auth.Host().SendMail(t.Context(), nil, contract.Message{Template: "hello", To: "a@example.com", User: contract.MessageUser{Name: "Ada"}, Language: language})
		if err != nil {
			t.Fatal(err)
		}
		r, err := mailtext.New(mailtext.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if mail, err := r.Render(e.mailed("hello")); err != nil || mail.Subject != want {
			t.Errorf("%q: %q, %v", language, mail.Subject, err)
		}
	}
	for want, list := range map[string][]contract.MailTemplate{
		`"verify-email" is taken by core`:             {{Name: "verify-email", Subject: "x", Text: "x", HTML: "x"}},
		`"new-device" is taken by core`:               {{Name: "new-device", Subject: "x", Text: "x", HTML: "x"}},
		`"hello" is there twice in the language "en"`: {x, {Name: "hello", Language: "en", Subject: "x", Text: "x", HTML: "x"}},
		`"hello" is not there in English`:             {de},
		`"hello": want subject, text and HTML`:        {{Name: "hello", Subject: "x", Text: "x"}},
		`want a name of letters`:                      {{Name: "../x", Subject: "x", Text: "x", HTML: "x"}},
		`"DE" is not a language`:                      {x, {Name: "hello", Language: "DE", Subject: "x", Text: "x", HTML: "x"}},
	} {
		e := prepare(t, config(func(c *core.Config) { c.Plugins = append(c.Plugins, &bringer{list}) }))
		if _, err := core.Describe(e.config()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

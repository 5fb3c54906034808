package mail

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/mail/submit"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// By JMAP: the own address, the own identity, every recipient once, and the copy among the
// sent mails, whose mailbox is made.
func TestSendByJMAP(t *testing.T) {
	w := newWorld(t, Options{})
	w.put("/accounts/"+w.ada.UserID, m{"displayName": "Ada \"L\" <Lovelace>"}).Want(200)
	a := w.send(m{"to": []m{{"email": "bob@example.com", "name": "Bob, Ö"}}, "cc": []m{{"email": "bob@example.com"}, {"email": "carl@example.com"}}, "bcc": []m{{"email": "eve@example.com"}},
		"subject": "Größe", "body": "line\n.\nBcc: x", "htmlBody": "<p>x</p>", "inReplyTo": "<one@x>", "references": []string{"<zero@x>", "<one@x>"}, "attachments": []m{{"blobId": "up-1", "name": "a.txt", "type": "text/plain"}}}).Want(200)
	e := w.mail("Größe")
	if a.Text("emailId") != e["id"] || fmt.Sprint(e["mailboxIds"]) != "map[m-sent:true]" || fmt.Sprint(e["keywords"]) != "map[$seen:true]" {
		t.Errorf("%s: %v", a.Body, e)
	}
	if got := fmt.Sprint(e["from"], e["to"], e["cc"], e["bcc"], e["inReplyTo"], e["references"]); got != `[map[email:ada@mail.example name:Ada "L" <Lovelace>]] [map[email:bob@example.com name:Bob, Ö]] [map[email:bob@example.com name:<nil>] map[email:carl@example.com name:<nil>]] [map[email:eve@example.com name:<nil>]] [one@x] [zero@x one@x]` {
		t.Error(got)
	}
	if got := fmt.Sprint(e["bodyValues"], e["attachments"]); got != "map[html:map[value:<p>x</p>] text:map[value:line\n.\nBcc: x]] [map[blobId:up-1 disposition:attachment name:a.txt type:text/plain]]" {
		t.Error(got)
	}
	if id := e["messageId"].([]any)[0].(string); !strings.HasSuffix(id, "@mail.example") || len(id) != 32+len("@mail.example") {
		t.Error(id)
	}
	if got := fmt.Sprint(w.f.sent); got != `[map[emailId:`+a.Text("emailId")+` envelope:map[mailFrom:map[email:ada@mail.example] rcptTo:[map[email:bob@example.com] map[email:carl@example.com] map[email:eve@example.com]]] identityId:i-own]]` {
		t.Error(got)
	}
	w.send(nil).Want(200)
	if n := w.f.did("Mailbox/set"); n != 2 {
		t.Errorf("%d mailboxes were made, want Drafts and Sent once", n)
	}
	w.f.submits = false
	w.Clock.Advance(sessionLife)
	w.send(nil).WantCode(503, "MAIL_SENDING_NOT_CONFIGURED")
}

// Nothing that is sent can become a header, a recipient or a command.
func TestHostileInput(t *testing.T) {
	w := newWorld(t, Options{})
	to := func(s string) m { return m{"to": []m{{"email": s}}} }
	bad := []m{to(""), to("bob"), to("bob@example.com\r\nBcc: eve@example.com"), to("bob@example.com,eve@example.com"), to("Bob <bob@example.com>"), to("<bob@example.com>"), to(`"a b"@example.com`), to("bob@[127.0.0.1]"), to("bob@example.com> ORCPT=x"),
		to("bob@exa\u202Emple.com"), to("bob@example.com "), {"to": []m{}}, {"to": nil}, {"to": "bob@example.com"}, {"to": []m{{"name": "x"}}}, {"to": []m{{"email": "bob@example.com", "name": "x\r\nBcc: y"}}}, {"to": []m{{"email": "bob@example.com", "name": strings.Repeat("x", 300)}}},
		{"cc": []m{{"email": "x"}}}, {"bcc": []m{{"email": "x\n"}}}, {"cc": "x"}, {"subject": ""}, {"subject": "a\r\nBcc: eve@example.com"}, {"subject": "a\u202Eb"}, {"subject": "a\u2028b"}, {"subject": strings.Repeat("x", 999)}, {"body": ""}, {"body": nil}, {"body": strings.Repeat("x", 500001)},
		{"inReplyTo": "<a@b> <c@d>"}, {"inReplyTo": "é"}, {"references": 1}, {"references": []any{1}}, {"attachments": []m{{"blobId": "a/b", "name": "x"}}}, {"attachments": []m{{"blobId": "a", "name": "x\r\ny"}}}, {"attachments": []m{{"blobId": "a", "name": "x", "type": "text/html; x=y"}}},
		{"attachments": slices.Repeat([]m{{"blobId": "a", "name": "x"}}, 21)}, {"to": slices.Repeat([]m{{"email": "bob@example.com"}}, 101)}}
	for _, change := range bad {
		if a := w.send(change).Want(400); a.Code() != "VALIDATION_ERROR" && a.Code() != "BAD_REQUEST" {
			t.Errorf("%v: %s", change, a.Body)
		}
	}
	if n := w.f.did("Email/set"); n != 0 {
		t.Errorf("%d calls", n)
	}
	// What looks like it and is data.
	for _, change := range []m{{"inReplyTo": "a@b\r\n"}, {"references": "<a@b>\r\n\t<c@d>"}, {"to": []m{{"email": "bob@example.com", "name": `"x" <eve@example.com>`}}}} {
		w.send(change).Want(200)
	}
}

func relayWorld(t *testing.T, o Options) (*world, *relayServer) {
	t.Helper()
	r := startRelay(t)
	o.SMTP = r.options()
	return newWorld(t, o), r
}

// By SMTP: Bcc stays in the own copy alone.
func TestSendByRelay(t *testing.T) {
	w, r := relayWorld(t, Options{})
	w.f.submits = false
	id := w.send(m{"bcc": []m{{"email": "eve@example.com"}}}).Want(200).Text("emailId")
	got := r.mails()
	if len(got) != 1 || got[0].from != "FROM:<ada@mail.example>" || fmt.Sprint(got[0].to) != "[TO:<bob@example.com> TO:<eve@example.com>]" || got[0].data != "Subject: x\r\nTo: bob@example.com\r\n\r\nBcc: this stays\r\n" {
		t.Errorf("%+v", got)
	}
	if e := w.mail("Hi"); e["id"] != id || fmt.Sprint(e["mailboxIds"], e["bcc"]) != "map[m-sent:true] [map[email:eve@example.com name:<nil>]]" {
		t.Errorf("%v", e)
	}
}

// What the relay says is told from what it does not say. A message that was surely not sent
// leaves no draft, and does not count; one that may have been leaves it.
func TestRelayFailures(t *testing.T) {
	for _, c := range []struct {
		step, reply string
		status      int
		code        string
		drafts      int
	}{
		{"greeting", "554 no", 503, "SERVICE_UNAVAILABLE", 0},
		{"greeting", "", 503, "SERVICE_UNAVAILABLE", 0},
		{"greeting", strings.Repeat("220-more\r\n", 40000), 503, "SERVICE_UNAVAILABLE", 0},
		{"MAIL", "451 later", 503, "SERVICE_UNAVAILABLE", 0},
		{"MAIL", "550 not you", 503, "SERVICE_UNAVAILABLE", 0},
		{"RCPT", "550 unknown", 400, "MAIL_RECIPIENTS_INVALID", 0},
		{"RCPT", "450 greylisted", 503, "SERVICE_UNAVAILABLE", 0},
		{"RCPT", "", 503, "SERVICE_UNAVAILABLE", 0},
		{"DATA", "554 no", 422, "MAIL_REJECTED", 0},
		{"content", "552 too big", 422, "MAIL_REJECTED", 0},
		{"content", "451 later", 503, "SERVICE_UNAVAILABLE", 0},
		{"content", "", 503, "MAIL_SEND_UNCERTAIN", 1},
		{"content", "nonsense", 503, "MAIL_SEND_UNCERTAIN", 1},
	} {
		w, r := relayWorld(t, Options{})
		r.reply(c.step, c.reply)
		a := w.send(nil).WantCode(c.status, c.code)
		drafts := 0
		for _, e := range w.box.mails {
			if e["subject"] == "Hi" {
				drafts++
			}
		}
		if counted := w.Rows("mailSettings")[0]["recipients"]; drafts != c.drafts || counted != fmt.Sprint(c.drafts) {
			t.Errorf("%s %.20q: %d drafts, %s recipients", c.step, c.reply, drafts, counted)
		}
		if c.step == "RCPT" && c.status == 400 && !strings.Contains(a.Text("message"), "bob@example.com") {
			t.Errorf("%s", a.Body)
		}
		if log := w.Logs.String(); strings.Contains(log, "bob@") || strings.Contains(log, w.box.password) {
			t.Errorf("%s: the log holds an address or a password: %s", c.step, log)
		}
		if c.status == 503 && !strings.Contains(w.Logs.String(), "submit: ") {
			t.Errorf("%s: the log does not say why: %s", c.step, w.Logs.String())
		}
	}
}

// TestTooLargeForRelay: a message that is too large is the user's, and no broken server.
func TestTooLargeForRelay(t *testing.T) {
	w, r := relayWorld(t, Options{})
	w.box.draft = make([]byte, maxSent+1)
	w.send(nil).WantCode(413, "MAIL_TOO_LARGE")
	if w.mail("Hi") != nil || len(r.mails()) != 0 {
		t.Error("it was sent, or its draft stays")
	}
}

func TestWithoutBcc(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "\r\nBcc: body": "\r\nBcc: body", "BCC : a,\r\n\tb\r\nTo: c\r\n d\r\n\r\nBcc: x": "To: c\r\n d\r\n\r\nBcc: x",
		"To: c\nBcc: a": "To: c\n", "Bcc: a\n b\n\nbody\n": "\nbody\n", "Bccx: a\r\nX-Bcc: b\r\n\r\n": "Bccx: a\r\nX-Bcc: b\r\n\r\n",
	} {
		if got := string(withoutBcc([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// What was delivered is delivered, whatever fails afterwards.
func TestDelivered(t *testing.T) {
	w, r := relayWorld(t, Options{})
	r.reply("QUIT", "")
	w.f.method = func(name string, args map[string]any) (string, any, bool) {
		return "serverFail", nil, name == "Email/set" && args["update"] != nil
	}
	w.send(nil).Want(200)
	if len(r.mails()) != 1 || !strings.Contains(w.Logs.String(), "stays among the drafts") {
		t.Errorf("%v\n%s", r.mails(), w.Logs.String())
	}
}

// A day's recipients are bounded, also for messages at the same time.
func TestQuota(t *testing.T) {
	w, r := relayWorld(t, Options{RecipientsPerDay: 3})
	w.send(m{"cc": []m{{"email": "carl@example.com"}}}).Want(200)
	done := make(chan int)
	for range 4 {
		c := w.ada.Copy()
		go func() {
			done <- c.Post(base+"/send", m{"to": []m{{"email": "bob@example.com"}}, "subject": "Hi", "body": "x"}).Status
		}()
	}
	got := []int{<-done, <-done, <-done, <-done}
	slices.Sort(got)
	if !slices.Equal(got, []int{200, 429, 429, 429}) || len(r.mails()) != 2 {
		t.Errorf("%v, %d mails", got, len(r.mails()))
	}
	a := w.send(nil).WantCode(429, "MAIL_RATE_LIMITED")
	if a.Value("Retry-After") == "" {
		t.Error("it does not say when")
	}
	w.Clock.Advance(24 * time.Hour)
	w.ada = w.SignIn("ada@example.com")
	w.send(nil).Want(200)
}

// One client's messages are bounded by the minute.
func TestRateLimit(t *testing.T) {
	w := newWorld(t, Options{}, func(o *plugintest.Options) {
		o.Config = func(c *core.Config) { yes := true; c.RateLimit.Enabled = &yes }
	})
	for range 30 {
		w.send(nil).Want(200)
	}
	if a := w.send(nil).WantCode(429, "TOO_MANY_REQUESTS"); a.Value("Retry-After") == "" || a.Get("statusCode") != 429.0 {
		t.Errorf("%v %s", a.Header, a.Body)
	}
}

func TestUpload(t *testing.T) {
	w := newWorld(t, Options{})
	a := w.ada.Post(base+"/attachments", m{"name": "a.txt", "type": "text/plain", "content": "aGVsbG8="}).Want(200)
	if a.Get("size") != 5.0 || string(w.box.blobs[a.Text("blobId")]) != "hello" {
		t.Errorf("%s", a.Body)
	}
	for _, bad := range []m{{"name": "", "type": "text/plain", "content": "aGk="}, {"name": "a\nb", "type": "text/plain", "content": "aGk="}, {"name": "a", "type": "x", "content": "aGk="}, {"name": "a", "type": "text/plain\r\nX: y", "content": "aGk="}, {"name": "a", "type": "text/plain", "content": "é"}, {"name": "a", "type": "text/plain", "content": "aGl="}} {
		w.ada.Post(base+"/attachments", bad).Want(400)
	}
}

func TestFaults(t *testing.T) {
	good := Options{URL: "https://mail.example"}
	for want, change := range map[string]func(*Options){
		"url: want https":                  func(o *Options) { o.URL = "mail.example" },
		"url: passwords would":             func(o *Options) { o.URL = "http://mail.example" },
		"timeout: ":                        func(o *Options) { o.Timeout = -1 },
		"is not between 0 and 1m":          func(o *Options) { o.Timeout = time.Hour },
		"recipientsPerDay: -1 is negative": func(o *Options) { o.RecipientsPerDay = -1 },
		"smtp.host: want":                  func(o *Options) { o.SMTP.Host = "a b" },
		"smtp.host: want a name":           func(o *Options) { o.SMTP.AsUser = true },
		"smtp.tls: mail would":             func(o *Options) { o.SMTP = submit.Options{Host: "relay.example", TLS: "none"} },
		"smtp.username and password":       func(o *Options) { o.SMTP = submit.Options{Host: "relay.example", Username: "x"} },
	} {
		o := good
		change(&o)
		if got := fmt.Sprint(New(o).Spec().Faults); !strings.Contains(got, want) {
			t.Errorf("want %q, got %s", want, got)
		}
	}
	if got := New(good).Spec().Faults; got != nil {
		t.Error(got)
	}
}

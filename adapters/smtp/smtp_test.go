package smtp

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/mailtext"
	"github.com/sallyport-auth/sallyport/core/contract"
)

var update = flag.Bool("update", false, "write the golden files")

func newPool(c *x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return pool
}

// options send through s, trusting its certificate, with a fixed clock and randomness.
func options(t *testing.T, s *server) Options {
	_, trust := certificate(t)
	return Options{
		Host: "127.0.0.1", Port: s.port, From: "Notes <no-reply@notes.example>", TLSConfig: trust,
		Now:    func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		Random: bytes.NewReader(bytes.Repeat([]byte{0xab}, 64)),
		Text:   mailtext.Options{AppName: "Nötes"},
	}
}

func mustNew(t *testing.T, o Options) contract.Mailer {
	t.Helper()
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func message() contract.Message {
	return contract.Message{
		Template: "verify-email", To: "o'brien+x@example.com", ExternalID: "job-1",
		User: contract.MessageUser{Name: "Ada & Söhne"},
		URL:  "https://app.example/api/auth/verify-email?token=SECRET-TOKEN&callbackURL=%2F", Token: "SECRET-TOKEN",
	}
}

func TestSend(t *testing.T) {
	s := (&server{mechanisms: "LOGIN PLAIN CRAM-MD5"}).start(t)
	o := options(t, s)
	o.Username, o.Password = username, password
	if err := mustNew(t, o).Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"EHLO notes.example", "STARTTLS", "-- TLS", "EHLO notes.example",
		"AUTH PLAIN AG1haWxlcgBTRUNSRVQtUEFTU1dPUkQ=",
		"MAIL FROM:<no-reply@notes.example>", "RCPT TO:<o'brien+x@example.com>", "DATA", "QUIT",
	}
	if got := s.log(); !slices.Equal(got, want) {
		t.Errorf("commands\n%q, want\n%q", got, want)
	}
	mails := s.inbox()
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	golden(t, "message.golden", mails[0].data)
	checkParts(t, mails[0].data)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it):\n%s", path, got)
	}
}

// checkParts reads the mail as a mail program does, and compares it with the rendered text.
func checkParts(t *testing.T, data string) {
	t.Helper()
	r, err := mailtext.New(mailtext.Options{AppName: "Nötes"})
	if err != nil {
		t.Fatal(err)
	}
	want, err := r.Render(message())
	if err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != want.Subject {
		t.Errorf("subject = %q, %v, want %q", subject, err, want.Subject)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("content type %q: %v", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, part := range []struct{ kind, text string }{
		{"text/plain; charset=UTF-8", want.Text}, {"text/html; charset=UTF-8", want.HTML},
	} {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Header.Get("Content-Type"); got != part.kind {
			t.Errorf("part is %q, want %q", got, part.kind)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if got := strings.TrimRight(string(body), "\r\n"); err != nil || got != strings.TrimRight(part.text, "\n") {
			t.Errorf("%s = %q, %v\nwant %q", part.kind, got, err, part.text)
		}
	}
	if _, err := parts.NextRawPart(); err != io.EOF {
		t.Errorf("a third part: %v", err)
	}
}

func TestTLSPolicies(t *testing.T) {
	const sent = "MAIL FROM:<no-reply@notes.example>"
	tests := []struct {
		name      string
		s         server
		policy    TLS
		encrypted bool
		want      string // error
	}{
		{"default, offered", server{}, "", true, ""},
		{"mandatory, offered", server{}, Mandatory, true, ""},
		{"mandatory, not offered", server{noSTARTTLS: true}, Mandatory, false, "smtp: connecting: the server offers no STARTTLS"},
		{"default, not offered", server{noSTARTTLS: true}, "", false, "smtp: connecting: the server offers no STARTTLS"},
		{"mandatory, refused", server{replies: map[string]string{"STARTTLS": "454 not now"}}, Mandatory, false, "smtp: connecting: the server answered 454"},
		{"opportunistic, offered", server{}, Opportunistic, true, ""},
		{"opportunistic, not offered", server{noSTARTTLS: true}, Opportunistic, false, ""},
		{"opportunistic, refused", server{replies: map[string]string{"STARTTLS": "454 not now"}}, Opportunistic, false, "smtp: connecting: the server answered 454"},
		{"none, offered", server{}, None, false, ""},
		{"implicit", server{implicit: true}, Implicit, true, ""},
		{"implicit, but the server is plain", server{lenient: true}, Implicit, false, "smtp: connecting: the server does not speak TLS"},
	}
	for i := range tests {
		tt := &tests[i]
		t.Run(tt.name, func(t *testing.T) {
			s := tt.s.start(t)
			o := options(t, s)
			o.TLS = tt.policy
			err := mustNew(t, o).Send(t.Context(), message())
			if tt.want != "" {
				if err == nil || err.Error() != tt.want {
					t.Errorf("err = %v, want %s", err, tt.want)
				}
				if slices.Contains(s.log(), sent) {
					t.Error("the mail was begun all the same")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := received{from: "no-reply@notes.example", to: "o'brien+x@example.com", encrypted: tt.encrypted}
			if len(s.inbox()) != 1 || s.inbox()[0].String() != want.String() {
				t.Errorf("mails %v, want %v", s.inbox(), want)
			}
		})
	}
}

func TestCertificate(t *testing.T) {
	for _, policy := range []TLS{Mandatory, Opportunistic, Implicit} {
		s := (&server{implicit: policy == Implicit}).start(t)
		unknown := options(t, s)
		unknown.TLS, unknown.TLSConfig = policy, nil
		other := options(t, s)
		other.TLS = policy
		other.TLSConfig.ServerName = "mail.other.example"
		for name, o := range map[string]Options{"unknown authority": unknown, "other name": other} {
			var certificate *tls.CertificateVerificationError
			if err := mustNew(t, o).Send(t.Context(), message()); !errors.As(err, &certificate) {
				t.Errorf("%s, %s: err = %v", policy, name, err)
			}
		}
		if slices.ContainsFunc(s.log(), func(c string) bool { return strings.HasPrefix(c, "MAIL") }) {
			t.Errorf("%s: the mail was begun", policy)
		}
	}
}

func TestSignIn(t *testing.T) {
	tests := []struct {
		name     string
		s        server
		policy   TLS
		password string
		want     string
	}{
		{"plain", server{mechanisms: "CRAM-MD5 PLAIN LOGIN"}, Mandatory, password, ""},
		{"login", server{mechanisms: "LOGIN"}, Mandatory, password, ""},
		{"implicit", server{implicit: true, mechanisms: "PLAIN"}, Implicit, password, ""},
		{"without TLS to this machine", server{noSTARTTLS: true, mechanisms: "PLAIN"}, None, password, ""},
		{"wrong password", server{mechanisms: "PLAIN"}, Mandatory, "SECRET-WRONG", "smtp: signing in: the server answered 535"},
		{"wrong password, login", server{mechanisms: "LOGIN"}, Mandatory, "SECRET-WRONG", "smtp: signing in: the server answered 535"},
		{"no AUTH", server{}, Mandatory, password, "smtp: signing in: the server offers neither AUTH PLAIN nor AUTH LOGIN"},
		{"other mechanisms", server{mechanisms: "CRAM-MD5 NTLM XOAUTH2"}, Mandatory, password, "smtp: signing in: the server offers neither AUTH PLAIN nor AUTH LOGIN"},
		{"hangs up", server{mechanisms: "PLAIN", replies: map[string]string{"AUTH": ""}}, Mandatory, password, "smtp: signing in: the connection broke or the reply was not SMTP"},
	}
	for i := range tests {
		tt := &tests[i]
		t.Run(tt.name, func(t *testing.T) {
			s := tt.s.start(t)
			o := options(t, s)
			o.TLS, o.Username, o.Password = tt.policy, username, tt.password
			err := mustNew(t, o).Send(t.Context(), message())
			if tt.want != "" {
				if err == nil || err.Error() != tt.want {
					t.Errorf("err = %v, want %s", err, tt.want)
				}
				return
			}
			if err != nil || len(s.inbox()) != 1 || s.inbox()[0].user != username {
				t.Errorf("err = %v, mails %v", err, s.inbox())
			}
		})
	}
}

func TestRetryIsRecognisable(t *testing.T) {
	s := (&server{}).start(t)
	m := mustNew(t, options(t, s))
	other, none := message(), message()
	other.ExternalID = "job-2\r\nBcc: eve@evil.example"
	none.ExternalID = ""
	for _, msg := range []contract.Message{message(), message(), other, none} {
		if err := m.Send(t.Context(), msg); err != nil {
			t.Fatal(err)
		}
	}
	if s.inbox()[0].data != s.inbox()[1].data {
		t.Errorf("the retry differs:\n%s\n%s", s.inbox()[0].data, s.inbox()[1].data)
	}
	var ids []string
	for _, r := range s.inbox() {
		parsed, err := mail.ReadMessage(strings.NewReader(r.data))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, parsed.Header.Get("Message-ID"))
		if parsed.Header.Get("Bcc") != "" {
			t.Error("the external id added a header")
		}
	}
	if ids[0] == ids[2] || !strings.HasSuffix(ids[2], "@notes.example>") || len(ids[2]) != len(ids[0]) {
		t.Errorf("ids %q", ids)
	}
	if want := "<abababababababababababababababab@notes.example>"; ids[3] != want {
		t.Errorf("without external id: %s, want %s", ids[3], want)
	}
}

// TestNothingGetsIntoTheHeaders: names and other values of strangers stand in the subject.
func TestNothingGetsIntoTheHeaders(t *testing.T) {
	texts, err := contract.ReadMails(os.DirFS("../../plugins/organization"), "mails")
	if err != nil {
		t.Fatal(err)
	}
	texts = append(texts, contract.MailTemplate{Name: "note", Subject: "Note on {{.Data.topic}} for {{.User.Name}}", Text: "x", HTML: "x"})
	const evil = "Acme\r\nBcc: eve@example.com\r\n\r\nHello\u2028X-A: b\x00 =?utf-8?q?=0d=0aX-B:_c?="
	for _, language := range []string{"en", "de", "fr", "it", "es"} {
		for _, template := range []string{"invitation", "note"} {
			s := (&server{}).start(t)
			m := message()
			m.Template, m.Texts, m.Language, m.User.Name = template, texts, language, evil
			m.Data = map[string]string{"topic": evil, "organization": "Acme\r\nBcc eve =?utf-8?q?evil=2Eexample?= =?utf-8?b?4oCuYQ==?=", "inviter": "a@example.com", "inviterName": evil, "role": evil, "expiresInSeconds": "60"}
			if err := mustNew(t, options(t, s)).Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			got, err := mail.ReadMessage(strings.NewReader(s.inbox()[0].data))
			if err != nil {
				t.Fatal(err)
			}
			for name := range got.Header {
				switch name {
				case "From", "To", "Subject", "Date", "Message-Id", "Mime-Version", "Content-Type", "Auto-Submitted":
				default:
					t.Errorf("%s, %s: a header %s: %q", template, language, name, got.Header[name])
				}
			}
			if subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject")); err != nil || !strings.Contains(subject, "Acme Bcc") || strings.ContainsAny(subject, "\r\n\x00\u2028\u202e") || strings.Contains(subject, "evil.example") {
				t.Errorf("%s, %s: subject %q, %v", template, language, subject, err)
			}
			if to := got.Header.Get("To"); to != "<o'brien+x@example.com>" {
				t.Errorf("%s, %s: to %q", template, language, to)
			}
		}
	}
}

package logmail

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/goccy/go-yaml"

	"github.com/sallyport-auth/sallyport/adapters/mailtext"
	"github.com/sallyport-auth/sallyport/core/contract"
)

func mustNew(t *testing.T, w *bytes.Buffer, o Options) contract.Mailer {
	t.Helper()
	m, err := New(w, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSend(t *testing.T) {
	tests := []struct {
		name string
		m    contract.Message
		want string
	}{
		{"rendered", contract.Message{
			Template: "verify-email", To: "ada@example.com", URL: "https://app.example/verify?token=t1&x=y",
			User: contract.MessageUser{Name: "Ada"}, ExternalID: "job-1",
		}, `---- mail (development only, not sent) ---------------------------------
To:        ada@example.com
Template:  verify-email
Id:        job-1
Subject:   Verify your email address - Notes

Hello Ada,

please confirm that ada@example.com is the address of your account at Notes.
Open this link:

https://app.example/verify?token=t1&x=y

The link works for a limited time. If you did not ask for this, you can ignore this mail.
------------------------------------------------------------------------
`},
		{"replaced", contract.Message{Template: "note", To: "ada@example.com", OTP: "123456"},
			`---- mail (development only, not sent) ---------------------------------
To:        ada@example.com
Template:  note
Subject:   Your code

123456
------------------------------------------------------------------------
`},
		{"no text", contract.Message{
			Template: "invitation\x1b[2J", To: "ada@example.com\r\nTo: eve", URL: "https://app.example/", Token: "t1", OTP: "1",
			NewEmail: "n@example.com", User: contract.MessageUser{ID: "u1", Name: "A\x1b[2Jda\n----", Email: "a@example.com"},
			Data: map[string]string{"role": "admin", "id": "i\x071", "a\nb": "c"},
		}, `---- mail (development only, not sent) ---------------------------------
To:        ada@example.com To: eve
Template:  invitation [2J
User:      A [2Jda ----
User id:   u1
Email:     a@example.com
New email: n@example.com
URL:       https://app.example/
Token:     t1
Code:      1
a b:       c
id:        i 1
role:      admin
------------------------------------------------------------------------
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			own := fstest.MapFS{
				"note.txt":  {Data: []byte("Subject: Your code\n\n{{.OTP}}\n\n")},
				"note.html": {Data: []byte("{{.OTP}}")},
			}
			m := mustNew(t, &b, Options{Text: mailtext.Options{AppName: "Notes", Templates: []fs.FS{own}}})
			if err := m.Send(t.Context(), tt.m); err != nil {
				t.Fatal(err)
			}
			if got := b.String(); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

type broken struct{}

var errBroken = errors.New("the pipe broke")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestSendErrors(t *testing.T) {
	m := contract.Message{Template: "verify-email", To: "ada@example.com", URL: "https://app.example/SECRET"}
	var b bytes.Buffer
	console := mustNew(t, &b, Options{})

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := console.Send(ctx, m); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	bad := m
	bad.To = "nobody"
	if err := console.Send(t.Context(), bad); !errors.Is(err, mailtext.ErrAddress) {
		t.Errorf("bad address: %v", err)
	}
	if b.Len() != 0 {
		t.Errorf("an error printed %q", b.String())
	}
	pipe, err := New(broken{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := pipe.Send(t.Context(), m); !errors.Is(err, errBroken) || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("broken writer: %v", err)
	}
}

// Two mails at once come out one after the other. The race detector watches the buffer.
func TestConcurrentSend(t *testing.T) {
	var b bytes.Buffer
	m := mustNew(t, &b, Options{})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := m.Send(t.Context(), contract.Message{Template: "x", To: "ada@example.com"}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	one := head + rule[len(head):] + "\nTo:        ada@example.com\nTemplate:  x\n" + rule + "\n"
	if want := strings.Repeat(one, 8); b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}

func TestNewErrors(t *testing.T) {
	if m, err := New(nil, Options{}); err == nil || m != nil {
		t.Errorf("New(nil) = %v, %v", m, err)
	}
	if m, err := New(&bytes.Buffer{}, Options{Text: mailtext.Options{AppName: "a\nb"}}); err == nil || m != nil {
		t.Errorf("New with a bad name = %v, %v", m, err)
	}
}

func TestYAML(t *testing.T) {
	var got Options
	if err := yaml.UnmarshalWithOptions([]byte("text:\n  appName: A\n  dir: mails\n"), &got, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if want := (Options{Text: mailtext.Options{AppName: "A", Dir: "mails"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

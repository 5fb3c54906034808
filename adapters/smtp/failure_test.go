package smtp

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/mailtext"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// No address may reach the server, nor any connection be made for it: CVE-2025-59937.
func TestHostileAddresses(t *testing.T) {
	s := (&server{}).start(t)
	m := mustNew(t, options(t, s))
	for _, address := range []string{
		"", "ada", "ada@example.com\r\nRCPT TO:<eve@evil.example>", "ada@example.com\nDATA", "ada\x00@example.com",
		"ada@example.com> ORCPT=rfc822;eve@evil.example", "<ada@example.com>", `"ada"@example.com`,
		`"ada@example.com> RCPT TO:<eve"@evil.example`, "Ada <ada@example.com>", "a da@example.com", "ada@example.com ",
		"ada@example.com,eve@evil.example", "ädä@example.com",
	} {
		bad := message()
		bad.To = address
		err := m.Send(t.Context(), bad)
		if !errors.Is(err, mailtext.ErrAddress) || err.Error() != "smtp: the recipient is not a bare mail address" {
			t.Errorf("%q: %v", address, err)
		}
	}
	if s.connected() != 0 {
		t.Errorf("%d connections", s.connected())
	}
}

func TestReplies(t *testing.T) {
	const quote = " <o'brien+x@example.com> SECRET-TOKEN SECRET-PASSWORD"
	tests := []struct{ step, reply, want string }{
		{"greeting", "554" + quote, "smtp: connecting: the server answered 554"},
		{"greeting", "", "smtp: connecting: the connection broke or the reply was not SMTP"},
		{"greeting", "SECRET-TOKEN", "smtp: connecting: the connection broke or the reply was not SMTP"},
		{"EHLO", "", "smtp: connecting: the connection broke or the reply was not SMTP"},
		{"AUTH", "535" + quote, "smtp: signing in: the server answered 535"},
		{"AUTH", "334 !SECRET-TOKEN", "smtp: signing in: the connection broke or the reply was not SMTP"},
		{"MAIL", "451" + quote, "smtp: MAIL: the server answered 451"},
		{"RCPT", "550 5.1.1" + quote, "smtp: RCPT: the server answered 550"},
		{"RCPT", "", "smtp: RCPT: the connection broke or the reply was not SMTP"},
		{"RCPT", "SECRET-TOKEN", "smtp: RCPT: the connection broke or the reply was not SMTP"},
		{"DATA", "554-" + quote + "\n554" + quote, "smtp: DATA: the server answered 554"},
		{"content", "552" + quote, "smtp: handing over the mail: the server answered 552"},
		{"content", "", "smtp: handing over the mail: the connection broke or the reply was not SMTP"},
	}
	for _, tt := range tests {
		t.Run(tt.step+" "+tt.reply, func(t *testing.T) {
			s := (&server{mechanisms: "PLAIN", replies: map[string]string{tt.step: tt.reply}}).start(t)
			o := options(t, s)
			o.Username, o.Password = username, password
			err := mustNew(t, o).Send(t.Context(), message())
			if err == nil || err.Error() != tt.want {
				t.Errorf("err = %v, want %s", err, tt.want)
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if strings.Contains(e.Error(), "SECRET") || strings.Contains(e.Error(), "o'brien") {
					t.Errorf("the chain holds %v", e)
				}
			}
		})
	}
}

// What the server refuses for good is not tried again. What is about us or the moment is: a
// mail that is given up for a wrong password would be lost for nothing.
func TestPermanentReplies(t *testing.T) {
	tests := []struct {
		step, reply string
		permanent   bool
	}{
		{"RCPT", "550 no such user", true},
		{"RCPT", "550 5.1.1 no such user", true},
		{"RCPT", "501 5.1.3 bad address", true},
		{"RCPT", "551 not local", true},
		{"RCPT", "553 5.1.3 bad mailbox", true},
		{"RCPT", "556 5.1.10 takes no mail", true},
		{"DATA", "554 5.6.0 no", true},
		{"content", "554 5.6.0 no", true},
		{"content", "552 5.3.4 too large", true},

		{"RCPT", "450 4.2.0 greylisted", false},
		{"RCPT", "421 4.3.2 going down", false},
		{"RCPT", "452 4.2.2 full", false},
		{"RCPT", "552 too many recipients", false},
		{"RCPT", "550 5.7.1 relaying denied", false},
		{"RCPT", "554 5.7.1 your address is on a list", false},
		{"RCPT", "530 5.7.0 sign in first", false},
		{"RCPT", "503 5.5.1 bad sequence", false},
		{"RCPT", "", false},
		{"content", "451 4.3.0 later", false},
		{"content", "554 5.7.1 policy", false},
		{"content", "", false},
		{"MAIL", "550 5.1.8 who are you", false},
		{"MAIL", "553 5.1.8 no such sender", false},
		{"AUTH", "535 5.7.8 wrong password", false},
		{"AUTH", "534 5.7.9 stronger, please", false},
		{"greeting", "554 no", false},
		{"greeting", "421 later", false},
	}
	for _, tt := range tests {
		t.Run(tt.step+" "+tt.reply, func(t *testing.T) {
			s := (&server{mechanisms: "PLAIN", replies: map[string]string{tt.step: tt.reply}, lenient: true}).start(t)
			o := options(t, s)
			o.Username, o.Password = username, password
			if err := mustNew(t, o).Send(t.Context(), message()); err == nil || contract.IsPermanent(err) != tt.permanent {
				t.Errorf("%v: permanent is %v", err, contract.IsPermanent(err))
			}
		})
	}
	s := (&server{}).start(t)
	bad := message()
	bad.To = "not an address"
	if err := mustNew(t, options(t, s)).Send(t.Context(), bad); !contract.IsPermanent(err) {
		t.Errorf("a recipient that is none: %v", err)
	}
	bad = message()
	bad.Template = "no-such" // a folder of templates that lacks one is mended by the operator
	if err := mustNew(t, options(t, s)).Send(t.Context(), bad); contract.IsPermanent(err) {
		t.Errorf("a template that is missing: %v", err)
	}
}

// Once the server has taken the mail, nothing may ask for a retry.
func TestDeliveredIsDelivered(t *testing.T) {
	for _, reply := range []string{"", "421 closing", "nonsense"} {
		s := (&server{replies: map[string]string{"QUIT": reply}}).start(t)
		if err := mustNew(t, options(t, s)).Send(t.Context(), message()); err != nil || len(s.inbox()) != 1 {
			t.Errorf("QUIT answered by %q: %v, %d mails", reply, err, len(s.inbox()))
		}
	}
}

func TestNoRandomness(t *testing.T) {
	s := (&server{}).start(t)
	o := options(t, s)
	o.Random = strings.NewReader("short")
	m := message()
	m.ExternalID = ""
	if err := mustNew(t, o).Send(t.Context(), m); !errors.Is(err, io.ErrUnexpectedEOF) || s.connected() != 0 {
		t.Errorf("err = %v after %d connections", err, s.connected())
	}
}

func TestUnknownTemplate(t *testing.T) {
	s := (&server{}).start(t)
	m := message()
	m.Template = "no-such"
	err := mustNew(t, options(t, s)).Send(t.Context(), m)
	if !errors.Is(err, mailtext.ErrUnknownTemplate) || !strings.Contains(err.Error(), `"no-such"`) || s.connected() != 0 {
		t.Errorf("err = %v after %d connections", err, s.connected())
	}
}

func TestGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := (&server{onDATA: cancel}).start(t)
	long := options(t, s)
	long.Timeout = 10 * time.Minute // so that the cancellation alone can end it in time
	if err := mustNew(t, long).Send(ctx, message()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled during DATA: %v", err)
	}

	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and never greets
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	o := options(t, s)
	o.Port, o.Timeout = silent.Addr().(*net.TCPAddr).Port, time.Millisecond
	if err := mustNew(t, o).Send(t.Context(), message()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("timed out: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := options(t, &server{port: l.Addr().(*net.TCPAddr).Port})
	l.Close()
	if err := mustNew(t, o).Send(t.Context(), message()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("err = %v, want connection refused", err)
	}
}

// A server that never ends its reply is cut off, in a line without end as in a reply
// without end.
func TestEndlessReplies(t *testing.T) {
	for _, chunk := range []string{strings.Repeat("x", 4096), strings.Repeat("220-more\r\n", 400)} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		written := make(chan int)
		go func() {
			n := 0
			defer func() { written <- n }()
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			for {
				m, err := io.WriteString(c, chunk)
				if n += m; err != nil {
					return
				}
			}
		}()
		o := options(t, &server{port: l.Addr().(*net.TCPAddr).Port})
		err = mustNew(t, o).Send(t.Context(), message())
		if err == nil || err.Error() != "smtp: connecting: the server sent too much" {
			t.Errorf("err = %v", err)
		}
		if n := <-written; n < maxReplies {
			t.Errorf("cut off after %d bytes, before the limit", n)
		}
		l.Close()
	}
}

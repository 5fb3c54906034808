package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/mailtext"
	"github.com/sallyport-auth/sallyport/core/contract"
)

func TestRedirectIsNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		target := &service{}
		s := &service{status: status, header: http.Header{"Location": {start(t, target)}}}
		followed := false
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { followed = true; return nil }}
		err := mustNew(t, Options{URL: start(t, s), Client: client}).Send(t.Context(), message())
		want := fmt.Sprintf("notify: the service answered with status %d", status)
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		if followed || len(target.got) != 0 {
			t.Errorf("%d was followed", status)
		}
		if client.CheckRedirect(nil, nil); !followed {
			t.Error("the app's client was changed")
		}
	}
}

// endless is the body of an answer that never ends.
type endless struct {
	read   int
	closed bool
}

func (e *endless) Read(p []byte) (int, error) { e.read += len(p); return len(p), nil }
func (e *endless) Close() error               { e.closed = true; return nil }

// RoundTrip implements http.RoundTripper.
func (e *endless) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusAccepted, Body: e}, nil
}

// An answer without end must not hold the sender: 64 KiB are read, then it is dropped.
func TestEndlessAnswer(t *testing.T) {
	answer := &endless{}
	m := mustNew(t, Options{URL: "http://localhost/", Client: &http.Client{Transport: answer}})
	if err := m.Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	if answer.read != 64<<10 || !answer.closed {
		t.Errorf("read %d bytes, closed %v", answer.read, answer.closed)
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	tests := []struct {
		name   string
		change func(*contract.Message)
		want   string
	}{
		{"no template", func(m *contract.Message) { m.Template = "" }, "notify: the message has no template"},
		{"no recipient", func(m *contract.Message) { m.To = "" }, "notify: the message has no recipient"},
		{"two recipients", func(m *contract.Message) { m.To = "a@example.com,b@example.com" }, "notify: the recipient is not a bare mail address"},
		{"header in recipient", func(m *contract.Message) { m.To = "a@example.com\r\nBcc: b@example.com" }, "notify: the recipient is not a bare mail address"},
		{"too long", func(m *contract.Message) { m.Data = map[string]string{"x": strings.Repeat("x", maxRequest)} }, "notify: the message is longer than 1048576 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &service{}
			m := message()
			tt.change(&m)
			err := mustNew(t, Options{URL: start(t, s)}).Send(t.Context(), m)
			if err == nil || err.Error() != tt.want {
				t.Errorf("err = %v, want %s", err, tt.want)
			}
			if len(s.got) != 0 {
				t.Error("something was sent")
			}
			if strings.Contains(tt.name, "recipient") && tt.name != "no recipient" && !errors.Is(err, mailtext.ErrAddress) {
				t.Errorf("%v does not wrap ErrAddress", err)
			}
		})
	}
}

// A service that refuses this message is not asked again. Our key, the URL and the moment are
// no fault of the message.
func TestPermanentStatuses(t *testing.T) {
	for status, want := range map[int]bool{400: true, 409: true, 410: true, 413: true, 415: true, 422: true, 451: true,
		302: false, 401: false, 402: false, 403: false, 404: false, 405: false, 407: false, 408: false, 421: false, 423: false, 425: false,
		426: false, 429: false, 500: false, 502: false, 503: false, 504: false} {
		err := mustNew(t, Options{URL: start(t, &service{status: status})}).Send(t.Context(), message())
		if err == nil || contract.IsPermanent(err) != want {
			t.Errorf("%d: %v, permanent is %v", status, err, contract.IsPermanent(err))
		}
	}
	m := message()
	m.To = "a@example.com,b@example.com"
	if err := mustNew(t, Options{URL: start(t, &service{})}).Send(t.Context(), m); !contract.IsPermanent(err) {
		t.Errorf("a recipient that is none: %v", err)
	}
}

// quoting answers every request with an error that quotes it, as a careless transport,
// or net/http on a malformed answer, does.
type quoting struct {
	err func(r *http.Request, body string) error
}

func (q quoting) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	return nil, q.err(r, string(body))
}

func TestErrorsHoldNoSecret(t *testing.T) {
	malformed := listen(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 "+key+" SECRET-T SECRET-O\r\n\r\n")
	})
	location := &service{status: 302, header: http.Header{"Location": {"http://SECRET-T\x7f/" + key}}}
	tests := []struct {
		name string
		o    Options
		want string
	}{
		{"malformed answer", Options{URL: "http://" + malformed}, "notify: the service gave no usable answer"},
		{"malformed redirect", Options{URL: start(t, location)}, "notify: the service gave no usable answer"},
		{"careless transport", Options{URL: "http://localhost/?k=SECRET-K", Client: &http.Client{Transport: quoting{func(r *http.Request, body string) error {
			return fmt.Errorf("%s %v %v", body, r.Header, r.URL)
		}}}}, "notify: the service gave no usable answer"},
		{"no TLS", Options{URL: strings.Replace(start(t, &service{}), "http:", "https:", 1)}, "notify: the service gave no usable answer"},
		{"garbage instead of TLS", Options{URL: "https://" + listen(t, func(c net.Conn) {
			_, _ = io.WriteString(c, "SECRET-T and more")
		})}, "notify: the service does not speak TLS"},
		{"timeout of the client", Options{URL: "http://localhost/", Client: &http.Client{Transport: quoting{func(*http.Request, string) error {
			return &net.DNSError{Err: key, IsTimeout: true}
		}}}}, "notify: no answer in time"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := mustNew(t, tt.o).Send(t.Context(), message())
			if err == nil || err.Error() != tt.want {
				t.Errorf("err = %v, want %s", err, tt.want)
			}
		})
	}
}

// listen answers each connection once its request has begun.
func listen(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1))
			answer(c)
			c.Close()
		}
	}()
	return l.Addr().String()
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	err = mustNew(t, Options{URL: "http://" + l.Addr().String() + "/?k=SECRET-K"}).Send(t.Context(), message())
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("err = %v, want connection refused", err)
	}
	want := "notify: the service cannot be reached: dial tcp " + l.Addr().String() + ": connect: connection refused"
	if err == nil || err.Error() != want {
		t.Errorf("err = %v, want %s", err, want)
	}
}

func TestCertificateIsVerified(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request reached a server that nobody vouches for")
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	err := mustNew(t, Options{URL: server.URL}).Send(t.Context(), message())
	if err == nil || !strings.HasPrefix(err.Error(), "notify: the service cannot be trusted: ") {
		t.Errorf("err = %v", err)
	}
}

func TestGivesUp(t *testing.T) {
	entered := make(chan struct{}, 1)
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-release
	}))
	defer server.Close()
	defer close(release)

	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-entered; cancel() }()
	if err := mustNew(t, Options{URL: server.URL}).Send(ctx, message()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	err := mustNew(t, Options{URL: server.URL, Timeout: time.Millisecond}).Send(t.Context(), message())
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("timed out: %v", err)
	}
}

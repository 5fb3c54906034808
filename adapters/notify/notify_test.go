package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/sallyport-auth/sallyport/adapters/mailtext"
	"github.com/sallyport-auth/sallyport/core/contract"
)

const key = "SERVICE-KEY-1"

// service is a strict stand-in: it takes exactly the documented request, and nothing else.
type service struct {
	t      *testing.T
	status int
	answer string
	header http.Header
	got    []map[string]any
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != "/api/v1/notifications/send" {
		s.t.Errorf("%s %s", r.Method, r.URL.Path)
	}
	if got := r.Header.Values("X-Service-Key"); !reflect.DeepEqual(got, []string{key}) {
		s.t.Errorf("X-Service-Key = %q", got)
	}
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		s.t.Errorf("Content-Type = %q", got)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || r.ContentLength != int64(len(body)) {
		s.t.Errorf("read %d of %d bytes: %v", len(body), r.ContentLength, err)
	}
	var typed struct {
		Channel    string            `json:"channel"`
		AppID      string            `json:"appId"`
		Recipient  string            `json:"recipient"`
		Template   string            `json:"template"`
		Data       map[string]string `json:"data"`
		ExternalID string            `json:"externalId"`
	}
	strict := json.NewDecoder(bytes.NewReader(body))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&typed); err != nil || strict.More() {
		s.t.Errorf("body %s: %v", body, err)
	}
	got := map[string]any{}
	if err := json.Unmarshal(body, &got); err != nil {
		s.t.Error(err)
	}
	s.got = append(s.got, got)
	for k, v := range s.header {
		w.Header()[k] = v
	}
	w.WriteHeader(s.status)
	_, _ = io.WriteString(w, s.answer)
}

func start(t *testing.T, s *service) string {
	t.Helper()
	s.t = t
	if s.status == 0 {
		s.status = http.StatusAccepted
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL + "/api/v1/notifications/send"
}

func mustNew(t *testing.T, o Options) contract.Mailer {
	t.Helper()
	if o.ServiceKey == "" {
		o.ServiceKey = key
	}
	if o.AppID == "" {
		o.AppID = "sallyport"
	}
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func message() contract.Message {
	return contract.Message{
		Template: "verify-email", To: "ada@example.com",
		User: contract.MessageUser{ID: "u1", Name: "Ada", Email: "ada@example.com"},
		URL:  "https://app.example/verify?token=SECRET-T", Token: "SECRET-T", OTP: "SECRET-O",
		ExternalID: "job-1",
	}
}

func TestSend(t *testing.T) {
	type object = map[string]any
	tests := []struct {
		name    string
		channel string
		m       contract.Message
		want    object
	}{
		{"all", "", contract.Message{
			Template: "change-email", To: "ada@example.com", NewEmail: "new@example.com",
			User: contract.MessageUser{ID: "u1", Name: "Ada <x>", Email: "ada@example.com"},
			URL:  "https://app.example/?a=1&b=2", Token: "t", OTP: "1", ExternalID: "job-1",
			Data: map[string]string{"orgName": "Acme"},
		}, object{
			"channel": "email", "appId": "sallyport", "recipient": "ada@example.com",
			"template": "change-email", "externalId": "job-1",
			"data": object{
				"url": "https://app.example/?a=1&b=2", "token": "t", "otp": "1", "id": "u1",
				"newEmail": "new@example.com", "name": "Ada <x>", "email": "ada@example.com", "orgName": "Acme",
			},
		}},
		{"least", "", contract.Message{Template: "x", To: "ada@example.com"}, object{
			"channel": "email", "appId": "sallyport", "recipient": "ada@example.com", "template": "x", "data": object{},
		}},
		{"data cannot replace the message's own values", "", contract.Message{
			Template: "invitation", To: "bob@example.com", URL: "https://app.example/",
			User: contract.MessageUser{ID: "u1", Email: "ada@example.com"},
			Data: map[string]string{"id": "inv1", "url": "https://evil.example/", "email": "eve@example.com"},
		}, object{
			"channel": "email", "appId": "sallyport", "recipient": "bob@example.com", "template": "invitation",
			"data": object{"id": "inv1", "url": "https://app.example/", "email": "ada@example.com"},
		}},
		{"another channel", "webhook", contract.Message{Template: "sms", To: "+491234", OTP: "123456"}, object{
			"channel": "webhook", "appId": "sallyport", "recipient": "+491234", "template": "sms",
			"data": object{"otp": "123456"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &service{}
			m := mustNew(t, Options{URL: start(t, s), Channel: tt.channel})
			if err := m.Send(t.Context(), tt.m); err != nil {
				t.Fatal(err)
			}
			if want := []map[string]any{tt.want}; !reflect.DeepEqual(s.got, want) {
				t.Errorf("got  %v\nwant %v", s.got, want)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	for _, status := range []int{200, 201, 202, 204, 299} {
		if err := mustNew(t, Options{URL: start(t, &service{status: status})}).Send(t.Context(), message()); err != nil {
			t.Errorf("%d: %v", status, err)
		}
	}
	for _, status := range []int{300, 304, 400, 401, 404, 409, 413, 429, 500, 503} {
		s := &service{status: status}
		if status != 304 {
			s.answer = key + " SECRET-T SECRET-O"
		}
		err := mustNew(t, Options{URL: start(t, s)}).Send(t.Context(), message())
		want := fmt.Sprintf("notify: the service answered with status %d", status)
		if err == nil || err.Error() != want {
			t.Errorf("%d: %v, want %s", status, err, want)
		}
	}
}

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

// An answer without end must not hold the sender: 64 KiB are read, then it is dropped.
func TestEndlessAnswer(t *testing.T) {
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(gone)
		chunk := bytes.Repeat([]byte("x"), 32<<10)
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	if err := mustNew(t, Options{URL: server.URL}).Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	<-gone
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

func TestNewErrors(t *testing.T) {
	good := Options{URL: "https://notify.example/send", ServiceKey: key, AppID: "app"}
	tests := []struct {
		name   string
		change func(*Options)
		want   string // empty: no error
	}{
		{"https", func(*Options) {}, ""},
		{"http to localhost", func(o *Options) { o.URL = "http://localhost:3013/x" }, ""},
		{"http to 127.0.0.2", func(o *Options) { o.URL = "http://127.0.0.2/" }, ""},
		{"http to ::1", func(o *Options) { o.URL = "http://[::1]:3013/" }, ""},
		{"http allowed", func(o *Options) { o.URL, o.AllowHTTP = "http://notify:3013/", true }, ""},
		{"longest timeout", func(o *Options) { o.Timeout = 5 * time.Minute }, ""},
		{"http", func(o *Options) { o.URL = "http://notify:3013/" }, "notify: url must be https; http needs a loopback host or allowHttp"},
		{"http to a name like localhost", func(o *Options) { o.URL = "http://localhost.evil.example/" }, "notify: url must be https; http needs a loopback host or allowHttp"},
		{"http to 0.0.0.0", func(o *Options) { o.URL = "http://0.0.0.0/" }, "notify: url must be https; http needs a loopback host or allowHttp"},
		{"no url", func(o *Options) { o.URL = "" }, "notify: url is missing"},
		{"no scheme", func(o *Options) { o.URL = "notify.example/send" }, "notify: url is not an absolute https URL"},
		{"ftp", func(o *Options) { o.URL, o.AllowHTTP = "ftp://notify.example/", true }, "notify: url is not an absolute https URL"},
		{"no host", func(o *Options) { o.URL = "https:///send" }, "notify: url is not an absolute https URL"},
		{"broken", func(o *Options) { o.URL = "https://SECRET-K\x7f/" }, "notify: url is not an absolute https URL"},
		{"password in the url", func(o *Options) { o.URL = "https://u:SECRET-K@notify.example/" }, "notify: url must not hold user information or a fragment"},
		{"no key", func(o *Options) { o.ServiceKey = "" }, "notify: serviceKey is missing"},
		{"key of two lines", func(o *Options) { o.ServiceKey = "SECRET-K\r\nX: y" }, "notify: serviceKey must be visible ASCII characters without spaces"},
		{"long key", func(o *Options) { o.ServiceKey = strings.Repeat("k", 4097) }, "notify: serviceKey is longer than 4096 bytes"},
		{"no app", func(o *Options) { o.AppID = "" }, "notify: appId is missing"},
		{"negative timeout", func(o *Options) { o.Timeout = -1 }, "notify: timeout must be more than zero and at most 5m0s"},
		{"long timeout", func(o *Options) { o.Timeout = 5*time.Minute + 1 }, "notify: timeout must be more than zero and at most 5m0s"},
		{"everything at once", func(o *Options) { *o = Options{Timeout: -1} },
			"notify: url is missing\nnotify: serviceKey is missing\nnotify: appId is missing\nnotify: timeout must be more than zero and at most 5m0s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := good
			tt.change(&o)
			m, err := New(o)
			if got := fmt.Sprint(err); tt.want != "" && got != tt.want || tt.want == "" && err != nil {
				t.Errorf("err = %v, want %s", err, tt.want)
			}
			if (m == nil) != (tt.want != "") {
				t.Errorf("New returned %v with %v", m, err)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	m := mustNew(t, Options{URL: "https://notify.example/"}).(*mailer)
	if m.timeout != 10*time.Second || m.channel != "email" {
		t.Errorf("timeout %v, channel %q", m.timeout, m.channel)
	}
}

func TestYAML(t *testing.T) {
	const text = "url: https://n.example/\nallowHttp: true\nserviceKey: k\nappId: a\nchannel: c\ntimeout: 3s\n"
	var got Options
	if err := yaml.UnmarshalWithOptions([]byte(text), &got, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	want := Options{URL: "https://n.example/", AllowHTTP: true, ServiceKey: "k", AppID: "a", Channel: "c", Timeout: 3 * time.Second}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

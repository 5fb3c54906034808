package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

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

func TestLanguage(t *testing.T) {
	for wish, want := range map[string]any{
		"": nil, "*": nil, "de-CH,de;q=0.9,en;q=0.8": "de", "pt-BR,fr;q=0.5": "fr", "pt-BR,nl;q=0.5": "pt", "d\x00e": nil, "</b>": nil,
	} {
		s := &service{}
		m := message()
		m.Language, m.Data = wish, map[string]string{"language": "of a plugin"}
		if err := mustNew(t, Options{URL: start(t, s)}).Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		got := s.got[0]["data"].(map[string]any)["language"]
		if want == nil {
			want = "of a plugin"
		}
		if got != want {
			t.Errorf("%q: language %v, want %v", wish, got, want)
		}
	}
}

package smtp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	gosmtp "github.com/wneessen/go-mail/smtp"

	"github.com/sallyport-auth/sallyport/adapters/mailtext"
)

func TestNewErrors(t *testing.T) {
	const (
		host  = "smtp: host must be a name or an IP address"
		port  = "smtp: port must be 1 to 65535"
		from  = `smtp: from must be an address, or "Name <address>" with a name of at most 100 characters`
		creds = "smtp: username and password must not hold control characters or be longer than 4096 bytes"
		clear = `smtp: a password needs TLS: tls must not be "none" unless host is a loopback`
	)
	tests := []struct {
		name   string
		change func(*Options)
		want   string // empty: no error
	}{
		{"least", func(*Options) {}, ""},
		{"IPv6", func(o *Options) { o.Host = "::1" }, ""},
		{"container", func(o *Options) { o.Host = "mail_1" }, ""},
		{"name in from", func(o *Options) { o.From = `"Acme, Inc." <a@acme.example>` }, ""},
		{"password", func(o *Options) { o.Username, o.Password = "u", "p" }, ""},
		{"password in clear to this machine", func(o *Options) { o.Host, o.TLS, o.Username, o.Password = "127.0.0.2", None, "u", "p" }, ""},
		{"no host", func(o *Options) { o.Host = "" }, host},
		{"socket", func(o *Options) { o.Host = "unix:///run/smtp" }, host},
		{"host and port", func(o *Options) { o.Host = "mx.example:25" }, host},
		{"host of two lines", func(o *Options) { o.Host = "mx.example\r\n" }, host},
		{"long host", func(o *Options) { o.Host = strings.Repeat("a", 254) }, host},
		{"negative port", func(o *Options) { o.Port = -1 }, port},
		{"large port", func(o *Options) { o.Port = 65536 }, port},
		{"unknown tls", func(o *Options) { o.TLS = "always" }, `smtp: tls must be "mandatory", "opportunistic", "none" or "implicit"`},
		{"username alone", func(o *Options) { o.Username = "u" }, "smtp: username and password belong together"},
		{"password alone", func(o *Options) { o.Password = "SECRET" }, "smtp: username and password belong together"},
		{"NUL in username", func(o *Options) { o.Username, o.Password = "a\x00b", "SECRET" }, creds},
		{"line in password", func(o *Options) { o.Username, o.Password = "a", "SECRET\n" }, creds},
		{"long password", func(o *Options) { o.Username, o.Password = "a", strings.Repeat("p", 4097) }, creds},
		{"password in clear", func(o *Options) { o.TLS, o.Username, o.Password = None, "u", "SECRET" }, clear},
		{"no from", func(o *Options) { o.From = "" }, from},
		{"two from", func(o *Options) { o.From = "a@a.example, b@b.example" }, from},
		{"quoted from", func(o *Options) { o.From = `"a b"@a.example` }, from},
		{"header in from", func(o *Options) { o.From = "a@a.example\r\nBcc: b@b.example" }, from},
		{"header in an encoded name", func(o *Options) { o.From = "=?utf-8?q?A=0D=0ABcc:_b?= <a@a.example>" }, from},
		{"hello", func(o *Options) { o.Hello = "a b" }, "smtp: hello must be a domain"},
		{"negative timeout", func(o *Options) { o.Timeout = -1 }, "smtp: timeout must be more than zero and at most 10m0s"},
		{"long timeout", func(o *Options) { o.Timeout = 10*time.Minute + 1 }, "smtp: timeout must be more than zero and at most 10m0s"},
		{"no verification", func(o *Options) { o.TLSConfig = &tls.Config{InsecureSkipVerify: true} }, "smtp: TLSConfig must not skip the verification of certificates; set RootCAs"},
		{"old TLS", func(o *Options) { o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS11} }, "smtp: TLSConfig must not allow versions before TLS 1.2"},
		{"only old TLS", func(o *Options) { o.TLSConfig = &tls.Config{MaxVersion: tls.VersionTLS11} }, "smtp: TLSConfig must not allow versions before TLS 1.2"},
		{"template", func(o *Options) { o.Text.AppName = "a\nb" }, "smtp: mailtext: appName must be one line of at most 100 characters"},
		{"several", func(o *Options) { *o = Options{Port: -1} }, host + "\n" + port + "\n" + from},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{Host: "mx.example", From: "no-reply@acme.example"}
			tt.change(&o)
			m, err := New(o)
			if tt.want == "" && err != nil || tt.want != "" && fmt.Sprint(err) != tt.want {
				t.Errorf("err = %v, want %s", err, tt.want)
			}
			if (m == nil) != (tt.want != "") {
				t.Errorf("New returned %v with %v", m, err)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	for policy, port := range map[TLS]int{"": 587, Mandatory: 587, Opportunistic: 587, Implicit: 465, None: 25} {
		m := mustNew(t, Options{Host: "mx.example", From: "A <a@acme.example>", TLS: policy}).(*mailer)
		if m.o.Port != port || m.o.Timeout != 30*time.Second || m.o.Hello != "acme.example" {
			t.Errorf("%q: port %d, timeout %v, hello %q", policy, m.o.Port, m.o.Timeout, m.o.Hello)
		}
		if m.tls.MinVersion != tls.VersionTLS12 || m.tls.ServerName != "mx.example" || m.tls.InsecureSkipVerify {
			t.Errorf("%q: TLS from %x, name %q", policy, m.tls.MinVersion, m.tls.ServerName)
		}
	}
	own := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: "other.example"}
	m := mustNew(t, Options{Host: "mx.example", From: "a@acme.example", TLSConfig: own, Hello: "app.example"}).(*mailer)
	if m.tls == own || m.tls.MinVersion != tls.VersionTLS13 || m.tls.ServerName != "other.example" || m.o.Hello != "app.example" {
		t.Errorf("own values were lost: %x %q %q", m.tls.MinVersion, m.tls.ServerName, m.o.Hello)
	}
}

// The password waits for TLS whatever the server offers, and whatever TLS was asked for.
func TestPasswordNeedsTLS(t *testing.T) {
	tests := []struct {
		host string
		tls  bool
		want error
	}{
		{"mx.example", false, errPlaintext},
		{"localhost.evil.example", false, errPlaintext},
		{"10.0.0.1", false, errPlaintext},
		{"mx.example", true, nil},
		{"localhost", false, nil},
		{"127.0.0.2", false, nil},
		{"::1", false, nil},
	}
	for _, tt := range tests {
		for _, mechanism := range []string{"PLAIN", "LOGIN"} {
			a := &auth{username: "u", password: "p", host: tt.host}
			got, initial, err := a.Start(&gosmtp.ServerInfo{Name: tt.host, TLS: tt.tls, Auth: []string{mechanism}})
			if !errors.Is(err, tt.want) {
				t.Errorf("%s, TLS %v: %v, want %v", tt.host, tt.tls, err, tt.want)
			}
			if tt.want != nil && (got != "" || initial != nil) {
				t.Errorf("%s, TLS %v: sent %q %q", tt.host, tt.tls, got, initial)
			}
			if tt.want == nil && got != mechanism {
				t.Errorf("%s, TLS %v: %q, want %q", tt.host, tt.tls, got, mechanism)
			}
		}
	}
}

func TestYAML(t *testing.T) {
	const text = "host: h\nport: 25\ntls: none\nusername: u\npassword: p\nfrom: f\nhello: e\ntimeout: 3s\ntext:\n  appName: A\n  dir: mails\n"
	var got Options
	if err := yaml.UnmarshalWithOptions([]byte(text), &got, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	want := Options{
		Host: "h", Port: 25, TLS: None, Username: "u", Password: "p", From: "f", Hello: "e", Timeout: 3 * time.Second,
		Text: mailtext.Options{AppName: "A", Dir: "mails"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

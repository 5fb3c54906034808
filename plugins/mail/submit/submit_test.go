package submit

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// certificate is one for 127.0.0.1, and the pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// relay answers one session after the other, and notes the lines it gets with whether they
// were encrypted.
func relay(t *testing.T, cert tls.Certificate, implicit, starttls bool) (port int, got chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	got = make(chan string, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if implicit {
				c = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
			}
			talk(c, cert, implicit, starttls, got)
			c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port, got
}

func talk(c net.Conn, cert tls.Certificate, encrypted, starttls bool, got chan<- string) {
	say := func(s string) { fmt.Fprint(c, s+"\r\n") }
	say("220 relay")
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		got <- fmt.Sprint(encrypted, " ", line)
		switch verb, _, _ := strings.Cut(line, " "); verb {
		case "EHLO":
			if starttls {
				say("250-relay\r\n250-STARTTLS\r\n250 AUTH PLAIN")
			} else {
				say("250-relay\r\n250 AUTH PLAIN")
			}
		case "STARTTLS":
			say("220 go on")
			c = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
			r, encrypted = bufio.NewReader(c), true
		case "AUTH":
			say("235 yes")
		case "DATA":
			say("354 go on")
		case ".":
			say("250 taken")
		case "MAIL", "RCPT":
			say("250 ok")
		case "QUIT":
			say("221 bye")
			return
		}
	}
}

// A password and a mail leave over TLS alone, and only to who proves to be the relay.
func TestTLS(t *testing.T) {
	cert, pool := certificate(t)
	trusted := &tls.Config{RootCAs: pool}
	for name, c := range map[string]struct {
		implicit, starttls bool
		o                  Options
		wrong              string
	}{
		"starttls":               {false, true, Options{TLSConfig: trusted}, ""},
		"implicit":               {true, false, Options{TLS: "implicit", TLSConfig: trusted}, ""},
		"no starttls":            {false, false, Options{TLSConfig: trusted}, "offers no STARTTLS"},
		"unknown authority":      {false, true, Options{}, "certificate"},
		"implicit, unknown":      {true, false, Options{TLS: "implicit"}, "certificate"},
		"implicit, not at all":   {false, false, Options{TLS: "implicit", TLSConfig: trusted}, "not SMTP"},
		"none to a loopback":     {false, false, Options{TLS: "none"}, ""},
		"another name":           {false, true, Options{TLSConfig: &tls.Config{RootCAs: pool, ServerName: "other.example"}}, "certificate"},
		"as user over starttls":  {false, true, Options{TLSConfig: trusted, AsUser: true}, ""},
		"with own over starttls": {false, true, Options{TLSConfig: trusted, Username: "relay", Password: "secret"}, ""},
	} {
		o := c.o
		var got chan string
		o.Host = "127.0.0.1"
		o.Port, got = relay(t, cert, c.implicit, c.starttls)
		r, err := New(o, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		err = r.Send(t.Context(), Mail{From: "ada@mail.example", To: []string{"bob@example.com"}, Data: []byte("Subject: x\r\n\r\n.x\r\n"), Username: "ada", Password: "hers"})
		close := make([]string, 0, 20)
		for len(got) > 0 {
			close = append(close, <-got)
		}
		all := strings.Join(close, "\n")
		auth := map[bool]string{true: base64.StdEncoding.EncodeToString([]byte("\x00ada\x00hers")), false: base64.StdEncoding.EncodeToString([]byte("\x00relay\x00secret"))}
		switch {
		case c.wrong != "":
			if err == nil || !strings.Contains(err.Error(), c.wrong) || Uncertain(err) || strings.Contains(all, "MAIL") || strings.Contains(all, "AUTH PLAIN") {
				t.Errorf("%s: %v\n%s", name, err, all)
			}
		case err != nil:
			t.Errorf("%s: %v\n%s", name, err, all)
		case o.TLS != "none" && (!strings.Contains(all, "true MAIL FROM:<ada@mail.example>") || !strings.Contains(all, "true ..x")):
			t.Errorf("%s:\n%s", name, all)
		case (o.AsUser || o.Username != "") != strings.Contains(all, "true AUTH PLAIN "+auth[o.AsUser]):
			t.Errorf("%s:\n%s", name, all)
		case strings.Contains(all, "EHLO localhost"):
			t.Errorf("%s: it names its own host:\n%s", name, all)
		}
	}
}

// No address makes a connection that is none: CVE-2025-59937.
func TestAddresses(t *testing.T) {
	r, err := New(Options{Host: "127.0.0.1", Port: 1, TLS: "none"}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "x", "a@b.co\r\nRCPT TO:<c@d.co>", "a@b.co> X", "<a@b.co>", `"a b"@c.co`} {
		for _, m := range []Mail{{From: bad, To: []string{"a@b.co"}}, {From: "a@b.co", To: []string{"a@b.co", bad}}} {
			if err := r.Send(t.Context(), m); !errors.Is(err, contract.ErrAddress) {
				t.Errorf("%q: %v", bad, err)
			}
		}
	}
}

// A relay that does not speak is given up when the context ends.
func TestSilence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := New(Options{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: "none"}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := r.Send(ctx, Mail{From: "a@b.co", To: []string{"c@d.co"}}); !errors.Is(err, context.Canceled) || Uncertain(err) {
		t.Error(err)
	}
}

func TestFaults(t *testing.T) {
	for want, o := range map[string]Options{
		"is none of mandatory":      {Host: "relay.example", TLS: "opportunistic"},
		"port: want 1":              {Host: "relay.example", Port: 70000},
		"host: want a name":         {Host: "relay.example:25"},
		"travel in the open":        {Host: "relay.example", TLS: "none"},
		"belong together":           {Host: "relay.example", Username: "x"},
		"password and passwordFile": {Host: "relay.example", Username: "x", Password: "y", PasswordFile: "z"},
		"passwordFile: open":        {Host: "relay.example", Username: "x", PasswordFile: "/none"},
		"username and asUser":       {Host: "relay.example", Username: "x", Password: "y", AsUser: true},
	} {
		if _, err := New(o, time.Second); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	for port, o := range map[int]Options{587: {Host: "::1"}, 465: {Host: "relay", TLS: "implicit"}, 25: {Host: "localhost", TLS: "none"}} {
		if r, err := New(o, time.Second); err != nil || r.o.Port != port {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

package cyrus

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/client"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// start starts a Cyrus server on loopback. It needs Debian's cyrus-imapd, cyrus-caldav and
// sasl2-bin, and root, without whom Cyrus's master cannot run.
func start(t *testing.T) (dir, imapAddr string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("Cyrus's master only runs as root: start the tests as root to have this one")
	}
	if _, err := exec.LookPath("saslpasswd2"); err != nil {
		t.Fatal("Cyrus is needed: apt-get install cyrus-imapd cyrus-caldav sasl2-bin")
	}
	dir, err := os.MkdirTemp("", "cyrus")
	if err != nil {
		t.Fatal(err)
	}
	http, imapPort := adaptertest.FreePort(t), adaptertest.FreePort(t)
	script := "../../../scripts/cyrus"
	if out, err := exec.Command(script, "start", dir, http, imapPort).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command(script, "stop", dir).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		os.RemoveAll(dir)
	})
	imapAddr = "127.0.0.1:" + imapPort
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) { // it says nowhere that it listens
		conn, err := net.Dial("tcp", imapAddr)
		if err == nil {
			conn.Close()
			return dir, imapAddr
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// signIn tells whether an account can sign in, and lists its folders.
func signIn(addr, name, password string) (folders []string, err error) {
	c, err := client.Dial(addr)
	if err != nil {
		return nil, err
	}
	defer c.Logout() //nolint:errcheck // of a test
	if err := c.Login(name, password); err != nil {
		return nil, err
	}
	_, err = c.Select("INBOX", true)
	return nil, err
}

// TestCyrus makes, completes and deletes mailboxes on a real server.
func TestCyrus(t *testing.T) {
	dir, addr := start(t)
	p, err := New(Options{Address: addr, TLS: "none", Admin: "cyrus", Password: "cyrus", Folders: []string{"Sent", "Trash"},
		PasswordCommand: []string{"saslpasswd2", "-p", "-c", "-f", filepath.Join(dir, "sasldb2"), "{name}"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	taken := func(name, owner string, want bool) {
		t.Helper()
		if got, err := p.Taken(ctx, name, owner); err != nil || got != want {
			t.Errorf("%s is taken from %s: %v, %v", name, owner, got, err)
		}
	}
	ada := contract.Mailbox{Name: "ada", Address: "ada@example.com", Password: "correct horse", Owner: "u1"}
	taken("ada", "u1", false)
	for range 2 { // what an earlier try has left is completed
		if id, err := p.Create(ctx, ada); err != nil || id != "ada" {
			t.Fatalf("%q, %v", id, err)
		}
	}
	taken("ada", "u1", false)
	taken("ada", "u2", true)
	if _, err := signIn(addr, "ada", "correct horse"); err != nil {
		t.Errorf("signing in: %v", err)
	}
	if _, err := p.Create(ctx, contract.Mailbox{Name: "ada", Password: "x", Owner: "u2"}); err == nil || !strings.Contains(err.Error(), "somebody else") {
		t.Errorf("somebody else's: %v", err)
	}
	if err := p.Delete(ctx, "ada", "u2"); err == nil || !strings.Contains(err.Error(), "somebody else") {
		t.Errorf("deleting somebody else's: %v", err)
	}
	for range 2 {
		if err := p.Delete(ctx, "ada", "u1"); err != nil {
			t.Errorf("deleting: %v", err)
		}
	}
	taken("ada", "u2", false)
	for _, name := range []string{"", "a/b", "a*", "a%", "a\"b", "a\r\nb"} {
		if _, err := p.Create(ctx, contract.Mailbox{Name: name, Owner: "u1"}); err == nil {
			t.Errorf("%q was made", name)
		}
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := p.Taken(gone, "ada", "u1"); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that is gone: %v", err)
	}
	wrong, err := New(Options{Address: addr, TLS: "none", Admin: "cyrus", Password: "secret of the admin"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.Taken(ctx, "ada", "u1"); err == nil || strings.Contains(err.Error(), "secret of the admin") {
		t.Errorf("with a wrong password: %v", err)
	}
}

// A server that does not speak, or speaks nonsense, ends within the time-out.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, err := New(Options{Address: l.Addr().String(), TLS: "none", Admin: "a", Password: "b"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Taken(ctx, "ada", "u1"); err == nil {
		t.Error("it answered")
	}
}

func TestFaults(t *testing.T) {
	good := Options{Address: "imap.internal:993", Admin: "cyrus", Password: "x"}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Options){
		"want host:port":           func(o *Options) { o.Address = "imap.internal" },
		"travel in the open":       func(o *Options) { o.TLS = "none" },
		"is none of implicit":      func(o *Options) { o.TLS = "tls" },
		"an administrator's name":  func(o *Options) { o.Admin = "" },
		"give one of them":         func(o *Options) { o.PasswordFile = "x" },
		"is not a slash or":        func(o *Options) { o.Separator = "|" },
		"must not be negative":     func(o *Options) { o.Timeout = -1 },
		"passwordFile: open none:": func(o *Options) { o.Password, o.PasswordFile = "", "none" },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

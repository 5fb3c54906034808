package mail

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap"
	"github.com/emersion/go-imap/client"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/mailprovisioning"
	"github.com/sallyport-auth/sallyport/plugins/mailprovisioning/cyrus"
	"github.com/sallyport-auth/sallyport/plugintest"
)

type m = plugintest.M

// mailServer is a real Cyrus on loopback.
type mailServer struct {
	dir, http, imap string
	boxes           *spy
}

// spy is a plugin that lets a test ask for users' credentials.
type spy struct{ boxes contract.Mailboxes }

func (s *spy) Spec() core.Spec {
	return core.Spec{ID: "spy", Needs: []core.Need{core.Require(&s.boxes)}}
}

const cyrusScript = "../../scripts/cyrus"

// startCyrus starts it. It needs Debian's cyrus-imapd, cyrus-caldav and sasl2-bin, and root,
// without whom Cyrus's master cannot run.
func startCyrus(t *testing.T) *mailServer {
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
	s := &mailServer{dir: dir, http: adaptertest.FreePort(t), imap: adaptertest.FreePort(t)}
	if out, err := exec.Command(cyrusScript, "start", dir, s.http, s.imap).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command(cyrusScript, "stop", dir).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		os.RemoveAll(dir)
	})
	for _, port := range []string{s.http, s.imap} {
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) { // it says nowhere that it listens
			conn, err := net.Dial("tcp", "127.0.0.1:"+port)
			if err == nil {
				conn.Close()
				break
			}
			if time.Now().After(end) {
				t.Fatal(err)
			}
		}
	}
	return s
}

// plugins are the two that work together, with this server.
func (s *mailServer) plugins(relay *relayServer) []core.Plugin {
	boxes := mailprovisioning.New(mailprovisioning.Options{Domain: "mail.example", When: "created", Cyrus: cyrus.Options{
		Address: "127.0.0.1:" + s.imap, TLS: "none", Timeout: time.Minute, Admin: "cyrus", Password: "cyrus",
		PasswordCommand: []string{"saslpasswd2", "-p", "-c", "-f", filepath.Join(s.dir, "sasldb2"), "{name}"}}})
	return []core.Plugin{boxes, New(Options{URL: "http://127.0.0.1:" + s.http, Timeout: time.Minute, SMTP: relay.options()})}
}

// put delivers a mail by IMAP APPEND as the user.
func (s *mailServer) put(t *testing.T, who *plugintest.Client, folder, text string) {
	t.Helper()
	cred, err := s.boxes.boxes.Credentials(t.Context(), who.UserID)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial("127.0.0.1:" + s.imap)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Logout() //nolint:errcheck // of a test
	if err := c.Login(cred.Name, cred.Password); err != nil {
		t.Fatal(err)
	}
	if err := c.Append(folder, nil, time.Time{}, strings.NewReader(strings.ReplaceAll(text, "\n", "\r\n"))); err != nil {
		t.Fatal(err)
	}
}

// inboxes is how many mailboxes of that name an administrator sees.
func (s *mailServer) inboxes(t *testing.T, name string) (n int) {
	t.Helper()
	c, err := client.Dial("127.0.0.1:" + s.imap)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Logout() //nolint:errcheck // of a test
	if err := c.Login("cyrus", "cyrus"); err != nil {
		t.Fatal(err)
	}
	list := make(chan *imap.MailboxInfo, 100)
	if err := c.List("", name+"*", list); err != nil {
		t.Fatal(err)
	}
	for range list {
		n++
	}
	return n
}

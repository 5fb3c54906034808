package smtp

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// server is a strict SMTP server: it takes exactly the commands that RFC 5321 allows at
// each point, with CRLF at the end of every line, and fails the test on anything else.
type server struct {
	// What differs from a server that offers STARTTLS and takes every mail.
	implicit   bool              // TLS from the first byte
	noSTARTTLS bool              // do not offer STARTTLS
	mechanisms string            // AUTH line, offered as written; empty: no AUTH
	replies    map[string]string // what to answer to a verb instead; "" hangs up
	lenient    bool              // hang up on a malformed line without failing the test
	onDATA     func()            // runs once DATA was received, before hanging up

	t    *testing.T
	tls  *tls.Config
	port int
	done sync.WaitGroup

	mu          sync.Mutex
	connections int
	commands    []string // what was received; "-- TLS" where encryption began
	mails       []received
}

type received struct {
	from, to, data string
	encrypted      bool
	user           string
}

const (
	username = "mailer"
	password = "SECRET-PASSWORD"
)

// certificate borrows httptest's, which is for 127.0.0.1 and example.com. The second
// result trusts it.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	roots := s.Certificate()
	client = &tls.Config{RootCAs: newPool(roots)}
	return &tls.Config{Certificates: s.TLS.Certificates}, client
}

func (s *server) start(t *testing.T) *server {
	t.Helper()
	s.t = t
	s.tls, _ = certificate(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	s.done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.connections++
			s.mu.Unlock()
			s.done.Go(func() { defer c.Close(); s.serve(c) })
		}
	})
	t.Cleanup(func() { l.Close(); s.done.Wait() })
	return s
}

// log returns the commands so far.
func (s *server) log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}

// inbox returns the mails that the server has taken.
func (s *server) inbox() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// connected returns how many connections were made.
func (s *server) connected() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

// session is one connection.
type session struct {
	s         *server
	c         net.Conn
	r         *bufio.Reader
	encrypted bool
	user      string
	mail      received
	state     string // what is open: "", "EHLO", "MAIL", "RCPT"
}

func (s *server) serve(c net.Conn) {
	x := &session{s: s, c: c, r: bufio.NewReader(c)}
	if s.implicit && !x.encrypt() {
		return
	}
	if !x.reply("greeting", "220 mx.example ESMTP") {
		return
	}
	for {
		line, ok := x.line()
		if !ok {
			return
		}
		s.mu.Lock()
		s.commands = append(s.commands, line)
		s.mu.Unlock()
		if !x.command(line) {
			return
		}
	}
}

// line reads one line. A bare CR or LF, a NUL and a byte outside ASCII are faults.
func (x *session) line() (string, bool) {
	line, err := x.r.ReadString('\n')
	if err != nil {
		return "", false
	}
	text, ok := strings.CutSuffix(line, "\r\n")
	if !ok || strings.ContainsAny(text, "\r\x00") || strings.ContainsFunc(text, func(r rune) bool { return r > '~' }) || len(line) > 1000 {
		if !x.s.lenient {
			x.s.t.Errorf("received the line %q", line)
		}
		return "", false
	}
	return text, true
}

// reply answers a step with text, or with what the test put in its place.
func (x *session) reply(step, text string) bool {
	if instead, ok := x.s.replies[step]; ok {
		if instead == "" {
			return false
		}
		text = instead
	}
	_, err := io.WriteString(x.c, strings.ReplaceAll(text, "\n", "\r\n")+"\r\n")
	return err == nil
}

func (x *session) encrypt() bool {
	c := tls.Server(x.c, x.s.tls)
	if c.Handshake() != nil {
		return false
	}
	x.c, x.r, x.encrypted, x.state = c, bufio.NewReader(c), true, ""
	x.s.mu.Lock()
	x.s.commands = append(x.s.commands, "-- TLS")
	x.s.mu.Unlock()
	return true
}

var (
	mailCommand = regexp.MustCompile(`^MAIL FROM:<([^<>\s"]+@[^<>\s"]+)>$`)
	rcptCommand = regexp.MustCompile(`^RCPT TO:<([^<>\s"]+@[^<>\s"]+)>$`)
	ehloCommand = regexp.MustCompile(`^EHLO [a-z0-9.-]+$`)
)

func (x *session) command(line string) bool {
	verb, _, _ := strings.Cut(line, " ")
	switch {
	case ehloCommand.MatchString(line) && x.state == "":
		x.state = "EHLO"
		return x.reply("EHLO", x.extensions())
	case line == "STARTTLS" && x.state == "EHLO" && !x.encrypted && !x.s.noSTARTTLS:
		if !x.reply("STARTTLS", "220 go ahead") {
			return false
		}
		if _, scripted := x.s.replies["STARTTLS"]; scripted {
			return true
		}
		return x.encrypt()
	case verb == "AUTH" && x.state == "EHLO" && x.user == "":
		return x.auth(line)
	case mailCommand.MatchString(line) && x.state == "EHLO":
		x.state, x.mail = "MAIL", received{from: mailCommand.FindStringSubmatch(line)[1], encrypted: x.encrypted, user: x.user}
		return x.reply(verb, "250 ok")
	case rcptCommand.MatchString(line) && x.state == "MAIL":
		x.state, x.mail.to = "RCPT", rcptCommand.FindStringSubmatch(line)[1]
		return x.reply(verb, "250 ok")
	case line == "DATA" && x.state == "RCPT":
		return x.data()
	case line == "RSET" || line == "*":
		return x.reply(verb, "250 ok")
	case line == "QUIT":
		x.reply(verb, "221 bye")
		return false
	}
	x.s.t.Errorf("%q is not allowed after %q", line, x.state)
	return false
}

func (x *session) extensions() string {
	lines := []string{"mx.example"}
	if !x.encrypted && !x.s.noSTARTTLS {
		lines = append(lines, "STARTTLS")
	}
	if x.s.mechanisms != "" {
		lines = append(lines, "AUTH "+x.s.mechanisms)
	}
	lines = append(lines, "SMTPUTF8", "ENHANCEDSTATUSCODES")
	for i := range lines[1:] {
		lines[i] = "250-" + lines[i]
	}
	lines[len(lines)-1] = "250 " + lines[len(lines)-1]
	return strings.Join(lines, "\n")
}

func (x *session) auth(line string) bool {
	encode := base64.StdEncoding.EncodeToString
	good := false
	switch line {
	case "AUTH PLAIN " + encode([]byte("\x00"+username+"\x00"+password)):
		good = true
	case "AUTH LOGIN":
		x.reply("", "334 "+encode([]byte("Username:")))
		user, ok := x.line()
		x.reply("", "334 "+encode([]byte("Password:")))
		pass, ok2 := x.line()
		good = ok && ok2 && user == encode([]byte(username)) && pass == encode([]byte(password))
	}
	if !good {
		return x.reply("AUTH", "535 no, not "+line)
	}
	x.user = username
	return x.reply("AUTH", "235 welcome")
}

func (x *session) data() bool {
	if x.s.onDATA != nil {
		x.s.onDATA()
		// The client is to hang up by itself: wait for that, and for nothing else.
		_, _ = x.r.ReadByte()
		return false
	}
	if !x.reply("DATA", "354 go ahead") {
		return false
	}
	if instead, ok := x.s.replies["DATA"]; ok && !strings.HasPrefix(instead, "354") {
		return true
	}
	var b strings.Builder
	for {
		line, ok := x.line()
		if !ok {
			return false
		}
		if line == "." {
			break
		}
		b.WriteString(strings.TrimPrefix(line, ".") + "\n") // RFC 5321 section 4.5.2
	}
	x.mail.data = b.String()
	if !x.reply("content", "250 queued") {
		return false
	}
	x.s.mu.Lock()
	x.s.mails = append(x.s.mails, x.mail)
	x.s.mu.Unlock()
	x.state = "EHLO"
	return true
}

func (r received) String() string {
	return fmt.Sprintf("from %s to %s encrypted %v user %q", r.from, r.to, r.encrypted, r.user)
}

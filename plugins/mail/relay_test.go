package mail

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/plugins/mail/submit"
)

// relayServer is an SMTP server in this process. replies answers a command, by its verb or
// "content", other than usual; empty hangs up.
type relayServer struct {
	port    int
	mu      sync.Mutex
	replies map[string]string
	got     []delivered
}

type delivered struct {
	from string
	to   []string
	data string
}

func startRelay(t testing.TB) *relayServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &relayServer{port: l.Addr().(*net.TCPAddr).Port, replies: map[string]string{}}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c)
		}
	}()
	return s
}

func (s *relayServer) options() submit.Options {
	if s == nil {
		return submit.Options{}
	}
	return submit.Options{Host: "127.0.0.1", Port: s.port, TLS: "none"}
}

func (s *relayServer) reply(verb, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replies[verb] = text
}

func (s *relayServer) answer(c net.Conn, verb, usual string) bool {
	s.mu.Lock()
	text, other := s.replies[verb]
	s.mu.Unlock()
	if other {
		usual = text
	}
	if usual == "" {
		return false
	}
	_, err := fmt.Fprintf(c, "%s\r\n", usual)
	return err == nil
}

func (s *relayServer) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	var d delivered
	ok := s.answer(c, "greeting", "220 relay")
	for ok {
		l, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimRight(l, "\r\n"), " ")
		switch verb = strings.ToUpper(verb); verb {
		case "MAIL":
			d.from = rest
			ok = s.answer(c, verb, "250 ok")
		case "RCPT":
			d.to = append(d.to, rest)
			ok = s.answer(c, verb, "250 ok")
		case "DATA":
			if ok = s.answer(c, verb, "354 go on"); !ok {
				return
			}
			var b strings.Builder
			for {
				l, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if l == ".\r\n" {
					break
				}
				b.WriteString(l)
			}
			d.data = b.String()
			s.mu.Lock()
			s.got = append(s.got, d)
			s.mu.Unlock()
			d = delivered{}
			ok = s.answer(c, "content", "250 taken")
		case "QUIT":
			s.answer(c, verb, "221 bye")
			return
		default:
			ok = s.answer(c, verb, "250 ok")
		}
	}
}

func (s *relayServer) mails() []delivered {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]delivered(nil), s.got...)
}

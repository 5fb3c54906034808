package main

import (
	"bufio"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
)

// stage is where the sink breaks a connection.
type stage int

const (
	nowhere    stage = iota
	greeting         // it takes the connection, and says nothing until it is let go
	beforeData       // it hangs up on DATA
	inData           // it hangs up within the mail
	refusal          // it takes the mail, and answers 451
	afterDot         // it has taken the mail, and hangs up before it says so
	stages
)

// taken is one mail that the sink has got.
type taken struct {
	messageID, hello string
	answered         bool // the sender was told so, or at least the kernel took the answer
}

// sink is an SMTP server that takes only what RFC 5321 allows, and breaks connections where
// it is told to.
type sink struct {
	t       *testing.T
	port    int
	breaks  atomic.Pointer[func(n int) stage] // of the nth connection
	onHello atomic.Pointer[func(hello string)]
	onMail  atomic.Pointer[func(hello string, answer func())]
	let     chan struct{} // ends greeting

	mu    sync.Mutex
	ln    net.Listener
	conns map[net.Conn]bool
	n     int
	mails map[string][]*taken // by recipient, in order
	all   []*taken            // that were answered, in order
	hit   map[stage]int
}

func startSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{t: t, conns: map[net.Conn]bool{}, mails: map[string][]*taken{}, hit: map[stage]int{}, let: make(chan struct{})}
	s.listen("127.0.0.1:" + adaptertest.FreePort(t)) // it is to be had again by restart
	s.port = s.ln.Addr().(*net.TCPAddr).Port
	t.Cleanup(s.stop)
	return s
}

func (s *sink) listen(address string) {
	s.t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	s.ln = ln
	s.mu.Unlock()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns[c] = true
			n := s.n
			s.n++
			s.mu.Unlock()
			go func() {
				s.serve(c, n)
				c.Close()
				s.mu.Lock()
				delete(s.conns, c)
				s.mu.Unlock()
			}()
		}
	}()
}

// stop is the server's death: nobody listens, and every connection breaks wherever it is.
func (s *sink) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ln.Close()
	for c := range s.conns {
		c.Close()
	}
}

func (s *sink) restart() { s.t.Helper(); s.listen(fmt.Sprintf("127.0.0.1:%d", s.port)) }

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mails)
}

// snapshot returns what was taken by recipient, and how often it broke off at each stage.
func (s *sink) snapshot() (map[string][]*taken, map[stage]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.mails), maps.Clone(s.hit)
}

var (
	heloLine  = regexp.MustCompile(`^EHLO ([a-z0-9.-]+)$`)
	fromLine  = regexp.MustCompile(`^MAIL FROM:<no-reply@example\.com>$`)
	toLine    = regexp.MustCompile(`^RCPT TO:<([^<>\s]+)>$`)
	messageID = regexp.MustCompile(`^Message-ID: <([^<>]+)>$`)
)

// broken tells whether this connection ends at a stage.
func (s *sink) broken(at, here stage) bool {
	if at != here {
		return false
	}
	s.mu.Lock()
	s.hit[here]++
	s.mu.Unlock()
	return true
}

func (s *sink) serve(c net.Conn, n int) {
	at := nowhere
	if f := s.breaks.Load(); f != nil {
		at = (*f)(n)
	}
	if s.broken(at, greeting) {
		<-s.let
		return
	}
	r := bufio.NewReader(c)
	say := func(text string) bool { _, err := c.Write([]byte(text + "\r\n")); return err == nil }
	var hello, to string
	for ok := say("220 sink ESMTP"); ok; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSuffix(line, "\r\n")
		switch {
		case heloLine.MatchString(line) && hello == "":
			hello = heloLine.FindStringSubmatch(line)[1]
			if f := s.onHello.Load(); f != nil {
				(*f)(hello)
			}
			ok = say("250-sink\r\n250 ENHANCEDSTATUSCODES")
		case fromLine.MatchString(line) && hello != "":
			ok = say("250 2.1.0 ok")
		case toLine.MatchString(line) && to == "":
			to = toLine.FindStringSubmatch(line)[1]
			ok = say("250 2.1.5 ok")
		case line == "DATA" && to != "":
			if s.broken(at, beforeData) || !say("354 go ahead") || !s.data(r, at, hello, to, say) {
				return
			}
			to = ""
		case line == "QUIT":
			say("221 2.0.0 bye")
			return
		case hello == "": // not a sender of mails: somebody who means the port of an earlier server
			return
		default:
			s.t.Errorf("the sink got %q", line)
			return
		}
	}
}

func (s *sink) data(r *bufio.Reader, at stage, hello, to string, say func(string) bool) bool {
	id := ""
	for lines := 0; ; lines++ {
		line, err := r.ReadString('\n')
		if err != nil || lines == 5 && s.broken(at, inData) {
			return false
		}
		line = strings.TrimSuffix(line, "\r\n")
		if m := messageID.FindStringSubmatch(line); m != nil {
			id = m[1]
		}
		if line == "." {
			break
		}
	}
	if s.broken(at, refusal) {
		return say("451 4.3.0 not now")
	}
	s.mu.Lock()
	mail := &taken{messageID: id, hello: hello}
	s.mails[to] = append(s.mails[to], mail)
	s.mu.Unlock()
	if s.broken(at, afterDot) {
		return false
	}
	ok := false
	answer := func() { // noted before whoever answers goes on
		ok = say("250 2.0.0 queued")
		s.mu.Lock()
		defer s.mu.Unlock()
		if mail.answered = ok; ok {
			s.all = append(s.all, mail)
		}
	}
	if f := s.onMail.Load(); f != nil {
		(*f)(hello, answer)
	} else {
		answer()
	}
	return ok
}

// lastOf returns the n mails that a sender was told of last.
func (s *sink) lastOf(hello string, n int) (out []*taken) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range slices.Backward(s.all) {
		if m.hello == hello && len(out) < n {
			out = append(out, m)
		}
	}
	return out
}

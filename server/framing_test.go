package server

import (
	"fmt"
	"io"
	"net"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestFraming sends what two readers can take for different numbers of requests. None
// may reach the second one.
func TestFraming(t *testing.T) {
	ts := listening(t, nil)
	const next = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
	head := func(version string, lines ...string) string {
		return "POST /api/auth/sign-in/email HTTP/" + version + "\r\nHost: a\r\nContent-Type: application/json\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"
	}
	for _, tt := range []struct {
		name, request string
		statuses      string
	}{
		{"length and coding", head("1.1", "Content-Length: 5", "Transfer-Encoding: chunked") + "0\r\n\r\n" + next, "400"},
		{"coding and length", head("1.1", "transfer-encoding: chunked", "content-length: 5") + "0\r\n\r\n" + next, "400"},
		{"unknown coding", head("1.1", "Transfer-Encoding: xchunked") + "0\r\n\r\n" + next, "400"},
		{"coding behind a vertical tab", head("1.1", "Transfer-Encoding: \vchunked") + "0\r\n\r\n" + next, "400"},
		{"coding behind a carriage return", head("1.1", "Transfer-Encoding: chunked\r") + "0\r\n\r\n" + next, "400"},
		{"coding behind a tab", head("1.1", "Transfer-Encoding:\tchunked ") + "0\r\n\r\n" + next, "400 200"},
		{"two codings", head("1.1", "Transfer-Encoding: gzip, chunked") + "0\r\n\r\n" + next, "400"},
		{"coding twice", head("1.1", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + "0\r\n\r\n" + next, "400"},
		{"coding of identity", head("1.1", "Transfer-Encoding: identity", "Content-Length: 5") + "hello" + next, "400"},
		{"coding in HTTP/1.0", head("1.0", "Connection: keep-alive", "Transfer-Encoding: chunked") + "0\r\n\r\n" + next, "400"},
		{"two lengths", head("1.1", "Content-Length: 0", "Content-Length: 5") + "hello" + next, "400"},
		{"one length twice", head("1.1", "Content-Length: 5", "Content-Length: 5") + "hello" + next, "400"},
		{"too long", head("1.1", "Content-Length: 1000000") + "hello" + next, "413"},
		{"too long in chunks", head("1.1", "Transfer-Encoding: chunked") + "14000\r\n" + strings.Repeat(" ", 0x14000) + "\r\n0\r\n\r\n" + next, "413"},
		{"bad chunk", head("1.1", "Transfer-Encoding: chunked") + "zz\r\nhello\r\n0\r\n\r\n" + next, "400"},
		{"length", head("1.1", "Content-Length: 5") + "hello" + next, "400 200"},
		{"chunks", head("1.1", "Transfer-Encoding: Chunked") + "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n" + next, "400 200"},
		{"unread body", "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" + strings.Repeat("x", 20000) + next, "404 200"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn := &script{in: []string{tt.request}}
			_ = ts.App().Server().ServeConn(conn) // its error is how the connection ended
			var got []string
			for _, m := range regexp.MustCompile(`HTTP/1\.[01] (\d+)`).FindAllStringSubmatch(conn.out.String(), -1) {
				got = append(got, m[1])
			}
			if s := strings.Join(got, " "); s != tt.statuses {
				t.Errorf("answers %q, want %q:\n%s", s, tt.statuses, conn.out.String())
			}
		})
	}
}

// A length that is only announced must not cost its memory: a few hundred idle
// connections could take all there is.
func TestAnnouncedBodyCostsNothing(t *testing.T) {
	ts := listening(t, func(c *Config) { c.Core.MaxBody = 16 << 20 })
	for name, announced := range map[string]string{
		"length": fmt.Sprintf("Content-Length: %d\r\n\r\n{", 16<<20),
		"chunk":  fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n{", 16<<20),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			conn := &script{in: []string{"POST /api/auth/sign-in/email HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + announced},
				ended: func() { runtime.ReadMemStats(&after) }}
			runtime.ReadMemStats(&before)
			_ = ts.App().Server().ServeConn(conn)
			if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
				t.Errorf("%d bytes were allocated for one that came", n)
			}
		})
	}
}

// listening starts a server whose routes stand, which is when it answers the first request.
func listening(t *testing.T, change func(*Config)) *testServer {
	t.Helper()
	ts := startServer(t, change)
	if res, _ := raw(t, ts.addr, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"); res.StatusCode != 200 {
		t.Fatalf("healthz: %d", res.StatusCode)
	}
	return ts
}

// script is a connection that gives its texts one by one and then ends.
type script struct {
	in    []string
	out   strings.Builder
	ended func() // when the other side wants more than there is, once
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.in) == 0 {
		if s.ended != nil {
			s.ended()
			s.ended = nil
		}
		return 0, io.EOF
	}
	n := copy(p, s.in[0])
	if s.in[0] = s.in[0][n:]; s.in[0] == "" {
		s.in = s.in[1:]
	}
	return n, nil
}

func (s *script) Write(p []byte) (int, error)      { return s.out.Write(p) }
func (s *script) Close() error                     { return nil }
func (s *script) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (s *script) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2} }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

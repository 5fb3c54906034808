package core_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core"
)

// tripProxy stands between the driver and PostgreSQL and counts round trips: how often
// the client speaks after the server did.
type tripProxy struct {
	mu    sync.Mutex
	trips int
}

func (p *tripProxy) run(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	target := u.Host
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				client.Close()
				return
			}
			var turn sync.Mutex
			clientSpoke := false
			say := func(isClient bool) {
				turn.Lock()
				defer turn.Unlock()
				if isClient && !clientSpoke {
					p.mu.Lock()
					p.trips++
					p.mu.Unlock()
				}
				clientSpoke = isClient
			}
			go pipe(client, server, func() { say(true) })
			go pipe(server, client, func() { say(false) })
		}
	}()
	u.Host = l.Addr().String()
	return u.String()
}

func pipe(from, to net.Conn, said func()) {
	defer to.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			said()
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if err != io.EOF {
				from.Close()
			}
			return
		}
	}
}

func (p *tripProxy) count(fn func()) int {
	p.mu.Lock()
	p.trips = 0
	p.mu.Unlock()
	fn()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trips
}

// The budgets on the wire, through the driver that production uses: nothing is prepared
// or described in a trip of its own once the statements are known.
func TestTripsOnTheWire(t *testing.T) {
	p := &tripProxy{}
	db, err := postgres.Open(t.Context(), p.run(t, adaptertest.PostgresURL(t)), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	e := start(t, on(db), config(func(c *core.Config) { c.Email.SendOnSignUp = ptr(true) }))
	n := 0
	signUp := func() {
		n++
		e.client().signUp("u" + itoa(n) + "@example.com")
	}
	c := e.client().signUp("a@example.com")
	signIn := func() { c.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password}) }
	for range 5 { // every statement is known on the one connection that this uses
		signUp()
		signIn()
		c.user()
	}
	for _, tt := range []struct {
		name string
		want int
		do   func()
	}{
		{"get-session", 1, func() { c.user() }},
		{"sign-in", 3, signIn},
		{"sign-up", 4 + 2, signUp}, // beside BEGIN and COMMIT; without a mail it is one less
	} {
		if got := p.count(tt.do); got > tt.want || got == 0 {
			t.Errorf("%s: %d round trips, at most %d", tt.name, got, tt.want)
		}
	}
}

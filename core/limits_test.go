package core_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestRateLimits(t *testing.T) {
	for _, storage := range []string{"memory", "database"} {
		both(t, func(t *testing.T, db option) {
			e := start(t, db, config(func(c *core.Config) {
				c.RateLimit = core.RateLimitConfig{Enabled: ptr(true), Storage: storage, Rules: []core.RateLimit{{Paths: []string{"/ok"}, Max: 7, Window: 10}}}
			}))
			var got outcomes
			parallel(t, 50, func(int) { got.add(e.client().get("/ok")) })
			got.want(t, map[string]int{"200": 7, "429 TOO_MANY_REQUESTS": 43})
			e.clock.Add(9 * time.Second)
			a := e.client().get("/ok")
			if a.Status != 429 || a.Get("X-Retry-After") != "1" || a.Get("Retry-After") != "1" {
				t.Errorf("%d, X-Retry-After %q", a.Status, a.Get("X-Retry-After"))
			}
			e.clock.Add(time.Second)
			e.client().must(200, "GET", "/ok", nil)
			// Another address has its own count; another spelling of one has not.
			e.clock.Add(11 * time.Second)
			for i := range 8 {
				c := e.client()
				c.peer = addr(fmt.Sprintf("2001:db8:0:1::%d", i+1))
				if a := c.get("/ok"); (a.Status == 200) != (i < 7) {
					t.Errorf("address %d of one /64: %d", i, a.Status)
				}
			}
			c := e.client()
			c.peer = addr("2001:db8:0:2::1")
			c.must(200, "GET", "/ok", nil)
			c.peer = addr("::ffff:192.0.2.9")
			for range 7 {
				c.must(200, "GET", "/ok", nil)
			}
			c.peer = addr("192.0.2.9")
			if a := c.get("/ok"); a.Status != 429 {
				t.Errorf("an IPv4 address in IPv6 form has another count: %d", a.Status)
			}
		})
	}
}

// A limiter that cannot be asked does not let through.
func TestRateLimitFailsClosed(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.RateLimit = core.RateLimitConfig{Enabled: ptr(true), Storage: "database"} }))
	e.db.fail(refusing(broken("", ""), "rateLimit"))
	if a := e.client().get("/ok"); a.Status != 503 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

func TestDefaultRulesOfSignIn(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.RateLimit.Enabled = ptr(true) }))
	for i, path := range []string{"/sign-in/email", "/sign-up/email", "/change-password", "/change-email", "/request-password-reset", "/send-verification-email"} {
		c := e.client()
		c.peer = addr(fmt.Sprintf("192.0.2.%d", i+10))
		for n := 1; ; n++ {
			if a := c.post(path, m{}); a.Status == 429 {
				if n != 4 {
					t.Errorf("%s: %d requests passed, want 3", path, n-1)
				}
				break
			}
			if n > 100 {
				t.Errorf("%s has no limit", path)
				break
			}
		}
	}
}

// GHSA-3fxj-6jh8-hvhx and others: an address is read from a header only where the peer
// is a trusted proxy, from the right.
func TestClientAddress(t *testing.T) {
	for _, tt := range []struct {
		trusted   []string
		peer      string
		forwarded []string
		want      string
	}{
		{nil, "192.0.2.1", []string{"203.0.113.7"}, "192.0.2.1"},
		{[]string{"192.0.2.0/24"}, "192.0.2.1", []string{"203.0.113.7"}, "203.0.113.7"},
		{[]string{"192.0.2.0/24"}, "198.51.100.1", []string{"203.0.113.7"}, "198.51.100.1"},
		{[]string{"192.0.2.0/24"}, "192.0.2.1", []string{"1.2.3.4, 203.0.113.7, 192.0.2.2"}, "203.0.113.7"},
		{[]string{"192.0.2.0/24"}, "192.0.2.1", []string{"1.2.3.4", "203.0.113.7"}, "203.0.113.7"},
		{[]string{"192.0.2.0/24"}, "192.0.2.1", nil, ""}, // a proxy that does not say for whom
		{[]string{"192.0.2.0/24"}, "192.0.2.1", []string{"2001:DB8::1"}, "2001:0db8:0000:0000:0000:0000:0000:0000"},
	} {
		e := start(t, config(func(c *core.Config) { c.TrustedProxies = tt.trusted }))
		c := e.client()
		c.peer = addr(tt.peer)
		r := c.request("POST", "/sign-up/email", m{"name": "A", "email": "a@example.com", "password": password})
		r.header["X-Forwarded-For"], r.header["X-Real-IP"], r.header["True-Client-IP"], r.header["Forwarded"] =
			tt.forwarded, []string{"6.6.6.6"}, []string{"6.6.6.6"}, []string{"for=6.6.6.6"}
		if a := e.do(r); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		got := e.rows("SELECT {session:ipAddress} FROM {session}")
		if len(got) != 1 || got[0] != tt.want && !(strings.HasPrefix(tt.want, "2001") && strings.HasPrefix(got[0], "2001")) {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

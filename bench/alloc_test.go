//go:build !race

package bench

import (
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/sallyport-auth/sallyport/core"
)

// Allocations for one request through Fiber. The race detector adds its own, so this
// file is left out there.
func TestAllocations(t *testing.T) {
	for _, tt := range []struct {
		name   string
		most   float64
		change func(*core.Config)
		cookie bool
	}{
		{"get-session from the database", 60, nil, true},
		{"get-session with metrics", 60, withMetrics, true},
		{"get-session from the cookie cache", 55, func(c *core.Config) { c.Session.CookieCache = core.CookieCacheConfig{Enabled: true, MaxAge: 86400} }, true},
		{"get-session from memory", 32, withCache, true},
		{"get-session without a cookie", 20, nil, false},
	} {
		a := newApp(t, tt.change)
		cookie := a.signUp()
		if a.cached {
			a.hears()
		}
		if !tt.cookie {
			cookie = ""
		}
		r := request("GET", "/get-session", cookie, nil)
		var ctx fasthttp.RequestCtx
		got := testing.AllocsPerRun(500, func() {
			ctx.Response.Reset()
			a.do(&ctx, r)
		})
		if got > tt.most {
			t.Errorf("%s: %.0f allocations, at most %.0f", tt.name, got, tt.most)
		}
		t.Logf("%s: %.0f", tt.name, got)
	}
}

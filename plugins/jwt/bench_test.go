package jwt_test

import (
	"context"
	"net/netip"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/jwt"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// request is a GET request that can be served any number of times.
type request struct{ path, cookie string }

func (r request) Method() string   { return "GET" }
func (r request) Path() string     { return r.path }
func (r request) Query() string    { return "" }
func (r request) Peer() netip.Addr { return netip.MustParseAddr("198.51.100.7") }
func (r request) Header(name string) string {
	if name == "Cookie" {
		return r.cookie
	}
	return ""
}
func (r request) HeaderLines(name string) []string {
	if v := r.Header(name); v != "" {
		return []string{v}
	}
	return nil
}
func (r request) Body(int) ([]byte, error) { return nil, nil }

// BenchmarkToken is GET /token through the whole dispatcher on PostgreSQL, session read
// included, for each algorithm, and get-session with and without its header.
func BenchmarkToken(b *testing.B) {
	for _, x := range []struct {
		name, path string
		o          jwt.Options
	}{
		{"token/EdDSA", "/token", jwt.Options{}}, {"token/ES256", "/token", jwt.Options{Algorithm: "ES256"}},
		{"token/RS256", "/token", jwt.Options{Algorithm: "RS256"}}, {"get-session", "/get-session", jwt.Options{}},
		{"get-session/noHeader", "/get-session", jwt.Options{DisableHeader: true}}, {"jwks", "/jwks", jwt.Options{}},
	} {
		b.Run(x.name, func(b *testing.B) {
			h := plugintest.New(b, plugintest.Options{Plugins: []core.Plugin{jwt.New(x.o)}, Database: plugintest.Postgres})
			c := h.SignUp(alice)
			r := request{"/api/auth" + x.path, c.Headers().Get("Cookie")}
			if res := h.Auth.Serve(context.Background(), r); res.Status != 200 {
				b.Fatalf("%d %s", res.Status, res.Body)
			}
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if res := h.Auth.Serve(context.Background(), r); res.Status != 200 {
						b.Errorf("%d %s", res.Status, res.Body)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
		})
	}
}

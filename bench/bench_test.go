// Package bench measures whole requests through Fiber on PostgreSQL: parsing, dispatch,
// statements, hashing where there is some, and the answer.
package bench

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/adapters/prometheus"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/migrations"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	authfiber "github.com/sallyport-auth/sallyport/server/fiber"
)

const (
	origin   = "https://auth.example.com"
	email    = "ada@example.com"
	password = "correct horse battery"
)

// app is a Fiber app that is called without a socket.
type app struct {
	t       testing.TB
	auth    *core.Auth
	handler fasthttp.RequestHandler
	cached  bool // sessions are in the memory of the process
}

func newApp(b testing.TB, change func(*core.Config)) *app {
	b.Helper()
	ctx := context.Background()
	db, err := postgres.Open(ctx, adaptertest.PostgresURL(b), postgres.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	off := false
	cfg := core.Config{BaseURL: origin, Secret: "n9Yq3vT8wZ2rB6mK4xS7dF1gH5jL0pQa", Database: db, NoBackground: true,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), RateLimit: core.RateLimitConfig{Enabled: &off}}
	if change != nil {
		change(&cfg)
	}
	build := func(cfg core.Config) *core.Auth {
		cfg.Plugins = []core.Plugin{emailpassword.New(emailpassword.Options{})}
		auth, err := core.New(ctx, cfg)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = auth.Close(ctx) })
		return auth
	}
	first := cfg
	first.SkipVerify = true
	want, names, steps := build(first).Schema()
	if _, err := migrations.Apply(ctx, db, want, names, steps); err != nil {
		b.Fatal(err)
	}
	a := &app{t: b, auth: build(cfg), cached: cfg.Session.Cache.Enabled}
	f := fiber.New(fiber.Config{DisableStartupMessage: true, BodyLimit: 2 << 20})
	authfiber.Mount(f, a.auth)
	a.handler = f.Handler()
	return a
}

// request prepares a request; body is JSON or nil.
func request(method, path, cookie string, body any) *fasthttp.Request {
	r := &fasthttp.Request{}
	r.Header.SetMethod(method)
	r.SetRequestURI("/api/auth" + path)
	r.Header.SetHost("auth.example.com")
	r.Header.Set("Origin", origin)
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	if body != nil {
		raw, _ := json.Marshal(body)
		r.Header.SetContentType("application/json")
		r.SetBody(raw)
	}
	return r
}

var peer = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711}

// do serves a request in ctx, which a server would reuse in the same way.
func (a *app) do(ctx *fasthttp.RequestCtx, r *fasthttp.Request) {
	ctx.Init(r, peer, nil)
	a.handler(ctx)
	if s := ctx.Response.StatusCode(); s != 200 {
		a.t.Fatalf("%d %s", s, ctx.Response.Body())
	}
}

type input = map[string]any

// signUp makes the user and returns the cookies as a browser would send them.
func (a *app) signUp() string {
	var ctx fasthttp.RequestCtx
	a.do(&ctx, request("POST", "/sign-up/email", "", input{"name": "Ada", "email": email, "password": password}))
	var cookies []string
	ctx.Response.Header.VisitAllCookie(func(_, v []byte) {
		pair, _, _ := strings.Cut(string(v), ";")
		cookies = append(cookies, pair)
	})
	return strings.Join(cookies, "; ")
}

func (a *app) loop(b *testing.B, r *fasthttp.Request) {
	b.ReportAllocs()
	b.ResetTimer()
	var ctx fasthttp.RequestCtx
	for b.Loop() {
		ctx.Response.Reset()
		a.do(&ctx, r)
	}
}

// BenchmarkGetSession reads the session from the database.
func BenchmarkGetSession(b *testing.B) {
	a := newApp(b, nil)
	a.loop(b, request("GET", "/get-session", a.signUp(), nil))
}

// BenchmarkGetSessionObserved compares the same without and with metrics.
func BenchmarkGetSessionObserved(b *testing.B) {
	b.Run("off", func(b *testing.B) {
		a := newApp(b, nil)
		a.loop(b, request("GET", "/get-session", a.signUp(), nil))
	})
	b.Run("metrics", func(b *testing.B) {
		a := newApp(b, withMetrics)
		a.loop(b, request("GET", "/get-session", a.signUp(), nil))
	})
}

func withMetrics(c *core.Config) { c.Observer = prometheus.New(prometheus.Options{}) }

// BenchmarkGetSessionCached reads it from the cookie cache, by each form of it.
func BenchmarkGetSessionCached(b *testing.B) {
	for _, strategy := range []string{"compact", "jwt", "jwe"} {
		b.Run(strategy, func(b *testing.B) {
			a := newApp(b, func(c *core.Config) {
				c.Session.CookieCache = core.CookieCacheConfig{Enabled: true, Strategy: strategy, MaxAge: 86400}
			})
			a.loop(b, request("GET", "/get-session", a.signUp(), nil))
		})
	}
}

// BenchmarkGetSessionInMemory reads it from the memory of the process.
func BenchmarkGetSessionInMemory(b *testing.B) {
	a := newApp(b, withCache)
	cookie := a.signUp()
	a.hears()
	a.loop(b, request("GET", "/get-session", cookie, nil))
}

func withCache(c *core.Config) {
	c.NoBackground = false
	c.Session.Cache = core.SessionCacheConfig{Enabled: true, MaxAge: 900}
}

// hears waits until the session cache is believed.
func (a *app) hears() {
	for until := time.Now().Add(20 * time.Second); a.auth.Host().Stores().Cache.Failing; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			a.t.Fatal("the channel does not prove itself")
		}
	}
}

// BenchmarkGetSessionParallel reads it from the database by many at once.
func BenchmarkGetSessionParallel(b *testing.B) {
	a := newApp(b, nil)
	cookie := a.signUp()
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		var ctx fasthttp.RequestCtx
		r := request("GET", "/get-session", cookie, nil)
		for pb.Next() {
			ctx.Response.Reset()
			a.do(&ctx, r)
		}
	})
}

// BenchmarkNoSession answers null to who has no cookie.
func BenchmarkNoSession(b *testing.B) {
	a := newApp(b, nil)
	a.loop(b, request("GET", "/get-session", "", nil))
}

// kdfs are the production parameters, and ones that leave the rest of the request to be
// measured.
var kdfs = []struct {
	name string
	cfg  core.PasswordConfig
}{{"argon2id", core.PasswordConfig{}}, {"cheap", core.PasswordConfig{MemoryKiB: 8, Iterations: 1}}}

// BenchmarkSignIn signs in with the right password.
func BenchmarkSignIn(b *testing.B) {
	for _, kdf := range kdfs {
		b.Run(kdf.name, func(b *testing.B) {
			a := newApp(b, func(c *core.Config) { c.Password = kdf.cfg })
			a.signUp()
			a.loop(b, request("POST", "/sign-in/email", "", input{"email": email, "password": password}))
		})
	}
}

// BenchmarkSignUp makes a user, an account and a session.
func BenchmarkSignUp(b *testing.B) {
	for _, kdf := range kdfs {
		b.Run(kdf.name, func(b *testing.B) {
			a := newApp(b, func(c *core.Config) { c.Password = kdf.cfg })
			var n atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			var ctx fasthttp.RequestCtx
			for b.Loop() {
				ctx.Response.Reset()
				a.do(&ctx, request("POST", "/sign-up/email", "", input{"name": "Ada",
					"email": "u" + strconv.FormatInt(n.Add(1), 10) + "@example.com", "password": password}))
			}
		})
	}
}

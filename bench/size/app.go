package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/migrations"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugins/organization"
	authfiber "github.com/sallyport-auth/sallyport/server/fiber"
)

const (
	origin   = "https://auth.example.com"
	secret   = "n9Yq3vT8wZ2rB6mK4xS7dF1gH5jL0pQa"
	password = "correct horse battery"
)

// cheapHash keeps hashing out of what is measured: parameters that no app should use.
var cheapHash = core.PasswordConfig{MemoryKiB: 8, Iterations: 1, Parallelism: 1}

// site is a database with two Auths on it that are called without a socket.
type site struct {
	amounts
	name string
	db   *sql.DB
	auth *core.Auth
	// cheap hashes quickly, real with production's parameters.
	cheap, real fasthttp.RequestHandler
	turn        int
	active      []int // users who are at work; nil: all
}

// user is one of those at work.
func (s *site) user() int {
	if s.active != nil {
		return s.active[rand.IntN(len(s.active))]
	}
	return rand.IntN(s.users)
}

func newSite(ctx context.Context, name, dsn string, users int, empty bool) (*site, error) {
	s := &site{amounts: amountsOf(users), name: name}
	var err error
	if s.db, err = sql.Open("postgres", dsn); err != nil {
		return nil, err
	}
	var hashes [2]string
	for i, p := range []core.PasswordConfig{cheapHash, {}} {
		auth, err := build(ctx, dsn, p)
		if err != nil {
			return nil, err
		}
		if hashes[i], err = auth.Host().HashPassword(ctx, password); err != nil {
			return nil, err
		}
		f := fiber.New(fiber.Config{DisableStartupMessage: true})
		authfiber.Mount(f, auth)
		if i == 0 {
			s.auth, s.cheap = auth, f.Handler()
		} else {
			s.real = f.Handler()
		}
	}
	if !empty {
		return s, nil
	}
	return s, s.fill(ctx, s.db, hashes[0], hashes[1])
}

func build(ctx context.Context, dsn string, p core.PasswordConfig) (*core.Auth, error) {
	db, err := postgres.Open(ctx, dsn, postgres.Options{})
	if err != nil {
		return nil, err
	}
	off := false
	config := func() core.Config {
		return core.Config{BaseURL: origin, Secret: secret, Database: db, NoBackground: true, Password: p,
			Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), RateLimit: core.RateLimitConfig{Enabled: &off},
			Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{}), organization.New(organization.Options{MembershipLimit: 100_000})}}
	}
	described, err := core.Describe(config())
	if err != nil {
		return nil, err
	}
	want, names, steps := described.Schema()
	if _, err := migrations.Apply(ctx, db, want, names, steps); err != nil {
		return nil, err
	}
	return core.New(ctx, config())
}

// cookie is the session cookie of a session by its number.
func cookie(session int) string {
	token := hexMD5("token", session) // see tokenOf
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return "__Secure-better-auth.session_token=" + url.QueryEscape(token+"."+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

var peer = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711}

// do sends a request and returns the answer and how long it took.
func do(h fasthttp.RequestHandler, method, path, cookies string, body any) (*fasthttp.Response, time.Duration, error) {
	r := &fasthttp.Request{}
	r.Header.SetMethod(method)
	r.SetRequestURI("/api/auth" + path)
	r.Header.SetHost("auth.example.com")
	r.Header.Set("Origin", origin)
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	if cookies != "" {
		r.Header.Set("Cookie", cookies)
	}
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, 0, err
		}
		r.Header.SetContentType("application/json")
		r.SetBody(raw)
	}
	ctx := &fasthttp.RequestCtx{}
	ctx.Init(r, peer, nil)
	begun := time.Now()
	h(ctx)
	took := time.Since(begun)
	if code := ctx.Response.StatusCode(); code != 200 || string(ctx.Response.Body()) == "null" { // there is no session
		return nil, 0, fmt.Errorf("%s %s: %d %s", method, path, code, ctx.Response.Body())
	}
	return &ctx.Response, took, nil
}

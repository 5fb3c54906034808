package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

const (
	email    = "user1@example.com"
	password = "correct horse battery"
	cookie   = "__Secure-better-auth.session_token"
)

// betterAuth is the npm package with these variables.
func (l *lab) betterAuth(name string, env ...string) command {
	return command{name: "Better Auth " + name, dir: filepath.Join(l.root, "conformance"), args: []string{"node", "production.mjs"}, health: "/api/auth/ok",
		env: append([]string{"NODE_ENV=production", "SECRET=" + secret, "BASE_URL=" + origin, "DATABASE_URL=" + l.URL}, env...)}
}

// ours is the program as an operator would run it, on the database of the other.
func (l *lab) ours(name string, env ...string) command {
	return command{name: "Sallyport " + name, dir: l.Dir, args: []string{l.Program, "serve"}, health: "/api/auth/ok", env: l.settings(env...)}
}

func (l *lab) settings(env ...string) []string {
	return append([]string{"SALLYPORT_CONFIG=" + filepath.Join(l.Dir, "sallyport.yaml"), "SALLYPORT_DATABASE_URL=" + l.URL,
		"SALLYPORT_SECRET=" + secret, "GOMAXPROCS="}, env...)
}

const config = `production: true
baseURL: ` + origin + `
database:
  naming: betterauth
session:
  tokenStorage: compat
  cookieCache: {maxAge: 3600}
password:
  hash: scrypt
rateLimit: {enabled: false}
shutdownDelay: -1s # there is no load balancer
lockout: {max: 1000000}
mail: {driver: none}
log: {level: error}
plugins:
  email-password: {}
  jwt: {}
`

// bare is the program of limits.
func (l *lab) bare() command {
	return command{name: "limits", dir: l.Dir, args: []string{l.limit}, health: "/ok", env: []string{"DATABASE_URL=" + l.URL}}
}

// seed has Better Auth make its tables and a user, and makes a thousand of that one, each with a session.
// Sallyport adds what it needs besides.
func (l *lab) seed(ctx context.Context) error {
	fmt.Fprintln(os.Stderr, "seeding")
	first := l.betterAuth("to begin with", "JWT=1")
	if err := l.command(ctx, first.dir, append(first.env, "PORT=0", "MIGRATE=1"), "node", "production.mjs"); err != nil {
		return err
	}
	s, err := l.start(ctx, first)
	if err != nil {
		return err
	}
	status, _, body, err := call(ctx, "POST", s.base+"/api/auth/sign-up/email", "", map[string]string{"name": "Ada Lovelace", "email": email, "password": password})
	s.stop()
	if err != nil || status != 200 {
		return fmt.Errorf("sign-up: %d %s %w", status, body, err)
	}
	for _, q := range []string{
		`INSERT INTO "user" (id, name, email, "emailVerified", image, "createdAt", "updatedAt")
			SELECT 'u' || lpad(n::text, 31, '0'), u.name, 'user' || n || '@example.com', true, u.image, now(), now() FROM "user" u, generate_series(2, %d) n`,
		`INSERT INTO account (id, "accountId", "providerId", "userId", password, "createdAt", "updatedAt")
			SELECT 'a' || u.id, u.id, 'credential', u.id, (SELECT password FROM account LIMIT 1), now(), now() FROM "user" u WHERE u.email <> 'user1@example.com' AND %d > 0`,
		`DELETE FROM session WHERE %d > 0`,
		`INSERT INTO session (id, token, "userId", "expiresAt", "createdAt", "updatedAt", "ipAddress", "userAgent")
			SELECT 's' || lpad(n::text, 31, '0'), 't' || lpad(n::text, 31, '0'), u.id, now() + '7 days', now(), now(), '127.0.0.1', 'wrk'
			FROM generate_series(1, %d) n JOIN "user" u ON u.email = 'user' || n || '@example.com'`,
	} {
		if _, err := l.DB.ExecContext(ctx, fmt.Sprintf(q, users)); err != nil {
			return err
		}
	}
	for i := range users {
		l.tokens = append(l.tokens, sign(fmt.Sprintf("t%031d", i+1)))
	}
	if err := os.WriteFile(filepath.Join(l.Dir, "sallyport.yaml"), []byte(config), 0o600); err != nil {
		return err
	}
	if err := l.command(ctx, l.Dir, l.settings(), l.Program, "migrate", "apply"); err != nil {
		return err
	}
	_, err = l.DB.ExecContext(ctx, "VACUUM ANALYZE")
	return err
}

// sign makes the cookie's value of a token.
func sign(token string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(token))
	return url.QueryEscape(token + "." + base64.StdEncoding.EncodeToString(m.Sum(nil)))
}

// call sends one request and returns the cookies that it sets, as a browser would send them.
func call(ctx context.Context, method, at, cookies string, body any) (status int, set, answer string, err error) {
	var r io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return 0, "", "", err
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, at, r)
	if err != nil {
		return 0, "", "", err
	}
	req.Header.Set("Cookie", cookies)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Origin", origin)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", "", err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	var pairs []string
	for _, c := range res.Header.Values("Set-Cookie") {
		pair, _, _ := strings.Cut(c, ";")
		pairs = append(pairs, pair)
	}
	return res.StatusCode, strings.Join(pairs, "; "), string(raw), err
}

// version is that of a package of npm's.
func (l *lab) version(name string) string {
	var p struct{ Version string }
	raw, err := os.ReadFile(filepath.Join(l.root, "conformance", "node_modules", name, "package.json"))
	if err != nil || json.Unmarshal(raw, &p) != nil {
		return "?"
	}
	return p.Version
}

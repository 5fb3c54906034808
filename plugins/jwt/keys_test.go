package jwt_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/jwt"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// TestMintedOnce: whoever comes first on however many servers, there is one key.
func TestMintedOnce(t *testing.T) {
	for _, e := range []plugintest.Engine{plugintest.SQLite, plugintest.Postgres} {
		t.Run(string(e), func(t *testing.T) {
			d := newDatabase(t, e)
			var servers []*core.Auth
			for range 4 {
				servers = append(servers, d.replica(t, jwt.Options{}, nil))
			}
			var wg sync.WaitGroup
			start := make(chan struct{})
			kids := make(chan string, 20)
			for i := range 20 {
				wg.Go(func() {
					<-start
					set, err := jwt.JWKS.Call(context.Background(), servers[i%4], core.None{})
					if err != nil || len(set.Keys) != 1 {
						t.Errorf("%v %v", set, err)
						kids <- ""
						return
					}
					kids <- set.Keys[0].Kid
				})
			}
			close(start)
			wg.Wait()
			first := <-kids
			for range 19 {
				if kid := <-kids; kid != first {
					t.Errorf("two keys: %q and %q", first, kid)
				}
			}
		})
	}
}

// TestFirstTokens: the same by way of /token, whose key is kept in memory.
func TestFirstTokens(t *testing.T) {
	for _, e := range []plugintest.Engine{plugintest.SQLite, plugintest.Postgres} {
		t.Run(string(e), func(t *testing.T) {
			h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{jwt.New(jwt.Options{})}, Database: e})
			c := h.SignUp(alice)
			var wg sync.WaitGroup
			start := make(chan struct{})
			headers := make(chan string, 20)
			for range 20 {
				wg.Go(func() {
					<-start
					out, err := jwt.Token.Call(context.Background(), h.Auth, core.None{}, core.WithHeader(c.Headers()))
					head, _, _ := strings.Cut(out.Token, ".")
					if err != nil {
						t.Error(err)
					}
					headers <- head
				})
			}
			close(start)
			wg.Wait()
			first := <-headers
			for range 19 {
				if head := <-headers; head != first || head == "" {
					t.Errorf("two keys: %q and %q", first, head)
				}
			}
			if n := h.Count("jwks"); n != 1 {
				t.Errorf("%d keys", n)
			}
		})
	}
}

// alter changes the only key's row.
func alter(t *testing.T, h *plugintest.Harness, column, value string) {
	t.Helper()
	n, err := h.Host.DB().Exec(context.Background(), "UPDATE {jwks=} SET {jwks:"+column+"} = ?", value)
	if err != nil || n != 1 {
		t.Fatalf("%d rows, %v", n, err)
	}
}

// TestUnusableKey: a key that cannot be used never fails get-session, is logged once, and
// /token says so.
func TestUnusableKey(t *testing.T) {
	foreign := harness(t, jwt.Options{DisablePrivateKeyEncryption: true}, nil)
	foreign.Client().Get("/jwks").Want(200)
	other := foreign.Rows("jwks")[0]
	elsewhere := harness(t, jwt.Options{}, func(c *core.Config) { c.Secret = "another-secret-of-another-server-0123456789" })
	elsewhere.Client().Get("/jwks").Want(200)
	for name, change := range map[string]func(h *plugintest.Harness){
		"another server's secret": func(h *plugintest.Harness) {
			row := elsewhere.Rows("jwks")[0]
			alter(t, h, "privateKey", row["privateKey"])
			alter(t, h, "publicKey", row["publicKey"])
		},
		"a secret's version that is gone": func(h *plugintest.Harness) {
			alter(t, h, "privateKey", `"$ba$7$`+strings.Trim(h.Rows("jwks")[0]["privateKey"], `"`)+`"`)
		},
		"another row's private key": func(h *plugintest.Harness) { alter(t, h, "privateKey", other["privateKey"]) },
		"another row's public key":  func(h *plugintest.Harness) { alter(t, h, "publicKey", other["publicKey"]) },
		"a cut ciphertext":          func(h *plugintest.Harness) { alter(t, h, "privateKey", h.Rows("jwks")[0]["privateKey"][:80]+`"`) },
		"an altered ciphertext": func(h *plugintest.Harness) {
			stored := []byte(h.Rows("jwks")[0]["privateKey"])
			stored[70] ^= 1
			alter(t, h, "privateKey", string(stored))
		},
		"an empty one":      func(h *plugintest.Harness) { alter(t, h, "privateKey", "") },
		"no JSON":           func(h *plugintest.Harness) { alter(t, h, "privateKey", `"`) },
		"another algorithm": func(h *plugintest.Harness) { alter(t, h, "alg", "ES256") },
		"none":              func(h *plugintest.Harness) { alter(t, h, "alg", "none") },
		"HS256":             func(h *plugintest.Harness) { alter(t, h, "alg", "HS256") },
	} {
		t.Run(name, func(t *testing.T) {
			h := harness(t, jwt.Options{}, nil)
			h.Client().Get("/jwks").Want(200)
			change(h)
			c := h.SignUp(alice)
			for range 3 {
				if a := c.Get("/get-session").Want(200); a.Get("user.email") != alice || a.Value(jwt.Header) != "" || a.Value("Access-Control-Expose-Headers") != "" {
					t.Fatalf("get-session: %s, %q", a.Body, a.Value(jwt.Header))
				}
				h.Clock.Advance(2 * time.Minute) // the row is read again
			}
			if n := strings.Count(h.Logs.String(), "no token for a session"); n != 1 {
				t.Errorf("%d log lines", n)
			}
			a := c.Get("/token").WantCode(500, "JWT_KEY_UNUSABLE")
			row := h.Rows("jwks")[0]
			if v := strings.Trim(row["privateKey"], `"`); len(v) > 10 && (strings.Contains(h.Logs.String(), v) || strings.Contains(string(a.Body), row["id"])) {
				t.Error("the key is in the log, or its id in the answer")
			}
			if h.Count("jwks") != 1 {
				t.Error("another key was made without being asked for")
			}
			// What the operator does about it.
			if out, err := command(h.Auth, "list"); err != nil || !strings.Contains(out, "signing, unusable") {
				t.Errorf("list: %v %s", err, out)
			}
			if out, err := command(h.Auth, "rewrap"); err == nil || !strings.Contains(out, "0 of 1") {
				t.Errorf("rewrap: %v %s", err, out)
			}
			if _, err := command(h.Auth, "rotate"); err != nil {
				t.Fatal(err)
			}
			h.Clock.Advance(time.Minute)
			token(c)
		})
	}
}

// TestPlainAndSealed: keys are read in either form, whatever new ones are written in.
func TestPlainAndSealed(t *testing.T) {
	d := newDatabase(t, plugintest.SQLite)
	plain := d.replica(t, jwt.Options{DisablePrivateKeyEncryption: true}, nil)
	sealed := d.replica(t, jwt.Options{}, nil)
	stored := func() string {
		rows, err := plain.Host().DB().Query(t.Context(), "SELECT {jwks:privateKey} FROM {jwks}")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var s string
		for rows.Next() {
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	if _, err := command(plain, "rotate"); err != nil {
		t.Fatal(err)
	}
	for i, x := range []struct {
		auth  *core.Auth
		first string
	}{{sealed, `"`}, {plain, `{`}, {sealed, `"`}} {
		if out, err := command(x.auth, "rewrap"); err != nil || !strings.HasPrefix(out, "1 of 1 ") {
			t.Fatalf("%d: %v %s", i, err, out)
		}
		if !strings.HasPrefix(stored(), x.first) {
			t.Errorf("%d: stored as %.10s", i, stored())
		}
		for _, a := range []*core.Auth{plain, sealed} {
			if out, err := command(a, "list"); err != nil || strings.Contains(out, "unusable") || !strings.Contains(out, "signing") {
				t.Errorf("%d: %v %s", i, err, out)
			}
		}
	}
}

// TestRewrap: after a rotation of secrets the keys move to the current one, and the old
// one can go.
func TestRewrap(t *testing.T) {
	const second = "the-second-secret-0123456789abcdefghijklmnopqr"
	d := newDatabase(t, plugintest.SQLite)
	old := d.replica(t, jwt.Options{}, nil)
	if _, err := command(old, "rotate"); err != nil {
		t.Fatal(err)
	}
	if _, err := command(old, "rotate"); err != nil {
		t.Fatal(err)
	}
	only := func(c *core.Config) { c.Secret, c.Secrets = "", []core.Secret{{Version: 2, Value: second}} }
	if out, err := command(d.replica(t, jwt.Options{}, only), "list"); err != nil || strings.Count(out, "unusable") != 2 {
		t.Fatalf("with the second secret alone: %v %s", err, out)
	}
	both := d.replica(t, jwt.Options{}, func(c *core.Config) { c.Secrets = []core.Secret{{Version: 2, Value: second}} })
	if out, err := command(both, "rewrap"); err != nil || out != "2 of 2 keys rewrapped\n" {
		t.Fatalf("%v %s", err, out)
	}
	if out, err := command(d.replica(t, jwt.Options{}, only), "list"); err != nil || strings.Contains(out, "unusable") {
		t.Errorf("afterwards: %v %s", err, out)
	}
}

func TestCommands(t *testing.T) {
	h := harness(t, jwt.Options{}, nil)
	for _, args := range [][]string{nil, {"help"}, {"list", "x"}, {"delete"}} {
		if out, err := command(h.Auth, args...); err == nil || !strings.Contains(err.Error(), "keys list|rotate|rewrap") || out != "" {
			t.Errorf("%v: %v %s", args, err, out)
		}
	}
	if out, err := command(h.Auth, "list"); err != nil || strings.Count(out, "\n") != 1 {
		t.Errorf("no keys: %v %s", err, out)
	}
	c := h.SignUp(alice)
	token(c)
	first := h.Rows("jwks")[0]["id"]
	h.Clock.Advance(time.Hour)
	token(c)
	out, err := command(h.Auth, "rotate")
	if err != nil {
		t.Fatal(err)
	}
	second := strings.Fields(out)[2]
	if want := fmt.Sprintf("new key %s (EdDSA); servers sign with it within 60 s, earlier keys stay known for 720h0m0s\n", second); out != want || second == first {
		t.Errorf("rotate: %q, want %q", out, want)
	}
	if got := token(c); !strings.Contains(header(t, got), first) {
		t.Errorf("within a minute: %s", header(t, got)) // kept in memory, as documented
	}
	h.Clock.Advance(time.Minute)
	if got := token(c); !strings.Contains(header(t, got), second) {
		t.Errorf("after a minute: %s", header(t, got))
	}
	out, err = command(h.Auth, "list")
	at := func(d time.Duration) string { return plugintest.Epoch.Add(d).Format(time.RFC3339) }
	want := "KID                               ALG    CREATED               EXPIRES               STATE\n" +
		first + "  EdDSA  " + at(0) + "  " + at(time.Hour) + "  verifies until " + at(721*time.Hour) + "\n" +
		second + "  EdDSA  " + at(time.Hour) + "  never                 signing\n"
	if err != nil || out != want {
		t.Errorf("list: %v\n%s, want\n%s", err, out, want)
	}
	h.Clock.Advance(31 * 24 * time.Hour)
	if out, err := command(h.Auth, "list"); err != nil || !strings.Contains(out, "past\n") {
		t.Errorf("a month later: %v %s", err, out)
	}
	for _, r := range h.Rows("jwks") {
		if strings.Contains(out, r["privateKey"]) {
			t.Error("the list shows a private key")
		}
	}
}

func header(t *testing.T, token string) string { s, _ := part(t, token, 0); return s }

// TestRotatedTogether: of many that rotate at once each makes a key, and one is left to sign.
func TestRotatedTogether(t *testing.T) {
	d := newDatabase(t, plugintest.Postgres)
	var wg sync.WaitGroup
	var servers []*core.Auth
	for range 3 {
		servers = append(servers, d.replica(t, jwt.Options{}, nil))
	}
	for i := range 9 {
		wg.Go(func() {
			if _, err := command(servers[i%3], "rotate"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	out, err := command(servers[0], "list")
	if err != nil || strings.Count(out, "signing") != 1 || strings.Count(out, "\n") != 10 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestWithoutTheTable: a database that cannot answer is 503, never a session without rights,
// and get-session goes on.
func TestWithoutTheTable(t *testing.T) {
	h := harness(t, jwt.Options{}, nil)
	c := h.SignUp(alice)
	if err := h.Auth.Database().DDL(t.Context(), `ALTER TABLE "jwks" RENAME TO "jwks_away"`); err != nil {
		t.Fatal(err)
	}
	c.Get("/token").WantCode(503, "SERVICE_UNAVAILABLE")
	h.Client().Get("/jwks").WantCode(503, "SERVICE_UNAVAILABLE")
	if a := c.Get("/get-session").Want(200); a.Get("user.email") != alice || a.Value(jwt.Header) != "" {
		t.Errorf("get-session: %s", a.Body)
	}
	if !strings.Contains(h.Logs.String(), "no token for a session") {
		t.Error("nothing was logged")
	}
	if err := h.Auth.Database().DDL(t.Context(), `ALTER TABLE "jwks_away" RENAME TO "jwks"`); err != nil {
		t.Fatal(err)
	}
	token(c)
}

func TestRules(t *testing.T) {
	rules := plugintest.Rules{Public: []string{"/jwks"}, Carries: []string{"/token"}, Redeems: []string{"/jwks"}, Journey: func(h *plugintest.Harness) {
		c := h.SignUp("carol@example.com")
		h.Client().Get("/jwks").Want(200)
		c.Get("/token").Want(200)
		c.Get("/get-session").Want(200)
	}}
	plugintest.Check(t, func() core.Plugin { return jwt.New(jwt.Options{}) }, plugintest.Options{Rules: rules})
}

// TestManyRotations: with a key an hour, verifiers find the one that signs behind those of
// a week.
func TestManyRotations(t *testing.T) {
	h := harness(t, jwt.Options{RotationInterval: 3600}, nil)
	var c *plugintest.Client
	for i := range 24 * 7 {
		if i%24 == 0 {
			c = h.SignUp(fmt.Sprintf("day%d@example.com", i/24))
		}
		token(c)
		h.Clock.Advance(time.Hour)
	}
	if _, err := verifier(t, h, nil).Verify(t.Context(), token(c)); err != nil {
		t.Errorf("by key %d: %v", h.Count("jwks"), err)
	}
}

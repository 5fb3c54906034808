package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	authfiber "github.com/sallyport-auth/sallyport/server/fiber"
	"github.com/sallyport-auth/sallyport/server/nethttp"
)

// appFiber is an app with an open and a closed route.
func appFiber(app fiber.Router, auth *core.Auth) {
	app.Use(authfiber.CORS(auth, authfiber.CORSOptions{Methods: []string{"PURGE"}, Headers: []string{"X-App"}, Expose: []string{"X-Total"}}))
	who := func(c *fiber.Ctx) error {
		s, ok := authfiber.SessionOf(c)
		below, _ := core.SessionFrom(c.UserContext())
		if !ok {
			return c.SendString("nobody")
		}
		if below != s {
			return errors.New("the context holds another session")
		}
		return c.SendString(s.User.Name)
	}
	app.All("/app/open", authfiber.Session(auth), who)
	app.All("/app/closed", authfiber.Require(auth), who)
	app.All("/app/both", authfiber.Session(auth), authfiber.Require(auth), who)
}

func appStd(auth *core.Auth) http.Handler {
	who := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s, ok := core.SessionFrom(r.Context()); ok {
			io.WriteString(w, s.User.Name)
		} else {
			io.WriteString(w, "nobody")
		}
	})
	mux := http.NewServeMux()
	mux.Handle("/app/open", nethttp.Session(auth)(who))
	mux.Handle("/app/closed", nethttp.Require(auth)(who))
	mux.Handle("/app/both", nethttp.Session(auth)(nethttp.Require(auth)(who)))
	return nethttp.CORS(auth, nethttp.CORSOptions{Methods: []string{"PURGE"}, Headers: []string{"X-App"}, Expose: []string{"X-Total"}})(nethttp.Handler(auth, mux))
}

// brokenDB fails every query while broken is set.
type brokenDB struct {
	storage.Database
	mu     sync.Mutex
	broken bool
}

func (d *brokenDB) set(broken bool) { d.mu.Lock(); d.broken = broken; d.mu.Unlock() }

func (d *brokenDB) Query(ctx context.Context, sql string, args ...any) (storage.Rows, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken {
		return nil, &storage.Error{Kind: storage.Unavailable, SQLState: "57P01"}
	}
	return d.Database.Query(ctx, sql, args...)
}

func TestSessionMiddleware(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	db := &brokenDB{}
	ts := startServer(t, func(c *Config) {
		var err error
		if db.Database, err = c.open(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		c.Core.Database, c.Core.Clock, c.Routes = db, clock, appFiber
	})
	std := httptest.NewServer(appStd(ts.Auth()))
	defer std.Close()
	signUp := request(t, "POST", ts.url+"/api/auth/sign-up/email", `{"name":"Ada","email":"a@example.com","password":"correct horse"}`)
	res, err := http.DefaultClient.Do(signUp)
	if err != nil || len(res.Cookies()) != 2 { // of the session, and of the device
		t.Fatalf("%v, %v", res, err)
	}
	res.Body.Close()
	cookie := res.Cookies()[0]
	const unauthorized = `{"message":"Unauthorized","code":"UNAUTHORIZED"}`
	for _, base := range []string{ts.url, std.URL} {
		do := func(method, path string, header ...string) (*http.Response, string) {
			t.Helper()
			r := request(t, method, base+path, "")
			for i := 0; i < len(header); i += 2 {
				r.Header.Set(header[i], header[i+1])
			}
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			return res, string(body)
		}
		check := func(what string, res *http.Response, body string, status int, want string) {
			t.Helper()
			if res.StatusCode != status || body != want {
				t.Errorf("%s at %s: %d %q, want %d %q", what, base, res.StatusCode, body, status, want)
			}
		}
		signed := cookie.Name + "=" + cookie.Value
		for _, path := range []string{"/app/open", "/app/closed", "/app/both"} {
			res, body := do("GET", path, "Cookie", signed)
			check("with a session "+path, res, body, 200, "Ada")
			res, body = do("GET", path, "Cookie", signed+"x")
			if path == "/app/open" {
				check("with a forged session "+path, res, body, 200, "nobody")
			} else {
				check("with a forged session "+path, res, body, 401, unauthorized)
			}
			res, body = do("POST", path, "Cookie", signed, "Origin", "https://evil.example")
			check("from elsewhere "+path, res, body, 403, `{"message":"Invalid origin","code":"INVALID_ORIGIN"}`)
			res, body = do("POST", path, "Cookie", signed, "Origin", "http://localhost:5173")
			check("from a trusted origin "+path, res, body, 200, "Ada")
			db.set(true)
			res, body = do("GET", path, "Cookie", signed)
			check("without a database "+path, res, body, 503, `{"message":"The service is temporarily unavailable. Please try again later.","code":"SERVICE_UNAVAILABLE"}`)
			if res.Header.Get("Retry-After") == "" {
				t.Errorf("503 of %s has no Retry-After", path)
			}
			db.set(false)
		}
		if logs := ts.logs.String(); !strings.Contains(logs, "sqlstate=57P01") {
			t.Errorf("the log lacks the cause:\n%s", logs)
		}
		// A session that is renewed takes its cookie along with the app's answer.
		mu.Lock()
		now = now.Add(25 * time.Hour)
		mu.Unlock()
		res, body := do("GET", "/app/open", "Cookie", signed)
		check("a day later", res, body, 200, "Ada")
		if len(res.Cookies()) != 1 || res.Cookies()[0].Name != cookie.Name || res.Cookies()[0].MaxAge != 7*86400 {
			t.Errorf("renewed cookies: %v", res.Cookies())
		}
		// CORS
		res, _ = do("OPTIONS", "/app/open", "Origin", "http://localhost:5173", "Access-Control-Request-Method", "PURGE")
		for name, want := range map[string]string{"Access-Control-Allow-Origin": "http://localhost:5173", "Access-Control-Allow-Credentials": "true",
			"Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, PURGE", "Access-Control-Allow-Headers": "Content-Type, Authorization, X-Api-Key, X-App-Id, X-App", "Vary": "Origin"} {
			if got := res.Header.Get(name); got != want || res.StatusCode != 204 {
				t.Errorf("preflight at %s: %d %s: %q, want %q", base, res.StatusCode, name, got, want)
			}
		}
		res, _ = do("OPTIONS", "/app/open", "Origin", "https://evil.example", "Access-Control-Request-Method", "GET")
		if res.StatusCode != 403 || res.Header.Get("Access-Control-Allow-Origin") != "" || res.Header.Get("Vary") != "Origin" {
			t.Errorf("preflight from elsewhere at %s: %d %v", base, res.StatusCode, res.Header)
		}
		res, _ = do("GET", "/app/closed", "Origin", "http://localhost:5173")
		if h := res.Header; res.StatusCode != 401 || h.Get("Access-Control-Allow-Origin") != "http://localhost:5173" || h.Get("Vary") != "Origin" ||
			!strings.HasSuffix(h.Get("Access-Control-Expose-Headers"), ", X-Total") {
			t.Errorf("refusal to a trusted origin at %s: %d %v", base, res.StatusCode, h)
		}
	}
}

// TestNothingIsLentOut sends many different requests over few connections, so that
// fasthttp uses the memory of one for the next, and looks afterwards whether anything
// that was kept is another request's.
func TestNothingIsLentOut(t *testing.T) {
	var mu sync.Mutex
	kept := map[string]*core.SessionAnswer{} // by name, for good
	var events []core.SessionEvent           // what a hook was given, for good
	var headers []string
	ts := startServer(t, func(c *Config) {
		c.Core.Session.CookieCache.Enabled = true
		c.Core.MaxBody = 1 << 16
		c.Core.Hooks = []core.Hook{core.SessionCreate.After(func(_ context.Context, e *core.SessionEvent) error {
			mu.Lock()
			defer mu.Unlock()
			events, headers = append(events, *e), append(headers, e.Call.Header("User-Agent"))
			return nil
		})}
		c.Routes = func(app fiber.Router, auth *core.Auth) {
			app.Get("/app/keep", authfiber.Require(auth), func(c *fiber.Ctx) error {
				s, _ := authfiber.SessionOf(c)
				mu.Lock()
				defer mu.Unlock()
				kept[strings.Clone(c.Query("name"))] = s
				return nil
			})
		}
	})
	const clients, rounds = 8, 12
	var wg sync.WaitGroup
	for i := range clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
			for j := range rounds {
				name := fmt.Sprintf("%c%02d-%02d-%s", 'A'+i, i, j, strings.Repeat(string(rune('a'+i)), j*7%50))
				post := request(t, "POST", ts.url+"/api/auth/sign-up/email", fmt.Sprintf(`{"name":%q,"email":"%s@example.com","password":"password of %s"}`, name, strings.ToLower(name), name))
				post.Header.Set("User-Agent", "agent of "+name)
				res, err := client.Do(post)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
				if res.StatusCode != 200 {
					t.Errorf("%s: %d", name, res.StatusCode)
					return
				}
				get := request(t, "GET", ts.url+"/app/keep?name="+name, "")
				for _, c := range res.Cookies() {
					get.AddCookie(c)
				}
				if res, err = client.Do(get); err != nil || res.StatusCode != 200 {
					t.Errorf("%s: %v, %v", name, res, err)
					return
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		}()
	}
	wg.Wait()
	if len(kept) != clients*rounds {
		t.Errorf("%d sessions were kept, want %d", len(kept), clients*rounds)
	}
	for name, s := range kept {
		if s.User.Name != name || s.User.Email != strings.ToLower(name)+"@example.com" || s.Session.UserID != s.User.ID || s.Session.UserAgent == nil || *s.Session.UserAgent != "agent of "+name {
			t.Errorf("%s kept the session of %s <%s>, agent %q", name, s.User.Name, s.User.Email, *s.Session.UserAgent)
		}
	}
	seen := map[string]bool{}
	for i, e := range events {
		name := e.User.Name
		if e.User.Email != strings.ToLower(name)+"@example.com" || *e.Session.UserAgent != "agent of "+name || headers[i] != "agent of "+name {
			t.Errorf("a hook kept %q <%s>, agent %q, header %q", name, e.User.Email, *e.Session.UserAgent, headers[i])
		}
		seen[name] = true
	}
	if len(seen) != clients*rounds {
		t.Errorf("a hook saw %d users, want %d", len(seen), clients*rounds)
	}
	rows, err := ts.Auth().Database().Query(t.Context(), "SELECT {user.name}, {user.email}, {session.userAgent} FROM {user=} JOIN {session=} ON {session.userId} = {user.id}")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var stored []string
	for rows.Next() {
		var name, email, agent string
		if err := rows.Scan(&name, &email, &agent); err != nil {
			t.Fatal(err)
		}
		if email != strings.ToLower(name)+"@example.com" || agent != "agent of "+name {
			t.Errorf("stored %q, %q, %q", name, email, agent)
		}
		stored = append(stored, name)
	}
	slices.Sort(stored)
	if err := rows.Err(); err != nil || len(slices.Compact(stored)) != clients*rounds {
		t.Errorf("%d users are stored, want %d (%v)", len(stored), clients*rounds, err)
	}
}

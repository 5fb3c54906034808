package core_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

func cached(strategy string) option {
	return config(func(c *core.Config) {
		c.Session.CookieCache = core.CookieCacheConfig{Enabled: true, Strategy: strategy}
		c.Session.Fields = []core.Extra{{Name: "theme", Type: "string"}}
		c.User.Fields = []core.Extra{{Name: "role", Type: "string", Input: ptr(false), Default: "user"}}
	})
}

// What the cache says of the user is as old as the bound at most, however often the
// session is written.
func TestStaleUserCannotBeRenewed(t *testing.T) {
	for _, strategy := range []string{"compact", "jwt", "jwe"} {
		t.Run(strategy, func(t *testing.T) { staleUser(t, strategy) })
	}
}

func staleUser(t *testing.T, strategy string) {
	e := start(t, cached(strategy))
	a := e.client().signUp("a@example.com")
	e.exec("UPDATE {user} SET {user:role} = 'demoted'")
	e.clock.Add(299 * time.Second)
	a.must(200, "POST", "/update-session", map[string]any{"theme": "dark"})
	if r := a.must(200, "GET", "/get-session", nil); !strings.Contains(string(r.Body), `"theme":"dark"`) || !strings.Contains(string(r.Body), `"role":"user"`) {
		t.Errorf("within the bound: %s", r.Body)
	}
	e.clock.Add(2 * time.Second)
	if r := a.must(200, "GET", "/get-session", nil); !strings.Contains(string(r.Body), `"role":"demoted"`) {
		t.Errorf("beyond the bound: %s", r.Body)
	}
}

// That the session is still there says nothing of the user as the cache had them.
func TestStaleUserCannotBeRenewedByARecheck(t *testing.T) {
	route := core.NewRoute[core.None, core.Status]("POST /write-again", core.CachedSession)
	e := start(t, cached("compact"), with(&probe{core.Spec{ID: "probe", Endpoints: []core.Endpoint{route.Handle(func(ctx context.Context, c *core.Call, _ core.None) (core.Status, error) {
		s, u := c.Session()
		if err := c.RecheckSession(ctx, c.Host().DB()); err != nil {
			return core.Status{}, err
		}
		return core.Status{Status: true}, c.RefreshCookies(s, u)
	})}}}))
	a := e.client().signUp("a@example.com")
	e.exec("UPDATE {user} SET {user:role} = 'demoted'")
	e.clock.Add(299 * time.Second)
	a.must(200, "POST", "/write-again", m{})
	e.clock.Add(2 * time.Second)
	if r := a.must(200, "GET", "/get-session", nil); !strings.Contains(string(r.Body), `"role":"demoted"`) {
		t.Errorf("beyond the bound: %s", r.Body)
	}
}

// A cache longer than servers read headers would shut its owner out of everything.
func TestLongCacheIsNotSet(t *testing.T) {
	e := start(t, cached("compact"))
	a := e.client().signUp("a@example.com")
	total := func() (n int) {
		for name, value := range a.jar {
			if strings.HasPrefix(name, dataCookie) {
				n += len(value)
			}
		}
		return n
	}
	for _, tt := range []struct{ name, size int }{{8000, 11200}, {9500, 0}, {8000, 11200}, {500_000, 0}, {1, 500}} {
		a.must(200, "POST", "/update-user", map[string]any{"name": strings.Repeat("n", tt.name)})
		if n := total(); n > 12<<10 || n < tt.size || tt.size == 0 && n != 0 {
			t.Errorf("a name of %d: %d bytes of cache", tt.name, n)
		}
		if r := a.must(200, "GET", "/get-session", nil); string(r.Body) == "null" {
			t.Errorf("a name of %d: no session", tt.name)
		}
	}
}

// Nor may one that cannot be written: whoever signs up with somebody's address and gives
// themselves such a name would keep the owner out of it.
func TestCacheThatCannotBeWrittenIsNotSet(t *testing.T) {
	for _, strategy := range []string{"compact", "jwt", "jwe"} {
		t.Run(strategy, func(t *testing.T) {
			e := start(t, cached(strategy), config(func(c *core.Config) {
				c.User.Fields = append(c.User.Fields, core.Extra{Name: "prefs", Type: "json"})
			}))
			a := e.client().signUp("a@example.com")
			for _, change := range []m{{"name": "9999-12-31T24:00:00Z"}, {"name": "A", "prefs": map[string]any{"__proto__": 1}}} {
				a.must(200, "POST", "/update-user", change)
				for name, value := range a.jar {
					if strings.HasPrefix(name, dataCookie) {
						t.Errorf("%v: there is a cache, %q", change, value)
					}
				}
				b := e.client()
				if r := b.signIn("a@example.com", password); r.Status != 200 || a.user() == "" || b.user() == "" {
					t.Errorf("%v: %d %s", change, r.Status, r.Body)
				}
			}
			a.must(200, "POST", "/update-user", m{"name": "A", "prefs": nil})
			if a.jar[dataCookie] == "" {
				t.Error("no cache where there could be one")
			}
		})
	}
}

// Where the database confirms what the cache says, a cache that was right is left alone,
// and one that was wrong changes nothing.
func TestConfirmedByTheDatabase(t *testing.T) {
	e := start(t, cached("compact"))
	c := e.client().signUp("a@example.com")
	id := c.user()
	unlink := func() answer { return c.clone().post("/unlink-account", m{"accountId": id}) }
	var a answer
	if got := e.db.count(func() { a = unlink() }); len(got) < 2 {
		t.Errorf("it did not ask: %q", got)
	}
	if a.code() != "FAILED_TO_UNLINK_LAST_ACCOUNT" || len(a.cookies()) > 0 {
		t.Errorf("%d %s, cookies %v", a.Status, a.Body, a.cookies())
	}
	e.exec("DELETE FROM {session}")
	if a := c.clone().get("/list-accounts"); a.Status != 200 {
		t.Errorf("the cache has no word any more: %d", a.Status)
	}
	if a := unlink(); a.Status != 401 {
		t.Errorf("after it was revoked: %d %s", a.Status, a.Body)
	}
}

// A browser that was asked to forget has a cache of a minute at most, and of less where the
// app wants it shorter: that bounds what a revoked session may still read.
func TestForgottenCacheIsBounded(t *testing.T) {
	for _, tt := range []struct{ maxAge, within int }{{5, 5}, {300, 60}} {
		e := start(t, config(func(c *core.Config) {
			c.Session.CookieCache = core.CookieCacheConfig{Enabled: true, MaxAge: tt.maxAge}
		}))
		e.client().signUp("a@example.com")
		a := e.client()
		a.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password, "rememberMe": false})
		e.exec("DELETE FROM {session}")
		e.clock.Add(time.Duration(tt.within-1) * time.Second)
		if r := a.must(200, "GET", "/get-session", nil); string(r.Body) == "null" {
			t.Errorf("maxAge %d: the cache ends early", tt.maxAge)
		}
		e.clock.Add(2 * time.Second)
		if r := a.must(200, "GET", "/get-session", nil); string(r.Body) != "null" {
			t.Errorf("maxAge %d: the cache answers beyond %d s", tt.maxAge, tt.within)
		}
	}
}

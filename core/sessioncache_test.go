package core_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/adapters/storetest"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

// remembering starts replicas on one database, each with sessions in its memory, and waits until
// they hear of changes.
func remembering(t *testing.T, n int, options ...option) (*env, []*core.Auth) {
	t.Helper()
	e := start(t, append([]option{on(openPostgres(t)), config(func(c *core.Config) {
		c.Session.Cache.Enabled, c.NoBackground = true, false
	}), passwords(func(*emailpassword.Options) {})}, options...)...)
	auths := []*core.Auth{e.auth}
	for range n - 1 {
		auths = append(auths, e.compile())
	}
	for _, a := range auths {
		core.TrustChannel(a)
		hears(t, a)
	}
	return e, auths
}

func cacheStats(a *core.Auth) core.StoreStats { return a.Host().Stores().Cache }

func hears(t *testing.T, a *core.Auth) {
	t.Helper()
	eventually(t, "the channel proves itself", func() bool { return !cacheStats(a).Failing })
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// asked counts the statements about sessions that reading needs.
func (e *env) asked(fn func()) int {
	n := 0
	for _, s := range e.db.count(fn) {
		if strings.HasPrefix(s, "query SELECT") && strings.HasSuffix(s, "WHERE {session.token} IN (?, ?)") {
			n++
		}
	}
	return n
}

func TestCacheAnswersForTheDatabase(t *testing.T) {
	off := false
	e, auths := remembering(t, 2, config(func(c *core.Config) {
		c.User.Fields = []core.Extra{{Name: "plan", Type: "string", Default: "free"}, {Name: "age", Type: "number"}, {Name: "note", Type: "json"},
			{Name: "born", Type: "date"}, {Name: "secretNote", Type: "string", Returned: &off, Default: "h1dden"}}
	}))
	c := e.client()
	c.must(200, "POST", "/sign-up/email", m{"name": "Ann", "email": "ann@example.com", "password": password, "age": 42,
		"note": "a \"text\"", "born": "2001-02-03T04:05:06.789Z"})
	for _, a := range auths {
		first := c.at(a).get("/get-session")
		var second answer
		if n := e.asked(func() { second = c.at(a).get("/get-session") }); n != 0 {
			t.Error("the session was in memory, and the database was asked")
		}
		if !reflect.DeepEqual(second.json, first.json) {
			t.Errorf("memory says\n%s, the database\n%s", second.Body, first.Body)
		}
	}
	if st := auths[1].Host().Stores(); st.Cache.Hits != 1 || st.Cache.Calls != 2 || st.CacheEntries != 1 || st.CacheBytes < 500 {
		t.Errorf("%+v", st)
	}
	for name, do := range map[string]func(b *client){
		"an endpoint that changes something": func(b *client) { b.must(200, "POST", "/revoke-other-sessions", nil) },
		"a client that wants the truth":      func(b *client) { b.get("/get-session?disableCookieCache=true") },
	} {
		if n := e.asked(func() { do(c.at(auths[1])) }); n == 0 {
			t.Errorf("%s was served from memory", name)
		}
	}
}

// What a hook or a handler does to its session is not what the next request gets.
func TestCacheHandsOutCopies(t *testing.T) {
	seen := map[string]int{}
	e, _ := remembering(t, 1, config(func(c *core.Config) {
		c.User.Fields = []core.Extra{{Name: "note", Type: "json"}}
	}), hooks(core.GetSession.After(func(_ context.Context, c *core.Call, _ **core.SessionAnswer) error {
		s, u := c.Session()
		if s == nil {
			return nil
		}
		note, _ := u.Extra["note"].(json.RawMessage)
		seen[fmt.Sprint(*s.IPAddress, *s.UserAgent, s.ID, s.Extra["aal"], u.Name, *u.Image, string(note))]++
		for i := range note {
			note[i] = '0'
		}
		*s.IPAddress, *s.UserAgent, *u.Image, u.Name, s.ID = "x", "x", "x", "x", "x"
		s.Extra["aal"], u.Extra["note"] = int64(9), json.RawMessage("7")
		return nil
	})))
	c := e.client()
	c.must(200, "POST", "/sign-up/email", m{"name": "Ann", "email": "ann@example.com", "password": password, "image": "https://i.example.com/", "note": m{"a": 1}})
	for range 4 {
		c.get("/get-session")
	}
	if len(seen) != 1 || cacheStats(e.auth).Hits != 3 {
		t.Errorf("%v, %+v", seen, cacheStats(e.auth))
	}
}

// An entry ends, by the host's clock; cookies that follow from it end with it.
func TestCacheEnds(t *testing.T) {
	e, _ := remembering(t, 1, config(func(c *core.Config) { c.Session.CookieCache.Enabled = true }))
	c := e.client().signUp("a@example.com")
	read := func() int { delete(c.jar, dataCookie); return e.asked(func() { c.get("/get-session") }) }
	read()
	e.clock.Add(59 * time.Second)
	if read() != 0 {
		t.Error("a second before the end")
	}
	e.clock.Add(2 * time.Second)
	if n := e.asked(func() { c.get("/get-session") }); n != 1 {
		t.Error("a cookie that was made of an entry lived on behind it")
	}
	read()
	e.clock.Add(-time.Hour)
	if read() != 1 {
		t.Error("the clock went back, and the entry was believed")
	}
}

// What is configured bounds what is kept. What has to go then: package sessioncache.
func TestCacheIsBounded(t *testing.T) {
	for _, tt := range []struct {
		what    string
		name    int // bytes of each user's
		signIns int
		kept    func(core.Stores) int
		most    int
	}{
		{"entries", 1, 120, func(s core.Stores) int { return s.CacheEntries }, 100},
		{"bytes", 100_000, 20, func(s core.Stores) int { return s.CacheBytes }, 1 << 20},
	} {
		t.Run(tt.what, func(t *testing.T) {
			e, _ := remembering(t, 1, config(func(c *core.Config) { c.Session.Cache.MaxEntries, c.Session.Cache.MaxBytes = 100, 1<<20 }))
			e.client().signUp("a@example.com").must(200, "POST", "/update-user", m{"name": strings.Repeat("n", tt.name)})
			most := 0
			for range tt.signIns {
				c := e.client()
				c.signIn("a@example.com", password)
				c.get("/get-session")
				most = max(most, tt.kept(e.auth.Host().Stores()))
			}
			if most > tt.most || most < tt.most/2 {
				t.Errorf("%d %s of at most %d", most, tt.what, tt.most)
			}
		})
	}
}

func TestCacheIsRefused(t *testing.T) {
	dsn := adaptertest.PostgresURL(t)
	db, err := postgres.Open(t.Context(), dsn, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for want, change := range map[string]func(*core.Config){
		"needs PostgreSQL":                                func(c *core.Config) { c.Database, c.SkipVerify = openSQLite(t), true },
		`session.tokenStorage "compat"`:                   func(c *core.Config) { c.Session.TokenStorage = "compat" },
		`session.storage "redis"`:                         func(c *core.Config) { c.Session.Store = &storetest.MemorySessions{} },
		"maxAge: 901 s":                                   func(c *core.Config) { c.Session.Cache.MaxAge = 901 },
		"maxEntries must be at least 100":                 func(c *core.Config) { c.Session.Cache.MaxEntries = 99 },
		"maxBytes at least 1048576":                       func(c *core.Config) { c.Session.Cache.MaxBytes = 1000 },
		"does not pass on what changes":                   func(c *core.Config) { c.Database = struct{ storage.Database }{db} },
		"to listen takes a connection of its own: set Op": func(c *core.Config) { c.Database, c.NoBackground = fromHandle(t, dsn), false },
	} {
		e := prepare(t, on(db), config(func(c *core.Config) { c.Session.Cache.Enabled, c.SkipVerify = true, true }))
		cfg := e.config()
		change(&cfg)
		a, err := core.New(t.Context(), cfg)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
		if a != nil {
			_ = a.Close(context.Background())
		}
	}
}

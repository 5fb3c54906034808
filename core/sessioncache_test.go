package core_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/adapters/storetest"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
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

// The promise of a store of copies holds inside of the process, too.
func TestCacheAsAStore(t *testing.T) {
	storetest.Sessions(t, func(*testing.T) []contract.SessionStore { return []contract.SessionStore{core.NewCacheStore()} })
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

// Whatever changes a session or its user is seen by who did it at once, and by the others
// when they hear of it.
func TestChangesVoidTheCache(t *testing.T) {
	e, auths := remembering(t, 2, deviceField)
	for name, change := range sessionChanges() {
		t.Run(name, func(t *testing.T) {
			email := "a@example.com"
			if _, err := e.db.Exec(t.Context(), "DELETE FROM {user=} WHERE {user.email} = ?", email); err != nil {
				t.Fatal(err)
			}
			c := e.client().signUp(email)
			w, b := c.who(), c.at(auths[1])
			own := c.clone()
			old := ""
			for _, r := range []*client{own, b} {
				r.get("/get-session")
				if n := e.asked(func() { old = string(r.get("/get-session").Body) }); n != 0 {
					t.Fatal("it is not in memory")
				}
			}
			if err := change(e, e.auth.Host(), c, w); err != nil {
				t.Fatal(err)
			}
			ok := func(r *client) bool {
				now := string(r.clone().get("/get-session").Body)
				return now != old && strings.Contains(now, "New") != (now == "null")
			}
			if !ok(own) {
				t.Error("who changed it serves what was")
			}
			eventually(t, "the other replica sees it", func() bool { return ok(b) })
		})
	}
}

// Somebody reads the old row, it is changed, everybody has heard of that, and only then is
// what was read to be kept.
func TestReadBeforeAChangeIsNotKept(t *testing.T) {
	for name, here := range map[string]bool{"changed here": true, "changed elsewhere": false} {
		t.Run(name, func(t *testing.T) {
			e, auths := remembering(t, 2)
			c := e.client().signUp("a@example.com")
			w, probe := c.who(), e.client().signUp("p@example.com")
			by, reader := auths[1], c.clone()
			if here {
				by = auths[0]
			}
			probe.get("/get-session")
			e.db.mu.Lock()
			e.db.behind = func() {
				name := "New"
				if _, err := by.Host().UpdateUser(t.Context(), nil, nil, w.user, core.UserChange{Name: &name}); err != nil {
					t.Error(err)
				}
				// What is announced later is heard later: when this one is, the other has been.
				other := probe.who()
				if err := by.Host().SessionsChanged(t.Context(), nil, other.user); err != nil {
					t.Error(err)
				}
				eventually(t, "the probe is void", func() bool { return e.asked(func() { probe.get("/get-session") }) > 0 })
			}
			e.db.mu.Unlock()
			if a := reader.get("/get-session"); !strings.Contains(string(a.Body), `"name":"Ada"`) {
				t.Fatalf("the reader was to have the old row: %s", a.Body)
			}
			if a := reader.get("/get-session"); !strings.Contains(string(a.Body), `"name":"New"`) {
				t.Errorf("the old row was kept: %s", a.Body)
			}
		})
	}
}

// While a change is being committed nobody keeps what was.
func TestCacheInsideAChange(t *testing.T) {
	var inside func()
	e, _ := remembering(t, 1, hooks(core.UserUpdate.After(func(context.Context, *core.UserUpdateEvent) error {
		inside()
		return nil
	})))
	c := e.client().signUp("a@example.com")
	reads := 0
	inside = func() {
		reads++
		for range 2 {
			if a := c.clone().get("/get-session"); !strings.Contains(string(a.Body), `"name":"Ada"`) {
				t.Errorf("uncommitted: %s", a.Body)
			}
		}
	}
	var late sync.WaitGroup
	e.db.fail(func(op, _ string) error {
		if op == "commit" { // see holds the lock: it goes on beside the commit, whichever is first
			late.Go(func() { c.clone().get("/get-session") })
		}
		return nil
	})
	c.must(200, "POST", "/update-user", m{"name": "New"})
	e.db.fail(nil)
	late.Wait()
	if a := c.get("/get-session"); !strings.Contains(string(a.Body), `"name":"New"`) || reads == 0 {
		t.Errorf("%d reads, then %s", reads, a.Body)
	}
}

// 40 readers on three replicas while sessions are revoked: who asks the one that did it is
// refused at once; the others follow. The log has the longest time that took.
func TestRevocationWinsEveryRaceForTheCache(t *testing.T) {
	e, auths := remembering(t, 3)
	var worst atomic.Int64
	for round := range 6 {
		c := e.client()
		if round == 0 {
			c.signUp("a@example.com")
		} else if a := c.signIn("a@example.com", password); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		w := c.who()
		var revoked, served atomic.Int64
		done := make(chan struct{})
		var readers sync.WaitGroup
		for i := range 40 {
			readers.Go(func() {
				b := c.at(auths[i%3])
				for {
					select {
					case <-done:
						return
					default:
					}
					over := revoked.Load()
					a := serve(b.auth, b.request("GET", "/get-session", nil))
					served.Add(1)
					if over == 0 || string(a.Body) == "null" {
						continue
					}
					if i%3 == 1 {
						t.Errorf("served by who revoked it: %d %s", a.Status, a.Body)
						return
					}
					for late, was := time.Now().UnixNano()-over, worst.Load(); late > was && !worst.CompareAndSwap(was, late); was = worst.Load() {
					}
				}
			})
		}
		wait := func(n int64) {
			for begin := served.Load(); served.Load() < begin+n && !t.Failed(); {
				time.Sleep(time.Millisecond)
			}
		}
		wait(300)
		var err error
		if round%2 == 0 {
			_, err = auths[1].Host().RevokeSession(t.Context(), nil, w.session)
		} else {
			err = auths[1].Host().RevokeSessions(t.Context(), nil, w.user, "")
		}
		if err != nil {
			t.Error(err)
		}
		revoked.Store(time.Now().UnixNano())
		wait(2000)
		for _, a := range auths {
			eventually(t, "every replica refuses", func() bool { return string(c.at(a).clone().get("/get-session").Body) == "null" })
		}
		close(done)
		readers.Wait()
	}
	if st := cacheStats(auths[0]); st.Hits == 0 {
		t.Errorf("%+v: nothing was ever served from memory", st)
	}
	t.Logf("others served a revoked session for at most %s", time.Duration(worst.Load()))
}

// hand is a channel in the test's own hand.
type hand struct{ l storage.Listener }

func byHand(h *hand) option {
	return func(e *env) {
		e.db = &spyDB{Database: openPostgres(e.t), listen: func(_ string, l storage.Listener) (func(), error) {
			h.l = l
			return func() {}, nil
		}}
		e.cfg.Session.Cache.Enabled, e.cfg.NoBackground = true, false
	}
}

// Memory is believed only while the channel has proved itself lately, whatever the reason.
func TestCacheNeedsTheChannel(t *testing.T) {
	var ch hand
	e := start(t, passwords(func(*emailpassword.Options) {}), byHand(&ch))
	core.TrustChannel(e.auth)
	c := e.client().signUp("a@example.com")
	now := time.Now
	asks := func(when string, want int) {
		t.Helper()
		if n := e.asked(func() { c.get("/get-session") }); n != want {
			t.Errorf("%s: the database was asked %d times, want %d", when, n, want)
		}
	}
	asks("before the channel was there", 1)
	ch.l.Reset(nil)
	asks("before it has proved itself", 1)
	ch.l.Current(now().Add(2 * time.Minute))
	asks("a proof of the future: the clock was set back", 1)
	prove := func() { ch.l.Current(now()) }
	prove()
	asks("proved, not read yet", 1)
	prove()
	asks("proved", 0)
	ch.l.Current(now().Add(-2 * time.Minute))
	asks("a late proof: the process was stopped, or the channel is slow", 1)
	prove()
	asks("what was read meanwhile is not kept, what was there before is good again", 0)
	ch.l.Reset(errors.New("broken"))
	asks("broken", 1)
	ch.l.Reset(nil)
	asks("there again", 1)
	prove()
	asks("proved again, and empty", 1)
	prove()
	asks("read again", 0)
	ch.l.Heard("*")
	prove()
	asks("everything is void", 1)
	if st := cacheStats(e.auth); st.Failures != 6 {
		t.Errorf("%+v: want a failure for each look-up without a proof", st)
	}
	lines := e.logs.text()
	if strings.Count(lines, "the store does not answer") != 1 || strings.Count(lines, "the store answers again") != 1 {
		t.Errorf("the log says not once each: %s", lines)
	}
}

// What was being read when the channel broke, or before it was there again, is not kept.
func TestReadAcrossAGapIsNotKept(t *testing.T) {
	var ch hand
	e := start(t, passwords(func(*emailpassword.Options) {}), byHand(&ch))
	core.TrustChannel(e.auth)
	c := e.client().signUp("a@example.com")
	ch.l.Reset(nil)
	ch.l.Current(time.Now())
	e.db.mu.Lock()
	e.db.behind = func() {
		ch.l.Reset(errors.New("broken"))
		ch.l.Reset(nil)
		ch.l.Current(time.Now())
	}
	e.db.mu.Unlock()
	c.get("/get-session")
	ch.l.Current(time.Now())
	if n := e.asked(func() { c.get("/get-session") }); n != 1 {
		t.Error("it was kept")
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

// Entries and their bytes are bounded, and so is what is remembered of changes.
func TestCacheIsBounded(t *testing.T) {
	e, _ := remembering(t, 1, config(func(c *core.Config) { c.Session.Cache.MaxEntries, c.Session.Cache.MaxBytes = 100, 1<<20 }))
	e.client().signUp("a@example.com")
	most := 0
	for range 150 {
		c := e.client()
		c.signIn("a@example.com", password)
		c.get("/get-session")
		most = max(most, e.auth.Host().Stores().CacheEntries)
	}
	if most > 100 || most < 50 {
		t.Errorf("%d entries of at most 100", most)
	}
	hot := e.client()
	hot.signIn("a@example.com", password)
	for range 120 { // who is asked for stays
		hot.get("/get-session")
		c := e.client()
		c.signIn("a@example.com", password)
		c.get("/get-session")
	}
	if n := e.asked(func() { hot.get("/get-session") }); n != 0 {
		t.Error("what is always asked for was thrown away")
	}
	ids := make([]string, 70_000)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	if err := e.auth.Host().SessionsChanged(t.Context(), nil, ids...); err != nil {
		t.Fatal(err)
	}
	if n := e.asked(func() { hot.get("/get-session") }); n != 1 {
		t.Error("more changes than can be remembered, and something was left")
	}
}

// What is announced is nobody's secret, is at most as long as PostgreSQL takes, and follows
// the commit.
func TestAnnouncements(t *testing.T) {
	var heard []string
	var mu sync.Mutex
	e, auths := remembering(t, 2)
	ear := &earFor{func(text string) { mu.Lock(); heard = append(heard, text); mu.Unlock() }}
	stop, err := e.db.Listen("sallyport_sessions", ear)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	got := func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(heard) }
	eventually(t, "it listens", func() bool {
		_ = auths[0].Host().SessionsChanged(t.Context(), nil, "somebody")
		return len(got()) > 0
	})
	c := e.client().signUp("a@example.com")
	w, h := c.who(), auths[1].Host()
	undone := h.Tx(t.Context(), nil, func(ctx context.Context, tx *core.Tx) error {
		return errors.Join(h.RevokeSessions(ctx, tx, w.user, ""), errors.New("undone"))
	})
	c.get("/get-session")
	if n := e.asked(func() { c.get("/get-session") }); undone == nil || n != 0 {
		t.Errorf("undone: %v; asked %d times: a change that was none left something behind", undone, n)
	}
	before := len(got())
	ids := make([]string, 1000)
	for i := range ids {
		ids[i] = fmt.Sprint("user", i)
	}
	if err := h.SessionsChanged(t.Context(), nil, ids...); err != nil {
		t.Fatal(err)
	}
	c.must(200, "POST", "/sign-out", m{})
	eventually(t, "all are heard", func() bool { return len(strings.Fields(strings.Join(got()[before:], " "))) == 1001 })
	for _, text := range got() {
		for _, secret := range []string{w.token, w.user, w.session, "a@example.com", "user1"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is announced", secret)
			}
		}
	}
}

type earFor struct{ heard func(string) }

func (e *earFor) Reset(error)       {}
func (e *earFor) Heard(text string) { e.heard(text) }
func (e *earFor) Current(time.Time) {}

// A command that changes something has no cache of its own, and tells the others.
func TestCommandsAnnounce(t *testing.T) {
	e, _ := remembering(t, 1)
	cfg := e.config()
	cfg.NoBackground = true
	command, err := core.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer command.Close(context.Background())
	c := e.client().signUp("a@example.com")
	c.get("/get-session")
	if err := command.Host().RevokeSessions(t.Context(), nil, c.who().user, ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is refused", func() bool { return string(c.clone().get("/get-session").Body) == "null" })
	b := e.client()
	b.signIn("a@example.com", password)
	for range 2 {
		if n := e.asked(func() { b.at(command).get("/get-session") }); n != 1 {
			t.Error("a command believes its memory")
		}
	}
}

// In a transaction of the app's the announcement follows the app's commit.
func TestCacheJoinsTheApp(t *testing.T) {
	dsn := adaptertest.PostgresURL(t)
	db, err := postgres.Open(t.Context(), dsn, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	app, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { app.Close() })
	e, auths := remembering(t, 2, on(db))
	c := e.client().signUp("a@example.com")
	w := c.who()
	for _, a := range auths {
		c.at(a).get("/get-session")
	}
	tx, err := app.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	joined, committed, err := auths[0].Host().JoinSQL(tx)
	if err != nil {
		t.Fatal(err)
	}
	if err := auths[0].Host().RevokeSessions(t.Context(), joined, w.user, ""); err != nil {
		t.Fatal(err)
	}
	for i, a := range auths {
		if got := string(c.at(a).clone().get("/get-session").Body); got == "null" {
			t.Errorf("replica %d knows of what is not committed", i)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	committed(t.Context())
	if got := string(c.at(auths[0]).clone().get("/get-session").Body); got != "null" {
		t.Errorf("who did it serves it: %s", got)
	}
	eventually(t, "the other hears of it", func() bool { return string(c.at(auths[1]).clone().get("/get-session").Body) == "null" })
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

func fromHandle(t *testing.T, dsn string) storage.Database {
	app, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { app.Close() })
	db, err := postgres.From(t.Context(), app, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

package core_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/storetest"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

// copyStore is a store that the test looks into, and may run something inside of.
type copyStore struct {
	storetest.MemorySessions
	mu      sync.Mutex
	written []contract.SessionCopy
	keys    []string
	blocked func() // runs once, behind the next Block
}

func (s *copyStore) Write(ctx context.Context, key string, c contract.SessionCopy, version int64) (bool, error) {
	s.mu.Lock()
	s.written, s.keys = append(s.written, c), append(s.keys, key)
	s.mu.Unlock()
	return s.MemorySessions.Write(ctx, key, c, version)
}

func (s *copyStore) Block(ctx context.Context, limit time.Duration, subjects ...string) (int64, error) {
	mark, err := s.MemorySessions.Block(ctx, limit, subjects...)
	if fn := s.blocked; fn != nil {
		s.blocked = nil
		fn()
	}
	return mark, err
}

// replicas starts Auths on one database and one store of copies.
func replicas(t *testing.T, n int, options ...option) (*env, *copyStore, []*core.Auth) {
	t.Helper()
	s := &copyStore{}
	e := start(t, append([]option{config(func(c *core.Config) { c.Session.Store = s }),
		passwords(func(*emailpassword.Options) {})}, options...)...)
	s.Now = e.clock.Now
	auths := []*core.Auth{e.auth}
	for range n - 1 {
		auths = append(auths, e.compile())
	}
	return e, s, auths
}

func (c *client) at(a *core.Auth) *client {
	d := c.clone()
	d.auth = a
	return d
}

func TestCopiesAnswerForTheDatabase(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		off := false
		e, s, auths := replicas(t, 2, db, config(func(c *core.Config) {
			c.User.Fields = []core.Extra{{Name: "plan", Type: "string", Default: "free"}, {Name: "age", Type: "number"}, {Name: "tags", Type: "string[]"},
				{Name: "note", Type: "json"}, {Name: "born", Type: "date"}, {Name: "vip", Type: "boolean", Default: true},
				{Name: "secretNote", Type: "string", Returned: &off, Default: "h1dden"}}
		}))
		c := e.client()
		c.must(200, "POST", "/sign-up/email", m{"name": "Ann", "email": "ann@example.com", "password": password, "age": 42,
			"tags": []string{"a", "b"}, "note": "a \"text\"", "born": "2001-02-03T04:05:06.789Z"})
		first := c.get("/get-session")
		for _, a := range auths {
			var second answer
			if got := e.db.count(func() { second = c.at(a).get("/get-session") }); len(got) != 0 {
				t.Errorf("a copy was there, and the database was asked: %q", got)
			}
			if !reflect.DeepEqual(second.json, first.json) { // PostgreSQL has spaces in JSON
				t.Errorf("the copy says\n%s, the database\n%s", second.Body, first.Body)
			}
		}
		token, _, _ := strings.Cut(c.jar[tokenCookie], ".")
		for i, w := range s.written {
			if all := string(w.Data) + strings.Join(w.Subjects, "") + s.keys[i]; strings.Contains(all, token) || strings.Contains(all, "ann@") || strings.Contains(all, "h1dden") {
				t.Errorf("a copy shows what it holds: %s", all)
			}
		}
		for name, path := range map[string]string{"an endpoint that changes something": "/revoke-other-sessions", "a client that wants the truth": "/get-session?disableCookieCache=true"} {
			method := "GET"
			if path == "/revoke-other-sessions" {
				method = "POST"
			}
			if got := e.db.count(func() { c.at(auths[1]).must(200, method, path, nil) }); len(got) == 0 {
				t.Errorf("%s was served from a copy", name)
			}
		}
	})
}

// Hooks find the same session wherever it was read: also the columns that no client sees.
func TestCopiesHaveHiddenColumns(t *testing.T) {
	var seen []string
	e, _, _ := replicas(t, 1, hooks(core.GetSession.After(func(_ context.Context, c *core.Call, out **core.SessionAnswer) error {
		if s, u := c.Session(); s != nil {
			seen = append(seen, strings.Join(s.Methods(), ",")+" "+s.AuthenticatedAt().String()+" "+u.Email)
		}
		return nil
	})))
	c := e.client().signUp("a@example.com")
	c.get("/get-session")
	c.get("/get-session")
	if len(seen) != 2 || seen[0] != seen[1] || !strings.HasPrefix(seen[0], "pwd ") {
		t.Errorf("hooks saw %q", seen)
	}
}

// who is what a change is made to.
type who struct{ session, user, token string }

func (c *client) who() who {
	c.e.t.Helper()
	a := c.must(200, "GET", "/get-session?disableCookieCache=true", nil)
	s, _ := a.json["session"].(m)
	return who{s["id"].(string), s["userId"].(string), s["token"].(string)}
}

// sessionChanges is whatever changes a session or its user.
func sessionChanges() map[string]func(e *env, h *core.Host, c *client, w who) error {
	ctx := context.Background()
	other := func(e *env) *client {
		c := e.client()
		if a := c.signIn("a@example.com", password); a.Status != 200 {
			e.t.Fatalf("%d %s", a.Status, a.Body)
		}
		return c
	}
	return map[string]func(e *env, h *core.Host, c *client, w who) error{
		"sign-out": func(_ *env, _ *core.Host, c *client, _ who) error { c.must(200, "POST", "/sign-out", m{}); return nil },
		"revoke this": func(_ *env, _ *core.Host, c *client, w who) error {
			c.must(200, "POST", "/revoke-session", m{"token": w.token})
			return nil
		},
		"revoke all": func(_ *env, _ *core.Host, c *client, _ who) error {
			c.must(200, "POST", "/revoke-sessions", m{})
			return nil
		},
		"revoke others": func(e *env, _ *core.Host, _ *client, _ who) error {
			other(e).must(200, "POST", "/revoke-other-sessions", m{})
			return nil
		},
		"new password": func(e *env, _ *core.Host, _ *client, _ who) error {
			other(e).must(200, "POST", "/change-password", m{"currentPassword": password, "newPassword": wrong, "revokeOtherSessions": true})
			return nil
		},
		"update the user": func(_ *env, _ *core.Host, c *client, _ who) error {
			c.must(200, "POST", "/update-user", m{"name": "New"})
			return nil
		},
		"update the session": func(_ *env, _ *core.Host, c *client, _ who) error {
			c.must(200, "POST", "/update-session", m{"device": "New"})
			return nil
		},
		"delete the user": func(_ *env, _ *core.Host, c *client, _ who) error {
			c.must(200, "POST", "/delete-user", m{"password": password})
			return nil
		},
		"RevokeSession": func(_ *env, h *core.Host, _ *client, w who) error {
			_, err := h.RevokeSession(ctx, nil, w.session)
			return err
		},
		"RevokeSessions in a transaction": func(_ *env, h *core.Host, _ *client, w who) error {
			return h.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error { return h.RevokeSessions(ctx, tx, w.user, "") })
		},
		"statements of an app": func(_ *env, h *core.Host, _ *client, w who) error {
			return h.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
				if _, err := tx.Exec(ctx, "UPDATE {user=} SET {user:name} = ? WHERE {user.id} = ?", "New", w.user); err != nil {
					return err
				}
				return h.SessionsChanged(ctx, tx, w.user)
			})
		},
	}
}

var deviceField = config(func(c *core.Config) { c.Session.Fields = []core.Extra{{Name: "device", Type: "string"}} })

// Whatever changes a session or its user is seen by every replica at once.
func TestChangesVoidCopies(t *testing.T) {
	for name, change := range sessionChanges() {
		t.Run(name, func(t *testing.T) {
			e, _, auths := replicas(t, 2, deviceField)
			c := e.client().signUp("a@example.com")
			w, b := c.who(), c.at(auths[1])
			b.get("/get-session")
			old := ""
			if got := e.db.count(func() { old = string(b.get("/get-session").Body) }); len(got) != 0 {
				t.Fatal("there is no copy")
			}
			if err := change(e, e.auth.Host(), c, w); err != nil {
				t.Fatal(err)
			}
			now := string(b.get("/get-session").Body)
			if now == old || strings.Contains(now, "New") == (now == "null") {
				t.Errorf("the other replica says %s", now)
			}
		})
	}
}

// A refresh moves the session's end, for all replicas.
func TestRefreshVoidsTheCopy(t *testing.T) {
	e, _, auths := replicas(t, 2)
	c := e.client().signUp("a@example.com")
	e.clock.Add(25 * time.Hour)
	b := c.at(auths[1])
	b.get("/get-session?disableRefresh=true")
	before := string(b.get("/get-session?disableRefresh=true").Body)
	if a := c.get("/get-session"); a.cookies()[tokenCookie] == "" {
		t.Fatal("not refreshed")
	}
	if after := string(b.get("/get-session?disableRefresh=true").Body); after == before {
		t.Errorf("the other replica serves the old end: %s", after)
	}
}

// The two moments in which a reader could keep what is about to change: inside of the
// transaction, and between the block and the commit.
func TestReadersInsideAChange(t *testing.T) {
	var inside func()
	e, s, auths := replicas(t, 2, on(openPostgres(t)), hooks(core.UserUpdate.After(func(context.Context, *core.UserUpdateEvent) error {
		inside()
		return nil
	})))
	c := e.client().signUp("a@example.com")
	b := c.at(auths[1])
	reads := 0
	read := func() {
		reads++
		for range 2 {
			if a := b.get("/get-session"); !strings.Contains(string(a.Body), `"name":"Ada"`) {
				t.Errorf("uncommitted: %s", a.Body)
			}
		}
	}
	inside, s.blocked = read, read
	c.must(200, "POST", "/update-user", m{"name": "New"})
	if reads != 2 {
		t.Errorf("read %d times, want inside and behind the block", reads)
	}
	if a := b.get("/get-session"); !strings.Contains(string(a.Body), `"name":"New"`) {
		t.Errorf("after the commit: %s", a.Body)
	}
}

// A store that does not answer changes nothing but the speed; what it was not told is made
// up for by a job of any replica.
func TestCopiesWithoutTheStore(t *testing.T) {
	e, s, auths := replicas(t, 2)
	c := e.client().signUp("a@example.com")
	b := c.at(auths[1])
	b.get("/get-session")
	w := c.who()
	s.Err = errors.New("no answer")
	if a := b.get("/get-session"); a.Status != 200 || string(a.Body) == "null" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if was, err := e.auth.Host().RevokeSession(t.Context(), nil, w.session); err != nil || !was {
		t.Fatal(was, err)
	}
	if a := b.clone().get("/get-session"); string(a.Body) != "null" {
		t.Errorf("%s", a.Body)
	}
	if st := e.auth.Host().Stores().Sessions; !st.Failing || st.Failures != 2 {
		t.Errorf("%+v", st)
	}
	s.Err = nil
	if a := b.clone().get("/get-session"); string(a.Body) == "null" {
		t.Fatal("the copy has gone by itself: the test shows nothing")
	}
	if worked, err := core.RunJob(t.Context(), auths[1]); err != nil || !worked {
		t.Fatal(worked, err)
	}
	if a := b.clone().get("/get-session"); string(a.Body) != "null" {
		t.Errorf("after the job: %s", a.Body)
	}
}

// A copy ends: also where the store would still serve it.
func TestCopiesEnd(t *testing.T) {
	e, s, _ := replicas(t, 1)
	c := e.client().signUp("a@example.com")
	c.get("/get-session")
	s.Now = func() time.Time { return time.Unix(0, 0) } // keeps everything
	e.clock.Add(300*time.Second - time.Millisecond)
	if got := e.db.count(func() { c.get("/get-session") }); len(got) != 0 {
		t.Errorf("a millisecond before the end: %q", got)
	}
	e.clock.Add(time.Millisecond)
	if got := e.db.count(func() { c.get("/get-session") }); len(got) == 0 {
		t.Error("an old copy was believed")
	}
}

// Who can write to the store can make no session of it.
func TestForgedCopies(t *testing.T) {
	e, s, _ := replicas(t, 1)
	c, d := e.client().signUp("a@example.com"), e.client().signUp("d@example.com")
	c.get("/get-session")
	d.get("/get-session")
	put := func(data []byte) {
		_, version, err := s.Read(t.Context(), s.keys[1])
		for version == 0 && err == nil { // what is there goes
			err = s.Release(t.Context(), 0, s.written[1].Subjects...)
			if err == nil {
				_, version, err = s.Read(t.Context(), s.keys[1])
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if kept, err := s.MemorySessions.Write(t.Context(), s.keys[1], contract.SessionCopy{Data: data, Subjects: s.written[1].Subjects, Life: time.Minute}, version); err != nil || !kept {
			t.Fatal(kept, err)
		}
	}
	for name, data := range map[string][]byte{"another session's": s.written[0].Data, "none": {}, "rubbish": []byte("{}"),
		"a cut one": s.written[1].Data[:len(s.written[1].Data)-3]} {
		put(data)
		if a := d.get("/get-session"); !strings.Contains(string(a.Body), "d@example.com") {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	put(s.written[1].Data)
	if got := e.db.count(func() { d.get("/get-session") }); len(got) != 0 {
		t.Errorf("its own was not taken: the test shows nothing: %q", got)
	}
}

// Cookies that follow from a copy end when that does: the two bounds do not add up.
func TestCookieCacheFromACopy(t *testing.T) {
	e, _, auths := replicas(t, 2, config(func(c *core.Config) { c.Session.CookieCache.Enabled = true }))
	c := e.client().signUp("a@example.com")
	delete(c.jar, dataCookie)
	c.get("/get-session")
	b := c.at(auths[1])
	e.clock.Add(299 * time.Second)
	delete(b.jar, dataCookie)
	if got := e.db.count(func() { b.get("/get-session") }); len(got) != 0 || b.jar[dataCookie] == "" {
		t.Fatalf("%q, %q", got, b.jar)
	}
	e.clock.Add(2 * time.Second)
	if got := e.db.count(func() { b.get("/get-session") }); len(got) == 0 {
		t.Error("a cookie that was made of a copy lived on behind it")
	}
}

// A transaction that is undone leaves no block behind.
func TestUndoneChangeLeavesNoBlock(t *testing.T) {
	e, _, _ := replicas(t, 1)
	c := e.client().signUp("a@example.com")
	w := c.who()
	h := e.auth.Host()
	err := h.Tx(t.Context(), nil, func(ctx context.Context, tx *core.Tx) error {
		if err := h.RevokeSessions(ctx, tx, w.user, ""); err != nil {
			return err
		}
		return errors.New("undone")
	})
	if err == nil {
		t.Fatal("committed")
	}
	c.get("/get-session")
	if got := e.db.count(func() { c.get("/get-session") }); len(got) != 0 {
		t.Errorf("no copy was made: %q", got)
	}
}

// 50 readers on three replicas while sessions are revoked: whoever asks when the
// revocation has returned is refused.
func TestRevocationWinsEveryRace(t *testing.T) {
	e, _, auths := replicas(t, 3, on(openPostgres(t)))
	for round := range 4 {
		c := e.client()
		if round == 0 {
			c.signUp("a@example.com")
		} else if a := c.signIn("a@example.com", password); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		w := c.who()
		var revoked atomic.Bool
		var served atomic.Int64
		done := make(chan struct{})
		var readers sync.WaitGroup
		for i := range 50 {
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
					if served.Add(1); over && string(a.Body) != "null" {
						t.Errorf("served after the revocation had returned: %d %s", a.Status, a.Body)
						return
					}
				}
			})
		}
		wait := func(n int64) {
			for begin := served.Load(); served.Load() < begin+n && !t.Failed(); {
				time.Sleep(time.Millisecond)
			}
		}
		wait(200)
		var err error
		if round%2 == 0 {
			_, err = auths[1].Host().RevokeSession(t.Context(), nil, w.session)
		} else {
			err = auths[1].Host().RevokeSessions(t.Context(), nil, w.user, "")
		}
		if err != nil {
			t.Error(err)
		}
		revoked.Store(true)
		wait(200)
		close(done)
		readers.Wait()
	}
	if st := e.auth.Host().Stores().Sessions; st.Hits == 0 {
		t.Errorf("%+v: no copy was ever served", st)
	}
}

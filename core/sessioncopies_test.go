package core_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
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

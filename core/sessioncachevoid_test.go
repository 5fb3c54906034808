package core_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

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

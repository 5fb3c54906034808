package sessioncache

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/storetest"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// store is a cache as the suite of stores wants one.
type store struct{ *Cache[string] }

func (s store) Read(_ context.Context, key string) ([]byte, int64, error) {
	now := time.Now()
	s.Current(now)
	l := s.Look(KeyOf(key), now)
	if l.Found {
		return []byte(l.Value), 0, nil
	}
	return nil, l.version, nil
}

func (s store) Write(_ context.Context, key string, c contract.SessionCopy, version int64) (bool, error) {
	now := time.Now()
	return s.Keep(Look[string]{Believed: true, key: KeyOf(key), version: version, at: now, asked: now}, Entry[string]{Value: string(c.Data),
		Subjects: [2]string{c.Subjects[0], c.Subjects[len(c.Subjects)-1]}, Life: c.Life, Size: 1000}), nil
}

func (s store) Block(_ context.Context, limit time.Duration, subjects ...string) (int64, error) {
	return s.Cache.Block(limit, subjects), nil
}

func (s store) Release(_ context.Context, mark int64, subjects ...string) error {
	s.Cache.Release(mark, subjects)
	return nil
}

// The promise of a store of copies holds inside of the process, too.
func TestAsAStore(t *testing.T) {
	storetest.Sessions(t, func(*testing.T) []contract.SessionStore {
		return []contract.SessionStore{store{New[string](limits, time.Now)}}
	})
}

// What was changed is not served, and what was read before is not kept.
func TestChangeWins(t *testing.T) {
	others := make([]string, maxMarks+1)
	for i := range others {
		others[i] = fmt.Sprint(i)
	}
	for name, tt := range map[string]struct {
		change func(*Cache[string], *clock)
		other  bool // an entry of other subjects goes with it
	}{
		"its session":                 {func(c *Cache[string], _ *clock) { c.Changed([]string{"x", "s"}) }, false},
		"its user":                    {func(c *Cache[string], _ *clock) { c.Changed([]string{"u", "x"}) }, false},
		"blocked and released":        {func(c *Cache[string], _ *clock) { c.Release(c.Block(time.Minute, []string{"u"}), []string{"u"}) }, false},
		"released by a job":           {func(c *Cache[string], _ *clock) { c.Release(0, []string{"s"}) }, false},
		"everything":                  {func(c *Cache[string], _ *clock) { c.Forget() }, true},
		"a gap":                       {func(c *Cache[string], at *clock) { c.Reset(); c.Reset(); c.Current(at.now) }, true},
		"more than can be remembered": {func(c *Cache[string], _ *clock) { c.Changed(others) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			c, at := newTest(limits)
			for key, subjects := range map[string][]string{"k": {"s", "u"}, "other": {"s2", "u2"}} {
				read(c, at, key, "old", subjects...)
				if !c.has(key, at) {
					t.Fatal("it is not in memory")
				}
			}
			reading, other := c.Look(KeyOf("late"), at.now), c.Look(KeyOf("late2"), at.now)
			tt.change(c, at)
			if n, bytes := c.Size(); tt.other && (n != 0 || bytes != 0) {
				t.Errorf("%d entries of %d bytes are left", n, bytes)
			}
			if c.has("k", at) || c.Keep(reading, entry("old", "s", "u")) || c.has("late", at) {
				t.Error("what was is served")
			}
			if c.has("other", at) == tt.other || c.Keep(other, entry("old", "s2", "u2")) == tt.other {
				t.Errorf("another session is gone: want %v", tt.other)
			}
			if _, _, kept := read(c, at, "k", "new", "s", "u"); !kept || !c.has("k", at) {
				t.Error("what is new is not kept")
			}
		})
	}
}

// Changes that come one by one are remembered only so far.
func TestManyChanges(t *testing.T) {
	c, at := newTest(limits)
	read(c, at, "k", "v", "s", "u")
	for i := range maxMarks {
		c.Changed([]string{fmt.Sprint(i)})
	}
	if len(c.changed) != maxMarks || !c.has("k", at) {
		t.Errorf("%d are remembered, served %v", len(c.changed), c.has("k", at))
	}
	if c.Changed([]string{"one more"}); len(c.changed) > 1 || c.has("k", at) {
		t.Errorf("%d are remembered, served %v", len(c.changed), c.has("k", at))
	}
}

// A block outlives everything but its release and its end.
func TestBlock(t *testing.T) {
	c, at := newTest(limits)
	refused := func(when string, want bool) {
		t.Helper()
		if _, _, kept := read(c, at, "k", "v", "s", "u"); kept == want {
			t.Errorf("%s: kept %v", when, kept)
		}
	}
	mark := c.Block(time.Minute, []string{"u"})
	refused("blocked", true)
	c.Forget()
	refused("everything was forgotten", true)
	c.Reset()
	c.Current(at.now)
	refused("the channel broke", true)
	second := c.Block(2*time.Minute, []string{"s"})
	c.Release(mark, []string{"u"})
	refused("one of two released", true)
	at.Add(2 * time.Minute)
	c.Current(at.now)
	refused("at the end", true)
	at.Add(time.Nanosecond)
	c.Current(at.now)
	refused("behind the end", false)
	c.Release(second, []string{"s"})
	refused("released behind the end", false)
	if len(c.blocked) != 0 {
		t.Errorf("blocks are left: %v", c.blocked)
	}
}

// The database may take so long that what it said is no news any more.
func TestReadForTooLong(t *testing.T) {
	for late, want := range map[time.Duration]bool{readTime: true, readTime + 1: false} {
		c, at := newTest(limits)
		l := c.Look(KeyOf("k"), at.now)
		at.Add(late)
		if kept := c.Keep(l, entry("v", "s", "u")); kept != want {
			t.Errorf("after %s: kept %v", late, kept)
		}
	}
}

// Readers of a row that others change: whoever looks when a change was heard sees it, whatever
// else happens to the cache.
func TestChangesElsewhereRace(t *testing.T) {
	l := limits
	l.Entries, l.Life = 4, time.Hour // a generation is full with two
	c := New[int64](l, time.Now)
	c.Reset()
	c.Current(time.Now())
	var row, heard, hits atomic.Int64
	done := make(chan struct{})
	var others sync.WaitGroup
	loop := func(n int, fn func(i int)) {
		for i := range n {
			others.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
						fn(i)
					}
				}
			})
		}
	}
	loop(4, func(i int) {
		least, key := heard.Load(), KeyOf(fmt.Sprint("k", i%2))
		l := c.Look(key, time.Now())
		if !l.Found {
			c.Keep(l, Entry[int64]{Value: row.Load(), Subjects: [2]string{"s", "u"}, Life: time.Hour, Size: 100})
		} else if hits.Add(1); l.Value < least {
			t.Errorf("served %d after %d was heard", l.Value, least)
		}
	})
	loop(1, func(int) { c.Look(KeyOf("nobody"), time.Now()); c.Size(); c.Believed(); time.Sleep(time.Microsecond) })
	loop(1, func(int) { c.Current(time.Now()); time.Sleep(time.Millisecond) })
	for change := int64(1); change <= 50 && !t.Failed(); change++ {
		for before, until := hits.Load(), time.Now().Add(20*time.Second); hits.Load() < before+20 && time.Now().Before(until); {
			time.Sleep(10 * time.Microsecond)
		}
		row.Store(change)
		if change%10 == 0 {
			c.Forget()
		} else {
			c.Changed([]string{"x", []string{"s", "u"}[change%2]})
		}
		heard.Store(change)
	}
	close(done)
	if others.Wait(); hits.Load() < 500 {
		t.Errorf("%d were served: the test has shown nothing", hits.Load())
	}
}

package ratelimit

import (
	"context"
	"fmt"
	"math/rand"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func take(t testing.TB, m *Memory, key string, rule Rule, now time.Time) Decision {
	t.Helper()
	d, err := m.Take(context.Background(), key, rule, now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The vector: three sign-ins are let in, the fourth waits for ten seconds.
func TestMemoryRolls(t *testing.T) {
	m, rule := NewMemory(0), Rule{10 * time.Second, 3}
	now := t0
	for i := range 3 {
		if d := take(t, m, "a", rule, now); !d.Allowed {
			t.Fatalf("request %d: %+v", i, d)
		}
		now = now.Add(9 * time.Second) // the window rolls on with each
	}
	now = now.Add(-9 * time.Second)
	if d := take(t, m, "a", rule, now); d.Allowed || d.RetryAfter != 10*time.Second {
		t.Fatalf("fourth: %+v", d)
	}
	if d := take(t, m, "b", rule, now); !d.Allowed {
		t.Fatalf("another client: %+v", d)
	}
	// A denied request does not move the window.
	if d := take(t, m, "a", rule, now.Add(9500*time.Millisecond)); d.Allowed || d.RetryAfter != 500*time.Millisecond {
		t.Fatalf("waiting: %+v", d)
	}
	if d := take(t, m, "a", rule, now.Add(10*time.Second)); !d.Allowed {
		t.Fatalf("after the window: %+v", d)
	}
}

func TestParallelTakesAllowExactlyMax(t *testing.T) {
	const keys, workers, takes, limit = 4, 8, 4000, 1500
	m, rule := NewMemory(0), Rule{10 * time.Second, limit}
	var allowed [keys]atomic.Int64
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range workers {
		wg.Go(func() {
			<-start
			for i := range takes {
				if d, err := m.Take(context.Background(), fmt.Sprint("key", i%keys), rule, t0); err == nil && d.Allowed {
					allowed[i%keys].Add(1)
				}
			}
		})
	}
	close(start)
	wg.Wait()
	for i := range allowed {
		if n := allowed[i].Load(); n != limit {
			t.Errorf("key%d: %d were allowed, want %d", i, n, limit)
		}
	}
}

func TestFullStoreDeniesNobodyNew(t *testing.T) {
	for _, size := range []int{1, 10, shardCount * shardMin} {
		m, rule := NewMemory(size), Rule{time.Hour, 1}
		for i := range 3 * size {
			if d := take(t, m, fmt.Sprint(i), rule, t0); !d.Allowed {
				t.Fatalf("size %d: client %d was never counted, and is denied", size, i)
			}
		}
		if n := m.Len(); n > size || n < size*3/4 {
			t.Errorf("size %d: holds %d", size, n)
		}
	}
}

func TestEvictsExpiredThenOldest(t *testing.T) {
	m := NewMemory(3)
	long, short := Rule{time.Hour, 1}, Rule{time.Second, 1}
	take(t, m, "oldest", long, t0)
	take(t, m, "expired", short, t0.Add(time.Second))
	take(t, m, "newest", long, t0.Add(2*time.Second))
	now := t0.Add(3 * time.Second)
	take(t, m, "fourth", long, now) // takes the place of expired
	for _, key := range []string{"oldest", "newest", "fourth"} {
		if take(t, m, key, long, now).Allowed {
			t.Errorf("%s was forgotten", key)
		}
	}
	take(t, m, "fifth", long, now) // nothing expired: takes the place of oldest
	for _, key := range []string{"newest", "fourth", "fifth"} {
		if take(t, m, key, long, now).Allowed {
			t.Errorf("%s was forgotten", key)
		}
	}
	if !take(t, m, "oldest", long, now).Allowed {
		t.Error("oldest was kept")
	}
}

// Any sequence of takes leaves heap, list and map with the same entries, in order.
func TestShardStaysConsistent(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	m, now := NewMemory(20), t0
	for range 20_000 {
		now = now.Add(time.Duration(rnd.Intn(400)) * time.Millisecond)
		rule := Rule{time.Duration(1+rnd.Intn(20)) * time.Second, 1 + rnd.Intn(4)}
		take(t, m, fmt.Sprint(rnd.Intn(40)), rule, now)
		s := &m.shards[0]
		n := 0
		for e := s.oldest; e != nil; e = e.newer {
			n++
			if s.entries[e.key] != e || s.expiry[e.heap] != e || e.newer != nil && e.newer.last.Before(e.last) {
				t.Fatalf("entry %q is misplaced", e.key)
			}
			if e.heap > 0 && s.expiry[(e.heap-1)/2].expires.After(e.expires) {
				t.Fatalf("entry %q expires before its parent", e.key)
			}
		}
		if n != len(s.entries) || n != len(s.expiry) || n > 20 {
			t.Fatalf("%d listed, %d in the map, %d in the heap", n, len(s.entries), len(s.expiry))
		}
	}
}

func BenchmarkMemory(b *testing.B) {
	m, rule := NewMemory(0), Rule{time.Second, 3}
	keys := make([]string, 200_000)
	for i := range keys {
		keys[i] = Key(fmt.Sprint(i), "/sign-in/email")
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		_, _ = m.Take(context.Background(), keys[i%len(keys)], rule, t0.Add(time.Duration(i)*time.Microsecond))
		i++
	}
}

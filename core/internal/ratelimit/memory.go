package ratelimit

import (
	"context"
	"hash/maphash"
	"sync"
	"time"
)

const (
	// DefaultEntries is how many keys NewMemory keeps when it is not told.
	DefaultEntries = 100_000
	shardCount     = 64
	// Below this many keys per shard, uneven spreading would cost too much of the room.
	shardMin = 64
)

// Memory is a Store in this process. It is safe for concurrent use, and takes at most
// about 250 bytes per key beside the key's own.
//
// When it is full, a new key takes the place of one whose window has ended, or else of
// the one that was allowed least recently: flooding it with keys can make it forget a
// count, and never denies a client that was not counted (as CVE-2026-77561 describes).
type Memory struct {
	seed   maphash.Seed // per process: nobody can aim at one shard
	shards []shard
}

var _ Store = (*Memory)(nil)

type shard struct {
	mu      sync.Mutex
	entries map[string]*entry
	max     int
	expiry  []*entry // binary heap, the first to expire on top
	// oldest and newest are the ends of a list in the order of last.
	oldest, newest *entry
}

type entry struct {
	key          string
	count        int
	last         time.Time
	expires      time.Time
	heap         int
	older, newer *entry
}

// NewMemory keeps at most maxEntries keys, DefaultEntries if that is not positive.
func NewMemory(maxEntries int) *Memory {
	if maxEntries <= 0 {
		maxEntries = DefaultEntries
	}
	n := shardCount
	if maxEntries < shardCount*shardMin {
		n = 1
	}
	m := &Memory{seed: maphash.MakeSeed(), shards: make([]shard, n)}
	for i := range m.shards {
		m.shards[i].max = maxEntries / n
		m.shards[i].entries = make(map[string]*entry)
	}
	return m
}

// Take never fails.
func (m *Memory) Take(_ context.Context, key string, rule Rule, now time.Time) (Decision, error) {
	s := &m.shards[0]
	if len(m.shards) > 1 {
		s = &m.shards[maphash.String(m.seed, key)%uint64(len(m.shards))]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.take(key, rule, now), nil
}

// Len is the number of keys held, also of those whose window has ended.
func (m *Memory) Len() int {
	n := 0
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		n += len(s.entries)
		s.mu.Unlock()
	}
	return n
}

func (s *shard) take(key string, rule Rule, now time.Time) Decision {
	e := s.entries[key]
	var count int
	var last time.Time
	if e != nil {
		count, last = e.count, e.last
	}
	next, d := Decide(count, last, rule, now)
	if !d.Allowed {
		return d
	}
	if e == nil {
		if len(s.entries) >= s.max {
			s.evict(now)
		}
		e = &entry{key: key, heap: len(s.expiry)}
		s.entries[key] = e
		s.expiry = append(s.expiry, e)
	} else {
		s.unlink(e)
	}
	e.count, e.last, e.expires = next, now, now.Add(rule.Window)
	s.fix(e.heap)
	s.push(e)
	return d
}

func (s *shard) evict(now time.Time) {
	victim := s.oldest
	if first := s.expiry[0]; !now.Before(first.expires) {
		victim = first
	}
	delete(s.entries, victim.key)
	s.unlink(victim)
	n := len(s.expiry) - 1
	i := victim.heap
	s.swap(i, n)
	s.expiry[n] = nil
	s.expiry = s.expiry[:n]
	if i < n {
		s.fix(i)
	}
}

func (s *shard) push(e *entry) {
	e.older, e.newer = s.newest, nil
	if s.newest != nil {
		s.newest.newer = e
	} else {
		s.oldest = e
	}
	s.newest = e
}

func (s *shard) unlink(e *entry) {
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		s.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		s.newest = e.older
	}
}

// fix restores the heap after the entry at i changed.
func (s *shard) fix(i int) {
	for i > 0 && s.before(i, (i-1)/2) {
		s.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(s.expiry); c++ {
			if s.before(c, least) {
				least = c
			}
		}
		if least == i {
			return
		}
		s.swap(i, least)
		i = least
	}
}

func (s *shard) before(i, j int) bool { return s.expiry[i].expires.Before(s.expiry[j].expires) }

func (s *shard) swap(i, j int) {
	s.expiry[i], s.expiry[j] = s.expiry[j], s.expiry[i]
	s.expiry[i].heap, s.expiry[j].heap = i, j
}

package core

import (
	"context"
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Sessions in the memory of the process (Session.Cache). They answer where the cookie cache
// may; everything else asks the database. Who changes rows announces it in the same
// transaction (storage.Announcer), so every process hears of it behind the commit, and none
// of what was undone. What makes a change win every race:
//
//   - A look-up that finds nothing takes the version of the moment. What is then read from
//     the database is kept only if nobody has changed its subjects since that version.
//   - Where something was changed here, its subjects are blocked around the commit: from
//     before it on none is served or kept, so that who asks this process behind it is refused
//     without waiting for the announcement.
//   - An entry is believed only while the channel has proved, less than cacheTrust ago, that
//     it has delivered everything. The proof carries the time at which it was asked for, so a
//     slow channel, a silent one and a process that was stopped all end in the same way. That
//     time is looked at behind the look-up: who asks after a pause is not served from before.
//   - Whatever interrupts the channel empties the cache, and once more when it is there again.

const (
	sessionChannel = "sallyport_sessions"
	// cacheTrust is how old the channel's proof may be. It bounds for how long a change may
	// go unseen elsewhere.
	cacheTrust = 900 * time.Millisecond
	// cacheRead is how long after its version what was read may still be kept.
	cacheRead = 30 * time.Second
	// cacheMarks is of how many subjects the last change is remembered. When there are more,
	// everything is forgotten.
	cacheMarks = 1 << 16
)

type sessionCache struct {
	h         *Host
	announcer storage.Announcer
	life      time.Duration
	trust     time.Duration                // cacheTrust
	maxHalf   struct{ entries, bytes int } // of a generation
	cloneJSON bool                         // some added column is JSON: bytes that could be changed

	watch   *storeWatch
	current atomic.Pointer[time.Time] // the channel's last proof; nil: none since it broke

	mu         sync.RWMutex
	young, old map[cacheKey]*cacheEntry // two generations: what is asked for moves to the young one
	youngBytes int
	oldBytes   int
	version    int64
	floor      int64                   // what was looked up before is not kept
	changed    map[string]int64        // by subject: the version of its last change
	blocked    map[string][]cacheBlock // by subject: who is changing it
	rotated    time.Time
}

type cacheKey [sha256.Size]byte // of the token

// cacheEntry is never changed and never handed out.
type cacheEntry struct {
	session   *Session
	user      *User
	bySession string // subjects
	byUser    string
	version   int64
	at        time.Time // by the host's clock, when the database was asked
	life      time.Duration
	asked     time.Time // the same by the process's own
	size      int
}

type cacheBlock struct {
	mark int64
	ends time.Time
}

func newSessionCache(h *Host, a storage.Announcer) *sessionCache {
	cfg := &h.cfg.Session.Cache
	c := &sessionCache{h: h, announcer: a, watch: &h.watch.cache, life: time.Duration(cfg.MaxAge) * time.Second,
		trust: cacheTrust, blocked: map[string][]cacheBlock{}, rotated: time.Now()}
	c.watch.name, c.watch.meanwhile, c.watch.log = "session cache", "the database answers", h.log
	c.maxHalf.entries, c.maxHalf.bytes = cfg.MaxEntries/2, cfg.MaxBytes/2
	for _, m := range []*model{h.sessionModel, h.userModel} {
		for _, col := range m.cols[m.core:] {
			c.cloneJSON = c.cloneJSON || col.Kind == schema.JSON
		}
	}
	c.forget()
	return c
}

// find reads a session from memory, or from the database, and keeps it. ends is zero for
// what the database said.
func (c *sessionCache) find(ctx context.Context, now time.Time, token string) (s *Session, u *User, ends time.Time, err error) {
	key := cacheKey(sha256.Sum256([]byte(token)))
	e, version := c.lookup(key)
	asked := time.Now()
	c.watch.calls.Add(1)
	believed := c.believed(asked)
	switch {
	case !believed:
		c.watch.failures.Add(1)
	case e != nil && e.good(now, asked):
		c.watch.hits.Add(1)
		s, u = copySession(e.session, e.user, c.cloneJSON)
		s.Token = token
		return s, u, e.at.Add(e.life), nil
	}
	s, u, err = c.h.findSession(ctx, c.h.db, token)
	if err == nil && s != nil && believed {
		c.keep(key, s, u, now, asked, version)
	}
	return s, u, time.Time{}, err
}

// believed tells whether the channel has proved itself lately. Both clocks of the process
// have a say: the one stands still while a machine sleeps, the other may be set.
func (c *sessionCache) believed(now time.Time) bool {
	at := c.current.Load()
	if at == nil {
		return false
	}
	age, wall := now.Sub(*at), time.Duration(now.UnixNano()-at.UnixNano())
	return age < c.trust && wall < c.trust && wall > -c.trust
}

func (e *cacheEntry) good(now, mono time.Time) bool {
	age := now.Sub(e.at)
	return age >= 0 && age < e.life && mono.Sub(e.asked) < e.life
}

// lookup returns an entry that nobody has changed, and the version of the moment.
func (c *sessionCache) lookup(key cacheKey) (*cacheEntry, int64) {
	c.mu.RLock()
	e, version := c.young[key], c.version
	promote := e == nil
	if promote {
		e = c.old[key]
	}
	if e != nil && (c.changed[e.bySession] > e.version || c.changed[e.byUser] > e.version) {
		e = nil
	}
	c.mu.RUnlock()
	if e != nil && promote {
		c.mu.Lock()
		if c.old[key] == e {
			delete(c.old, key)
			c.oldBytes -= e.size
			c.put(key, e)
		}
		c.mu.Unlock()
	}
	return e, version
}

// keep makes an entry of what the database said, which was asked when that version was the
// newest.
func (c *sessionCache) keep(key cacheKey, s *Session, u *User, now, asked time.Time, version int64) {
	life := min(c.life, s.ExpiresAt.Sub(now))
	if life <= 0 {
		return
	}
	e := &cacheEntry{bySession: sessionSubject(s.ID), byUser: userSubject(u.ID), version: version, at: now, life: life, asked: asked}
	e.session, e.user = copySession(s, u, c.cloneJSON)
	e.session.Token = ""
	e.size = entrySize(e)
	c.store(key, e)
}

func (c *sessionCache) store(key cacheKey, e *cacheEntry) (kept bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.version < c.floor || c.changed[e.bySession] > e.version || c.changed[e.byUser] > e.version ||
		len(c.blocked[e.bySession]) > 0 || len(c.blocked[e.byUser]) > 0 || time.Since(e.asked) > cacheRead || e.size > c.maxHalf.bytes {
		return false
	}
	c.drop(key)
	c.put(key, e)
	return true
}

// put adds an entry to the young generation. One that is full becomes the old one, and what
// nobody has asked for meanwhile goes.
func (c *sessionCache) put(key cacheKey, e *cacheEntry) {
	if len(c.young) >= c.maxHalf.entries || c.youngBytes+e.size > c.maxHalf.bytes {
		c.rotate()
	}
	c.young[key] = e
	c.youngBytes += e.size
}

func (c *sessionCache) rotate() {
	c.rotated = time.Now()
	c.old, c.oldBytes = c.young, c.youngBytes
	c.young, c.youngBytes = map[cacheKey]*cacheEntry{}, 0
}

func (c *sessionCache) drop(key cacheKey) {
	if e := c.young[key]; e != nil {
		delete(c.young, key)
		c.youngBytes -= e.size
	}
	if e := c.old[key]; e != nil {
		delete(c.old, key)
		c.oldBytes -= e.size
	}
}

// Package sessioncache keeps sessions in the memory of one process, and serves none that
// somebody has changed since. It knows nothing of what a session is: who uses it reads the
// database, and tells it which subjects an entry depends on, what changes them, and how
// well the channel works on which it hears of changes that others make. What makes a change
// win every race:
//
//   - A look-up that finds nothing takes the version of the moment. What is then read from
//     the database is kept only if nobody has changed its subjects since that version.
//   - Where something is changed here, its subjects are blocked around the commit: from
//     before it on none is served or kept, so that who asks this process behind it is refused
//     without waiting for the announcement.
//   - An entry is believed only while the channel has proved, less than Trust ago, that it
//     has delivered everything. The proof carries the time at which it was asked for, so a
//     slow channel, a silent one and a process that was stopped all end in the same way. That
//     time is looked at behind the look-up: who asks after a pause is not served from before.
//   - Whatever interrupts the channel empties the cache, and once more when it is there again.
package sessioncache

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// readTime is how long after a look-up what was read may still be kept.
	readTime = 30 * time.Second
	// maxMarks is of how many subjects the last change is remembered. When there are more,
	// everything is forgotten.
	maxMarks = 1 << 16
)

// Limits bound a Cache.
type Limits struct {
	// Life is the longest life of an entry.
	Life time.Duration
	// Trust is how old the channel's proof may be. It bounds for how long a change may go
	// unseen elsewhere. It is not changed once look-ups have begun.
	Trust time.Duration
	// Entries and Bytes bound what is kept.
	Entries, Bytes int
}

// Cache keeps values of V, which are never changed once they are in it. It is safe for
// concurrent use.
type Cache[V any] struct {
	Limits
	clock   func() time.Time
	current atomic.Pointer[time.Time] // the channel's last proof; nil: none since it broke

	mu         sync.RWMutex
	young, old map[Key]*Entry[V] // two generations: what is asked for moves to the young one
	youngBytes int
	oldBytes   int
	version    int64
	floor      int64              // what was looked up before is not kept
	changed    map[string]int64   // by subject: the version of its last change
	blocked    map[string][]block // by subject: who is changing it
	rotated    time.Time
}

// Key is where a session is: nobody learns its token from it.
type Key [sha256.Size]byte

// KeyOf is the key of a token's session.
func KeyOf(token string) Key { return sha256.Sum256([]byte(token)) }

// Entry is what is kept.
type Entry[V any] struct {
	Value V
	// Subjects are whose change makes it void.
	Subjects [2]string
	// Life is how long it may be served; Limits.Life bounds it.
	Life time.Duration
	// Size is about how many bytes it takes.
	Size int

	version int64
	at      time.Time // by the caller's clock, when the database was asked
	asked   time.Time // the same by the process's own
}

// Look is what a look-up has found.
type Look[V any] struct {
	// Believed tells whether the channel has proved itself lately. Nothing is found without.
	Believed bool
	// Found tells whether there was an entry.
	Found bool
	Value V
	// Ends is until when the entry may be served, by the clock that the look-up was given.
	Ends time.Time

	key     Key
	version int64
	at      time.Time
	asked   time.Time
}

// New makes an empty cache, which is believed after the first Reset and Current. clock is
// that of the process, with its monotonic reading.
func New[V any](limits Limits, clock func() time.Time) *Cache[V] {
	c := &Cache[V]{Limits: limits, clock: clock, blocked: map[string][]block{}, rotated: clock()}
	c.forget()
	return c
}

// Look looks for an entry. now is by the caller's clock, which says when sessions end.
func (c *Cache[V]) Look(key Key, now time.Time) Look[V] {
	e, version := c.lookup(key)
	asked := c.clock()
	l := Look[V]{Believed: c.believed(asked), key: key, version: version, at: now, asked: asked}
	if l.Believed && e != nil && e.good(now, asked) {
		l.Found, l.Value, l.Ends = true, e.Value, e.at.Add(e.Life)
	}
	return l
}

// Believed tells whether entries would be served now.
func (c *Cache[V]) Believed() bool { return c.believed(c.clock()) }

// believed tells whether the channel has proved itself lately. Both clocks of the process
// have a say: the one stands still while a machine sleeps, the other may be set.
func (c *Cache[V]) believed(now time.Time) bool {
	at := c.current.Load()
	if at == nil {
		return false
	}
	age, wall := now.Sub(*at), time.Duration(now.UnixNano()-at.UnixNano())
	return age < c.Trust && wall < c.Trust && wall > -c.Trust
}

func (e *Entry[V]) good(now, mono time.Time) bool {
	age := now.Sub(e.at)
	return age >= 0 && age < e.Life && mono.Sub(e.asked) < e.Life
}

// lookup returns an entry that nobody has changed, and the version of the moment.
func (c *Cache[V]) lookup(key Key) (*Entry[V], int64) {
	c.mu.RLock()
	e, version := c.young[key], c.version
	promote := e == nil
	if promote {
		e = c.old[key]
	}
	if e != nil && c.void(e) {
		e = nil
	}
	c.mu.RUnlock()
	if e != nil && promote {
		c.mu.Lock()
		if c.old[key] == e {
			delete(c.old, key)
			c.oldBytes -= e.Size
			c.put(key, e)
		}
		c.mu.Unlock()
	}
	return e, version
}

// void tells whether somebody has changed an entry since it was looked for.
func (c *Cache[V]) void(e *Entry[V]) bool {
	return c.changed[e.Subjects[0]] > e.version || c.changed[e.Subjects[1]] > e.version
}

// Keep keeps what the database said after a look-up that was believed and found nothing,
// unless one of its subjects has been changed since, or is being changed.
func (c *Cache[V]) Keep(l Look[V], e Entry[V]) (kept bool) {
	e.version, e.at, e.asked, e.Life = l.version, l.at, l.asked, min(e.Life, c.Life)
	if !l.Believed || e.Life <= 0 || e.Size > c.Bytes/2 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.version < c.floor || c.void(&e) || len(c.blocked[e.Subjects[0]]) > 0 || len(c.blocked[e.Subjects[1]]) > 0 ||
		c.clock().Sub(e.asked) > readTime {
		return false
	}
	c.drop(l.key)
	c.put(l.key, &e)
	return true
}

// put adds an entry to the young generation. One that is full becomes the old one, and what
// nobody has asked for meanwhile goes.
func (c *Cache[V]) put(key Key, e *Entry[V]) {
	if len(c.young) >= c.Entries/2 || c.youngBytes+e.Size > c.Bytes/2 {
		c.rotate()
	}
	c.young[key] = e
	c.youngBytes += e.Size
}

func (c *Cache[V]) rotate() {
	c.rotated = c.clock()
	c.old, c.oldBytes = c.young, c.youngBytes
	c.young, c.youngBytes = map[Key]*Entry[V]{}, 0
}

func (c *Cache[V]) drop(key Key) {
	if e := c.young[key]; e != nil {
		delete(c.young, key)
		c.youngBytes -= e.Size
	}
	if e := c.old[key]; e != nil {
		delete(c.old, key)
		c.oldBytes -= e.Size
	}
}

// Size counts what is kept, and about how many bytes that takes.
func (c *Cache[V]) Size() (entries, bytes int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.young) + len(c.old), c.youngBytes + c.oldBytes
}

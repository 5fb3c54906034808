package sessioncache

import (
	"slices"
	"time"
)

// How a cache learns of changes: its own process's by Block, others' by what they announce.

// block is that of one change.
type block struct {
	mark int64
	ends time.Time
}

// Block voids entries of subjects and lets none be made until Release is given the mark,
// or limit has passed.
func (c *Cache[V]) Block(limit time.Duration, subjects []string) (mark int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.change(subjects)
	for _, s := range subjects {
		c.blocked[s] = append(c.blocked[s], block{c.version, c.clock().Add(limit)})
	}
	return c.version
}

// Release voids entries of subjects once more, and ends their block of that mark.
func (c *Cache[V]) Release(mark int64, subjects []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.change(subjects)
	for _, s := range subjects {
		c.lift(s, func(b block) bool { return b.mark == mark })
	}
}

func (c *Cache[V]) lift(subject string, over func(block) bool) {
	left := slices.DeleteFunc(c.blocked[subject], over)
	if c.blocked[subject] = left; len(left) == 0 {
		delete(c.blocked, subject)
	}
}

// Changed tells that others have changed subjects: what is known of them is void, and what
// is being read of them.
func (c *Cache[V]) Changed(subjects []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.change(subjects)
}

func (c *Cache[V]) change(subjects []string) {
	c.version++
	if len(c.changed)+len(subjects) > maxMarks {
		c.forget()
		return
	}
	for _, s := range subjects {
		c.changed[s] = c.version
	}
}

// Forget makes everything void. Blocks stay.
func (c *Cache[V]) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget()
}

func (c *Cache[V]) forget() {
	c.version++
	c.floor = c.version
	c.young, c.old, c.changed = map[Key]*Entry[V]{}, map[Key]*Entry[V]{}, map[string]int64{}
	c.youngBytes, c.oldBytes = 0, 0
}

// Reset tells that the channel may have missed changes: everything is void, and nothing is
// believed until it proves itself.
func (c *Cache[V]) Reset() {
	c.current.Store(nil)
	c.Forget()
}

// Current is the channel's proof: it has delivered what was announced until at, a time of
// the process's clock. It also lets go what nobody has asked for.
func (c *Cache[V]) Current(at time.Time) {
	c.current.Store(&at)
	now := c.clock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.rotated) >= c.Life {
		c.rotate()
	}
	for s := range c.blocked {
		c.lift(s, func(b block) bool { return now.After(b.ends) })
	}
}

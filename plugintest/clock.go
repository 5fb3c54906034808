package plugintest

import (
	"sync"
	"time"
)

// Clock is the time of a harness. It stands still until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Epoch is when every harness begins.
var Epoch = time.Date(2026, time.March, 14, 9, 26, 53, 589e6, time.UTC)

// NewClock makes a clock that stands at Epoch.
func NewClock() *Clock { return &Clock{now: Epoch} }

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

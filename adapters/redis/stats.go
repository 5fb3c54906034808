package redis

import (
	"context"
	"time"
)

// Health is the state of Redis as this process sees it.
type Health struct {
	OK bool
	// Since is when the state began.
	Since time.Time
	// Cause is why it is down, for the log; nil when OK.
	Cause error
}

// Stats counts calls since the start.
type Stats struct {
	// Calls are all questions: Failed got no answer, Skipped were not asked because Redis
	// was down.
	Calls, Failed, Skipped int64
	Health
}

// Stats returns the counters, for metrics. It asks nobody.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{Calls: c.calls.Load(), Failed: c.failed.Load(), Skipped: c.skipped.Load(),
		Health: Health{OK: c.conn != nil, Since: c.since, Cause: c.cause}}
}

// Health asks Redis whether it is there, and returns the state. One that is down is asked
// again as requests would: in the background, and not before the pause is over. It never
// takes longer than the timeout, and that ctx is over is no failure of Redis.
func (c *Client) Health(ctx context.Context) Health {
	if conn := c.current(); conn != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.timeout)
		defer cancel()
		err := conn.Do(ctx, conn.B().Ping().Build()).Error()
		c.mark(conn, err)
		if err != nil {
			h := c.Stats().Health
			h.OK, h.Cause = false, err
			return h
		}
	}
	return c.Stats().Health
}

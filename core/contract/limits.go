package contract

import (
	"context"
	"time"
)

// LimitRule allows Max requests; the count starts again when Window has passed since the
// last one that was allowed. The zero LimitRule allows nothing.
type LimitRule struct {
	Window time.Duration
	Max    int
}

// LimitDecision is what a request gets. RetryAfter is zero when it is allowed, otherwise
// greater than zero and at most the rule's window (a second for a rule without one).
type LimitDecision struct {
	Allowed    bool
	RetryAfter time.Duration
}

// LimitStore counts requests. Take must decide and count in one atomic step: of any
// number of concurrent calls for one key, no more than rule.Max are allowed in a window.
// A request that is denied changes nothing, so that a client that waits is let in again.
// now is the caller's clock; a count that lies more than a window in its future was
// written before the clock was set back, and counts as unknown. Take must not deny a key
// that it holds no count for, however full it is. An error means that nothing is known; it
// is no denial.
//
// For a store that an app or the program hands over, key is opaque, without personal data,
// and made of letters, digits, "-" and "_".
type LimitStore interface {
	Take(ctx context.Context, key string, rule LimitRule, now time.Time) (LimitDecision, error)
}

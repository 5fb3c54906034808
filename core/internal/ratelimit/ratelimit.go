// Package ratelimit counts requests per client and path, with Better Auth's rolling
// rule: a window is open until nothing was allowed for its whole length. It holds the
// rule, the table of limits and a store in memory; stores that replicas share implement
// Store elsewhere.
package ratelimit

import (
	"context"
	"time"
)

// Rule allows Max requests; the count starts again when Window has passed since the
// last one that was allowed. The zero Rule allows nothing.
type Rule struct {
	Window time.Duration
	Max    int
}

// Decision is what a request gets. RetryAfter is zero when it is allowed, otherwise
// greater than zero and at most the rule's window.
type Decision struct {
	Allowed    bool
	RetryAfter time.Duration
}

// Decide applies rule to a client that had count requests allowed in its window, the
// last of them at last; count 0 means that it is not known. When the request is allowed
// the caller keeps next with now as the new last; when it is not, next is count and
// nothing may be changed, so that a client that waits is let in again.
//
// A last that lies more than a window in the future was written before the clock was
// set back, and counts as unknown; otherwise the client would be locked out until the
// old time comes round again.
func Decide(count int, last time.Time, rule Rule, now time.Time) (next int, d Decision) {
	if rule.Max < 1 || rule.Window <= 0 {
		return count, Decision{RetryAfter: max(rule.Window, time.Second)}
	}
	since := now.Sub(last)
	switch {
	case count <= 0, since >= rule.Window, since < -rule.Window:
		return 1, Decision{Allowed: true}
	case count < rule.Max:
		return count + 1, Decision{Allowed: true}
	}
	return count, Decision{RetryAfter: min(rule.Window-since, rule.Window)}
}

// Store counts. Take must decide and count in one atomic step: of any number of
// concurrent calls for one key, no more than rule.Max are allowed in a window. It must
// not deny a key that it holds no count for, however full it is. An error means that
// nothing is known; it is no denial.
type Store interface {
	Take(ctx context.Context, key string, rule Rule, now time.Time) (Decision, error)
}

package core

import (
	"context"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/ratelimit"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// rateRow is a rate limit's counter where the database keeps them.
type rateRow struct {
	ID          string `db:"id" schema:"key"`
	Key         string `db:"key" schema:"unique"`
	Count       int    `db:"count"`
	LastRequest int64  `db:"lastRequest" schema:"index"` // milliseconds since 1970
}

var rateLimits = TableOf[rateRow]("rateLimit")

// databaseLimits keeps counters in the database, shared by all replicas. One statement
// counts and decides, so that parallel requests cannot all pass on one old count.
type databaseLimits struct{ h *Host }

func (d databaseLimits) Take(ctx context.Context, key string, rule ratelimit.Rule, now time.Time) (ratelimit.Decision, error) {
	if rule.Max < 1 || rule.Window <= 0 {
		return ratelimit.Decision{RetryAfter: max(rule.Window, time.Second)}, nil
	}
	// What lies outside of these two is over, or was written before the clock was set back.
	ms, edge, future := now.UnixMilli(), now.Add(-rule.Window).UnixMilli(), now.Add(rule.Window).UnixMilli()
	take, err := d.h.unnamed(rateLimits.Name(), storage.Statement{SQL: `INSERT INTO {rateLimit=} ({rateLimit:id}, {rateLimit:key}, {rateLimit:count}, {rateLimit:lastRequest}) ` +
		`VALUES (?, ?, 1, ?) ON CONFLICT ({rateLimit:key}) DO UPDATE SET ` +
		`{rateLimit:count} = CASE WHEN {rateLimit.lastRequest} <= ? OR {rateLimit.lastRequest} > ? THEN 1 ELSE {rateLimit.count} + 1 END, {rateLimit:lastRequest} = ? ` +
		`WHERE {rateLimit.lastRequest} <= ? OR {rateLimit.lastRequest} > ? OR {rateLimit.count} < ? RETURNING {rateLimit:count}`,
		Args: []any{nil, key, ms, edge, future, ms, edge, future, rule.Max}})
	if err != nil {
		return ratelimit.Decision{}, err
	}
	rows, err := d.h.db.Query(ctx, take.SQL, take.Args...)
	n, taken, err := scanInt(rows, err)
	if err != nil || taken && n > 0 {
		return ratelimit.Decision{Allowed: err == nil}, err
	}
	rows, err = d.h.db.Query(ctx, "SELECT {rateLimit.lastRequest} FROM {rateLimit=} WHERE {rateLimit.key} = ?", key)
	last, _, err := scanInt(rows, err)
	// Between the two statements the row may have changed or gone.
	wait := min(max(time.UnixMilli(last).Add(rule.Window).Sub(now), time.Millisecond), rule.Window)
	return ratelimit.Decision{RetryAfter: wait}, err
}

func scanInt(rows storage.Rows, err error) (n int64, found bool, e error) {
	if err != nil {
		return 0, false, err
	}
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(storage.Dest(&n)); err != nil {
			return 0, false, err
		}
		found = true
	}
	if err := rows.Err(); err != nil {
		return 0, false, err
	}
	return n, found, rows.Close()
}

package core

import (
	"context"
	"math/rand/v2"
	"time"
)

// Expiry is always compared when something is used; cleaning only frees space. It goes
// in small batches, so that no statement holds locks for long.

const (
	cleanEvery = 10 * time.Minute
	cleanBatch = 500
	jobKeep    = 30 * 24 * time.Hour // of one that was given up
)

func (w *worker) cleanLoop() {
	defer w.wg.Done()
	for {
		timer := time.NewTimer(cleanEvery + time.Duration(rand.Int64N(int64(time.Minute))))
		select {
		case <-w.ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if _, err := w.h.Clean(w.ctx); err != nil && w.ctx.Err() == nil {
			w.h.log.Error("clean-up failed", w.h.failureArgs(err)...)
		}
	}
}

// Clean deletes what has expired and says how many rows that were.
func (h *Host) Clean(ctx context.Context) (int64, error) {
	now := h.Now()
	var total int64
	for _, c := range []struct {
		table, key, where string
		at                any
	}{
		{"verification", "id", "{verification:expiresAt} < ?", now.Add(-verificationGrace)},
		{"session", "id", "{session:expiresAt} < ?", now},
		{"attempt", "id", "{attempt:expiresAt} < ?", now},
		{"knownDevice", "id", "{knownDevice:lastSeenAt} < ?", now.Add(-deviceLife)},
		{"rateLimit", "id", "{rateLimit:lastRequest} < ?", now.Add(-24 * time.Hour).UnixMilli()},
		{"job", "id", "{job:failedAt} < ?", now.Add(-jobKeep)},
	} {
		if h.schema.Table(c.table) == nil {
			continue
		}
		for {
			n, err := h.db.Exec(ctx, "DELETE FROM {"+c.table+"} WHERE {"+c.table+":"+c.key+"} IN (SELECT {"+c.table+":"+c.key+
				"} FROM {"+c.table+"} WHERE "+c.where+" LIMIT ?)", c.at, int64(cleanBatch))
			total += n
			if err != nil {
				return total, err
			}
			if n < cleanBatch {
				break
			}
		}
	}
	if err := h.emptyJobs(ctx, now); err != nil {
		return total, err
	}
	n, err := h.cleanEvents(ctx, now)
	return total + n, err
}

// emptyJobs erases what expired jobs carry. Those that were given up may be retried until
// then; nobody needs it any more.
func (h *Host) emptyJobs(ctx context.Context, now time.Time) error {
	for {
		n, err := h.db.Exec(ctx, "UPDATE {job=} SET {job:payload} = '' WHERE {job.id} IN (SELECT {job:id} FROM {job} "+
			"WHERE {job:failedAt} IS NOT NULL AND {job:expiresAt} <= ? AND {job:payload} <> '' LIMIT ?)", now, int64(cleanBatch))
		if err != nil || n < cleanBatch {
			return err
		}
	}
}

package core

import (
	"context"
	"time"

	"github.com/sallyport-auth/sallyport/core/storage"
)

// Backlog is what the job worker has before it.
type Backlog struct {
	JobBacklog                       // all of it
	Jobs       map[string]JobBacklog // by the name of the job; those that this program does are all there
}

// JobBacklog counts jobs.
type JobBacklog struct {
	Waiting int64     // neither done nor given up, whether they are due or were put off after a failure
	Due     int64     // of Waiting: should have begun
	Failed  int64     // given up, kept for the operator
	Since   time.Time // when the oldest of Waiting was written; zero without one
	Oldest  time.Time // when the one of Due that is due for longest should have begun; zero without one
}

func (b *JobBacklog) add(o JobBacklog) {
	b.Waiting, b.Due, b.Failed = b.Waiting+o.Waiting, b.Due+o.Due, b.Failed+o.Failed
	b.Since, b.Oldest = earlier(b.Since, o.Since), earlier(b.Oldest, o.Oldest)
}

// earlier is the earlier of two times; the zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Backlog counts jobs.
func (a *Auth) Backlog(ctx context.Context) (Backlog, error) {
	b := Backlog{Jobs: map[string]JobBacklog{}}
	for name := range a.h.jobs.handlers {
		b.Jobs[name] = JobBacklog{}
	}
	const waits = "CASE WHEN {job:failedAt} IS NULL THEN "
	now := a.h.Now()
	rows, err := a.h.db.Query(ctx, "SELECT {job:name}, COUNT("+waits+"1 END), COUNT("+waits+"CASE WHEN {job:runAt} <= ? THEN 1 END END), COUNT({job:failedAt}), "+
		"MIN("+waits+"{job:createdAt} END), MIN("+waits+"CASE WHEN {job:runAt} <= ? THEN {job:runAt} END END) FROM {job} GROUP BY {job:name}", now, now)
	if err != nil {
		return b, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var one JobBacklog
		var since, oldest *time.Time
		if err := rows.Scan(storage.Dests([]any{&name, &one.Waiting, &one.Due, &one.Failed, &since, &oldest})...); err != nil {
			return b, err
		}
		if since != nil {
			one.Since = *since
		}
		if oldest != nil {
			one.Oldest = *oldest
		}
		b.Jobs[name] = one
		b.add(one)
	}
	return b, rows.Err()
}

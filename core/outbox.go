package core

import (
	"context"
	"time"
)

// JobInfo is a job as operators see it: what it carries stays sealed.
type JobInfo struct {
	ID, Name  string
	CreatedAt time.Time
	RunAt     time.Time // when it is tried next
	Attempts  int
	FailedAt  time.Time // when it was given up; zero while it is not
	LastError string
	Running   bool      // a worker has it now
	ExpiresAt time.Time // when it is worth nothing any more; zero for never
	Expired   bool      // that moment has come: it is never tried again
}

// JobQuery says which jobs are meant. The zero value means all.
type JobQuery struct {
	ID      string // one alone
	Name    string // one kind, for instance "mail"
	Failed  bool   // those alone that were given up
	Expired bool   // those alone whose time is over
	Limit   int    // of a list: at most so many, the oldest first; 0 for all
}

var (
	jobName     = Column(jobs, func(j *jobRow) *string { return &j.Name })
	jobAttempts = Column(jobs, func(j *jobRow) *int { return &j.Attempts })
	jobCreated  = Column(jobs, func(j *jobRow) *time.Time { return &j.CreatedAt })
)

func (q JobQuery) where(now time.Time) (out []Cond) {
	if q.ID != "" {
		out = append(out, jobID.Eq(q.ID))
	}
	if q.Name != "" {
		out = append(out, jobName.Eq(q.Name))
	}
	if q.Failed {
		out = append(out, jobFailed.NotNull())
	}
	if q.Expired {
		out = append(out, jobUntil.Le(&now))
	}
	return out
}

// Jobs lists jobs that wait, run or were given up.
func (h *Host) Jobs(ctx context.Context, q JobQuery) ([]JobInfo, error) {
	now := h.Now()
	list, err := jobs.List(ctx, h.db, ListOptions{Order: []Order{jobCreated.Asc(), jobID.Asc()}, Limit: q.Limit}, q.where(now)...)
	if err != nil {
		return nil, err
	}
	out := make([]JobInfo, len(list))
	for i, j := range list {
		out[i] = JobInfo{ID: j.ID, Name: j.Name, CreatedAt: j.CreatedAt, RunAt: j.RunAt, Attempts: j.Attempts,
			Running: j.LeaseUntil != nil && j.LeaseUntil.After(now), Expired: j.expired(now)}
		if j.ExpiresAt != nil {
			out[i].ExpiresAt = *j.ExpiresAt
		}
		if j.FailedAt != nil {
			out[i].FailedAt = *j.FailedAt
		}
		if j.LastError != nil {
			out[i].LastError = *j.LastError
		}
	}
	return out, nil
}

// RetryJobs has jobs tried at once, with all attempts before them, and says how many. One
// that a worker has now is left alone: its outcome decides. So is one that has expired.
func (h *Host) RetryJobs(ctx context.Context, q JobQuery) (int64, error) {
	now := h.Now()
	n, err := jobs.Update(ctx, h.db, []Set{jobFailed.SetNull(), jobAttempts.Set(0), jobRunAt.Set(now), jobLease.SetNull()}, append(q.where(now), idle(now), AnyOf(jobUntil.Null(), jobUntil.Gt(&now)))...)
	if err == nil && n > 0 {
		h.jobs.wakeAfter(nil)
	}
	return n, err
}

// PurgeJobs deletes jobs undone, with what they carry, and says how many. One that a
// worker has now is left alone.
func (h *Host) PurgeJobs(ctx context.Context, q JobQuery) (int64, error) {
	now := h.Now()
	return jobs.Delete(ctx, h.db, append(q.where(now), idle(now))...)
}

func idle(now time.Time) Cond { return AnyOf(jobLease.Null(), jobLease.Le(&now)) }

package core

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Job is work that follows a commit and must not be lost: a mail, a call to another
// service. It is written in the transaction that wants it and done by a worker of any
// replica, at least once, with retries. Payloads are encrypted in the table.
//
//	var provision = core.NewJob[Mailbox]("mail-provisioning.create")
type Job[T any] struct{ name string }

// NewJob declares a job. The name is stored with each one: it must not change while any
// are waiting.
func NewJob[T any](name string) *Job[T] { return &Job[T]{name} }

// JobHandler does a kind of job.
type JobHandler struct {
	name string
	run  func(context.Context, json.RawMessage) error
}

// Handle binds the function that does the work, for Spec.Jobs. It may run more than
// once for one job, and is given 30 s. Its error is kept with the job and logged: it
// must not hold secrets. One that contract.Permanent marks is the last.
func (j *Job[T]) Handle(fn func(context.Context, T) error) JobHandler {
	return JobHandler{j.name, func(ctx context.Context, raw json.RawMessage) error {
		var payload T
		if err := json.Unmarshal(raw, &payload); err != nil {
			return fmt.Errorf("payload: %w", err)
		}
		return fn(ctx, payload)
	}}
}

// Enqueue writes a job, in tx or on its own.
func (j *Job[T]) Enqueue(ctx context.Context, h *Host, tx *Tx, payload T) error {
	return j.EnqueueUntil(ctx, h, tx, payload, time.Time{})
}

// EnqueueUntil is Enqueue of a job that is worth nothing from a moment on, as a code that
// is valid for minutes: if it is not done by then, it is not begun any more, but given up,
// and what it carries is erased. The zero time is no such moment.
func (j *Job[T]) EnqueueUntil(ctx context.Context, h *Host, tx *Tx, payload T, until time.Time) error {
	s, err := j.statement(h, payload, until)
	if err != nil {
		return err
	}
	if _, err = h.conn(tx).Exec(ctx, s.SQL, s.Args...); err != nil {
		return err
	}
	h.jobs.wakeAfter(tx)
	return nil
}

// Statement is Enqueue for a Batch. Call Host.WakeJobs after its commit.
func (j *Job[T]) Statement(h *Host, payload T) (storage.Statement, error) {
	return j.statement(h, payload, time.Time{})
}

func (j *Job[T]) statement(h *Host, payload T, until time.Time) (storage.Statement, error) {
	var none storage.Statement
	if h.jobs.handlers[j.name] == nil {
		return none, fmt.Errorf("core: job %q has no handler", j.name)
	}
	id, err := h.RandomString(Alphanumeric, 32)
	if err != nil {
		return none, err
	}
	raw, err := json.Marshal(payload)
	if err != nil {
		return none, err
	}
	// The row's id is bound to the ciphertext: a payload cannot be moved to another row.
	sealed, err := h.Seal("job:"+j.name, raw, []byte(id))
	if err != nil {
		return none, err
	}
	now := h.Now()
	row := jobRow{ID: id, Name: j.name, Payload: sealed, RunAt: now, CreatedAt: now}
	if !until.IsZero() {
		row.ExpiresAt = &until
	}
	return jobs.InsertStatement(&row), nil
}

// WakeJobs tells the worker that there is something to do.
func (h *Host) WakeJobs(tx *Tx) { h.jobs.wakeAfter(tx) }

// jobRow is one waiting job.
type jobRow struct {
	ID         string     `db:"id" schema:"key"`
	Name       string     `db:"name"`
	Payload    string     `db:"payload" schema:"hidden"` // empty: erased, as its time was over
	RunAt      time.Time  `db:"runAt"`
	Attempts   int        `db:"attempts"`
	LeaseUntil *time.Time `db:"leaseUntil"` // a worker has it until then
	FailedAt   *time.Time `db:"failedAt"`   // given up; kept for the operator
	LastError  *string    `db:"lastError"`
	CreatedAt  time.Time  `db:"createdAt"`
	ExpiresAt  *time.Time `db:"expiresAt"` // worth nothing from then on
}

func (j *jobRow) expired(now time.Time) bool { return j.ExpiresAt != nil && !now.Before(*j.ExpiresAt) }

var (
	jobs      = TableOf[jobRow]("job", schema.Index{Columns: []string{"failedAt", "runAt"}})
	jobID     = Column(jobs, func(j *jobRow) *string { return &j.ID })
	jobRunAt  = Column(jobs, func(j *jobRow) *time.Time { return &j.RunAt })
	jobLease  = Column(jobs, func(j *jobRow) **time.Time { return &j.LeaseUntil })
	jobFailed = Column(jobs, func(j *jobRow) **time.Time { return &j.FailedAt })
	jobError  = Column(jobs, func(j *jobRow) **string { return &j.LastError })
	jobUntil  = Column(jobs, func(j *jobRow) **time.Time { return &j.ExpiresAt })
	jobCargo  = Column(jobs, func(j *jobRow) *string { return &j.Payload })
)

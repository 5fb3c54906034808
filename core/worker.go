package core

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
)

const (
	jobTime     = 30 * time.Second // for one run
	jobLeaseFor = time.Minute      // longer than a run: only a dead worker loses its lease
	jobTries    = 16               // with the backoff below about 10 hours
	jobWorkers  = 4
	jobPoll     = 5 * time.Second
	jobAlone    = 50 * time.Millisecond
)

// worker does jobs and clean-up in the background.
type worker struct {
	h        *Host
	handlers map[string]func(context.Context, json.RawMessage) error
	wake     chan struct{}
	turn     chan struct{} // of who may begin a job
	alone    time.Duration // before the next may begin beside it
	stop     context.CancelFunc
	ctx      context.Context
	wg       sync.WaitGroup
}

func newWorker(h *Host) *worker {
	w := &worker{h: h, handlers: map[string]func(context.Context, json.RawMessage) error{}, wake: make(chan struct{}, jobWorkers), turn: make(chan struct{}, 1),
		alone: jobAlone}
	w.ctx, w.stop = context.WithCancel(context.Background())
	return w
}

func (w *worker) register(owner string, j JobHandler) error {
	if j.run == nil || j.name == "" {
		return errors.New("a job without a name or function")
	}
	if w.handlers[j.name] != nil {
		return fmt.Errorf("job %q has a handler already", j.name)
	}
	w.handlers[j.name] = j.run
	return nil
}

func (w *worker) start() {
	for range jobWorkers {
		w.wg.Add(1)
		go w.loop()
	}
	w.wg.Add(2)
	go w.cleanLoop()
	go w.eventLoop()
	if w.h.cfg.Audit.Chain {
		w.wg.Add(1)
		go w.chainLoop()
	}
}

// close lets running jobs end, until ctx does; what is left is done by the next start.
func (w *worker) close(ctx context.Context) error {
	w.stop()
	done := make(chan struct{})
	go func() { w.wg.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *worker) wakeAfter(tx *Tx) {
	if tx != nil {
		tx.OnCommit(func(context.Context) { w.wakeAfter(nil) })
		return
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *worker) loop() {
	defer w.wg.Done()
	for {
		worked, err := w.runInTurn()
		if err != nil && w.ctx.Err() == nil {
			w.h.log.Error("jobs cannot be read", w.h.failureArgs(err)...)
		}
		if worked {
			continue
		}
		// Jitter keeps replicas from asking at the same moment.
		timer := time.NewTimer(jobPoll + time.Duration(rand.Int64N(int64(time.Second))))
		select {
		case <-w.ctx.Done():
			timer.Stop()
			return
		case <-w.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// runInTurn is runOne for workers beside each other. Of two mails to one address the later
// one should arrive later: quick jobs are done one after the other, and a slow one lets
// the next begin beside it.
func (w *worker) runInTurn() (bool, error) {
	select {
	case w.turn <- struct{}{}:
	case <-w.ctx.Done():
		return false, w.ctx.Err()
	}
	over := sync.OnceFunc(func() { <-w.turn })
	timer := time.AfterFunc(w.alone, over)
	defer over()
	defer timer.Stop()
	return w.runOne(w.ctx)
}

// claimSQL takes the next job that is due. failedAt, which is NULL, is in the order for
// PostgreSQL's sake: without it the index is no help, and each claim sorts all that wait.
const claimSQL = `UPDATE {job=} SET {job:leaseUntil} = ?, {job:attempts} = {job.attempts} + 1 WHERE {job.id} = (` +
	`SELECT {job:id} FROM {job} WHERE {job:failedAt} IS NULL AND {job:runAt} <= ? AND ({job:leaseUntil} IS NULL OR {job:leaseUntil} <= ?) ` +
	`ORDER BY {job:failedAt}, {job:runAt} LIMIT 1 {skip locked})`

// runOne claims the next job that is due and does it.
func (w *worker) runOne(ctx context.Context) (bool, error) {
	now := w.h.Now()
	rows, err := w.h.db.Query(ctx, claimSQL+" RETURNING "+jobs.bare, now.Add(jobLeaseFor), now, now)
	job, found, err := jobs.scanOne(rows, err)
	if err != nil || !found {
		return false, err
	}
	switch {
	case job.expired(now):
		return true, w.expire(context.WithoutCancel(ctx), &job)
	case job.Attempts > jobTries:
		err = errWorkerDied // no attempt came back, not even to say that it was the last
	default:
		err = w.do(ctx, &job)
	}
	if err == nil {
		_, err = jobs.Delete(context.WithoutCancel(ctx), w.h.db, jobID.Eq(job.ID))
		return true, err
	}
	return true, w.failed(context.WithoutCancel(ctx), &job, err)
}

var errWorkerDied = errors.New("the process ended during every attempt")

func (w *worker) do(ctx context.Context, job *jobRow) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, where: "job " + job.Name, stack: debug.Stack()}
		}
	}()
	run := w.handlers[job.Name]
	if run == nil {
		return fmt.Errorf("no handler for job %q: is its plugin enabled?", job.Name)
	}
	raw, err := w.h.Open("job:"+job.Name, job.Payload, []byte(job.ID))
	if err != nil {
		return fmt.Errorf("payload of job %q cannot be opened: %w", job.Name, err)
	}
	// A job that has begun may end although the server is closing.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), jobTime)
	defer cancel()
	return w.h.observeWork(ctx, contract.WorkJob, job.Name, func(ctx context.Context) error { return run(ctx, raw) })
}

func (w *worker) failed(ctx context.Context, job *jobRow, cause error) error {
	text := storable(cause.Error(), 500)
	set := []Set{jobError.Set(&text), jobLease.SetNull()}
	now := w.h.Now()
	last := job.Attempts >= jobTries || contract.IsPermanent(cause)
	if last {
		set = append(set, jobFailed.Set(&now))
	} else {
		next := now.Add(backoff(job.Attempts))
		if job.expired(next) {
			next = *job.ExpiresAt // it is looked at then, to be given up
		}
		set = append(set, jobRunAt.Set(next))
	}
	w.h.log.LogAttrs(ctx, slog.LevelError, "job failed", slog.String("job", job.Name), slog.String("id", job.ID),
		slog.Int("attempt", job.Attempts), slog.Bool("given_up", last), slog.String("cause", text))
	return w.putBack(ctx, job, set)
}

// expire gives up a job whose time is over, and erases what it carries.
func (w *worker) expire(ctx context.Context, job *jobRow) error {
	text, now := "expired", w.h.Now()
	if job.LastError != nil {
		text = storable("expired; before: "+*job.LastError, 500)
	}
	w.h.log.LogAttrs(ctx, slog.LevelError, "job expired", slog.String("job", job.Name), slog.String("id", job.ID),
		slog.Int("attempts", job.Attempts-1), slog.String("cause", text)) // the claim has counted one
	return w.putBack(ctx, job, []Set{jobError.Set(&text), jobLease.SetNull(), jobFailed.Set(&now), jobCargo.Set(""), jobAttempts.Set(job.Attempts - 1)})
}

// putBack writes what became of a job that is not done. Who has lost the lease to another worker (a
// process that was stopped for a while) has nothing to say: a third would begin beside that one.
func (w *worker) putBack(ctx context.Context, job *jobRow, set []Set) error {
	_, err := jobs.Update(ctx, w.h.db, set, jobID.Eq(job.ID), jobLease.Eq(job.LeaseUntil))
	return err
}

// storable cuts a text to a length in bytes and takes out what no text column holds: an
// error may quote anything, and one that could not be stored would never be given up.
func storable(text string, limit int) string {
	text = strings.ReplaceAll(text, "\x00", "")
	return strings.ToValidUTF8(text[:min(len(text), limit)], "")
}

// backoff doubles from 4 s to 2 hours, with up to a quarter of jitter on top.
func backoff(attempt int) time.Duration {
	d := min(2*time.Hour, 4*time.Second<<min(attempt-1, 12))
	return d + time.Duration(rand.Int64N(int64(d/4)))
}

func (h *Host) failureArgs(err error) []any {
	var out []any
	for _, a := range h.failureAttrs(err) {
		out = append(out, a)
	}
	return out
}

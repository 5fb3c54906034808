package core

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/storage"
)

// Expiry is always compared when something is used; cleaning only frees space, and so
// gives way to everybody. It goes in small batches, each a transaction of its own:
//
//   - A batch takes an advisory lock that ends with it. Of many replicas one cleans at a
//     time; who finds the lock taken goes away until the next time.
//   - Rows that somebody has locked, to renew them for instance, are passed over.
//   - Nothing else is waited for longer than cleanPatience, which is less than PostgreSQL's
//     deadlock_timeout (1 s): where a cascade meets somebody who waits for the batch, the
//     batch gives up. Only the first use of a statement may wait longer, for a lock of the
//     whole table, up to the statement's time-out: it is prepared outside of the batch, and
//     holds nothing.
//   - After a full batch it rests as long as that took.
const (
	cleanEvery    = 10 * time.Minute
	cleanBatch    = 500
	cleanLock     = "core: clean-up"
	cleanPatience = "200ms"
	cleanRest     = time.Second // at most
	// cleanSettings hold until the batch ends. Without sorting, PostgreSQL takes the oldest rows
	// from the index even where it believes that there are few: else each batch would read all
	// that have expired, to take the first of them. Other engines may not have that setting.
	cleanSettings = "SELECT set_config(name, CASE name WHEN 'enable_sort' THEN 'off' ELSE '" + cleanPatience + "' END, true) " +
		"FROM pg_catalog.pg_settings WHERE name IN ('lock_timeout', 'enable_sort')"
	jobKeep = 30 * 24 * time.Hour // of one that was given up
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
			w.h.logClean(err)
		}
	}
}

// cleanError says for which table the clean-up failed.
type cleanError struct {
	table string
	error
}

func (e *cleanError) Error() string { return "core: clean-up of " + e.table + ": " + e.error.Error() }
func (e *cleanError) Unwrap() error { return e.error }

// logClean logs what Clean has joined, one by one.
func (h *Host) logClean(err error) {
	all := []error{err}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		all = j.Unwrap()
	}
	for _, err := range all {
		args := h.failureArgs(err)
		if e, ok := errors.AsType[*cleanError](err); ok {
			args = append(args, slog.String("table", e.table))
		}
		h.log.Error("clean-up failed", args...)
	}
}

// chore is a part of the clean-up.
type chore struct {
	table string
	run   func(context.Context) (int64, error)
}

// batch does cleanBatch rows at most and says how many; less means that it is done.
type batch func(ctx context.Context, tx *Tx) (int64, error)

// errCleaning says that another process cleans at this moment.
var errCleaning = errors.New("core: another process cleans up")

// Clean deletes what has expired and says how many rows that were: none where another
// process does so at this moment. What fails for one table does not keep it from the others.
func (h *Host) Clean(ctx context.Context) (total int64, err error) {
	var failed []error
	for _, c := range h.chores(h.Now()) {
		if h.schema.Table(c.table) == nil {
			continue
		}
		n, err := c.run(ctx)
		total += n
		switch {
		case errors.Is(err, errCleaning):
			return total, errors.Join(failed...)
		case err != nil:
			failed = append(failed, &cleanError{c.table, err})
		}
		if ctx.Err() != nil || storage.KindOf(err) == storage.Unavailable { // the others would fail alike
			break
		}
	}
	return total, errors.Join(failed...)
}

func (h *Host) chores(now time.Time) []chore {
	list := []chore{
		h.expired("verification", "expiresAt", now.Add(-verificationGrace)),
		h.expired("session", "expiresAt", now),
		h.expired("attempt", "expiresAt", now),
		h.expired("knownDevice", "lastSeenAt", now.Add(-deviceLife)),
		h.expired("rateLimit", "lastRequest", now.Add(-24*time.Hour).UnixMilli()),
		h.expired("job", "failedAt", now.Add(-jobKeep)),
		h.emptyJobs(now),
	}
	return append(list, h.eventChores(now)...)
}

// inBatches is a chore that goes on until a batch finds less than it takes.
func (h *Host) inBatches(table string, next batch) chore {
	return chore{table, func(ctx context.Context) (int64, error) { return h.cleanAll(ctx, next) }}
}

func (h *Host) cleanAll(ctx context.Context, next batch) (total int64, err error) {
	for tried := false; ; {
		begun := time.Now()
		n, err := h.cleanSome(ctx, next)
		again := storage.KindOf(err) == storage.Conflict && !tried // somebody was in the way
		if total += n; !again && (err != nil || n < cleanBatch) {
			return total, err
		}
		tried = again
		timer := time.NewTimer(min(time.Since(begun), cleanRest))
		select {
		case <-ctx.Done():
			timer.Stop()
			return total, ctx.Err()
		case <-timer.C:
		}
	}
}

func (h *Host) cleanSome(ctx context.Context, next batch) (n int64, err error) {
	err = h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) error {
		alone, err := tx.TryLock(ctx, cleanLock)
		if err == nil && !alone {
			err = errCleaning
		}
		if err == nil && h.db.Dialect() == storage.Postgres {
			_, err = tx.Exec(ctx, cleanSettings)
		}
		if err == nil {
			n, err = next(ctx, tx)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// expired deletes rows whose column is before a moment, the oldest first.
func (h *Host) expired(table, column string, before any, and ...string) chore {
	at := "{" + table + ":" + column + "}"
	sql := "DELETE FROM {" + table + "}" + h.oldest(table, at, strings.Join(append([]string{at + " < ?"}, and...), " AND "))
	return h.inBatches(table, func(ctx context.Context, tx *Tx) (int64, error) { return tx.Exec(ctx, sql, before, before) })
}

// oldest is the condition of a batch: the first rows by a column that are as where says.
//
// A row that is renewed while the batch runs stays, under READ COMMITTED too: the inner
// SELECT locks a row before it returns it, reads it anew if it was changed since the
// statement began, and drops it if the condition no longer holds; from then on nobody else
// can change it. The outer condition says so once more.
//
// Where the database can say in which place a row is, the outer rows are found by that: an
// index would take most of the time, and the more of it the larger it is. A row has no other
// place while it is locked; one that was changed a moment before, and has expired all the
// same, is left for the next time. PostgreSQL must not look for the outer rows by the condition:
// hence the CASE, through which no index is seen.
func (h *Host) oldest(table, column, where string) string {
	id, open, shut := "{"+table+":id}", " IN (", ")"
	if p, ok := h.cfg.Database.(storage.Placer); ok && p.Place() != "" {
		id, open, shut = p.Place(), " = ANY (ARRAY(", "))"
	}
	return " WHERE " + id + open + "SELECT " + id + " FROM {" + table + "} WHERE " + where + " ORDER BY " + column +
		" LIMIT " + strconv.Itoa(cleanBatch) + " {skip locked}" + shut + " AND CASE WHEN " + where + " THEN 1 END = 1"
}

// emptyJobs erases what expired jobs carry. Those that were given up may be retried until
// then; nobody needs it any more.
func (h *Host) emptyJobs(now time.Time) chore {
	sql := "UPDATE {job} SET {job:payload} = ''" +
		h.oldest("job", "{job:failedAt}", "{job:failedAt} IS NOT NULL AND {job:expiresAt} <= ? AND {job:payload} <> ''")
	return h.inBatches("job", func(ctx context.Context, tx *Tx) (int64, error) { return tx.Exec(ctx, sql, now, now) })
}

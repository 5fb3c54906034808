package core

import (
	"context"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// attemptRow is a counter in the database.
type attemptRow struct {
	ID          string     `db:"id" schema:"key"` // kind and keyed hash of the subject
	Failures    int        `db:"failures"`
	Allowed     int        `db:"allowed"`
	WindowEnd   time.Time  `db:"windowEnd"`
	Leases      int        `db:"leases"`
	LeaseUntil  time.Time  `db:"leaseUntil"`
	LockedUntil *time.Time `db:"lockedUntil"`
	ExpiresAt   time.Time  `db:"expiresAt" schema:"index"` // when the row means nothing any more
}

var (
	attempts      = TableOf[attemptRow]("attempt")
	attemptID     = Column(attempts, func(a *attemptRow) *string { return &a.ID })
	attemptLocked = Column(attempts, func(a *attemptRow) **time.Time { return &a.LockedUntil })
)

// databaseAttempts keeps counters in the database: contract.AttemptStore. Statements that
// touch several rows insert them with ON CONFLICT, because that takes the rows in the
// order of their list: all take the account's before the network's, so that no two wait
// for each other.
type databaseAttempts struct{ h *Host }

var _ contract.AttemptStore = databaseAttempts{}

const attemptColumns = `INSERT INTO {attempt=} ({attempt:id}, {attempt:failures}, {attempt:allowed}, {attempt:windowEnd}, ` +
	`{attempt:leases}, {attempt:leaseUntil}, {attempt:lockedUntil}, {attempt:expiresAt}) VALUES `

// upsert inserts or changes the rows of limits; values makes one row's.
func upsert(limits []contract.AttemptLimit, values func(contract.AttemptLimit) []any, set string, args ...any) storage.Statement {
	const row = "(?, ?, ?, ?, ?, ?, ?, ?)"
	s := storage.Statement{SQL: attemptColumns + row + strings.Repeat(", "+row, len(limits)-1) + " ON CONFLICT ({attempt:id}) DO UPDATE SET " + set}
	for _, l := range limits {
		s.Args = append(s.Args, values(l)...)
	}
	s.Args = append(s.Args, args...)
	return s
}

// reserveSet counts what is live: failures of the window (none after a lock that is over),
// and leases that have not run out.
const reserveSet = `{attempt:failures} = CASE WHEN {attempt.windowEnd} <= ? OR {attempt.lockedUntil} <= ? THEN 0 ELSE {attempt.failures} END, ` +
	`{attempt:windowEnd} = CASE WHEN {attempt.windowEnd} <= ? OR {attempt.lockedUntil} <= ? THEN excluded.{attempt:windowEnd} ELSE {attempt.windowEnd} END, ` +
	`{attempt:leases} = CASE WHEN {attempt.leaseUntil} <= ? THEN 1 ELSE {attempt.leases} + 1 END, ` +
	`{attempt:lockedUntil} = CASE WHEN {attempt.lockedUntil} <= ? THEN NULL ELSE {attempt.lockedUntil} END, ` +
	`{attempt:allowed} = excluded.{attempt:allowed}, {attempt:leaseUntil} = excluded.{attempt:leaseUntil}, {attempt:expiresAt} = excluded.{attempt:expiresAt} ` +
	`WHERE ({attempt.lockedUntil} IS NULL OR {attempt.lockedUntil} <= ?) AND ` +
	`CASE WHEN {attempt.lockedUntil} <= ? OR {attempt.windowEnd} <= ? THEN 0 ELSE {attempt.failures} END + ` +
	`CASE WHEN {attempt.leaseUntil} <= ? THEN 0 ELSE {attempt.leases} END < excluded.{attempt:allowed} ` +
	`RETURNING {attempt:id}`

// Reserve implements contract.AttemptStore.
func (d databaseAttempts) Reserve(ctx context.Context, now time.Time, lease time.Duration, limits ...contract.AttemptLimit) ([]time.Duration, error) {
	s := upsert(limits, func(l contract.AttemptLimit) []any {
		return []any{l.Key, 0, l.Max, now.Add(l.Window), 1, now.Add(lease), nil, now.Add(l.Window + l.Lock)}
	}, reserveSet, now, now, now, now, now, now, now, now, now, now)
	taken, err := d.keys(ctx, s)
	if storage.KindOf(err) == storage.Conflict { // a deadlock with the clean-up, at worst
		taken, err = d.keys(ctx, s)
	}
	wait := make([]time.Duration, len(limits))
	if err != nil || len(taken) == len(limits) {
		return wait, err
	}
	var undo []any
	for i, l := range limits {
		if taken[l.Key] {
			undo = append(undo, l.Key)
			continue
		}
		wait[i] = lease
		until, err := d.Locked(ctx, now, l.Key)
		if err != nil {
			return wait, err
		}
		if !until.IsZero() {
			wait[i] = until.Sub(now)
		}
	}
	return wait, d.undo(ctx, undo)
}

func (d databaseAttempts) keys(ctx context.Context, s storage.Statement) (map[string]bool, error) {
	rows, err := d.h.db.Query(ctx, s.SQL, s.Args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(storage.Dest(&id)); err != nil {
			return nil, err
		}
		out[id] = true
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return out, rows.Close()
}

// undo takes back what one counter has given and another has not. A row that holds
// nothing else goes, so that a network that is refused fills no table with invented names.
func (d databaseAttempts) undo(ctx context.Context, keys []any) error {
	if len(keys) == 0 {
		return nil
	}
	in := " WHERE {attempt.id} IN (?" + strings.Repeat(", ?", len(keys)-1) + ")"
	const empty = "{attempt.failures} = 0 AND {attempt.leases} <= 1 AND {attempt.lockedUntil} IS NULL"
	_, err := d.h.db.Batch(context.WithoutCancel(ctx),
		storage.Statement{SQL: "DELETE FROM {attempt=}" + in + " AND " + empty, Args: keys},
		storage.Statement{SQL: "UPDATE {attempt=} SET {attempt:leases} = {attempt.leases} - 1" + in + " AND {attempt.leases} > 0 AND NOT (" + empty + ")", Args: keys})
	return err
}

// failSet finds the end of the lock in leaseUntil, which means nothing without a lease.
const failSet = `{attempt:failures} = {attempt.failures} + 1, ` +
	// A lease that ran out has been given to another attempt already.
	`{attempt:leases} = CASE WHEN {attempt.leases} > 0 THEN {attempt.leases} - 1 ELSE 0 END, {attempt:expiresAt} = excluded.{attempt:expiresAt}, ` +
	`{attempt:lockedUntil} = CASE WHEN {attempt.lockedUntil} IS NULL AND {attempt.failures} + 1 >= excluded.{attempt:allowed} ` +
	`THEN excluded.{attempt:leaseUntil} ELSE {attempt.lockedUntil} END`

// Fail implements contract.AttemptStore.
func (d databaseAttempts) Fail(ctx context.Context, now time.Time, limits ...contract.AttemptLimit) error {
	s := upsert(limits, func(l contract.AttemptLimit) []any {
		until := now.Add(l.Lock)
		lock := &until
		if l.Max > 1 {
			lock = nil
		}
		return []any{l.Key, 1, l.Max, now.Add(l.Window), 0, until, lock, until.Add(l.Window)}
	}, failSet)
	return d.exec(ctx, s)
}

func (d databaseAttempts) exec(ctx context.Context, s storage.Statement) error {
	_, err := d.h.db.Exec(ctx, s.SQL, s.Args...)
	if storage.KindOf(err) == storage.Conflict {
		_, err = d.h.db.Exec(ctx, s.SQL, s.Args...)
	}
	return err
}

// releaseSet lets the clean-up have a row that holds nothing any more.
const releaseSet = `{attempt:leases} = CASE WHEN {attempt.leases} > 0 THEN {attempt.leases} - 1 ELSE 0 END, ` +
	`{attempt:failures} = CASE WHEN {attempt.id} = ? THEN 0 ELSE {attempt.failures} END, ` +
	`{attempt:lockedUntil} = CASE WHEN {attempt.id} = ? THEN NULL ELSE {attempt.lockedUntil} END, ` +
	`{attempt:expiresAt} = CASE WHEN {attempt.leases} <= 1 AND ({attempt.id} = ? OR {attempt.failures} = 0) THEN excluded.{attempt:expiresAt} ELSE {attempt.expiresAt} END`

// release is the statement of Release, for the batch of what a right guess allows.
func (databaseAttempts) release(now time.Time, forget string, limits []contract.AttemptLimit) storage.Statement {
	return upsert(limits, func(l contract.AttemptLimit) []any {
		return []any{l.Key, 0, l.Max, now, 0, now, nil, now}
	}, releaseSet, forget, forget, forget)
}

// Release implements contract.AttemptStore.
func (d databaseAttempts) Release(ctx context.Context, now time.Time, forget string, limits ...contract.AttemptLimit) error {
	return d.exec(ctx, d.release(now, forget, limits))
}

// Forget implements contract.AttemptStore.
func (d databaseAttempts) Forget(ctx context.Context, key string) error {
	_, err := attempts.Delete(ctx, d.h.db, attemptID.Eq(key))
	return err
}

// Locked implements contract.AttemptStore.
func (d databaseAttempts) Locked(ctx context.Context, now time.Time, key string) (time.Time, error) {
	row, found, err := attempts.Get(ctx, d.h.db, attemptID.Eq(key), attemptLocked.NotNull())
	if err != nil || !found || !row.LockedUntil.After(now) {
		return time.Time{}, err
	}
	return *row.LockedUntil, nil
}

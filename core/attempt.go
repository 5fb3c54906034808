package core

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/sallyport-auth/sallyport/core/storage"
)

// Attempts bounds guesses at a secret. An attempt is reserved before the secret is
// checked, in one atomic statement, so that parallel guesses cannot pass together
// (CVE-2024-4629). The reservation is a lease: if the process or database dies before
// the outcome is settled, the lease runs out and counts as nothing, so that no failure
// of ours ever locks anybody out.
type Attempts struct {
	h            *Host
	kind         string
	max          int
	window, rest time.Duration
}

// Attempts returns the counter of a kind of secret ("password", "otp"), with the limits
// of Config.Lockout.
func (h *Host) Attempts(kind string) Attempts {
	cfg := &h.cfg.Lockout
	return Attempts{h, kind, cfg.Max, time.Duration(cfg.Window) * time.Second, time.Duration(cfg.Duration) * time.Second}
}

// Limit returns the counter with limits of its own: max failures within window, in whole
// seconds, lock a subject for rest. Config.Lockout.Disabled switches it off like all others.
func (a Attempts) Limit(max int, window, rest time.Duration) Attempts {
	a.max, a.window, a.rest = max, window, rest
	return a
}

const attemptLease = 30 * time.Second

// attemptRow counts one subject's attempts.
type attemptRow struct {
	ID          string     `db:"id" schema:"key"` // kind and keyed hash of the subject
	Failures    int        `db:"failures"`
	WindowStart time.Time  `db:"windowStart"`
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

// Attempt is a reserved attempt. The zero value (lockout is off) settles nothing.
type Attempt struct {
	h    *Host
	id   string
	max  int
	rest time.Duration
}

// Reserve takes one attempt for a subject: the user's id, or what was typed where no
// user is known. It answers ErrAccountLocked, with Retry-After, when none is left.
func (a Attempts) Reserve(ctx context.Context, subject string) (Attempt, error) {
	if a.h.cfg.Lockout.Disabled {
		return Attempt{}, nil
	}
	id := a.id(subject)
	now := a.h.Now()
	edge := now.Add(-a.window)
	until, expires := now.Add(attemptLease), now.Add(a.window+a.rest)
	rows, err := a.h.db.Query(ctx, reserveSQL, id, now, until, expires,
		edge, now, edge, now, now, now, until, now, expires, now, now, edge, now, a.max)
	_, ok, err := scanInt(rows, err)
	if err != nil {
		return Attempt{}, err
	}
	if ok {
		return Attempt{a.h, id, a.max, a.rest}, nil
	}
	row, _, err := attempts.Get(ctx, a.h.db, attemptID.Eq(id))
	if err != nil {
		return Attempt{}, err
	}
	wait := attemptLease // all attempts are in flight
	if row.LockedUntil != nil && row.LockedUntil.After(now) {
		wait = row.LockedUntil.Sub(now)
	}
	return Attempt{}, ErrAccountLocked.WithHeader("Retry-After", seconds(wait)).WithHeader("X-Retry-After", seconds(wait))
}

// reserveSQL counts what is live: failures of the window (none after a lock that is
// over), and leases that have not run out.
const reserveSQL = `INSERT INTO {attempt=} ({attempt:id}, {attempt:failures}, {attempt:windowStart}, {attempt:leases}, {attempt:leaseUntil}, {attempt:expiresAt}) ` +
	`VALUES (?, 0, ?, 1, ?, ?) ON CONFLICT ({attempt:id}) DO UPDATE SET ` +
	`{attempt:failures} = CASE WHEN {attempt.windowStart} <= ? OR {attempt.lockedUntil} <= ? THEN 0 ELSE {attempt.failures} END, ` +
	`{attempt:windowStart} = CASE WHEN {attempt.windowStart} <= ? OR {attempt.lockedUntil} <= ? THEN ? ELSE {attempt.windowStart} END, ` +
	`{attempt:leases} = CASE WHEN {attempt.leaseUntil} <= ? THEN 1 ELSE {attempt.leases} + 1 END, {attempt:leaseUntil} = ?, ` +
	`{attempt:lockedUntil} = CASE WHEN {attempt.lockedUntil} <= ? THEN NULL ELSE {attempt.lockedUntil} END, {attempt:expiresAt} = ? ` +
	`WHERE ({attempt.lockedUntil} IS NULL OR {attempt.lockedUntil} <= ?) AND ` +
	`CASE WHEN {attempt.lockedUntil} <= ? OR {attempt.windowStart} <= ? THEN 0 ELSE {attempt.failures} END + ` +
	`CASE WHEN {attempt.leaseUntil} <= ? THEN 0 ELSE {attempt.leases} END < ? ` +
	`RETURNING {attempt:leases}`

// Fail settles a wrong guess, and locks the subject when it was the last allowed. It
// commits by itself: no transaction of the request's can undo it.
func (t Attempt) Fail(ctx context.Context) error {
	if t.h == nil {
		return nil
	}
	// The client may hang up on hearing "wrong": the guess was made all the same.
	ctx = context.WithoutCancel(ctx)
	lock := t.h.Now().Add(t.rest)
	_, err := t.h.db.Exec(ctx, `UPDATE {attempt=} SET {attempt:failures} = {attempt.failures} + 1, `+
		// A lease that ran out has been given to another attempt already.
		`{attempt:leases} = CASE WHEN {attempt.leases} > 0 THEN {attempt.leases} - 1 ELSE 0 END, `+
		`{attempt:lockedUntil} = CASE WHEN {attempt.lockedUntil} IS NULL AND {attempt.failures} + 1 >= ? THEN ? ELSE {attempt.lockedUntil} END WHERE {attempt.id} = ?`,
		t.max, lock, t.id)
	return err
}

// Release gives a lease back without an outcome: what went wrong was ours.
func (t Attempt) Release(ctx context.Context) {
	if t.h == nil {
		return
	}
	// If this fails too, the lease runs out by itself.
	_, _ = t.h.db.Exec(context.WithoutCancel(ctx), "UPDATE {attempt=} SET {attempt:leases} = {attempt.leases} - 1 WHERE {attempt.id} = ? AND {attempt.leases} > 0", t.id)
}

// Clear is the statement that settles a right guess and forgets the wrong ones before
// it, for SignIn.With or a Batch; nil where there is nothing to settle.
func (t Attempt) Clear() []storage.Statement {
	if t.h == nil {
		return nil
	}
	s, _ := attempts.DeleteStatement(attemptID.Eq(t.id)) // has a condition: cannot fail
	return []storage.Statement{s}
}

// Unlock forgets all attempts of a subject: after a reset, or by an administrator.
func (a Attempts) Unlock(ctx context.Context, q storage.Conn, subject string) error {
	_, err := attempts.Delete(ctx, q, attemptID.Eq(a.id(subject)))
	return err
}

// Locked tells until when a subject is locked; the zero time if it is not.
func (a Attempts) Locked(ctx context.Context, subject string) (time.Time, error) {
	row, found, err := attempts.Get(ctx, a.h.db, attemptID.Eq(a.id(subject)), attemptLocked.NotNull())
	if err != nil || !found || !row.LockedUntil.After(a.h.Now()) {
		return time.Time{}, err
	}
	return *row.LockedUntil, nil
}

// id hides the subject: an address that somebody typed is nobody's business.
func (a Attempts) id(subject string) string {
	return a.kind + ":" + base64.RawURLEncoding.EncodeToString(a.h.MAC("attempt", []byte(a.kind), []byte(subject)))
}

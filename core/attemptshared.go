package core

import (
	"context"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// Attempts are counted in the store of Config.Lockout, and in the database while that does
// not answer: who can break the store must not guess freely, and nobody is kept out for its
// sake. Each has counts of its own, so a change between the two gives another Max guesses.

// reserve takes an attempt of each limit and says who counts it: settling it is theirs.
func (h *Host) reserve(ctx context.Context, limits []contract.AttemptLimit) ([]time.Duration, contract.AttemptStore, error) {
	if InTx(ctx) {
		return nil, nil, errPoolInTx
	}
	if s := h.cfg.Lockout.Store; s != nil {
		if wait, err := s.Reserve(ctx, h.Now(), attemptLease, limits...); h.stands(ctx, err) {
			return wait, s, err
		}
	}
	d := databaseAttempts{h}
	wait, err := d.Reserve(ctx, h.Now(), attemptLease, limits...)
	h.counted(ctx, err)
	return wait, d, storeFailed(ctx, err)
}

// stands tells whether the store's answer does. What a client that has gone wanted is not
// asked again.
func (h *Host) stands(ctx context.Context, err error) bool {
	h.watch.attempts.saw(ctx, err)
	return err == nil || ctx.Err() != nil
}

// fail counts a wrong guess: in the database where the store has gone since it was reserved.
func (t Attempt) fail(ctx context.Context) error {
	h := t.h
	if _, own := t.store.(databaseAttempts); !own && h.stands(ctx, t.store.Fail(ctx, h.Now(), t.limits...)) {
		return nil
	}
	err := databaseAttempts{h}.Fail(ctx, h.Now(), t.limits...)
	h.counted(ctx, err)
	return err
}

// release settles an attempt that was no wrong guess. If that fails, the lease runs out.
func (t Attempt) release(ctx context.Context, forget string) {
	if t.h == nil {
		return
	}
	err := t.store.Release(ctx, t.h.Now(), forget, t.limits...)
	if _, own := t.store.(databaseAttempts); own {
		t.h.counted(ctx, err)
	} else {
		t.h.watch.attempts.saw(ctx, err)
	}
}

// forgetAttempts has the store forget a counter, and the database, whose lock would hold
// when the store fails the next time. Where one of them did not hear it, its lock lasts as
// long as it says.
func (h *Host) forgetAttempts(ctx context.Context, key string) error {
	err := h.cfg.Lockout.Store.Forget(ctx, key)
	h.watch.attempts.saw(ctx, err)
	if failed := (databaseAttempts{h}).Forget(ctx, key); err == nil {
		err = failed
	}
	return storeFailed(ctx, err)
}

// attemptsLocked tells until when a counter is locked.
func (h *Host) attemptsLocked(ctx context.Context, key string) (time.Time, error) {
	if s := h.cfg.Lockout.Store; s != nil {
		if until, err := s.Locked(ctx, h.Now(), key); h.stands(ctx, err) {
			return until, err
		}
	}
	return databaseAttempts{h}.Locked(ctx, h.Now(), key)
}

// counted tells of guesses that nobody has counted.
func (h *Host) counted(ctx context.Context, err error) {
	if err != nil && h.cfg.Lockout.OnFailure == "open" {
		h.log.Error("wrong guesses are not counted", h.failureArgs(err)...)
	}
}

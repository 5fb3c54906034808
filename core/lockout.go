package core

import (
	"context"
	"time"
)

// UserUnlock runs when a user is unlocked before their time: a plugin that counts wrong
// guesses of its own forgets them in a hook here.
var UserUnlock = NewPoint[UserUnlockEvent]("user-unlock")

// UserUnlockEvent is the payload of UserUnlock. Tx is never nil in Before and After hooks.
type UserUnlockEvent struct {
	Tx     *Tx
	UserID string
}

// Unlock forgets the wrong guesses at a user's secrets, and with them a lock: for an
// administrator. Networks stay locked. That the user exists is not checked.
func (h *Host) Unlock(ctx context.Context, tx *Tx, userID string) error {
	return h.Tx(ctx, tx, func(ctx context.Context, tx *Tx) error {
		return UserUnlock.Run(ctx, h, tx, &UserUnlockEvent{tx, userID}, func(ctx context.Context) error {
			if err := h.Attempts("password").Unlock(ctx, tx, userID); err != nil {
				return err
			}
			return h.Record(ctx, &Event{Type: EventAccountUnlocked, UserID: userID, Actor: Operator, Tx: tx})
		})
	})
}

// LockedUntil tells until when a user's password is locked; the zero time if it is not.
func (h *Host) LockedUntil(ctx context.Context, userID string) (time.Time, error) {
	return h.Attempts("password").Locked(ctx, userID)
}

// lockout checks the options.
func (b *compiler) lockout() {
	cfg := &b.h.cfg.Lockout
	for name, n := range map[string]int{"max": cfg.Max, "window": cfg.Window, "duration": cfg.Duration, "network.max": cfg.Network.Max,
		"network.window": cfg.Network.Window, "network.duration": cfg.Network.Duration} {
		if n < 0 {
			b.fault("lockout.%s: %d is negative", name, n)
		}
	}
	if cfg.OnFailure != "closed" && cfg.OnFailure != "open" {
		b.fault("lockout.onFailure: %q is neither closed nor open", cfg.OnFailure)
	}
	w := &b.h.watch.attempts
	w.name, w.log, w.meanwhile = "attempts", b.h.log, "the database counts"
	if cfg.Storage != "database" && cfg.Storage != "redis" {
		b.fault("lockout.storage: %q is neither database nor redis", cfg.Storage)
	}
	b.store("lockout.storage", cfg.Storage, "Config.Lockout.Store", cfg.Store != nil)
}

package core

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Attempts bounds guesses at a secret. An attempt is reserved before the secret is
// checked, in one atomic step, so that parallel guesses cannot pass together
// (CVE-2024-4629). The reservation is a lease: if the process or database dies before
// the outcome is settled, the lease runs out and counts as nothing, so that no failure
// of ours ever locks anybody out.
//
// Two counters are asked in that one step: the account's, and the one of the client's
// network (an IPv4 address, the first 64 bits of an IPv6 address), against one guess at
// each of many accounts. Where they refuse, a device that the user has signed in with
// before has a counter of its own; see device.
type Attempts struct {
	h     *Host
	kind  string
	limit contract.AttemptLimit // without its key
	alone bool                  // neither network nor device
}

// Attempts returns the counter of a kind of secret ("password", "second-factor"; letters,
// digits and hyphens, at most 32), with the limits of Config.Lockout.
func (h *Host) Attempts(kind string) Attempts {
	cfg := &h.cfg.Lockout
	return Attempts{h: h, kind: kind, limit: contract.AttemptLimit{Max: cfg.Max,
		Window: time.Duration(cfg.Window) * time.Second, Lock: time.Duration(cfg.Duration) * time.Second}}
}

// Limit returns the counter with limits of its own: max failures within window, in whole
// seconds, lock a subject for rest. It counts by subject alone. Config.Lockout.Disabled
// switches it off like all others.
func (a Attempts) Limit(max int, window, rest time.Duration) Attempts {
	a.limit, a.alone = contract.AttemptLimit{Max: max, Window: window, Lock: rest}, true
	return a
}

const attemptLease = 30 * time.Second

// Attempt is a reserved attempt. The zero value (lockout is off) settles nothing.
type Attempt struct {
	h      *Host
	limits []contract.AttemptLimit // of the account or the device first
	store  contract.AttemptStore   // that counts it
}

// Reserve takes one attempt for a subject: the user's id, or what was typed where no
// user is known. ctx is the request's: it tells the client's network and device. Where
// none is left it answers ErrAccountLocked, or ErrTooManyRequests if that is the doing of the
// network or of guesses that are on their way, with Retry-After.
func (a Attempts) Reserve(ctx context.Context, subject string) (Attempt, error) {
	h := a.h
	if h.cfg.Lockout.Disabled {
		return Attempt{}, nil
	}
	limits := []contract.AttemptLimit{a.keyed(subject)}
	c := callFrom(ctx)
	if network := a.network(c); network.Key != "" {
		limits = append(limits, network)
	}
	wait, store, err := h.reserve(ctx, limits)
	if err != nil {
		return a.uncounted(ctx, err)
	}
	refusal := refused(wait)
	if refusal == nil {
		return Attempt{h, limits, store}, nil
	}
	if a.alone {
		return Attempt{}, refusal
	}
	known, err := h.knownDevice(ctx, c, subject)
	if err != nil {
		return Attempt{}, err
	}
	if !known {
		return Attempt{}, refusal
	}
	limits = []contract.AttemptLimit{a.keyed("device", c.device(subject))}
	if wait, store, err = h.reserve(ctx, limits); err != nil {
		return a.uncounted(ctx, err)
	}
	if refusal = refused(wait); refusal != nil {
		return Attempt{}, refusal
	}
	return Attempt{h, limits, store}, nil
}

// refused is the answer where one of the counters of account and network refuses. A count
// that is full of guesses on their way locks nobody: where a failure of ours keeps them
// from being settled, they run out.
func refused(wait []time.Duration) *Error {
	e, longest := (*Error)(nil), time.Duration(0)
	for i, w := range wait {
		if w <= 0 {
			continue
		}
		if longest = max(longest, w); i == 0 && w != attemptLease {
			e = ErrAccountLocked
		} else if e == nil {
			e = ErrTooManyRequests
		}
	}
	if e == nil {
		return nil
	}
	return e.WithHeader("Retry-After", seconds(longest)).WithHeader("X-Retry-After", seconds(longest))
}

// network is the counter of the client's network; without a key where there is none.
func (a Attempts) network(c *Call) contract.AttemptLimit {
	cfg := &a.h.cfg.Lockout.Network
	if a.alone || cfg.Disabled || c == nil || c.ClientIP() == "" {
		return contract.AttemptLimit{}
	}
	return contract.AttemptLimit{Key: a.key("network", c.ClientIP()), Max: cfg.Max,
		Window: time.Duration(cfg.Window) * time.Second, Lock: time.Duration(cfg.Duration) * time.Second}
}

func (a Attempts) keyed(parts ...string) contract.AttemptLimit {
	l := a.limit
	l.Key = a.key(parts...)
	return l
}

// key hides the subject: an address that somebody typed is nobody's business. Names of one
// account are one subject, however they are written. The key differs with the number of
// parts, so that no subject can pass for another's network or device.
func (a Attempts) key(parts ...string) string {
	mac := make([][]byte, 0, 3)
	mac = append(mac, []byte(a.kind))
	for _, p := range parts {
		mac = append(mac, []byte(p))
	}
	if len(parts) == 1 {
		mac[1] = []byte(subjectForm(parts[0]))
	}
	return a.kind + "-" + base64.RawURLEncoding.EncodeToString(a.h.MAC("attempt", mac...)[:16])
}

// subjectForm is the one form in which a subject is counted, and an address is looked up
// (CVE-2025-54998). Ids that differ in capitals alone, if there were any, would share a count.
func subjectForm(s string) string { return norm.NFKC.String(strings.ToLower(strings.TrimSpace(s))) }

// Fail settles a wrong guess, and locks the subject when it was the last allowed. It
// commits by itself: no transaction of the request's can undo it.
func (t Attempt) Fail(ctx context.Context) error {
	if t.h == nil {
		return nil
	}
	// The client may hang up on hearing "wrong": the guess was made all the same.
	ctx = context.WithoutCancel(ctx)
	err := t.fail(ctx)
	if t.h.cfg.Lockout.OnFailure == "open" {
		return nil
	}
	return storeFailed(ctx, err)
}

// Release gives a lease back without an outcome: what went wrong was ours.
func (t Attempt) Release(ctx context.Context) {
	if t.h == nil {
		return
	}
	t.release(context.WithoutCancel(ctx), "")
}

// Unlock forgets the attempts of a subject: after a reset, or by an administrator. In the
// database it belongs to tx; in a store of its own it follows when tx is committed.
func (a Attempts) Unlock(ctx context.Context, tx *Tx, subject string) error {
	key := a.key(subject)
	if a.h.cfg.Lockout.Store == nil {
		_, err := attempts.Delete(ctx, a.h.conn(tx), attemptID.Eq(key))
		return err
	}
	var err error
	a.h.afterwards(ctx, tx, func(ctx context.Context) {
		err = a.h.forgetAttempts(ctx, key)
	})
	return err
}

// Locked tells until when a subject is locked; the zero time if it is not.
func (a Attempts) Locked(ctx context.Context, subject string) (time.Time, error) {
	return a.h.attemptsLocked(ctx, a.key(subject))
}

// uncounted is the attempt where the counters do not answer: refused, or open by choice.
func (a Attempts) uncounted(ctx context.Context, err error) (Attempt, error) {
	if a.h.cfg.Lockout.OnFailure == "open" && ctx.Err() == nil && !InTx(ctx) {
		return Attempt{}, nil
	}
	return Attempt{}, err
}

// settle is what a right guess means for its counters: statements for the batch of what
// follows from it, and done for behind it. The account's failures are forgotten, those of
// the network are not: else a right password of the attacker's own would clear them.
func (h *Host) settle(tx *Tx, list []Attempt) (with []storage.Statement, done func(context.Context)) {
	var outside []Attempt
	for _, t := range list {
		if t.h == nil {
			continue
		}
		if d, own := t.store.(databaseAttempts); own {
			with = append(with, d.release(h.Now(), t.limits[0].Key, t.limits))
		} else {
			outside = append(outside, t)
		}
	}
	return with, func(ctx context.Context) {
		if len(outside) == 0 {
			return
		}
		h.afterwards(ctx, tx, func(ctx context.Context) {
			for _, t := range outside {
				t.release(ctx, t.limits[0].Key)
			}
		})
	}
}

// afterwards runs fn when tx is committed; now, without one.
func (h *Host) afterwards(ctx context.Context, tx *Tx, fn func(context.Context)) {
	if tx != nil {
		tx.OnCommit(fn)
		return
	}
	fn(context.WithoutCancel(ctx))
}

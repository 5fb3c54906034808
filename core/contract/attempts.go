package contract

import (
	"context"
	"time"
)

// AttemptLimit is one counter of wrong guesses: Max failures within Window lock it for
// Lock. Max is at least 1, Window and Lock are more than 0.
//
// For a store that an app or the program hands over, Key is opaque, without personal data,
// at most 64 bytes long and made of letters, digits, "-" and "_".
type AttemptLimit struct {
	Key    string
	Max    int
	Window time.Duration
	Lock   time.Duration
}

// AttemptStore counts wrong guesses at secrets. A counter holds its failures, the end of
// the window that began with the first of them, the leases of guesses that are being
// looked at, and until when it is locked. Core keeps counters in its database unless it is
// given another store.
//
// Every method is one atomic step over all of its counters: of any number of concurrent
// calls, what they do together is what they would have done one after another. now is the
// caller's clock, in whole milliseconds; a store uses no other. An error means that nothing
// is known: it never means that a guess is refused. A store keeps a counter at least for
// Window and Lock behind its last use, and must not refuse one that it does not hold,
// however full it is.
type AttemptStore interface {
	// Reserve takes one attempt of each counter, or of none of them. A counter refuses while
	// it is locked, and where its failures of the window and its live leases have reached
	// Max. A window and a lock that are over, with the failures before them, count as
	// nothing, and so does a lease that was not settled within that time of the counter's
	// last reservation: what became of the guess is not known.
	//
	// wait tells for each counter how long it refuses: 0 where it does not, the rest of the
	// lock where it is locked, lease where too many guesses are on their way. Attempts are
	// taken if and only if all are 0.
	Reserve(ctx context.Context, now time.Time, lease time.Duration, limits ...AttemptLimit) (wait []time.Duration, err error)

	// Fail settles a reserved attempt of each counter as a wrong guess. The one that makes
	// Max failures locks the counter from now on. It counts also where the counter, or its
	// lease, has gone in between.
	Fail(ctx context.Context, now time.Time, limits ...AttemptLimit) error

	// Release gives back a reserved attempt of each counter uncounted. The failures and the
	// lock of the counter whose key is forget go with it: the guess was right. forget is
	// empty where the guess was neither right nor wrong.
	Release(ctx context.Context, now time.Time, forget string, limits ...AttemptLimit) error

	// Forget deletes a counter: unlocking. One that is not there is no error.
	Forget(ctx context.Context, key string) error

	// Locked tells until when a counter is locked; the zero time if it is not.
	Locked(ctx context.Context, now time.Time, key string) (time.Time, error)
}

package contract

import (
	"context"
	"time"
)

// MaxSessionCopy is the longest life of a SessionCopy. Stores may forget 20 minutes after
// it that a subject was blocked.
const MaxSessionCopy = 15 * time.Minute

// SessionCopy is what a session says, kept outside of the database.
type SessionCopy struct {
	// Data is opaque and sealed.
	Data []byte
	// Subjects are whose change makes the copy void: the session itself, its user. They are
	// opaque, of letters, digits, "-" and "_".
	Subjects []string
	// Life is how long the copy may be served, at most MaxSessionCopy.
	Life time.Duration
}

// SessionStore keeps copies of sessions, so that the database, which is the truth, need not
// be asked each time. Every method is one atomic step, for all replicas. An error means
// that nothing is known.
//
// A change wins every race against a copy, because who changes a subject's rows calls
// Block before the commit and Release behind it, and because Write is given the version
// that Read had before the database was asked:
//
//   - from Block on, no copy that was made before is served or kept;
//   - until Release (or the end of the block) none is made;
//   - what was read from the database before Release is never kept behind it.
//
// A store that loses data must lose copies with it or earlier, never only the knowledge
// that one is void.
type SessionStore interface {
	// Read returns the copy under a key, with version 0; or nil, with the version that Write
	// is to be given. A key is made of letters, digits, "-" and "_".
	Read(ctx context.Context, key string) (data []byte, version int64, err error)
	// Write keeps a copy. kept is false, without an error, where a subject was blocked or
	// released since the version was read, or where that is more than a minute ago.
	Write(ctx context.Context, key string, c SessionCopy, version int64) (kept bool, err error)
	// Block makes the copies of the subjects void and lets none be made until Release is
	// given the mark, or limit (at most two minutes) has passed: who was to release them may
	// have died. Several may block a subject at once.
	Block(ctx context.Context, limit time.Duration, subjects ...string) (mark int64, err error)
	// Release makes the copies of the subjects void, and ends the block of that mark; 0 ends
	// none.
	Release(ctx context.Context, mark int64, subjects ...string) error
}

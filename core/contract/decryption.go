package contract

import (
	"context"
	"time"
)

// Decryption is one use of a granted key by a mission's runner, or an attempt at one.
type Decryption struct {
	UserID      string
	MissionID   string
	IterationID string // which run of the mission; empty if it has none
	Table       string
	RecordID    string
	Status      string // "ok", "failed" or "scope-violation"
	Reason      string // of what is not ok
	At          time.Time
}

// DecryptionAudit keeps decryptions for the user to see. An entry that cannot be kept is an
// error, and the runner then gives nothing out.
type DecryptionAudit interface {
	Record(ctx context.Context, d Decryption) error
}

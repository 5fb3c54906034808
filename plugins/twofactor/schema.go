package twofactor

import (
	"context"
	"reflect"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// factor is what a user has enrolled. All but lastStep is Better Auth's.
type factor struct {
	ID          string `db:"id" schema:"key"`
	Secret      string `db:"secret" schema:"hidden"`      // encrypted
	BackupCodes string `db:"backupCodes" schema:"hidden"` // encrypted JSON array
	UserID      string `db:"userId" schema:"references=user,cascade,index,hidden"`
	// Verified tells that a code was right once. NULL, of older versions, counts as true.
	Verified *bool `db:"verified"`
	// FailedCount are wrong codes in a row while signing in.
	FailedCount *int       `db:"failedVerificationCount" schema:"hidden"`
	LockedUntil *time.Time `db:"lockedUntil" schema:"hidden"`
	// LastStep is the time step whose code was accepted last, ours: no code of it or of
	// an earlier one is accepted again.
	LastStep *int64 `db:"lastStep" schema:"hidden"`
}

// enabled is the column that two-factor adds to users: they have switched it on. Which
// factors they can show follows from their row and the server's options.
type enabled struct {
	TwoFactorEnabled *bool `db:"twoFactorEnabled" schema:"default=false"`
}

var (
	factors     = core.TableOf[factor]("twoFactor")
	colID       = core.Column(factors, func(f *factor) *string { return &f.ID })
	colSecret   = core.Column(factors, func(f *factor) *string { return &f.Secret })
	colCodes    = core.Column(factors, func(f *factor) *string { return &f.BackupCodes })
	colUser     = core.Column(factors, func(f *factor) *string { return &f.UserID })
	colVerified = core.Column(factors, func(f *factor) **bool { return &f.Verified })
	colFailed   = core.Column(factors, func(f *factor) **int { return &f.FailedCount })
	colLocked   = core.Column(factors, func(f *factor) **time.Time { return &f.LockedUntil })
	colStep     = core.Column(factors, func(f *factor) **int64 { return &f.LastStep })

	extension = schema.Extension{Table: "user", Columns: schema.Columns(ID, reflect.TypeFor[enabled]())}
)

func (f *factor) verified() bool { return f.Verified == nil || *f.Verified }

// isEnabled reads the user's own switch.
func isEnabled(u *core.User) bool {
	on, _ := u.Extra["twoFactorEnabled"].(bool)
	return on
}

// factorOf reads what a user has enrolled; nil for nothing. Better Auth may have written
// several rows at once: the one that was confirmed counts.
func factorOf(ctx context.Context, q storage.Conn, userID string) (*factor, error) {
	list, err := factors.List(ctx, q, core.ListOptions{Order: []core.Order{colID.Asc()}, Limit: 10}, colUser.Eq(userID))
	if err != nil || len(list) == 0 {
		return nil, err
	}
	for i := range list {
		if list[i].verified() {
			return &list[i], nil
		}
	}
	return &list[0], nil
}

// countFailure counts a wrong code and locks when it was the last allowed, in one step.
const countFailure = "UPDATE {twoFactor=} SET {twoFactor:failedVerificationCount} = COALESCE({twoFactor.failedVerificationCount}, 0) + 1, " +
	"{twoFactor:lockedUntil} = CASE WHEN COALESCE({twoFactor.failedVerificationCount}, 0) + 1 >= ? THEN ? ELSE {twoFactor.lockedUntil} END " +
	"WHERE {twoFactor.id} = ?"

// clearFailures are the assignments that a right code makes.
func clearFailures() []core.Set {
	zero := 0
	return []core.Set{colFailed.Set(&zero), colLocked.SetNull()}
}

// data is what is kept about a user.
func (p *Plugin) data() []core.DataSet {
	type export struct {
		Enabled     bool `json:"enabled"`
		TOTP        bool `json:"totp"`
		BackupCodes bool `json:"backupCodes"`
	}
	return []core.DataSet{{
		Name: ID,
		Export: func(ctx context.Context, q storage.Conn, userID string) (any, error) {
			u, err := p.host.UserByID(ctx, q, userID)
			if err != nil || u == nil {
				return export{}, err
			}
			f, err := factorOf(ctx, q, userID)
			return export{Enabled: isEnabled(u), TOTP: f != nil && f.verified(), BackupCodes: f != nil}, err
		},
		Erase: func(ctx context.Context, tx *core.Tx, userID string) error {
			if _, err := factors.Delete(ctx, tx, colUser.Eq(userID)); err != nil {
				return err
			}
			return p.host.DropVerifications(ctx, tx, userID)
		},
	}}
}

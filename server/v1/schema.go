package v1

import (
	"encoding/json"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// family is a refresh token with those before it. It ends with its session.
type family struct {
	ID        string `db:"id" schema:"key"` // hash of the part that all tokens of a family share
	SessionID string `db:"sessionId" schema:"references=session,cascade,index"`
	UserID    string `db:"userId" schema:"references=user,cascade,index"`
	Current   string `db:"current" schema:"hidden"` // hash of the other part
	// Recent are those that were rotated within the grace period, oldest first, as JSON.
	Recent    json.RawMessage `db:"recent" schema:"hidden"`
	UsedAt    time.Time       `db:"usedAt"`
	CreatedAt time.Time       `db:"createdAt"`
}

var (
	families      = core.TableOf[family]("v1Refresh")
	familyID      = core.Column(families, func(f *family) *string { return &f.ID })
	familySession = core.Column(families, func(f *family) *string { return &f.SessionID })
	familyCurrent = core.Column(families, func(f *family) *string { return &f.Current })
	familyRecent  = core.Column(families, func(f *family) *json.RawMessage { return &f.Recent })
	familyUsed    = core.Column(families, func(f *family) *time.Time { return &f.UsedAt })
)

// signUpDay counts the sign-ups of a day.
type signUpDay struct {
	Day   string `db:"day" schema:"key"` // 2006-01-02, UTC
	Count int    `db:"count"`
}

var (
	signUpDays = core.TableOf[signUpDay]("v1SignUp")
	dayIs      = core.Column(signUpDays, func(d *signUpDay) *string { return &d.Day })
)

package mail

import (
	"context"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Settings are what a user has chosen for their account, and how much they have sent today.
// Who has done neither has no row.
type Settings struct {
	UserID      string    `db:"userId" schema:"key,references=user,cascade"`
	DisplayName *string   `db:"displayName"`
	Signature   *string   `db:"signature"`
	Day         string    `db:"day" schema:"default="` // YYYY-MM-DD in UTC
	Recipients  int       `db:"recipients" schema:"default=0"`
	CreatedAt   time.Time `db:"createdAt" schema:"now"`
	UpdatedAt   time.Time `db:"updatedAt" schema:"now"`
}

var (
	settings      = core.TableOf[Settings]("mailSettings")
	colUser       = core.Column(settings, func(s *Settings) *string { return &s.UserID })
	colName       = core.Column(settings, func(s *Settings) **string { return &s.DisplayName })
	colSignature  = core.Column(settings, func(s *Settings) **string { return &s.Signature })
	colDay        = core.Column(settings, func(s *Settings) *string { return &s.Day })
	colRecipients = core.Column(settings, func(s *Settings) *int { return &s.Recipients })
)

// data is what is kept about a user. The foreign key erases it; the mail itself is the mail
// server's.
func data() core.DataSet {
	return core.DataSet{Name: "mailSettings", Export: func(ctx context.Context, db storage.Conn, userID string) (any, error) {
		s, found, err := settings.Get(ctx, db, colUser.Eq(userID))
		if err != nil || !found {
			return nil, err
		}
		return map[string]any{"displayName": s.DisplayName, "signature": s.Signature, "lastSentOn": s.Day, "recipientsThatDay": s.Recipients}, nil
	}}
}

// own reads the user's settings; without a row they are empty.
func (p *Plugin) own(ctx context.Context, userID string) (Settings, error) {
	s, _, err := settings.Get(ctx, p.host.DB(), colUser.Eq(userID))
	return s, err
}

// row makes sure that the user has a row.
func (p *Plugin) row(ctx context.Context, tx *core.Tx, userID string) error {
	_, err := settings.InsertNew(ctx, tx, &Settings{UserID: userID, CreatedAt: p.host.Now(), UpdatedAt: p.host.Now()})
	return err
}

// reserve counts recipients of a message before it is sent: by one guarded update, so that of
// parallel messages none gets past the limit.
func (p *Plugin) reserve(ctx context.Context, userID string, n int) error {
	now := p.host.Now().UTC()
	today := now.Format(time.DateOnly)
	return p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		if err := p.row(ctx, tx, userID); err != nil {
			return err
		}
		if _, err := settings.Update(ctx, tx, []core.Set{colDay.Set(today), colRecipients.Set(0)}, colUser.Eq(userID), colDay.Ne(today)); err != nil {
			return err
		}
		changed, err := settings.Update(ctx, tx, []core.Set{colRecipients.Add(n)}, colUser.Eq(userID), colDay.Eq(today), colRecipients.Le(p.o.RecipientsPerDay-n))
		if err == nil && changed == 0 {
			left := now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now)
			return ErrRateLimited.WithMessage("Too many recipients today. Please try again tomorrow.").WithHeader("Retry-After", wholeSeconds(left))
		}
		return err
	})
}

// release takes a reservation back: the message was not sent.
func (p *Plugin) release(ctx context.Context, userID string, n int) error {
	today := p.host.Now().UTC().Format(time.DateOnly)
	_, err := settings.Update(ctx, p.host.DB(), []core.Set{colRecipients.Add(-n)}, colUser.Eq(userID), colDay.Eq(today), colRecipients.Ge(n))
	return err
}

package missiongrant

import (
	"context"

	"github.com/sallyport-auth/sallyport/core"
)

// claimed revokes what was granted before anybody had proved the account's address: whoever
// made the account may have left grants for records that its owner will have one day.
func (p *Plugin) claimed(ctx context.Context, e *core.UserClaimEvent) error {
	return p.revokeAll(ctx, e.Tx, e.Call, e.User.ID)
}

// recovered does the same where a reset of the password is that proof.
func (p *Plugin) recovered(ctx context.Context, e *core.UserRecoverEvent) error {
	if e.User.EmailVerified {
		return nil
	}
	return p.revokeAll(ctx, e.Tx, e.Call, e.User.ID)
}

func (p *Plugin) revokeAll(ctx context.Context, tx *core.Tx, c *core.Call, userID string) error {
	now := p.host.Now()
	n, err := grants.Update(ctx, tx, []core.Set{colRevoked.Set(&now)}, colUser.Eq(userID), colRevoked.Null())
	if err != nil || n == 0 {
		return err
	}
	return p.host.Record(ctx, &core.Event{Type: eventRevoked, UserID: userID, Call: c, Tx: tx})
}

package core

import "context"

// UserClaim runs when somebody has proved for the first time that a user's address is
// theirs. Whoever made the account before may have been somebody else: a plugin that
// keeps a way in, or a lock, for the user deletes it in a hook here.
var UserClaim = NewPoint[UserClaimEvent]("user-claim")

// UserClaimEvent is the payload of UserClaim. User is the row with the address verified.
type UserClaimEvent struct {
	Call *Call
	Tx   *Tx
	User *User
}

// UserRecover runs when somebody sets a new password by a mailed link. Where the user's
// address was never proved (User.EmailVerified), whoever made the account may be somebody
// else: a plugin that keeps a way in deletes it in a hook here. The user's row is locked
// (Host.LockUser), and sessions are ended behind the hooks, unless the app lets them go on
// (revokeSessionsOnPasswordReset: false).
var UserRecover = NewPoint[UserRecoverEvent]("user-recover")

// UserRecoverEvent is the payload of UserRecover.
type UserRecoverEvent struct {
	Call *Call
	Tx   *Tx
	User *User
}

// ClaimUnproven gives an account to who has just proved its address, and returns the user
// as they are then. If the address was proved before, nothing happens. Else everything
// that its unproven maker could come back with goes in the same transaction: accounts
// (password, providers), sessions, outstanding secrets, what plugins keep, and a lock that
// wrong guesses brought about (GHSA-qq9h-g4jm-xgf3). It returns nil if the user is gone or
// has another address by now. Of N parallel calls one claims.
func (h *Host) ClaimUnproven(ctx context.Context, tx *Tx, c *Call, u *User) (claimed *User, err error) {
	if u.EmailVerified {
		return u, nil
	}
	yes := true
	err = h.Tx(ctx, tx, func(ctx context.Context, tx *Tx) error {
		claimed, err = h.UpdateUser(ctx, tx, c, u.ID, UserChange{EmailVerified: &yes}, EmailUnverified, EmailIs(u.Email))
		if err != nil {
			return err
		}
		if claimed == nil {
			claimed, err = h.UserByID(ctx, tx, u.ID)
			if err != nil || claimed == nil || !claimed.EmailVerified || claimed.Email != u.Email {
				claimed = nil
			}
			return err
		}
		e := &UserClaimEvent{Call: c, Tx: tx, User: claimed}
		if err := UserClaim.Run(ctx, h, tx, e, func(ctx context.Context) error { return h.dropAccess(ctx, tx, u.ID) }); err != nil {
			return err
		}
		// Last: a sign-in that held one of the proofs until now has its session among them.
		if err := h.RevokeSessions(ctx, tx, u.ID, ""); err != nil {
			return err
		}
		if err := h.Record(ctx, &Event{Type: EventUserClaimed, UserID: u.ID, Call: c, Tx: tx}); err != nil {
			return err
		}
		return h.emailVerified(ctx, tx, c, claimed)
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// dropAccess deletes all of core's that lets somebody in as a user, but for the sessions.
func (h *Host) dropAccess(ctx context.Context, tx *Tx, userID string) error {
	if _, err := accounts.Delete(ctx, tx, accountUser.Eq(userID)); err != nil {
		return err
	}
	if err := h.DropVerifications(ctx, tx, userID); err != nil {
		return err
	}
	return h.Attempts("password").Unlock(ctx, tx, userID)
}

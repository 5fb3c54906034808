package passkey

import (
	"context"

	"github.com/sallyport-auth/sallyport/core"
)

// dropUnproven deletes the passkeys that were registered before anybody had proved the
// account's address: whoever did may not be who has proved it now.
func dropUnproven(ctx context.Context, e *core.UserClaimEvent) error {
	_, err := passkeys.Delete(ctx, e.Tx, colUserID.Eq(e.User.ID))
	return err
}

// recovered does the same where a reset of the password is that proof. Of a user whose
// address was proved before, they are the user's own.
func recovered(ctx context.Context, e *core.UserRecoverEvent) error {
	if e.User.EmailVerified {
		return nil
	}
	_, err := passkeys.Delete(ctx, e.Tx, colUserID.Eq(e.User.ID))
	return err
}

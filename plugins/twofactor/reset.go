package twofactor

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/sallyport-auth/sallyport/core"
)

// reset is the command for who has lost the device and the backup codes. Sessions end:
// one of them may be whoever made this necessary.
func (p *Plugin) reset(ctx context.Context, h *core.Host, args []string, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("want one argument: the user's address")
	}
	u, err := h.UserByEmail(ctx, h.DB(), args[0])
	if err != nil {
		return err
	}
	if u == nil {
		return errors.New("nobody has this address")
	}
	err = h.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		// Before the factors, in the order of all that the user does with them.
		if err := h.LockUser(ctx, tx, u.ID); err != nil {
			return err
		}
		if err := p.takeOff(ctx, tx, nil, u.ID); err != nil {
			return err
		}
		if _, err := h.UpdateUser(ctx, tx, nil, u.ID, core.UserChange{Extra: map[string]any{"twoFactorEnabled": false}}); err != nil {
			return err
		}
		if err := h.Attempts(attempts).Unlock(ctx, tx, u.ID); err != nil {
			return err
		}
		return h.RevokeSessions(ctx, tx, u.ID, "")
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s has no second factor any more, and is signed out everywhere.\n", u.Email)
	return err
}

// takeOff deletes the factors, and with them whatever goes by their being there: trusted
// devices and challenges under way.
func (p *Plugin) takeOff(ctx context.Context, tx *core.Tx, c *core.Call, userID string) error {
	if _, err := factors.Delete(ctx, tx, colUser.Eq(userID)); err != nil {
		return err
	}
	if err := p.host.DropVerifications(ctx, tx, userID); err != nil {
		return err
	}
	return p.record(ctx, c, tx, userID, "disabled")
}

// claimed takes off what was enrolled before anybody had proved the account's address:
// who made the account with another's address must not lock the owner out of it.
func (p *Plugin) claimed(ctx context.Context, e *core.UserClaimEvent) error {
	if p.o.Enforce == "upstream" { // a link by mail is not asked there: nobody is locked out
		return nil
	}
	f, err := factorOf(ctx, e.Tx, e.User.ID)
	if err != nil || f == nil && !isEnabled(e.User) {
		return err
	}
	if err := p.takeOff(ctx, e.Tx, e.Call, e.User.ID); err != nil {
		return err
	}
	u, err := p.host.UpdateUser(ctx, e.Tx, e.Call, e.User.ID, core.UserChange{Extra: map[string]any{"twoFactorEnabled": false}})
	if u != nil {
		*e.User = *u // whoever signs the user in next goes by it
	}
	return err
}

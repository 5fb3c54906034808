package core

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/mailtoken"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// ChangeEmailInput is the input of ChangeEmail.
type ChangeEmailInput struct {
	NewEmail    string  `json:"newEmail" input:"email"`
	CallbackURL *string `json:"callbackURL"`
}

const (
	confirmChange = "change-email-confirmation"
	verifyChange  = "change-email-verification"
)

func (h *Host) changeEmail(ctx context.Context, c *Call, in ChangeEmailInput) (Status, error) {
	cfg, u := &h.cfg.User.ChangeEmail, c.user
	email := NormalEmail(in.NewEmail)
	direct := !u.EmailVerified && cfg.UpdateWithoutVerification
	switch {
	case !cfg.Enabled:
		return Status{}, ErrChangeEmailDisabled
	case email == u.Email:
		return Status{}, errEmailSame
	case !direct && !h.canVerify():
		// Decided before the look-up, so that the answer cannot depend on who has the address.
		return Status{}, errVerificationMailDisabled
	}
	// Read before it is known who has the address, so that both answers cost the same.
	binding, err := h.changeBinding(ctx, h.db, u.ID)
	if err != nil {
		return Status{}, err
	}
	other, err := h.UserByEmail(ctx, h.db, email)
	if err != nil {
		return Status{}, err
	}
	if other != nil {
		// The same answer as for a free address, at the same cost. Who changes an address
		// directly sees by their own whether it was free.
		if direct {
			return Status{true}, nil
		}
		return Status{true}, h.requestChange(ctx, c, func(ctx context.Context, tx *Tx) error { return h.DecoyMail(ctx, tx) })
	}
	callback := deref(in.CallbackURL)
	if direct {
		return h.changeDirectly(ctx, c, email, callback)
	}
	cl := mailtoken.Claims{Email: u.Email, UpdateTo: email, RequestType: verifyChange, Binding: binding}
	return Status{true}, h.requestChange(ctx, c, func(ctx context.Context, tx *Tx) error {
		if u.EmailVerified && !cfg.SkipConfirmation {
			cl.RequestType = confirmChange
			return h.mailLink(ctx, tx, "change-email", u.Email, u, cl, callback)
		}
		return h.mailLink(ctx, tx, "verify-email", email, u, cl, callback)
	})
}

// requestChange records that another address was asked for, and sends the mail, if the
// session still is one: a link that is made behind a claim is one that the claim does not
// void. The address is not recorded: it may be somebody else's.
func (h *Host) requestChange(ctx context.Context, c *Call, send func(context.Context, *Tx) error) error {
	return h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) error {
		if err := c.HoldSession(ctx, tx); err != nil {
			return err
		}
		if err := h.Record(ctx, &Event{Type: EventEmailChangeRequested, UserID: c.user.ID, Call: c, Tx: tx}); err != nil {
			return err
		}
		return send(ctx, tx)
	})
}

// changeBinding ties the links of a change to the password that the user has, its row and
// when it was set, which a newer form of the same password leaves as it is; and to how often
// the address was proved for the first time, since a user without a password has none that a
// claim could take away, or changed: who changes it back undoes the first change, and must not
// have it done again by the link that is still in a mailbox.
func (h *Host) changeBinding(ctx context.Context, q storage.Conn, userID string) (string, error) {
	list, err := accounts.List(ctx, q, ListOptions{Order: []Order{accountCreated.Asc()}, Limit: 1}, accountUser.Eq(userID), accountProvider.Eq(CredentialProvider))
	if err != nil {
		return "", err
	}
	ends, err := securityEvents.Count(ctx, q, eventUser.Eq(&userID), endsChanges)
	sum := sha256.New()
	for _, a := range list {
		fmt.Fprintf(sum, "%s %d", a.ID, a.UpdatedAt.UnixMilli())
	}
	if ends > 0 {
		fmt.Fprintf(sum, " %d", ends)
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:16]), err
}

// endsChanges finds the events that void links of a change, beside a new password.
var endsChanges = eventTypeName.In(EventUserClaimed, EventEmailChanged)

// staleChange tells whether the password is another one than when the change was begun, or
// the address was proved for the first time or changed since. Who had somebody's session, or made an
// account with somebody's address, may have begun it. A new password or a claim has put them
// out, and must void what they began, as it voids links that set a password. Better Auth's
// links are tied to nothing: for them the times decide, in whole seconds.
func (h *Host) staleChange(ctx context.Context, q storage.Conn, cl mailtoken.Claims) (bool, error) {
	if cl.Binding == "" {
		ends, err := securityEvents.Count(ctx, q, eventUser.Eq(&cl.UserID), endsChanges, eventAt.Ge(time.Unix(cl.IssuedAt, 0)))
		if err != nil || ends > 0 {
			return true, err
		}
		return h.passwordSince(ctx, q, cl.UserID, time.Unix(cl.IssuedAt+1, 0))
	}
	binding, err := h.changeBinding(ctx, q, cl.UserID)
	return cl.Binding != binding, err
}

// changeDirectly changes an address that was never verified, at once.
func (h *Host) changeDirectly(ctx context.Context, c *Call, email, callback string) (Status, error) {
	var u *User
	err := h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) (err error) {
		if err := c.HoldSession(ctx, tx); err != nil { // a new password may have put them out
			return err
		}
		if err := h.dropMailed(ctx, tx, c.user.ID); err != nil {
			return err
		}
		u, err = h.UpdateUser(ctx, tx, c, c.user.ID, UserChange{Email: &email}, EmailUnverified)
		if err == nil && u == nil {
			err = ErrConflict
		}
		if err != nil {
			return err
		}
		if err := h.Record(ctx, &Event{Type: EventEmailChanged, UserID: u.ID, Call: c, Tx: tx}); err != nil || !h.canVerify() {
			return err
		}
		return h.MailVerification(ctx, tx, u, callback)
	})
	switch {
	case errors.Is(err, ErrEmailTaken): // taken in between: still the same answer
		return Status{true}, nil
	case err != nil:
		return Status{}, err
	}
	return Status{true}, c.RefreshCookies(c.session, u)
}

// dropMailed locks a user whose address is to be changed, and deletes what was mailed to the
// old one: whoever reads it may be why there is a new one. It comes before the change, which
// PostgreSQL has new sessions wait for: a second factor uses its challenge up, which is
// deleted here, and then makes a session.
func (h *Host) dropMailed(ctx context.Context, tx *Tx, userID string) error {
	if err := h.LockUser(ctx, tx, userID); err != nil {
		return err
	}
	return h.DropVerifications(ctx, tx, userID)
}

// followChange is both steps of a change of address.
func (h *Host) followChange(ctx context.Context, c *Call, cl mailtoken.Claims, callback string) (VerifyEmailAnswer, error) {
	var none VerifyEmailAnswer
	if cl.UserID == "" {
		return none, errLinkInvalid
	}
	u, err := h.UserByID(ctx, h.db, cl.UserID)
	switch {
	case err != nil:
		return none, err
	case u == nil:
		return none, errLinkNoUser
	case u.Email != cl.Email:
		return none, errLinkInvalid // used, or overtaken by another change
	}
	s, current, err := c.LoadSession(ctx)
	if err != nil {
		return none, err
	}
	if s != nil && current.ID != u.ID {
		return none, errLinkConflict
	}
	if cl.RequestType == confirmChange {
		if stale, err := h.staleChange(ctx, h.db, cl); err != nil {
			return none, err
		} else if stale {
			return none, errLinkInvalid
		}
		err := h.mailLink(ctx, nil, "verify-email", cl.UpdateTo, u,
			mailtoken.Claims{Email: cl.Email, UpdateTo: cl.UpdateTo, RequestType: verifyChange, Binding: cl.Binding}, callback)
		return VerifyEmailAnswer{Status: true, noUser: true}, err
	}
	return h.completeChange(ctx, c, cl, u, s, callback)
}

// completeChange gives the user the new address, guarded by the old one: a link works
// once. Links of the old kind, without a request type, leave the address unverified and
// send another mail.
func (h *Host) completeChange(ctx context.Context, c *Call, cl mailtoken.Claims, u *User, s *Session, callback string) (VerifyEmailAnswer, error) {
	verified := u.EmailVerified && cl.RequestType == verifyChange
	var changed *User
	err := h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) (err error) {
		// Under the lock that a new password and a claim take, too: one of them that is under
		// way is waited for, and voids the link.
		if err := h.dropMailed(ctx, tx, u.ID); err != nil {
			return err
		}
		if stale, err := h.staleChange(ctx, tx, cl); err != nil {
			return err
		} else if stale {
			return errLinkInvalid
		}
		changed, err = h.UpdateUser(ctx, tx, c, u.ID, UserChange{Email: &cl.UpdateTo, EmailVerified: &verified}, EmailIs(cl.Email))
		if err == nil && changed == nil {
			err = errLinkInvalid
		}
		if err != nil {
			return err
		}
		err = h.Record(ctx, &Event{Type: EventEmailChanged, UserID: u.ID, Call: c, Tx: tx})
		if err == nil {
			err = h.sendNotice(ctx, tx, NoticeEmailChanged, c, u, cl.UpdateTo)
		}
		if err != nil || cl.RequestType == verifyChange || !h.canVerify() {
			return err
		}
		return h.MailVerification(ctx, tx, changed, callback)
	})
	if err != nil {
		return VerifyEmailAnswer{}, err
	}
	if s != nil {
		if err := c.RefreshCookies(s, changed); err != nil {
			return VerifyEmailAnswer{}, err
		}
	}
	return VerifyEmailAnswer{Status: true, User: changed}, nil
}

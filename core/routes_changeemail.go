package core

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/mailtoken"
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
		return Status{true}, h.DecoyMail(ctx, nil)
	}
	callback := deref(in.CallbackURL)
	if direct {
		return h.changeDirectly(ctx, c, email, callback)
	}
	cl := mailtoken.Claims{Email: u.Email, UpdateTo: email, RequestType: verifyChange}
	if u.EmailVerified && !cfg.SkipConfirmation {
		cl.RequestType = confirmChange
		return Status{true}, h.mailLink(ctx, nil, "change-email", u.Email, u, cl, callback)
	}
	return Status{true}, h.mailLink(ctx, nil, "verify-email", email, u, cl, callback)
}

// changeDirectly changes an address that was never verified, at once.
func (h *Host) changeDirectly(ctx context.Context, c *Call, email, callback string) (Status, error) {
	var u *User
	err := h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) (err error) {
		u, err = h.UpdateUser(ctx, tx, c, c.user.ID, UserChange{Email: &email}, EmailUnverified)
		if err != nil || u == nil || !h.canVerify() {
			return err
		}
		return h.MailVerification(ctx, tx, u, callback)
	})
	switch {
	case errors.Is(err, ErrEmailTaken): // taken in between: still the same answer
		return Status{true}, nil
	case err != nil:
		return Status{}, err
	case u == nil:
		return Status{}, ErrConflict
	}
	return Status{true}, c.RefreshCookies(c.session, u)
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
	// Who had somebody's session may have asked for the change. A new password has put
	// them out, and must void what they began, as it voids links that set a password.
	if changed, err := h.passwordSince(ctx, u.ID, time.Unix(cl.IssuedAt+1, 0)); err != nil {
		return none, err
	} else if changed {
		return none, errLinkInvalid
	}
	if cl.RequestType == confirmChange {
		err := h.mailLink(ctx, nil, "verify-email", cl.UpdateTo, u,
			mailtoken.Claims{Email: cl.Email, UpdateTo: cl.UpdateTo, RequestType: verifyChange}, callback)
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
		changed, err = h.UpdateUser(ctx, tx, c, u.ID, UserChange{Email: &cl.UpdateTo, EmailVerified: &verified}, EmailIs(cl.Email))
		if err != nil || changed == nil || cl.RequestType == verifyChange || !h.canVerify() {
			return err
		}
		return h.MailVerification(ctx, tx, changed, callback)
	})
	if err != nil {
		return VerifyEmailAnswer{}, err
	}
	if changed == nil {
		return VerifyEmailAnswer{}, errLinkInvalid
	}
	if s != nil {
		if err := c.RefreshCookies(s, changed); err != nil {
			return VerifyEmailAnswer{}, err
		}
	}
	return VerifyEmailAnswer{Status: true, User: changed}, nil
}

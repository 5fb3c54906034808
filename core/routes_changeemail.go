package core

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
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
	// Read before it is known who has the address, so that both answers cost the same.
	binding, err := h.changeBinding(ctx, u.ID)
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

// requestChange records that another address was asked for, and sends the mail. The
// address is not recorded: it may be somebody else's.
func (h *Host) requestChange(ctx context.Context, c *Call, send func(context.Context, *Tx) error) error {
	return h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) error {
		if err := h.Record(ctx, &Event{Type: EventEmailChangeRequested, UserID: c.user.ID, Call: c, Tx: tx}); err != nil {
			return err
		}
		return send(ctx, tx)
	})
}

// changeBinding ties the links of a change to the password that the user has: its row and
// when it was set, which a newer form of the same password leaves as it is.
func (h *Host) changeBinding(ctx context.Context, userID string) (string, error) {
	list, err := accounts.List(ctx, h.db, ListOptions{Order: []Order{accountCreated.Asc()}, Limit: 1}, accountUser.Eq(userID), accountProvider.Eq(CredentialProvider))
	sum := sha256.New()
	for _, a := range list {
		fmt.Fprintf(sum, "%s %d", a.ID, a.UpdatedAt.UnixMilli())
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:16]), err
}

// staleChange tells whether the password is another one than when the change was begun.
// Who had somebody's session, or made an account with somebody's address, may have begun
// it. A new password or a claim has put them out, and must void what they began, as it
// voids links that set a password. Better Auth's links are tied to nothing: for them the
// time of a new password decides, in whole seconds.
func (h *Host) staleChange(ctx context.Context, cl mailtoken.Claims) (bool, error) {
	if cl.Binding == "" {
		return h.passwordSince(ctx, cl.UserID, time.Unix(cl.IssuedAt+1, 0))
	}
	binding, err := h.changeBinding(ctx, cl.UserID)
	return cl.Binding != binding, err
}

// changeDirectly changes an address that was never verified, at once.
func (h *Host) changeDirectly(ctx context.Context, c *Call, email, callback string) (Status, error) {
	var u *User
	err := h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) (err error) {
		u, err = h.UpdateUser(ctx, tx, c, c.user.ID, UserChange{Email: &email}, EmailUnverified)
		if err != nil || u == nil {
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
	if stale, err := h.staleChange(ctx, cl); err != nil {
		return none, err
	} else if stale {
		return none, errLinkInvalid
	}
	if cl.RequestType == confirmChange {
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
		changed, err = h.UpdateUser(ctx, tx, c, u.ID, UserChange{Email: &cl.UpdateTo, EmailVerified: &verified}, EmailIs(cl.Email))
		if err != nil || changed == nil {
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

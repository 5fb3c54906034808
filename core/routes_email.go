package core

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/internal/mailtoken"
)

// Endpoints about addresses.
var (
	// ChangeEmail starts a change of address. For a verified user the old address confirms
	// first, then the new one is verified; else the new one is verified.
	ChangeEmail = NewRoute[ChangeEmailInput, Status]("POST /change-email")
	// SendVerificationEmail sends the link again. Without a session it never tells whether
	// anybody has the address.
	SendVerificationEmail = NewRoute[SendVerificationInput, Status]("POST /send-verification-email", Public)
	// VerifyEmail is where mailed links lead: verification and both steps of a change.
	VerifyEmail = NewRoute[VerifyEmailInput, VerifyEmailAnswer]("GET /verify-email", Public, Callback("callbackURL"))
)

// EmailVerified runs when an address has been proved, once per address.
var EmailVerified = NewPoint[EmailVerifiedEvent]("email-verified")

// EmailVerifiedEvent is the payload of EmailVerified.
type EmailVerifiedEvent struct {
	Call *Call
	Tx   *Tx
	User *User
}

// SendVerificationInput is the input of SendVerificationEmail.
type SendVerificationInput struct {
	Email       string  `json:"email" input:"email"`
	CallbackURL *string `json:"callbackURL"`
}

// VerifyEmailInput is the input of VerifyEmail.
type VerifyEmailInput struct {
	Token       string  `query:"token"`
	CallbackURL *string `query:"callbackURL"`
}

// VerifyEmailAnswer is the answer of VerifyEmail.
type VerifyEmailAnswer struct {
	Status bool  `json:"status"`
	User   *User `json:"user"`
	// noUser leaves the member out, for the answer to a confirmation.
	noUser bool
}

// MarshalJSON implements json.Marshaler.
func (a VerifyEmailAnswer) MarshalJSON() ([]byte, error) {
	b := appendValue([]byte(`{"status":`), a.Status)
	switch {
	case a.noUser:
	case a.User == nil:
		b = append(b, `,"user":null`...)
	default:
		b = a.User.appendJSON(append(b, `,"user":`...))
	}
	return append(b, '}'), nil
}

// mailLink sends a link to /verify-email.
func (h *Host) mailLink(ctx context.Context, tx *Tx, template, to string, u *User, cl mailtoken.Claims, callback string) error {
	if callback == "" {
		callback = "/"
	}
	cl.UserID, cl.IssuedAt = u.ID, h.Now().Unix()
	cl.ExpiresAt = cl.IssuedAt + int64(h.cfg.Email.ExpiresIn)
	token, err := mailtoken.Sign(h.keyring.Current(), cl)
	if err != nil {
		return err
	}
	about := MailUser(u)
	about.Email = to
	return h.SendMail(ctx, tx, contract.Message{Template: template, To: to, User: about, Token: token, NewEmail: cl.UpdateTo, ExpiresAt: time.Unix(cl.ExpiresAt, 0).UTC(),
		URL: h.URL("/verify-email?token=" + token + "&callbackURL=" + EncodeURIComponent(callback))})
}

// MailVerification sends the link that verifies a user's address, in tx or on its own.
func (h *Host) MailVerification(ctx context.Context, tx *Tx, u *User, callback string) error {
	return h.mailLink(ctx, tx, "verify-email", u.Email, u, mailtoken.Claims{Email: u.Email}, callback)
}

func (h *Host) sendVerificationEmail(ctx context.Context, c *Call, in SendVerificationInput) (Status, error) {
	if !h.canVerify() {
		return Status{}, ErrVerificationNotEnabled
	}
	s, u, err := c.LoadSession(ctx)
	if err != nil {
		return Status{}, err
	}
	if s != nil {
		if u.Email != NormalEmail(in.Email) {
			return Status{}, ErrEmailMismatch
		}
		if u.EmailVerified {
			return Status{}, ErrEmailAlreadyVerified
		}
		return Status{true}, h.MailVerification(ctx, nil, u, deref(in.CallbackURL))
	}
	if u, err = h.UserByEmail(ctx, h.db, in.Email); err != nil {
		return Status{}, err
	}
	if u == nil || u.EmailVerified {
		return Status{true}, h.DecoyMail(ctx, nil)
	}
	return Status{true}, h.MailVerification(ctx, nil, u, deref(in.CallbackURL))
}

func (h *Host) verifyEmail(ctx context.Context, c *Call, in VerifyEmailInput) (VerifyEmailAnswer, error) {
	out, err := h.followLink(ctx, c, in)
	callback := deref(in.CallbackURL)
	if callback == "" {
		return out, err
	}
	if e := AsError(err); e != nil && e.Status < 500 {
		c.RedirectQuery(callback, "error", e.Code)
		return out, nil
	}
	if err == nil {
		c.Redirect(callback)
	}
	return out, err
}

// Errors of a link, all 401 here as Better Auth has them.
var (
	errLinkInvalid  = NewError("INVALID_TOKEN", 401, "Invalid token")
	errLinkExpired  = ErrTokenExpired
	errLinkNoUser   = NewError("USER_NOT_FOUND", 401, "User not found")
	errLinkConflict = NewError("INVALID_USER", 401, "Invalid user").In(ClassTokenInvalid)
)

func (h *Host) followLink(ctx context.Context, c *Call, in VerifyEmailInput) (VerifyEmailAnswer, error) {
	var none VerifyEmailAnswer
	cl, err := mailtoken.Verify(h.keyring.SigningKeys(), in.Token, c.now)
	switch {
	case errors.Is(err, mailtoken.ErrExpired):
		return none, errLinkExpired
	case err != nil:
		return none, errLinkInvalid
	case cl.UpdateTo != "":
		return h.followChange(ctx, c, cl, deref(in.CallbackURL))
	}
	u, err := h.UserByEmail(ctx, h.db, cl.Email)
	switch {
	case err != nil:
		return none, err
	case u == nil:
		return none, errLinkNoUser
	case cl.UserID != "" && cl.UserID != u.ID:
		return none, errLinkInvalid
	case u.EmailVerified:
		return VerifyEmailAnswer{Status: true}, nil
	}
	won, err := h.markVerified(ctx, c, u)
	if err != nil {
		return none, err
	}
	// The link stays valid until it expires. Only the request that verified the address
	// may be signed in by it: a link found later in a mailbox or log signs nobody in.
	if won && h.cfg.Email.AutoSignIn {
		err = h.signInVerified(ctx, c, u)
	}
	return VerifyEmailAnswer{Status: true}, err
}

// markVerified sets the flag if nobody has: of N parallel calls one returns true.
func (h *Host) markVerified(ctx context.Context, c *Call, u *User) (won bool, err error) {
	yes := true
	err = h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) error {
		now, err := h.UpdateUser(ctx, tx, c, u.ID, UserChange{EmailVerified: &yes}, EmailUnverified, EmailIs(u.Email))
		if err != nil || now == nil {
			return err
		}
		won, *u = true, *now
		// Run behind the update, which decides who has won: an error undoes it.
		return h.emailVerified(ctx, tx, c, u)
	})
	return won && err == nil, err
}

// emailVerified runs the point and records it, in the transaction of the update.
func (h *Host) emailVerified(ctx context.Context, tx *Tx, c *Call, u *User) error {
	return EmailVerified.Run(ctx, h, tx, &EmailVerifiedEvent{c, tx, u}, func(ctx context.Context) error {
		return h.Record(ctx, &Event{Type: EventEmailVerified, UserID: u.ID, Actor: actorOf(c), Call: c, Tx: tx})
	})
}

func (h *Host) signInVerified(ctx context.Context, c *Call, u *User) error {
	s, current, err := c.LoadSession(ctx)
	if err != nil {
		return err
	}
	if s != nil && current.ID == u.ID {
		return c.RefreshCookies(s, u)
	}
	_, err = h.SignIn(ctx, nil, &SignIn{Call: c, User: u, Methods: []string{"email"}})
	return err
}

package emailpassword

import (
	"context"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// Endpoints about the password.
var (
	ChangePassword = core.NewRoute[ChangePasswordInput, SignUpAnswer]("POST /change-password")
	VerifyPassword = core.NewRoute[VerifyPasswordInput, core.Status]("POST /verify-password")
	// SetPassword gives a user without a password their first one. It has no HTTP route:
	// the app decides when somebody may.
	SetPassword          = core.NewRoute[SetPasswordInput, core.Status]("POST /set-password", core.ServerOnly)
	RequestPasswordReset = core.NewRoute[RequestResetInput, RequestResetAnswer]("POST /request-password-reset", core.Public, core.Callback("redirectTo"))
	// ResetPasswordCallback is where the mailed link leads: it sends the browser on to the
	// app's page with the token, and uses nothing up, so that a mail scanner does no harm.
	ResetPasswordCallback = core.NewRoute[ResetCallbackInput, core.None]("GET /reset-password/:token", core.Public, core.Callback("callbackURL"))
	ResetPassword         = core.NewRoute[ResetInput, core.Status]("POST /reset-password", core.Public)
)

// ChangePasswordInput is the input of ChangePassword.
type ChangePasswordInput struct {
	NewPassword         string `json:"newPassword"`
	CurrentPassword     string `json:"currentPassword"`
	RevokeOtherSessions *bool  `json:"revokeOtherSessions"`
}

// VerifyPasswordInput is the input of VerifyPassword.
type VerifyPasswordInput struct {
	Password string `json:"password"`
}

// SetPasswordInput is the input of SetPassword.
type SetPasswordInput struct {
	NewPassword string `json:"newPassword"`
}

// RequestResetInput is the input of RequestPasswordReset.
type RequestResetInput struct {
	Email      string  `json:"email" input:"email"`
	RedirectTo *string `json:"redirectTo"`
}

// RequestResetAnswer is the same for every address.
type RequestResetAnswer struct {
	Status  bool   `json:"status"`
	Message string `json:"message"`
}

// ResetCallbackInput is the input of ResetPasswordCallback.
type ResetCallbackInput struct {
	Token       string `path:"token"`
	CallbackURL string `query:"callbackURL"`
}

// ResetInput is the input of ResetPassword. The token may come in body or query.
type ResetInput struct {
	NewPassword string  `json:"newPassword"`
	Token       *string `json:"token"`
	QueryToken  *string `query:"token"`
}

const resetPurpose = "reset-password:"

func (p *Plugin) changePassword(ctx context.Context, c *core.Call, in ChangePasswordInput) (SignUpAnswer, error) {
	var none SignUpAnswer
	old, u := c.Session()
	if err := p.host.NewPasswordLength(in.NewPassword); err != nil {
		return none, err
	}
	if err := p.host.PasswordTooLong(in.CurrentPassword); err != nil {
		return none, err
	}
	cr, err := p.host.CredentialByID(ctx, u.ID)
	if err != nil {
		return none, err
	}
	if cr.Hash == nil {
		return none, core.ErrCredentialNotFound
	}
	checked, ok, err := p.host.CheckPassword(ctx, cr, u.ID, in.CurrentPassword)
	if err != nil {
		return none, err
	}
	if !ok {
		return none, core.ErrInvalidPassword
	}
	hash, err := p.host.HashPassword(ctx, in.NewPassword)
	if err != nil {
		checked.Release(ctx, err)
		return none, err
	}
	out := SignUpAnswer{User: u}
	err = p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		// Two hashes take long: who was put out meanwhile changes nothing.
		if err := c.HoldSession(ctx, tx); err != nil {
			return err
		}
		// Guarded by the hash that was checked: one proof of a password is good for one
		// change. Settling comes second, as it may store a newer form of the old one.
		if ok, err := p.host.ReplacePassword(ctx, tx, cr, hash); err != nil {
			return err
		} else if !ok {
			return core.ErrInvalidPassword
		}
		if err := p.host.Settle(ctx, tx, checked); err != nil {
			return err
		}
		if err := p.host.DropVerifications(ctx, tx, u.ID); err != nil {
			return err
		}
		if err := p.record(ctx, c, tx, core.EventPasswordChanged, u.ID); err != nil {
			return err
		}
		if in.RevokeOtherSessions == nil || !*in.RevokeOtherSessions {
			return nil
		}
		// By itself first: another takes its place only if nobody has ended it at this moment.
		if was, err := p.host.RevokeSession(ctx, tx, old.ID); err != nil {
			return err
		} else if !was {
			return core.ErrUnauthorized
		}
		if err := p.host.RevokeSessions(ctx, tx, u.ID, ""); err != nil {
			return err
		}
		s, err := p.host.Renew(ctx, tx, c, old, u)
		if s != nil {
			out.Token = &s.Token
		}
		return err
	})
	if err != nil {
		checked.Release(ctx, err)
	}
	return out, err
}

func (p *Plugin) verifyPassword(ctx context.Context, c *core.Call, in VerifyPasswordInput) (core.Status, error) {
	_, u := c.Session()
	if err := p.host.PasswordTooLong(in.Password); err != nil {
		return core.Status{}, err
	}
	cr, err := p.host.CredentialByID(ctx, u.ID)
	if err != nil {
		return core.Status{}, err
	}
	checked, ok, err := p.host.CheckPassword(ctx, cr, u.ID, in.Password)
	if err != nil {
		return core.Status{}, err
	}
	if !ok {
		return core.Status{}, core.ErrInvalidPassword
	}
	return core.Status{Status: true}, p.host.Settle(ctx, nil, checked)
}

func (p *Plugin) setPassword(ctx context.Context, c *core.Call, in SetPasswordInput) (core.Status, error) {
	_, u := c.Session()
	if err := p.host.NewPasswordLength(in.NewPassword); err != nil {
		return core.Status{}, err
	}
	hash, err := p.host.HashPassword(ctx, in.NewPassword)
	if err != nil {
		return core.Status{}, err
	}
	err = p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		// A hash takes long: who was put out meanwhile leaves no password behind.
		if err := c.HoldSession(ctx, tx); err != nil {
			return err
		}
		if err := p.host.StoreFirstPassword(ctx, tx, u.ID, hash, ErrPasswordAlreadySet); err != nil {
			return err
		}
		return p.record(ctx, c, tx, core.EventPasswordSet, u.ID)
	})
	return core.Status{Status: err == nil}, err
}

func (p *Plugin) requestReset(ctx context.Context, c *core.Call, in RequestResetInput) (RequestResetAnswer, error) {
	if !p.canReset() {
		return RequestResetAnswer{}, ErrResetDisabled
	}
	out := RequestResetAnswer{true, "If this email exists in our system, check your email for the reset link"}
	u, err := p.host.UserByEmail(ctx, p.host.DB(), in.Email)
	if err != nil {
		return RequestResetAnswer{}, err
	}
	if u == nil {
		p.host.RecordLater(c, &core.Event{Type: core.EventPasswordResetRequested})
		return out, p.decoy(ctx, nil, true)
	}
	token, err := p.host.RandomString(core.Alphanumeric, 24)
	if err != nil {
		return RequestResetAnswer{}, err
	}
	err = p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		link, err := p.host.VerificationStatement(resetPurpose+token, u.ID, p.resetLife())
		if err != nil {
			return err
		}
		// In one statement: an address that nobody has costs one as well.
		if err := p.host.Record(ctx, &core.Event{Type: core.EventPasswordResetRequested, UserID: u.ID, Call: c, Tx: tx}, link); err != nil {
			return err
		}
		return p.host.SendMail(ctx, tx, contract.Message{Template: "reset-password", To: u.Email, User: core.MailUser(u), Token: token, ExpiresAt: p.host.Now().Add(p.resetLife()),
			URL: p.host.URL("/reset-password/" + token + "?callbackURL=" + core.EncodeURIComponent(deref(in.RedirectTo)))})
	})
	return out, err
}

func (p *Plugin) resetCallback(ctx context.Context, c *core.Call, in ResetCallbackInput) (core.None, error) {
	if in.CallbackURL == "" {
		c.Redirect(p.host.URL("/error") + "?error=INVALID_TOKEN")
		return core.None{}, nil
	}
	_, found, err := p.host.PeekVerification(ctx, p.host.DB(), resetPurpose+in.Token)
	switch {
	case err != nil:
		return core.None{}, err
	case !found:
		c.Redirect(p.host.ResolveQuery(in.CallbackURL, "error", "INVALID_TOKEN"))
	default:
		c.Redirect(p.host.ResolveQuery(in.CallbackURL, "token", in.Token))
	}
	return core.None{}, nil
}

func (p *Plugin) reset(ctx context.Context, c *core.Call, in ResetInput) (core.Status, error) {
	token := deref(in.Token)
	if token == "" {
		token = deref(in.QueryToken)
	}
	if token == "" {
		return core.Status{}, core.ErrInvalidToken
	}
	if err := p.host.NewPasswordLength(in.NewPassword); err != nil {
		return core.Status{}, err
	}
	// Looked at before hashing, so that invented tokens cost no hash; taken afterwards.
	v, found, err := p.host.PeekVerification(ctx, p.host.DB(), resetPurpose+token)
	if err != nil {
		return core.Status{}, err
	}
	if !found {
		return core.Status{}, core.ErrInvalidToken
	}
	u, err := p.host.UserByID(ctx, p.host.DB(), v.Value)
	if err != nil {
		return core.Status{}, err
	}
	if u == nil {
		return core.Status{}, core.ErrUserNotFound
	}
	hash, err := p.host.HashPassword(ctx, in.NewPassword)
	if err != nil {
		return core.Status{}, err
	}
	err = p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		// Before the link, in the order of a first proof, which takes all of the user's.
		if err := p.host.LockUser(ctx, tx, u.ID); err != nil {
			return err
		}
		v, found, err := p.host.TakeVerification(ctx, tx, resetPurpose+token)
		if err != nil {
			return err
		}
		if !found || v.Value != u.ID {
			return core.ErrInvalidToken
		}
		err = core.UserRecover.Run(ctx, p.host, tx, &core.UserRecoverEvent{Call: c, Tx: tx, User: u}, func(ctx context.Context) error {
			return p.host.StorePassword(ctx, tx, u.ID, hash)
		})
		if err != nil {
			return err
		}
		if err := p.host.Attempts("password").Unlock(ctx, tx, u.ID); err != nil {
			return err
		}
		// A new password voids every link that could set another.
		if err := p.host.DropVerifications(ctx, tx, u.ID); err != nil {
			return err
		}
		// Behind the proofs: who signs in with one at this moment is among the sessions, or
		// finds it gone.
		if *p.o.RevokeSessionsOnPasswordReset {
			if err := p.host.RevokeSessions(ctx, tx, u.ID, ""); err != nil {
				return err
			}
		} else if err := p.host.ForgetDevices(ctx, tx, u.ID); err != nil {
			return err
		}
		return p.record(ctx, c, tx, core.EventPasswordReset, u.ID)
	})
	return core.Status{Status: err == nil}, err
}

func (p *Plugin) record(ctx context.Context, c *core.Call, tx *core.Tx, what, userID string) error {
	return p.host.Record(ctx, &core.Event{Type: what, UserID: userID, Call: c, Tx: tx})
}

package emailpassword

import (
	"context"
	"errors"

	"github.com/sallyport-auth/sallyport/core"
)

// Endpoints of signing up and in.
var (
	SignUpEmail = core.NewRoute[SignUpInput, SignUpAnswer]("POST /sign-up/email", core.Public, core.Form, core.Login)
	SignInEmail = core.NewRoute[SignInInput, SignInAnswer]("POST /sign-in/email", core.Public, core.Form, core.Login)
)

// SignUpInput is the input of SignUpEmail. Other members set the app's own fields.
type SignUpInput struct {
	Name        string       `json:"name"`
	Email       string       `json:"email" input:"email"`
	Password    string       `json:"password" input:"nonempty"`
	Image       *string      `json:"image"`
	CallbackURL *string      `json:"callbackURL"`
	RememberMe  *bool        `json:"rememberMe"`
	Fields      core.Members `json:",rest"`
}

// SignUpAnswer is the answer of SignUpEmail. Token is nil without a session.
type SignUpAnswer struct {
	Token *string    `json:"token"`
	User  *core.User `json:"user"`
}

// SignInInput is the input of SignInEmail.
type SignInInput struct {
	Email       string  `json:"email"`
	Password    string  `json:"password"`
	CallbackURL *string `json:"callbackURL"`
	RememberMe  *bool   `json:"rememberMe"`
}

// SignInAnswer is the answer of SignInEmail.
type SignInAnswer struct {
	Redirect bool       `json:"redirect"`
	Token    string     `json:"token"`
	URL      *string    `json:"url,omitempty"`
	User     *core.User `json:"user"`
}

func (p *Plugin) signUp(ctx context.Context, c *core.Call, in SignUpInput) (SignUpAnswer, error) {
	var none SignUpAnswer
	if p.o.DisableSignUp {
		return none, ErrSignUpDisabled
	}
	if err := p.host.NewPasswordLength(in.Password); err != nil {
		return none, err
	}
	extra, err := p.host.UserInput(in.Fields)
	if err != nil {
		return none, err
	}
	u, err := p.host.NewUser(in.Name, in.Email, extra)
	if err != nil {
		return none, err
	}
	u.Image = in.Image
	if err := p.host.PasswordRoom(ctx); err != nil {
		return none, err
	}
	known, err := p.host.UserByEmail(ctx, p.host.DB(), u.Email)
	if err != nil {
		return none, err
	}
	if known != nil && !p.hidesAccounts() {
		return none, core.ErrEmailTaken
	}
	// Hashed for a known address too: the answer must take as long.
	hash, err := p.host.HashPassword(ctx, in.Password)
	if err != nil {
		return none, err
	}
	if known != nil {
		return SignUpAnswer{User: u}, p.decoyUser(ctx, u)
	}
	return p.create(ctx, c, u, hash, in)
}

// decoyUser writes as much as a new user would, and gives it an id as theirs are.
func (p *Plugin) decoyUser(ctx context.Context, u *core.User) error {
	return p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) (err error) {
		if u.ID, err = p.host.NewID(ctx, "user"); err != nil {
			return err
		}
		return p.decoy(ctx, tx, p.host.SendsOnSignUp(p.o.RequireEmailVerification))
	})
}

// decoy writes as much as a new user, or the link of a known one, would.
func (p *Plugin) decoy(ctx context.Context, tx *core.Tx, mail bool) error {
	return p.host.Tx(ctx, tx, func(ctx context.Context, tx *core.Tx) error {
		if err := p.host.DecoyWrite(ctx, tx); err != nil || !mail {
			return err
		}
		return p.host.DecoyMail(ctx, tx)
	})
}

// create writes everything in one transaction: a failure anywhere leaves nothing.
func (p *Plugin) create(ctx context.Context, c *core.Call, u *core.User, hash string, in SignUpInput) (SignUpAnswer, error) {
	out := SignUpAnswer{User: u}
	err := p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		if err := p.host.CreateUser(ctx, tx, c, u, ID, hash); err != nil {
			return err
		}
		if p.host.SendsOnSignUp(p.o.RequireEmailVerification) {
			if err := p.host.MailVerification(ctx, tx, u, deref(in.CallbackURL)); err != nil {
				return err
			}
		}
		if p.hidesAccounts() {
			return nil
		}
		s, err := p.host.SignIn(ctx, tx, &core.SignIn{Call: c, User: u, Methods: []string{"pwd"},
			Forget: isFalse(in.RememberMe), Asked: true})
		if s != nil {
			out.Token = &s.Token
		}
		return err
	})
	if errors.Is(err, core.ErrEmailTaken) && p.hidesAccounts() {
		return SignUpAnswer{User: u}, nil // somebody was faster
	}
	if err != nil {
		return SignUpAnswer{}, err
	}
	return out, nil
}

func (p *Plugin) signIn(ctx context.Context, c *core.Call, in SignInInput) (SignInAnswer, error) {
	var none SignInAnswer
	if !core.ValidEmail(in.Email) {
		return none, core.ErrInvalidEmail
	}
	if err := p.host.PasswordTooLong(in.Password); err != nil {
		return none, err
	}
	if err := p.host.PasswordRoom(ctx); err != nil {
		return none, err
	}
	for range 3 { // a password that another sign-in has just hashed anew is to be read again
		out, err := p.tryPassword(ctx, c, in)
		if !errors.Is(err, core.ErrProofChanged) {
			return out, err
		}
	}
	return none, core.ErrConflict
}

// tryPassword is one look at the stored password. core.ErrProofChanged says that it was
// replaced before there was a session.
func (p *Plugin) tryPassword(ctx context.Context, c *core.Call, in SignInInput) (SignInAnswer, error) {
	var none SignInAnswer
	email := core.NormalEmail(in.Email)
	cr, err := p.host.CredentialByEmail(ctx, email)
	if err != nil {
		return none, err
	}
	c.Concerns(cr.User)
	checked, ok, err := p.host.CheckPassword(ctx, cr, email, in.Password)
	if err != nil {
		return none, err
	}
	if !ok {
		return none, ErrInvalidCredentials
	}
	callback := deref(in.CallbackURL)
	if p.o.RequireEmailVerification && !cr.User.EmailVerified {
		return none, p.refuseUnverified(ctx, cr.User, checked, callback)
	}
	s, err := p.host.SignIn(ctx, nil, &core.SignIn{Call: c, User: cr.User, Methods: []string{"pwd"},
		Forget: isFalse(in.RememberMe), Asked: true, Callback: callback, Guard: checked.Guard, Attempts: checked.Attempts})
	if err != nil {
		checked.Release(ctx, err)
		return none, err
	}
	if s == nil {
		return none, nil
	}
	out := SignInAnswer{Redirect: callback != "", Token: s.Token, URL: in.CallbackURL, User: cr.User}
	if callback != "" {
		c.SetHeader("Location", core.Location(callback))
	}
	return out, nil
}

func (p *Plugin) refuseUnverified(ctx context.Context, u *core.User, checked core.Checked, callback string) error {
	if err := p.host.Settle(ctx, nil, checked); err != nil {
		return err
	}
	if p.host.SendsOnSignIn() {
		if err := p.host.MailVerification(ctx, nil, u, callback); err != nil {
			return err
		}
	}
	return ErrEmailNotVerified
}

func isFalse(b *bool) bool { return b != nil && !*b }

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

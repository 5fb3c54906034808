package magiclink

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// Endpoints of the plugin.
var (
	SignInMagicLink = core.NewRoute[AskInput, core.Status]("POST /sign-in/magic-link", core.Public, core.Login)
	// Verify is where mailed links lead.
	Verify = core.NewRoute[VerifyInput, VerifyAnswer]("GET /magic-link/verify", core.Public,
		core.Callback("callbackURL", "newUserCallbackURL", "errorCallbackURL"))
)

// AskInput is the input of SignInMagicLink.
type AskInput struct {
	Email              string         `json:"email" input:"email"`
	Name               *string        `json:"name"` // of a new user
	CallbackURL        *string        `json:"callbackURL"`
	NewUserCallbackURL *string        `json:"newUserCallbackURL"`
	ErrorCallbackURL   *string        `json:"errorCallbackURL"`
	Metadata           map[string]any `json:"metadata" input:"optional"` // handed on to the mail's template
}

// VerifyInput is the input of Verify.
type VerifyInput struct {
	Token              string  `query:"token"`
	CallbackURL        *string `query:"callbackURL"`
	ErrorCallbackURL   *string `query:"errorCallbackURL"`
	NewUserCallbackURL *string `query:"newUserCallbackURL"`
}

// VerifyAnswer is the answer of Verify without a callback.
type VerifyAnswer struct {
	Token   string        `json:"token"`
	User    *core.User    `json:"user"`
	Session *core.Session `json:"session"`
}

func (p *Plugin) ask(ctx context.Context, _ *core.Call, in AskInput) (core.Status, error) {
	var none core.Status
	data, err := texts(in.Metadata)
	if err != nil {
		return none, err
	}
	data["appName"], data["expiresIn"], data["expiresInSeconds"] = p.host.AppName(), p.lifeText(), strconv.Itoa(p.o.ExpiresIn)
	token, err := p.newToken(in.Email)
	if err != nil {
		return none, err
	}
	identifier, err := p.identifier(token)
	if err != nil {
		return none, err
	}
	value, err := record{"magic-link", in.Email, in.Name}.encode()
	if err != nil {
		return none, err
	}
	query := []string{"token", token, "callbackURL", or(in.CallbackURL, "/")}
	if u := or(in.NewUserCallbackURL, ""); u != "" {
		query = append(query, "newUserCallbackURL", u)
	}
	if u := or(in.ErrorCallbackURL, ""); u != "" {
		query = append(query, "errorCallbackURL", u)
	}
	err = p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		if err := p.host.PutVerification(ctx, tx, identifier, value, p.life()); err != nil {
			return err
		}
		return p.host.SendMail(ctx, tx, contract.Message{Template: mailName, To: in.Email, User: contract.MessageUser{Email: in.Email},
			ExpiresAt: p.host.Now().Add(p.life()), Token: token, URL: core.AddQuery(p.host.URL(Verify.Path()), query...), Data: data})
	})
	return core.Status{Status: err == nil}, err
}

func (p *Plugin) verify(ctx context.Context, c *core.Call, in VerifyInput) (VerifyAnswer, error) {
	if p.o.ConfirmOnPost {
		return VerifyAnswer{}, p.showPage(ctx, c, in)
	}
	return p.follow(ctx, c, in)
}

// outcome is what following a link led to.
type outcome struct {
	session *core.Session // nil with a challenge, which is the call's answer then
	user    *core.User
	isNew   bool
	refused *core.Error // the answer is a redirect with its code
	because bool        // and with its text
}

// follow uses the token up and answers.
func (p *Plugin) follow(ctx context.Context, c *core.Call, in VerifyInput) (VerifyAnswer, error) {
	o, err := p.redeem(ctx, c, in)
	if errors.Is(err, core.ErrEmailTaken) {
		// Another link made the user in between. This token was rolled back, and finds them.
		o, err = p.redeem(ctx, c, in)
	}
	switch {
	case o.refused != nil:
		p.refuse(c, in, o.refused, o.because)
	case err != nil:
		return VerifyAnswer{}, err
	case o.session == nil:
	case in.CallbackURL == nil || *in.CallbackURL == "":
		return VerifyAnswer{Token: o.session.Token, User: o.user, Session: o.session}, nil
	default:
		c.Redirect(p.target(in, o.isNew))
	}
	return VerifyAnswer{}, nil
}

// redeem does all of it in one transaction: the token is used up if and only if what it
// is good for has happened, or was refused for good.
func (p *Plugin) redeem(ctx context.Context, c *core.Call, in VerifyInput) (outcome, error) {
	if len(in.Token) > maxToken {
		return outcome{refused: core.ErrInvalidToken}, nil
	}
	identifier, err := p.identifier(in.Token)
	if err != nil {
		return outcome{}, err
	}
	var o outcome
	err = p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		v, found, err := p.host.TakeVerification(ctx, tx, identifier)
		if err != nil {
			return err
		}
		r, ok := parseRecord(v.Value)
		if !found || !ok {
			o.refused = core.ErrInvalidToken
			return nil
		}
		if o.user, err = p.host.UserByEmail(ctx, tx, r.Email); err != nil {
			return err
		}
		switch {
		case o.user == nil && p.o.DisableSignUp:
			o.refused = ErrSignUpDisabled
			return nil
		case o.user == nil:
			err = p.create(ctx, tx, c, r, &o)
		default:
			// The mail's reader has the address, which whoever made the account may not.
			o.user, err = p.host.ClaimUnproven(ctx, tx, c, o.user)
		}
		if err != nil {
			return err
		}
		if o.user == nil {
			o.refused = ErrUserNotFound
			return nil
		}
		o.session, err = p.host.SignIn(ctx, tx, &core.SignIn{Call: c, User: o.user, Methods: []string{"email"}, Callback: p.target(in, o.isNew)})
		return err
	})
	return o, err
}

// create makes the user. A hook's refusal is sent to the error callback, as Better Auth
// does it; the token is not used up by it.
func (p *Plugin) create(ctx context.Context, tx *core.Tx, c *core.Call, r record, o *outcome) error {
	u, err := p.host.NewUser(or(r.Name, ""), r.Email, nil)
	if err != nil {
		return err
	}
	u.EmailVerified = true
	o.user, o.isNew = u, true
	err = p.host.CreateUser(ctx, tx, c, u, ID, "")
	if e := core.AsError(err); e != nil && e.Status < 500 && !errors.Is(err, core.ErrEmailTaken) {
		o.refused, o.because = e, true
	}
	return err
}

// refuse redirects to the error callback, else the callback, else the root.
func (p *Plugin) refuse(c *core.Call, in VerifyInput, e *core.Error, because bool) {
	pairs := []string{"error", e.Code}
	if because && e.Message != "" {
		pairs = append(pairs, "error_description", e.Message)
	}
	c.Redirect(p.host.ResolveQuery(or(in.ErrorCallbackURL, or(in.CallbackURL, "/")), pairs...))
}

// target is where a browser goes in the end, as an absolute URL.
func (p *Plugin) target(in VerifyInput, isNew bool) string {
	to := or(in.CallbackURL, "/")
	if isNew {
		to = or(in.NewUserCallbackURL, to)
	}
	if strings.HasPrefix(to, "/") {
		to = p.host.BaseURL() + to
	}
	return core.AddQuery(to)
}

// or is the text, or other if it is absent or empty.
func or(s *string, other string) string {
	if s == nil || *s == "" {
		return other
	}
	return *s
}

package twofactor

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// Endpoints at which a code is shown, with a session or a challenge.
var (
	VerifyTOTP       = core.NewRoute[CodeInput, Verified]("POST /two-factor/verify-totp", core.Public)
	SendOTP          = core.NewRoute[SendInput, core.Status]("POST /two-factor/send-otp", core.Public)
	VerifyOTP        = core.NewRoute[CodeInput, Verified]("POST /two-factor/verify-otp", core.Public)
	VerifyBackupCode = core.NewRoute[BackupCodeInput, Verified]("POST /two-factor/verify-backup-code", core.Public)
)

// CodeInput is the input of VerifyTOTP and VerifyOTP.
type CodeInput struct {
	Code        string `json:"code"`
	TrustDevice *bool  `json:"trustDevice"`
}

// SendInput is the input of SendOTP.
type SendInput struct {
	TrustDevice *bool    `json:"trustDevice"`
	_           struct{} `input:"body"`
}

// BackupCodeInput is the input of VerifyBackupCode.
type BackupCodeInput struct {
	Code           string `json:"code"`
	DisableSession *bool  `json:"disableSession"`
	TrustDevice    *bool  `json:"trustDevice"`
}

// Verified is the answer to a right code.
type Verified struct {
	// Token is the session's; nil without one.
	Token *string    `json:"token,omitempty"`
	User  *core.User `json:"user"`
	// URL is where the sign-in that the challenge belongs to wanted to go.
	URL *string `json:"url,omitempty"`
}

// errUsed is a right code that somebody else has used a moment before.
var errUsed = errors.New("twofactor: the code was used in parallel")

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

func isTrue(b *bool) bool { return b != nil && *b }

func parseFirstProof(value string) (firstProof, error) {
	var f firstProof
	if err := json.Unmarshal([]byte(value), &f); err != nil || len(f.Methods) == 0 {
		return f, errors.New("twofactor: a challenge does not say how it began")
	}
	return f, nil
}

func (p *Plugin) verifyTOTP(ctx context.Context, c *core.Call, in CodeInput) (Verified, error) {
	if p.o.TOTP.Disable {
		return Verified{}, errTOTPOff
	}
	who, err := p.subject(ctx, c)
	if err != nil {
		return Verified{}, err
	}
	f, err := factorOf(ctx, p.host.DB(), who.user.ID)
	if err != nil {
		return Verified{}, err
	}
	if f == nil || who.session == nil && !f.verified() {
		return Verified{}, ErrTOTPNotEnabled
	}
	g, err := p.begin(ctx, c, who, f, true)
	if err != nil {
		return Verified{}, err
	}
	key, err := p.openSecret(f)
	if err != nil {
		return Verified{}, g.undo(ctx, err)
	}
	step, ok, err := p.totp.match(key, in.Code, c.Now())
	switch {
	case err != nil:
		return Verified{}, g.undo(ctx, err)
	case !ok:
		return Verified{}, g.wrong(ctx, ErrInvalidCode)
	}
	out, err := p.accept(ctx, c, g, "otp", isTrue(in.TrustDevice), func(ctx context.Context, tx *core.Tx) error {
		yes := true
		n, err := factors.Update(ctx, tx, append(clearFailures(), colStep.Set(&step), colVerified.Set(&yes)),
			colID.Eq(f.ID), colSecret.Eq(f.Secret), core.AnyOf(colStep.Null(), colStep.Lt(&step)))
		if err == nil && n == 0 {
			return errUsed
		}
		return err
	})
	if errors.Is(err, errUsed) {
		return Verified{}, g.wrong(ctx, ErrInvalidCode)
	}
	if err != nil {
		return Verified{}, g.undo(ctx, err)
	}
	if who.session != nil {
		out.User = who.user // as it was before, to the letter of the wire
	}
	return out, nil
}

// accept takes a right code and gives what it is worth, all in one transaction: the
// session of a sign-in, or the raised session of who switches two-factor on with it.
// Backup codes switch nothing on.
func (p *Plugin) accept(ctx context.Context, c *core.Call, g *guess, method string, trust bool, take func(context.Context, *core.Tx) error) (out Verified, err error) {
	err = p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		// Before the challenge, in the order of a reset, which takes all of the user's.
		if err := p.host.LockUser(ctx, tx, g.who.user.ID); err != nil {
			return err
		}
		if err := take(ctx, tx); err != nil {
			return err
		}
		if g.who.session == nil {
			out, err = p.signIn(ctx, tx, c, g, method, trust)
			return err
		}
		if err := p.host.Settle(ctx, tx, g.right()); err != nil {
			return err
		}
		s, u := g.who.session, g.who.user
		if !isEnabled(u) && method != byBackupCode { // a code on paper proves no device
			if s, u, err = p.switchOn(ctx, tx, c, s, method); err != nil {
				return err
			}
		}
		out = Verified{Token: &s.Token, User: u}
		return nil
	})
	return out, err
}

// signIn ends a challenge with a session. It goes through the gate, which runs every
// other rule; demand lets it pass, for its level is 2.
func (p *Plugin) signIn(ctx context.Context, tx *core.Tx, c *core.Call, g *guess, method string, trust bool) (Verified, error) {
	who := g.who
	row, found, err := p.host.TakeVerification(ctx, tx, who.key)
	if err != nil {
		return Verified{}, err
	}
	if !found || row.Value != who.user.ID {
		c.Expire(p.challengeCookie)
		return Verified{}, ErrInvalidCookie
	}
	err = p.host.Record(ctx, &core.Event{Type: eventPassed, UserID: who.user.ID, Call: c, Tx: tx, Detail: map[string]string{"method": method}})
	if err != nil {
		return Verified{}, err
	}
	right := g.right()
	with := append(right.With, p.host.DropVerificationStatement(attemptsPrefix+who.key), p.host.DropVerificationStatement(proofPrefix+who.key))
	s, err := p.host.SignIn(ctx, tx, &core.SignIn{Call: c, User: who.user, Methods: core.MergeMethods(who.first.Methods, method, "mfa"),
		AAL: 2, Forget: who.first.Forget, Callback: who.first.Callback, With: with, Attempts: right.Attempts})
	if err != nil {
		return Verified{}, err
	}
	c.Expire(p.challengeCookie)
	if s == nil { // another plugin demands yet more
		return Verified{}, nil
	}
	out := Verified{Token: &s.Token, User: who.user}
	if to := who.first.Callback; to != "" && c.Trusted(to) {
		out.URL = &to
	}
	if !trust {
		return out, nil
	}
	st, err := p.trust(c, who.user.ID)
	if err != nil {
		return Verified{}, err
	}
	c.Expire(p.forgetCookie)
	_, err = tx.Exec(ctx, st.SQL, st.Args...)
	return out, err
}

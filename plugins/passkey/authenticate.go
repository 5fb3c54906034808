package passkey

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// maxCredentialID is the longest id in base64url: 1023 bytes (WebAuthn Level 3, section 4).
const maxCredentialID = 1364

func (p *Plugin) authenticateOptions(ctx context.Context, c *core.Call, _ core.None) (RequestOptions, error) {
	var none RequestOptions
	s, u, err := c.LoadSession(ctx)
	if err != nil {
		return none, err
	}
	ch := challenge{Type: "authentication"}
	o := RequestOptions{RPID: p.o.RPID, Timeout: timeout, UserVerification: p.o.UserVerification, Extensions: p.o.Authentication.Extensions}
	if s != nil {
		ch.User.ID = u.ID
		list, err := p.list(ctx, u.ID)
		if err != nil {
			return none, err
		}
		o.Allow = describe(list)
	}
	if err := p.begin(ctx, c, &ch, p.o.UserVerification); err != nil {
		return none, err
	}
	o.Challenge = ch.Expected
	return o, nil
}

func (p *Plugin) verifyAuthentication(ctx context.Context, c *core.Call, in VerifyAuthenticationInput) (core.SessionAnswer, error) {
	var none core.SessionAnswer
	ch, err := p.pending(ctx, c, "authentication")
	if err != nil {
		return none, err
	}
	k, u, err := p.find(ctx, in)
	if err != nil {
		return none, err
	}
	if u == nil {
		return none, p.refuse(ctx, ch, errUnknownCredential)
	}
	c.Concerns(u)
	// By address too: an id is no secret, and must not be enough to lock its owner out.
	try, err := p.host.Attempts("passkey").Limit(10, time.Minute, 5*time.Minute).Reserve(ctx, k.ID+"|"+c.ClientIP())
	if err != nil {
		return none, err
	}
	a, err := p.check(in, ch, &k)
	if err != nil {
		return none, p.failed(ctx, c, ch, try, &k, a, err)
	}
	s, err := p.finish(ctx, c, ch, try, &k, u, a)
	switch {
	case err == errCounter: // a parallel use, or the passkey is gone
		return none, p.failed(ctx, c, ch, try, &k, a, err)
	case err != nil:
		try.Release(ctx)
		return none, err
	}
	return core.SessionAnswer{Session: s, User: u}, nil
}

// find reads the passkey that an answer names, and its user; nil if there is none.
func (p *Plugin) find(ctx context.Context, in VerifyAuthenticationInput) (k Passkey, u *core.User, err error) {
	var id string
	if json.Unmarshal(in.Response["id"], &id) != nil || id == "" || len(id) > maxCredentialID {
		return k, nil, nil
	}
	k, found, err := passkeys.Get(ctx, p.host.DB(), colCredentialID.Eq(id))
	if err != nil || !found {
		return k, nil, err
	}
	u, err = p.host.UserByID(ctx, p.host.DB(), k.UserID)
	return k, u, err
}

var errCounter = errors.New("the counter did not grow")

func (p *Plugin) check(in VerifyAuthenticationInput, ch challenge, k *Passkey) (asserted, error) {
	raw, err := json.Marshal(in.Response)
	if err != nil {
		return asserted{}, err
	}
	a, err := p.verifier.authenticate(raw, k, ch.expect(p.o.UserVerification))
	if err == nil && !grows(k.Counter, a.counter) {
		err = errCounter
	}
	return a, err
}

// finish uses the challenge up, moves the counter and asks for the session, in one
// transaction.
func (p *Plugin) finish(ctx context.Context, c *core.Call, ch challenge, try core.Attempt, k *Passkey, u *core.User, a asserted) (s *core.Session, err error) {
	in := a.signIn(c, u)
	in.Attempts = []core.Attempt{try}
	err = p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		// Before the passkey, in the order of a deletion, a reset and a first proof, which take
		// all of the user's: where there are bans, the gate locks the user, too.
		if err := p.host.LockUser(ctx, tx, u.ID); err != nil {
			return err
		}
		if err := p.take(ctx, tx, ch); err != nil {
			return err
		}
		guard := colCounter.Lt(a.counter)
		if a.counter == 0 {
			guard = colCounter.Eq(0)
		}
		n, err := passkeys.Update(ctx, tx, []core.Set{colCounter.Set(a.counter)}, colID.Eq(k.ID), colUserID.Eq(u.ID), guard)
		if err != nil {
			return err
		}
		if n == 0 {
			return errCounter
		}
		s, err = p.host.SignIn(ctx, tx, in)
		return err
	})
	return s, err
}

// failed settles an answer that proved nothing: the challenge is used up, the failure
// counted, a counter that did not grow reported.
func (p *Plugin) failed(ctx context.Context, c *core.Call, ch challenge, try core.Attempt, k *Passkey, a asserted, why error) error {
	if err := p.refuse(ctx, ch, nil); err != nil {
		try.Release(ctx)
		return err
	}
	if err := try.Fail(ctx); err != nil {
		return err
	}
	if why == errSignature && grows(k.Counter, a.counter) {
		return errBadSignature.Because(why)
	}
	if why == errCounter {
		now, found, err := passkeys.Get(ctx, p.host.DB(), colID.Eq(k.ID))
		if err != nil {
			return err
		}
		if !found { // deleted in between
			return errUnknownCredential
		}
		c.Log().Warn("a passkey's counter did not grow: there may be a copy of it", slog.String("passkey", k.ID),
			slog.String("user", k.UserID), slog.Int("stored", now.Counter), slog.Int("sent", a.counter))
		if err := p.host.Record(ctx, &core.Event{Type: eventRegression, UserID: k.UserID, Reason: string(core.ClassPasskeyFailed), Call: c, Detail: map[string]string{"passkey": k.ID}}); err != nil {
			return err
		}
	}
	return ErrAuthenticationFailed.Because(why)
}

// absent tells why no row was changed.
func (p *Plugin) absent(ctx context.Context, q storage.Conn, id string, foreign error) error {
	_, found, err := passkeys.Get(ctx, q, colID.Eq(id))
	switch {
	case err != nil:
		return err
	case found:
		return foreign
	}
	return ErrNotFound
}

// signIn is what the gate is told: the kind of key, and two factors where the user was
// verified by it (RFC 8176; NIST SP 800-63B, section 3.1.7).
func (f flags) signIn(c *core.Call, u *core.User) *core.SignIn {
	in := &core.SignIn{Call: c, User: u, Methods: []string{"hwk", "user"}, AAL: 1}
	if f.deviceType == "multiDevice" { // the key leaves its device
		in.Methods[0] = "swk"
	}
	if f.verified {
		in.AAL = 2
	}
	return in
}

package passkey

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// handles are made of these characters.
const handleAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789"

// session is the caller's, for whom passkeys are registered; nil where a new user signs
// up, which only an open plugin allows.
func (p *Plugin) session(ctx context.Context, c *core.Call) (*core.User, error) {
	s, u, err := c.LoadSession(ctx)
	if err != nil || s == nil {
		return nil, err
	}
	if !c.Fresh() {
		return nil, core.ErrSessionNotFresh
	}
	return u, nil
}

func (p *Plugin) registerOptions(ctx context.Context, c *core.Call, in RegisterOptionsInput) (CreationOptions, error) {
	var none CreationOptions
	u, err := p.session(ctx, c)
	if err != nil {
		return none, err
	}
	var who Candidate
	var have []Passkey
	if u != nil {
		name := u.Email
		if name == "" {
			name = u.ID
		}
		who = Candidate{u.ID, name, name}
		if have, err = p.list(ctx, u.ID); err != nil {
			return none, err
		}
		if len(have) >= maxPasskeys {
			return none, ErrTooMany
		}
	} else if who, err = p.o.Registration.ResolveUser(ctx, c, deref(in.Context)); err != nil {
		return none, err
	} else if who.ID == "" || who.Name == "" {
		return none, ErrResolvedUserInvalid
	}
	handle, err := p.host.RandomString(handleAlphabet, 32)
	if err != nil {
		return none, err
	}
	ch := challenge{Type: "registration", User: challengeUser{who.ID, &who.Name, present(who.DisplayName)}}
	if ch.Context, err = json.Marshal(in.Context); err != nil {
		return none, err
	}
	if err := p.begin(ctx, c, &ch, p.o.Selection.UserVerification); err != nil {
		return none, err
	}
	o := CreationOptions{Challenge: ch.Expected, RP: relyingParty{p.o.RPName, p.o.RPID}, Timeout: timeout, Attestation: p.o.Attestation,
		User:    userEntity{base64.RawURLEncoding.EncodeToString([]byte(handle)), who.Name, who.DisplayName},
		Exclude: describe(have), Extensions: map[string]any{}, Hints: []string{},
		Selection: selectionCriteria{p.o.Selection.ResidentKey, p.o.Selection.UserVerification, p.o.Selection.Attachment, p.o.Selection.ResidentKey == "required"}}
	for _, a := range algorithms {
		o.Params = append(o.Params, parameter{a.Algorithm, string(a.Type)})
	}
	maps.Copy(o.Extensions, p.o.Registration.Extensions)
	o.Extensions["credProps"] = true
	if in.Attachment != nil {
		o.Selection.Attachment = *in.Attachment
	}
	if name := deref(in.Name); name != "" {
		o.User.Name = name
	}
	if o.User.DisplayName == "" {
		o.User.DisplayName = who.Name
	}
	return o, nil
}

func (p *Plugin) verifyRegistration(ctx context.Context, c *core.Call, in VerifyRegistrationInput) (RegistrationAnswer, error) {
	var none RegistrationAnswer
	u, err := p.session(ctx, c)
	if err != nil {
		return none, err
	}
	ch, err := p.pending(ctx, c, "registration")
	if err != nil {
		return none, err
	}
	if u != nil && ch.User.ID != u.ID {
		return none, p.refuse(ctx, ch, ErrNotAllowed)
	}
	r, err := p.verifier.register(in.Response, ch.expect(p.o.Selection.UserVerification))
	if err != nil {
		return none, p.refuse(ctx, ch, ErrRegistrationFailed.Because(err))
	}
	out, err := p.store(ctx, c, in, ch, u, r)
	if errors.Is(err, ErrTooMany) {
		return none, p.refuse(ctx, ch, err)
	}
	if storage.IsUnique(err, "passkey", "credentialID") {
		return none, p.refuse(ctx, ch, ErrPreviouslyRegistered.Because(err))
	}
	return out, err
}

// store writes the passkey, with its user where they are new, and makes the session if
// one is wanted.
func (p *Plugin) store(ctx context.Context, c *core.Call, in VerifyRegistrationInput, ch challenge, u *core.User, r registered) (out RegistrationAnswer, err error) {
	isNew := u == nil
	if isNew {
		if u, err = p.newUser(ctx, c, ch); err != nil {
			return out, err
		}
	}
	now := c.Now()
	k := Passkey{Name: present(deref(in.Name)), PublicKey: r.publicKey, CredentialID: r.id, Counter: r.counter,
		DeviceType: r.deviceType, BackedUp: r.backedUp, Transports: &r.transports, CreatedAt: &now, AAGUID: &r.aaguid}
	return out, p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		if err := p.take(ctx, tx, ch); err != nil {
			return err
		}
		if isNew {
			if err := p.host.CreateUser(ctx, tx, c, u, ID, ""); err != nil {
				return err
			}
		} else if err := p.roomFor(ctx, tx, c, u); err != nil {
			return err
		}
		k.UserID = u.ID
		if k.ID, err = p.host.NewID(ctx, "passkey"); err != nil {
			return err
		}
		if err := passkeys.Insert(ctx, tx, &k); err != nil {
			return err
		}
		out.Answer = k.answer()
		err := p.host.Record(ctx, &core.Event{Type: eventRegistered, UserID: u.ID, Call: c, Tx: tx, Detail: map[string]string{"passkey": k.ID}})
		if err != nil || in.CreateSession == nil || !*in.CreateSession {
			return err
		}
		out.User = u
		out.Session, err = p.host.SignIn(ctx, tx, r.signIn(c, u))
		return err
	})
}

// roomFor holds the session, and with it the user's row: of registrations that began while
// there was room for one, each counts what the one before has stored.
func (p *Plugin) roomFor(ctx context.Context, tx *core.Tx, c *core.Call, u *core.User) error {
	if err := c.HoldSession(ctx, tx); err != nil {
		return err
	}
	n, err := passkeys.Count(ctx, tx, colUserID.Eq(u.ID))
	if err == nil && n >= maxPasskeys {
		err = ErrTooMany
	}
	return err
}

// newUser asks the app for the user who signs up. It is stored anew, so that no account
// that exists can get a passkey without its session.
func (p *Plugin) newUser(ctx context.Context, c *core.Call, ch challenge) (*core.User, error) {
	if !p.open() {
		return nil, core.ErrUnauthorized
	}
	var about *string
	if json.Unmarshal(ch.Context, &about) != nil {
		return nil, ErrChallengeNotFound
	}
	u, err := p.o.Registration.NewUser(ctx, c, Candidate{ch.User.ID, deref(ch.User.Name), deref(ch.User.DisplayName)}, deref(about))
	if err == nil && u == nil {
		err = ErrResolvedUserInvalid
	}
	return u, err
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// present is nil for an empty text.
func present(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

package v1

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// Tokens are what a client without cookies keeps.
type Tokens struct {
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken"`
}

// RefreshInput is the input of Refresh.
type RefreshInput struct {
	RefreshToken *string  `json:"refreshToken" input:"nullable"`
	_            struct{} `input:"body"`
}

// access mints the access token of a session.
func (p *Plugin) access(ctx context.Context, s *core.Session, u *core.User) (string, error) {
	return p.minter.Mint(ctx, contract.AccessToken{Subject: u.ID, SessionID: s.ID, Claims: map[string]any{
		"email": u.Email, "role": text(u, p.o.RoleField, "user"), "tier": text(u, p.o.TierField, "public")}})
}

// text is an added field of a user that holds a text.
func text(u *core.User, field, def string) string {
	if s, _ := u.Extra[field].(string); s != "" {
		return s
	}
	return def
}

// maxFamilies is how many refresh tokens one session may have: every app that asks with
// the session's cookie gets one. Beyond it the one that was used least recently goes.
const maxFamilies = 20

// grant gives a session its tokens.
func (p *Plugin) grant(ctx context.Context, s *core.Session, u *core.User) (t Tokens, err error) {
	if t.AccessToken, err = p.access(ctx, s, u); err != nil {
		return Tokens{}, err
	}
	name, err := p.host.RandomString(core.Alphanumeric, familyLength)
	if err != nil {
		return Tokens{}, err
	}
	var random [32]byte
	if _, err := io.ReadFull(p.host.Random(), random[:]); err != nil {
		return Tokens{}, err
	}
	secret, now := base64.RawURLEncoding.EncodeToString(random[:]), p.host.Now()
	row := family{ID: hash(name), SessionID: s.ID, UserID: u.ID, Current: hash(secret), Recent: []byte("[]"), UsedAt: now, CreatedAt: now}
	have, err := families.List(ctx, p.host.DB(), core.ListOptions{Order: []core.Order{familyUsed.Desc()}}, familySession.Eq(s.ID))
	if err != nil {
		return Tokens{}, err
	}
	if err := families.Insert(ctx, p.host.DB(), &row); err != nil {
		return Tokens{}, err
	}
	t.RefreshToken = name + "." + secret
	return t, p.drop(ctx, have[min(len(have), maxFamilies-1):])
}

// drop deletes families, each in a statement of its own that holds nothing else. The end of a
// session locks the session and then its families: a statement that has deleted a family and
// then waits for the session, as an insert does, would wait for who waits for it.
func (p *Plugin) drop(ctx context.Context, old []family) error {
	for _, f := range old {
		if _, err := families.Delete(ctx, p.host.DB(), familyID.Eq(f.ID)); err != nil {
			return err
		}
	}
	return nil
}

func (p *Plugin) sessionToToken(ctx context.Context, c *core.Call, _ core.None) (Tokens, error) {
	c.SetHeader("Cache-Control", "no-store")
	s, u := c.Session()
	return p.grant(ctx, s, u)
}

func (p *Plugin) refresh(ctx context.Context, c *core.Call, in RefreshInput) (Tokens, error) {
	c.SetHeader("Cache-Control", "no-store")
	if in.RefreshToken == nil || *in.RefreshToken == "" {
		s, u, err := c.ConfirmSession(ctx)
		if err != nil {
			return Tokens{}, err
		}
		if s == nil {
			return Tokens{}, ErrSessionOver
		}
		return p.grant(ctx, s, u)
	}
	name, secret, ok := split(*in.RefreshToken)
	if !ok {
		return Tokens{}, ErrSessionOver
	}
	f, found, err := families.Get(ctx, p.host.DB(), familyID.Eq(hash(name)))
	if err != nil {
		return Tokens{}, err
	}
	if !found {
		return Tokens{}, ErrSessionOver
	}
	if v, _ := f.judge(secret, c.Now(), p.grace()); v == reused {
		return Tokens{}, p.reuse(ctx, c, &f)
	}
	// The session that the token stands for, instead of one that a cookie may present.
	(&core.AuthenticateEvent{Call: c}).UseSessionID(f.SessionID)
	s, u, err := c.ConfirmSession(ctx)
	if err != nil {
		return Tokens{}, err
	}
	if s == nil {
		return Tokens{}, ErrSessionOver
	}
	if err := p.host.CheckBan(u); err != nil {
		return Tokens{}, err
	}
	// Before the rotation: a token that cannot be answered must not be used up.
	var t Tokens
	if t.AccessToken, err = p.access(ctx, s, u); err != nil {
		return Tokens{}, err
	}
	next, err := p.rotate(ctx, c, &f, secret)
	if err != nil {
		return Tokens{}, err
	}
	t.RefreshToken = name + "." + next
	return t, nil
}

// rotate gives the current secret of a family for one that is, or was until a moment ago.
// Of N parallel calls one makes it, and all get it.
func (p *Plugin) rotate(ctx context.Context, c *core.Call, f *family, secret string) (string, error) {
	for range 3 {
		v, salts := f.judge(secret, c.Now(), p.grace())
		switch v {
		case recent:
			for _, salt := range salts {
				secret = p.successor(secret, salt)
			}
			if hash(secret) == f.Current {
				return secret, nil
			}
			return "", ErrSessionOver // the server's secret was changed in between
		case reused:
			return "", p.reuse(ctx, c, f)
		}
		salt, err := p.host.RandomString(core.Alphanumeric, 32)
		if err != nil {
			return "", err
		}
		next := p.successor(secret, salt)
		n, err := families.Update(ctx, p.host.DB(), []core.Set{familyCurrent.Set(hash(next)), familyRecent.Set(f.after(salt, c.Now(), p.grace())),
			familyUsed.Set(c.Now())}, familyID.Eq(f.ID), familyCurrent.Eq(f.Current))
		if err != nil || n == 1 {
			return next, err
		}
		var found bool
		if *f, found, err = families.Get(ctx, p.host.DB(), familyID.Eq(f.ID)); err != nil {
			return "", err
		}
		if !found {
			return "", ErrSessionOver
		}
	}
	return "", core.ErrConflict
}

// successor is the secret that follows another one. It takes the earlier one and the
// server's secret to compute it, so that the same answer can be given twice although
// neither is stored.
func (p *Plugin) successor(secret, salt string) string {
	return base64.RawURLEncoding.EncodeToString(p.host.MAC("v1-refresh", []byte(secret), []byte(salt)))
}

// reuse ends the session of a refresh token that was used long after its successor was
// given out: two people have it, and nobody can tell which of them is right.
func (p *Plugin) reuse(ctx context.Context, c *core.Call, f *family) error {
	err := p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		if _, err := p.host.RevokeSession(ctx, tx, f.SessionID); err != nil {
			return err
		}
		return p.host.Record(ctx, &core.Event{Type: eventReuse, UserID: f.UserID, Call: c, Tx: tx, Detail: map[string]string{"session": f.SessionID}})
	})
	if err != nil {
		return err
	}
	c.Log().Warn("a refresh token was used a second time: its session was ended", slog.String("user", f.UserID))
	return ErrSessionOver
}

// ValidateInput is the input of Validate.
type ValidateInput struct {
	Token string `json:"token"`
}

// Validation is the answer of Validate.
type Validation struct {
	Valid   bool           `json:"valid"`
	Payload map[string]any `json:"payload,omitempty"`
}

func (p *Plugin) validate(ctx context.Context, _ *core.Call, in ValidateInput) (Validation, error) {
	t, ok, err := p.minter.Verify(ctx, in.Token)
	if err != nil || !ok {
		return Validation{}, err
	}
	s, _, err := p.host.SessionByID(ctx, p.host.DB(), t.SessionID)
	if err != nil || s == nil {
		return Validation{}, err
	}
	return Validation{true, t.Claims}, nil
}

// withTokens adds the tokens to the answer of a sign-in. Without them it is none: the
// session ends. A challenge passes as it is.
func (p *Plugin) withTokens(ctx context.Context, c *core.Call, res core.Response) (core.Response, error) {
	s := c.Issued()
	if s == nil || len(res.Body) < 2 || res.Body[len(res.Body)-1] != '}' {
		return res, nil
	}
	c.SetHeader("Cache-Control", "no-store")
	_, u := c.Session()
	t, err := p.grant(ctx, s, u)
	if err != nil {
		_, more := p.host.RevokeSession(context.WithoutCancel(ctx), nil, s.ID)
		return res, errors.Join(err, more)
	}
	body := append(res.Body[:len(res.Body)-1:len(res.Body)-1], ',')
	if len(res.Body) == 2 {
		body = body[:1]
	}
	res.Body = append(body, encode(t)[1:]...)
	return res, nil
}

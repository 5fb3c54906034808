package jwt

import (
	"context"

	"github.com/sallyport-auth/sallyport/core"
)

var (
	// Token answers with a token for the caller's session.
	Token = core.NewRoute[core.None, TokenAnswer]("GET /token", core.CachedSession)
	// JWKS lists the public keys. Options.JWKSPath moves it; then this value is not served.
	JWKS = core.NewRoute[core.None, KeySet]("GET /jwks", core.Public)
)

// TokenAnswer is the answer of Token.
type TokenAnswer struct {
	Token string `json:"token"`
}

// KeySet is a JWK set (RFC 7517, section 5).
type KeySet struct {
	Keys []PublicKey `json:"keys"`
}

// PublicKey is a public JWK.
type PublicKey struct {
	Alg string `json:"alg"`
	Crv string `json:"crv,omitempty"`
	Kty string `json:"kty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
	Kid string `json:"kid"`
}

func (p *Plugin) token(ctx context.Context, c *core.Call, _ core.None) (TokenAnswer, error) {
	s, u := c.Session()
	c.SetHeader("Cache-Control", "no-store")
	token, err := p.issue(ctx, c, &core.SessionAnswer{Session: s, User: u})
	return TokenAnswer{token}, err
}

// issue makes a session's token.
func (p *Plugin) issue(ctx context.Context, c *core.Call, a *core.SessionAnswer) (string, error) {
	s, err := p.ready(ctx)
	if err != nil {
		return "", err
	}
	claims, err := p.claims(ctx, a, c.Now())
	if err != nil {
		return "", err
	}
	return s.sign(claims)
}

// ready is signer with the error that clients get.
func (p *Plugin) ready(ctx context.Context) (*signer, error) {
	s, err := p.signer(ctx)
	if e, ok := err.(*keyError); ok {
		return nil, ErrKeyUnusable.Because(e)
	}
	return s, err
}

// keySet lists the keys that sign or did so within the grace period. A row that is no key
// of its algorithm is left out: it verifies nothing.
func (p *Plugin) keySet(ctx context.Context, _ *core.Call, _ core.None) (KeySet, error) {
	now := p.host.Now()
	out := KeySet{Keys: []PublicKey{}}
	order := core.ListOptions{Order: []core.Order{colCreated.Asc(), colID.Asc()}}
	rows, err := keys.List(ctx, p.host.DB(), order, p.expiresAfter(now.Add(-p.grace())))
	if err == nil && len(rows) == 0 {
		var row *Key
		if row, err = p.current(ctx, now); err == nil {
			rows = []Key{*row}
		}
	}
	if err != nil {
		return out, err
	}
	for i := range rows {
		row := &rows[i]
		alg := row.alg(p.o.Algorithm)
		k, err := parseJWK([]byte(row.PublicKey))
		if err != nil || !k.fits(alg) {
			p.once(row.ID, func() { p.host.Log().Error("the public key of a row cannot be used", "kid", row.ID, "alg", alg) })
			continue
		}
		out.Keys = append(out.Keys, PublicKey{Alg: alg, Crv: k.Crv, Kty: k.Kty, X: k.X.String(), Y: k.Y.String(),
			N: k.N.String(), E: k.E.String(), Kid: row.ID})
	}
	return out, nil
}

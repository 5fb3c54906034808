package jwt

import (
	"context"
	"crypto"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// minter is contract.TokenMinter. Its tokens have a claim sid, which those of /token and
// set-auth-jwt never have, so that these are no access tokens.
type minter struct{ p *Plugin }

var _ contract.TokenMinter = minter{}

// Mint implements contract.TokenMinter.
func (m minter) Mint(ctx context.Context, t contract.AccessToken) (string, error) {
	s, err := m.p.ready(ctx)
	if err != nil {
		return "", err
	}
	iat := m.p.host.Now().Unix()
	b := strconv.AppendInt([]byte(`{"iat":`), iat, 10)
	for _, name := range slices.Sorted(maps.Keys(t.Claims)) {
		if isRegistered(name) {
			continue
		}
		if b, err = appendMember(b, name, t.Claims[name]); err != nil {
			return "", err
		}
	}
	for _, c := range [][2]string{{"sid", t.SessionID}, {"sub", t.Subject}} {
		if b, err = appendMember(b, c[0], c[1]); err != nil {
			return "", err
		}
	}
	b = strconv.AppendInt(append(b, `,"exp":`...), iat+int64(m.p.o.ExpirationTime), 10)
	return s.sign(append(b, m.p.tail...))
}

// maxToken is the longest token that is looked at, in bytes.
const maxToken = 8 << 10

// Verify implements contract.TokenMinter. The algorithm is the key's, never the token's
// own word, and iss, aud, exp, sub and sid must be there (RFC 8725, sections 3.1 and 3.8).
func (m minter) Verify(ctx context.Context, token string) (t contract.AccessToken, ok bool, err error) {
	if len(token) > maxToken || strings.Count(token, ".") != 2 { // CVE-2025-30204
		return t, false, nil
	}
	claims := jwt.MapClaims{}
	parser := jwt.NewParser(jwt.WithValidMethods(algorithms), jwt.WithIssuer(m.p.o.Issuer), jwt.WithAudience(m.p.o.Audience[0]),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(m.p.host.Now), jwt.WithStrictDecoding())
	var unavailable error
	_, err = parser.ParseWithClaims(token, claims, func(parsed *jwt.Token) (any, error) {
		kid, isText := parsed.Header["kid"].(string)
		if _, critical := parsed.Header["crit"]; critical || !isText { // RFC 7515, section 4.1.11
			return nil, jwt.ErrTokenUnverifiable
		}
		var k *publicKey
		if k, unavailable = m.p.known(ctx, kid); unavailable != nil || k == nil || k.alg != parsed.Method.Alg() {
			return nil, jwt.ErrTokenUnverifiable
		}
		return k.key, nil
	})
	if unavailable != nil {
		return t, false, unavailable
	}
	sub, _ := claims["sub"].(string)
	sid, _ := claims["sid"].(string)
	exp, _ := claims.GetExpirationTime() //nolint:errcheck // nil where it is none
	if err != nil || sub == "" || sid == "" || exp == nil {
		return t, false, nil
	}
	return contract.AccessToken{Subject: sub, SessionID: sid, Claims: claims, ExpiresAt: exp.UTC()}, true, nil
}

// publicKey is a key that verifies, with the one algorithm that it is for.
type publicKey struct {
	alg string
	key crypto.PublicKey
}

// keyRing are the keys that verify, as the database had them.
type keyRing struct {
	keys  map[string]*publicKey
	until time.Time
}

// known finds the key that verifies, nil if there is none. One that is not in memory may
// have been made by another replica a moment ago: the database is asked.
func (p *Plugin) known(ctx context.Context, kid string) (*publicKey, error) {
	now := p.host.Now()
	if r := p.ring.Load(); r != nil && now.Before(r.until) && r.keys[kid] != nil {
		return r.keys[kid], nil
	}
	rows, err := keys.List(ctx, p.host.DB(), core.ListOptions{}, p.expiresAfter(now.Add(-p.grace())))
	if err != nil {
		return nil, err
	}
	r := &keyRing{keys: make(map[string]*publicKey, len(rows)), until: now.Add(keyMemory)}
	for i := range rows {
		alg := rows[i].alg(p.o.Algorithm)
		if k, err := parseJWK([]byte(rows[i].PublicKey)); err == nil && k.fits(alg) {
			r.keys[rows[i].ID] = &publicKey{alg, k.verifier(alg)}
		}
	}
	p.ring.Store(r)
	return r.keys[kid], nil
}

package jwt

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sallyport-auth/sallyport/core"
)

const (
	// keyMemory is how long a decrypted key is used before its row is looked at again.
	keyMemory = 60 * time.Second
	// lockName is held by who makes or rotates keys.
	lockName = "jwt-keys"
)

// cachedKey is the key that signs, or why it cannot.
type cachedKey struct {
	row    Key
	signer *signer
	err    error
	until  time.Time
}

// signer signs with one key.
type signer struct {
	method jwt.SigningMethod
	key    crypto.Signer
	header string // in base64url, with the dot
}

// sign makes the token of some claims.
func (s *signer) sign(claims []byte) (string, error) {
	b := make([]byte, 0, len(s.header)+base64.RawURLEncoding.EncodedLen(len(claims))+512)
	b = base64.RawURLEncoding.AppendEncode(append(b, s.header...), claims)
	sig, err := s.method.Sign(string(b), s.key)
	if err != nil {
		return "", err
	}
	return string(base64.RawURLEncoding.AppendEncode(append(b, '.'), sig)), nil
}

// keyError is a key that is there and cannot be used. It holds no part of the key.
type keyError struct {
	kid   string
	cause error
}

func (e *keyError) Error() string { return fmt.Sprintf("jwt: key %s: %v", e.kid, e.cause) }
func (e *keyError) Unwrap() error { return e.cause }

// signer returns the key that signs. The first use of all makes it.
func (p *Plugin) signer(ctx context.Context) (*signer, error) {
	now := p.host.Now()
	if c := p.cached.Load(); c != nil && now.Before(c.until) {
		return c.signer, c.err
	}
	select { // one at a time: the others find the result
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	old := p.cached.Load()
	if old != nil && now.Before(old.until) {
		return old.signer, old.err
	}
	row, err := p.current(ctx, now)
	if err != nil {
		return nil, err
	}
	c := &cachedKey{row: *row, until: now.Add(keyMemory)}
	if row.ExpiresAt != nil && row.ExpiresAt.Before(c.until) {
		c.until = *row.ExpiresAt
	}
	if old != nil && old.row.ID == row.ID && old.row.PrivateKey == row.PrivateKey && old.row.PublicKey == row.PublicKey {
		c.signer, c.err = old.signer, old.err
	} else {
		c.signer, c.err = p.open(row)
	}
	p.cached.Store(c)
	return c.signer, c.err
}

// current reads the row of the key that signs, and makes one if there is none: once,
// however many replicas ask.
func (p *Plugin) current(ctx context.Context, now time.Time) (*Key, error) {
	row, err := p.pick(ctx, now)
	if row != nil || err != nil {
		return row, err
	}
	err = p.host.Lock(ctx, lockName, func(ctx context.Context) error {
		if row, err = p.pick(ctx, now); row != nil || err != nil {
			return err
		}
		if row, err = p.newKey(); err != nil {
			return err
		}
		return p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
			if row.ID, err = p.host.NewID(ctx, keys.Name()); err != nil {
				return err
			}
			return p.host.Record(ctx, &core.Event{Type: eventCreated, Tx: tx, Detail: map[string]string{"kid": row.ID}}, keys.InsertStatement(row))
		})
	})
	if err != nil {
		return nil, err
	}
	return row, nil
}

func (p *Plugin) pick(ctx context.Context, now time.Time) (*Key, error) {
	rows, err := keys.List(ctx, p.host.DB(), core.ListOptions{}, p.expiresAfter(now))
	return pick(rows, p.o.Algorithm, now), err
}

// expiresAfter is the condition that a key signs at, or still signed after, a time.
func (p *Plugin) expiresAfter(t time.Time) core.Cond {
	return core.AnyOf(colExpires.Null(), colExpires.Gt(&t))
}

// newKey makes a row that is not stored yet and has no id.
func (p *Plugin) newKey() (*Key, error) {
	k, err := generate(p.host.Random(), p.o.Algorithm, p.o.ModulusLength)
	if err != nil {
		return nil, err
	}
	public, err := json.Marshal(k.public())
	if err != nil {
		return nil, err
	}
	private, err := p.wrap(k)
	if err != nil {
		return nil, err
	}
	row := &Key{PublicKey: string(public), PrivateKey: private, CreatedAt: p.host.Now(), Alg: &p.o.Algorithm}
	if k.Crv != "" {
		row.Crv = &k.Crv
	}
	if p.o.RotationInterval > 0 {
		end := row.CreatedAt.Add(time.Duration(p.o.RotationInterval) * time.Second)
		row.ExpiresAt = &end
	}
	return row, nil
}

// wrap gives the form in which a private key is stored.
func (p *Plugin) wrap(k *jwk) (string, error) {
	text, err := json.Marshal(k)
	if err != nil || p.o.DisablePrivateKeyEncryption {
		return string(text), err
	}
	sealed, err := p.host.Encrypt(text)
	if err != nil {
		return "", err
	}
	text, err = json.Marshal(sealed)
	return string(text), err
}

// unwrap reads a private key in either form.
func (p *Plugin) unwrap(stored string) (*jwk, error) {
	if len(stored) == 0 || stored[0] != '"' {
		return parseJWK([]byte(stored))
	}
	var sealed string
	if err := json.Unmarshal([]byte(stored), &sealed); err != nil {
		return nil, errKeyForm
	}
	text, err := p.host.Decrypt(sealed)
	if err != nil {
		return nil, err
	}
	return parseJWK(text)
}

// open makes a row's key ready to sign.
func (p *Plugin) open(row *Key) (*signer, error) {
	alg := row.alg(p.o.Algorithm)
	public, err := parseJWK([]byte(row.PublicKey))
	if err != nil {
		return nil, &keyError{row.ID, err}
	}
	private, err := p.unwrap(row.PrivateKey)
	if err != nil {
		return nil, &keyError{row.ID, err}
	}
	if !private.samePublic(public) {
		return nil, &keyError{row.ID, errKeyPair}
	}
	s := &signer{method: jwt.GetSigningMethod(alg)}
	if s.key, err = private.signer(alg); err != nil {
		return nil, &keyError{row.ID, err}
	}
	header, err := appendJSON(nil, struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
	}{alg, row.ID})
	s.header = base64.RawURLEncoding.EncodeToString(header) + "."
	return s, err
}

// rotate makes a new key; those that sign now end, and stay known for the grace period.
func (p *Plugin) rotate(ctx context.Context) (*Key, error) {
	row, err := p.newKey()
	if err != nil {
		return nil, err
	}
	err = p.host.Lock(ctx, lockName, func(ctx context.Context) error {
		now := p.host.Now()
		row.CreatedAt = now
		return p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
			if row.ID, err = p.host.NewID(ctx, keys.Name()); err != nil {
				return err
			}
			return p.host.Record(ctx, &core.Event{Type: eventRotated, Actor: core.Operator, Tx: tx, Detail: map[string]string{"kid": row.ID}},
				keys.UpdateStatement([]core.Set{colExpires.Set(&now)}, p.expiresAfter(now), colID.Ne(row.ID)),
				keys.InsertStatement(row))
		})
	})
	return row, err
}

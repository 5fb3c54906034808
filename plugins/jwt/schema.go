package jwt

import (
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// Key is a row of the table jwks.
type Key struct {
	ID string `db:"id" schema:"key"` // the kid
	// PublicKey is the public JWK as JSON, without kid, alg and use.
	PublicKey string `db:"publicKey"`
	// PrivateKey is a JSON string around the encrypted private JWK, or the JWK itself where
	// encryption is switched off.
	PrivateKey string     `db:"privateKey" schema:"hidden"`
	CreatedAt  time.Time  `db:"createdAt"`
	ExpiresAt  *time.Time `db:"expiresAt"` // the key signs until then; nil for ever
	Alg        *string    `db:"alg"`       // nil: the configured one
	Crv        *string    `db:"crv"`
}

var (
	keys = core.TableOf[Key]("jwks")

	colID      = core.Column(keys, func(k *Key) *string { return &k.ID })
	colPrivate = core.Column(keys, func(k *Key) *string { return &k.PrivateKey })
	colCreated = core.Column(keys, func(k *Key) *time.Time { return &k.CreatedAt })
	colExpires = core.Column(keys, func(k *Key) **time.Time { return &k.ExpiresAt })
)

// live tells whether the key may sign.
func (k *Key) live(now time.Time) bool { return k.ExpiresAt == nil || k.ExpiresAt.After(now) }

// alg is the key's algorithm; rows of early versions have none.
func (k *Key) alg(configured string) string {
	if k.Alg == nil {
		return configured
	}
	return *k.Alg
}

// pick chooses the key that signs: the newest live one of the algorithm, else the newest
// live one of any; nil if there is none.
func pick(rows []Key, alg string, now time.Time) *Key {
	var best *Key
	for i := range rows {
		k := &rows[i]
		if !k.live(now) {
			continue
		}
		if best == nil {
			best = k
			continue
		}
		ours, theirs := k.alg(alg) == alg, best.alg(alg) == alg
		newer := k.CreatedAt.After(best.CreatedAt) || k.CreatedAt.Equal(best.CreatedAt) && k.ID > best.ID
		if ours && !theirs || ours == theirs && newer {
			best = k
		}
	}
	return best
}

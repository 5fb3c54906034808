package jwt

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
)

// algorithms are those that keys may have.
var algorithms = []string{"EdDSA", "ES256", "ES512", "RS256", "PS256"}

const (
	minModulus = 2048 // bits, RFC 7518 section 3.3
	maxModulus = 8192 // bits: verifying a longer key would be a load of its own
)

// jwk is a JSON Web Key (RFC 7517, RFC 8037), public or private.
type jwk struct {
	Kty string `json:"kty"`
	Crv string `json:"crv,omitempty"`
	X   b64    `json:"x,omitempty"`
	Y   b64    `json:"y,omitempty"`
	N   b64    `json:"n,omitempty"`
	E   b64    `json:"e,omitempty"`
	D   b64    `json:"d,omitempty"`
	P   b64    `json:"p,omitempty"`
	Q   b64    `json:"q,omitempty"`
	DP  b64    `json:"dp,omitempty"`
	DQ  b64    `json:"dq,omitempty"`
	QI  b64    `json:"qi,omitempty"`
}

// b64 is base64url without padding.
type b64 []byte

// MarshalText implements encoding.TextMarshaler.
func (b b64) MarshalText() ([]byte, error) { return base64.RawURLEncoding.AppendEncode(nil, b), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *b64) UnmarshalText(text []byte) (err error) {
	*b, err = base64.RawURLEncoding.Strict().AppendDecode(nil, text)
	return err
}

// public leaves nothing but the public members.
func (k *jwk) public() jwk { return jwk{Kty: k.Kty, Crv: k.Crv, X: k.X, Y: k.Y, N: k.N, E: k.E} }

func (k *jwk) samePublic(o *jwk) bool {
	return k.Kty == o.Kty && k.Crv == o.Crv && bytes.Equal(k.X, o.X) && bytes.Equal(k.Y, o.Y) &&
		bytes.Equal(k.N, o.N) && bytes.Equal(k.E, o.E)
}

var (
	errKeyForm = errors.New("jwt: the key does not have the form of its algorithm")
	errKeyPair = errors.New("jwt: the private key does not belong to the public key")
)

// parseJWK reads a key without judging it. The error does not quote the text.
func parseJWK(text []byte) (*jwk, error) {
	var k jwk
	if len(text) > 1<<16 || json.Unmarshal(text, &k) != nil {
		return nil, errKeyForm
	}
	return &k, nil
}

// fits tells whether a public key is one of an algorithm, no less.
func (k *jwk) fits(alg string) bool {
	switch alg {
	case "EdDSA":
		return k.Kty == "OKP" && k.Crv == "Ed25519" && len(k.X) == ed25519.PublicKeySize
	case "ES256", "ES512":
		c := curve(alg)
		n := (c.Params().BitSize + 7) / 8
		if k.Kty != "EC" || k.Crv != c.Params().Name || len(k.X) != n || len(k.Y) != n {
			return false
		}
		_, err := ecdsa.ParseUncompressedPublicKey(c, k.point())
		return err == nil
	case "RS256", "PS256":
		n := new(big.Int).SetBytes(k.N).BitLen()
		return k.Kty == "RSA" && n >= minModulus && n <= maxModulus && len(k.E) > 0 && len(k.E) <= 4
	}
	return false
}

// point is the public point, uncompressed (SEC 1, section 2.3.3).
func (k *jwk) point() []byte { return slices.Concat([]byte{4}, k.X, k.Y) }

func curve(alg string) elliptic.Curve {
	if alg == "ES256" {
		return elliptic.P256()
	}
	return elliptic.P521()
}

// signer makes the key that signs. Public and private parts must belong together.
func (k *jwk) signer(alg string) (crypto.Signer, error) {
	if !k.fits(alg) {
		return nil, errKeyForm
	}
	switch alg {
	case "EdDSA":
		if len(k.D) != ed25519.SeedSize {
			return nil, errKeyForm
		}
		s := ed25519.NewKeyFromSeed(k.D)
		if !bytes.Equal(s.Public().(ed25519.PublicKey), k.X) {
			return nil, errKeyPair
		}
		return s, nil
	case "ES256", "ES512":
		s, err := ecdsa.ParseRawPrivateKey(curve(alg), k.D)
		if err != nil {
			return nil, errKeyForm
		}
		if p, err := s.PublicKey.Bytes(); err != nil || !bytes.Equal(p, k.point()) {
			return nil, errKeyPair
		}
		return s, nil
	}
	s := &rsa.PrivateKey{D: number(k.D), Primes: []*big.Int{number(k.P), number(k.Q)}}
	s.N, s.E = number(k.N), int(number(k.E).Int64())
	// Validate also says whether the parts belong together.
	if len(k.P) == 0 || len(k.Q) == 0 || s.Validate() != nil {
		return nil, errKeyPair
	}
	s.Precompute()
	return s, nil
}

// verifier is the public key, of a JWK that fits its algorithm.
func (k *jwk) verifier(alg string) crypto.PublicKey {
	switch alg {
	case "EdDSA":
		return ed25519.PublicKey(k.X)
	case "ES256", "ES512":
		p, err := ecdsa.ParseUncompressedPublicKey(curve(alg), k.point())
		if err != nil {
			return nil
		}
		return p
	}
	return &rsa.PublicKey{N: number(k.N), E: int(number(k.E).Int64())}
}

func number(b b64) *big.Int { return new(big.Int).SetBytes(b) }

// generate makes a key pair. bits is for RSA.
func generate(random io.Reader, alg string, bits int) (*jwk, error) {
	switch alg {
	case "EdDSA":
		pub, priv, err := ed25519.GenerateKey(random)
		if err != nil {
			return nil, err
		}
		return &jwk{Kty: "OKP", Crv: "Ed25519", X: b64(pub), D: priv.Seed()}, nil
	case "ES256", "ES512":
		s, err := ecdsa.GenerateKey(curve(alg), random)
		if err != nil {
			return nil, err
		}
		p, err := s.PublicKey.Bytes()
		if err != nil {
			return nil, err
		}
		d, err := s.Bytes()
		n := len(p) / 2
		return &jwk{Kty: "EC", Crv: curve(alg).Params().Name, X: p[1 : 1+n], Y: p[1+n:], D: d}, err
	case "RS256", "PS256":
		s, err := rsa.GenerateKey(random, bits)
		if err != nil {
			return nil, err
		}
		c := s.Precomputed
		return &jwk{Kty: "RSA", N: s.N.Bytes(), E: big.NewInt(int64(s.E)).Bytes(), D: s.D.Bytes(), P: s.Primes[0].Bytes(),
			Q: s.Primes[1].Bytes(), DP: c.Dp.Bytes(), DQ: c.Dq.Bytes(), QI: c.Qinv.Bytes()}, nil
	}
	return nil, fmt.Errorf("jwt: no algorithm %q", alg)
}

// String is the text of a member.
func (b b64) String() string { return base64.RawURLEncoding.EncodeToString(b) }

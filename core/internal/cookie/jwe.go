package cookie

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport-auth/sallyport/core/internal/token"
)

const (
	// saltSession makes the key of session_data: Better Auth has a key for each kind of content.
	saltSession = "better-auth-session"

	jweInfo = "BetterAuth.js Generated Encryption Key"
	// jweLeeway is how long after exp, and before nbf, a token still counts.
	jweLeeway = 15 * time.Second
)

// EncodeJWE returns the encrypted form of the session cache under the secret; rand gives
// the jti. The initialisation vector is the one thing that does not come from rand:
// go-jose takes it from crypto/rand.
func EncodeJWE(rand io.Reader, secret []byte, p CachePayload, now time.Time, maxAge time.Duration) (string, error) {
	payload, err := p.encode()
	if err != nil {
		return "", err
	}
	return sealClaims(rand, secret, saltSession, payload, now, maxAge)
}

// DecodeJWE decrypts what EncodeJWE or Better Auth wrote, with 15 s of clock tolerance,
// and returns the content with ExpiresAt from exp.
func DecodeJWE(secrets [][]byte, raw string, now time.Time) (CachePayload, bool) {
	c, ok := openClaims(secrets, saltSession, raw, now)
	if !ok {
		return CachePayload{}, false
	}
	p, ok := decodePayload(c.body)
	p.ExpiresAt = c.exp * 1000
	return p, ok
}

// sealClaims encrypts a JSON object with iat, exp and jti added: compact JWE, alg dir,
// enc A256CBC-HS512, kid the RFC 7638 thumbprint of the derived key.
func sealClaims(rand io.Reader, secret []byte, salt string, claims json.RawMessage, now time.Time, maxAge time.Duration) (string, error) {
	if len(secret) == 0 {
		return "", errors.New("cookie: empty secret")
	}
	body, err := object(claims)
	if err != nil {
		return "", err
	}
	clash := false
	members(body, func(name, _ []byte) {
		switch string(name) {
		case "iat", "exp", "jti":
			clash = true
		}
	})
	if clash {
		return "", errors.New("cookie: claims hold iat, exp or jti already")
	}
	jti, err := token.UUIDv4(rand)
	if err != nil {
		return "", err
	}
	key, kid, err := jweKey(secret, salt)
	if err != nil {
		return "", err
	}
	e, err := jose.NewEncrypter(jose.A256CBC_HS512, jose.Recipient{Algorithm: jose.DIRECT, Key: key, KeyID: kid}, nil)
	if err != nil {
		return "", err
	}
	iat := now.Unix()
	obj, err := e.Encrypt(withClaims(body, iat, iat+int64(maxAge/time.Second), jti))
	if err != nil {
		return "", err
	}
	return obj.CompactSerialize()
}

// openClaims decrypts what sealClaims or Better Auth wrote under any of the secrets; the
// body is in JavaScript's canonical JSON, dates with three decimals. A kid picks its
// secret and an unknown one fails; without kid each secret is tried. exp is required,
// with 15 s of tolerance.
func openClaims(secrets [][]byte, salt, raw string, now time.Time) (jwtClaims, bool) {
	if len(raw) > maxValue {
		return jwtClaims{}, false
	}
	raw = unquote(raw)
	if strings.Count(raw, ".") != 4 || !isBase64Text(raw) {
		return jwtClaims{}, false
	}
	kid, hasKid, ok := jweHeader(raw)
	if !ok {
		return jwtClaims{}, false
	}
	// Better Auth's list of algorithms has A256GCM too, but its keys always have 64
	// bytes, which that algorithm cannot use.
	obj, err := jose.ParseEncryptedCompact(raw, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256CBC_HS512})
	if err != nil {
		return jwtClaims{}, false
	}
	for _, s := range secrets {
		if len(s) == 0 {
			continue
		}
		key, id, err := jweKey(s, salt)
		if err != nil || (hasKid && id != kid) {
			continue
		}
		plain, err := obj.Decrypt(key)
		if err != nil {
			continue
		}
		var c jwtClaims
		if c.UnmarshalJSON(plain) != nil || !c.timely(now, jweLeeway) {
			return jwtClaims{}, false
		}
		return c, true
	}
	return jwtClaims{}, false
}

// timely compares in whole seconds, as jose does.
func (c *jwtClaims) timely(now time.Time, leeway time.Duration) bool {
	t, l := now.Unix(), int64(leeway/time.Second)
	return c.exp != 0 && c.exp > t-l && c.nbf <= t+l
}

// jweHeader reads the protected header. Compressed tokens (a small one may expand to
// much) and any critical extension are refused, as jose does; so is an encrypted key, which
// nothing authenticates and "dir" has none of (RFC 7516, section 5.2, step 10).
func jweHeader(raw string) (kid string, hasKid, ok bool) {
	seg, rest, _ := strings.Cut(raw, ".")
	if !strings.HasPrefix(rest, ".") {
		return "", false, false
	}
	b, err := base64.RawURLEncoding.DecodeString(seg)
	if err != nil {
		return "", false, false
	}
	if b, err = rewrite(b, false); err != nil {
		return "", false, false
	}
	ok = true
	is := members(b, func(name, v []byte) {
		switch string(name) {
		case "kid":
			kid, hasKid = text(v)
			ok = ok && hasKid
		case "zip", "crit":
			ok = false
		}
	})
	return kid, hasKid, is && ok
}

// jweKey derives the 64-byte key of a secret and its thumbprint (RFC 7638 section 3.2).
func jweKey(secret []byte, salt string) (key []byte, kid string, err error) {
	key, err = hkdf.Key(sha256.New, secret, []byte(salt), jweInfo, 64)
	if err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256([]byte(`{"k":"` + base64.RawURLEncoding.EncodeToString(key) + `","kty":"oct"}`))
	return key, base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

package cookie

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// jwtHeader is {"alg":"HS256"} in base64url: the only header that is written or read.
const jwtHeader = "eyJhbGciOiJIUzI1NiJ9"

// EncodeJWT returns the HS256 form of the session cache. The token expires maxAge after
// now, both cut to seconds; p.ExpiresAt is not used.
func EncodeJWT(key []byte, p CachePayload, now time.Time, maxAge time.Duration) (string, error) {
	if len(key) == 0 {
		return "", errors.New("cookie: empty signing key")
	}
	payload, err := p.encode()
	if err != nil {
		return "", err
	}
	iat := now.Unix()
	claims := withClaims(payload, iat, iat+int64(maxAge/time.Second), "")
	signing := jwtHeader + "." + base64.RawURLEncoding.EncodeToString(claims)
	sig, err := jwt.SigningMethodHS256.Sign(signing, key)
	if err != nil {
		return "", err
	}
	return signing + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}

// DecodeJWT checks the HS256 form under any of the keys, with no clock tolerance, and
// returns the content with ExpiresAt from exp. The algorithm is pinned, exp is required,
// and the content must be a session cache: no other token made with the same key counts.
func DecodeJWT(keys [][]byte, raw string, now time.Time) (CachePayload, bool) {
	if len(raw) > maxValue {
		return CachePayload{}, false
	}
	raw = unquote(raw)
	// Counted before the library splits it (CVE-2025-30204).
	if !strings.HasPrefix(raw, jwtHeader+".") || strings.Count(raw, ".") != 2 || !isBase64Text(raw) {
		return CachePayload{}, false
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"HS256"}),
		jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return now }))
	for _, k := range keys {
		if len(k) == 0 {
			continue
		}
		var c jwtClaims
		if _, err := parser.ParseWithClaims(raw, &c, func(*jwt.Token) (any, error) { return k, nil }); err != nil {
			continue
		}
		p, ok := decodePayload(c.body)
		p.ExpiresAt = c.exp * 1000
		return p, ok
	}
	return CachePayload{}, false
}

// withClaims appends iat, exp and, if not empty, jti to a canonical payload object.
func withClaims(payload []byte, iat, exp int64, jti string) []byte {
	b := make([]byte, 0, len(payload)+100)
	b = append(b, payload[:len(payload)-1]...)
	if len(payload) > 2 {
		b = append(b, ',')
	}
	b = strconv.AppendInt(append(b, `"iat":`...), iat, 10)
	b = strconv.AppendInt(append(b, `,"exp":`...), exp, 10)
	if jti != "" {
		b = append(append(append(b, `,"jti":"`...), jti...), '"')
	}
	return append(b, '}')
}

// jwtClaims keeps the canonical claims and the two times that are checked. Unlike
// encoding/json it tells exp from EXP and refuses what is there twice.
type jwtClaims struct {
	body     []byte
	exp, nbf int64 // seconds; 0 is absent
}

var _ jwt.Claims = (*jwtClaims)(nil)

func (c *jwtClaims) UnmarshalJSON(b []byte) error {
	body, err := rewrite(b, true)
	if err != nil {
		return err
	}
	ok := true
	is := members(body, func(name, v []byte) {
		var fine bool
		switch string(name) {
		case "exp":
			c.exp, fine = integer(v)
		case "nbf":
			c.nbf, fine = integer(v)
		default:
			return
		}
		ok = ok && fine
	})
	if !is || !ok {
		return errJSON
	}
	c.body = body
	return nil
}

func (c *jwtClaims) GetExpirationTime() (*jwt.NumericDate, error) { return numericDate(c.exp), nil }
func (c *jwtClaims) GetNotBefore() (*jwt.NumericDate, error)      { return numericDate(c.nbf), nil }
func (c *jwtClaims) GetIssuedAt() (*jwt.NumericDate, error)       { return nil, nil }
func (c *jwtClaims) GetIssuer() (string, error)                   { return "", nil }
func (c *jwtClaims) GetSubject() (string, error)                  { return "", nil }
func (c *jwtClaims) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }

func numericDate(sec int64) *jwt.NumericDate {
	if sec == 0 {
		return nil
	}
	return jwt.NewNumericDate(time.Unix(sec, 0))
}

// Package mailtoken signs and verifies the JWTs in e-mail links: address verification
// and the steps of a change of address. They are Better Auth's, HS256 under the
// deployment's secret, and may be opened on either server.
//
// A token is no proof of being used once: it stays valid until it expires. The effect
// it has must be the guarded write of the caller.
package mailtoken

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sallyport-auth/sallyport/core/internal/cookie"
)

// Request types. A token with UpdateTo and no request type is the legacy form of the
// change, which Better Auth still accepts.
const (
	ChangeEmailConfirmation = "change-email-confirmation" // to the old address, first step
	ChangeEmailVerification = "change-email-verification" // to the new address
)

var (
	// ErrExpired means that the token is genuine and its time has passed.
	ErrExpired = errors.New("mailtoken: the token has expired")
	// ErrInvalid means that the token is malformed, forged, or of another kind.
	ErrInvalid = errors.New("mailtoken: the token is invalid")
)

const (
	// maxToken is the longest token that is parsed, in bytes. Two addresses of 320
	// bytes and an id take about 1200.
	maxToken = 4096
	// header is {"alg":"HS256"} in base64url, the only one that is written or read.
	header = "eyJhbGciOiJIUzI1NiJ9"
)

// Claims is the content of a token.
type Claims struct {
	Email       string // the address that the user has, in lower case
	UpdateTo    string // the new address, in lower case; empty to verify Email
	RequestType string // empty to verify Email
	UserID      string
	IssuedAt    int64  // seconds since 1970
	ExpiresAt   int64  // seconds since 1970
	Binding     string // what the caller ties the token to; empty for nothing. Better Auth passes over it
}

// wire has the members in Better Auth's order; absent ones are left out.
type wire struct {
	Email       string `json:"email"`
	UpdateTo    string `json:"updateTo,omitempty"`
	RequestType string `json:"requestType,omitempty"`
	UserID      string `json:"userId,omitempty"`
	IssuedAt    int64  `json:"iat"`
	ExpiresAt   int64  `json:"exp"`
	Binding     string `json:"binding,omitempty"`
}

// Sign returns the token. Addresses are lower-cased. It fails without address, user,
// key, or a time of expiry after that of issue.
func Sign(key []byte, c Claims) (string, error) {
	if len(key) == 0 {
		return "", errors.New("mailtoken: empty key")
	}
	w := wire(c)
	w.Email, w.UpdateTo = strings.ToLower(w.Email), strings.ToLower(w.UpdateTo)
	if !w.readable() || w.UserID == "" || w.IssuedAt <= 0 || w.ExpiresAt <= w.IssuedAt {
		return "", errors.New("mailtoken: incomplete or contradictory claims")
	}
	body, err := cookie.MarshalJS(w)
	if err != nil {
		return "", err
	}
	signing := header + "." + base64.RawURLEncoding.EncodeToString(body)
	if len(signing)+44 > maxToken {
		return "", errors.New("mailtoken: claims are too long")
	}
	sig, err := jwt.SigningMethodHS256.Sign(signing, key)
	if err != nil {
		return "", err
	}
	return signing + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}

// Verify checks a token under any of the keys and returns its claims. The error is
// ErrExpired or ErrInvalid and comes without claims. There is no clock tolerance. A
// token that holds any claim beyond those of Claims is of another kind, such as a
// session cache made with the same key, and invalid.
func Verify(keys [][]byte, token string, now time.Time) (Claims, error) {
	// Capped and counted before the library splits it (CVE-2025-30204). Line ends are
	// what encoding/base64 skips.
	if len(token) > maxToken || !strings.HasPrefix(token, header+".") || strings.Count(token, ".") != 2 ||
		strings.ContainsAny(token, "\r\n") {
		return Claims{}, ErrInvalid
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"HS256"}),
		jwt.WithStrictDecoding(),
		// The signature is settled here and the time below, apart from each other, so
		// that "expired" is never said of a forged token (CVE-2024-51744).
		jwt.WithoutClaimsValidation())
	for _, k := range keys {
		if len(k) == 0 {
			continue
		}
		var c claims
		if _, err := parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return k, nil }); err != nil {
			continue
		}
		if !c.wire.readable() { // a body of null never reaches UnmarshalJSON
			return Claims{}, ErrInvalid
		}
		if c.wire.ExpiresAt <= now.Unix() {
			return Claims{}, ErrExpired
		}
		return Claims(c.wire), nil
	}
	return Claims{}, ErrInvalid
}

// readable is what a token must have at least. Better Auth's may lack the user or the time
// of issue, and then only verify an address; who changes one wants them.
func (w wire) readable() bool {
	if w.Email == "" || w.IssuedAt < 0 || w.ExpiresAt <= 0 {
		return false
	}
	switch w.RequestType {
	case "":
		return true
	case ChangeEmailConfirmation, ChangeEmailVerification:
		return w.UpdateTo != ""
	}
	return false
}

// claims decodes strictly: exact names, none twice, none unknown, all that is required.
type claims struct {
	jwt.RegisteredClaims `json:"-"` // for the interface; stays empty
	wire
}

func (c *claims) UnmarshalJSON(b []byte) error {
	// encoding/json folds case and takes duplicates: MarshalJS refuses the latter, and
	// the look at the names the former.
	b, err := cookie.MarshalJS(json.RawMessage(b))
	if err != nil {
		return ErrInvalid
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(b, &members) != nil {
		return ErrInvalid
	}
	for name, v := range members {
		switch name {
		case "email", "userId", "iat", "exp", "updateTo", "requestType", "binding":
			if string(v) == "null" {
				return ErrInvalid
			}
		default:
			return ErrInvalid
		}
	}
	if json.Unmarshal(b, &c.wire) != nil {
		return ErrInvalid
	}
	return nil
}

package twofactor

import (
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// skew is how many time steps a clock may be off, each way (RFC 6238, section 5.2).
const skew = 1

var noPadding = base32.StdEncoding.WithPadding(base32.NoPadding)

// imported marks a secret that came from another product: base32 of the key itself. A
// secret of ours, or of Better Auth's making, is a text whose bytes are the key.
const imported = "base32:"

var errSecret = errors.New("twofactor: a stored secret is not in a known form")

// secretKey gives the HMAC key of a decrypted secret.
func secretKey(plain []byte) ([]byte, error) {
	text, ok := strings.CutPrefix(string(plain), imported)
	if !ok {
		if len(plain) == 0 {
			return nil, errSecret
		}
		return plain, nil
	}
	text, _, _ = strings.Cut(strings.ToUpper(text), "=")
	key, err := noPadding.DecodeString(text)
	if err != nil || len(key) == 0 {
		return nil, errSecret
	}
	return key, nil
}

// digitsOnly tells whether a code is exactly n ASCII digits. Nothing is trimmed.
func digitsOnly(code string, n int) bool {
	if len(code) != n {
		return false
	}
	for i := range n {
		if code[i] < '0' || code[i] > '9' {
			return false
		}
	}
	return true
}

// totpParams are what an authenticator is told.
type totpParams struct {
	digits int
	period int // seconds
}

// at is the code of one time step.
func (o totpParams) at(key []byte, step int64) (string, error) {
	return hotp.GenerateCodeCustom(noPadding.EncodeToString(key), uint64(step),
		hotp.ValidateOpts{Digits: otp.Digits(o.digits), Algorithm: otp.AlgorithmSHA1})
}

// match finds the time step around now whose code this is. The latest one counts, so
// that what is remembered shuts out the most. All codes are compared, in constant time.
func (o totpParams) match(key []byte, code string, now time.Time) (step int64, ok bool, err error) {
	if !digitsOnly(code, o.digits) {
		return 0, false, nil
	}
	current := now.Unix() / int64(o.period)
	for s := current - skew; s <= current+skew; s++ {
		if s < 0 {
			continue
		}
		want, err := o.at(key, s)
		if err != nil {
			return 0, false, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok, nil
}

// uri is what the QR code says (Key URI Format), in Better Auth's order and escaping.
func (o totpParams) uri(key []byte, issuer, account string) string {
	return "otpauth://totp/" + escapeLabel(issuer) + ":" + escapeLabel(account) + "?secret=" + noPadding.EncodeToString(key) +
		"&issuer=" + escapeForm(issuer) + "&digits=" + strconv.Itoa(o.digits) + "&period=" + strconv.Itoa(o.period)
}

// escapeLabel is encodeURIComponent.
func escapeLabel(s string) string {
	return strings.NewReplacer("+", "%20", "%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*").Replace(url.QueryEscape(s))
}

// escapeForm is the serialiser of URLSearchParams.
func escapeForm(s string) string {
	return strings.NewReplacer("~", "%7E", "%2A", "*").Replace(url.QueryEscape(s))
}

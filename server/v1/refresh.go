package v1

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// A refresh token is "family.secret". Both parts are random, or as good as that, and the
// database holds their hashes: what is in a token cannot be read there, and what is there
// is no token.
const (
	familyLength = 24 // alphanumeric characters, 142 bits
	secretLength = 43 // base64url of 32 bytes
)

// split reads a token; ok is false for what has another form.
func split(token string) (family, secret string, ok bool) {
	family, secret, ok = strings.Cut(token, ".")
	return family, secret, ok && len(family) == familyLength && len(secret) == secretLength
}

func hash(part string) string {
	sum := sha256.Sum256([]byte(part))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// past is a secret that was rotated a moment ago.
type past struct {
	Hash string `json:"h"`
	Salt string `json:"s"` // what made its successor
	At   int64  `json:"t"` // milliseconds
}

// maxRecent bounds how many rotations of one grace period are kept.
const maxRecent = 16

type verdict uint8

const (
	current verdict = iota // to be rotated
	recent                 // rotated a moment ago: what followed it is current
	reused                 // long since rotated: somebody has copied it
)

// judge tells what the secret of a token is to its family, and the salts that lead from a
// recent one to the current. Whoever knows the family has had one of its tokens: a secret
// that is not known is an earlier one.
func (f *family) judge(secret string, now time.Time, grace time.Duration) (verdict, []string) {
	h := []byte(hash(secret))
	if subtle.ConstantTimeCompare(h, []byte(f.Current)) == 1 {
		return current, nil
	}
	var salts []string
	for _, p := range f.within(now, grace) {
		if len(salts) > 0 || subtle.ConstantTimeCompare(h, []byte(p.Hash)) == 1 {
			salts = append(salts, p.Salt)
		}
	}
	if len(salts) == 0 {
		return reused, nil
	}
	return recent, salts
}

// within are the secrets that were rotated within the grace period, oldest first.
func (f *family) within(now time.Time, grace time.Duration) []past {
	var list []past
	_ = json.Unmarshal(f.Recent, &list) // what somebody has spoiled is no recent secret
	for len(list) > 0 && now.Sub(time.UnixMilli(list[0].At)) > grace {
		list = list[1:]
	}
	return list
}

// after is the list with one more rotation.
func (f *family) after(salt string, now time.Time, grace time.Duration) json.RawMessage {
	list := append(f.within(now, grace), past{f.Current, salt, now.UnixMilli()})
	return encode(list[max(0, len(list)-maxRecent):])
}

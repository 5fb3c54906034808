// Package secret is the keyring: the secrets of a deployment, keys for a purpose, and
// encryption of values at rest.
//
// Two forms of ciphertext exist. Encrypt and Decrypt speak Better Auth's, which is
// needed wherever a database or a cookie is shared with it. Seal and Open are for
// columns of our own: they bind the value to a purpose and to whatever the caller names,
// so a value moved to another column or row does not open.
//
// No error of this package contains a secret, a plaintext or a ciphertext.
package secret

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// DefaultSecret is what Better Auth falls back to when nothing is configured. It is
// published, so it is never used, not even to read old values.
const DefaultSecret = "better-auth-secret-12345678901234567890"

// Entry is one secret of a rotation list.
type Entry struct {
	// Version is 0 or more and unique in its list; it is written into ciphertexts.
	Version int
	Value   string
	// DecryptOnly keeps the entry for reading values at rest: it neither verifies nor
	// signs cookies and tokens.
	DecryptOnly bool
}

// Keyring holds secrets, used as the UTF-8 bytes of their text. It does not change after
// it is made and serves any number of goroutines.
type Keyring struct {
	entries []Entry // none for a keyring without versions
	legacy  string  // the unversioned secret

	once    sync.Once
	signing [][]byte // what SigningKeys returns
}

// New makes a keyring. The first entry is the current one: it encrypts and signs, so it
// cannot be DecryptOnly. legacy, which may be empty, reads what was written before there
// were versions; DefaultSecret there counts as none. Without entries the keyring is
// Single(legacy).
func New(entries []Entry, legacy string) (*Keyring, error) {
	if legacy == DefaultSecret {
		legacy = ""
	}
	if len(entries) == 0 && legacy == "" {
		return nil, errors.New("secret: no secret is configured")
	}
	seen := make(map[int]bool, len(entries))
	for i, e := range entries {
		switch {
		case e.Version < 0:
			return nil, fmt.Errorf("secret: entry %d has a negative version", i+1)
		case seen[e.Version]:
			return nil, fmt.Errorf("secret: entry %d repeats version %d", i+1, e.Version)
		case e.Value == "":
			return nil, fmt.Errorf("secret: entry %d (version %d) is empty", i+1, e.Version)
		case e.Value == DefaultSecret:
			return nil, fmt.Errorf("secret: entry %d (version %d) is Better Auth's published default", i+1, e.Version)
		case i == 0 && e.DecryptOnly:
			return nil, fmt.Errorf("secret: the first entry (version %d) is the current one and cannot be decrypt-only", e.Version)
		}
		seen[e.Version] = true
	}
	return &Keyring{entries: append([]Entry(nil), entries...), legacy: legacy}, nil
}

// Single makes a keyring of one secret without versions, whose ciphertexts are bare hex.
// It panics on an empty one; see Weak for what else to check.
func Single(value string) *Keyring {
	if value == "" {
		panic("secret: empty secret")
	}
	return &Keyring{legacy: value}
}

// ParseEnv reads the value of BETTER_AUTH_SECRETS, "2:abc,1:def", current first: entries
// and values are trimmed, a value may hold colons but no comma. An empty text gives none.
func ParseEnv(betterAuthSecrets string) ([]Entry, error) {
	if betterAuthSecrets == "" {
		return nil, nil
	}
	var out []Entry
	for i, part := range strings.Split(betterAuthSecrets, ",") {
		version, value, ok := strings.Cut(strings.TrimSpace(part), ":")
		if !ok {
			return nil, fmt.Errorf("secret: entry %d of the list is not <version>:<secret>", i+1)
		}
		n, ok := parseVersion(version)
		if !ok {
			// The text is not quoted: a secret with a colon and no version may be there.
			return nil, fmt.Errorf("secret: entry %d of the list has no version of 0 or more", i+1)
		}
		if value = strings.TrimSpace(value); value == "" {
			return nil, fmt.Errorf("secret: entry %d of the list (version %d) is empty", i+1, n)
		}
		out = append(out, Entry{Version: n, Value: value})
	}
	return out, nil
}

// parseVersion takes canonical decimal below 2^31.
func parseVersion(s string) (int, bool) {
	n, err := strconv.ParseInt(s, 10, 32)
	return int(n), err == nil && n >= 0 && strconv.FormatInt(n, 10) == s
}

// Current returns the secret that signs and encrypts: the first of SigningKeys.
func (k *Keyring) Current() []byte { return k.SigningKeys()[0] }

// SigningKeys returns the secrets under which a cookie or token may be signed: the
// current one first, then the other listed ones that are not DecryptOnly, then legacy.
// What fits another than the first should be signed anew. The caller must not change
// them: they are the same at every call.
func (k *Keyring) SigningKeys() [][]byte {
	k.once.Do(func() {
		listed := false
		for _, e := range k.entries {
			listed = listed || e.Value == k.legacy
			if !e.DecryptOnly {
				k.signing = append(k.signing, []byte(e.Value))
			}
		}
		// A legacy secret that is listed too follows the list's word on DecryptOnly.
		if k.legacy != "" && !listed {
			k.signing = append(k.signing, []byte(k.legacy))
		}
	})
	return k.signing
}

// value returns the secret of a version.
func (k *Keyring) value(version int) (string, bool) {
	for _, e := range k.entries {
		if e.Version == version {
			return e.Value, true
		}
	}
	return "", false
}

// Weak says why a secret should not protect a deployment, or nil: under 32 characters,
// Better Auth's published default, or too little variety to have been drawn at random
// (under 120 bits by its distinct characters and length). The text is not in the error.
func Weak(s string) error {
	runes := []rune(s)
	distinct := make(map[rune]struct{})
	for _, r := range runes {
		distinct[r] = struct{}{}
	}
	switch {
	case s == DefaultSecret:
		return errors.New("this is Better Auth's published default")
	case len(runes) < 32:
		return fmt.Errorf("%d characters are fewer than 32", len(runes))
	case len(distinct) == 1:
		return errors.New("one character repeated")
	case bits(len(distinct), len(runes)) < 120 || periodic(runes):
		return errors.New("too little variety to have been drawn at random")
	}
	return nil
}

package password

import (
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// Better Auth's parameters; they are not written into the hash.
const (
	scryptN, scryptR, scryptP = 16384, 16, 1
	scryptSalt, scryptKey     = 32, 128 // hex digits
	// scryptMemory is 128*N*r for the table and 128*r*(p+2) for the blocks, 33.6 MB.
	scryptMemory = 128*scryptN*scryptR + 128*scryptR*(scryptP+2)
)

type scryptHasher struct{}

// Scrypt is Better Auth's hash, "<salt>:<key>": N=16384, r=16, p=1, 64 bytes, the salt's
// hex digits used as text. Nothing needs a rehash to it but other forms.
func Scrypt() Hasher { return scryptHasher{} }

func (scryptHasher) Hash(rand io.Reader, password string) (string, error) {
	if len(password) > MaxBytes {
		return "", ErrTooLong
	}
	salt, err := randomHex(rand, scryptSalt/2)
	if err != nil {
		return "", err
	}
	key, err := scryptText(salt, password)
	if err != nil {
		return "", err
	}
	return salt + ":" + key, nil
}

func (scryptHasher) Verify(hash, password string) (ok, known bool) {
	if !isScrypt(hash) {
		return false, false
	}
	if len(password) > MaxBytes {
		return false, true
	}
	salt, want, _ := strings.Cut(hash, ":")
	got, err := scryptText(salt, password)
	if err != nil {
		return false, false
	}
	return subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1, true
}

func (scryptHasher) NeedsRehash(hash string) bool { return !isScrypt(hash) }

func (scryptHasher) memory() int64 { return scryptMemory }

func (scryptHasher) dummy(rand io.Reader) (string, error) {
	s, err := randomHex(rand, (scryptSalt+scryptKey)/2)
	if err != nil {
		return "", err
	}
	return s[:scryptSalt] + ":" + s[scryptSalt:], nil
}

func isScrypt(hash string) bool {
	salt, key, ok := strings.Cut(hash, ":")
	return ok && isHex(salt, scryptSalt) && isHex(key, scryptKey)
}

func scryptText(salt, password string) (string, error) {
	key, err := scrypt.Key([]byte(nfkc(password)), []byte(salt), scryptN, scryptR, scryptP, scryptKey/2)
	return hex.EncodeToString(key), err
}

func randomBytes(rand io.Reader, n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(rand, b); err != nil {
		return nil, fmt.Errorf("password: reading randomness: %w", err)
	}
	return b, nil
}

func randomHex(rand io.Reader, n int) (string, error) {
	b, err := randomBytes(rand, n)
	return hex.EncodeToString(b), err
}

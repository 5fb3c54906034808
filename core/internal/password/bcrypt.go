package password

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	bcryptLen = 60
	// bcryptInput is what the algorithm takes in, in bytes; the rest would be ignored.
	bcryptInput = 72
	// bcryptMaxCost bounds a stored hash: 15 takes about two seconds.
	bcryptMaxCost = 15
)

var errVerifyOnly = errors.New("password: bcrypt hashes are verified, never made")

type bcryptHasher struct{}

// Bcrypt verifies $2a$, $2b$ and $2y$ hashes of cost 4 to 15 and makes none. Applications
// handed bcrypt the password normalised or as typed, so both count.
//
// A password over 72 bytes is refused: bcrypt sees only its beginning, and accepting that
// would let every longer text with the same beginning in. Who chose such a password while
// a library cut it silently sets a new one by the reset mail.
func Bcrypt() Hasher { return bcryptHasher{} }

func (bcryptHasher) Hash(io.Reader, string) (string, error) { return "", errVerifyOnly }

func (bcryptHasher) Verify(hash, password string) (ok, known bool) {
	if !isBcrypt(hash) {
		return false, false
	}
	if len(password) > MaxBytes {
		return false, true
	}
	for _, c := range candidates(password) {
		// A refused one is still computed, to take the same time.
		fits := len(c) <= bcryptInput
		err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(c[:min(len(c), bcryptInput)]))
		switch {
		case err == nil && fits:
			return true, true
		case err != nil && !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword):
			return false, false
		}
	}
	return false, true
}

// NeedsRehash is always true: no bcrypt hash is made here.
func (bcryptHasher) NeedsRehash(string) bool { return true }

func (bcryptHasher) memory() int64 { return 8 << 10 }

func isBcrypt(hash string) bool {
	if len(hash) != bcryptLen || hash[6] != '$' {
		return false
	}
	switch hash[:4] {
	case "$2a$", "$2b$", "$2y$":
	default:
		return false
	}
	cost, err := strconv.Atoi(hash[4:6])
	if err != nil || cost < bcrypt.MinCost || cost > bcryptMaxCost {
		return false
	}
	for _, c := range hash[7:] {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '/':
		default:
			return false
		}
	}
	return strings.IndexByte("0123456789", hash[4]) >= 0 // Atoi takes a sign
}

// Package password hashes and verifies passwords: Better Auth's scrypt, argon2id for new
// hashes, and bcrypt for those that were brought along. Pool bounds what a flood of
// sign-ins can take of processor and memory.
//
// Passwords are normalised by NFKC before they are hashed, as Better Auth does; nothing
// is trimmed. The scratch memory of scrypt and argon2id cannot be reused through
// golang.org/x/crypto: each hash allocates its own, so it is Pool's bound on how many run
// at once that limits the live memory, while garbage waits for the collector.
package password

import (
	"errors"
	"io"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// MaxBytes is the longest password that is hashed or verified, in bytes before
// normalising. What is longer is an error to hash and wrong to verify. Length limits for
// people are the caller's: see Length.
const MaxBytes = 4096

// ErrTooLong means that a password to be hashed is longer than MaxBytes.
var ErrTooLong = errors.New("password: longer than 4096 bytes")

// Hasher makes and checks one form of hash, or several. Use it through a Pool.
type Hasher interface {
	// Hash returns a new hash with a salt from rand. It fails if rand does, or with
	// ErrTooLong.
	Hash(rand io.Reader, password string) (string, error)
	// Verify compares in constant time. known is false if the hash is of no form that
	// this hasher reads, malformed, or beyond its cost limits: that is a fault of the
	// stored data and says nothing about the password.
	Verify(hash, password string) (ok, known bool)
	// NeedsRehash reports whether a hash that verified should be replaced by a new one.
	NeedsRehash(hash string) bool
}

// costed is what the hashers of this package tell a Pool besides.
type costed interface {
	// memory is the most that one Hash or Verify holds, in bytes.
	memory() int64
	// dummy returns a well-formed hash of no password at the cost of a new one, without
	// computing it.
	dummy(rand io.Reader) (string, error)
}

// Length counts UTF-16 code units before normalising, as JavaScript's length does and
// Better Auth's limits (8 to 128) mean it.
func Length(s string) int {
	n := 0
	for _, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}

// nfkc is the form that is hashed.
func nfkc(s string) string { return norm.NFKC.String(s) }

// candidates are the texts that a hash made elsewhere may be of: normalised first, since
// that is what Better Auth hands to a custom hash function, and as typed.
func candidates(s string) []string {
	if n := nfkc(s); n != s {
		return []string{n, s}
	}
	return []string{s}
}

// isHex reports whether s is n lower-case hex digits.
func isHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}

// Package token makes the random texts of the wire format: identifiers, session tokens,
// one-time codes. Every function takes its randomness from the reader it is given, draws
// each character without bias, and treats a failing reader as an error.
package token

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// Alphabets of Better Auth's generators. The order of characters carries no meaning.
const (
	Alphanumeric = Letters + Digits // ids, session and reset tokens
	Letters      = lower + upper    // magic links, API keys
	Digits       = "0123456789"     // one-time passwords

	lower = "abcdefghijklmnopqrstuvwxyz"
	upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// MaxLen is the longest text that Random makes, in characters.
const MaxLen = 1024

// Random returns n characters (1 to MaxLen), each drawn uniformly from the alphabet, which
// has 2 to 128 distinct ASCII characters.
func Random(rand io.Reader, alphabet string, n int) (string, error) {
	if n < 1 || n > MaxLen {
		return "", fmt.Errorf("token: length %d is not in 1..%d", n, MaxLen)
	}
	if err := check(alphabet); err != nil {
		return "", err
	}
	// Bytes are masked to the next power of two and redrawn when beyond the alphabet:
	// a remainder would favour its first characters. The mask keeps more than half.
	mask := byte(1<<bits.Len(uint(len(alphabet)-1)) - 1)
	out := make([]byte, 0, n)
	buf := make([]byte, n+n/2+8)
	// No honest source comes near this many rounds; a broken one that only repeats
	// unusable bytes must not hang the caller.
	for range 64 {
		if _, err := io.ReadFull(rand, buf); err != nil {
			return "", fmt.Errorf("token: reading randomness: %w", err)
		}
		for _, b := range buf {
			if i := int(b & mask); i < len(alphabet) {
				if out = append(out, alphabet[i]); len(out) == n {
					return string(out), nil
				}
			}
		}
	}
	return "", errors.New("token: the source of randomness gives unusable bytes only")
}

func check(alphabet string) error {
	var seen [128]bool
	for i := 0; i < len(alphabet); i++ {
		c := alphabet[i]
		if c >= 128 || seen[c] {
			return errors.New("token: the alphabet repeats a character or is not ASCII")
		}
		seen[c] = true
	}
	if len(alphabet) < 2 {
		return errors.New("token: the alphabet has fewer than two characters")
	}
	return nil
}

// ID returns the 32 alphanumeric characters of a row id or session token, 190 bits.
func ID(rand io.Reader) (string, error) { return Random(rand, Alphanumeric, 32) }

// UUIDv4 returns a random UUID (RFC 9562 section 5.4) in lower case.
func UUIDv4(rand io.Reader) (string, error) {
	var u [16]byte
	if _, err := io.ReadFull(rand, u[:]); err != nil {
		return "", fmt.Errorf("token: reading randomness: %w", err)
	}
	return uuid(u, 4), nil
}

// HashB64 returns the unpadded base64url SHA-256 of s, the form in which tokens are
// stored and looked up.
func HashB64(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func uuid(u [16]byte, version byte) string {
	u[6] = u[6]&0x0f | version<<4
	u[8] = u[8]&0x3f | 0x80
	var s [36]byte
	hex.Encode(s[:8], u[:4])
	hex.Encode(s[9:13], u[4:6])
	hex.Encode(s[14:18], u[6:8])
	hex.Encode(s[19:23], u[8:10])
	hex.Encode(s[24:], u[10:])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}

package secret

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// MaxPlain is the longest value that is encrypted, in bytes, and bounds what is
// decrypted.
const MaxPlain = 1 << 20

const (
	envelope = "$ba$"
	overhead = chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead
)

var (
	// ErrNoKey means that the keyring has no secret for a ciphertext's version.
	ErrNoKey = errors.New("secret: no key for this ciphertext")
	// ErrDecrypt means that a ciphertext is malformed, was altered, or was made with
	// another secret, purpose or additional data.
	ErrDecrypt = errors.New("secret: the ciphertext does not open")
	// ErrTooLong means that a value is longer than MaxPlain.
	ErrTooLong = errors.New("secret: the value is too long")
)

// Encrypt encrypts in Better Auth's symmetric form: XChaCha20-Poly1305 under the SHA-256
// of the secret, hex of nonce, ciphertext and tag; with versions "$ba$<version>$" before
// it. The form binds no purpose: a value is valid in any place of the same keyring.
func (k *Keyring) Encrypt(rand io.Reader, plain []byte) (string, error) {
	b, err := seal(rand, sha256.Sum256(k.Current()), plain, nil)
	if err != nil {
		return "", err
	}
	if len(k.entries) == 0 {
		return hex.EncodeToString(b), nil
	}
	return envelope + strconv.Itoa(k.entries[0].Version) + "$" + hex.EncodeToString(b), nil
}

// Decrypt reads Better Auth's symmetric form. With versions, an envelope opens with its
// version's secret alone and bare hex with the legacy secret alone; without, only bare
// hex can be read.
func (k *Keyring) Decrypt(s string) ([]byte, error) {
	if len(s) > 2*(MaxPlain+overhead)+len(envelope)+16 {
		return nil, ErrTooLong
	}
	secret := k.legacy
	if rest, ok := strings.CutPrefix(s, envelope); ok {
		v, body, ok := strings.Cut(rest, "$")
		version, fine := parseVersion(v)
		if !ok || !fine {
			return nil, ErrDecrypt
		}
		if secret, ok = k.value(version); !ok {
			return nil, ErrNoKey
		}
		s = body
	}
	if secret == "" {
		return nil, ErrNoKey
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		return nil, ErrDecrypt
	}
	return open(sha256.Sum256([]byte(secret)), b, nil)
}

// seal returns nonce, ciphertext and tag.
func seal(rand io.Reader, key [32]byte, plain, aad []byte) ([]byte, error) {
	if len(plain) > MaxPlain {
		return nil, ErrTooLong
	}
	c, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		return nil, err
	}
	b := make([]byte, chacha20poly1305.NonceSizeX, len(plain)+overhead)
	if _, err := io.ReadFull(rand, b); err != nil {
		return nil, fmt.Errorf("secret: reading randomness: %w", err)
	}
	return c.Seal(b, b, plain, aad), nil
}

func open(key [32]byte, b, aad []byte) ([]byte, error) {
	if len(b) < overhead {
		return nil, ErrDecrypt
	}
	c, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		return nil, err
	}
	plain, err := c.Open(nil, b[:chacha20poly1305.NonceSizeX], b[chacha20poly1305.NonceSizeX:], aad)
	if err != nil {
		return nil, ErrDecrypt
	}
	return plain, nil
}

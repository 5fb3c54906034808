package secret

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io"
	"strconv"
	"strings"
)

const (
	sealPrefix = "sp1."
	// unversioned stands for the version where a keyring has none.
	unversioned = "legacy"
)

// Seal encrypts a value for one purpose: XChaCha20-Poly1305 under a key that HKDF-SHA-256
// derives from the current secret and the purpose. Form, purpose, version and aad are
// authenticated; aad is the caller's binding, e.g. table, column and row id. The text is
// "sp1.<version>.<base64url of nonce, ciphertext, tag>".
func (k *Keyring) Seal(rand io.Reader, purpose string, plain, aad []byte) (string, error) {
	version := unversioned
	if len(k.entries) > 0 {
		version = strconv.Itoa(k.entries[0].Version)
	}
	b, err := seal(rand, derive(k.Current(), "seal", purpose), plain, sealAAD(purpose, version, aad))
	if err != nil {
		return "", err
	}
	return sealPrefix + version + "." + base64.RawURLEncoding.EncodeToString(b), nil
}

// Open decrypts what Seal made for the same purpose and aad, with the secret of its
// version. What was sealed before there were versions opens with the legacy secret.
func (k *Keyring) Open(purpose, s string, aad []byte) ([]byte, error) {
	if len(s) > base64.RawURLEncoding.EncodedLen(MaxPlain+overhead)+32 {
		return nil, ErrTooLong
	}
	rest, ok := strings.CutPrefix(s, sealPrefix)
	version, body, dot := strings.Cut(rest, ".")
	if !ok || !dot {
		return nil, ErrDecrypt
	}
	secret := k.legacy
	if version != unversioned {
		n, fine := parseVersion(version)
		if !fine {
			return nil, ErrDecrypt
		}
		if secret, ok = k.value(n); !ok {
			return nil, ErrNoKey
		}
	}
	if secret == "" {
		return nil, ErrNoKey
	}
	if strings.ContainsAny(body, "\r\n") { // which encoding/base64 skips
		return nil, ErrDecrypt
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil {
		return nil, ErrDecrypt
	}
	return open(derive([]byte(secret), "seal", purpose), b, sealAAD(purpose, version, aad))
}

// MAC returns the 32 bytes of HMAC-SHA-256 over the parts, each with its length, under a
// key that is derived from the current secret for the purpose.
func (k *Keyring) MAC(purpose string, parts ...[]byte) []byte {
	return mac(k.Current(), purpose, parts)
}

func mac(secret []byte, purpose string, parts [][]byte) []byte {
	key := derive(secret, "mac", purpose)
	h := hmac.New(sha256.New, key[:])
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write(p)
	}
	return h.Sum(nil)
}

// derive gives the key of a use ("seal" or "mac") and purpose. The salt keeps it apart
// from everything that Better Auth derives from the same secret.
func derive(secret []byte, use, purpose string) (key [32]byte) {
	b, err := hkdf.Key(sha256.New, secret, []byte("sallyport:keyring:v1"), use+":"+purpose, len(key))
	if err != nil { // only for lengths above 255 hashes
		panic("secret: " + err.Error())
	}
	copy(key[:], b)
	return key
}

// sealAAD joins what a sealed value is bound to, each part with its length.
func sealAAD(purpose, version string, aad []byte) []byte {
	b := []byte(sealPrefix)
	for _, p := range [][]byte{[]byte(purpose), []byte(version), aad} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(p)))
		b = append(b, p...)
	}
	return b
}

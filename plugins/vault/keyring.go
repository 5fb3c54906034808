package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/sallyport-auth/sallyport/core/contract"
)

const (
	keySize = 32 // bytes of a key-encryption key and of a master key
	ivSize  = 12 // bytes, NIST SP 800-38D section 8.2
	tagSize = 16 // bytes
)

// KEK is a key-encryption key of a keyring.
type KEK struct {
	// ID names the key in the rows that it wraps: letters, digits, "-", "_" and ".".
	ID string `yaml:"id"`
	// Key is 32 random bytes in base64 (openssl rand -base64 32).
	Key string `yaml:"key"`
}

// bareID is what a key without an id is called: the old system had one key, of this name.
const bareID = "env-v1"

// ParseKeys reads key-encryption keys from text, "id:base64" each, separated by commas or
// line ends, the active one first; white space around them is left out. A key without an
// id is "env-v1". Its errors hold no key.
func ParseKeys(text string) []KEK {
	var out []KEK
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		id, key, ok := strings.Cut(part, ":")
		if !ok {
			id, key = bareID, part
		}
		out = append(out, KEK{ID: id, Key: key})
	}
	return out
}

// Keyring is a contract.KeyProvider that holds its keys in memory and wraps with
// AES-256-GCM.
type Keyring struct {
	random io.Reader
	active string
	keys   map[string]cipher.AEAD
}

var keyIDForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// NewKeyring makes a keyring; the first key is the active one. It refuses an empty list,
// a name twice, and keys that are not 32 bytes or all the same byte. Its errors name entries
// by their place: where id and key have changed places, the id is the key. random nil is
// crypto/rand's.
func NewKeyring(random io.Reader, keks ...KEK) (*Keyring, error) {
	if random == nil {
		random = rand.Reader
	}
	if len(keks) == 0 {
		return nil, errors.New("no key-encryption key")
	}
	k := &Keyring{random: random, active: keks[0].ID, keys: map[string]cipher.AEAD{}}
	var faults []error
	for i, kek := range keks {
		fault := func(format string, args ...any) {
			faults = append(faults, fmt.Errorf("entry %d: "+format, append([]any{i + 1}, args...)...))
		}
		switch {
		case !keyIDForm.MatchString(kek.ID):
			fault("an id has letters, digits, '-', '_' and '.', 64 at most")
			continue
		case k.keys[kek.ID] != nil:
			fault("its id is given twice")
			continue
		}
		aead, err := openKey(kek.Key)
		if err != nil {
			fault("%w", err)
			continue
		}
		k.keys[kek.ID] = aead
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return k, nil
}

// openKey decodes a key and forgets it: the cipher has its schedule.
func openKey(text string) (cipher.AEAD, error) {
	raw, ok := decode(text)
	defer zero(raw)
	if !ok || len(raw) != keySize {
		// Not the decoder's error: it quotes the key.
		return nil, errors.New("want exactly 32 bytes in base64 (openssl rand -base64 32)")
	}
	same := byte(0)
	for _, b := range raw {
		same |= b ^ raw[0]
	}
	if same == 0 {
		return nil, errors.New("all bytes are the same: that is no random key")
	}
	return gcm(raw)
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Active implements contract.KeyProvider.
func (k *Keyring) Active() string { return k.active }

// Current implements contract.KeyProvider.
func (k *Keyring) Current(w contract.WrappedKey) bool { return w.KeyID == k.active }

// Wrap implements contract.KeyProvider.
func (k *Keyring) Wrap(_ context.Context, key, aad []byte) (contract.WrappedKey, error) {
	var iv [ivSize]byte
	if _, err := io.ReadFull(k.random, iv[:]); err != nil {
		return contract.WrappedKey{}, fmt.Errorf("making an iv: %w", err)
	}
	return contract.WrappedKey{KeyID: k.active, Ciphertext: base64.StdEncoding.EncodeToString(k.keys[k.active].Seal(nil, iv[:], key, aad)),
		IV: base64.StdEncoding.EncodeToString(iv[:])}, nil
}

// Unwrap implements contract.KeyProvider.
func (k *Keyring) Unwrap(_ context.Context, w contract.WrappedKey, aad []byte) ([]byte, error) {
	aead := k.keys[w.KeyID]
	if aead == nil {
		return nil, fmt.Errorf("%w: %q", contract.ErrUnknownKey, w.KeyID)
	}
	iv, ok := decode(w.IV)
	text, also := decode(w.Ciphertext)
	if !ok || !also || len(iv) != ivSize {
		return nil, contract.ErrWrapRejected
	}
	key, err := aead.Open(nil, iv, text, aad)
	if err != nil {
		return nil, contract.ErrWrapRejected
	}
	return key, nil
}

// providers tries several: new wraps are the first one's, old ones whoever's key it is.
type providers []contract.KeyProvider

func (p providers) Active() string { return p[0].Active() }

func (p providers) Current(w contract.WrappedKey) bool { return p[0].Current(w) }

func (p providers) Wrap(ctx context.Context, key, aad []byte) (contract.WrappedKey, error) {
	return p[0].Wrap(ctx, key, aad)
}

func (p providers) Unwrap(ctx context.Context, w contract.WrappedKey, aad []byte) ([]byte, error) {
	for _, one := range p {
		key, err := one.Unwrap(ctx, w, aad)
		if !errors.Is(err, contract.ErrUnknownKey) {
			return key, err
		}
	}
	return nil, fmt.Errorf("%w: %q", contract.ErrUnknownKey, w.KeyID)
}

// zero overwrites a key that is of no more use. What the runtime has copied elsewhere
// (a text in an answer) it cannot reach.
func zero(b []byte) { clear(b) }

package contract

import (
	"context"
	"errors"
)

// Errors of a KeyProvider.
var (
	ErrUnknownKey   = errors.New("no such key-encryption key")
	ErrWrapRejected = errors.New("the wrapped key does not open: other key, other owner, or altered")
)

// WrappedKey is a key encrypted under a key-encryption key.
type WrappedKey struct {
	// KeyID names the key-encryption key.
	KeyID string
	// Ciphertext and IV are text as they are stored; IV is empty where Ciphertext holds it.
	Ciphertext, IV string
}

// KeyProvider holds key-encryption keys: a keyring in memory, or a KMS that never gives
// them out. It is safe for use by many goroutines. Its calls may wait for a network: they
// are never made inside a transaction.
type KeyProvider interface {
	// Active names the key that Wrap uses.
	Active() string
	// Wrap encrypts a key under the active one. aad is bound to the result: Unwrap with
	// other data fails.
	Wrap(ctx context.Context, key, aad []byte) (WrappedKey, error)
	// Unwrap reverses Wrap, under any key that the provider has. It answers ErrUnknownKey
	// for one that it does not have and ErrWrapRejected where key, data or ciphertext do not
	// fit together. Every other error means that it cannot be known now.
	Unwrap(ctx context.Context, w WrappedKey, aad []byte) ([]byte, error)
	// Current tells whether w is under the key, and the version of it, that Wrap would use.
	Current(w WrappedKey) bool
}

// VaultAccess says who uses a vault's master key, and what for.
type VaultAccess struct {
	UserID string
	// Action names the use in the vault's audit, for instance "grant". Context says more.
	Action, Context string
	// IPAddress and UserAgent are those of the request; empty where there is none.
	IPAddress, UserAgent string
}

// Vault lends the master keys of users to other plugins of the server.
type Vault interface {
	// WithMasterKey has fn use the user's master key: 32 bytes, overwritten when fn returns,
	// and its version, which every rotation raises.
	// The use is in the vault's audit before fn runs; a use that is refused or fails is
	// there too. It answers VAULT_NOT_INITIALISED (404) without a vault, ZK_ACTIVE (409)
	// where the server does not have the key.
	WithMasterKey(ctx context.Context, by VaultAccess, fn func(masterKey []byte, version int) error) error
}

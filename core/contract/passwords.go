package contract

import "context"

// Passwords checks and sets passwords for plugins that want one as a proof. Core
// provides it. A user without a password must prove themselves in another way (a fresh
// session), never be let through.
type Passwords interface {
	// Has tells whether the user has a password.
	Has(ctx context.Context, userID string) (bool, error)
	// Verify tells whether the password is the user's. It counts towards the lockout and
	// answers core.ErrAccountLocked when that holds. An error never means "wrong".
	Verify(ctx context.Context, userID, password string) (bool, error)
	// Set replaces the user's password, or gives them a first one. Length limits are the
	// caller's business.
	Set(ctx context.Context, userID, password string) error
}

// Sealer encrypts secrets for columns. Core provides it, with the configured secrets.
type Sealer interface {
	// Seal encrypts under a key of its own for each purpose; aad is bound to the result.
	Seal(purpose string, plain, aad []byte) (string, error)
	// Open reverses Seal with the same purpose and aad.
	Open(purpose, sealed string, aad []byte) ([]byte, error)
}

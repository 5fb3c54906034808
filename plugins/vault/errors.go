package vault

import "github.com/sallyport-auth/sallyport/core"

// Codes of this plugin.
var (
	ErrNotInitialised  = core.NewError("VAULT_NOT_INITIALISED", 404, "There is no vault yet")
	ErrBadRequest      = core.NewError("VAULT_BAD_REQUEST", 400, "The request is not one that a vault takes")
	ErrWrongKey        = core.NewError("WRONG_MASTER_KEY", 400, "This is not the vault's master key")
	ErrRecoveryMissing = core.NewError("RECOVERY_WRAP_MISSING", 400, "Set a recovery wrap first: without one nobody could open the vault")
	ErrZeroKnowledge   = core.NewError("ZK_ACTIVE", 409, "Zero knowledge is on: the recovery wrap is the only way into the vault")
	ErrRotateForbidden = core.NewError("ZK_ROTATE_FORBIDDEN", 409, "Zero knowledge is on: switch it off to rotate the key")
	ErrVersionConflict = core.NewError("VAULT_VERSION_CONFLICT", 409, "The key has been rotated meanwhile")
	ErrSecondFactor    = core.NewError("SECOND_FACTOR_REQUIRED", 403, "Sign in with your second factor for this")
	ErrKeyUnusable     = core.NewError("VAULT_KEY_UNUSABLE", 500, "The vault's key cannot be opened")
)

var codes = []*core.Error{ErrNotInitialised, ErrBadRequest, ErrWrongKey, ErrRecoveryMissing, ErrZeroKnowledge,
	ErrRotateForbidden, ErrVersionConflict, ErrSecondFactor, ErrKeyUnusable}

package passkey

import "github.com/sallyport-auth/sallyport/core"

// Codes of this plugin, as Better Auth has them.
var (
	ErrChallengeNotFound    = core.NewError("CHALLENGE_NOT_FOUND", 400, "Challenge not found").In(core.ClassTokenInvalid)
	ErrNotAllowed           = core.NewError("YOU_ARE_NOT_ALLOWED_TO_REGISTER_THIS_PASSKEY", 401, "You are not allowed to register this passkey")
	ErrRegistrationFailed   = core.NewError("FAILED_TO_VERIFY_REGISTRATION", 400, "Failed to verify registration").In(core.ClassPasskeyFailed)
	ErrNotFound             = core.NewError("PASSKEY_NOT_FOUND", 404, "Passkey not found")
	ErrAuthenticationFailed = core.NewError("AUTHENTICATION_FAILED", 400, "Authentication failed").In(core.ClassPasskeyFailed)
	ErrPreviouslyRegistered = core.NewError("PREVIOUSLY_REGISTERED", 400, "Previously registered")
	ErrResolvedUserInvalid  = core.NewError("RESOLVED_USER_INVALID", 400, "Resolved user is invalid")
	ErrTooMany              = core.NewError("TOO_MANY_PASSKEYS", 400, "Too many passkeys: delete one first")

	errNoID              = core.Refuse(400, "Missing required parameter: id")
	errUnknownCredential = core.NewError(ErrNotFound.Code, 401, ErrNotFound.Message).In(core.ClassPasskeyFailed)
	errBadSignature      = core.NewError(ErrAuthenticationFailed.Code, 401, ErrAuthenticationFailed.Message).In(core.ClassPasskeyFailed)
	errForeignDelete     = core.ErrUnauthorized.WithMessage("") // without a body
)

var codes = []*core.Error{ErrChallengeNotFound, ErrNotAllowed, ErrRegistrationFailed, ErrNotFound, ErrAuthenticationFailed,
	ErrPreviouslyRegistered, ErrResolvedUserInvalid, ErrTooMany, errNoID}

package v1

import "github.com/sallyport-auth/sallyport/core"

// Codes of this plugin. Clients of the facade see their classes.
var (
	ErrSignUpLimit       = core.NewError("SIGN_UP_LIMIT_REACHED", 429, "No more sign-ups today. Please try again tomorrow.").In(core.ClassSignUpLimit)
	ErrSessionOver       = core.NewError("SESSION_OVER", 401, "Your session has ended. Please sign in again.").In(core.ClassTokenExpired)
	ErrPasswordRequired  = core.NewError("PASSWORD_REQUIRED", 400, "Your password is required").In(core.ClassValidation)
	ErrPasskeyNotEnabled = core.NewError("PASSKEY_NOT_ENABLED", 404, "Passkeys are not enabled").In(core.ClassPasskeyNotEnabled)
)

var codes = []*core.Error{ErrSignUpLimit, ErrSessionOver, ErrPasswordRequired, ErrPasskeyNotEnabled}

package emailpassword

import "github.com/sallyport-auth/sallyport/core"

// Codes of this plugin, as Better Auth has them.
var (
	ErrSignUpDisabled     = core.NewError("EMAIL_PASSWORD_SIGN_UP_DISABLED", 400, "Email and password sign up is not enabled")
	ErrInvalidCredentials = core.NewError("INVALID_EMAIL_OR_PASSWORD", 401, "Invalid email or password").In(core.ClassInvalidCredentials)
	ErrEmailNotVerified   = core.NewError("EMAIL_NOT_VERIFIED", 403, "Email not verified").In(core.ClassEmailNotVerified)
	ErrResetDisabled      = core.NewError("RESET_PASSWORD_DISABLED", 400, "Reset password isn't enabled")
	ErrPasswordAlreadySet = core.NewError("PASSWORD_ALREADY_SET", 400, "User already has a password set")
)

var codes = []*core.Error{ErrSignUpDisabled, ErrInvalidCredentials, ErrEmailNotVerified, ErrResetDisabled, ErrPasswordAlreadySet}

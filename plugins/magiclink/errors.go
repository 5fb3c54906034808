package magiclink

import "github.com/sallyport-auth/sallyport/core"

// Codes of this plugin. Those in lower case are sent in a redirect's query alone.
var (
	ErrSignUpDisabled     = core.NewError("new_user_signup_disabled", 403, "There is no account with this address").In(core.ClassValidation)
	ErrUserNotFound       = core.NewError("user_not_found", 404, "User not found")
	ErrMetadataTooLarge   = core.NewError("METADATA_TOO_LARGE", 413, "Metadata is too large")
	ErrConfirmationFailed = core.NewError("CONFIRMATION_FAILED", 403, "Open the link in the mail again, in a browser that keeps cookies").In(core.ClassTokenInvalid)
)

var codes = []*core.Error{ErrSignUpDisabled, ErrUserNotFound, ErrMetadataTooLarge, ErrConfirmationFailed}

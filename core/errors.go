package core

import (
	"errors"
	"strings"
)

// Error is an answer that says no. Errors are values, declared once each:
//
//	var ErrInvalidOTP = core.NewError("INVALID_OTP", 400, "Invalid OTP")
//
// On the wire it is {"code": Code, "message": Message} with Status. errors.Is compares
// codes, so that a copy made by Because or WithMessage still is the error it came from.
type Error struct {
	Code    string
	Status  int
	Message string
	header  []Field
	members []Member
	cause   error
	class   Class
	// original is the English text of a translated answer; Message is the other.
	original string
}

// NewError makes an error with a stable code, an HTTP status and a text for people.
func NewError(code string, status int, message string) *Error {
	return &Error{Code: code, Status: status, Message: message}
}

// Refuse makes an error whose code follows from its message, as Better Auth does it for
// answers that have no code of their own: "Email is the same" is EMAIL_IS_THE_SAME.
func Refuse(status int, message string) *Error {
	var b strings.Builder
	for _, r := range strings.ToUpper(message) {
		switch {
		case r == ' ':
			b.WriteByte('_')
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			b.WriteRune(r)
		}
	}
	return NewError(b.String(), status, message)
}

// Error gives code and message and the cause's text. It is for logs: the cause may say
// more than a client may know.
func (e *Error) Error() string {
	s := e.Code + ": " + e.Message
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is an Error with the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Because returns a copy that keeps err as its cause. The cause is logged, never sent.
func (e *Error) Because(err error) *Error {
	c := *e
	c.cause = err
	return &c
}

// WithMessage returns a copy with another text under the same code.
func (e *Error) WithMessage(message string) *Error {
	c := *e
	c.Message = message
	return &c
}

// WithMember returns a copy with one more member of the body: what a client may use beyond
// code and message. value is JSON.
func (e *Error) WithMember(name string, value []byte) *Error {
	c := *e
	c.members = append(append([]Member(nil), e.members...), Member{Name: name, Raw: value})
	return &c
}

// WithHeader returns a copy that sets a header on the answer, for instance Retry-After.
func (e *Error) WithHeader(name, value string) *Error {
	c := *e
	c.header = append(append([]Field(nil), e.header...), Field{name, value})
	return &c
}

// In returns a copy that declares its class. Without one an error has the class that the
// code was registered with, else the one of its status.
func (e *Error) In(c Class) *Error {
	d := *e
	d.class = c
	return &d
}

// Codes of core itself. Statuses and texts are Better Auth's where it has them.
var (
	ErrUnauthorized             = NewError("UNAUTHORIZED", 401, "Unauthorized")
	ErrUserNotFound             = NewError("USER_NOT_FOUND", 400, "User not found").In(ClassNotFound)
	ErrFailedToCreateUser       = NewError("FAILED_TO_CREATE_USER", 422, "Failed to create user")
	ErrFailedToGetSession       = NewError("FAILED_TO_GET_SESSION", 401, "Failed to get session")
	ErrFailedToGetUserInfo      = NewError("FAILED_TO_GET_USER_INFO", 404, "Failed to get user info")
	ErrInvalidPassword          = NewError("INVALID_PASSWORD", 400, "Invalid password").In(ClassInvalidCredentials)
	ErrInvalidEmail             = NewError("INVALID_EMAIL", 400, "Invalid email")
	ErrInvalidUser              = NewError("INVALID_USER", 401, "Invalid user")
	ErrInvalidToken             = NewError("INVALID_TOKEN", 400, "Invalid token").In(ClassTokenInvalid)
	ErrTokenExpired             = NewError("TOKEN_EXPIRED", 401, "Token expired").In(ClassTokenExpired)
	ErrEmailCanNotBeUpdated     = NewError("EMAIL_CAN_NOT_BE_UPDATED", 400, "Email can not be updated")
	ErrChangeEmailDisabled      = NewError("CHANGE_EMAIL_DISABLED", 400, "Change email is disabled")
	ErrCredentialNotFound       = NewError("CREDENTIAL_ACCOUNT_NOT_FOUND", 400, "Credential account not found").In(ClassNotFound)
	ErrSessionExpired           = NewError("SESSION_EXPIRED", 400, "Session expired. Re-authenticate to perform this action.").In(ClassUnauthorized)
	ErrFailedToUnlinkLast       = NewError("FAILED_TO_UNLINK_LAST_ACCOUNT", 400, "You can't unlink your last account")
	ErrAccountNotFound          = NewError("ACCOUNT_NOT_FOUND", 400, "Account not found").In(ClassNotFound)
	ErrCrossSiteNavigation      = NewError("CROSS_SITE_NAVIGATION_LOGIN_BLOCKED", 403, "Cross-site navigation login blocked. This request appears to be a CSRF attack.").In(ClassValidation)
	ErrVerificationNotEnabled   = NewError("VERIFICATION_EMAIL_NOT_ENABLED", 400, "Verification email isn't enabled")
	ErrEmailAlreadyVerified     = NewError("EMAIL_ALREADY_VERIFIED", 400, "Email is already verified")
	ErrEmailMismatch            = NewError("EMAIL_MISMATCH", 400, "Email mismatch")
	ErrSessionNotFresh          = NewError("SESSION_NOT_FRESH", 403, "Session is not fresh")
	ErrInvalidOrigin            = NewError("INVALID_ORIGIN", 403, "Invalid origin").In(ClassValidation)
	ErrInvalidCallbackURL       = NewError("INVALID_CALLBACK_URL", 403, "Invalid callbackURL").In(ClassValidation)
	ErrInvalidRedirectURL       = NewError("INVALID_REDIRECT_URL", 403, "Invalid redirectURL").In(ClassValidation)
	ErrInvalidErrorCallbackURL  = NewError("INVALID_ERROR_CALLBACK_URL", 403, "Invalid errorCallbackURL").In(ClassValidation)
	ErrInvalidNewUserCallback   = NewError("INVALID_NEW_USER_CALLBACK_URL", 403, "Invalid newUserCallbackURL").In(ClassValidation)
	ErrMissingOrigin            = NewError("MISSING_OR_NULL_ORIGIN", 403, "Missing or null Origin").In(ClassValidation)
	ErrFieldNotAllowed          = NewError("FIELD_NOT_ALLOWED", 400, "Field not allowed to be set")
	ErrMissingField             = NewError("MISSING_FIELD", 400, "Field is required")
	ErrValidation               = NewError("VALIDATION_ERROR", 400, "Validation Error")
	ErrBadRequest               = NewError("BAD_REQUEST", 400, "Invalid JSON in request body")
	ErrUnsupportedMediaType     = NewError("UNSUPPORTED_MEDIA_TYPE", 415, "Content-Type is not allowed")
	ErrPayloadTooLarge          = NewError("PAYLOAD_TOO_LARGE", 413, "Request body is too large")
	ErrJSONTooDeep              = NewError("JSON_TOO_DEEP", 413, "JSON in request body is nested too deeply")
	ErrHeadersTooLarge          = NewError("HEADERS_TOO_LARGE", 431, "Request headers are too large")
	ErrDeferRefreshRequired     = NewError("METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED", 405, "POST method requires deferSessionRefresh to be enabled in session config")
	ErrBodyMustBeObject         = NewError("BODY_MUST_BE_AN_OBJECT", 400, "Body must be an object")
	ErrNotFound                 = NewError("NOT_FOUND", 404, "Not found")
	ErrEmailTaken               = NewError("USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL", 422, "User already exists. Use another email.").In(ClassEmailRegistered)
	ErrBanned                   = NewError("BANNED_USER", 403, "You have been banned from this application. Please contact support if you believe this is an error.")
	ErrTooManyRequests          = NewError("TOO_MANY_REQUESTS", 429, "Too many requests. Please try again later.")
	ErrAccountLocked            = NewError("ACCOUNT_LOCKED", 429, "Too many failed attempts. Please try again later.").In(ClassAccountLocked)
	ErrServiceUnavailable       = NewError("SERVICE_UNAVAILABLE", 503, "The service is temporarily unavailable. Please try again later.")
	ErrInternal                 = NewError("INTERNAL_SERVER_ERROR", 500, "Internal Server Error")
	errNoFieldsToUpdate         = NewError("NO_FIELDS_TO_UPDATE", 400, "No fields to update")
	errEmailSame                = NewError("EMAIL_IS_THE_SAME", 400, "Email is the same")
	errDeleteUserDisabled       = NewError("NOT_FOUND", 404, "")
	errVerificationMailDisabled = NewError("VERIFICATION_EMAIL_ISNT_ENABLED", 400, "Verification email isn't enabled")
)

// coreErrors are registered under the owner "core".
var coreErrors = []*Error{
	ErrUnauthorized, ErrUserNotFound, ErrFailedToCreateUser, ErrFailedToGetSession, ErrFailedToGetUserInfo,
	ErrInvalidPassword, ErrInvalidEmail, ErrInvalidUser, ErrInvalidToken, ErrTokenExpired, ErrEmailCanNotBeUpdated,
	ErrChangeEmailDisabled, ErrCredentialNotFound, ErrSessionExpired, ErrFailedToUnlinkLast, ErrAccountNotFound,
	ErrCrossSiteNavigation, ErrVerificationNotEnabled, ErrEmailAlreadyVerified, ErrEmailMismatch, ErrSessionNotFresh,
	ErrInvalidOrigin, ErrInvalidCallbackURL, ErrInvalidRedirectURL, ErrInvalidErrorCallbackURL,
	ErrInvalidNewUserCallback, ErrMissingOrigin, ErrFieldNotAllowed, ErrMissingField, ErrValidation, ErrBadRequest,
	ErrUnsupportedMediaType, ErrPayloadTooLarge, ErrJSONTooDeep, ErrHeadersTooLarge, ErrDeferRefreshRequired,
	ErrBodyMustBeObject, ErrNotFound, ErrEmailTaken, ErrBanned, ErrTooManyRequests, ErrAccountLocked,
	ErrServiceUnavailable, ErrInternal, errNoFieldsToUpdate, errEmailSame, errVerificationMailDisabled,
	ErrPasswordTooShort, ErrPasswordTooLong, ErrConflict,
	ErrInvalidPage, errNoCallbackURL, errNoRedirectURL, errNoErrorCallbackURL, errNoNewUserCallback,
}

// AsError returns the *Error inside err, or nil.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

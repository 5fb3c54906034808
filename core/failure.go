package core

import (
	"log/slog"
	"time"
)

// Class says what kind of failure an error is, in the 19 words that logs, metrics,
// security events, lockout and the /api/v1 answers share. An endpoint below the base path
// still answers with the error's own code, status and text.
type Class string

// The classes.
const (
	ClassInvalidCredentials Class = "INVALID_CREDENTIALS" // a wrong password
	ClassEmailNotVerified   Class = "EMAIL_NOT_VERIFIED"  // the password was right
	ClassEmailRegistered    Class = "EMAIL_ALREADY_REGISTERED"
	ClassWeakPassword       Class = "WEAK_PASSWORD"        // a new password that is refused
	ClassAccountLocked      Class = "ACCOUNT_LOCKED"       // too many wrong guesses
	ClassSignUpLimit        Class = "SIGNUP_LIMIT_REACHED" // no more sign-ups today
	ClassRateLimited        Class = "RATE_LIMITED"
	ClassTokenExpired       Class = "TOKEN_EXPIRED"
	ClassTokenInvalid       Class = "TOKEN_INVALID"
	ClassTwoFactorRequired  Class = "TWO_FACTOR_REQUIRED"
	ClassTwoFactorFailed    Class = "TWO_FACTOR_FAILED" // a wrong one-time or backup code
	ClassPasskeyNotEnabled  Class = "PASSKEY_NOT_ENABLED"
	ClassPasskeyCancelled   Class = "PASSKEY_CANCELLED"
	ClassPasskeyFailed      Class = "PASSKEY_VERIFICATION_FAILED"
	ClassValidation         Class = "VALIDATION"   // the request is at fault, its origin included
	ClassUnauthorized       Class = "UNAUTHORIZED" // no session, an old one, no permission
	ClassNotFound           Class = "NOT_FOUND"
	ClassServiceUnavailable Class = "SERVICE_UNAVAILABLE" // database, network, queue, time
	ClassInternal           Class = "INTERNAL"            // what nobody foresaw
)

// Failure is an error with all that follows from what kind it is.
type Failure struct {
	*Error     // what the client hears below the base path
	Class      Class
	Level      slog.Level    // of the line in the log
	Event      string        // type of the security event; empty for none
	RetryAfter time.Duration // when it may work again, in whole seconds; 0 if that is not known
	Counts     bool          // against the lockout: somebody has guessed wrong
	Canceled   bool          // the client has hung up: nobody's failure, and in no statistic of failures
}

// classPolicy is what follows from a class.
type classPolicy struct {
	class  Class
	status int
	level  slog.Level
	event  string
	counts bool
}

// classes are in the order of the taxonomy.
var classes = []classPolicy{
	{ClassInvalidCredentials, 401, slog.LevelInfo, EventSignInFailed, true},
	{ClassEmailNotVerified, 403, slog.LevelInfo, EventSignInFailed, false},
	{ClassEmailRegistered, 409, slog.LevelInfo, "", false},
	{ClassWeakPassword, 400, slog.LevelInfo, "", false},
	{ClassAccountLocked, 429, slog.LevelWarn, EventAccountLocked, false},
	{ClassSignUpLimit, 429, slog.LevelInfo, "", false},
	{ClassRateLimited, 429, slog.LevelWarn, "", false},
	{ClassTokenExpired, 401, slog.LevelInfo, "", false},
	{ClassTokenInvalid, 400, slog.LevelInfo, "", false},
	{ClassTwoFactorRequired, 401, slog.LevelInfo, "", false},
	{ClassTwoFactorFailed, 401, slog.LevelInfo, EventSignInFailed, true},
	{ClassPasskeyNotEnabled, 404, slog.LevelInfo, "", false},
	{ClassPasskeyCancelled, 400, slog.LevelInfo, "", false},
	{ClassPasskeyFailed, 401, slog.LevelWarn, EventPasskeyFailed, false},
	{ClassValidation, 400, slog.LevelInfo, "", false},
	{ClassUnauthorized, 401, slog.LevelInfo, "", false},
	{ClassNotFound, 404, slog.LevelInfo, "", false},
	{ClassServiceUnavailable, 503, slog.LevelError, EventServiceError, false},
	{ClassInternal, 500, slog.LevelError, EventServiceError, false},
}

// Classes lists all classes: the values that a label of a metric may have.
func Classes() []Class {
	out := make([]Class, len(classes))
	for i := range classes {
		out[i] = classes[i].class
	}
	return out
}

// Status is the HTTP status that the /api/v1 answers have for the class.
func (c Class) Status() int { return c.policy().status }

// policy of what is none of the 19 is that of INTERNAL.
func (c Class) policy() classPolicy {
	for _, p := range classes {
		if p.class == c {
			return p
		}
	}
	return classes[len(classes)-1]
}

// classByStatus is the class of an error that declares none. A status alone never means
// that somebody guessed wrong: 401 is a missing session, 403 a missing permission.
func classByStatus(status int) Class {
	switch status {
	case 401, 403:
		return ClassUnauthorized
	case 404:
		return ClassNotFound
	case 429:
		return ClassRateLimited
	case 502, 503, 504:
		return ClassServiceUnavailable
	}
	if status >= 400 && status < 500 {
		return ClassValidation
	}
	return ClassInternal
}

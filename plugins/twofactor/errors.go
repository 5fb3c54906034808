package twofactor

import "github.com/sallyport-auth/sallyport/core"

// Codes of this plugin, as Better Auth has them.
var (
	ErrOTPNotConfigured      = core.NewError("OTP_NOT_CONFIGURED", 400, "OTP is not available")
	ErrOTPExpired            = core.NewError("OTP_HAS_EXPIRED", 400, "OTP has expired").In(core.ClassTokenExpired)
	ErrTOTPNotEnabled        = core.NewError("TOTP_NOT_ENABLED", 400, "TOTP not enabled")
	ErrTOTPAlreadyEnabled    = core.NewError("TOTP_ALREADY_ENABLED", 400, "TOTP is already enabled")
	ErrTOTPNotConfigured     = core.NewError("TOTP_NOT_CONFIGURED", 400, "TOTP is not available")
	ErrNotEnabled            = core.NewError("TWO_FACTOR_NOT_ENABLED", 400, "Two factor isn't enabled")
	ErrBackupCodesNotEnabled = core.NewError("BACKUP_CODES_NOT_ENABLED", 400, "Backup codes aren't enabled")
	ErrInvalidBackupCode     = core.NewError("INVALID_BACKUP_CODE", 401, "Invalid backup code").In(core.ClassTwoFactorFailed)
	ErrInvalidCode           = core.NewError("INVALID_CODE", 401, "Invalid code").In(core.ClassTwoFactorFailed)
	ErrTooManyAttempts       = core.NewError("TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE", 400, "Too many attempts. Please request a new code.").In(core.ClassRateLimited)
	ErrTemporarilyLocked     = core.NewError("ACCOUNT_TEMPORARILY_LOCKED", 429, "Too many failed verification attempts. Your account is temporarily locked. Please try again later.").In(core.ClassAccountLocked)
	ErrInvalidCookie         = core.NewError("INVALID_TWO_FACTOR_COOKIE", 401, "Invalid two factor cookie").In(core.ClassTokenInvalid)
)

// The endpoints of one factor name it in other words than enrolment does.
var (
	errTOTPOff = ErrTOTPNotConfigured.WithMessage("totp isn't configured")
	errOTPOff  = ErrOTPNotConfigured.WithMessage("otp isn't configured")
)

var codes = []*core.Error{ErrOTPNotConfigured, ErrOTPExpired, ErrTOTPNotEnabled, ErrTOTPAlreadyEnabled, ErrTOTPNotConfigured,
	ErrNotEnabled, ErrBackupCodesNotEnabled, ErrInvalidBackupCode, ErrInvalidCode, ErrTooManyAttempts, ErrTemporarilyLocked,
	ErrInvalidCookie}

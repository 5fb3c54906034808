package twofactor

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/schema"
)

// ID is the plugin's name in the config file.
const ID = "two-factor"

// Options configure the plugin. Names and defaults are Better Auth's where it has them.
type Options struct {
	// Enforce says which sign-ins are asked: "all" (default), or "upstream" for those that
	// Better Auth asks, which are those with a password (/sign-in/email, username,
	// phone-number). With "upstream" a magic link or passkey of one factor is enough.
	Enforce string `yaml:"enforce"`
	// Issuer is what authenticators show, unless the request names another. Default: the
	// app's name, which GetTOTPURI always uses.
	Issuer string `yaml:"issuer"`
	// SkipVerificationOnEnable switches an authenticator app on before its first code was
	// right. Who has not set it up well is then locked out until a backup code helps. Default false.
	SkipVerificationOnEnable bool `yaml:"skipVerificationOnEnable"`
	// AllowPasswordless lets users without a password enrol and change their factors: a
	// fresh session takes its place. Default false.
	AllowPasswordless bool `yaml:"allowPasswordless"`
	// ChallengeMaxAge is how long a challenge can be answered, in seconds. Default 600, at
	// most 3600.
	ChallengeMaxAge int `yaml:"twoFactorCookieMaxAge"`
	// TrustDeviceMaxAge is how long a trusted device is not asked, in seconds. Default
	// 2592000 (30 days), at most 31536000. It begins anew with each sign-in.
	TrustDeviceMaxAge int `yaml:"trustDeviceMaxAge"`

	TOTP        TOTPOptions       `yaml:"totpOptions"`
	OTP         OTPOptions        `yaml:"otpOptions"`
	BackupCodes BackupCodeOptions `yaml:"backupCodeOptions"`
	Lockout     LockoutOptions    `yaml:"accountLockout"`
}

// TOTPOptions are about authenticator apps.
type TOTPOptions struct {
	// Disable offers no TOTP. Default false.
	Disable bool `yaml:"disable"`
	// Digits of a code, 6 to 8. Default 6. Many authenticators can do nothing else.
	Digits int `yaml:"digits"`
	// Period is a time step in seconds, 15 to 120. Default 30.
	Period int `yaml:"period"`
}

// OTPOptions are about codes by mail. They need a mailer.
type OTPOptions struct {
	// Disable sends no codes although there is a mailer. Default false.
	Disable bool `yaml:"disable"`
	// Digits of a code, 6 to 10. Default 6.
	Digits int `yaml:"digits"`
	// Period is a code's life in minutes. Default 3, at most 60.
	Period int `yaml:"period"`
	// AllowedAttempts is how often a code may be mistyped. Default 5, at most 20.
	AllowedAttempts int `yaml:"allowedAttempts"`
	// Store is how a code is kept: "encrypted" (default), "hashed" (SHA-256, which a reader
	// of the database inverts at once for so few digits) or "plain". Better Auth's default
	// is "plain"; servers that share a database must agree.
	Store string `yaml:"storeOTP"`
}

// BackupCodeOptions are about codes for who has lost the device.
type BackupCodeOptions struct {
	// Amount of codes, 1 to 50. Default 10.
	Amount int `yaml:"amount"`
	// Length of a code in characters without the dash, 10 to 32. Default 10 (59 bits).
	Length int `yaml:"length"`
	// Store is "encrypted" (default) or "plain".
	Store string `yaml:"storeBackupCodes"`
}

// LockoutOptions are about wrong codes in a row while signing in, over all challenges of
// a user. Core's own lockout (Config.Lockout) counts besides.
type LockoutOptions struct {
	// Enabled switches it on or off. Default true.
	Enabled *bool `yaml:"enabled"`
	// MaxFailedAttempts lock the user's second factor. Default 10.
	MaxFailedAttempts int `yaml:"maxFailedAttempts"`
	// Duration of the lock in seconds. Default 900.
	Duration int `yaml:"durationSeconds"`
}

// Plugin is the plugin. Make it with New.
type Plugin struct {
	o         Options
	err       error
	host      *core.Host
	passwords contract.Passwords
	totp      totpParams
	features  map[string]any

	challengeCookie, trustCookie, forgetCookie core.Cookie
}

// New makes the plugin. What is wrong with its options is reported when it starts.
func New(o Options) *Plugin {
	p := &Plugin{features: map[string]any{}}
	var faults []error
	number := func(name string, v *int, def, least, most int) {
		if *v == 0 {
			*v = def
		}
		if *v < least || *v > most {
			faults = append(faults, fmt.Errorf("%s: %d is not from %d to %d", name, *v, least, most))
		}
	}
	choice := func(name string, v *string, list ...string) {
		if *v == "" {
			*v = list[0]
		}
		for _, s := range list {
			if *v == s {
				return
			}
		}
		faults = append(faults, fmt.Errorf("%s: %q is not one of %q", name, *v, list))
	}
	choice("enforce", &o.Enforce, "all", "upstream")
	number("twoFactorCookieMaxAge", &o.ChallengeMaxAge, 600, 1, 3600)
	number("trustDeviceMaxAge", &o.TrustDeviceMaxAge, 30*86400, 1, 365*86400)
	number("totpOptions.digits", &o.TOTP.Digits, 6, 6, 8)
	number("totpOptions.period", &o.TOTP.Period, 30, 15, 120)
	number("otpOptions.digits", &o.OTP.Digits, 6, 6, 10)
	number("otpOptions.period", &o.OTP.Period, 3, 1, 60)
	number("otpOptions.allowedAttempts", &o.OTP.AllowedAttempts, 5, 1, 20)
	choice("otpOptions.storeOTP", &o.OTP.Store, "encrypted", "hashed", "plain")
	number("backupCodeOptions.amount", &o.BackupCodes.Amount, 10, 1, 50)
	number("backupCodeOptions.length", &o.BackupCodes.Length, 10, 10, 32)
	choice("backupCodeOptions.storeBackupCodes", &o.BackupCodes.Store, "encrypted", "plain")
	number("accountLockout.maxFailedAttempts", &o.Lockout.MaxFailedAttempts, 10, 1, 1000)
	number("accountLockout.durationSeconds", &o.Lockout.Duration, 900, 1, 86400)
	if o.Lockout.Enabled == nil {
		yes := true
		o.Lockout.Enabled = &yes
	}
	p.o, p.err = o, errors.Join(faults...)
	p.totp = totpParams{o.TOTP.Digits, o.TOTP.Period}
	return p
}

// Spec implements core.Plugin.
func (p *Plugin) Spec() core.Spec {
	endpoints := []core.Endpoint{
		Enable.Handle(p.enable), Disable.Handle(p.disable), GetTOTPURI.Handle(p.uri), GenerateBackupCodes.Handle(p.regenerate),
	}
	if !p.o.AllowPasswordless {
		for i := range endpoints {
			endpoints[i] = endpoints[i].Demand("password")
		}
	}
	texts, err := contract.ReadMails(mails, "mails")
	s := core.Spec{
		ID:     ID,
		Tables: []schema.Table{factors.Schema()},
		Extend: []schema.Extension{extension},
		Endpoints: append(endpoints, ViewBackupCodes.Handle(p.view), VerifyTOTP.Handle(p.verifyTOTP), SendOTP.Handle(p.sendOTP),
			VerifyOTP.Handle(p.verifyOTP), VerifyBackupCode.Handle(p.verifyBackupCode)),
		Hooks:  []core.Hook{core.SignInPoint.Before(p.demand), core.UserClaim.After(p.claimed), core.UserUnlock.After(p.unlock)},
		Errors: codes,
		Limits: []core.RateLimit{{Paths: []string{"/two-factor/*"}, Max: 3, Window: 10}},
		Data:   p.data(),
		Mails:  texts,
		Pages: []core.PageEntry{
			{ID: ID, Kind: "account", Title: "Two-step sign-in", Module: "two-factor.js", Order: 30},
			{ID: ID, Kind: "challenge", Title: "Two-step sign-in", Module: "two-factor.js", Order: 10},
		},
		Events: []core.EventType{
			{Name: "two-factor.enabled", Description: "A user switched two-factor on.", Legacy: "TWO_FACTOR_ENABLED"},
			{Name: "two-factor.disabled", Description: "Two-factor was switched off, or taken off by an operator or a first proof of the address.", Legacy: "TWO_FACTOR_DISABLED"},
			{Name: eventPassed, Description: "A challenge was answered with a right code. Detail: method."},
			{Name: "two-factor.backup-codes", Description: "A user made new backup codes."},
			{Name: "two-factor.backup-code-used", Description: "A backup code was used."},
		},
		Commands: []core.Command{{Name: "reset", Summary: "take the second factors of a user off, and sign them out: reset ADDRESS", Run: p.reset}},
		Features: p.features,
		Needs:    []core.Need{core.Require(&p.passwords)},
		Init:     p.init,
	}
	if err != nil {
		s.Faults = append(s.Faults, err)
	}
	return s
}

func (p *Plugin) init(_ context.Context, h *core.Host) error {
	p.host = h
	p.challengeCookie = h.Cookie("two_factor", time.Duration(p.o.ChallengeMaxAge)*time.Second)
	p.trustCookie = h.Cookie("trust_device", p.trustLife())
	p.forgetCookie = h.Cookie("dont_remember", 0)
	if p.o.Issuer == "" {
		p.o.Issuer = h.AppName()
	}
	for k, v := range map[string]any{"totp": !p.o.TOTP.Disable, "otp": p.canMail(), "totpDigits": p.o.TOTP.Digits, "otpDigits": p.o.OTP.Digits,
		"allowPasswordless": p.o.AllowPasswordless, "trustDeviceMaxAge": p.o.TrustDeviceMaxAge} {
		p.features[k] = v
	}
	if p.o.TOTP.Disable && !p.canMail() {
		return errors.Join(p.err, errors.New("totpOptions.disable and no codes by mail: nobody could show a second factor"))
	}
	return p.err
}

func (p *Plugin) canMail() bool { return !p.o.OTP.Disable && p.host.CanMail() }

func (p *Plugin) trustLife() time.Duration { return time.Duration(p.o.TrustDeviceMaxAge) * time.Second }

func (p *Plugin) record(ctx context.Context, c *core.Call, tx *core.Tx, userID, what string) error {
	e := &core.Event{Type: "two-factor." + what, UserID: userID, Call: c, Tx: tx}
	if c == nil { // the command
		e.Actor = core.Operator
	}
	return p.host.Record(ctx, e)
}

// mails are the texts of a code by mail, in five languages.
//
//go:embed mails
var mails embed.FS

const mailName = "two-factor-otp"

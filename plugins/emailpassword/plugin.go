package emailpassword

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// ID is the plugin's name in the config file.
const ID = "email-password"

// Options configure the plugin. Limits on length are core's (Config.Password), as are the
// mails that verify an address (Config.Email).
type Options struct {
	// DisableSignUp refuses new users. Default false.
	DisableSignUp bool `yaml:"disableSignUp"`
	// RequireEmailVerification refuses to sign in before the address is verified, and
	// hides at sign-up whether it is known. Default false.
	RequireEmailVerification bool `yaml:"requireEmailVerification"`
	// AutoSignIn makes a session at sign-up. Default true.
	AutoSignIn *bool `yaml:"autoSignIn"`
	// RevokeSessionsOnPasswordReset ends all sessions of who resets the password. Default
	// true: whoever had the old password must not stay inside.
	RevokeSessionsOnPasswordReset *bool `yaml:"revokeSessionsOnPasswordReset"`
	// DisableReset refuses to send reset links although there is a mailer. Default false.
	DisableReset bool `yaml:"disablePasswordReset"`
	// ResetTokenExpiresIn is the life of a reset link in seconds. Default 3600.
	ResetTokenExpiresIn int `yaml:"resetPasswordTokenExpiresIn"`
}

// Plugin is the plugin. Make it with New.
type Plugin struct {
	o    Options
	host *core.Host

	features map[string]any
}

// New makes the plugin.
func New(o Options) *Plugin {
	yes := true
	if o.AutoSignIn == nil {
		o.AutoSignIn = &yes
	}
	if o.RevokeSessionsOnPasswordReset == nil {
		o.RevokeSessionsOnPasswordReset = &yes
	}
	p := &Plugin{o: o, features: map[string]any{"signUp": !o.DisableSignUp, "requireEmailVerification": o.RequireEmailVerification}}
	if o.ResetTokenExpiresIn == 0 {
		p.o.ResetTokenExpiresIn = 3600
	}
	return p
}

// Spec implements core.Plugin.
func (p *Plugin) Spec() core.Spec {
	var faults []error
	if n := p.o.ResetTokenExpiresIn; n < 0 {
		faults = append(faults, fmt.Errorf("resetPasswordTokenExpiresIn: %d is negative", n))
	}
	return core.Spec{
		ID: ID, Faults: faults,
		Endpoints: []core.Endpoint{
			SignUpEmail.Handle(p.signUp), SignInEmail.Handle(p.signIn),
			ChangePassword.Handle(p.changePassword), VerifyPassword.Handle(p.verifyPassword), SetPassword.Handle(p.setPassword),
			RequestPasswordReset.Handle(p.requestReset), ResetPasswordCallback.Handle(p.resetCallback), ResetPassword.Handle(p.reset),
		},
		Errors: codes,
		Pages: []core.PageEntry{
			{ID: ID, Kind: "sign-in", Title: "Email and password", Module: "email-password.js", Order: 10},
			{ID: ID, Kind: "sign-up", Title: "Email and password", Module: "email-password.js", Order: 10},
			{ID: ID, Kind: "account", Title: "Password", Module: "email-password.js", Order: 10},
		},
		Features: p.features,
		Init: func(_ context.Context, h *core.Host) error {
			p.host = h
			shortest, longest := h.PasswordLimits()
			p.features["minPasswordLength"], p.features["maxPasswordLength"] = shortest, longest
			p.features["resetPassword"] = p.canReset()
			if h.Production() && p.o.RequireEmailVerification && !h.CanMail() {
				return errors.New("requireEmailVerification without a mailer: nobody could ever sign in")
			}
			return nil
		},
	}
}

// hidesAccounts tells whether sign-up must not tell a known address from a new one.
func (p *Plugin) hidesAccounts() bool { return p.o.RequireEmailVerification || !*p.o.AutoSignIn }

func (p *Plugin) canReset() bool { return p.host.CanMail() && !p.o.DisableReset }

func (p *Plugin) resetLife() time.Duration {
	return time.Duration(p.o.ResetTokenExpiresIn) * time.Second
}

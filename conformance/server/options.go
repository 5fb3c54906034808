package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/bearer"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugins/i18n"
	"github.com/sallyport-auth/sallyport/plugins/jwt"
	"github.com/sallyport-auth/sallyport/plugins/magiclink"
	"github.com/sallyport-auth/sallyport/plugins/mail"
	"github.com/sallyport-auth/sallyport/plugins/mailprovisioning"
	"github.com/sallyport-auth/sallyport/plugins/missiongrant"
	"github.com/sallyport-auth/sallyport/plugins/organization"
	"github.com/sallyport-auth/sallyport/plugins/passkey"
	"github.com/sallyport-auth/sallyport/plugins/twofactor"
	"github.com/sallyport-auth/sallyport/plugins/vault"
	v1 "github.com/sallyport-auth/sallyport/server/v1"
)

// options are OPTIONS: Better Auth's names (see ../README.md).
type options struct {
	RequireEmailVerification      bool              `json:"requireEmailVerification"`
	RevokeSessionsOnPasswordReset bool              `json:"revokeSessionsOnPasswordReset"`
	DisableSignUp                 bool              `json:"disableSignUp"`
	AutoSignIn                    *bool             `json:"autoSignIn"`
	MinPasswordLength             int               `json:"minPasswordLength"`
	MaxPasswordLength             int               `json:"maxPasswordLength"`
	ResetPasswordTokenExpiresIn   int               `json:"resetPasswordTokenExpiresIn"`
	SendResetPassword             *bool             `json:"sendResetPassword"`
	SendOnSignUp                  optional[bool]    `json:"sendOnSignUp"`
	SendOnSignIn                  bool              `json:"sendOnSignIn"`
	AutoSignInAfterVerification   bool              `json:"autoSignInAfterVerification"`
	VerificationExpiresIn         int               `json:"verificationExpiresIn"`
	SendVerificationEmail         *bool             `json:"sendVerificationEmail"`
	ChangeEmail                   *bool             `json:"changeEmail"`
	UpdateEmailWithoutVerifying   bool              `json:"updateEmailWithoutVerification"`
	SendChangeEmailConfirmation   *bool             `json:"sendChangeEmailConfirmation"`
	DeleteUser                    *bool             `json:"deleteUser"`
	DeleteUserByMail              bool              `json:"deleteUserByMail"`
	DeleteTokenExpiresIn          int               `json:"deleteTokenExpiresIn"`
	AdditionalFields              map[string]extra  `json:"additionalFields"`
	SessionExpiresIn              int               `json:"sessionExpiresIn"`
	SessionUpdateAge              *int              `json:"sessionUpdateAge"`
	FreshAge                      *int              `json:"freshAge"`
	DisableSessionRefresh         bool              `json:"disableSessionRefresh"`
	DeferSessionRefresh           bool              `json:"deferSessionRefresh"`
	CookieCache                   json.RawMessage   `json:"cookieCache"`
	AllowUnlinkingAll             bool              `json:"allowUnlinkingAll"`
	RateLimit                     json.RawMessage   `json:"rateLimit"`
	BasePath                      string            `json:"basePath"`
	TrustedOrigins                []string          `json:"trustedOrigins"`
	CookiePrefix                  string            `json:"cookiePrefix"`
	UseSecureCookies              *bool             `json:"useSecureCookies"`
	CrossSubDomainCookies         json.RawMessage   `json:"crossSubDomainCookies"`
	SkipTrailingSlashes           bool              `json:"skipTrailingSlashes"`
	DisabledPaths                 []string          `json:"disabledPaths"`
	ErrorURL                      string            `json:"errorURL"`
	Bearer                        bearer.Options    `json:"bearer"`
	JWT                           jwt.Options       `json:"jwt"`
	MagicLink                     magiclink.Options `json:"magicLink"`
	Passkey                       passkeyOptions    `json:"passkey"`
	TwoFactor                     json.RawMessage   `json:"twoFactor"`
	V1                            v1.Options        `json:"v1"`
	Teams                         json.RawMessage   `json:"teams"`
	Organization                  organizationJSON  `json:"organization"`
	Lockout                       bool              `json:"lockout"`
	TokenStorage                  string            `json:"tokenStorage"`
	VaultKEK                      string            `json:"vaultKek"`
	GrantPublicKey                string            `json:"grantPublicKey"`
	GrantServiceKey               string            `json:"grantServiceKey"`
	I18n                          i18n.Options      `json:"i18n"`
	Mail                          mailJSON          `json:"mail"`
}

// passkeyOptions are Better Auth's of the plugin passkey.
type passkeyOptions struct {
	RPID      string   `json:"rpID"`
	RPName    string   `json:"rpName"`
	Origin    []string `json:"origin"`
	Selection struct {
		AuthenticatorAttachment, ResidentKey, UserVerification string
	} `json:"authenticatorSelection"`
	Registration   struct{ Extensions map[string]any } `json:"registration"`
	Authentication struct{ Extensions map[string]any } `json:"authentication"`
	Advanced       struct {
		WebAuthnChallengeCookie string `json:"webAuthnChallengeCookie"`
	} `json:"advanced"`
}

func (o *passkeyOptions) options() passkey.Options {
	return passkey.Options{RPID: o.RPID, RPName: o.RPName, Origins: o.Origin, ChallengeCookie: o.Advanced.WebAuthnChallengeCookie,
		Selection: passkey.Selection{Attachment: o.Selection.AuthenticatorAttachment, ResidentKey: o.Selection.ResidentKey,
			UserVerification: o.Selection.UserVerification},
		Registration:   passkey.Registration{Extensions: o.Registration.Extensions},
		Authentication: passkey.Authentication{Extensions: o.Authentication.Extensions}}
}

// optional tells an absent member from null.
type optional[T any] struct {
	set   bool
	value *T
}

func (o *optional[T]) UnmarshalJSON(raw []byte) error {
	o.set = true
	return json.Unmarshal(raw, &o.value)
}

// extra are additional fields in the order in which they stand.
type extra []core.Extra

func (e *extra) UnmarshalJSON(raw []byte) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil { // the opening brace
		return err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var f struct {
			Type         string `json:"type"`
			Required     *bool  `json:"required"`
			Input        *bool  `json:"input"`
			Returned     *bool  `json:"returned"`
			DefaultValue any    `json:"defaultValue"`
		}
		if err := dec.Decode(&f); err != nil {
			return err
		}
		if n, ok := f.DefaultValue.(float64); ok {
			f.DefaultValue = int(n)
		}
		*e = append(*e, core.Extra{Name: name.(string), Type: f.Type, Required: f.Required == nil || *f.Required,
			Input: f.Input, Returned: f.Returned, Default: f.DefaultValue})
	}
	return nil
}

func (o *options) parse(text string) error {
	if text == "" {
		text = "{}"
	}
	if err := json.Unmarshal([]byte(text), o); err != nil {
		return fmt.Errorf("OPTIONS: %w", err)
	}
	return nil
}

func on(b *bool) bool { return b == nil || *b }

func (o *options) config(base string) core.Config {
	no := false
	cfg := core.Config{
		AppName: "Better Auth", BaseURL: base, BasePath: o.BasePath, TrustedOrigins: o.TrustedOrigins,
		SkipTrailingSlashes: o.SkipTrailingSlashes, DisabledPaths: o.DisabledPaths, ErrorURL: o.ErrorURL,
		Session: core.SessionConfig{ExpiresIn: o.SessionExpiresIn, UpdateAge: o.SessionUpdateAge, FreshAge: o.FreshAge,
			DisableRefresh: o.DisableSessionRefresh, DeferRefresh: o.DeferSessionRefresh, TokenStorage: "compat",
			Fields: o.AdditionalFields["session"]},
		User: core.UserConfig{
			Fields: o.AdditionalFields["user"],
			ChangeEmail: core.ChangeEmailConfig{Enabled: on(o.ChangeEmail), UpdateWithoutVerification: o.UpdateEmailWithoutVerifying,
				SkipConfirmation: !on(o.SendChangeEmailConfirmation)},
			DeleteUser: core.DeleteUserConfig{Enabled: on(o.DeleteUser), VerifyByMail: o.DeleteUserByMail, TokenExpiresIn: o.DeleteTokenExpiresIn},
		},
		Account: core.AccountConfig{AllowUnlinkingAll: o.AllowUnlinkingAll},
		Email: core.EmailConfig{SendOnSignUp: &no, SendOnSignIn: o.SendOnSignIn, AutoSignIn: o.AutoSignInAfterVerification,
			ExpiresIn: o.VerificationExpiresIn, Disabled: !on(o.SendVerificationEmail)},
		Password:   core.PasswordConfig{Hash: "scrypt", MinLength: o.MinPasswordLength, MaxLength: o.MaxPasswordLength},
		Cookies:    core.CookieConfig{Prefix: o.CookiePrefix, Secure: o.UseSecureCookies},
		RateLimit:  core.RateLimitConfig{Enabled: &no},
		Lockout:    core.LockoutConfig{Disabled: !o.Lockout},
		ClientAddr: core.BetterAuthAddr,
		Notices:    core.NoticesConfig{Disabled: true}, // Better Auth sends none
	}
	if o.TokenStorage != "" {
		cfg.Session.TokenStorage = o.TokenStorage
	}
	if o.SendOnSignUp.set {
		cfg.Email.SendOnSignUp = o.SendOnSignUp.value
	}
	o.objects(&cfg)
	return cfg
}

// objects reads the options that are true or an object.
func (o *options) objects(cfg *core.Config) {
	var cache struct {
		MaxAge   int    `json:"maxAge"`
		Version  string `json:"version"`
		Strategy string `json:"strategy"`
	}
	if enabled(o.CookieCache, &cache) {
		cfg.Session.CookieCache = core.CookieCacheConfig{Enabled: true, MaxAge: cache.MaxAge, Version: cache.Version, Strategy: cache.Strategy}
	}
	var limit struct {
		Window      int                        `json:"window"`
		Max         int                        `json:"max"`
		CustomRules map[string]json.RawMessage `json:"customRules"`
	}
	if enabled(o.RateLimit, &limit) {
		yes := true
		cfg.RateLimit = core.RateLimitConfig{Enabled: &yes, Window: limit.Window, Max: limit.Max}
		for path, raw := range limit.CustomRules {
			var r struct{ Window, Max int }
			enabled(raw, &r)
			cfg.RateLimit.Rules = append(cfg.RateLimit.Rules, core.RateLimit{Paths: []string{path}, Max: r.Max, Window: r.Window})
		}
	}
	var cross struct {
		Domain string `json:"domain"`
	}
	if enabled(o.CrossSubDomainCookies, &cross) {
		cfg.Cookies.Domain = cross.Domain
		if cross.Domain == "" {
			cfg.Cookies.Domain = "localhost"
		}
	}
}

func enabled(raw json.RawMessage, into any) bool {
	switch string(raw) {
	case "", "null", "false":
		return false
	case "true":
		return true
	}
	return json.Unmarshal(raw, into) == nil
}

// plugins makes the plugins that PLUGINS names. A list that names one we do not have is
// an error: a scenario must not pass because nothing was asked.
func (o *options) plugins(list string) ([]core.Plugin, error) {
	out := []core.Plugin{emailpassword.New(emailpassword.Options{
		DisableSignUp: o.DisableSignUp, RequireEmailVerification: o.RequireEmailVerification, AutoSignIn: o.AutoSignIn,
		RevokeSessionsOnPasswordReset: &o.RevokeSessionsOnPasswordReset, ResetTokenExpiresIn: o.ResetPasswordTokenExpiresIn,
		DisableReset: !on(o.SendResetPassword),
	})}
	factors, err := o.twoFactor()
	if err != nil {
		return nil, err
	}
	known := map[string]func() core.Plugin{
		bearer.ID: func() core.Plugin { return bearer.New(o.Bearer) },
		i18n.ID: func() core.Plugin {
			o.I18n.OwnOnly = len(o.I18n.Translations) > 0
			return i18n.New(o.I18n)
		},
		jwt.ID:       func() core.Plugin { return jwt.New(o.JWT) },
		magiclink.ID: func() core.Plugin { return magiclink.New(o.MagicLink) },
		passkey.ID:   func() core.Plugin { return passkey.New(o.Passkey.options()) },
		twofactor.ID: func() core.Plugin { return twofactor.New(factors) },
		vault.ID:     func() core.Plugin { return vault.New(vault.Options{Keyring: o.VaultKEK}) },
		missiongrant.ID: func() core.Plugin {
			return missiongrant.New(missiongrant.Options{PublicKey: o.GrantPublicKey, ServiceKey: o.GrantServiceKey})
		},
		mailprovisioning.ID: func() core.Plugin { return mailprovisioning.New(o.Mail.provisioning()) },
		mail.ID:             func() core.Plugin { return mail.New(o.Mail.api()) },
		v1.ID:               func() core.Plugin { return v1.New(o.V1) },
		organization.ID:     func() core.Plugin { return organization.New(o.organization()) },
	}
	if ids := strings.Split(list, ","); slices.Contains(ids, v1.ID) && !slices.Contains(ids, jwt.ID) {
		list += "," + jwt.ID // whose tokens the facade hands out
	}
	for _, id := range strings.Split(list, ",") {
		if id == "" {
			continue
		}
		make, ok := known[id]
		if !ok {
			have := names(known)
			return nil, fmt.Errorf("PLUGINS: %q is not one of %s", id, strings.Join(have, ", "))
		}
		out = append(out, make())
	}
	return out, nil
}

// twoFactor reads the plugin's options, whose names are Better Auth's, over its defaults.
func (o *options) twoFactor() (twofactor.Options, error) {
	t := twofactor.Options{Enforce: "upstream", OTP: twofactor.OTPOptions{Store: "plain"}}
	if len(o.TwoFactor) == 0 {
		return t, nil
	}
	if err := yaml.UnmarshalWithOptions(o.TwoFactor, &t, yaml.Strict()); err != nil { // JSON is YAML
		return t, fmt.Errorf("OPTIONS: twoFactor: %w", err)
	}
	return t, nil
}

func names(m map[string]func() core.Plugin) (list []string) {
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

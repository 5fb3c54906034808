package passkey

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
)

// ID is the plugin's name in the config file.
const ID = "passkey"

// Options configure the plugin.
type Options struct {
	// RPID is the domain that passkeys belong to: the host of Config.BaseURL (the default) or
	// a domain above it. Passkeys do not work under another one later.
	RPID string `yaml:"rpID"`
	// RPName is what authenticators call the site. Default Config.AppName.
	RPName string `yaml:"rpName"`
	// Origins are where answers may come from, exactly as browsers write them
	// ("https://app.example.com"), and Android apps ("android:apk-key-hash:..."). Default: the
	// server's own and those of Config.TrustedOrigins that RPID covers, https or localhost.
	Origins []string `yaml:"origins"`
	// UserVerification while signing in is "preferred" (default), "required" or
	// "discouraged". A sign-in with it is one of two factors, without it of one.
	UserVerification string `yaml:"userVerification"`
	// Selection says which authenticators may be registered.
	Selection Selection `yaml:"authenticatorSelection"`
	// Attestation is "none" (default) or "direct": then registering needs an attestation
	// with a valid signature. Its certificates are not traced to a vendor.
	Attestation string `yaml:"attestation"`
	// Registration and Authentication are about the two ceremonies.
	Registration   Registration   `yaml:"registration"`
	Authentication Authentication `yaml:"authentication"`
	// ChallengeCookie is the plain name of the cookie. Default "better-auth-passkey".
	ChallengeCookie string `yaml:"webAuthnChallengeCookie"`
}

// Selection says which authenticators may be registered (WebAuthn Level 3, section 5.4.4).
type Selection struct {
	// Attachment is "platform", "cross-platform" or empty (default) for both. Clients may
	// choose one in their request.
	Attachment string `yaml:"authenticatorAttachment"`
	// ResidentKey is "preferred" (default), "required" or "discouraged".
	ResidentKey string `yaml:"residentKey"`
	// UserVerification while registering is "preferred" (default), "required" or
	// "discouraged".
	UserVerification string `yaml:"userVerification"`
}

// Registration is about registering.
type Registration struct {
	// RequireSession wants a fresh session. Default true. Without one, registering makes a
	// new user: ResolveUser and NewUser are needed.
	RequireSession *bool `yaml:"requireSession"`
	// Extensions are asked for, beside credProps. Default none.
	Extensions map[string]any `yaml:"extensions"`

	// ResolveUser says who is about to sign up. about is what the client sent as context: an
	// invitation, for instance. It is asked for the options, before anything is proved.
	ResolveUser func(ctx context.Context, c *core.Call, about string) (Candidate, error) `yaml:"-"`
	// NewUser makes the user (Host.NewUser) for whom the passkey has been verified. They are
	// stored with it; an address that is taken is refused.
	NewUser func(ctx context.Context, c *core.Call, who Candidate, about string) (*core.User, error) `yaml:"-"`
}

// Candidate is somebody who is signing up with a passkey.
type Candidate struct {
	ID          string // the app's own, handed on to NewUser; not empty
	Name        string // what the authenticator shows; not empty
	DisplayName string
}

// Authentication is about signing in.
type Authentication struct {
	// Extensions are asked for. Default none.
	Extensions map[string]any `yaml:"extensions"`
}

// Plugin is the plugin. Make it with New.
type Plugin struct {
	o        Options
	host     *core.Host
	verifier verifier
	cookie   core.Cookie
	features map[string]any
}

// New makes the plugin. Faults of the options keep it from starting.
func New(o Options) *Plugin {
	for _, d := range []struct {
		v   *string
		def string
	}{{&o.UserVerification, "preferred"}, {&o.Selection.ResidentKey, "preferred"}, {&o.Selection.UserVerification, "preferred"},
		{&o.Attestation, "none"}, {&o.ChallengeCookie, "better-auth-passkey"}} {
		if *d.v == "" {
			*d.v = d.def
		}
	}
	return &Plugin{o: o, features: map[string]any{}}
}

// open tells whether passkeys may be registered without a session.
func (p *Plugin) open() bool {
	return p.o.Registration.RequireSession != nil && !*p.o.Registration.RequireSession
}

// Spec implements core.Plugin.
func (p *Plugin) Spec() core.Spec {
	s := core.Spec{
		ID:     ID,
		Tables: []schema.Table{passkeys.Schema()},
		Endpoints: []core.Endpoint{AuthenticateOptions.Handle(p.authenticateOptions), VerifyAuthentication.Handle(p.verifyAuthentication),
			List.Handle(p.listUserPasskeys), Delete.Handle(p.delete), Update.Handle(p.update), Capability.Handle(p.capability)},
		Hooks:  []core.Hook{core.UserClaim.After(dropUnproven), core.UserRecover.After(recovered)},
		Errors: codes,
		Limits: []core.RateLimit{{Paths: []string{RegisterOptions.Path(), AuthenticateOptions.Path()}, Max: 20, Window: 60}},
		Data:   []core.DataSet{data},
		Events: []core.EventType{
			{Name: eventRegistered, Description: "A passkey was registered. Detail: passkey.", Legacy: "PASSKEY_REGISTERED"},
			{Name: eventRenamed, Description: "A passkey was given another name. Detail: passkey.", Legacy: "PASSKEY_RENAMED"},
			{Name: eventDeleted, Description: "A passkey was deleted. Detail: passkey.", Legacy: "PASSKEY_DELETED"},
			{Name: eventRegression, Description: "A passkey's counter did not grow: there may be a copy of it. The sign-in was refused. Detail: passkey.", Legacy: "PASSKEY_LOGIN_FAILURE"},
		},
		Pages: []core.PageEntry{
			{ID: ID, Kind: "sign-in", Title: "Passkey", Module: "passkey.js", Order: 20},
			{ID: ID, Kind: "account", Title: "Passkeys", Module: "passkey.js", Order: 20},
		},
		Features: p.features,
		Init:     p.init,
	}
	if p.open() {
		s.Endpoints = append(s.Endpoints, OpenRegisterOptions.Handle(p.registerOptions), OpenVerifyRegistration.Handle(p.verifyRegistration))
	} else {
		s.Endpoints = append(s.Endpoints, RegisterOptions.Handle(p.registerOptions), VerifyRegistration.Handle(p.verifyRegistration))
	}
	return s
}

const (
	eventRegistered = "passkey.registered"
	eventRenamed    = "passkey.renamed"
	eventDeleted    = "passkey.deleted"
	eventRegression = "passkey.counter-regression"
)

const challengeLife = 300 * time.Second

func (p *Plugin) init(_ context.Context, h *core.Host) error {
	p.host = h
	base, err := url.Parse(h.BaseURL())
	if err != nil {
		return err
	}
	host := strings.ToLower(base.Hostname())
	if p.o.RPID == "" {
		p.o.RPID = host
	}
	if p.o.RPName == "" {
		p.o.RPName = h.AppName()
	}
	if net.ParseIP(host) != nil {
		h.Log().Warn("passkeys do not work on an IP address: use a name, for instance localhost", "baseURL", h.BaseURL())
	}
	p.verifier = verifier{rpID: p.o.RPID, allowed: p.allowed, attested: p.o.Attestation == "direct"}
	p.cookie = h.Cookie(p.o.ChallengeCookie, challengeLife)
	p.features["rpId"], p.features["conditional"], p.features["userVerification"] = p.o.RPID, true, p.o.UserVerification
	p.features["signUp"] = p.open()
	return p.faults(host)
}

func (p *Plugin) faults(host string) error {
	var errs []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	choice := func(name, v string, list ...string) {
		fault(!slices.Contains(list, v), "%s: %q is not one of %q", name, v, list)
	}
	fault(host != p.o.RPID && !strings.HasSuffix(host, "."+p.o.RPID) || !strings.Contains(p.o.RPID, ".") && p.o.RPID != host,
		"rpID: %q is neither the host of baseURL (%s) nor a domain above it", p.o.RPID, host)
	for _, o := range p.o.Origins {
		u, ok := webOrigin(o)
		fault(!ok && !strings.HasPrefix(o, "android:apk-key-hash:"), "origins: %q is no origin as browsers write it: scheme://host or scheme://host:port, in lower case", o)
		fault(ok && u.Scheme == "http" && !fits(u, u.Hostname()), "origins: %q: browsers offer passkeys on https and localhost alone", o)
	}
	choice("userVerification", p.o.UserVerification, "preferred", "required", "discouraged")
	choice("attestation", p.o.Attestation, "none", "direct")
	choice("authenticatorSelection.residentKey", p.o.Selection.ResidentKey, "preferred", "required", "discouraged")
	choice("authenticatorSelection.userVerification", p.o.Selection.UserVerification, "preferred", "required", "discouraged")
	choice("authenticatorSelection.authenticatorAttachment", p.o.Selection.Attachment, "", "platform", "cross-platform")
	fault(p.open() && (p.o.Registration.ResolveUser == nil || p.o.Registration.NewUser == nil),
		"registration.requireSession: without a session, ResolveUser and NewUser say who signs up; only Go code can set them")
	return errors.Join(errs...)
}

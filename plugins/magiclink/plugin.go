package magiclink

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// ID is the plugin's name in the config file.
const ID = "magic-link"

// Options configure the plugin. Links are sent by core's mailer, without which the plugin
// does not start.
type Options struct {
	// ExpiresIn is a link's life in seconds. Default 300, at most 86400.
	ExpiresIn int `yaml:"expiresIn"`
	// DisableSignUp refuses, behind the link, addresses that nobody has. Default false: a
	// user is made.
	DisableSignUp bool `yaml:"disableSignUp"`
	// StoreToken is the form in which the secret is kept: "plain", "hashed" (SHA-256) or
	// "custom" (Hash). Default "hashed"; "plain" where Better Auth shares the database,
	// since that is its default.
	StoreToken string `yaml:"storeToken"`
	// ConfirmOnPost shows a page with a button instead of signing in at once, for mail
	// scanners that follow links. Scripts cannot verify a link then. Default false.
	ConfirmOnPost bool `yaml:"confirmOnPost"`
	// RateLimit bounds requests per client, for asking and following apart. Default 5 in 60 s.
	RateLimit Limit `yaml:"rateLimit"`

	// Hash makes the form that is stored with StoreToken "custom". It must be as hard to
	// invert as SHA-256.
	Hash func(token string) (string, error) `yaml:"-"`
	// GenerateToken makes the secret of a link, at least 22 characters of which none can
	// be guessed. Default: 32 letters.
	GenerateToken func(email string) (string, error) `yaml:"-"`
}

// Limit is a number of requests in a time.
type Limit struct {
	Window int `yaml:"window"` // seconds
	Max    int `yaml:"max"`
}

// Plugin is the plugin. Make it with New.
type Plugin struct {
	o    Options
	host *core.Host
}

// New makes the plugin. Faults of the options keep it from starting.
func New(o Options) *Plugin {
	if o.ExpiresIn == 0 {
		o.ExpiresIn = 300
	}
	if o.RateLimit.Window == 0 {
		o.RateLimit.Window = 60
	}
	if o.RateLimit.Max == 0 {
		o.RateLimit.Max = 5
	}
	return &Plugin{o: o}
}

// Spec implements core.Plugin.
func (p *Plugin) Spec() core.Spec {
	texts, err := contract.ReadMails(mails, "mails")
	s := core.Spec{
		ID:        ID,
		Endpoints: []core.Endpoint{SignInMagicLink.Handle(p.ask), Verify.Handle(p.verify)},
		Errors:    codes,
		Limits: []core.RateLimit{{Paths: []string{"/sign-in/magic-link*", "/magic-link/verify*"},
			Max: p.o.RateLimit.Max, Window: p.o.RateLimit.Window}},
		Mails:    texts,
		Pages:    []core.PageEntry{{ID: ID, Kind: "sign-in", Title: "Link by mail", Module: "magic-link.js", Order: 30}},
		Features: map[string]any{"signUp": !p.o.DisableSignUp, "expiresIn": p.o.ExpiresIn},
		Init:     p.init,
	}
	if err != nil {
		s.Faults = append(s.Faults, err)
	}
	if p.o.ConfirmOnPost {
		s.Endpoints = append(s.Endpoints, Confirm.Handle(p.confirm))
	}
	return s
}

func (p *Plugin) init(_ context.Context, h *core.Host) error {
	p.host = h
	if p.o.StoreToken == "" {
		p.o.StoreToken = "hashed"
		if h.Shared() {
			p.o.StoreToken = "plain"
		}
	}
	var errs []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	fault(p.o.ExpiresIn < 0 || p.o.ExpiresIn > 86400, "expiresIn: %d is not between 1 and 86400 seconds", p.o.ExpiresIn)
	fault(p.o.RateLimit.Window < 0 || p.o.RateLimit.Max < 0, "rateLimit: window and max must not be negative")
	switch p.o.StoreToken {
	case "plain", "hashed":
		fault(p.o.Hash != nil, `storeToken: Hash is set and not used: say "custom"`)
	case "custom":
		fault(p.o.Hash == nil, `storeToken: "custom" needs Options.Hash, which only Go code can set`)
	default:
		fault(true, `storeToken: %q is not "plain", "hashed" or "custom"`, p.o.StoreToken)
	}
	fault(!h.CanMail(), "no mailer is configured, and a link has to be sent by mail")
	return errors.Join(errs...)
}

func (p *Plugin) life() time.Duration { return time.Duration(p.o.ExpiresIn) * time.Second }

// lifeText is for people who read English: "5 minutes".
func (p *Plugin) lifeText() string {
	for _, u := range []struct {
		seconds int
		name    string
	}{{3600, "hour"}, {60, "minute"}} {
		switch n := p.o.ExpiresIn / u.seconds; {
		case p.o.ExpiresIn%u.seconds != 0:
		case n == 1:
			return "1 " + u.name
		default:
			return fmt.Sprintf("%d %ss", n, u.name)
		}
	}
	return fmt.Sprintf("%d seconds", p.o.ExpiresIn)
}

// mails are the texts, in five languages. Nothing that whoever asked for the link may choose is in them.
//
//go:embed mails
var mails embed.FS

const mailName = "magic-link"

package v1

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/schema"
)

// ID is the plugin's name in the config file.
const ID = "v1"

// Options configure the plugin. It needs the plugins email-password and jwt; access tokens
// have the jwt plugin's issuer, audience and life.
type Options struct {
	// MaxDailySignUps is how many users may sign up on one day (UTC), whichever way they
	// come. Default 0: any number.
	MaxDailySignUps int `yaml:"maxDailySignUps"`
	// RefreshGrace is how long, in seconds, a refresh token that was used goes on giving the
	// same successor. Default 30, at most 300. Later its use ends the session.
	RefreshGrace int `yaml:"refreshGrace"`
	// RoleField is the added field of the user that is the claim "role". Default "role".
	// Users without it have the role "user".
	RoleField string `yaml:"roleField"`
	// TierField is the added field of the user that is the claim "tier". Default
	// "accessTier". Users without it have the tier "public".
	TierField string `yaml:"tierField"`

	// Outside are services that keep something about users: what they have is erased by a
	// job when a user erases their data.
	Outside []Outside `yaml:"-"`
}

// Outside is a service elsewhere.
type Outside struct {
	ID   string // stable: jobs name it
	Name string // for people
	// Erase deletes what the service has of a user. It is called again until it returns
	// nil, for about ten hours, and must not mind a second time.
	Erase func(ctx context.Context, userID string) error
}

// Plugin is the plugin. Make it with New.
type Plugin struct {
	o         Options
	faults    []error
	host      *core.Host
	minter    contract.TokenMinter
	passwords contract.Passwords
}

// New makes the plugin. What is wrong with o keeps the Auth from starting.
func New(o Options) *Plugin {
	p := &Plugin{}
	def(&o.RefreshGrace, 30)
	def(&o.RoleField, "role")
	def(&o.TierField, "accessTier")
	if o.MaxDailySignUps < 0 {
		p.fault("maxDailySignUps: %d is negative", o.MaxDailySignUps)
	}
	if o.RefreshGrace < 0 || o.RefreshGrace > 300 {
		p.fault("refreshGrace: %d s is not between 1 and 300", o.RefreshGrace)
	}
	seen := map[string]bool{}
	for _, s := range o.Outside {
		if s.ID == "" || seen[s.ID] || s.Erase == nil {
			p.fault("outside: %q needs an id of its own and a function", s.ID)
		}
		seen[s.ID] = true
	}
	p.o = o
	return p
}

func def[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

func (p *Plugin) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf(format, args...))
}

func (p *Plugin) grace() time.Duration { return time.Duration(p.o.RefreshGrace) * time.Second }

// eventReuse is the type of a security event.
const eventReuse = "v1.refresh-token-reused"

// Spec implements core.Plugin.
func (p *Plugin) Spec() core.Spec {
	texts, err := contract.ReadMails(mails, "mails")
	s := core.Spec{
		ID:     ID,
		Faults: p.faults,
		Tables: []schema.Table{families.Schema(), signUpDays.Schema()},
		Endpoints: []core.Endpoint{
			SessionToToken.Handle(p.sessionToToken), Refresh.Handle(p.refresh), Validate.Handle(p.validate),
			SignUpStatus.Handle(p.signUpStatus), Sessions.Handle(p.sessions),
			DeleteAccount.Handle(p.deleteAccount),
			Data.Handle(p.data), ExportData.Handle(p.exportData), DeleteData.Handle(p.deleteData),
		},
		Aliases:   p.aliases(),
		Envelopes: []core.Envelope{{Prefix: auth + "/", Owns: true, Write: envelope}, {Prefix: me + "/", Write: envelope}},
		Hooks:     []core.Hook{core.Authenticate.Before(p.authenticate), core.SignOut.After(p.signedOut)},
		Errors:    codes,
		Events:    []core.EventType{{Name: eventReuse, Description: "A refresh token was used a second time: there is a copy of it. The session was ended."}},
		Jobs:      []core.JobHandler{eraseJob.Handle(p.eraseOutside)},
		Mails:     texts,
		Needs:     []core.Need{core.Require(&p.minter), core.Require(&p.passwords)},
		Init:      func(_ context.Context, h *core.Host) error { p.host = h; return nil },
	}
	if err != nil {
		s.Faults = append(s.Faults[:len(s.Faults):len(s.Faults)], err)
	}
	if p.o.MaxDailySignUps > 0 {
		s.Hooks = append(s.Hooks, core.Request.Before(p.refuseFull), core.UserCreate.Before(p.countSignUp))
	}
	return s
}

// authenticate presents the session that an access token names. What is no valid access
// token counts as nothing: the cookie decides. It gives no tokens for itself, or else a
// stolen one could be had anew for ever.
func (p *Plugin) authenticate(ctx context.Context, e *core.AuthenticateEvent) error {
	if !e.Call.Below("/api/v1/") || e.Call.Path() == SessionToToken.Path() || e.Call.Path() == Refresh.Path() {
		return nil
	}
	const scheme = "bearer "
	header := e.Call.Header("Authorization")
	if len(header) < len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) { // RFC 9110, section 11.1
		return nil
	}
	t, ok, err := p.minter.Verify(ctx, strings.Trim(header[len(scheme):], " \t"))
	if err == nil && ok {
		e.UseSessionID(t.SessionID)
	}
	return err
}

// signedOut ends the session of a refresh token that comes with a sign-out, for clients
// that have nothing else.
func (p *Plugin) signedOut(ctx context.Context, c *core.Call, _ *core.SignOutAnswer) error {
	if c.Alias() != auth+"/logout" {
		return nil
	}
	token, _ := c.BodyText("refreshToken")
	name, _, ok := split(token)
	if !ok {
		return nil
	}
	f, found, err := families.Get(ctx, p.host.DB(), familyID.Eq(hash(name)))
	if err == nil && found {
		_, err = p.host.RevokeSession(ctx, nil, f.SessionID)
	}
	return err
}

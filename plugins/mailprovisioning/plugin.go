package mailprovisioning

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/option"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/plugins/mailprovisioning/cyrus"
	"github.com/sallyport-auth/sallyport/plugins/mailprovisioning/stalwart"
)

// ID is the plugin's name in the config file.
const ID = "mail-provisioning"

// Options configure the plugin. Domain and one of Stalwart, Cyrus and Provisioner are
// required.
type Options struct {
	// Domain of the addresses, for instance "example.com".
	Domain string `yaml:"domain"`
	// When a user gets a mailbox: "verified" (default), once their address is proved, or
	// "created", when they sign up.
	When string `yaml:"when"`
	// Reserved are local parts that nobody gets, beside those of RFC 2142 and others that
	// people take for the operator's.
	Reserved []string `yaml:"reserved"`
	// ServiceKey is what another service shows to have a mailbox made or deleted, 32
	// characters at least. Default none, and nobody may.
	ServiceKey string `yaml:"serviceKey" secret:"true"`
	// ServiceKeyFile is a file with it, in the place of serviceKey.
	ServiceKeyFile string `yaml:"serviceKeyFile"`
	// Stalwart is a Stalwart Mail Server.
	Stalwart stalwart.Options `yaml:"stalwart"`
	// Cyrus is a Cyrus IMAP server.
	Cyrus cyrus.Options `yaml:"cyrus"`
	// Provisioner is another mail server.
	Provisioner contract.MailProvisioner `yaml:"-"`
}

// Plugin is the plugin. Make it with New.
type Plugin struct {
	o           Options
	faults      []error
	reserved    map[string]bool
	serviceKey  string
	provisioner contract.MailProvisioner
	host        *core.Host
}

var domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// New makes the plugin. Faults of the options keep it from starting.
func New(o Options) *Plugin {
	if o.When == "" {
		o.When = "verified"
	}
	p := &Plugin{o: o, reserved: reservedSet(o.Reserved), serviceKey: strings.TrimSpace(o.ServiceKey)}
	if !domainForm.MatchString(o.Domain) {
		p.fault("domain: %q is no domain in lower case (an international one is written as xn--)", o.Domain)
	}
	if o.When != "verified" && o.When != "created" {
		p.fault(`when: %q is neither "verified" nor "created"`, o.When)
	}
	var err error
	if p.serviceKey, err = option.Secret("serviceKey", p.serviceKey, o.ServiceKeyFile); err != nil {
		p.fault("%w", err)
	}
	if p.serviceKey != "" && len(p.serviceKey) < 32 {
		p.fault("serviceKey: want 32 characters at least (openssl rand -base64 32)")
	}
	p.choose()
	return p
}

// choose takes the one mail server that is configured.
func (p *Plugin) choose() {
	n := 0
	if p.o.Provisioner != nil {
		n, p.provisioner = n+1, p.o.Provisioner
	}
	if p.o.Stalwart.URL != "" {
		s, err := stalwart.New(p.o.Stalwart)
		if err != nil {
			p.fault("stalwart.%w", err)
		}
		n, p.provisioner = n+1, s
	}
	if p.o.Cyrus.Address != "" {
		c, err := cyrus.New(p.o.Cyrus)
		if err != nil {
			p.fault("cyrus.%w", err)
		}
		n, p.provisioner = n+1, c
	}
	if n != 1 {
		p.fault("give one mail server: stalwart.url or cyrus.address")
	}
}

func (p *Plugin) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf(format, args...))
}

const (
	eventCreated = "mailbox.created"
	eventDeleted = "mailbox.deleted"
)

// Spec implements core.Plugin.
func (p *Plugin) Spec() core.Spec {
	return core.Spec{
		ID:        ID,
		Faults:    p.faults,
		Tables:    []schema.Table{mailboxes.Schema()},
		Endpoints: []core.Endpoint{Created.Handle(p.onCreated), Deleted.Handle(p.onDeleted)},
		Envelopes: []core.Envelope{{Prefix: "/api/v1/internal/mail/", Write: hookFailure}},
		Hooks:     []core.Hook{core.UserCreate.After(p.userCreated), core.UserUpdate.After(p.userUpdated)},
		Errors:    codes,
		Jobs:      []core.JobHandler{provision.Handle(p.create), removal.Handle(p.delete)},
		Events: []core.EventType{
			{Name: eventCreated, Description: "A mailbox was made for the user."},
			{Name: eventDeleted, Description: "A mailbox of a user who has gone was deleted."},
		},
		Data:     []core.DataSet{p.data()},
		Provides: []core.Service{core.Provide[contract.Mailboxes](lender{p})},
		Init: func(_ context.Context, h *core.Host) error {
			p.host = h
			return nil
		},
	}
}

// userCreated and userUpdated have the mailbox made in the transaction that makes the user,
// or that proves their address: it is lost with neither an outage nor a crash.
func (p *Plugin) userCreated(ctx context.Context, e *core.UserCreateEvent) error {
	if p.o.When == "verified" && !e.User.EmailVerified {
		return nil
	}
	_, err := p.reserve(ctx, e.Tx, e.User.ID, e.User.Name, e.User.Email)
	return err
}

func (p *Plugin) userUpdated(ctx context.Context, e *core.UserUpdateEvent) error {
	if e.Change.EmailVerified == nil || !e.User.EmailVerified {
		return nil
	}
	_, err := p.reserve(ctx, e.Tx, e.User.ID, e.User.Name, e.User.Email)
	return err
}

var errNoMailbox = errors.New("mail-provisioning: the user has no mailbox yet")

// lender is contract.Mailboxes.
type lender struct{ p *Plugin }

// Credentials implements contract.Mailboxes.
func (l lender) Credentials(ctx context.Context, userID string) (contract.MailCredentials, error) {
	m, found, err := mailboxes.Get(ctx, l.p.host.DB(), colUser.Eq(userID), colState.Eq(stateActive))
	if err != nil {
		return contract.MailCredentials{}, err
	}
	if !found {
		return contract.MailCredentials{}, ErrNoMailbox.Because(errNoMailbox)
	}
	password, err := l.p.host.Open(sealPurpose, m.Secret, []byte(m.UserID))
	if err != nil {
		return contract.MailCredentials{}, err
	}
	return contract.MailCredentials{Name: m.Name, Address: m.Email, DisplayName: m.DisplayName, Password: string(password)}, nil
}

package mail

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/plugins/mail/jmap"
	"github.com/sallyport-auth/sallyport/plugins/mail/submit"
)

// ID is the plugin's name in the config file.
const ID = "mail"

// Options configure the plugin. URL is required, and a plugin that provides
// contract.Mailboxes: mail-provisioning does.
type Options struct {
	// URL of the mail server's JMAP: its origin, or its session resource where that is not at
	// /.well-known/jmap. https, or http to a loopback address. Users' passwords go to this
	// origin alone, whatever host the server names.
	URL string `yaml:"url"`
	// Timeout bounds each request to the mail server and each delivery to the relay, as a
	// duration. Default 10s, at most 1m. A request of a user has the server's own timeout beside.
	Timeout time.Duration `yaml:"timeout"`
	// SMTP is the relay that sends users' mail. Default none: JMAP sends it, which wants a server
	// that can (urn:ietf:params:jmap:submission).
	SMTP submit.Options `yaml:"smtp"`
	// RecipientsPerDay is to how many recipients a user may send on one day (UTC). Default 500.
	RecipientsPerDay int `yaml:"recipientsPerDay"`
	// TLSConfig is for a private certificate authority of the mail server. Default the system's.
	TLSConfig *tls.Config `yaml:"-"`
}

// Plugin is the plugin. Make it with New.
type Plugin struct {
	o         Options
	faults    []error
	host      *core.Host
	mailboxes contract.Mailboxes
	client    *jmap.Client
	relay     *submit.Relay // nil: by JMAP
	sessions  *sessions
}

// New makes the plugin. Faults of the options keep it from starting.
func New(o Options) *Plugin {
	p := &Plugin{sessions: &sessions{}}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Timeout < 0 || o.Timeout > time.Minute {
		p.fault("timeout: %v is not between 0 and 1m", o.Timeout)
		o.Timeout = time.Second
	}
	if o.RecipientsPerDay == 0 {
		o.RecipientsPerDay = 500
	}
	if o.RecipientsPerDay < 0 {
		p.fault("recipientsPerDay: %d is negative", o.RecipientsPerDay)
	}
	var err error
	if p.client, err = jmap.New(jmap.Options{URL: o.URL, Timeout: o.Timeout, TLS: o.TLSConfig}); err != nil {
		p.fault("%w", err)
	}
	if o.SMTP != (submit.Options{}) {
		if p.relay, err = submit.New(o.SMTP, o.Timeout); err != nil {
			p.fault("smtp.%w", err)
		}
	}
	p.o = o
	return p
}

func (p *Plugin) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf(format, args...))
}

// Spec implements core.Plugin.
func (p *Plugin) Spec() core.Spec {
	return core.Spec{
		ID:     ID,
		Faults: p.faults,
		Tables: []schema.Table{settings.Schema()},
		Endpoints: []core.Endpoint{
			Threads.Handle(p.threads), ReadThread.Handle(p.readThread), UpdateMessage.Handle(p.updateMessage),
			Attachment.Handle(p.attachment), Upload.Handle(p.upload), Send.Handle(p.send),
			Labels.Handle(p.labels), MakeLabel.Handle(p.makeLabel), Accounts.Handle(p.accounts), UpdateAccount.Handle(p.updateAccount),
		},
		Pages:     []core.PageEntry{{ID: ID, Kind: "page", Title: "Mail", Module: "mail.js", Order: 10}},
		Envelopes: []core.Envelope{{Prefix: base + "/", Owns: true, Write: envelope}},
		Errors:    codes,
		Limits:    []core.RateLimit{{Paths: []string{Send.Path()}, Max: 30, Window: 60}},
		Data:      []core.DataSet{data()},
		Needs:     []core.Need{core.Require(&p.mailboxes)},
		Init:      func(_ context.Context, h *core.Host) error { p.host = h; return nil },
		Close:     func(context.Context) error { p.client.Close(); return nil },
	}
}

// envelope is the old service's form of failures, with the code beside it.
func envelope(f core.Failure) core.Response {
	body, err := json.Marshal(map[string]any{"statusCode": f.Status, "message": f.Message, "code": f.Code})
	if err != nil { // texts and a number: it cannot fail
		body = []byte(`{"statusCode":500}`)
	}
	return core.Response{Status: f.Status, Header: []core.Field{{Name: "Content-Type", Value: "application/json"}}, Body: body}
}

// wholeSeconds is a duration for Retry-After, rounded up.
func wholeSeconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}

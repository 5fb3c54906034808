package webhooks

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// ID is the plugin's name in the config file.
const ID = "webhooks"

// Options configure the plugin. Endpoints are required.
type Options struct {
	// Endpoints are who is told.
	Endpoints []Endpoint `yaml:"endpoints"`
	// Timeout bounds one delivery, from looking up the name to the head of the answer, as a
	// duration. At most 25s. Default 15s.
	Timeout time.Duration `yaml:"timeout"`
	// AllowHTTP lets URLs be plain http, so that whoever sits on the line reads what is sent.
	// Loopback addresses may be anyway. Default false.
	AllowHTTP bool `yaml:"allowHttp"`
	// AllowNetworks are networks that are not public and have receivers, for instance
	// [10.1.2.0/24]. Default none: private, loopback, link-local and other special addresses
	// are refused when they are connected to.
	AllowNetworks []string `yaml:"allowNetworks"`
	// Proxy is a proxy for all deliveries, "http://host:port". It looks up the names, and which
	// addresses may be reached is its business then, not that of allowNetworks. Default none;
	// the environment's (HTTPS_PROXY) is not used.
	Proxy string `yaml:"proxy"`
	// Resolver looks up names. Default the system's.
	Resolver *net.Resolver `yaml:"-"`
	// TLS is for receivers with certificates of an authority of one's own, or that ask for
	// one. Default the system's authorities.
	TLS *tls.Config `yaml:"-"`
}

// Endpoint is one receiver.
type Endpoint struct {
	// URL takes the events by POST.
	URL string `yaml:"url"`
	// Secret signs: "whsec_" and 24 to 64 random bytes in base64, as
	// "echo whsec_$(openssl rand -base64 32)" prints. Several, with spaces between them, all
	// sign: for rotation. Each endpoint has its own.
	Secret string `yaml:"secret" secret:"true"`
	// SecretFile is a file with it, or with several, in the place of secret.
	SecretFile string `yaml:"secretFile"`
	// Events are types of events or beginnings of them, for instance [user.*,
	// organization.created]. Default all.
	Events []string `yaml:"events"`
}

const (
	defaultTimeout = 15 * time.Second
	maxTimeout     = 25 * time.Second // a job has 30 s
)

// Plugin is the plugin. Make it with New.
type Plugin struct {
	o         Options
	faults    []error
	endpoints []*endpoint
	client    *http.Client
	host      *core.Host
}

// New makes the plugin. Faults of the options keep it from starting.
func New(o Options) *Plugin {
	p := &Plugin{o: o}
	if p.o.Timeout == 0 {
		p.o.Timeout = defaultTimeout
	}
	if p.o.Timeout < 0 || p.o.Timeout > maxTimeout {
		p.fault("timeout: %v is not between 0 and %v", p.o.Timeout, maxTimeout)
	}
	networks, err := parseNetworks(o.AllowNetworks)
	if err != nil {
		p.fault("allowNetworks%w", err)
	}
	proxy, err := parseProxy(o.Proxy)
	if err != nil {
		p.fault("proxy: %w", err)
	}
	p.client = newClient(guard{networks}, proxy, o.Resolver, o.TLS)
	p.readEndpoints(networks)
	return p
}

func (p *Plugin) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf(format, args...))
}

// readEndpoints parses the endpoints. Two of them share neither URL nor secret: a URL names
// a delivery's endpoint, and who knows the secret of another could pretend to it.
func (p *Plugin) readEndpoints(networks []netip.Prefix) {
	if len(p.o.Endpoints) == 0 {
		p.fault("endpoints: there is nobody to tell")
	}
	urls, secrets := map[string]int{}, map[string]int{}
	for i, o := range p.o.Endpoints {
		e, faults := newEndpoint(o, guard{networks}, p.o.AllowHTTP)
		for _, err := range faults {
			p.fault("endpoints[%d].%w", i, err)
		}
		e.name = fmt.Sprintf("endpoints[%d] (%s)", i, e.host)
		if other, taken := urls[e.url]; taken && e.url != "" {
			p.fault("endpoints[%d].url: endpoints[%d] has the same", i, other)
		}
		urls[e.url] = i
		for _, key := range e.keys {
			if other, taken := secrets[string(key)]; taken {
				p.fault("endpoints[%d].secret: it was given before, by endpoints[%d]", i, other)
			}
			secrets[string(key)] = i
		}
		p.endpoints = append(p.endpoints, e)
	}
}

func parseProxy(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("want http://host:port") // without the text: it may hold a password
	}
	return u, nil
}

// Spec implements core.Plugin.
func (p *Plugin) Spec() core.Spec {
	return core.Spec{
		ID:     ID,
		Faults: p.faults,
		Hooks:  p.hooks(),
		Jobs:   []core.JobHandler{delivery.Handle(p.deliver)},
		Commands: []core.Command{
			{Name: "test", Summary: "send a signed event of the type test to the receivers, or to that of a URL", Run: p.testCommand},
		},
		Init: func(_ context.Context, h *core.Host) error {
			p.host = h
			return nil
		},
	}
}

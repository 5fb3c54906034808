package missiongrant

import (
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/option"
	"github.com/sallyport-auth/sallyport/plugins/missiongrant/grant"
)

// ID is the plugin's name in the config file.
const ID = "mission-grant"

// Options configure the plugin. Without a public key every request for a grant is
// answered GRANT_NOT_CONFIGURED.
type Options struct {
	// PublicKey of the runner that grants are made for: RSA of 2048 to 4096 bits, as PEM
	// (SubjectPublicKeyInfo). Several blocks are several runners' keys, or old ones; the
	// first is used.
	PublicKey string `yaml:"publicKey"`
	// PublicKeyFile is a file with them, in the place of publicKey.
	PublicKeyFile string `yaml:"publicKeyFile"`
	// SigningKey is the seed of the Ed25519 key that signs grants: 32 random bytes in base64.
	// Default: made from the secret, and so another one after the secret was rotated.
	SigningKey string `yaml:"signingKey" secret:"true"`
	// ServiceKey is what runners show to ask for a grant's status: 32 characters at least.
	// Default none, and nobody may ask.
	ServiceKey string `yaml:"serviceKey" secret:"true"`
	// ServiceKeyFile is a file with it, in the place of serviceKey.
	ServiceKeyFile string `yaml:"serviceKeyFile"`
	// Tables are those whose records may be granted. Default: any name of letters, digits,
	// "-" and "_".
	Tables []string `yaml:"tables"`
}

// Plugin is the plugin. Make it with New.
type Plugin struct {
	o          Options
	faults     []error
	recipients []*rsa.PublicKey
	ids        []string // of the recipients
	signer     ed25519.PrivateKey
	serviceKey string
	tables     map[string]bool
	host       *core.Host
	vault      contract.Vault
}

// New makes the plugin. Faults of the options keep it from starting.
func New(o Options) *Plugin {
	p := &Plugin{o: o, tables: map[string]bool{}}
	text := p.either("publicKey", o.PublicKey, o.PublicKeyFile)
	var err error
	if p.recipients, err = parseKeys(text); err != nil {
		p.fault("publicKey: %w", err)
	}
	for _, k := range p.recipients {
		id, err := grant.KeyID(k)
		if err != nil {
			p.fault("publicKey: %w", err)
		}
		p.ids = append(p.ids, id)
	}
	p.serviceKey = strings.TrimSpace(p.either("serviceKey", o.ServiceKey, o.ServiceKeyFile))
	if p.serviceKey != "" && len(p.serviceKey) < 32 {
		p.fault("serviceKey: want 32 characters at least (openssl rand -base64 32)")
	}
	if o.SigningKey != "" {
		seed, err := base64.StdEncoding.Strict().DecodeString(o.SigningKey)
		if err != nil || len(seed) != ed25519.SeedSize {
			p.fault("signingKey: want exactly 32 bytes in base64 (openssl rand -base64 32)")
		} else {
			p.signer = ed25519.NewKeyFromSeed(seed)
		}
	}
	for _, t := range o.Tables {
		if !tableForm.MatchString(t) {
			p.fault("tables: %q is no name of a table", t)
		}
		p.tables[t] = true
	}
	return p
}

var tableForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)

func (p *Plugin) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf(format, args...))
}

// either is a text of the options or of a file.
func (p *Plugin) either(name, text, file string) string {
	text, err := option.Secret(name, text, file)
	if err != nil {
		p.fault("%w", err)
	}
	return text
}

// parseKeys reads RSA public keys from PEM blocks.
func parseKeys(text string) ([]*rsa.PublicKey, error) {
	var out []*rsa.PublicKey
	rest := []byte(text)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, errors.New("a PEM block is no SubjectPublicKeyInfo")
		}
		k, ok := key.(*rsa.PublicKey)
		if !ok || k.N.BitLen() < 2048 || k.N.BitLen() > 4096 {
			return nil, errors.New("want RSA keys of 2048 to 4096 bits")
		}
		out = append(out, k)
	}
	if strings.TrimSpace(string(rest)) != "" {
		return nil, errors.New("want PEM blocks and nothing else")
	}
	return out, nil
}

// Spec implements core.Plugin.
func (p *Plugin) Spec() core.Spec {
	return core.Spec{
		ID:        ID,
		Faults:    p.faults,
		Tables:    tables(),
		Endpoints: []core.Endpoint{p.issueEndpoint(), List.Handle(p.list), Revoke.Handle(p.revoke), p.auditEndpoint(), Status.Handle(p.status), Keys.Handle(p.keys)},
		Errors:    codes,
		Limits:    []core.RateLimit{{Paths: []string{Issue.Path(), Revoke.Path()}, Max: 20, Window: 60}},
		Events: []core.EventType{
			{Name: eventIssued, Description: "Keys of records were granted to a mission."},
			{Name: eventRevoked, Description: "Grants of a mission were revoked."},
		},
		Hooks: []core.Hook{core.UserClaim.After(p.claimed), core.UserRecover.After(p.recovered)},
		Data:  []core.DataSet{p.data()},
		Needs: []core.Need{core.Require(&p.vault)},
		Init:  p.init,
	}
}

const (
	eventIssued  = "mission-grant.issued"
	eventRevoked = "mission-grant.revoked"
)

func (p *Plugin) init(_ context.Context, h *core.Host) error {
	p.host = h
	if p.signer == nil {
		p.signer = ed25519.NewKeyFromSeed(h.MAC("mission grant signing key"))
	}
	return nil
}

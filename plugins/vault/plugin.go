package vault

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/option"
	"github.com/sallyport-auth/sallyport/plugins/vault/transit"
)

// ID is the plugin's name in the config file.
const ID = "vault"

// Options configure the plugin. Production wants a keyring, Transit, or a Provider.
type Options struct {
	// Keyring holds the key-encryption keys: "id:base64" each, separated by commas, 32 random
	// bytes in base64 (openssl rand -base64 32). The first wraps, all unwrap. A key without
	// an id is "env-v1".
	Keyring string `yaml:"keyring" secret:"true"`
	// KeyringFile is a file with the keyring, an entry a line, in the place of keyring.
	KeyringFile string `yaml:"keyringFile"`
	// Transit has a Vault or OpenBao server wrap; the keyring then only unwraps what is left
	// under its keys.
	Transit transit.Options `yaml:"transit"`
	// Provider wraps in the place of both; they only unwrap.
	Provider contract.KeyProvider `yaml:"-"`
}

// Plugin is the plugin. Make it with New.
type Plugin struct {
	o      Options
	faults []error
	ring   []KEK
	keys   contract.KeyProvider
	host   *core.Host
}

// New makes the plugin. Faults of the options keep it from starting.
func New(o Options) *Plugin {
	p := &Plugin{o: o}
	text, err := option.Secret("keyring", o.Keyring, o.KeyringFile)
	if err != nil {
		p.fault("%w", err)
	}
	p.ring = ParseKeys(text)
	p.faults = append(p.faults, o.Transit.Faults()...)
	if len(p.ring) > 0 {
		if _, err := NewKeyring(nil, p.ring...); err != nil {
			p.fault("keyring: %w", err)
		}
	}
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
		Tables: tables(),
		Steps:  steps,
		Endpoints: []core.Endpoint{
			old(Status.Handle(p.status), "GET", "/status"),
			old(Init.Handle(p.initialise), "POST", "/init"),
			old(Key.Handle(p.fetch), "GET", "/key"),
			old(Rotate.Handle(p.rotate), "POST", "/rotate"),
			old(SetRecovery.Handle(p.setRecovery), "POST", "/recovery-wrap"),
			old(ClearRecovery.Handle(p.clearRecovery), "DELETE", "/recovery-wrap"),
			old(SetZero.Handle(p.setZero), "POST", "/zero-knowledge"),
			old(Audit.Handle(p.audit), "GET", "/audit"),
		},
		Errors:   codes,
		Limits:   []core.RateLimit{{Paths: []string{"/vault/*"}, Max: 30, Window: 60}},
		Commands: []core.Command{{Name: "rewrap", Summary: "move every wrapped key to the active key-encryption key", Run: p.rewrapCommand}, {Name: "keys", Summary: "count the wrapped keys under each key-encryption key", Run: p.keysCommand}},
		Data:     []core.DataSet{p.data()},
		Provides: []core.Service{core.Provide[contract.Vault](lender{p})},
		Init:     p.init,
	}
}

func (p *Plugin) init(_ context.Context, h *core.Host) error {
	p.host = h
	var list providers
	if p.o.Provider != nil {
		list = append(list, p.o.Provider)
	}
	if p.o.Transit.Address != "" {
		t, err := transit.New(p.o.Transit)
		if err != nil {
			return err
		}
		list = append(list, t)
	}
	if err := p.checkFile(); err != nil {
		return err
	}
	ring := p.ring
	switch {
	case len(ring) > 0 || len(list) > 0:
	case h.Production():
		return errors.New("there is no key-encryption key: set keyring, keyringFile or transit")
	default:
		h.Log().Warn("the vault's key-encryption key is made from the secret: set a keyring before there is data to keep")
		ring = []KEK{{ID: "development", Key: base64.StdEncoding.EncodeToString(h.MAC("vault development key"))}}
	}
	if len(ring) > 0 {
		k, err := NewKeyring(h.Random(), ring...)
		if err != nil {
			return err
		}
		list = append(list, k)
	}
	p.keys = list
	return nil
}

// checkFile refuses a keyring that everybody on the machine can read.
func (p *Plugin) checkFile() error {
	if p.o.KeyringFile == "" {
		return nil
	}
	info, err := os.Stat(p.o.KeyringFile)
	if err != nil || info.Mode().Perm()&0o004 == 0 {
		return err
	}
	if p.host.Production() {
		return fmt.Errorf("keyringFile: %s can be read by everybody: chmod 600 it", p.o.KeyringFile)
	}
	p.host.Log().Warn("the vault's keyring file can be read by everybody: chmod 600 it", "file", p.o.KeyringFile)
	return nil
}

// lender is contract.Vault.
type lender struct{ p *Plugin }

func (l lender) WithMasterKey(ctx context.Context, by contract.VaultAccess, fn func([]byte, int) error) error {
	a := &act{p: l.p, userID: by.UserID, ip: by.IPAddress, agent: by.UserAgent, action: by.Action, failed: "failed_" + by.Action}
	key, version, err := l.lend(ctx, a, by.Context)
	if err != nil {
		a.fails(ctx, err)
		return err
	}
	defer zero(key)
	return fn(key, version)
}

func (l lender) lend(ctx context.Context, a *act, why string) ([]byte, int, error) {
	defer a.panicked(ctx)
	v, err := l.p.mustRead(ctx, a.userID, "not-initialised", a)
	if err != nil {
		return nil, 0, err
	}
	if v.ZeroKnowledge {
		a.why = "zk-active"
		return nil, 0, ErrZeroKnowledge
	}
	key, err := l.p.unwrap(ctx, v)
	if err != nil {
		a.why = "unwrap-failed"
		return nil, 0, err
	}
	if err := a.as(ctx, func(ctx context.Context, tx *core.Tx) error { return a.done(ctx, tx, 200, why) }); err != nil {
		zero(key)
		return nil, 0, err
	}
	return key, v.KeyVersion, nil
}

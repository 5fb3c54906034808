package jwt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/schema"
)

// ID is the plugin's name in the config file.
const ID = "jwt"

// Options configure the plugin.
type Options struct {
	// Issuer is the claim iss. Default: the base URL.
	Issuer string `yaml:"issuer"`
	// Audience is the claim aud: one text, or a list if there are several. Default: the base
	// URL.
	Audience []string `yaml:"audience"`
	// ExpirationTime is a token's life in seconds. Default 900, at most 86400: a token
	// cannot be revoked.
	ExpirationTime int `yaml:"expirationTime"`
	// Subject is the field of the user that is the claim sub; it must hold a text that is
	// not empty. Default "id".
	Subject string `yaml:"subject"`
	// Payload lists the fields of the user that are claims; an empty list is none. Default:
	// all that clients see. Names of registered claims (iss, sub, aud, exp, iat, nbf, jti,
	// sid) are refused.
	Payload []string `yaml:"payload"`
	// Algorithm of new keys: "EdDSA" (default), "ES256", "ES512", "RS256" or "PS256". Keys
	// that are there go on signing until they are rotated.
	Algorithm string `yaml:"algorithm"`
	// ModulusLength of new RSA keys in bits, 2048 to 8192. Default 2048.
	ModulusLength int `yaml:"modulusLength"`
	// JWKSPath is where the public keys are, below the base path. Default "/jwks".
	JWKSPath string `yaml:"jwksPath"`
	// DisableHeader leaves out set-auth-jwt on /get-session. Default false.
	DisableHeader bool `yaml:"disableSettingJwtHeader"`
	// DisablePrivateKeyEncryption writes new private keys to the database as they are: who
	// reads it can sign. Default false. Keys that are there are read in either form.
	DisablePrivateKeyEncryption bool `yaml:"disablePrivateKeyEncryption"`
	// RotationInterval is how long, in seconds, a new key signs; at least 3600. Default 0:
	// until "keys rotate".
	RotationInterval int `yaml:"rotationInterval"`
	// GracePeriod is how long, in seconds, the public key of one that no longer signs stays
	// known. Default 2592000 (30 days); at least 60 more than ExpirationTime, at most a
	// thousand times RotationInterval, where there is one.
	GracePeriod int `yaml:"gracePeriod"`

	// PayloadFunc gives the claims, in place of Payload. Registered claims in it are left
	// out. Its error fails /token, and costs /get-session its header.
	PayloadFunc func(context.Context, *core.SessionAnswer) (map[string]any, error) `yaml:"-"`
	// SubjectFunc gives the claim sub, in place of Subject.
	SubjectFunc func(context.Context, *core.SessionAnswer) (string, error) `yaml:"-"`
}

// Plugin is the plugin. Make it with New.
type Plugin struct {
	o      Options
	host   *core.Host
	faults []error
	jwks   *core.Route[core.None, KeySet]

	tail     []byte // ,"iss":...,"aud":...} of every token
	reserved bool   // the user has a field with the name of a registered claim

	turn   chan struct{} // held by who reads keys
	cached atomic.Pointer[cachedKey]
	ring   atomic.Pointer[keyRing]
	warned sync.Map // what was logged once
}

// New makes the plugin. What is wrong with o keeps the Auth from starting.
func New(o Options) *Plugin {
	p := &Plugin{turn: make(chan struct{}, 1)}
	set(&o.ExpirationTime, 900)
	set(&o.Subject, "id")
	set(&o.Algorithm, algorithms[0])
	set(&o.ModulusLength, minModulus)
	set(&o.JWKSPath, JWKS.Path())
	set(&o.GracePeriod, 30*86400)
	p.o = o
	p.limits()
	if p.jwks = JWKS; o.JWKSPath != JWKS.Path() && validPath(o.JWKSPath) {
		p.jwks = core.NewRoute[core.None, KeySet]("GET "+o.JWKSPath, core.Public)
	}
	return p
}

// maxPublished is how many keys that have ended may be known at once; package verify reads
// as many.
const maxPublished = 1000

func set[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

func (p *Plugin) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf(format, args...))
}

// limits checks what depends on nothing else.
func (p *Plugin) limits() {
	o := &p.o
	if !slices.Contains(algorithms, o.Algorithm) {
		p.fault("algorithm: %q is none of %s", o.Algorithm, strings.Join(algorithms, ", "))
	}
	if o.ModulusLength < minModulus || o.ModulusLength > maxModulus {
		p.fault("modulusLength: %d is not between %d and %d", o.ModulusLength, minModulus, maxModulus)
	}
	if o.ExpirationTime < 0 || o.ExpirationTime > 86400 {
		p.fault("expirationTime: %d s is not between 1 and 86400", o.ExpirationTime)
	}
	if o.RotationInterval != 0 && o.RotationInterval < 3600 {
		p.fault("rotationInterval: %d s is neither 0 nor at least 3600", o.RotationInterval)
	}
	if o.GracePeriod < o.ExpirationTime+60 {
		p.fault("gracePeriod: %d s is less than expirationTime (%d s) and a minute: tokens would outlive their key", o.GracePeriod, o.ExpirationTime)
	}
	if o.RotationInterval > 0 && (o.GracePeriod-1)/maxPublished >= o.RotationInterval {
		p.fault("gracePeriod: %d s is more than %d times rotationInterval (%d s): so many keys no verifier reads", o.GracePeriod, maxPublished, o.RotationInterval)
	}
	if !validPath(o.JWKSPath) {
		p.fault("jwksPath: %q must begin with one slash, end in none, and have neither \"..\" nor a parameter", o.JWKSPath)
	}
	if slices.Contains(o.Audience, "") {
		p.fault("audience: an empty text")
	}
	if o.Payload != nil && o.PayloadFunc != nil {
		p.fault("payload: given both as a list and as a function")
	}
	for _, name := range o.Payload {
		if isRegistered(name) {
			p.fault("payload: %q is a registered claim and cannot be set", name)
		}
	}
}

func validPath(path string) bool {
	return len(path) > 1 && path[0] == '/' && !strings.HasSuffix(path, "/") && !strings.Contains(path, "//") &&
		!strings.Contains(path, "..") && !strings.ContainsAny(path, ":*?# \\")
}

// Spec implements core.Plugin.
func (p *Plugin) Spec() core.Spec {
	s := core.Spec{
		ID:        ID,
		Tables:    []schema.Table{keys.Schema()},
		Endpoints: []core.Endpoint{Token.Handle(p.token), p.jwks.Handle(p.keySet)},
		Errors:    codes,
		Commands:  []core.Command{{Name: "keys", Summary: "list, rotate or rewrap the signing keys: keys list|rotate|rewrap", Run: p.keysCommand}},
		Provides:  []core.Service{core.Provide[contract.TokenMinter](minter{p})},
		Events: []core.EventType{
			{Name: eventCreated, Description: "The first key that signs was made, or the next one behind one that had run out. Detail: kid."},
			{Name: eventRotated, Description: "An operator had a new key made. Detail: kid."},
			{Name: eventRewrapped, Description: "An operator had the private keys encrypted anew. Detail: keys (how many)."},
		},
		Init: p.init,
	}
	if !p.o.DisableHeader {
		s.Hooks = []core.Hook{core.GetSession.After(p.addHeader)}
	}
	return s
}

// init checks what depends on the host, and prepares what all tokens share.
func (p *Plugin) init(_ context.Context, h *core.Host) error {
	p.host = h
	set(&p.o.Issuer, h.BaseURL())
	if len(p.o.Audience) == 0 {
		p.o.Audience = []string{h.BaseURL()}
	}
	fields, err := userFields(h)
	if err != nil {
		return err
	}
	p.reserved = slices.ContainsFunc(fields, isRegistered)
	for _, name := range append(slices.Clone(p.o.Payload), p.o.Subject) {
		if !slices.Contains(fields, name) {
			p.fault("%q is no field of the user that clients see: there are %s", name, strings.Join(fields, ", "))
		}
	}
	if p.tail, err = tail(p.o.Issuer, p.o.Audience); err != nil {
		return err
	}
	if p.o.DisablePrivateKeyEncryption && h.Production() {
		h.Log().Warn("disablePrivateKeyEncryption: whoever reads the database can sign tokens")
	}
	return errors.Join(p.faults...)
}

const (
	eventCreated   = "jwt.key-created"
	eventRotated   = "jwt.keys-rotated"
	eventRewrapped = "jwt.keys-rewrapped"
)

func (p *Plugin) grace() time.Duration { return time.Duration(p.o.GracePeriod) * time.Second }

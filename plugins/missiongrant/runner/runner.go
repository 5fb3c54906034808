// Package runner is a mission's side of a grant: it opens what the user's server made,
// decrypts the records that were granted and no other, and writes down each time that it
// did. It knows no server: give it the keys and where the audit goes.
//
//	r, err := runner.New(runner.Options{PrivateKeys: keys, Issuers: issuers, Audit: audit, Revoked: revoked})
//	m, err := r.Open(ctx, raw, runner.Mission{UserID: "u1", ID: "mission-abc"})
//	text, err := m.Decrypt(ctx, "notes", "n1", stored)
//
// Every refusal is an *Error with a Reason. A failure of the audit is one too: what cannot
// be written down is not decrypted.
package runner

import (
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/missiongrant/grant"
)

// Reason says why a grant or a record was refused.
type Reason string

// The reasons.
const (
	NotConfigured  Reason = "not-configured"  // there is no private key
	Expired        Reason = "expired"         // the grant has ended, or not begun
	Malformed      Reason = "malformed"       // it is no grant
	WrapRejected   Reason = "wrap-rejected"   // for another recipient, by another issuer, or altered
	Revoked        Reason = "revoked"         // the user took it back, or the server does not know it
	ScopeViolation Reason = "scope-violation" // for another user or mission, or a record that is not granted

	RecordMalformed Reason = "ciphertext-malformed"             // the record is not in the form enc:1:
	RecordRejected  Reason = "ciphertext-tampered-or-wrong-key" // it does not open under its key
	NotAudited      Reason = "not-audited"                      // the audit cannot be written
	Unknown         Reason = "unknown"                          // whether it was revoked cannot be told now
)

// Error is a refusal.
type Error struct {
	Reason Reason
	Err    error // the cause; nil where the reason says it all
}

func (e *Error) Error() string {
	if e.Err == nil {
		return "mission grant: " + string(e.Reason)
	}
	return fmt.Sprintf("mission grant: %s: %v", e.Reason, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ReasonOf returns the reason of an error of this package, or "".
func ReasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

func refuse(r Reason, err error) *Error { return &Error{r, err} }

// Options say what a runner knows.
type Options struct {
	// PrivateKeys open grants; several while one takes the place of another. Without any,
	// every grant is refused as not-configured.
	PrivateKeys []*rsa.PrivateKey
	// Issuers are the servers' signing keys (GET /mission-grant/keys). Needed for version 2.
	Issuers []ed25519.PublicKey
	// Issuer is the base URL that grants must name. Default: whichever is signed.
	Issuer string
	// AllowV1 takes grants of version 1, whose scope and times nobody vouches for. Default false.
	AllowV1 bool
	// Audit keeps every decryption. Required.
	Audit contract.DecryptionAudit
	// Revoked asks the server whether a grant still holds, by its digest. An error refuses
	// the grant as unknown. Required: StatusClient makes one.
	Revoked func(ctx context.Context, digest string) (bool, error)
	// Skew is how far the clocks may lie apart. Default 60 s.
	Skew time.Duration
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Runner opens grants. It is safe for use by many goroutines.
type Runner struct {
	o       Options
	keys    map[string]*rsa.PrivateKey
	ordered []*rsa.PrivateKey
	issuers map[string]ed25519.PublicKey
}

// New makes a runner. It fails where grants could not be checked or decryptions not be
// written down.
func New(o Options) (*Runner, error) {
	if o.Audit == nil || o.Revoked == nil {
		return nil, errors.New("runner: Audit and Revoked are required")
	}
	if o.Skew == 0 {
		o.Skew = time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Runner{o: o, keys: map[string]*rsa.PrivateKey{}, ordered: o.PrivateKeys, issuers: map[string]ed25519.PublicKey{}}
	for _, k := range o.PrivateKeys {
		id, err := grant.KeyID(&k.PublicKey)
		if err != nil {
			return nil, err
		}
		r.keys[id] = k
	}
	for _, k := range o.Issuers {
		if len(k) != ed25519.PublicKeySize {
			return nil, errors.New("runner: an issuer's key is no Ed25519 key")
		}
		r.issuers[grant.SigningKeyID(k)] = k
	}
	return r, nil
}

// Mission is what the runner is about to do, from its own records: a grant for anything
// else is refused.
type Mission struct {
	UserID, ID  string
	IterationID string // for the audit; empty if there is none
}

// Opened is a grant that is open. It is safe for use by many goroutines.
type Opened struct {
	r       *Runner
	mission Mission
	expires time.Time

	mu      sync.RWMutex      // Close waits for what is being decrypted
	allowed map[string]bool   // by record; nil after Close
	keys    map[string][]byte // by record, version 2
	shared  []byte            // version 1
}

// maxGrant bounds a grant's JSON in bytes.
const maxGrant = 1 << 20

// Open checks a grant and unwraps its keys. The order: configured, form, signature, whose
// it is, time, revocation, wrap.
func (r *Runner) Open(ctx context.Context, raw []byte, m Mission) (*Opened, error) {
	if len(r.ordered) == 0 {
		return nil, refuse(NotConfigured, nil)
	}
	var head struct {
		Version    string `json:"version"`
		Derivation *struct {
			Version string `json:"version"`
		} `json:"derivation"`
	}
	if len(raw) > maxGrant || json.Unmarshal(raw, &head) != nil {
		return nil, refuse(Malformed, nil)
	}
	switch {
	case head.Version == "v2":
		return r.openV2(ctx, raw, m)
	case head.Version == "" && head.Derivation != nil && head.Derivation.Version == "v1":
		return r.openV1(ctx, raw, m)
	}
	return nil, refuse(Malformed, errors.New("a version that is not known"))
}

func (r *Runner) openV2(ctx context.Context, raw []byte, m Mission) (*Opened, error) {
	var g grant.V2
	if json.Unmarshal(raw, &g) != nil {
		return nil, refuse(Malformed, nil)
	}
	issuer := r.issuers[g.SigningKeyID]
	if issuer == nil {
		return nil, refuse(WrapRejected, errors.New("the issuer's key is not known"))
	}
	if err := g.Verify(issuer); err != nil {
		return nil, reasoned(err)
	}
	if g.UserID != m.UserID || g.MissionID != m.ID || r.o.Issuer != "" && g.Issuer != r.o.Issuer {
		return nil, refuse(ScopeViolation, errors.New("the grant is for another user, mission or server"))
	}
	now := r.o.Now()
	if now.After(g.Expires().Add(r.o.Skew)) || now.Before(time.UnixMilli(g.IssuedAt).Add(-r.o.Skew)) {
		return nil, refuse(Expired, nil)
	}
	if err := r.current(ctx, g.Digest()); err != nil {
		return nil, err
	}
	key := r.keys[g.RecipientKeyID]
	if key == nil {
		return nil, refuse(WrapRejected, errors.New("for a recipient's key that is not here"))
	}
	keys, err := g.Open(key)
	if err != nil {
		return nil, reasoned(err)
	}
	return r.opened(m, g.Expires(), g.Tables, g.RecordIDs, keys, nil), nil
}

func (r *Runner) openV1(ctx context.Context, raw []byte, m Mission) (*Opened, error) {
	if !r.o.AllowV1 {
		return nil, refuse(Malformed, errors.New("version 1 is not taken"))
	}
	var g grant.V1
	if json.Unmarshal(raw, &g) != nil {
		return nil, refuse(Malformed, nil)
	}
	expires, err := time.Parse(time.RFC3339, g.ExpiresAt)
	if err != nil || r.o.Now().After(expires.Add(r.o.Skew)) {
		return nil, refuse(Expired, nil)
	}
	if g.Derivation.MissionID != m.ID {
		return nil, refuse(ScopeViolation, errors.New("the grant is for another mission"))
	}
	if err := r.current(ctx, g.Digest()); err != nil {
		return nil, err
	}
	key, err := g.Unwrap(r.ordered)
	if err != nil {
		return nil, reasoned(err)
	}
	return r.opened(m, expires, g.Derivation.Tables, g.Derivation.RecordIDs, nil, key), nil
}

// opened grants the records that are of one of the tables: nobody vouches for a version 1
// in which they are not.
func (r *Runner) opened(m Mission, expires time.Time, tables, records []string, keys map[string][]byte, shared []byte) *Opened {
	o := &Opened{r: r, mission: m, expires: expires, allowed: map[string]bool{}, keys: keys, shared: shared}
	for _, id := range records {
		if table, _, ok := grant.SplitRecordID(id); ok && slices.Contains(tables, table) {
			o.allowed[id] = true
		}
	}
	return o
}

// current asks whether a grant still holds.
func (r *Runner) current(ctx context.Context, digest string) error {
	gone, err := r.o.Revoked(ctx, digest)
	if err != nil {
		return refuse(Unknown, err)
	}
	if gone {
		return refuse(Revoked, nil)
	}
	return nil
}

func reasoned(err error) error {
	switch {
	case errors.Is(err, grant.ErrMalformed):
		return refuse(Malformed, err)
	case errors.Is(err, grant.ErrRejected):
		return refuse(WrapRejected, err)
	}
	return err
}

// Close overwrites the keys. Nothing is granted any more after it: a key of zeros is one
// that anybody can encrypt under.
func (o *Opened) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.allowed = nil
	clear(o.shared)
	for _, k := range o.keys {
		clear(k)
	}
}

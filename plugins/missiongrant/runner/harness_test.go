package runner

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/missiongrant/grant"
)

// trail is an audit in memory.
type trail struct {
	mu   sync.Mutex
	rows []contract.Decryption
	err  error
}

func (a *trail) Record(_ context.Context, d contract.Decryption) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil {
		a.rows = append(a.rows, d)
	}
	return a.err
}

// world is a runner with an issuer and a user.
type world struct {
	*Runner
	t       *testing.T
	key     *rsa.PrivateKey
	issuer  ed25519.PrivateKey
	audit   *trail
	now     time.Time
	revoked bool
	unknown error
	master  []byte
}

var sharedKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	w := &world{t: t, key: sharedKey(), issuer: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)), audit: &trail{},
		now: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), master: bytes.Repeat([]byte{9}, 32)}
	o := Options{PrivateKeys: []*rsa.PrivateKey{w.key}, Issuers: []ed25519.PublicKey{w.issuer.Public().(ed25519.PublicKey)},
		Audit: w.audit, Revoked: func(context.Context, string) (bool, error) { return w.revoked, w.unknown }, Now: func() time.Time { return w.now }, AllowV1: true}
	for _, f := range change {
		f(&o)
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	w.Runner = r
	return w
}

func (w *world) v2(change ...func(*grant.V2)) []byte {
	w.t.Helper()
	g := &grant.V2{ID: "g", Issuer: "https://auth.example.com", UserID: "u1", MissionID: "m1", Tables: []string{"notes"}, RecordIDs: []string{"notes:n1"},
		KeyVersion: 1, IssuedAt: w.now.UnixMilli(), ExpiresAt: w.now.Add(time.Hour).UnixMilli()}
	for _, f := range change {
		f(g)
	}
	if err := g.Seal(rand.Reader, w.master, &w.key.PublicKey, w.issuer); err != nil {
		w.t.Fatal(err)
	}
	return w.json(g)
}

func (w *world) v1() []byte {
	w.t.Helper()
	g, err := grant.NewV1(rand.Reader, w.master, &w.key.PublicKey, "m1", []string{"notes"}, []string{"notes:n1"}, w.now, w.now.Add(time.Hour))
	if err != nil {
		w.t.Fatal(err)
	}
	return w.json(g)
}

func (w *world) json(v any) []byte {
	w.t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		w.t.Fatal(err)
	}
	return raw
}

var mission = Mission{UserID: "u1", ID: "m1", IterationID: "i1"}

func (w *world) want(raw []byte, m Mission, reason Reason) {
	w.t.Helper()
	o, err := w.Open(w.t.Context(), raw, m)
	if ReasonOf(err) != reason || (reason == "") != (err == nil) {
		w.t.Errorf("got %v, want %q", err, reason)
	}
	if o != nil && err != nil {
		w.t.Error("a grant with an error")
	}
}

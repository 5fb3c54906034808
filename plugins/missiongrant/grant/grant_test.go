package grant

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func master() []byte {
	key := make([]byte, KeySize)
	for i := range key {
		key[i] = byte(i + 1)
	}
	return key
}

func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signer() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)) }

// The old system's vector.
func TestMissionKey(t *testing.T) {
	got, err := MissionKey(master(), Derivation{MissionID: "mission-abc", Tables: []string{"notes", "tasks"}, RecordIDs: []string{"notes:n1", "tasks:t1"}})
	if want := "7538df66c51d3ddb667c0135feb4ac7c2800ba372babc7e61e9423d6a9a65628"; err != nil || hex.EncodeToString(got) != want {
		t.Errorf("%x, %v", got, err)
	}
}

// Sorted as JavaScript sorts: U+1F600 (a surrogate pair) comes before U+FF01.
func TestSort(t *testing.T) {
	got := Sort([]string{"b", "！", "a", "😀", "b", "B", ""})
	if want := []string{"", "B", "a", "b", "😀", "！"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestV1(t *testing.T) {
	k, other := rsaKey(t), rsaKey(t)
	at := time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.UTC)
	g, err := NewV1(rand.Reader, master(), &k.PublicKey, "mission-abc", []string{"tasks", "notes"}, []string{"tasks:t1", "notes:n1", "tasks:t1"}, at, at.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if g.IssuedAt != "2026-03-04T05:06:07.008Z" || g.ExpiresAt != "2026-03-04T06:06:07.008Z" || !slices.Equal(g.Derivation.RecordIDs, []string{"notes:n1", "tasks:t1"}) {
		t.Errorf("%+v", g)
	}
	got, err := g.Unwrap([]*rsa.PrivateKey{other, k})
	want, _ := MissionKey(master(), g.Derivation)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v", got, err)
	}
	if _, err := g.Unwrap([]*rsa.PrivateKey{other}); !errors.Is(err, ErrRejected) {
		t.Errorf("another recipient: %v", err)
	}
	short, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &k.PublicKey, []byte("short"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, wrap := range map[string]string{"no base64": "?", "empty": "", "a short key": base64.StdEncoding.EncodeToString(short)} {
		g.WrappedKey = wrap
		if _, err := g.Unwrap([]*rsa.PrivateKey{k}); err == nil {
			t.Errorf("%s opens", name)
		}
	}
}

// Every byte of a wrap of version 1 counts; what the grant says beside it does not, as in
// the old system.
func TestV1Altered(t *testing.T) {
	k, _ := recipient(t)
	g, err := NewV1(rand.Reader, master(), &k.PublicKey, "m", []string{"notes"}, []string{"notes:n1"}, time.UnixMilli(1), time.UnixMilli(2))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := base64.StdEncoding.DecodeString(g.WrappedKey)
	for i := range raw {
		raw[i] ^= 0x10
		g.WrappedKey = base64.StdEncoding.EncodeToString(raw)
		raw[i] ^= 0x10
		if _, err := g.Unwrap([]*rsa.PrivateKey{k}); !errors.Is(err, ErrRejected) {
			t.Errorf("byte %d altered: %v", i, err)
		}
	}
	g.WrappedKey = base64.StdEncoding.EncodeToString(raw)
	g.ExpiresAt, g.Derivation.Tables = "2999-01-01T00:00:00.000Z", nil
	if _, err := g.Unwrap([]*rsa.PrivateKey{k}); err != nil {
		t.Errorf("nothing of version 1 is bound, and yet: %v", err)
	}
}

func sealed(t testing.TB, k *rsa.PrivateKey) *V2 {
	t.Helper()
	g := &V2{ID: "g1", Issuer: "https://auth.example.com", UserID: "u1", MissionID: "m1", Tables: []string{"tasks", "notes"},
		RecordIDs: []string{"tasks:t1", "notes:n1", "notes:n2"}, KeyVersion: 3, IssuedAt: 1000, ExpiresAt: 2000}
	if err := g.Seal(rand.Reader, master(), &k.PublicKey, signer()); err != nil {
		t.Fatal(err)
	}
	return g
}

func public() ed25519.PublicKey { return signer().Public().(ed25519.PublicKey) }

func TestV2(t *testing.T) {
	k := rsaKey(t)
	g := sealed(t, k)
	raw, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	var back V2
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if err := back.Verify(public()); err != nil {
		t.Fatal(err)
	}
	keys, err := back.Open(k)
	if err != nil || len(keys) != 3 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	for id, key := range keys {
		if want, _ := RecordKey(master(), "u1", id); !bytes.Equal(key, want) {
			t.Errorf("%s: another key", id)
		}
	}
	if back.Digest() != g.Digest() {
		t.Error("the digest changed on the way")
	}
}

// Whatever of a grant is changed, its signature fails; and whoever could sign again would
// still find the wrap bound to what was granted.
func TestV2Altered(t *testing.T) {
	k := rsaKey(t)
	changes := map[string]func(*V2){
		"id":         func(g *V2) { g.ID = "g2" },
		"issuer":     func(g *V2) { g.Issuer = "https://evil.example" },
		"user":       func(g *V2) { g.UserID = "u2" },
		"mission":    func(g *V2) { g.MissionID = "m2" },
		"version":    func(g *V2) { g.KeyVersion++ },
		"issued":     func(g *V2) { g.IssuedAt-- },
		"expires":    func(g *V2) { g.ExpiresAt += 1e9 },
		"a table":    func(g *V2) { g.Tables = append(g.Tables, "journal") },
		"no table":   func(g *V2) { g.RecordIDs, g.Tables = g.RecordIDs[:2], g.Tables[:1] },
		"a record":   func(g *V2) { g.RecordIDs[0] = "notes:n9" },
		"one less":   func(g *V2) { g.RecordIDs = g.RecordIDs[1:] },
		"order":      func(g *V2) { slices.Reverse(g.RecordIDs) },
		"boundaries": func(g *V2) { g.ID, g.Issuer = g.ID+g.Issuer[:1], g.Issuer[1:] },
		"recipient":  func(g *V2) { g.RecipientKeyID = strings.ToLower(g.RecipientKeyID) + "x" },
	}
	for name, change := range changes {
		g := sealed(t, k)
		change(g)
		if err := g.Verify(public()); err == nil {
			t.Errorf("%s: the signature holds", name)
		}
		if keys, err := g.Open(k); err == nil {
			t.Errorf("%s: the wrap opens to %d keys", name, len(keys))
		}
	}
	g := sealed(t, k)
	for name, field := range map[string]*string{"wrap": &g.WrappedKey, "iv": &g.IV, "keys": &g.SealedKeys, "signature": &g.Signature} {
		was := *field
		raw, _ := base64.StdEncoding.DecodeString(was)
		for i := range raw {
			raw[i] ^= 0x40
			*field = base64.StdEncoding.EncodeToString(raw)
			raw[i] ^= 0x40
			if err := g.Verify(public()); err == nil {
				t.Fatalf("%s: byte %d altered and the signature holds", name, i)
			}
			if i%16 != 0 || name == "signature" {
				continue // RSA is slow
			}
			if _, err := g.Open(k); err == nil {
				t.Errorf("%s: byte %d altered and it opens", name, i)
			}
		}
		for _, s := range []string{"", was + "\n", was[:len(was)-1], "?"} {
			*field = s
			if err := g.Verify(public()); err == nil {
				t.Errorf("%s: %q verifies", name, s)
			}
		}
		*field = was
	}
	if err := g.Verify(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, 32)).Public().(ed25519.PublicKey)); !errors.Is(err, ErrRejected) {
		t.Errorf("another issuer: %v", err)
	}
	if _, err := g.Open(rsaKey(t)); !errors.Is(err, ErrRejected) {
		t.Errorf("another recipient: %v", err)
	}
}

// Parts of one grant do not fit another of the same user and mission.
func TestV2Mixed(t *testing.T) {
	k := rsaKey(t)
	a, b := sealed(t, k), sealed(t, k)
	b.ID = "g2"
	if err := b.Seal(rand.Reader, master(), &k.PublicKey, signer()); err != nil {
		t.Fatal(err)
	}
	for name, mix := range map[string]func(g *V2){
		"wrap":           func(g *V2) { g.WrappedKey = b.WrappedKey },
		"keys":           func(g *V2) { g.SealedKeys, g.IV = b.SealedKeys, b.IV },
		"wrap, keys":     func(g *V2) { g.WrappedKey, g.SealedKeys, g.IV = b.WrappedKey, b.SealedKeys, b.IV },
		"all but its id": func(g *V2) { id := g.ID; *g = *b; g.ID = id },
	} {
		g := *a
		mix(&g)
		if _, err := g.Open(k); err == nil {
			t.Errorf("%s of another grant opens", name)
		}
	}
}

func FuzzV2(f *testing.F) {
	k, _ := recipient(f) // the same in every process of a fuzzing run
	raw, err := json.Marshal(sealed(f, k))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"version":"v2"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var g V2
		if json.Unmarshal(raw, &g) != nil || g.Verify(public()) != nil {
			return
		}
		if _, err := g.Open(k); err != nil {
			t.Errorf("a signed grant does not open: %v", err)
		}
	})
}

func FuzzSplitRecordID(f *testing.F) {
	for _, s := range []string{"notes:n1", ":", "a:", ":b", "a:b:c", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		table, id, ok := SplitRecordID(s)
		if ok && (table+":"+id != s || table == "" || id == "" || strings.Contains(table, ":")) {
			t.Errorf("%q is %q and %q", s, table, id)
		}
	})
}

package grant

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"testing"
	"time"
)

// recipient is the tests' key.
func recipient(t testing.TB) (*rsa.PrivateKey, []byte) {
	t.Helper()
	raw, err := os.ReadFile("testdata/recipient.pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PrivateKey), block.Bytes
}

type m = map[string]any

// node runs conformance/mission-grant.mjs.
func node(t *testing.T, in m, out any) {
	t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "../../../conformance/mission-grant.mjs")
	cmd.Stdin = bytes.NewReader(raw)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	answer, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.Bytes())
	}
	if err := json.Unmarshal(answer, out); err != nil {
		t.Fatalf("node: %v: %s", err, answer)
	}
}

// WebCrypto opens what we make, and we open what it makes.
func TestWebCrypto(t *testing.T) {
	k, pkcs8 := recipient(t)
	spki, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	signing, err := x509.MarshalPKCS8PrivateKey(signer())
	if err != nil {
		t.Fatal(err)
	}
	std := base64.StdEncoding.EncodeToString
	ours, err := NewV1(rand.Reader, master(), &k.PublicKey, "mission-äöü", []string{"notes", "tasks"}, []string{"tasks:t1", "notes:n1"}, time.UnixMilli(1e12), time.UnixMilli(2e12))
	if err != nil {
		t.Fatal(err)
	}
	var v1 struct {
		MissionKey string
		Grant      V1
	}
	node(t, m{"op": "openV1", "grant": ours, "pkcs8": std(pkcs8)}, &v1)
	if want, _ := MissionKey(master(), ours.Derivation); v1.MissionKey != hex.EncodeToString(want) {
		t.Errorf("WebCrypto reads %s", v1.MissionKey)
	}
	node(t, m{"op": "sealV1", "masterKey": std(master()), "spki": std(spki), "missionId": "m😀", "tables": []string{"tasks", "notes"}, "recordIds": []string{"tasks:！", "tasks:😀", "notes:n1"}}, &v1)
	got, err := v1.Grant.Unwrap([]*rsa.PrivateKey{k})
	if want, _ := MissionKey(master(), Derivation{MissionID: "m😀", Tables: []string{"notes", "tasks"}, RecordIDs: Sort([]string{"tasks:！", "tasks:😀", "notes:n1"})}); err != nil || !bytes.Equal(got, want) {
		t.Errorf("we read %x, %v", got, err)
	}

	g := sealed(t, k)
	var v2 struct {
		Keys  map[string]string
		Grant V2
	}
	node(t, m{"op": "openV2", "grant": g, "pkcs8": std(pkcs8), "signingPublic": std(public())}, &v2)
	for _, id := range g.RecordIDs {
		if want, _ := RecordKey(master(), g.UserID, id); v2.Keys[id] != hex.EncodeToString(want) {
			t.Errorf("WebCrypto reads %s for %s", v2.Keys[id], id)
		}
	}
	node(t, m{"op": "sealV2", "masterKey": std(master()), "spki": std(spki), "signingPkcs8": std(signing), "signingPublic": std(public()),
		"grant": m{"id": "g7", "issuer": "https://auth.example.com", "userId": "ü", "missionId": "m", "tables": []string{"notes"}, "recordIds": []string{"notes:b", "notes:a"}, "keyVersion": 1, "issuedAt": 5, "expiresAt": 6}}, &v2)
	if err := v2.Grant.Verify(public()); err != nil {
		t.Fatalf("WebCrypto's grant: %v", err)
	}
	keys, err := v2.Grant.Open(k)
	if want, _ := RecordKey(master(), "ü", "notes:a"); err != nil || !bytes.Equal(keys["notes:a"], want) {
		t.Errorf("we read %x, %v", keys["notes:a"], err)
	}
}

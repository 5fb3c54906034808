package vault

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/sallyport-auth/sallyport/plugintest"
)

// What a browser makes of the master key with WebCrypto is what this package says it is:
// the check value, the recovery wrap, the code.
func TestWebCrypto(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.SignUp("ada@example.com")
	a := ada.Post("/vault/init", nil).Want(200)
	in, err := json.Marshal(m{"op": "vault", "masterKey": a.Text("masterKey"), "userId": ada.UserID})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "../../conformance/mission-grant.mjs")
	cmd.Stdin = bytes.NewReader(in)
	raw, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Check, Code, Secret, RecoveryWrappedMk, RecoveryIv string
		Same                                               bool
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	if out.Check != a.Text("keyCheck") || !out.Same || len(out.Code) != 79 {
		t.Errorf("%s", raw)
	}
	ada.Post("/vault/recovery-wrap", m{"recoveryWrappedMk": out.RecoveryWrappedMk, "recoveryIv": out.RecoveryIv}).Want(200)
	ada.Post("/vault/zero-knowledge", m{"enable": true}).Want(200)
	if got := unwrapRecovery(t, out.Secret, ada.Get("/vault/key").Want(200)); got != a.Text("masterKey") {
		t.Errorf("the recovery code opens %s", got)
	}
}

func unwrapRecovery(t *testing.T, secret string, a *plugintest.Answer) string {
	t.Helper()
	raw, _ := decode(secret)
	key, err := hkdf.Key(sha256.New, raw, nil, "mana-recovery-v1", keySize)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := gcm(key)
	if err != nil {
		t.Fatal(err)
	}
	iv, _ := decode(a.Text("recoveryIv"))
	text, _ := decode(a.Text("recoveryWrappedMk"))
	master, err := aead.Open(nil, iv, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(master)
}

package missiongrant

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/vault"
	"github.com/sallyport-auth/sallyport/plugintest"
)

type m = plugintest.M

const (
	kek        = "k:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
	serviceKey = "a service key of thirty-two characters"
)

// recipient is the tests' key: the runner's half, and the server's as PEM.
func recipient(t testing.TB) (*rsa.PrivateKey, string) {
	t.Helper()
	raw, err := os.ReadFile("grant/testdata/recipient.pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	k := key.(*rsa.PrivateKey)
	der, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return k, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

type world struct {
	*plugintest.Harness
	p   *Plugin
	key *rsa.PrivateKey
}

func newWorld(t testing.TB, o Options, change ...func(*plugintest.Options)) *world {
	t.Helper()
	w := &world{}
	var public string
	w.key, public = recipient(t)
	if o.PublicKey == "" {
		o.PublicKey = public
	}
	if o.ServiceKey == "" {
		o.ServiceKey = serviceKey
	}
	if o.PublicKey == "none" {
		o.PublicKey = ""
	}
	w.p = New(o)
	po := plugintest.Options{}
	for _, f := range change {
		f(&po)
	}
	po.Plugins = append(po.Plugins, vault.New(vault.Options{Keyring: kek}), w.p)
	w.Harness = plugintest.New(t, po)
	return w
}

// wanted is a request for a grant.
func wanted(more m) m {
	out := m{"missionId": "mission-abc", "tables": []string{"tasks", "notes"}, "recordIds": []string{"tasks:t1", "notes:n1"}}
	for k, v := range more {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = v
		}
	}
	return out
}

func (w *world) status(query, key string) *plugintest.Answer {
	w.T.Helper()
	return w.Client().Do(plugintest.Request{Method: "GET", Path: "/mission-grant/status?" + query, Header: map[string]string{"X-Service-Key": key}})
}

func journey(h *plugintest.Harness) {
	ada := h.SignUp("ada@example.com")
	// The vault's endpoints first: Check holds them to the same rules.
	b := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for _, r := range []plugintest.Request{{Method: "GET", Path: "/vault/status"}, {Method: "POST", Path: "/vault/init"}, {Method: "GET", Path: "/vault/key"},
		{Method: "POST", Path: "/vault/rotate", Body: m{"expectedVersion": 1}}, {Method: "GET", Path: "/vault/audit"},
		{Method: "POST", Path: "/vault/recovery-wrap", Body: m{"recoveryWrappedMk": b(48), "recoveryIv": b(12)}}, {Method: "DELETE", Path: "/vault/recovery-wrap"},
		{Method: "POST", Path: "/vault/zero-knowledge", Body: m{"enable": false, "masterKey": b(32)}}} {
		ada.Do(r).Want(200)
	}
	id := ada.Post("/mission-grant", wanted(nil)).Want(200).Text("id")
	ada.Get("/mission-grant/list").Want(200)
	h.Client().Do(plugintest.Request{Method: "GET", Path: "/mission-grant/status?grantId=" + id, Header: map[string]string{"X-Service-Key": serviceKey}}).Want(200)
	ada.Get("/mission-grant/audit").Want(200)
	h.Client().Get("/mission-grant/keys").Want(200)
	ada.Post("/mission-grant/revoke", m{"id": id}).Want(200)
}

func TestRules(t *testing.T) {
	_, public := recipient(t)
	rules := plugintest.Rules{
		Others:  func() []core.Plugin { return []core.Plugin{vault.New(vault.Options{Keyring: kek})} },
		Journey: journey,
		Public:  []string{"/mission-grant/status", "/mission-grant/keys"},
		Redeems: []string{"/vault/key"},
		Carries: []string{"/vault/init", "/vault/key", "/vault/rotate", "/mission-grant"},
		Shared:  []string{"/mission-grant/status"},
		Keeps:   []string{"encryptionVaultAudit", "decryptAudit"},
	}
	plugintest.Check(t, func() core.Plugin { return New(Options{PublicKey: public, ServiceKey: serviceKey}) }, plugintest.Options{Rules: rules})
}

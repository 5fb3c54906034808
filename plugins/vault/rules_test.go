package vault

import (
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// journey goes through every endpoint as a client would.
func journey(h *plugintest.Harness) {
	ada := h.SignUp("ada@example.com")
	ada.Get("/vault/status").Want(200)
	ada.Post("/vault/init", nil).Want(200)
	key := ada.Get("/vault/key").Want(200).Text("masterKey")
	ada.Post("/vault/recovery-wrap", recovery(1)).Want(200)
	ada.Post("/vault/zero-knowledge", m{"enable": true}).Want(200)
	ada.Post("/vault/zero-knowledge", m{"enable": false, "masterKey": key}).Want(200)
	ada.Do(del("/vault/recovery-wrap")).Want(200)
	ada.Post("/vault/rotate", m{"expectedVersion": 1}).Want(200)
	ada.Get("/vault/audit").Want(200)
}

func TestRules(t *testing.T) {
	rules := plugintest.Rules{
		Journey: journey,
		// Giving the key out leaves a row in the audit.
		Redeems: []string{"/vault/key"},
		Carries: []string{"/vault/init", "/vault/key", "/vault/rotate"},
		Keeps:   []string{"encryptionVaultAudit"},
	}
	plugintest.Check(t, func() core.Plugin { return New(Options{Keyring: testRing}) }, plugintest.Options{Rules: rules})
}

package vault

import (
	"github.com/sallyport-auth/sallyport/core"
)

// Endpoints of the plugin. Those that give the key out, or after which data may be lost,
// also want a session that began recently, and the second factor of who has one.
var (
	Status        = core.NewRoute[core.None, StatusAnswer]("GET /vault/status")
	Init          = core.NewRoute[core.None, KeyAnswer]("POST /vault/init", core.NoBody)
	Key           = core.NewRoute[core.None, KeyAnswer]("GET /vault/key")
	Rotate        = core.NewRoute[RotateInput, KeyAnswer]("POST /vault/rotate")
	SetRecovery   = core.NewRoute[RecoveryInput, OK]("POST /vault/recovery-wrap")
	ClearRecovery = core.NewRoute[core.None, OK]("DELETE /vault/recovery-wrap", core.NoBody)
	SetZero       = core.NewRoute[ZeroInput, ZeroAnswer]("POST /vault/zero-knowledge")
	Audit         = core.NewRoute[AuditInput, AuditAnswer]("GET /vault/audit")
)

// StatusAnswer is the answer of Status.
type StatusAnswer struct {
	VaultExists     bool       `json:"vaultExists"`
	HasRecoveryWrap bool       `json:"hasRecoveryWrap"`
	ZeroKnowledge   bool       `json:"zeroKnowledge"`
	RecoverySetAt   *core.Time `json:"recoverySetAt"`
	KeyVersion      int        `json:"keyVersion"` // 0 without a vault
}

// KeyAnswer is the master key, or with zero knowledge what the user's recovery code opens.
type KeyAnswer struct {
	MasterKey            string `json:"masterKey,omitempty"` // base64 of 32 bytes
	RequiresRecoveryCode bool   `json:"requiresRecoveryCode,omitempty"`
	RecoveryWrappedMK    string `json:"recoveryWrappedMk,omitempty"` // base64 of 48 bytes: AES-256-GCM, tag behind
	RecoveryIV           string `json:"recoveryIv,omitempty"`        // base64 of 12 bytes
	FormatVersion        int    `json:"formatVersion"`               // of the recovery wrap with zero knowledge
	KekID                string `json:"kekId,omitempty"`
	KeyVersion           int    `json:"keyVersion"`
	// KeyCheck is base64 of 16 bytes of HKDF-SHA256 (key: the master key, salt: the user's
	// id, info: "sallyport-vault-check-v1"): a client that unwrapped another key sees it.
	KeyCheck string `json:"keyCheck,omitempty"`
}

// RotateInput is the input of Rotate.
type RotateInput struct {
	// ExpectedVersion is the keyVersion that the client has re-encrypted its data from. 0
	// is whichever there is.
	ExpectedVersion int `json:"expectedVersion"`
}

// RecoveryInput is the input of SetRecovery.
type RecoveryInput struct {
	RecoveryWrappedMK string `json:"recoveryWrappedMk"` // base64 of 48 bytes
	RecoveryIV        string `json:"recoveryIv"`        // base64 of 12 bytes
	FormatVersion     *int   `json:"formatVersion"`     // of the wrap; default 1, the only one
}

// ZeroInput is the input of SetZero.
type ZeroInput struct {
	Enable    bool    `json:"enable"`
	MasterKey *string `json:"masterKey"` // base64 of 32 bytes; to switch it off
}

// ZeroAnswer is the answer of SetZero.
type ZeroAnswer struct {
	OK            bool `json:"ok"`
	ZeroKnowledge bool `json:"zeroKnowledge"`
}

// OK is the answer of what gives nothing back.
type OK struct {
	OK bool `json:"ok"`
}

// AuditInput is the input of Audit.
type AuditInput struct {
	Limit  *string `query:"limit"`  // 1 to 200, default 50
	Before *string `query:"before"` // the answer's next: entries older than those before
}

// AuditAnswer is the answer of Audit.
type AuditAnswer struct {
	Entries []Entry `json:"entries"`        // newest first
	Next    string  `json:"next,omitempty"` // for the next page; absent on the last
}

// Entry is an audit row as its user sees it.
type Entry struct {
	ID        string    `json:"id"`
	Action    string    `json:"action"`
	IPAddress *string   `json:"ipAddress"`
	UserAgent *string   `json:"userAgent"`
	Context   *string   `json:"context"`
	Status    int       `json:"status"`
	CreatedAt core.Time `json:"createdAt"`
}

func status(v *Vault) StatusAnswer {
	if v == nil {
		return StatusAnswer{}
	}
	return StatusAnswer{true, v.RecoveryWrappedMK != nil, v.ZeroKnowledge, (*core.Time)(v.RecoverySetAt), v.KeyVersion}
}

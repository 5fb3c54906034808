package missiongrant

import (
	"encoding/json"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/missiongrant/grant"
)

// Endpoints of the plugin.
var (
	Issue  = core.NewRoute[IssueInput, Issued]("POST /mission-grant")
	List   = core.NewRoute[ListInput, ListAnswer]("GET /mission-grant/list")
	Revoke = core.NewRoute[RevokeInput, RevokeAnswer]("POST /mission-grant/revoke")
	Audit  = core.NewRoute[AuditInput, AuditAnswer]("GET /mission-grant/audit")
	// Status is for runners, who show the service key.
	Status = core.NewRoute[StatusInput, StatusAnswer]("GET /mission-grant/status", core.Public)
	// Keys tells runners whose signature to expect.
	Keys = core.NewRoute[core.None, KeysAnswer]("GET /mission-grant/keys", core.Public)
)

// IssueInput is the input of Issue. The handler reads the members itself: whether grants
// are set up comes before whether the request is one.
type IssueInput struct {
	MissionID json.RawMessage `json:"missionId" input:"optional"` // a text, not empty
	Tables    json.RawMessage `json:"tables" input:"optional"`    // texts, not empty
	RecordIDs json.RawMessage `json:"recordIds" input:"optional"` // "table:id", 1 to 1000
	TTLMs     json.RawMessage `json:"ttlMs" input:"optional"`     // milliseconds, default 7 days, clamped to 1 hour to 30 days
	Version   json.RawMessage `json:"version" input:"optional"`   // "v1" or "v2"
}

// Issued is a grant of either version.
type Issued struct {
	v1 *grant.V1
	v2 *grant.V2
}

// MarshalJSON implements json.Marshaler.
func (i Issued) MarshalJSON() ([]byte, error) {
	if i.v1 != nil {
		return json.Marshal(i.v1)
	}
	return json.Marshal(i.v2)
}

// ListInput is the input of List.
type ListInput struct {
	Before *string `query:"before"` // the answer's next: grants older than those before
}

// ListAnswer is the answer of List.
type ListAnswer struct {
	Grants []Info `json:"grants"`         // newest first, 50 at most
	Next   string `json:"next,omitempty"` // for the next page; absent on the last
}

// Info is a grant without its keys.
type Info struct {
	ID             string     `json:"id"`
	MissionID      string     `json:"missionId"`
	Version        string     `json:"version"`
	Tables         []string   `json:"tables"`
	RecordIDs      []string   `json:"recordIds"`
	RecipientKeyID string     `json:"recipientKeyId"`
	IssuedAt       core.Time  `json:"issuedAt"`
	ExpiresAt      core.Time  `json:"expiresAt"`
	RevokedAt      *core.Time `json:"revokedAt"`
	State          string     `json:"state"` // "active", "expired" or "revoked"
}

// RevokeInput is the input of Revoke: one grant, or all of a mission.
type RevokeInput struct {
	ID        *string `json:"id"`
	MissionID *string `json:"missionId"`
}

// RevokeAnswer is the answer of Revoke.
type RevokeAnswer struct {
	Status  bool  `json:"status"`
	Revoked int64 `json:"revoked"` // how many had not been before
}

// AuditInput is the input of Audit.
type AuditInput struct {
	MissionID *string `query:"missionId"`
	Limit     *string `query:"limit"` // default 200, clamped to 1 to 1000
}

// AuditAnswer is the answer of Audit.
type AuditAnswer struct {
	Rows []AuditRow `json:"rows"` // newest first
}

// AuditRow says that a runner decrypted a record, or tried to.
type AuditRow struct {
	ID          string    `json:"id"`
	MissionID   string    `json:"missionId"`
	IterationID *string   `json:"iterationId"`
	Table       string    `json:"tableName"`
	RecordID    string    `json:"recordId"`
	Status      string    `json:"status"`
	Reason      *string   `json:"reason"`
	At          core.Time `json:"ts"`
}

// StatusInput is the input of Status: one of the two.
type StatusInput struct {
	GrantID *string `query:"grantId"`
	Digest  *string `query:"digest"`
}

// StatusAnswer is the answer of Status.
type StatusAnswer struct {
	GrantID   string    `json:"grantId"`
	State     string    `json:"state"` // "active", "expired" or "revoked"
	ExpiresAt core.Time `json:"expiresAt"`
}

// KeysAnswer is the answer of Keys.
type KeysAnswer struct {
	Issuer     string       `json:"issuer"`
	Keys       []SigningKey `json:"keys"`
	Recipients []string     `json:"recipientKeyIds"` // whom grants are wrapped for, the active one first
}

// SigningKey is an Ed25519 public key.
type SigningKey struct {
	ID  string `json:"kid"`
	Key string `json:"publicKey"` // base64 of 32 bytes
}

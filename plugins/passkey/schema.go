package passkey

import (
	"context"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Passkey is one registered credential.
type Passkey struct {
	ID           string     `db:"id" schema:"key"`
	Name         *string    `db:"name"`
	PublicKey    string     `db:"publicKey"` // COSE_Key in base64 with padding
	UserID       string     `db:"userId" schema:"references=user,cascade,index"`
	CredentialID string     `db:"credentialID" schema:"unique"` // base64url
	Counter      int        `db:"counter"`
	DeviceType   string     `db:"deviceType"` // "singleDevice" or "multiDevice"
	BackedUp     bool       `db:"backedUp"`
	Transports   *string    `db:"transports"` // joined by commas
	CreatedAt    *time.Time `db:"createdAt" schema:"written"`
	AAGUID       *string    `db:"aaguid"` // as a UUID
}

var (
	passkeys        = core.TableOf[Passkey]("passkey")
	colID           = core.Column(passkeys, func(p *Passkey) *string { return &p.ID })
	colName         = core.Column(passkeys, func(p *Passkey) **string { return &p.Name })
	colUserID       = core.Column(passkeys, func(p *Passkey) *string { return &p.UserID })
	colCredentialID = core.Column(passkeys, func(p *Passkey) *string { return &p.CredentialID })
	colCreated      = core.Column(passkeys, func(p *Passkey) **time.Time { return &p.CreatedAt })
	colCounter      = core.Column(passkeys, func(p *Passkey) *int { return &p.Counter })
)

// Answer is a passkey as clients see it.
type Answer struct {
	Name         *string    `json:"name"`
	PublicKey    string     `json:"publicKey"`
	UserID       string     `json:"userId"`
	CredentialID string     `json:"credentialID"`
	Counter      int        `json:"counter"`
	DeviceType   string     `json:"deviceType"`
	BackedUp     bool       `json:"backedUp"`
	Transports   *string    `json:"transports"`
	CreatedAt    *core.Time `json:"createdAt"`
	AAGUID       *string    `json:"aaguid"`
	ID           string     `json:"id"`
}

func (p *Passkey) answer() Answer {
	return Answer{p.Name, p.PublicKey, p.UserID, p.CredentialID, p.Counter, p.DeviceType, p.BackedUp, p.Transports,
		(*core.Time)(p.CreatedAt), p.AAGUID, p.ID}
}

// descriptor names a credential in options.
type descriptor struct {
	ID         string    `json:"id"`
	Transports *[]string `json:"transports,omitempty"`
	Type       string    `json:"type"`
}

func describe(list []Passkey) []descriptor {
	out := make([]descriptor, len(list))
	for i, p := range list {
		out[i] = descriptor{ID: p.CredentialID, Type: "public-key"}
		if p.Transports != nil {
			t := strings.Split(*p.Transports, ",")
			out[i].Transports = &t
		}
	}
	return out
}

// maxPasskeys is how many one user may have. It is what Better Auth lists at most.
const maxPasskeys = 100

// oldestFirst has no second column: where a column holds whole seconds, as Drizzle's does on
// SQLite, those of one second stay in the order in which SQLite stored them, as Better Auth
// lists them. Ids are random, and would shuffle them.
var oldestFirst = []core.Order{colCreated.Asc()}

func (p *Plugin) list(ctx context.Context, userID string) ([]Passkey, error) {
	return passkeys.List(ctx, p.host.DB(), core.ListOptions{Order: oldestFirst, Limit: maxPasskeys}, colUserID.Eq(userID))
}

// data is what is kept about a user.
var data = core.DataSet{
	Name: "passkeys",
	Export: func(ctx context.Context, db storage.Conn, userID string) (any, error) {
		list, err := passkeys.List(ctx, db, core.ListOptions{Order: oldestFirst}, colUserID.Eq(userID))
		out := make([]Answer, len(list))
		for i := range list {
			out[i] = list[i].answer()
		}
		return out, err
	},
	Erase: func(ctx context.Context, tx *core.Tx, userID string) error {
		_, err := passkeys.Delete(ctx, tx, colUserID.Eq(userID))
		return err
	},
}

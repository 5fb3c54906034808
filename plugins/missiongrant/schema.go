package missiongrant

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Grant is what is kept of a grant: no key of it.
type Grant struct {
	ID             string     `db:"id" schema:"key"`
	UserID         string     `db:"userId" schema:"references=user,cascade,index"`
	MissionID      string     `db:"missionId"`
	Version        string     `db:"version"`
	Tables         string     `db:"tables"`    // JSON
	RecordIDs      string     `db:"recordIds"` // JSON
	RecipientKeyID string     `db:"recipientKeyId"`
	Digest         string     `db:"digest" schema:"unique"`
	IssuedAt       time.Time  `db:"issuedAt"`
	ExpiresAt      time.Time  `db:"expiresAt"`
	RevokedAt      *time.Time `db:"revokedAt"`
}

// Decryption is a row of the audit that runners write.
type Decryption struct {
	ID          string    `db:"id" schema:"key"`
	UserID      string    `db:"userId"` // not a reference: the row outlives the account
	MissionID   string    `db:"missionId"`
	IterationID *string   `db:"iterationId"`
	Table       string    `db:"tableName"`
	RecordID    string    `db:"recordId"`
	Status      string    `db:"status"`
	Reason      *string   `db:"reason"`
	At          time.Time `db:"ts" schema:"now"`
}

var (
	grants     = core.TableOf[Grant]("missionGrant")
	colID      = core.Column(grants, func(g *Grant) *string { return &g.ID })
	colUser    = core.Column(grants, func(g *Grant) *string { return &g.UserID })
	colMission = core.Column(grants, func(g *Grant) *string { return &g.MissionID })
	colDigest  = core.Column(grants, func(g *Grant) *string { return &g.Digest })
	colIssued  = core.Column(grants, func(g *Grant) *time.Time { return &g.IssuedAt })
	colExpires = core.Column(grants, func(g *Grant) *time.Time { return &g.ExpiresAt })
	colRevoked = core.Column(grants, func(g *Grant) **time.Time { return &g.RevokedAt })

	decryptions  = core.TableOf[Decryption]("decryptAudit", schema.Index{Columns: []string{"userId", "missionId", "ts"}})
	auditUser    = core.Column(decryptions, func(d *Decryption) *string { return &d.UserID })
	auditMission = core.Column(decryptions, func(d *Decryption) *string { return &d.MissionID })
	auditAt      = core.Column(decryptions, func(d *Decryption) *time.Time { return &d.At })
	auditID      = core.Column(decryptions, func(d *Decryption) *string { return &d.ID })
)

func tables() []schema.Table {
	d := decryptions.Schema()
	d.RowSecurity, d.AppendOnly = "userId", true
	return []schema.Table{grants.Schema(), d}
}

func encodeList(list []string) (string, error) {
	raw, err := json.Marshal(list)
	return string(raw), err
}

// info is a grant as its user sees it.
func (g *Grant) info(now time.Time) (Info, error) {
	out := Info{ID: g.ID, MissionID: g.MissionID, Version: g.Version, RecipientKeyID: g.RecipientKeyID, IssuedAt: core.Time(g.IssuedAt),
		ExpiresAt: core.Time(g.ExpiresAt), RevokedAt: (*core.Time)(g.RevokedAt), State: g.state(now)}
	if err := json.Unmarshal([]byte(g.Tables), &out.Tables); err != nil {
		return out, err
	}
	return out, json.Unmarshal([]byte(g.RecordIDs), &out.RecordIDs)
}

func (g *Grant) state(now time.Time) string {
	switch {
	case g.RevokedAt != nil:
		return "revoked"
	case !g.ExpiresAt.After(now):
		return "expired"
	}
	return "active"
}

// infos lists a user's grants, the newest first; limit 0 is all of them.
func (p *Plugin) infos(ctx context.Context, db storage.Conn, userID string, limit int, where ...core.Cond) ([]Info, error) {
	list, err := grants.List(ctx, db, core.ListOptions{Order: []core.Order{colIssued.Desc(), colID.Desc()}, Limit: limit}, append(where, colUser.Eq(userID))...)
	if err != nil {
		return nil, err
	}
	out := make([]Info, len(list))
	for i := range list {
		if out[i], err = list[i].info(p.host.Now()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// data is what is kept about a user.
func (p *Plugin) data() core.DataSet {
	return core.DataSet{
		Name: "missionGrants",
		Export: func(ctx context.Context, db storage.Conn, userID string) (any, error) {
			var out struct {
				Grants      []Info     `json:"grants"`
				Decryptions []AuditRow `json:"decryptions"`
			}
			var err error
			if out.Grants, err = p.infos(ctx, db, userID, 0); err != nil {
				return nil, err
			}
			out.Decryptions, err = p.decryptions(ctx, userID, "", 0)
			return out, err
		},
		Erase: func(ctx context.Context, tx *core.Tx, userID string) error {
			_, err := grants.Delete(ctx, tx, colUser.Eq(userID))
			return err
		},
	}
}

func (p *Plugin) decryptions(ctx context.Context, userID, mission string, limit int) (out []AuditRow, err error) {
	where := []core.Cond{auditUser.Eq(userID)}
	if mission != "" {
		where = append(where, auditMission.Eq(mission))
	}
	err = p.host.TxAs(ctx, userID, func(ctx context.Context, tx *core.Tx) error {
		list, err := decryptions.List(ctx, tx, core.ListOptions{Order: []core.Order{auditAt.Desc(), auditID.Desc()}, Limit: limit}, where...)
		out = make([]AuditRow, len(list))
		for i, d := range list {
			out[i] = AuditRow{d.ID, d.MissionID, d.IterationID, d.Table, d.RecordID, d.Status, d.Reason, core.Time(d.At)}
		}
		return err
	})
	return out, err
}

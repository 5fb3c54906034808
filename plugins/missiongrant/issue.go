package missiongrant

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/missiongrant/grant"
)

// Lives of a grant.
const (
	defaultLife = 7 * 24 * time.Hour
	minLife     = time.Hour
	maxLife     = 30 * 24 * time.Hour
)

// wish is what a request asks for, checked.
type wish struct {
	missionID string
	tables    []string
	recordIDs []string
	life      time.Duration
	version   string
}

// parse checks a request. Its errors say what is wrong, never a value.
func (p *Plugin) parse(in IssueInput) (wish, error) {
	w := wish{life: defaultLife, version: "v2"}
	bad := func(format string, args ...any) (wish, error) {
		return wish{}, ErrBadRequest.WithMessage(fmt.Sprintf(format, args...))
	}
	if !read(in.MissionID, &w.missionID) || !goodText(w.missionID) {
		return bad("missionId must be a text of 1 to %d bytes", grant.MaxText)
	}
	if !read(in.Tables, &w.tables) || len(w.tables) == 0 || len(w.tables) > grant.MaxTables {
		return bad("tables must be a list of 1 to %d names", grant.MaxTables)
	}
	if !read(in.RecordIDs, &w.recordIDs) || len(w.recordIDs) == 0 || len(w.recordIDs) > grant.MaxRecords {
		return bad("recordIds must be a list of 1 to %d ids", grant.MaxRecords)
	}
	if in.Version != nil && (!read(in.Version, &w.version) || w.version != "v1" && w.version != "v2") {
		return bad(`version must be "v1" or "v2"`)
	}
	known := map[string]bool{}
	for _, t := range w.tables {
		if !tableForm.MatchString(t) || len(p.tables) > 0 && !p.tables[t] {
			return bad("tables: one of them cannot be granted")
		}
		known[t] = true
	}
	for _, id := range w.recordIDs {
		table, _, ok := grant.SplitRecordID(id)
		switch {
		case !ok || !goodText(id):
			return bad(`recordIds must be of the form "table:id", %d bytes at most`, grant.MaxText)
		case !known[table]:
			return bad("recordIds: one of them is of no table of the list")
		case w.version == "v1" && strings.Contains(id, ","):
			return bad("recordIds: version 1 cannot tell ids with commas apart")
		}
	}
	if in.TTLMs != nil && string(in.TTLMs) != "null" {
		var ms float64
		if !read(in.TTLMs, &ms) || ms != ms {
			return bad("ttlMs must be a number")
		}
		w.life = time.Duration(min(max(ms, float64(minLife.Milliseconds())), float64(maxLife.Milliseconds()))) * time.Millisecond
	}
	return w, nil
}

// read decodes a member; an absent one is not read.
func read(raw json.RawMessage, dst any) bool {
	return raw != nil && json.Unmarshal(raw, dst) == nil && string(raw) != "null"
}

// goodText is a text that can be shown, compared and stored.
func goodText(s string) bool {
	return s != "" && len(s) <= grant.MaxText && !strings.ContainsFunc(s, unicode.IsControl)
}

func (p *Plugin) issue(ctx context.Context, c *core.Call, in IssueInput) (Issued, error) {
	c.SetHeader("Cache-Control", "no-store")
	if len(p.recipients) == 0 {
		return Issued{}, ErrNotConfigured
	}
	w, err := p.parse(in)
	if err != nil {
		return Issued{}, err
	}
	id, err := p.host.RandomString(core.Alphanumeric, 32)
	if err != nil {
		return Issued{}, err
	}
	_, u := c.Session()
	now := p.host.Now()
	row := &Grant{ID: id, UserID: u.ID, MissionID: w.missionID, Version: w.version, RecipientKeyID: p.ids[0], IssuedAt: now, ExpiresAt: now.Add(w.life)}
	var out Issued
	err = p.vault.WithMasterKey(ctx, contract.VaultAccess{UserID: u.ID, Action: "grant", Context: "mission " + id, IPAddress: c.ClientIP(), UserAgent: c.UserAgent()},
		func(key []byte, version int) (err error) {
			out, err = p.seal(key, version, w, row)
			return err
		})
	if err != nil {
		return Issued{}, err
	}
	return out, p.record(ctx, c, w, row)
}

// seal makes the grant, and sets the row's digest.
func (p *Plugin) seal(key []byte, version int, w wish, row *Grant) (Issued, error) {
	if w.version == "v1" {
		g, err := grant.NewV1(p.host.Random(), key, p.recipients[0], w.missionID, w.tables, w.recordIDs, row.IssuedAt, row.ExpiresAt)
		if err != nil {
			return Issued{}, err
		}
		row.Digest = g.Digest()
		return Issued{v1: g}, nil
	}
	g := &grant.V2{ID: row.ID, Issuer: p.host.BaseURL(), UserID: row.UserID, MissionID: w.missionID, Tables: w.tables, RecordIDs: w.recordIDs,
		KeyVersion: int64(version), IssuedAt: row.IssuedAt.UnixMilli(), ExpiresAt: row.ExpiresAt.UnixMilli()}
	if err := g.Seal(p.host.Random(), key, p.recipients[0], p.signer); err != nil {
		return Issued{}, err
	}
	row.Digest = g.Digest()
	return Issued{v2: g}, nil
}

// keepEnded is how long a grant that has ended stays in the list.
const keepEnded = 90 * 24 * time.Hour

// record keeps what was granted. A grant that is not kept could not be revoked: it is not
// given out either.
func (p *Plugin) record(ctx context.Context, c *core.Call, w wish, row *Grant) (err error) {
	if row.Tables, err = encodeList(grant.Sort(w.tables)); err != nil {
		return err
	}
	if row.RecordIDs, err = encodeList(grant.Sort(w.recordIDs)); err != nil {
		return err
	}
	return p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		if err := c.HoldSession(ctx, tx); err != nil { // a first proof of the address revokes what is there
			return err
		}
		if _, err := grants.Delete(ctx, tx, colUser.Eq(row.UserID), colExpires.Lt(row.IssuedAt.Add(-keepEnded))); err != nil {
			return err
		}
		if err := grants.Insert(ctx, tx, row); err != nil {
			return err
		}
		return p.host.Record(ctx, &core.Event{Type: eventIssued, UserID: row.UserID, Call: c, Tx: tx, Detail: map[string]string{"grant": row.ID}})
	})
}

// pageSize is how many grants a page of the list holds: each may name 1000 records.
const pageSize = 50

// list lists the caller's grants. A page ends before the grant that the next is asked for by.
func (p *Plugin) list(ctx context.Context, c *core.Call, in ListInput) (out ListAnswer, err error) {
	_, u := c.Session()
	c.SetHeader("Cache-Control", "no-store")
	var where []core.Cond
	if in.Before != nil {
		last, found, err := grants.Get(ctx, p.host.DB(), colUser.Eq(u.ID), colID.Eq(*in.Before))
		if err != nil {
			return out, err
		}
		if !found {
			return out, ErrBadRequest.WithMessage("before is no grant of this list")
		}
		where = append(where, core.AnyOf(colIssued.Lt(last.IssuedAt), core.AllOf(colIssued.Eq(last.IssuedAt), colID.Lt(last.ID))))
	}
	if out.Grants, err = p.infos(ctx, p.host.DB(), u.ID, pageSize+1, where...); err == nil && len(out.Grants) > pageSize {
		out.Grants = out.Grants[:pageSize]
		out.Next = out.Grants[pageSize-1].ID
	}
	return out, err
}

func (p *Plugin) revoke(ctx context.Context, c *core.Call, in RevokeInput) (RevokeAnswer, error) {
	var out RevokeAnswer
	_, u := c.Session()
	c.SetHeader("Cache-Control", "no-store")
	if (in.ID == nil) == (in.MissionID == nil) {
		return out, ErrBadRequest.WithMessage("give id or missionId")
	}
	where := []core.Cond{colUser.Eq(u.ID)}
	if in.ID != nil {
		where = append(where, colID.Eq(*in.ID))
	} else {
		where = append(where, colMission.Eq(*in.MissionID))
	}
	now := p.host.Now()
	err := p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		n, err := grants.Update(ctx, tx, []core.Set{colRevoked.Set(&now)}, append(where, colRevoked.Null())...)
		if err != nil {
			return err
		}
		out = RevokeAnswer{true, n}
		if n == 0 {
			return p.mustExist(ctx, tx, where)
		}
		return p.host.Record(ctx, &core.Event{Type: eventRevoked, UserID: u.ID, Call: c, Tx: tx})
	})
	return out, err
}

func (p *Plugin) mustExist(ctx context.Context, tx *core.Tx, where []core.Cond) error {
	n, err := grants.Count(ctx, tx, where...)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

package missiongrant

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strconv"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/missiongrant/grant"
)

// runner refuses who does not show the service key. Both are hashed, so that the
// comparison takes the same time whatever their lengths are.
func (p *Plugin) runner(c *core.Call) error {
	if p.serviceKey == "" {
		return ErrNotConfigured
	}
	shown, want := sha256.Sum256([]byte(c.Header("X-Service-Key"))), sha256.Sum256([]byte(p.serviceKey))
	if subtle.ConstantTimeCompare(shown[:], want[:]) != 1 {
		return ErrServiceKey
	}
	return nil
}

func (p *Plugin) status(ctx context.Context, c *core.Call, in StatusInput) (StatusAnswer, error) {
	c.SetHeader("Cache-Control", "no-store")
	if err := p.runner(c); err != nil {
		return StatusAnswer{}, err
	}
	var where core.Cond
	switch {
	case (in.GrantID == nil) == (in.Digest == nil):
		return StatusAnswer{}, ErrBadRequest.WithMessage("give grantId or digest")
	case in.GrantID != nil:
		where = colID.Eq(*in.GrantID)
	default:
		where = colDigest.Eq(*in.Digest)
	}
	g, found, err := grants.Get(ctx, p.host.DB(), where)
	if err == nil && !found {
		err = ErrNotFound
	}
	if err != nil {
		return StatusAnswer{}, err
	}
	return StatusAnswer{g.ID, g.state(p.host.Now()), core.Time(g.ExpiresAt)}, nil
}

func (p *Plugin) keys(_ context.Context, c *core.Call, _ core.None) (KeysAnswer, error) {
	c.SetHeader("Cache-Control", "no-store")
	public := p.signer.Public().(ed25519.PublicKey)
	ids := p.ids
	if ids == nil {
		ids = []string{}
	}
	return KeysAnswer{p.host.BaseURL(), []SigningKey{{grant.SigningKeyID(public), base64.StdEncoding.EncodeToString(public)}}, ids}, nil
}

const (
	auditDefault = 200
	auditMost    = 1000
)

// audit lists what runners decrypted for the caller, newest first. The limit is clamped,
// as the old system does it.
func (p *Plugin) audit(ctx context.Context, c *core.Call, in AuditInput) (AuditAnswer, error) {
	_, u := c.Session()
	limit, mission := auditDefault, ""
	if in.Limit != nil {
		n, err := strconv.Atoi(*in.Limit)
		if err != nil {
			return AuditAnswer{}, ErrBadRequest.WithMessage("limit must be a whole number")
		}
		limit = min(max(n, 1), auditMost)
	}
	if in.MissionID != nil {
		if mission = *in.MissionID; !goodText(mission) {
			return AuditAnswer{}, ErrBadRequest.WithMessage("missionId is none")
		}
	}
	c.SetHeader("Cache-Control", "no-store")
	rows, err := p.decryptions(ctx, u.ID, mission, limit)
	return AuditAnswer{rows}, err
}

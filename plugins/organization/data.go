package organization

import (
	"context"
	"errors"
	"slices"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/organization/access"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
)

// data is what is kept about a user.
func (p *Plugin) data() []core.DataSet {
	return []core.DataSet{{Name: ID, Export: p.export, Erase: p.erase}}
}

// export is a user's part: memberships and teams, and invitations to and from them.
func (p *Plugin) export(ctx context.Context, q storage.Conn, userID string) (any, error) {
	var out struct {
		Members     []Member     `json:"memberships"`
		Sent        []Invitation `json:"invitationsSent"`
		Received    []Invitation `json:"invitationsReceived"`
		TeamMembers []TeamMember `json:"teams"`
	}
	u, err := p.host.UserByID(ctx, q, userID)
	if err != nil || u == nil {
		return out, err
	}
	if out.Members, err = p.members.List(ctx, q, core.ListOptions{Order: []core.Order{memberCreated.Asc(), memberID.Asc()}}, memberUser.Eq(userID)); err != nil {
		return nil, err
	}
	byAge := core.ListOptions{Order: []core.Order{inviteCreated.Asc(), inviteID.Asc()}}
	if out.Sent, err = p.invitations.List(ctx, q, byAge, inviteSender.Eq(userID)); err != nil {
		return nil, err
	}
	if out.Received, err = p.invitations.List(ctx, q, byAge, inviteEmail.Eq(core.NormalEmail(u.Email))); err != nil {
		return nil, err
	}
	if p.o.Teams.Enabled {
		out.TeamMembers, err = teamMembers.List(ctx, q, core.ListOptions{Order: []core.Order{inTeamSince.Asc(), inTeamID.Asc()}}, inTeamUser.Eq(userID))
	}
	return out, err
}

// erase takes a user out of every organization. One in which nobody else is goes with
// them. One with other members must have another owner: its only owner hands it over or
// deletes it first, or else nobody could run it any more.
func (p *Plugin) erase(ctx context.Context, tx *core.Tx, userID string) error {
	u, err := p.host.UserByID(ctx, tx, userID)
	if err != nil || u == nil {
		return err
	}
	// In the order of ids: two users who are deleted at once lock in the same order.
	mine, err := p.members.List(ctx, tx, core.ListOptions{Order: []core.Order{memberOrg.Asc(), memberID.Asc()}}, memberUser.Eq(userID))
	if err != nil {
		return err
	}
	for i := range mine {
		if err := p.eraseFrom(ctx, tx, &mine[i], u); err != nil {
			return err
		}
	}
	if _, err := p.invitations.Delete(ctx, tx, core.AnyOf(inviteSender.Eq(userID), inviteEmail.Eq(core.NormalEmail(u.Email)))); err != nil {
		return err
	}
	if p.o.Teams.Enabled {
		_, err = teamMembers.Delete(ctx, tx, inTeamUser.Eq(userID))
	}
	return err
}

func (p *Plugin) eraseFrom(ctx context.Context, tx *core.Tx, m *Member, u *core.User) error {
	o, err := p.lock(ctx, tx, m.OrganizationID)
	if errors.Is(err, ErrNotFound) {
		return nil // deleted meanwhile, with the membership
	}
	if err != nil {
		return err
	}
	a := orghook.Act{Tx: tx, Actor: u, Organization: o}
	others, err := count(ctx, tx, "SELECT count(*) FROM (SELECT {member.id} FROM {member=} WHERE {member.organizationId} = ? AND {member.userId} <> ? LIMIT 1) AS n", o.ID, u.ID)
	if err != nil {
		return err
	}
	if others == 0 {
		return p.drop(ctx, a)
	}
	if slices.Contains(access.Names(m.Role), p.o.CreatorRole) {
		if other, err := p.holders(ctx, tx, o.ID, m.ID, p.o.CreatorRole); err != nil {
			return err
		} else if !other {
			return ErrOnlyOwner
		}
	}
	return p.eject(ctx, a, m, u)
}

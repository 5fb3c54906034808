package organization

import (
	"context"
	"slices"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/organization/access"
)

func (p *Plugin) getInvitation(ctx context.Context, c *core.Call, in GetInvitationInput) (InvitationDetails, error) {
	var out InvitationDetails
	_, u := c.Session()
	i, found, err := p.invitations.Get(ctx, p.host.DB(), inviteID.Eq(in.ID))
	if err != nil {
		return out, err
	}
	if !found || i.Status != "pending" || i.ExpiresAt.Before(c.Now()) {
		return out, ErrInvitationNotFound
	}
	if _, err := p.recipient(ctx, p.host.DB(), &i, u.ID, ErrVerifyToRead); err != nil {
		return out, err
	}
	o, err := p.find(ctx, i.OrganizationID, "")
	if err == nil && o == nil {
		err = ErrNotFound
	}
	if err != nil {
		return out, err
	}
	rows, err := p.host.DB().Query(ctx, "SELECT {user.email} FROM {member=} JOIN {user=} ON {user.id} = {member.userId} "+
		"WHERE {member.organizationId} = ? AND {member.userId} = ? LIMIT 1", o.ID, i.InviterID)
	if err != nil {
		return out, err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return out, err
		}
		return out, ErrInviterGone
	}
	out.Invitation, out.OrganizationName, out.OrganizationSlug = i, o.Name, o.Slug
	if err := rows.Scan(storage.Dest(&out.InviterEmail)); err != nil {
		return out, err
	}
	return out, rows.Close()
}

func (p *Plugin) listInvitations(ctx context.Context, c *core.Call, in OrganizationInput) ([]Invitation, error) {
	id := target(c, in.OrganizationID)
	if id == "" {
		return nil, errNoOrganizationID
	}
	_, u := c.Session()
	me, err := p.standing(ctx, p.host.DB(), id, u.ID)
	if err != nil {
		return nil, err
	}
	if me == nil {
		return nil, ErrNotMember
	}
	if !me.may("invitation", "create") {
		return nil, ErrMayNotListInvitations
	}
	return p.invitationsFor(ctx, me)
}

// invitationsFor lists the latest invitations of an organization, oldest first, for
// somebody who may invite. Their ids are links: those that give the creator's role are
// shown to its holders alone.
func (p *Plugin) invitationsFor(ctx context.Context, me *standing) ([]Invitation, error) {
	list, err := p.invitations.List(ctx, p.host.DB(), core.ListOptions{Order: []core.Order{inviteCreated.Desc(), inviteID.Desc()}, Limit: maxList},
		inviteOrg.Eq(me.OrganizationID))
	slices.Reverse(list)
	if me.creator() {
		return list, err
	}
	return slices.DeleteFunc(list, func(i Invitation) bool { return slices.Contains(access.Names(deref(i.Role)), me.top) }), err
}

func (p *Plugin) listUserInvitations(ctx context.Context, c *core.Call, in ListUserInvitationsInput) ([]UserInvitation, error) {
	_, u, err := c.LoadSession(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case deref(in.Email) != "":
		return nil, errEmailGiven
	case u == nil:
		return nil, errNoEmail
	}
	if u, err = p.host.UserByID(ctx, p.host.DB(), u.ID); err != nil {
		return nil, err
	}
	if u == nil {
		return nil, core.ErrUnauthorized
	}
	if !u.EmailVerified {
		return nil, ErrVerifyToRead
	}
	return p.invitationsTo(ctx, p.host.DB(), u.Email)
}

// invitationsTo lists the invitations of an address that wait for an answer.
func (p *Plugin) invitationsTo(ctx context.Context, q storage.Conn, email string) ([]UserInvitation, error) {
	rows, err := q.Query(ctx, "SELECT "+p.invitations.Select()+", {organization.name} FROM {invitation=} JOIN {organization=} "+
		"ON {organization.id} = {invitation.organizationId} WHERE {invitation.email} = ? AND {invitation.status} = 'pending' "+
		"ORDER BY {invitation.createdAt}, {invitation.id} LIMIT ?", core.NormalEmail(email), int64(maxList))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []UserInvitation{}
	for rows.Next() {
		var i UserInvitation
		if err := p.invitations.Scan(rows, &i.Invitation, &i.OrganizationName); err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return out, rows.Close()
}

package organization

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/organization/access"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
)

func (p *Plugin) invite(ctx context.Context, c *core.Call, in InviteInput) (Invitation, error) {
	var out Invitation
	extra, err := p.invitationFields.Read("body", in.Fields, true)
	if err != nil {
		return out, err
	}
	id := target(c, in.OrganizationID)
	if id == "" {
		return out, ErrNotFound
	}
	email := core.NormalEmail(in.Email)
	if !core.ValidEmail(strings.ToLower(in.Email)) { // spaces around it are no part of an address
		return out, core.ErrInvalidEmail
	}
	roles, err := roleNames(in.Role)
	if err != nil {
		return out, err
	}
	return out, p.change(ctx, c, id, ErrMemberNotFound, func(ctx context.Context, a act) error {
		if err := p.mayInvite(ctx, a, email, roles); err != nil {
			return err
		}
		open, err := p.invitations.List(ctx, a.Tx, core.ListOptions{Order: []core.Order{inviteCreated.Asc(), inviteID.Asc()}, Limit: maxList},
			inviteOrg.Eq(id), inviteEmail.Eq(email), inviteStatus.Eq("pending"), inviteExpires.Gt(c.Now()))
		if err != nil {
			return err
		}
		switch {
		case len(open) == 0:
		case in.Resend != nil && *in.Resend:
			out, err = p.resend(ctx, a, open[0])
			return err
		case !p.o.CancelPendingInvitationsOnReInvite:
			return ErrAlreadyInvited
		default:
			if _, err := p.invitations.Update(ctx, a.Tx, []core.Set{inviteStatus.Set("canceled")}, inviteID.Eq(open[0].ID), inviteOrg.Eq(id)); err != nil {
				return err
			}
		}
		out = Invitation{OrganizationID: id, Email: email, InviterID: a.Actor.ID, Extras: core.Extras{Extra: extra}}
		role := access.Join(roles)
		out.Role = &role
		if len(in.TeamID) == 1 && in.TeamID[0] == "" {
			in.TeamID = nil
		}
		return p.newInvitation(ctx, a, &out, in.TeamID)
	})
}

// mayInvite checks inviter, roles and recipient.
func (p *Plugin) mayInvite(ctx context.Context, a act, email string, roles []string) error {
	if !a.me.may("invitation", "create") {
		return ErrMayNotInvite
	}
	if len(roles) == 0 {
		return ErrRoleNotFound
	}
	if unknown := a.me.unknown(roles); len(unknown) > 0 {
		return noSuchRole(unknown)
	}
	if !a.me.mayGrant(roles) {
		return ErrMayNotInviteRole
	}
	n, err := count(ctx, a.Tx, "SELECT count(*) FROM {user=} JOIN {member=} ON {member.userId} = {user.id} WHERE {user.email} = ? AND {member.organizationId} = ?",
		email, a.Organization.ID)
	if err == nil && n > 0 {
		err = ErrAlreadyMember
	}
	return err
}

// newInvitation stores an invitation and sends it.
func (p *Plugin) newInvitation(ctx context.Context, a act, i *Invitation, teamIDs []string) (err error) {
	limit := p.o.InvitationLimit
	if p.o.InvitationLimitOf != nil {
		if limit, err = p.o.InvitationLimitOf(ctx, a.Actor, a.Organization, &a.me.Member); err != nil {
			return err
		}
	}
	if limit > 0 {
		n, err := invitations.Count(ctx, a.Tx, inviteOrg.Eq(a.Organization.ID), inviteStatus.Eq("pending"), inviteExpires.Gt(p.host.Now()))
		if err != nil {
			return err
		}
		if n >= int64(limit) {
			return ErrTooManyInvitations
		}
	}
	if p.o.Teams.Enabled && len(teamIDs) > 0 {
		if err := p.roomInTeams(ctx, a, teamIDs); err != nil {
			return err
		}
		ids := strings.Join(teamIDs, ",")
		i.TeamID = &ids
	}
	if i.ID, err = p.host.NewID(ctx, "invitation"); err != nil {
		return err
	}
	i.Status, i.CreatedAt = "pending", p.host.Now()
	i.ExpiresAt = i.CreatedAt.Add(p.invitationLife())
	email := i.Email
	err = orghook.InvitationCreate.Run(ctx, p.host, a.Tx, &orghook.InvitationEvent{Act: a.Act, Invitation: i}, func(ctx context.Context) error {
		i.Email = email // checks have been made for this one
		return p.invitations.Insert(ctx, a.Tx, i)
	})
	if err != nil {
		return err
	}
	return p.sendInvitation(ctx, a, i)
}

// resend gives an open invitation a new life. Its id stays, and so must its roles be ones
// that the sender may give.
func (p *Plugin) resend(ctx context.Context, a act, i Invitation) (Invitation, error) {
	if !a.me.mayGrant(access.Names(deref(i.Role))) {
		return i, ErrMayNotInviteRole
	}
	i.ExpiresAt = p.host.Now().Add(p.invitationLife())
	if _, err := p.invitations.Update(ctx, a.Tx, []core.Set{inviteExpires.Set(i.ExpiresAt)}, inviteID.Eq(i.ID), inviteOrg.Eq(i.OrganizationID)); err != nil {
		return i, err
	}
	return i, p.sendInvitation(ctx, a, &i)
}

func (p *Plugin) invitationLife() time.Duration {
	return time.Duration(p.o.InvitationExpiresIn) * time.Second
}

// recipient wants an open invitation to be the caller's. It reads their address anew: the
// cookie cache may know one that they have no more.
func (p *Plugin) recipient(ctx context.Context, q storage.Conn, i *Invitation, userID string, verify *core.Error) (*core.User, error) {
	u, err := p.host.UserByID(ctx, q, userID)
	if err != nil {
		return nil, err
	}
	if u == nil {
		return nil, core.ErrUnauthorized
	}
	if core.NormalEmail(i.Email) != core.NormalEmail(u.Email) {
		return nil, ErrNotRecipient
	}
	if *p.o.RequireEmailVerificationOnInvitation && !u.EmailVerified {
		return nil, verify
	}
	return u, nil
}

// answer runs an answer of the recipient. The organization's row is locked, and then the
// invitation is read: of N answers one finds it open.
func (p *Plugin) answer(ctx context.Context, c *core.Call, in AnswerInput, open func(*Invitation) bool, fn func(context.Context, orghook.Act, *Invitation) error) error {
	_, u := c.Session()
	i, found, err := p.invitations.Get(ctx, p.host.DB(), inviteID.Eq(in.InvitationID))
	if err != nil {
		return err
	}
	if !found || !open(&i) {
		return ErrInvitationNotFound
	}
	if _, err := p.recipient(ctx, p.host.DB(), &i, u.ID, ErrVerifyToAnswer); err != nil {
		return err
	}
	return p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		// The user before the organization, in the order of a deletion of the user.
		if err := c.HoldSession(ctx, tx); err != nil {
			return err
		}
		if err := c.RecheckSession(ctx, tx); err != nil {
			return err
		}
		o, err := p.lock(ctx, tx, i.OrganizationID)
		if err != nil {
			return err
		}
		i, found, err := p.invitations.Get(ctx, tx, inviteID.Eq(in.InvitationID), inviteOrg.Eq(o.ID))
		if err != nil {
			return err
		}
		if !found || !open(&i) {
			return ErrInvitationNotFound
		}
		u, err := p.recipient(ctx, tx, &i, u.ID, ErrVerifyToAnswer)
		if err != nil {
			return err
		}
		return fn(ctx, orghook.Act{Call: c, Tx: tx, Actor: u, Organization: o}, &i)
	})
}

// settleInvitation gives an open invitation its end, by a guarded update.
func (p *Plugin) settleInvitation(ctx context.Context, tx *core.Tx, i *Invitation, status string) error {
	n, err := p.invitations.Update(ctx, tx, []core.Set{inviteStatus.Set(status)}, inviteID.Eq(i.ID), inviteOrg.Eq(i.OrganizationID), inviteStatus.Eq("pending"))
	if err == nil && n != 1 {
		err = ErrInvitationNotFound
	}
	i.Status = status
	return err
}

func (p *Plugin) accept(ctx context.Context, c *core.Call, in AnswerInput) (Accepted, error) {
	var out Accepted
	open := func(i *Invitation) bool { return i.Status == "pending" && !i.ExpiresAt.Before(c.Now()) }
	var team string
	err := p.answer(ctx, c, in, open, func(ctx context.Context, a orghook.Act, i *Invitation) error {
		e := &orghook.InvitationEvent{Act: a, Invitation: i}
		err := orghook.InvitationAccept.Run(ctx, p.host, a.Tx, e, func(ctx context.Context) error {
			if err := p.settleInvitation(ctx, a.Tx, i, "accepted"); err != nil {
				return err
			}
			m, err := p.admit(ctx, a, a.Actor, access.Names(deref(i.Role)), nil)
			if err != nil {
				return err
			}
			out.Member, e.Member = &m, &m
			team, err = p.joinTeams(ctx, a, i)
			return err
		})
		if err != nil {
			return err
		}
		out.Invitation = *i
		if err := p.record(ctx, &a, eventInvitationAccepted, a.Actor.ID, map[string]string{"invitation": i.ID}); err != nil {
			return err
		}
		s, _ := c.Session()
		set := map[string]any{activeOrganization: a.Organization.ID}
		if team != "" {
			set[activeTeam] = team
		}
		s, err = p.host.SetSessionExtra(ctx, a.Tx, s, set)
		if err != nil || s == nil || team == "" {
			return err
		}
		return c.RefreshCookies(s, a.Actor)
	})
	if err != nil {
		return Accepted{}, err
	}
	return out, nil
}

func (p *Plugin) reject(ctx context.Context, c *core.Call, in AnswerInput) (Accepted, error) {
	var out Accepted
	open := func(i *Invitation) bool { return i.Status == "pending" }
	err := p.answer(ctx, c, in, open, func(ctx context.Context, a orghook.Act, i *Invitation) error {
		err := orghook.InvitationReject.Run(ctx, p.host, a.Tx, &orghook.InvitationEvent{Act: a, Invitation: i}, func(ctx context.Context) error {
			return p.settleInvitation(ctx, a.Tx, i, "rejected")
		})
		if err != nil {
			return err
		}
		out.Invitation = *i
		return p.record(ctx, &a, eventInvitationRejected, a.Actor.ID, map[string]string{"invitation": i.ID})
	})
	if errors.Is(err, ErrInvitationNotFound) {
		err = ErrInvitationNotFound.WithMessage("Invitation not found!")
	}
	return out, err
}

func (p *Plugin) cancel(ctx context.Context, c *core.Call, in AnswerInput) (Invitation, error) {
	i, found, err := p.invitations.Get(ctx, p.host.DB(), inviteID.Eq(in.InvitationID))
	if err != nil {
		return Invitation{}, err
	}
	if !found {
		return Invitation{}, ErrInvitationNotFound
	}
	err = p.change(ctx, c, i.OrganizationID, ErrMemberNotFound, func(ctx context.Context, a act) error {
		if !a.me.may("invitation", "cancel") {
			return ErrMayNotCancel
		}
		err := orghook.InvitationCancel.Run(ctx, p.host, a.Tx, &orghook.InvitationEvent{Act: a.Act, Invitation: &i}, func(ctx context.Context) error {
			return p.settleInvitation(ctx, a.Tx, &i, "canceled")
		})
		if err != nil {
			return err
		}
		return p.record(ctx, &a.Act, eventInvitationCanceled, a.Actor.ID, map[string]string{"invitation": i.ID})
	})
	return i, err
}

package organization

import (
	"context"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/organization/access"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
)

func (p *Plugin) updateMemberRole(ctx context.Context, c *core.Call, in UpdateMemberRoleInput) (Member, error) {
	var out Member
	roles, err := roleNames(in.Role)
	if err != nil {
		return out, err
	}
	id := target(c, in.OrganizationID)
	switch {
	case len(in.Role) == 1 && in.Role[0] == "":
		return out, errNoRole
	case id == "":
		return out, ErrNoActive
	case len(roles) == 0:
		return out, errNoRole
	}
	return out, p.change(ctx, c, id, ErrMemberNotFound, func(ctx context.Context, a act) error {
		m, u, err := p.memberBy(ctx, a, in.MemberID)
		if err != nil {
			return err
		}
		if err := p.mayUpdateRole(ctx, a, m, roles); err != nil {
			return err
		}
		old := *m
		m.Role = access.Join(roles)
		e := &orghook.MemberEvent{Act: a.Act, Member: m, User: u, Old: &old}
		err = orghook.MemberUpdate.Run(ctx, p.host, a.Tx, e, func(ctx context.Context) error {
			set := append([]core.Set{memberRole.Set(m.Role)}, p.memberFields.Sets("member", m.Extra)...)
			_, err := p.members.Update(ctx, a.Tx, set, memberID.Eq(m.ID), memberOrg.Eq(a.Organization.ID))
			return err
		})
		if err != nil {
			return err
		}
		out = *m
		return p.record(ctx, &a.Act, eventMemberRole, m.UserID, map[string]string{"member": m.ID, "from": old.Role, "to": m.Role})
	})
}

// mayUpdateRole checks a change of roles. Whoever takes the creator's role from somebody
// else has it and keeps it; from themselves, somebody else must have it.
func (p *Plugin) mayUpdateRole(ctx context.Context, a act, m *Member, roles []string) error {
	top := p.o.CreatorRole
	isTop, toTop := slices.Contains(access.Names(m.Role), top), slices.Contains(roles, top)
	if (isTop || toTop) && !a.me.creator() {
		return ErrMayNotUpdateMember
	}
	if isTop && !toTop && m.ID == a.me.ID {
		if err := p.mustLeaveOwner(ctx, a, m, ErrNoOwnerLeft); err != nil {
			return err
		}
	}
	if !a.me.creator() && !a.me.may("member", "update") {
		return ErrMayNotUpdateMember
	}
	if unknown := a.me.unknown(roles); len(unknown) > 0 {
		return noSuchRole(unknown)
	}
	if !a.me.mayGrant(roles) {
		return ErrMayNotUpdateMember
	}
	return nil
}

// noSuchRole is ROLE_NOT_FOUND with Better Auth's text for it.
func noSuchRole(names []string) error {
	return ErrRoleNotFound.WithMessage(ErrRoleNotFound.Code + ": " + strings.Join(names, ", "))
}

func (p *Plugin) activeMember(ctx context.Context, c *core.Call, _ core.None) (Named, error) {
	id := target(c, nil)
	if id == "" {
		return Named{}, ErrNoActive
	}
	_, u := c.Session()
	me, err := p.standing(ctx, p.host.DB(), id, u.ID)
	if err != nil {
		return Named{}, err
	}
	if me == nil {
		return Named{}, ErrMemberNotFound
	}
	return Named{me.Member, person(u)}, nil
}

func (p *Plugin) activeMemberRole(ctx context.Context, c *core.Call, in GetActiveMemberRoleInput) (RoleAnswer, error) {
	id, me, err := p.asMember(ctx, c, in.OrganizationID, in.OrganizationSlug)
	if err != nil {
		return RoleAnswer{}, err
	}
	if deref(in.UserID) == "" {
		return RoleAnswer{me.Role}, nil
	}
	m, found, err := p.members.Get(ctx, p.host.DB(), memberOrg.Eq(id), memberUser.Eq(*in.UserID))
	if err == nil && !found {
		err = ErrNotMember
	}
	return RoleAnswer{m.Role}, err
}

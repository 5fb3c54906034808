package organization

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/organization/access"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
)

// Membership implements contract.Organizations.
func (p *Plugin) Membership(ctx context.Context, organizationID, userID string) (contract.Membership, bool, error) {
	me, err := p.standing(ctx, p.host.DB(), organizationID, userID)
	if err != nil || me == nil {
		return contract.Membership{}, false, err
	}
	return membership(&me.Member), true, nil
}

// Memberships implements contract.Organizations.
func (p *Plugin) Memberships(ctx context.Context, userID string) ([]contract.Membership, error) {
	list, err := p.members.List(ctx, p.host.DB(), core.ListOptions{Order: []core.Order{memberCreated.Asc(), memberID.Asc()}, Limit: maxPage}, memberUser.Eq(userID))
	out := make([]contract.Membership, len(list))
	for i := range list {
		out[i] = membership(&list[i])
	}
	return out, err
}

// Authorize implements contract.Organizations. It answers ErrNotMember or ErrForbidden.
func (p *Plugin) Authorize(ctx context.Context, organizationID, userID string, want contract.Permissions) (contract.Membership, error) {
	me, err := p.standing(ctx, p.host.DB(), organizationID, userID)
	switch {
	case err != nil:
		return contract.Membership{}, err
	case me == nil:
		return contract.Membership{}, ErrNotMember
	case len(want) > 0 && !me.allows(want):
		return contract.Membership{}, ErrForbidden
	}
	return membership(&me.Member), nil
}

func membership(m *Member) contract.Membership {
	return contract.Membership{ID: m.ID, OrganizationID: m.OrganizationID, UserID: m.UserID, Roles: access.Names(m.Role)}
}

// SlugTaken implements orghook.Service.
func (p *Plugin) SlugTaken(ctx context.Context, tx *core.Tx, slug string) (bool, error) {
	_, found, err := p.organizations.Get(ctx, p.host.Conn(tx), orgSlug.Eq(slug))
	return found, err
}

// Create implements orghook.Service.
func (p *Plugin) Create(ctx context.Context, outer *core.Tx, n orghook.NewOrganization) (*Organization, *Member, error) {
	if n.Name == "" || n.Slug == "" {
		return nil, nil, core.ErrValidation.WithMessage("An organization needs a name and a slug")
	}
	o := Organization{Name: n.Name, Slug: n.Slug, Logo: n.Logo, Extras: core.Extras{Extra: p.organizationFields.Defaults()}}
	for k, v := range n.Extra {
		o.Extra[k] = v
	}
	if n.Metadata != nil {
		raw, err := json.Marshal(n.Metadata)
		if err != nil {
			return nil, nil, err
		}
		meta := string(raw)
		o.Metadata = &meta
	}
	var m made
	err := p.host.Tx(ctx, outer, func(ctx context.Context, tx *core.Tx) error {
		if err := p.host.LockUser(ctx, tx, n.UserID); err != nil {
			return err
		}
		u, err := p.userFor(ctx, tx, n.UserID)
		if err != nil {
			return err
		}
		m, err = p.make(ctx, orghook.Act{Call: n.Call, Tx: tx, Organization: &o}, u)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return &m.organization, &m.member, nil
}

// AddMember implements orghook.Service.
func (p *Plugin) AddMember(ctx context.Context, outer *core.Tx, n orghook.NewMember) (*Member, error) {
	roles, err := roleNames(n.Roles)
	if err != nil {
		return nil, err
	}
	if len(roles) == 0 {
		return nil, ErrRoleNotFound
	}
	if n.TeamID != "" && !p.o.Teams.Enabled {
		return nil, errTeamsOff
	}
	var m Member
	err = p.host.Tx(ctx, outer, func(ctx context.Context, tx *core.Tx) error {
		o, err := p.lock(ctx, tx, n.OrganizationID)
		if err != nil {
			return err
		}
		u, err := p.userFor(ctx, tx, n.UserID)
		if err != nil {
			return err
		}
		a := orghook.Act{Call: n.Call, Tx: tx, Organization: o}
		if err := p.rolesExist(ctx, tx, o.ID, roles); err != nil {
			return err
		}
		if m, err = p.admit(ctx, a, u, roles, n.Extra); err != nil || n.TeamID == "" {
			return err
		}
		t, err := p.team(ctx, tx, o.ID, n.TeamID)
		if err != nil {
			return err
		}
		_, err = p.putIntoTeam(ctx, a, t, u)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// rolesExist refuses roles that there are not: who had one would hold nothing, and might
// hold something when a role of that name is made.
func (p *Plugin) rolesExist(ctx context.Context, q storage.Conn, organizationID string, names []string) error {
	for _, n := range names {
		if _, ok := p.roles[n]; ok {
			continue
		}
		if !p.o.DynamicAccessControl.Enabled {
			return noSuchRole([]string{n})
		}
		if _, found, err := p.ownRoles.Get(ctx, q, roleOrg.Eq(organizationID), roleTitle.Eq(n)); err != nil {
			return err
		} else if !found {
			return noSuchRole([]string{n})
		}
	}
	return nil
}

func (p *Plugin) userFor(ctx context.Context, q storage.Conn, id string) (*core.User, error) {
	u, err := p.host.UserByID(ctx, q, id)
	if err == nil && u == nil {
		err = core.ErrUserNotFound
	}
	return u, err
}

// mayI answers what the caller may do. A member without the permission hears false, not
// an error.
func (p *Plugin) mayI(ctx context.Context, c *core.Call, in MayIInput) (MayIAnswer, error) {
	want, _, _ := in.request()
	id := target(c, in.OrganizationID)
	if id == "" {
		return MayIAnswer{}, ErrNoActive
	}
	_, u := c.Session()
	me, err := p.standing(ctx, p.host.DB(), id, u.ID)
	if err != nil {
		return MayIAnswer{}, err
	}
	if me == nil {
		return MayIAnswer{}, errNotMemberAtAll
	}
	return MayIAnswer{Success: me.allows(want)}, nil
}

// Check implements core.Checker: exactly one of the two members has the right form.
func (in *MayIInput) Check() (member, wrong string) {
	_, now, before := in.request()
	switch {
	case now && before:
		return "", "Invalid input: more than one option matched"
	case !now && !before:
		return "", invalid
	}
	return "", ""
}

// request reads what is asked for, and tells in which of its two members: by today's name or the one before.
func (in *MayIInput) request() (want access.Permissions, now, before bool) {
	for _, f := range in.Forms {
		switch f.Name {
		case "permissions":
			want, now = permissions(f.Raw)
		case "permission":
			_, before = permissions(f.Raw)
		}
	}
	return want, now, before
}

// permissions reads a record of lists of texts.
func permissions(raw json.RawMessage) (access.Permissions, bool) {
	var all map[string][]*string
	if json.Unmarshal(raw, &all) != nil || all == nil {
		return nil, false
	}
	out := access.Permissions{}
	for resource, actions := range all {
		if actions == nil || slices.Contains(actions, nil) {
			return nil, false
		}
		out[resource] = []string{}
		for _, a := range actions {
			out[resource] = append(out[resource], *a)
		}
	}
	return out, true
}

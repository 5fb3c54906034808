package organization

import (
	"context"
	"encoding/json"

	"github.com/sallyport-auth/sallyport/core"
)

// roleKey names a role of the organization's own: by its name, else by its id. nil is
// absent, or no text.
type roleKey struct{ name, id *string }

func keyOf(given core.Members) (k roleKey) {
	for _, m := range given {
		var s *string
		if json.Unmarshal(m.Raw, &s) != nil {
			s = nil
		}
		switch m.Name {
		case "roleName":
			k.name = s
		case "roleId":
			k.id = s
		}
	}
	return k
}

func keyOfQuery(in GetRoleInput) roleKey {
	one := func(list []string) *string {
		if len(list) != 1 {
			return nil
		}
		return &list[0]
	}
	return roleKey{one(in.RoleName), one(in.RoleID)}
}

// cond is the condition that finds the role. at is where the key stands, for messages.
func (k roleKey) cond(at string) (core.Cond, error) {
	short := func(name string) error {
		return core.ErrValidation.WithMessage("[" + at + "." + name + "] Too small: expected string to have >=1 characters")
	}
	switch {
	case deref(k.name) != "":
		return roleTitle.Eq(*k.name), nil
	case deref(k.id) != "":
		return roleID.Eq(*k.id), nil
	case k.name != nil && k.id == nil:
		return core.Cond{}, short("roleName")
	case k.id != nil && k.name == nil:
		return core.Cond{}, short("roleId")
	}
	return core.Cond{}, notOne(at)
}

// reader wants the caller to be a member who may read roles.
func (p *Plugin) reader(ctx context.Context, c *core.Call, organizationID *string, refusal *core.Error) (string, error) {
	id := roleTarget(c, organizationID)
	if id == "" {
		return "", ErrNoActive
	}
	_, u := c.Session()
	me, err := p.standing(ctx, p.host.DB(), id, u.ID)
	switch {
	case err != nil:
		return "", err
	case me == nil:
		return "", ErrNotMember
	case !me.may("ac", "read"):
		return "", refusal
	}
	return id, nil
}

func (p *Plugin) listRoles(ctx context.Context, c *core.Call, in OrganizationInput) ([]Role, error) {
	id, err := p.reader(ctx, c, in.OrganizationID, ErrMayNotListRoles)
	if err != nil {
		return nil, err
	}
	return p.ownRoles.List(ctx, p.host.DB(), core.ListOptions{Order: []core.Order{roleCreated.Asc(), roleID.Asc()}, Limit: maxPage}, roleOrg.Eq(id))
}

func (p *Plugin) getRole(ctx context.Context, c *core.Call, in GetRoleInput) (Role, error) {
	by, err := keyOfQuery(in).cond("query")
	if err != nil {
		return Role{}, err
	}
	id, err := p.reader(ctx, c, in.OrganizationID, ErrMayNotReadRole)
	if err != nil {
		return Role{}, err
	}
	return p.ownRole(ctx, p.host.DB(), id, by)
}

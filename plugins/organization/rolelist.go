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

// Check implements core.Checker.
func (in *UpdateRoleInput) Check() (member, wrong string) { return keyOf(in.Role).check() }

// Check implements core.Checker.
func (in *DeleteRoleInput) Check() (member, wrong string) { return keyOf(in.Role).check() }

// Check implements core.Checker.
func (in *GetRoleInput) Check() (member, wrong string) { return keyOfQuery(*in).check() }

// check wants the key to name a role.
func (k roleKey) check() (member, wrong string) {
	const short = "Too small: expected string to have >=1 characters"
	switch {
	case deref(k.name) != "" || deref(k.id) != "":
		return "", ""
	case k.name != nil && k.id == nil:
		return "roleName", short
	case k.id != nil && k.name == nil:
		return "roleId", short
	}
	return "", invalid
}

// invalid is what zod says of a value that fits none of the forms.
const invalid = "Invalid input"

// cond is the condition that finds the role.
func (k roleKey) cond() core.Cond {
	if deref(k.name) != "" {
		return roleTitle.Eq(*k.name)
	}
	return roleID.Eq(deref(k.id))
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
	id, err := p.reader(ctx, c, in.OrganizationID, ErrMayNotReadRole)
	if err != nil {
		return Role{}, err
	}
	return p.ownRole(ctx, p.host.DB(), id, keyOfQuery(in).cond())
}

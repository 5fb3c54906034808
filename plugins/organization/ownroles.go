package organization

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/organization/access"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
)

func (p *Plugin) createRole(ctx context.Context, c *core.Call, in CreateRoleInput) (CreatedRole, error) {
	out := CreatedRole{Success: true, Statements: in.Permission}
	var given core.Members
	if in.AdditionalFields != nil {
		given = in.AdditionalFields.Members
	}
	extra, err := p.roleFields.Read("body.additionalFields", given, in.AdditionalFields != nil)
	if err != nil {
		return out, err
	}
	id := roleTarget(c, in.OrganizationID)
	if id == "" {
		return out, ErrNoOrganizationForRole
	}
	name := strings.ToLower(in.Role)
	if err := p.freeName("body.role", name); err != nil {
		return out, err
	}
	return out, p.change(ctx, c, id, ErrNotMember, func(ctx context.Context, a act) error {
		if !a.me.may("ac", "create") {
			return ErrMayNotCreateRole
		}
		if err := p.roomForRole(ctx, a); err != nil {
			return err
		}
		if err := p.mayHandOut(a.me, in.Permission, ErrMayNotCreateRole); err != nil {
			return err
		}
		if err := p.nameNotTaken(ctx, a.Tx, id, name); err != nil {
			return err
		}
		r := &out.RoleData
		*r = Role{OrganizationID: id, Role: name, CreatedAt: c.Now(), Extras: core.Extras{Extra: extra}}
		if r.Permission, err = permissionText(in.Permission); err != nil {
			return err
		}
		if r.ID, err = p.host.NewID(ctx, "organizationRole"); err != nil {
			return err
		}
		err := orghook.RoleCreate.Run(ctx, p.host, a.Tx, &orghook.RoleEvent{Act: a.Act, Role: r}, func(ctx context.Context) error {
			return p.ownRoles.Insert(ctx, a.Tx, r)
		})
		if err != nil {
			return err
		}
		return p.record(ctx, &a.Act, eventRoleCreated, a.Actor.ID, map[string]string{"role": r.Role, "permission": r.Permission})
	})
}

// freeName refuses names of roles that there are by configuration, and what is no name.
func (p *Plugin) freeName(at, name string) error {
	if _, taken := p.roles[name]; taken {
		return ErrRoleNameTaken
	}
	if !roleName(name) {
		return core.ErrValidation.WithMessage("[" + at + "] Invalid input: expected 1 to 100 characters without commas, and no space at either end")
	}
	return nil
}

func (p *Plugin) nameNotTaken(ctx context.Context, q storage.Conn, organizationID, name string) error {
	_, taken, err := p.ownRoles.Get(ctx, q, roleOrg.Eq(organizationID), roleTitle.Eq(name))
	if err == nil && taken {
		err = ErrRoleNameTaken
	}
	return err
}

func (p *Plugin) roomForRole(ctx context.Context, a act) (err error) {
	limit := p.o.DynamicAccessControl.MaximumRolesPerOrganization
	if p.o.DynamicAccessControl.MaximumRolesOf != nil {
		if limit, err = p.o.DynamicAccessControl.MaximumRolesOf(ctx, a.Organization); err != nil {
			return err
		}
	}
	if limit <= 0 {
		return nil
	}
	n, err := ownRoles.Count(ctx, a.Tx, roleOrg.Eq(a.Organization.ID))
	if err == nil && n >= int64(limit) {
		err = ErrTooManyRoles
	}
	return err
}

// mayHandOut checks the permissions of a role: resources that there are, and nothing that
// the member does not hold, the creator included.
func (p *Plugin) mayHandOut(me *standing, request access.Permissions, refusal *core.Error) error {
	for resource := range request {
		if _, ok := p.ac.Statements()[resource]; !ok {
			return ErrInvalidResource
		}
	}
	missing := me.holds().Missing(request)
	if len(missing) == 0 {
		return nil
	}
	raw, err := json.Marshal(missing)
	if err != nil {
		return err
	}
	return refusal.WithMember("missingPermissions", raw)
}

// permissionText is how permissions are stored: each action once, as every check of a
// permission reads them.
func permissionText(p access.Permissions) (string, error) {
	raw, err := json.Marshal(p.Distinct())
	return string(raw), err
}

func (p *Plugin) ownRole(ctx context.Context, q storage.Conn, organizationID string, by core.Cond) (Role, error) {
	r, found, err := p.ownRoles.Get(ctx, q, roleOrg.Eq(organizationID), by)
	if err == nil && !found {
		err = ErrRoleNotFound
	}
	return r, err
}

func (p *Plugin) updateRole(ctx context.Context, c *core.Call, in UpdateRoleInput) (UpdatedRole, error) {
	out := UpdatedRole{Success: true}
	by := keyOf(in.Role).cond()
	extra, err := p.roleFields.Read("body.data", in.Data.Fields, false)
	if err != nil {
		return out, err
	}
	id := roleTarget(c, in.OrganizationID)
	if id == "" {
		return out, ErrNoActive
	}
	return out, p.change(ctx, c, id, ErrNotMember, func(ctx context.Context, a act) error {
		if !a.me.may("ac", "update") {
			return ErrMayNotUpdateRole
		}
		old, err := p.ownRole(ctx, a.Tx, id, by)
		if err != nil {
			return err
		}
		r := old
		r.Extra = maps.Clone(old.Extra)
		maps.Copy(r.Extra, extra)
		if err := p.changeRole(ctx, a, &r, in.Data); err != nil {
			return err
		}
		out.RoleData = r
		return p.record(ctx, &a.Act, eventRoleUpdated, a.Actor.ID,
			map[string]string{"role": r.Role, "was": old.Role, "permission": r.Permission, "before": old.Permission})
	})
}

// changeRole checks and stores what changes of a role.
func (p *Plugin) changeRole(ctx context.Context, a act, r *Role, data UpdateRoleData) (err error) {
	old := *r
	if data.Permission != nil {
		if err := p.mayHandOut(a.me, data.Permission, ErrMayNotUpdateRole); err != nil {
			return err
		}
		if r.Permission, err = permissionText(data.Permission); err != nil {
			return err
		}
	}
	if deref(data.RoleName) != "" {
		// Members may have the new name left from a role that was called so before: a rename
		// hands out what the role holds, as making one does.
		var holds access.Permissions
		if err := json.Unmarshal([]byte(r.Permission), &holds); err != nil {
			holds = nil // it grants nothing
		}
		if err := p.mayHandOut(a.me, holds, ErrMayNotUpdateRole); err != nil {
			return err
		}
		r.Role = strings.ToLower(*data.RoleName)
		if err := p.freeName("body.data.roleName", r.Role); err != nil {
			return err
		}
		if err := p.nameNotTaken(ctx, a.Tx, r.OrganizationID, r.Role); err != nil {
			return err
		}
	}
	e := &orghook.RoleEvent{Act: a.Act, Role: r, Old: &old}
	return orghook.RoleUpdate.Run(ctx, p.host, a.Tx, e, func(ctx context.Context) error {
		now := p.host.Now()
		set := append([]core.Set{roleTitle.Set(r.Role), rolePermission.Set(r.Permission), roleUpdated.Set(&now)},
			p.roleFields.Sets("organizationRole", r.Extra)...)
		_, err := p.ownRoles.Update(ctx, a.Tx, set, roleID.Eq(r.ID), roleOrg.Eq(r.OrganizationID))
		return err
	})
}

func (p *Plugin) deleteRole(ctx context.Context, c *core.Call, in DeleteRoleInput) (Success, error) {
	by := keyOf(in.Role).cond()
	id := roleTarget(c, in.OrganizationID)
	if id == "" {
		return Success{}, ErrNoActive
	}
	err := p.change(ctx, c, id, ErrNotMember, func(ctx context.Context, a act) error {
		if !a.me.may("ac", "delete") {
			return ErrMayNotDeleteRole
		}
		if _, predefined := p.roles[deref(keyOf(in.Role).name)]; predefined {
			return ErrPredefinedRole
		}
		r, err := p.ownRole(ctx, a.Tx, id, by)
		if err != nil {
			return err
		}
		if assigned, err := p.holders(ctx, a.Tx, id, "", r.Role); err != nil {
			return err
		} else if assigned {
			return ErrRoleAssigned
		}
		err = orghook.RoleDelete.Run(ctx, p.host, a.Tx, &orghook.RoleEvent{Act: a.Act, Role: &r}, func(ctx context.Context) error {
			_, err := p.ownRoles.Delete(ctx, a.Tx, roleID.Eq(r.ID), roleOrg.Eq(id))
			return err
		})
		if err != nil {
			return err
		}
		return p.record(ctx, &a.Act, eventRoleDeleted, a.Actor.ID, map[string]string{"role": r.Role})
	})
	return Success{err == nil}, err
}

// holders tells whether some member, other than the one with the id except, has a role.
// With the organization's row locked the answer holds until the commit.
func (p *Plugin) holders(ctx context.Context, q storage.Conn, organizationID, except, role string) (bool, error) {
	// The pattern finds too much ("coowner"); what counts is read from the names.
	sql, args := `SELECT {member.role} FROM {member=} WHERE {member.organizationId} = ? AND {member.role} LIKE ? ESCAPE '\'`,
		[]any{organizationID, "%" + likePattern(role) + "%"}
	if except != "" { // an empty text is no id where ids are uuids or numbers
		sql, args = sql+" AND {member.id} <> ?", append(args, except)
	}
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	found := false
	for rows.Next() && !found {
		var names string
		if err := rows.Scan(storage.Dest(&names)); err != nil {
			return false, err
		}
		found = slices.Contains(access.Names(names), role)
	}
	if err := rows.Err(); err != nil {
		return false, err
	}
	return found, rows.Close()
}

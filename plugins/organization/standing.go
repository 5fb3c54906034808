package organization

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/organization/access"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
)

// standing is what a user is in an organization, as the database has it now: the member's
// row and every role that can be named there. One statement reads it all.
type standing struct {
	Member
	names []string // of the member's roles
	roles map[string]access.Role
	top   string // the creator's role
}

// standingSQL reads a member, and with them the roles of the organization's own.
func (p *Plugin) standingSQL() string {
	const which = "WHERE {member.organizationId} = ? AND {member.userId} = ? ORDER BY {member.createdAt}, {member.id}"
	if p.o.DynamicAccessControl.Enabled {
		return "SELECT " + p.members.Select() + ", {organizationRole.role}, {organizationRole.permission} FROM {member=} " +
			"LEFT JOIN {organizationRole=} ON {organizationRole.organizationId} = {member.organizationId} " + which
	}
	return "SELECT " + p.members.Select() + " FROM {member=} " + which + " LIMIT 1"
}

// standing reads a user's; nil for somebody who is no member.
func (p *Plugin) standing(ctx context.Context, q storage.Conn, organizationID, userID string) (*standing, error) {
	rows, err := q.Query(ctx, p.standingSQL(), organizationID, userID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var s *standing
	for rows.Next() {
		var m Member
		var name, holds *string
		var more []any
		if p.o.DynamicAccessControl.Enabled {
			more = []any{&name, &holds}
		}
		if err := p.members.Scan(rows, &m, more...); err != nil {
			return nil, err
		}
		if s == nil {
			s = &standing{Member: m, names: access.Names(m.Role), roles: maps.Clone(p.roles), top: p.o.CreatorRole}
		}
		if name != nil && m.ID == s.ID {
			p.add(s, *name, *holds)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return s, rows.Close()
}

// add takes a role of the organization's own. One that cannot be read grants nothing.
func (p *Plugin) add(s *standing, name, holds string) {
	var permissions access.Permissions
	if err := json.Unmarshal([]byte(holds), &permissions); err != nil {
		p.host.Log().Error("the permissions of an organization's role cannot be read: it grants nothing",
			"organization", s.OrganizationID, "role", name, "cause", err)
		return
	}
	s.roles[name] = s.roles[name].With(permissions)
}

// allows tells whether one of the member's roles alone holds all of a request.
func (s *standing) allows(request access.Permissions) bool {
	return slices.ContainsFunc(s.names, func(n string) bool { return s.roles[n].Allows(request) })
}

func (s *standing) may(resource, action string) bool {
	return s.allows(access.Permissions{resource: {action}})
}

// creator tells whether the member has the creator's role.
func (s *standing) creator() bool { return slices.Contains(s.names, s.top) }

// holds is everything that the member's roles hold together.
func (s *standing) holds() (all access.Role) {
	for _, n := range s.names {
		all = all.With(s.roles[n].Holds())
	}
	return all
}

// unknown lists which of these roles there are not.
func (s *standing) unknown(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { _, ok := s.roles[n]; return ok })
}

// mayGrant tells whether the member may give these roles to somebody. Nobody gives what
// they do not hold themselves; the creator's role is given by its holders alone, and they
// may give every role.
func (s *standing) mayGrant(names []string) bool {
	if s.creator() {
		return true
	}
	mine := s.holds()
	return !slices.ContainsFunc(names, func(n string) bool { return n == s.top || len(mine.Missing(s.roles[n].Holds())) > 0 })
}

// act is one act of a member on an organization whose row is locked.
type act struct {
	orghook.Act
	me *standing
}

// change runs an act on an organization, in a transaction that holds the organization's
// row: of two acts on one organization one waits for the other, and reads what it left.
// Who is no member is told so by stranger, and holds nobody up.
func (p *Plugin) change(ctx context.Context, c *core.Call, organizationID string, stranger *core.Error, fn func(context.Context, act) error) error {
	_, u := c.Session()
	if me, err := p.standing(ctx, p.host.DB(), organizationID, u.ID); err != nil {
		return err
	} else if me == nil {
		return stranger
	}
	return p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		if err := c.RecheckSession(ctx, tx); err != nil {
			return err
		}
		o, err := p.lock(ctx, tx, organizationID)
		if err != nil {
			return err
		}
		me, err := p.standing(ctx, tx, organizationID, u.ID)
		if err != nil {
			return err
		}
		if me == nil {
			return stranger
		}
		return fn(ctx, act{orghook.Act{Call: c, Tx: tx, Actor: u, Organization: o}, me})
	})
}

// lock holds an organization's row until the end of the transaction: for what no unique
// column can say, such as that one owner is left. ErrNotFound if it has gone.
func (p *Plugin) lock(ctx context.Context, tx *core.Tx, organizationID string) (*Organization, error) {
	o, found, err := p.organizations.UpdateGet(ctx, tx, []core.Set{orgName.Keep()}, orgID.Eq(organizationID))
	if err == nil && !found {
		err = ErrNotFound
	}
	return &o, err
}

// record records a security event of whoever acts, whose address it holds. Others are in it
// by the ids of their rows alone: what is kept after they are deleted does not name them.
// Where Go code acts, it is an event of the user about whom it is.
func (p *Plugin) record(ctx context.Context, a *orghook.Act, typ, about string, detail map[string]string) error {
	all := map[string]string{"organization": a.Organization.ID}
	maps.Copy(all, detail)
	e := &core.Event{Type: typ, UserID: about, Call: a.Call, Tx: a.Tx, Detail: all}
	if a.Actor != nil {
		e.UserID = a.Actor.ID
	} else {
		e.Actor = core.Operator
	}
	return p.host.Record(ctx, e)
}

// target is the organization that a request is about: the one that it names, else the
// session's active one; "" for none.
func target(c *core.Call, named *string) string {
	if named != nil && *named != "" {
		return *named
	}
	return activeOf(c)
}

// activeOf is the session's active organization; "" for none.
func activeOf(c *core.Call) string {
	s, _ := c.Session()
	id, _ := s.Extra[activeOrganization].(string)
	return id
}

// roleTarget is target for the roles of an organization's own: an empty name is none.
func roleTarget(c *core.Call, named *string) string {
	if named != nil {
		return *named
	}
	return activeOf(c)
}

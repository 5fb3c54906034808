package organization

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/organization/access"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
)

// insertMember makes a user a member, around MemberAdd. The organization's row is locked
// or new, and the caller has checked what has to be.
func (p *Plugin) insertMember(ctx context.Context, a orghook.Act, u *core.User, roles []string, extra map[string]any) (m Member, err error) {
	m = Member{OrganizationID: a.Organization.ID, UserID: u.ID, Role: access.Join(roles), CreatedAt: p.host.Now(),
		Extras: core.Extras{Extra: p.memberFields.Defaults()}}
	maps.Copy(m.Extra, extra)
	if m.ID, err = p.host.NewID(ctx, "member"); err != nil {
		return m, err
	}
	e := &orghook.MemberEvent{Act: a, Member: &m, User: u}
	return m, orghook.MemberAdd.Run(ctx, p.host, a.Tx, e, func(ctx context.Context) error {
		return p.members.Insert(ctx, a.Tx, &m)
	})
}

// admit is insertMember for somebody who comes into an organization that is there: not
// twice, and not beyond the limit.
func (p *Plugin) admit(ctx context.Context, a orghook.Act, u *core.User, roles []string, extra map[string]any) (m Member, err error) {
	if _, found, err := p.members.Get(ctx, a.Tx, memberOrg.Eq(a.Organization.ID), memberUser.Eq(u.ID)); err != nil {
		return m, err
	} else if found {
		return m, ErrAlreadyMember
	}
	limit := p.o.MembershipLimit
	if p.o.MembershipLimitOf != nil {
		if limit, err = p.o.MembershipLimitOf(ctx, u, a.Organization); err != nil {
			return m, err
		}
	}
	if limit > 0 {
		// Counted no further than matters: a large organization costs no more than its limit.
		n, err := count(ctx, a.Tx, "SELECT count(*) FROM (SELECT {member.id} FROM {member=} WHERE {member.organizationId} = ? LIMIT ?) AS n",
			a.Organization.ID, int64(limit))
		if err != nil {
			return m, err
		}
		if n >= int64(limit) {
			return m, ErrTooManyMembers
		}
	}
	if m, err = p.insertMember(ctx, a, u, roles, extra); err != nil {
		return m, err
	}
	return m, p.record(ctx, &a, eventMemberAdded, u.ID, map[string]string{"member": m.ID, "role": m.Role})
}

func count(ctx context.Context, q storage.Conn, sql string, args ...any) (n int64, err error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(storage.Dest(&n)); err != nil {
			return 0, err
		}
	}
	return n, rows.Err()
}

// eject takes a member out of the organization and of its teams, around MemberRemove.
func (p *Plugin) eject(ctx context.Context, a orghook.Act, m *Member, u *core.User) error {
	err := orghook.MemberRemove.Run(ctx, p.host, a.Tx, &orghook.MemberEvent{Act: a, Member: m, User: u}, func(ctx context.Context) error {
		if p.o.Teams.Enabled {
			if err := p.leaveTeams(ctx, a.Tx, m); err != nil {
				return err
			}
		}
		_, err := p.members.Delete(ctx, a.Tx, memberID.Eq(m.ID), memberOrg.Eq(m.OrganizationID))
		return err
	})
	if err != nil {
		return err
	}
	return p.record(ctx, &a, eventMemberRemoved, m.UserID, map[string]string{"member": m.ID})
}

func (p *Plugin) removeMember(ctx context.Context, c *core.Call, in RemoveMemberInput) (RemovedMember, error) {
	var out RemovedMember
	id := target(c, in.OrganizationID)
	if id == "" {
		return out, ErrNoActive
	}
	return out, p.change(ctx, c, id, ErrMemberNotFound, func(ctx context.Context, a act) error {
		m, u, err := p.memberBy(ctx, a, in.MemberIDOrEmail)
		if err != nil {
			return err
		}
		if slices.Contains(access.Names(m.Role), p.o.CreatorRole) {
			if !a.me.creator() {
				return ErrOnlyOwner
			}
			if err := p.mustLeaveOwner(ctx, a, m, ErrOnlyOwner); err != nil {
				return err
			}
		}
		if !a.me.may("member", "delete") {
			return ErrMayNotRemoveMember
		}
		out.Member = m
		if strings.Contains(in.MemberIDOrEmail, "@") {
			out.Member = Named{*m, person(u)}
		}
		if err := p.eject(ctx, a.Act, m, u); err != nil || u.ID != a.Actor.ID {
			return err
		}
		return p.forget(ctx, a.Tx, c, id)
	})
}

// memberBy finds a member of the organization by id, or by what holds an "@": an address.
func (p *Plugin) memberBy(ctx context.Context, a act, name string) (*Member, *core.User, error) {
	var u *core.User
	by := memberID.Eq(name)
	if strings.Contains(name, "@") {
		var err error
		if u, err = p.host.UserByEmail(ctx, a.Tx, name); err != nil {
			return nil, nil, err
		}
		if u == nil {
			return nil, nil, ErrMemberNotFound
		}
		by = memberUser.Eq(u.ID)
	}
	m, found, err := p.members.Get(ctx, a.Tx, memberOrg.Eq(a.Organization.ID), by)
	if err == nil && !found {
		err = ErrMemberNotFound
	}
	if err == nil && u == nil {
		if u, err = p.host.UserByID(ctx, a.Tx, m.UserID); err == nil && u == nil {
			err = core.ErrUserNotFound
		}
	}
	return &m, u, err
}

// mustLeaveOwner refuses what would leave the organization without a holder of the
// creator's role.
func (p *Plugin) mustLeaveOwner(ctx context.Context, a act, m *Member, refusal *core.Error) error {
	other, err := p.holders(ctx, a.Tx, a.Organization.ID, m.ID, p.o.CreatorRole)
	if err == nil && !other {
		err = refusal
	}
	return err
}

func (p *Plugin) leave(ctx context.Context, c *core.Call, in LeaveInput) (Named, error) {
	var out Named
	return out, p.change(ctx, c, in.OrganizationID, ErrMemberNotFound, func(ctx context.Context, a act) error {
		if a.me.creator() {
			if err := p.mustLeaveOwner(ctx, a, &a.me.Member, ErrOnlyOwner); err != nil {
				return err
			}
		}
		out = Named{a.me.Member, person(a.Actor)}
		if err := p.eject(ctx, a.Act, &a.me.Member, a.Actor); err != nil {
			return err
		}
		return p.forget(ctx, a.Tx, c, in.OrganizationID)
	})
}

// maxRoles is how many roles a member or an invitation has at most: each permission check
// reads them.
const maxRoles = 50

// roleNames reads the roles of a request, which are names in lists or joined by commas.
func roleNames(given []string) ([]string, error) {
	names := access.Names(given...)
	if len(names) > maxRoles {
		return nil, core.ErrValidation.WithMessage("[body.role] Too big: expected at most 50 roles")
	}
	return names, nil
}

func person(u *core.User) Person { return Person{u.ID, u.Name, u.Email, u.Image} }

// asMember finds the organization by slug, id or session, and wants the caller to be one
// of its members.
func (p *Plugin) asMember(ctx context.Context, c *core.Call, id, slug *string) (string, *standing, error) {
	want := target(c, id)
	if deref(slug) != "" {
		o, err := p.find(ctx, "", *slug)
		if err != nil {
			return "", nil, err
		}
		if o == nil {
			return "", nil, ErrNotFound
		}
		want = o.ID
	}
	if want == "" {
		return "", nil, ErrNoActive
	}
	_, u := c.Session()
	me, err := p.standing(ctx, p.host.DB(), want, u.ID)
	if err == nil && me == nil {
		err = ErrNotMember
	}
	return want, me, err
}

// maxPage is how many members a page holds at most.
const maxPage = 1000

func (p *Plugin) listMembers(ctx context.Context, c *core.Call, in ListMembersInput) (MemberList, error) {
	var out MemberList
	id, _, err := p.asMember(ctx, c, in.OrganizationID, in.OrganizationSlug)
	if err != nil {
		return out, err
	}
	page := memberPage{organizationID: id, limit: min(p.o.MembershipLimit, maxPage), sortBy: deref(in.SortBy), descending: deref(in.SortDirection) == "desc"}
	if err := pageNumber("query.limit", in.Limit, &page.limit); err != nil {
		return out, err
	}
	if err := pageNumber("query.offset", in.Offset, &page.offset); err != nil {
		return out, err
	}
	page.limit = min(page.limit, maxPage)
	if page.where, page.args, err = p.filter(in); err != nil {
		return out, err
	}
	if page.sortBy != "" && p.memberColumn(page.sortBy) == nil {
		return out, core.ErrValidation.WithMessage("[query.sortBy] Invalid input: members have no such field")
	}
	if out.Members, err = p.page(ctx, page); err != nil {
		return out, err
	}
	out.Total, err = count(ctx, p.host.DB(), "SELECT count(*) FROM {member=} WHERE {member.organizationId} = ?"+page.where, append([]any{id}, page.args...)...)
	return out, err
}

// Check implements core.Checker.
func (in *ListMembersInput) Check() (member, wrong string) {
	switch {
	case len(in.Limit) > 1:
		return "limit", invalid
	case len(in.Offset) > 1:
		return "offset", invalid
	}
	return "", ""
}

// pageNumber reads a number of a query; what is none leaves the default, and so does 0.
func pageNumber(name string, in []string, to *int) error {
	if len(in) == 0 {
		return nil
	}
	n, ok := jsNumber(in[0])
	if !ok || n == 0 {
		return nil
	}
	if n < 0 || n > 1<<30 || n != math.Trunc(n) {
		return core.ErrValidation.WithMessage("[" + name + "] Invalid input: expected a whole number from 0 to 1073741824")
	}
	*to = int(n)
	return nil
}

func notOne(name string) error {
	return core.ErrValidation.WithMessage("[" + name + "] Invalid input")
}

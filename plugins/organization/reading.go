package organization

import (
	"context"

	"github.com/sallyport-auth/sallyport/core"
)

// find reads an organization by its id, else by its slug; nil for none.
func (p *Plugin) find(ctx context.Context, id, slug string) (*Organization, error) {
	by := orgID.Eq(id)
	if id == "" {
		by = orgSlug.Eq(slug)
	}
	o, found, err := p.organizations.Get(ctx, p.host.DB(), by)
	if err != nil || !found {
		return nil, err
	}
	return &o, nil
}

// seen reads an organization for one of its members; nil where neither the request nor the
// session names one. The slug goes before the id.
func (p *Plugin) seen(ctx context.Context, c *core.Call, id, slug *string) (*Organization, *standing, error) {
	_, u := c.Session()
	want := target(c, id)
	if deref(slug) != "" {
		want = ""
	} else if want == "" {
		return nil, nil, nil
	}
	o, err := p.find(ctx, want, deref(slug))
	if err != nil {
		return nil, nil, err
	}
	if o == nil {
		return nil, nil, ErrNotFound
	}
	me, err := p.standing(ctx, p.host.DB(), o.ID, u.ID)
	if err != nil {
		return nil, nil, err
	}
	if me == nil {
		if err := p.forget(ctx, nil, c, o.ID); err != nil {
			return nil, nil, err
		}
		return nil, nil, errNotMemberHere
	}
	return o, me, nil
}

func (p *Plugin) get(ctx context.Context, c *core.Call, in GetInput) (*Organization, error) {
	o, _, err := p.seen(ctx, c, in.OrganizationID, in.OrganizationSlug)
	return o, err
}

// Check implements core.Checker.
func (in *GetFullInput) Check() (member, wrong string) {
	if len(in.MembersLimit) > 1 {
		return "membersLimit", invalid
	}
	return "", ""
}

func (p *Plugin) getFull(ctx context.Context, c *core.Call, in GetFullInput) (*Full, error) {
	o, me, err := p.seen(ctx, c, in.OrganizationID, in.OrganizationSlug)
	if err != nil || o == nil {
		return nil, err
	}
	f := &Full{Organization: *o, Invitations: []Invitation{}}
	limit := maxList
	if len(in.MembersLimit) == 1 {
		if n := leadingInt(in.MembersLimit[0]); n > 0 {
			limit = min(n, maxPage)
		}
	}
	if f.Members, err = p.page(ctx, memberPage{organizationID: o.ID, limit: limit}); err != nil {
		return nil, err
	}
	if me.may("invitation", "create") {
		if f.Invitations, err = p.invitationsFor(ctx, me); err != nil {
			return nil, err
		}
	}
	if p.o.Teams.Enabled {
		f.Teams, err = p.teamsOf(ctx, p.host.DB(), o.ID)
	}
	return f, err
}

func (p *Plugin) list(ctx context.Context, c *core.Call, _ core.None) ([]Organization, error) {
	_, u := c.Session()
	rows, err := p.host.DB().Query(ctx, "SELECT "+p.organizations.Select()+" FROM {member=} JOIN {organization=} ON {organization.id} = {member.organizationId} "+
		"WHERE {member.userId} = ? ORDER BY {member.createdAt}, {member.id} LIMIT ?", u.ID, int64(maxList))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []Organization{}
	for rows.Next() {
		var o Organization
		if err := p.organizations.Scan(rows, &o); err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return out, rows.Close()
}

func (p *Plugin) checkSlug(ctx context.Context, _ *core.Call, in CheckSlugInput) (core.Status, error) {
	o, err := p.find(ctx, "", in.Slug)
	if err == nil && o != nil {
		err = ErrSlugTaken
	}
	return core.Status{Status: err == nil}, err
}

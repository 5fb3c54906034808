package organization

import (
	"context"
	"maps"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
)

func (p *Plugin) create(ctx context.Context, c *core.Call, in CreateInput) (Created, error) {
	var none Created
	s, u := c.Session()
	extra, err := p.organizationFields.Read("body", in.Fields, true)
	if err != nil {
		return none, err
	}
	may := *p.o.AllowUserToCreateOrganization
	if p.o.MayCreate != nil {
		if may, err = p.o.MayCreate(ctx, u); err != nil {
			return none, err
		}
	}
	if !may {
		return none, ErrMayNotCreate
	}
	metadata, err := in.Metadata.metadataText("body.metadata")
	if err != nil {
		return none, err
	}
	row := Organization{Name: in.Name, Slug: in.Slug, Logo: opt(in.Logo), Metadata: metadata, Extras: core.Extras{Extra: extra}}
	var m made
	err = p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) (err error) {
		if err = c.RecheckSession(ctx, tx); err != nil {
			return err
		}
		if m, err = p.make(ctx, orghook.Act{Call: c, Tx: tx, Actor: u, Organization: &row}, u); err != nil {
			return err
		}
		if in.KeepActive != nil && *in.KeepActive {
			return nil
		}
		set := map[string]any{activeOrganization: m.organization.ID}
		if m.team != nil {
			set[activeTeam] = m.team.ID
		}
		_, err = p.host.SetSessionExtra(ctx, tx, s, set)
		return err
	})
	return Created{m.organization, m.member}, err
}

// made is a new organization.
type made struct {
	organization Organization
	member       Member
	team         *Team
}

// make stores an organization with its first member and its first team.
func (p *Plugin) make(ctx context.Context, a orghook.Act, u *core.User) (m made, err error) {
	o := a.Organization
	if o.ID, err = p.host.NewID("organization"); err != nil {
		return m, err
	}
	o.CreatedAt = p.host.Now()
	if err = p.mayMakeAnother(ctx, a.Tx, u); err != nil {
		return m, err
	}
	err = orghook.OrganizationCreate.Run(ctx, p.host, a.Tx, &orghook.OrganizationEvent{Act: a}, func(ctx context.Context) error {
		// Of N parallel requests for one slug one gets it, by the unique column.
		isNew, err := p.organizations.InsertNew(ctx, a.Tx, o, "slug")
		if err != nil {
			return err
		}
		if !isNew {
			return ErrExists
		}
		if m.member, err = p.insertMember(ctx, a, u, []string{p.o.CreatorRole}, nil); err != nil {
			return err
		}
		if p.o.Teams.Enabled && *p.o.Teams.DefaultTeam.Enabled {
			return p.firstTeam(ctx, a, u, &m)
		}
		return nil
	})
	if err != nil {
		return m, err
	}
	m.organization = *o
	return m, p.record(ctx, &a, eventCreated, u.ID, nil)
}

// mayMakeAnother checks how many organizations the user is in. Their row is locked: of
// parallel requests each counts what the one before has made.
func (p *Plugin) mayMakeAnother(ctx context.Context, tx *core.Tx, u *core.User) (err error) {
	limit := p.o.OrganizationLimit
	if p.o.OrganizationLimitOf != nil {
		if limit, err = p.o.OrganizationLimitOf(ctx, u); err != nil {
			return err
		}
	}
	if limit <= 0 {
		return nil
	}
	if err := p.host.LockUser(ctx, tx, u.ID); err != nil {
		return err
	}
	n, err := members.Count(ctx, tx, memberUser.Eq(u.ID))
	if err == nil && n >= int64(limit) {
		err = ErrTooManyOrganizations
	}
	return err
}

func (p *Plugin) update(ctx context.Context, c *core.Call, in UpdateInput) (Detailed, error) {
	var out Detailed
	extra, err := p.organizationFields.Read("body.data", in.Data.Fields, false)
	if err != nil {
		return out, err
	}
	metadata, err := in.Data.Metadata.metadataText("body.data.metadata")
	if err != nil {
		return out, err
	}
	id := target(c, in.OrganizationID)
	if id == "" {
		return out, ErrNotFound
	}
	err = p.change(ctx, c, id, ErrUserNotMember, func(ctx context.Context, a act) error {
		if !a.me.may("organization", "update") {
			return ErrMayNotUpdate
		}
		old := *a.Organization
		o := a.Organization
		o.Extra = maps.Clone(old.Extra)
		assign(&o.Name, in.Data.Name)
		assign(&o.Slug, in.Data.Slug)
		if in.Data.Logo.Set {
			o.Logo = opt(in.Data.Logo)
		}
		if metadata != nil {
			o.Metadata = metadata
		}
		maps.Copy(o.Extra, extra)
		err := orghook.OrganizationUpdate.Run(ctx, p.host, a.Tx, &orghook.OrganizationEvent{Act: a.Act, Old: &old}, func(ctx context.Context) error {
			set := []core.Set{orgName.Set(o.Name), orgSlug.Set(o.Slug), orgLogo.Set(o.Logo), orgMetadata.Set(o.Metadata)}
			_, err := p.organizations.Update(ctx, a.Tx, append(set, p.organizationFields.Sets("organization", o.Extra)...), orgID.Eq(o.ID))
			return err
		})
		if err != nil {
			return err
		}
		out.Organization = *o
		return p.record(ctx, &a.Act, eventUpdated, a.Actor.ID, nil)
	})
	if storage.IsUnique(err, "organization", "slug") {
		err = ErrSlugTaken.Because(err)
	}
	return out, err
}

func (p *Plugin) delete(ctx context.Context, c *core.Call, in DeleteInput) (Organization, error) {
	if in.OrganizationID == "" {
		return Organization{}, ErrNotFound
	}
	var out Organization
	err := p.change(ctx, c, in.OrganizationID, ErrUserNotMember, func(ctx context.Context, a act) error {
		if !a.me.may("organization", "delete") {
			return ErrMayNotDelete
		}
		out = *a.Organization
		if err := p.drop(ctx, a.Act); err != nil {
			return err
		}
		return p.forget(ctx, a.Tx, c, a.Organization.ID)
	})
	return out, err
}

// drop deletes an organization with everything in it.
func (p *Plugin) drop(ctx context.Context, a orghook.Act) error {
	id := a.Organization.ID
	err := orghook.OrganizationDelete.Run(ctx, p.host, a.Tx, &orghook.OrganizationEvent{Act: a}, func(ctx context.Context) error {
		// Foreign keys cascade; a shared database may lack them. Children go before what they
		// refer to.
		var statements []string
		if p.o.Teams.Enabled {
			statements = append(statements, "DELETE FROM {teamMember=} WHERE {teamMember.teamId} IN (SELECT {team.id} FROM {team=} WHERE {team.organizationId} = ?)",
				"DELETE FROM {team=} WHERE {team.organizationId} = ?")
		}
		if p.o.DynamicAccessControl.Enabled {
			statements = append(statements, "DELETE FROM {organizationRole=} WHERE {organizationRole.organizationId} = ?")
		}
		statements = append(statements, "DELETE FROM {invitation=} WHERE {invitation.organizationId} = ?",
			"DELETE FROM {member=} WHERE {member.organizationId} = ?", "DELETE FROM {organization=} WHERE {organization.id} = ?")
		for _, sql := range statements {
			if _, err := a.Tx.Exec(ctx, sql, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.record(ctx, &a, eventDeleted, "", nil)
}

// forget takes an organization out of the session, where it is the active one.
func (p *Plugin) forget(ctx context.Context, tx *core.Tx, c *core.Call, organizationID string) error {
	s, _ := c.Session()
	if id, _ := s.Extra[activeOrganization].(string); id != organizationID {
		return nil
	}
	_, err := p.host.SetSessionExtra(ctx, tx, s, map[string]any{activeOrganization: nil})
	return err
}

func (p *Plugin) setActive(ctx context.Context, c *core.Call, in SetActiveInput) (*Organization, error) {
	s, u := c.Session()
	current, _ := s.Extra[activeOrganization].(string)
	if in.OrganizationID.Null {
		if current == "" {
			return nil, nil
		}
		return nil, p.activate(ctx, c, map[string]any{activeOrganization: nil})
	}
	id, slug := in.OrganizationID.Value, deref(in.OrganizationSlug)
	if id == "" && slug == "" {
		if id = current; id == "" {
			return nil, nil
		}
	}
	o, err := p.find(ctx, id, slug)
	if err != nil {
		return nil, err
	}
	if o == nil && id == "" {
		return nil, ErrNotFound
	}
	var me *standing
	if o != nil {
		if me, err = p.standing(ctx, p.host.DB(), o.ID, u.ID); err != nil {
			return nil, err
		}
	}
	if me == nil {
		if _, err := p.host.SetSessionExtra(ctx, nil, s, map[string]any{activeOrganization: nil}); err != nil {
			return nil, err
		}
		return nil, errNotMemberHere
	}
	return o, p.activate(ctx, c, map[string]any{activeOrganization: o.ID})
}

// activate writes what the session works with, and its cookies anew. A session that has
// gone stays gone.
func (p *Plugin) activate(ctx context.Context, c *core.Call, set map[string]any) error {
	s, u := c.Session()
	s, err := p.host.SetSessionExtra(ctx, nil, s, set)
	if err != nil {
		return err
	}
	if s == nil {
		c.ExpireSessionCookies()
		return core.ErrUnauthorized
	}
	return c.RefreshCookies(s, u)
}

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

// maxList is how many rows a list holds at most, where its endpoint has no paging.
const maxList = 100

func (p *Plugin) getFull(ctx context.Context, c *core.Call, in GetFullInput) (*Full, error) {
	if len(in.MembersLimit) > 1 {
		return nil, notOne("query.membersLimit")
	}
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

func opt(o core.Opt[string]) *string {
	if !o.Set || o.Null {
		return nil
	}
	return &o.Value
}

func assign(dst, v *string) {
	if v != nil {
		*dst = *v
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

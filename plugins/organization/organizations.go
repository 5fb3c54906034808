package organization

import (
	"context"
	"maps"
	"strings"
	"unicode"

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
	if err := checkSlug("body.slug", in.Slug); err != nil {
		return none, err
	}
	row := Organization{Name: in.Name, Slug: in.Slug, Logo: opt(in.Logo), Metadata: metadata, Extras: core.Extras{Extra: extra}}
	var m made
	err = p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) (err error) {
		// Before all else, in the order of a deletion of the user: nobody is deleted between the
		// look at their organizations and this one, which would be nobody's.
		if err = c.HoldSession(ctx, tx); err != nil {
			return err
		}
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

// checkSlug refuses what is no part of an address: apps put slugs into URLs, headers and
// logs, and a line end begins another header there.
func checkSlug(at, slug string) error {
	if strings.ContainsFunc(slug, unicode.IsControl) {
		return core.ErrValidation.WithMessage("[" + at + "] Invalid input: expected no control characters")
	}
	return nil
}

// made is a new organization.
type made struct {
	organization Organization
	member       Member
	team         *Team
}

// make stores an organization with its first member and its first team. The user's row is
// locked.
func (p *Plugin) make(ctx context.Context, a orghook.Act, u *core.User) (m made, err error) {
	o := a.Organization
	if o.ID, err = p.host.NewID(ctx, "organization"); err != nil {
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

// mayMakeAnother checks how many organizations the user is in. With their row locked, of
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
	if err := checkSlug("body.data.slug", deref(in.Data.Slug)); err != nil {
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

// maxList is how many rows a list holds at most, where its endpoint has no paging.
const maxList = 100

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

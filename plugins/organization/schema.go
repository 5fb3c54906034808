package organization

import (
	"reflect"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
)

// Rows of the plugin's tables.
type (
	Organization = orghook.Organization
	Member       = orghook.Member
	Invitation   = orghook.Invitation
	Team         = orghook.Team
	TeamMember   = orghook.TeamMember
	Role         = orghook.Role
)

// Names of columns that the plugin adds to sessions. They say what a client works with:
// what it may do there is read from the members' table for each request.
const (
	activeOrganization = "activeOrganizationId"
	activeTeam         = "activeTeamId"
)

type active struct {
	OrganizationID *string `db:"activeOrganizationId"`
	TeamID         *string `db:"activeTeamId"`
}

func activeColumns(teams bool) []schema.Column {
	c := schema.Columns(ID, reflect.TypeFor[active]())
	if !teams {
		c = c[:1]
	}
	return c
}

// The tables. Those of a Plugin have the app's own fields besides. Indexes beyond Better
// Auth's are for lists in order, and for counting open invitations.
var (
	organizations = core.TableOf[Organization]("organization")
	members       = core.TableOf[Member]("member", schema.Index{Columns: []string{"organizationId", "createdAt", "id"}})
	invitations   = core.TableOf[Invitation]("invitation", schema.Index{Columns: []string{"organizationId", "status"}},
		schema.Index{Columns: []string{"organizationId", "createdAt"}})
	teams       = core.TableOf[Team]("team")
	teamMembers = core.TableOf[TeamMember]("teamMember")
	ownRoles    = core.TableOf[Role]("organizationRole")

	orgID       = core.Column(organizations, func(o *Organization) *string { return &o.ID })
	orgName     = core.Column(organizations, func(o *Organization) *string { return &o.Name })
	orgSlug     = core.Column(organizations, func(o *Organization) *string { return &o.Slug })
	orgLogo     = core.Column(organizations, func(o *Organization) **string { return &o.Logo })
	orgMetadata = core.Column(organizations, func(o *Organization) **string { return &o.Metadata })

	memberID      = core.Column(members, func(m *Member) *string { return &m.ID })
	memberOrg     = core.Column(members, func(m *Member) *string { return &m.OrganizationID })
	memberUser    = core.Column(members, func(m *Member) *string { return &m.UserID })
	memberRole    = core.Column(members, func(m *Member) *string { return &m.Role })
	memberCreated = core.Column(members, func(m *Member) *time.Time { return &m.CreatedAt })

	inviteID      = core.Column(invitations, func(i *Invitation) *string { return &i.ID })
	inviteOrg     = core.Column(invitations, func(i *Invitation) *string { return &i.OrganizationID })
	inviteEmail   = core.Column(invitations, func(i *Invitation) *string { return &i.Email })
	inviteTeam    = core.Column(invitations, func(i *Invitation) **string { return &i.TeamID })
	inviteStatus  = core.Column(invitations, func(i *Invitation) *string { return &i.Status })
	inviteExpires = core.Column(invitations, func(i *Invitation) *time.Time { return &i.ExpiresAt })
	inviteCreated = core.Column(invitations, func(i *Invitation) *time.Time { return &i.CreatedAt })
	inviteSender  = core.Column(invitations, func(i *Invitation) *string { return &i.InviterID })

	teamID      = core.Column(teams, func(t *Team) *string { return &t.ID })
	teamName    = core.Column(teams, func(t *Team) *string { return &t.Name })
	teamCount   = core.Column(teams, func(t *Team) *int { return &t.MemberCount })
	teamOrg     = core.Column(teams, func(t *Team) *string { return &t.OrganizationID })
	teamCreated = core.Column(teams, func(t *Team) *time.Time { return &t.CreatedAt })
	teamUpdated = core.Column(teams, func(t *Team) **time.Time { return &t.UpdatedAt })

	inTeam      = core.Column(teamMembers, func(m *TeamMember) *string { return &m.TeamID })
	inTeamUser  = core.Column(teamMembers, func(m *TeamMember) *string { return &m.UserID })
	inTeamID    = core.Column(teamMembers, func(m *TeamMember) *string { return &m.ID })
	inTeamSince = core.Column(teamMembers, func(m *TeamMember) **time.Time { return &m.CreatedAt })

	roleID         = core.Column(ownRoles, func(r *Role) *string { return &r.ID })
	roleOrg        = core.Column(ownRoles, func(r *Role) *string { return &r.OrganizationID })
	roleTitle      = core.Column(ownRoles, func(r *Role) *string { return &r.Role })
	rolePermission = core.Column(ownRoles, func(r *Role) *string { return &r.Permission })
	roleCreated    = core.Column(ownRoles, func(r *Role) *time.Time { return &r.CreatedAt })
	roleUpdated    = core.Column(ownRoles, func(r *Role) **time.Time { return &r.UpdatedAt })
)

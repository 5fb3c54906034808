package organization

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/organization/access"
)

// Options configure the plugin. Names and defaults are Better Auth's where it has them.
// Functions that give limits are called inside the transaction of the act: they must
// neither use the pool nor wait for the network. One that gives 0 sets no limit.
type Options struct {
	// AllowUserToCreateOrganization lets every user make organizations. Default true.
	AllowUserToCreateOrganization *bool `yaml:"allowUserToCreateOrganization"`
	// OrganizationLimit is how many organizations a user may be in and still make another
	// one. Default 0: no limit.
	OrganizationLimit int `yaml:"organizationLimit"`
	// CreatorRole is the role of whoever makes an organization. Only its holders hand it out
	// or take it from somebody, and one of them is always left. Default "owner".
	CreatorRole string `yaml:"creatorRole"`
	// MembershipLimit is how many members an organization may have. Default 100.
	MembershipLimit int `yaml:"membershipLimit"`
	// InvitationLimit is how many invitations of an organization may be open. Default 100.
	InvitationLimit int `yaml:"invitationLimit"`
	// InvitationExpiresIn is an invitation's life in seconds. Default 172800 (two days), at
	// most 31536000 (a year).
	InvitationExpiresIn int `yaml:"invitationExpiresIn"`
	// CancelPendingInvitationsOnReInvite cancels the open invitation of somebody who is
	// invited again. Default false: inviting again is refused.
	CancelPendingInvitationsOnReInvite bool `yaml:"cancelPendingInvitationsOnReInvite"`
	// RequireEmailVerificationOnInvitation wants a verified address of whoever accepts,
	// rejects or reads an invitation. Default true; in Better Auth false. Without it,
	// somebody who has signed up with another person's address can take their invitations
	// if they learn the id (CVE-2026-53514).
	RequireEmailVerificationOnInvitation *bool `yaml:"requireEmailVerificationOnInvitation"`
	// DisableOrganizationDeletion keeps organizations from being deleted. Default false.
	DisableOrganizationDeletion bool `yaml:"disableOrganizationDeletion"`
	// SendInvitationEmail sends a message (template "invitation") with every invitation, if
	// there is a mailer. Default true.
	SendInvitationEmail *bool `yaml:"sendInvitationEmail"`
	// InvitationURL is the page of the app to which those messages lead: a path on the
	// server's own origin, or a URL. The invitation's id is added as the query parameter
	// invitationId. Default "/".
	InvitationURL string `yaml:"invitationURL"`
	// Statements are resources of the app with their actions, beside those of the plugin:
	// organization, member, invitation, team, ac.
	Statements map[string][]string `yaml:"statements"`
	// Roles are roles by name with what they hold: actions by resource. They are added to
	// owner, admin and member; one of these names takes the place of the default.
	Roles map[string]map[string][]string `yaml:"roles"`
	// Teams are parts of organizations.
	Teams TeamOptions `yaml:"teams"`
	// DynamicAccessControl lets organizations make roles of their own.
	DynamicAccessControl DynamicOptions `yaml:"dynamicAccessControl"`
	// Schema adds fields of the app's to the plugin's tables.
	Schema SchemaOptions `yaml:"schema"`

	// MayCreate takes the place of AllowUserToCreateOrganization, user by user.
	MayCreate func(ctx context.Context, u *core.User) (bool, error) `yaml:"-"`
	// OrganizationLimitOf takes the place of OrganizationLimit, user by user.
	OrganizationLimitOf func(ctx context.Context, u *core.User) (int, error) `yaml:"-"`
	// MembershipLimitOf takes the place of MembershipLimit, for a user who comes in.
	MembershipLimitOf func(ctx context.Context, u *core.User, o *Organization) (int, error) `yaml:"-"`
	// InvitationLimitOf takes the place of InvitationLimit, for a member who invites.
	InvitationLimitOf func(ctx context.Context, u *core.User, o *Organization, m *Member) (int, error) `yaml:"-"`
}

// TeamOptions are about teams.
type TeamOptions struct {
	// Enabled gives organizations teams. Default false.
	Enabled bool `yaml:"enabled"`
	// MaximumTeams is how many teams an organization may have. Default 0: no limit.
	MaximumTeams int `yaml:"maximumTeams"`
	// MaximumMembersPerTeam is how many members a team may have. Default 0: no limit.
	MaximumMembersPerTeam int `yaml:"maximumMembersPerTeam"`
	// AllowRemovingAllTeams lets the last team be removed. Default false.
	AllowRemovingAllTeams bool `yaml:"allowRemovingAllTeams"`
	// DefaultTeam makes a team, named like the organization, with every organization.
	DefaultTeam DefaultTeamOptions `yaml:"defaultTeam"`

	// MaximumTeamsOf takes the place of MaximumTeams.
	MaximumTeamsOf func(ctx context.Context, o *Organization) (int, error) `yaml:"-"`
	// MaximumMembersOf takes the place of MaximumMembersPerTeam.
	MaximumMembersOf func(ctx context.Context, o *Organization, t *Team) (int, error) `yaml:"-"`
}

// DefaultTeamOptions are about the first team.
type DefaultTeamOptions struct {
	// Enabled makes it. Default true.
	Enabled *bool `yaml:"enabled"`
}

// DynamicOptions are about roles that organizations make for themselves.
type DynamicOptions struct {
	// Enabled allows it to members who hold ac. Default false.
	Enabled bool `yaml:"enabled"`
	// MaximumRolesPerOrganization is how many an organization may have. Default 100: all of
	// them are read with each request.
	MaximumRolesPerOrganization int `yaml:"maximumRolesPerOrganization"`

	// MaximumRolesOf takes the place of MaximumRolesPerOrganization.
	MaximumRolesOf func(ctx context.Context, o *Organization) (int, error) `yaml:"-"`
}

// SchemaOptions are about the plugin's tables.
type SchemaOptions struct {
	Organization     TableOptions `yaml:"organization"`
	Member           TableOptions `yaml:"member"`
	Invitation       TableOptions `yaml:"invitation"`
	Team             TableOptions `yaml:"team"`
	OrganizationRole TableOptions `yaml:"organizationRole"`
}

// TableOptions are about one table.
type TableOptions struct {
	// AdditionalFields are columns of the app's. Required ones must be given when a row is
	// made, except for members, who are made by the server.
	AdditionalFields []core.Extra `yaml:"additionalFields"`
}

// settle fills in the defaults and gathers what is wrong.
func (p *Plugin) settle(o Options) {
	yes := true
	for _, b := range []**bool{&o.AllowUserToCreateOrganization, &o.RequireEmailVerificationOnInvitation, &o.SendInvitationEmail, &o.Teams.DefaultTeam.Enabled} {
		if *b == nil {
			*b = &yes
		}
	}
	number := func(name string, v *int, def, most int) {
		if *v == 0 {
			*v = def
		}
		if *v < 0 || *v > most {
			p.fault("%s: %d is not between 0 and %d", name, *v, most)
		}
	}
	const many = 1 << 30
	number("organizationLimit", &o.OrganizationLimit, 0, many)
	number("membershipLimit", &o.MembershipLimit, 100, many)
	number("invitationLimit", &o.InvitationLimit, 100, many)
	number("invitationExpiresIn", &o.InvitationExpiresIn, 172800, 31536000)
	number("teams.maximumTeams", &o.Teams.MaximumTeams, 0, many)
	number("teams.maximumMembersPerTeam", &o.Teams.MaximumMembersPerTeam, 0, many)
	number("dynamicAccessControl.maximumRolesPerOrganization", &o.DynamicAccessControl.MaximumRolesPerOrganization, 100, many)
	if o.CreatorRole == "" {
		o.CreatorRole = "owner"
	}
	if o.InvitationURL == "" {
		o.InvitationURL = "/"
	}
	if !strings.HasPrefix(o.InvitationURL, "/") && !strings.Contains(o.InvitationURL, "://") {
		p.fault("invitationURL: %q is neither a path nor a URL", o.InvitationURL)
	}
	p.o = o
	p.access()
}

func (p *Plugin) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf(format, args...))
}

// access makes the roles.
func (p *Plugin) access() {
	statements := access.Defaults()
	maps.Copy(statements, p.o.Statements)
	var err error
	if p.ac, err = access.New(statements); err != nil {
		p.fault("statements: %w", err)
	}
	all := access.DefaultRoles()
	for name, holds := range p.o.Roles {
		all[name] = holds
	}
	p.roles = map[string]access.Role{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !roleName(name) {
			p.fault("roles: %q is no name: want 1 to %d characters, no comma, no space at either end", name, maxRoleName)
		}
		if p.roles[name], err = p.ac.Role(all[name]); err != nil {
			p.fault("roles: %s: %w", name, err)
		}
	}
	if _, ok := p.roles[p.o.CreatorRole]; !ok {
		p.fault("creatorRole: %q is not among the roles", p.o.CreatorRole)
	}
}

// maxRoleName is in bytes.
const maxRoleName = 100

// roleName tells whether a name can stand in a list that is joined by commas.
func roleName(name string) bool {
	return name != "" && len(name) <= maxRoleName && !strings.Contains(name, ",") && strings.TrimSpace(name) == name
}

// fields makes the app's own fields of one table.
func (p *Plugin) fields(name string, o TableOptions) *core.Fields {
	f, err := core.NewFields(o.AdditionalFields)
	if err != nil {
		p.fault("schema.%s.additionalFields: %w", name, err)
	}
	return f
}

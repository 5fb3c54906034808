package organization

import (
	"context"
	"embed"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/plugins/organization/access"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
)

// ID is the plugin's name in the config file.
const ID = "organization"

// Plugin is the plugin. Make it with New. It implements orghook.Service: apps ask it what
// users may do.
type Plugin struct {
	o        Options
	faults   []error
	host     *core.Host
	ac       *access.Control
	roles    map[string]access.Role // by name
	features map[string]any

	organizations *core.Table[Organization]
	members       *core.Table[Member]
	invitations   *core.Table[Invitation]
	teams         *core.Table[Team]
	ownRoles      *core.Table[Role]

	organizationFields, memberFields, invitationFields, teamFields, roleFields *core.Fields
}

var _ orghook.Service = (*Plugin)(nil)

// New makes the plugin. What is wrong with its options keeps it from starting.
func New(o Options) *Plugin {
	p := &Plugin{features: map[string]any{}}
	p.settle(o)
	p.organizationFields = p.fields("organization", o.Schema.Organization)
	p.memberFields = p.fields("member", o.Schema.Member)
	p.invitationFields = p.fields("invitation", o.Schema.Invitation)
	p.teamFields = p.fields("team", o.Schema.Team)
	p.roleFields = p.fields("organizationRole", o.Schema.OrganizationRole)
	p.organizations = organizations.With(p.organizationFields)
	p.members = members.With(p.memberFields)
	p.invitations = invitations.With(p.invitationFields)
	if !p.o.Teams.Enabled {
		p.invitations = p.invitations.Without("teamId")
	}
	p.teams = teams.With(p.teamFields)
	p.ownRoles = ownRoles.With(p.roleFields)
	p.features["teams"], p.features["roles"] = p.o.Teams.Enabled, p.o.DynamicAccessControl.Enabled
	return p
}

// Spec implements core.Plugin.
func (p *Plugin) Spec() core.Spec {
	texts, err := contract.ReadMails(mails, "mails")
	s := core.Spec{
		ID:     ID,
		Faults: p.faults,
		Tables: []schema.Table{p.organizations.Schema()},
		Extend: []schema.Extension{{Table: "session", Columns: activeColumns(p.o.Teams.Enabled)}},
		Endpoints: []core.Endpoint{Create.Handle(p.create), Update.Handle(p.update), SetActive.Handle(p.setActive),
			Get.Handle(p.get), GetFull.Handle(p.getFull), List.Handle(p.list), CheckSlug.Handle(p.checkSlug), MayI.Handle(p.mayI),
			ListMembers.Handle(p.listMembers), RemoveMember.Handle(p.removeMember), UpdateMemberRole.Handle(p.updateMemberRole),
			Leave.Handle(p.leave), GetActiveMember.Handle(p.activeMember), GetActiveMemberRole.Handle(p.activeMemberRole),
			Invite.Handle(p.invite), Accept.Handle(p.accept), Reject.Handle(p.reject), Cancel.Handle(p.cancel),
			GetInvitation.Handle(p.getInvitation), ListInvitations.Handle(p.listInvitations), ListUserInvitations.Handle(p.listUserInvitations)},
		Errors: codes,
		// Each call may mail a stranger, resend for the same invitation too.
		Limits:   []core.RateLimit{{Paths: []string{Invite.Path()}, Max: 20, Window: 60}},
		Data:     p.data(),
		Events:   events,
		Mails:    texts,
		Features: p.features, TypeScript: p.typeScript(),
		Provides: []core.Service{core.Provide[orghook.Service](p), core.Provide[contract.Organizations](p)},
		Init:     p.init,
	}
	if err != nil {
		s.Faults = append(s.Faults[:len(s.Faults):len(s.Faults)], err)
	}
	if p.o.DisableOrganizationDeletion {
		s.Endpoints = append(s.Endpoints, NoDelete.Handle(func(context.Context, *core.Call, DeleteInput) (Organization, error) {
			return Organization{}, ErrDeletionDisabled
		}))
	} else {
		s.Endpoints = append(s.Endpoints, Delete.Handle(p.delete))
	}
	if p.o.DynamicAccessControl.Enabled {
		s.Tables = append(s.Tables, p.ownRoles.Schema())
		s.Endpoints = append(s.Endpoints, p.roleEndpoints()...)
	}
	if p.o.Teams.Enabled {
		s.Tables = append(s.Tables, p.teams.Schema(), teamMembers.Schema())
		s.Endpoints = append(s.Endpoints, p.teamEndpoints()...)
	}
	s.Tables = append(s.Tables, p.members.Schema(), p.invitations.Schema())
	return s
}

func (p *Plugin) init(_ context.Context, h *core.Host) error {
	p.host = h
	return nil
}

// mails are the texts of an invitation, in five languages.
//
//go:embed mails
var mails embed.FS

const mailName = "invitation"

// Types of events.
const (
	eventCreated            = "organization.created"
	eventUpdated            = "organization.updated"
	eventDeleted            = "organization.deleted"
	eventMemberAdded        = "organization.member-added"
	eventMemberRemoved      = "organization.member-removed"
	eventMemberRole         = "organization.member-role-changed"
	eventInvitationSent     = "organization.invitation-sent"
	eventInvitationAccepted = "organization.invitation-accepted"
	eventInvitationRejected = "organization.invitation-rejected"
	eventInvitationCanceled = "organization.invitation-canceled"
	eventTeamCreated        = "organization.team-created"
	eventTeamDeleted        = "organization.team-deleted"
	eventTeamMemberAdded    = "organization.team-member-added"
	eventTeamMemberRemoved  = "organization.team-member-removed"
	eventRoleCreated        = "organization.role-created"
	eventRoleUpdated        = "organization.role-updated"
	eventRoleDeleted        = "organization.role-deleted"
)

var events = []core.EventType{
	{Name: eventCreated, Description: "An organization was made."},
	{Name: eventUpdated, Description: "Name, slug, logo or metadata of an organization were changed."},
	{Name: eventDeleted, Description: "An organization was deleted with everything in it."},
	{Name: eventMemberAdded, Description: "A user became a member of an organization."},
	{Name: eventMemberRemoved, Description: "A user was removed from an organization, or left it."},
	{Name: eventMemberRole, Description: "The roles of a member were changed."},
	{Name: eventInvitationSent, Description: "Somebody was invited to an organization, or an invitation was sent again."},
	{Name: eventInvitationAccepted, Description: "An invitation was accepted."},
	{Name: eventInvitationRejected, Description: "An invitation was rejected by its recipient."},
	{Name: eventInvitationCanceled, Description: "An invitation was taken back."},
	{Name: eventTeamCreated, Description: "A team was made."},
	{Name: eventTeamDeleted, Description: "A team was removed."},
	{Name: eventTeamMemberAdded, Description: "A member was put into a team."},
	{Name: eventTeamMemberRemoved, Description: "A member was taken out of a team."},
	{Name: eventRoleCreated, Description: "An organization made a role of its own."},
	{Name: eventRoleUpdated, Description: "An organization changed a role of its own."},
	{Name: eventRoleDeleted, Description: "An organization deleted a role of its own."},
}

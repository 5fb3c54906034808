// Package orghook is what other plugins and apps see of the organization plugin: its
// points with their payloads, its rows, and the service that makes organizations and
// members from Go. It imports no plugin.
//
// Every point runs in the transaction of the act, while the organization's row is locked:
// what a hook reads there stays true until the commit. Before hooks may change the row of
// the payload or refuse, After hooks may undo, Committed hooks follow.
//
//	orghook.OrganizationDelete.Before(func(_ context.Context, e *orghook.OrganizationEvent) error {
//		if e.Organization.Meta()["type"] == "personal" {
//			return ErrSpaceUndeletable
//		}
//		return nil
//	})
package orghook

import (
	"context"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// Points around organizations.
var (
	OrganizationCreate = core.NewPoint[OrganizationEvent]("organization.create")
	OrganizationUpdate = core.NewPoint[OrganizationEvent]("organization.update")
	OrganizationDelete = core.NewPoint[OrganizationEvent]("organization.delete")
)

// Points around memberships. MemberAdd runs whichever way a member comes in: by making
// the organization, an invitation, or Go code; MemberRemove for removal and leaving.
var (
	MemberAdd    = core.NewPoint[MemberEvent]("organization.member-add")
	MemberRemove = core.NewPoint[MemberEvent]("organization.member-remove")
	// MemberUpdate runs around a change of roles.
	MemberUpdate = core.NewPoint[MemberEvent]("organization.member-update")
)

// Points around invitations. MemberAdd runs inside InvitationAccept.
var (
	InvitationCreate = core.NewPoint[InvitationEvent]("organization.invitation-create")
	InvitationAccept = core.NewPoint[InvitationEvent]("organization.invitation-accept")
	InvitationReject = core.NewPoint[InvitationEvent]("organization.invitation-reject")
	InvitationCancel = core.NewPoint[InvitationEvent]("organization.invitation-cancel")
)

// Points around teams and their members.
var (
	TeamCreate       = core.NewPoint[TeamEvent]("organization.team-create")
	TeamUpdate       = core.NewPoint[TeamEvent]("organization.team-update")
	TeamDelete       = core.NewPoint[TeamEvent]("organization.team-delete")
	TeamMemberAdd    = core.NewPoint[TeamMemberEvent]("organization.team-member-add")
	TeamMemberRemove = core.NewPoint[TeamMemberEvent]("organization.team-member-remove")
)

// Points around the roles that organizations make for themselves.
var (
	RoleCreate = core.NewPoint[RoleEvent]("organization.role-create")
	RoleUpdate = core.NewPoint[RoleEvent]("organization.role-update")
	RoleDelete = core.NewPoint[RoleEvent]("organization.role-delete")
)

// Act is what all payloads share.
type Act struct {
	Call *core.Call // nil where Go code acts
	Tx   *core.Tx
	// Actor is who does it, nil where Go code does.
	Actor        *core.User
	Organization *Organization
}

// OrganizationEvent is the payload of points around organizations. Changes of
// Organization in Before hooks are stored, at creation and update.
type OrganizationEvent struct {
	Act
	Old *Organization // before an update
}

// MemberEvent is the payload of points around memberships. Changes of Member.Role and
// Member.Extra in Before hooks are stored, at addition and update.
type MemberEvent struct {
	Act
	Member *Member
	User   *core.User // whose membership it is
	Old    *Member    // before an update
}

// InvitationEvent is the payload of points around invitations. Changes of Invitation in
// Before hooks of InvitationCreate are stored; the address must stay.
type InvitationEvent struct {
	Act
	Invitation *Invitation
	Member     *Member // whom accepting made, in After and Committed hooks
}

// TeamEvent is the payload of points around teams. Changes of Team in Before hooks are
// stored, at creation and update.
type TeamEvent struct {
	Act
	Team *Team
	Old  *Team // before an update
}

// TeamMemberEvent is the payload of points around members of teams.
type TeamMemberEvent struct {
	Act
	Team       *Team
	TeamMember *TeamMember
	User       *core.User
}

// RoleEvent is the payload of points around an organization's own roles.
type RoleEvent struct {
	Act
	Role *Role
	Old  *Role // before an update
}

// Service makes organizations and members from Go. Nobody's permission is checked: that
// is the caller's business. Limits, hooks and everything that keeps rows consistent hold.
// The organization plugin provides it (core.Require[orghook.Service]).
type Service interface {
	contract.Organizations
	// Create makes an organization with its first member, whose row it locks, in tx or one of
	// its own. A slug that is taken is ORGANIZATION_ALREADY_EXISTS.
	Create(ctx context.Context, tx *core.Tx, n NewOrganization) (*Organization, *Member, error)
	// SlugTaken tells whether an organization has the slug: for a hook that makes one in a
	// transaction which a refusal would undo.
	SlugTaken(ctx context.Context, tx *core.Tx, slug string) (bool, error)
	// AddMember adds a user, in tx or one of its own.
	AddMember(ctx context.Context, tx *core.Tx, n NewMember) (*Member, error)
}

// NewOrganization is what Service.Create wants to know.
type NewOrganization struct {
	Name, Slug string
	Logo       *string
	Metadata   map[string]any // stored as JSON; nil for none
	Extra      map[string]any // the app's own fields
	// UserID is the first member, with the creator's role.
	UserID string
	// Call is the request on whose account it happens, if any: for hooks and events.
	Call *core.Call
}

// NewMember is what Service.AddMember wants to know.
type NewMember struct {
	OrganizationID, UserID string
	Roles                  []string
	TeamID                 string // empty for none
	Extra                  map[string]any
	Call                   *core.Call
}

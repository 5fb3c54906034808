package webhooks

import (
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
)

// The types of events. Those of organizations are called as the security events are.
const (
	UserCreated         = "user.created"
	UserUpdated         = "user.updated"
	UserEmailVerified   = "user.email-verified"
	UserDeleted         = "user.deleted"
	SessionCreated      = "session.created"
	SessionRevoked      = "session.revoked"
	OrganizationCreated = "organization.created"
	OrganizationUpdated = "organization.updated"
	OrganizationDeleted = "organization.deleted"
	MemberAdded         = "organization.member-added"
	MemberRemoved       = "organization.member-removed"
	MemberRoleChanged   = "organization.member-role-changed"
	InvitationSent      = "organization.invitation-sent"
	InvitationAccepted  = "organization.invitation-accepted"
	InvitationRejected  = "organization.invitation-rejected"
	InvitationCanceled  = "organization.invitation-canceled"

	// typeTest is sent by the command alone.
	typeTest = "test"
)

// Types lists the types of events.
func Types() []string {
	return []string{UserCreated, UserUpdated, UserEmailVerified, UserDeleted, SessionCreated, SessionRevoked,
		OrganizationCreated, OrganizationUpdated, OrganizationDeleted, MemberAdded, MemberRemoved, MemberRoleChanged,
		InvitationSent, InvitationAccepted, InvitationRejected, InvitationCanceled}
}

// message is the body of a delivery. Standard Webhooks, "Payload structure".
type message struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"` // of the event
	Data      any    `json:"data"`
}

// iso is the form of times: UTC, with milliseconds, as JavaScript writes it.
func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

type userData struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	Email         string `json:"email"`
	EmailVerified bool   `json:"emailVerified"`
	CreatedAt     string `json:"createdAt"`
	UpdatedAt     string `json:"updatedAt"`
}

func userOf(u *core.User) userData {
	return userData{u.ID, u.Name, u.Email, u.EmailVerified, iso(u.CreatedAt), iso(u.UpdatedAt)}
}

// sessionData never has the token.
type sessionData struct {
	ID        string `json:"id"`
	UserID    string `json:"userId"`
	ExpiresAt string `json:"expiresAt"`
}

type organizationData struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	Slug      string  `json:"slug"`
	Logo      *string `json:"logo"`
	CreatedAt string  `json:"createdAt"`
}

func organizationOf(o *orghook.Organization) organizationData {
	return organizationData{o.ID, o.Name, o.Slug, o.Logo, iso(o.CreatedAt)}
}

type memberData struct {
	ID             string `json:"id"`
	OrganizationID string `json:"organizationId"`
	UserID         string `json:"userId"`
	Role           string `json:"role"` // one or more names, joined by commas
	CreatedAt      string `json:"createdAt"`
}

func memberOf(m *orghook.Member) memberData {
	return memberData{m.ID, m.OrganizationID, m.UserID, m.Role, iso(m.CreatedAt)}
}

type invitationData struct {
	ID             string  `json:"id"`
	OrganizationID string  `json:"organizationId"`
	Email          string  `json:"email"`
	Role           *string `json:"role"`
	Status         string  `json:"status"`
	InviterID      string  `json:"inviterId"`
	ExpiresAt      string  `json:"expiresAt"`
}

func invitationOf(i *orghook.Invitation) invitationData {
	return invitationData{i.ID, i.OrganizationID, i.Email, i.Role, i.Status, i.InviterID, iso(i.ExpiresAt)}
}

package orghook

import (
	"encoding/json"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// Organization is a row of the table organization.
type Organization struct {
	ID        string    `db:"id" schema:"key"`
	Name      string    `db:"name"`
	Slug      string    `db:"slug" schema:"unique"`
	Logo      *string   `db:"logo"`
	CreatedAt time.Time `db:"createdAt"`
	Metadata  *string   `db:"metadata" schema:"jsontext"` // a JSON object as text
	core.Extras
}

// Meta reads the metadata; what is no JSON object reads as none.
func (o *Organization) Meta() map[string]any {
	var m map[string]any
	if o.Metadata == nil || json.Unmarshal([]byte(*o.Metadata), &m) != nil {
		return nil
	}
	return m
}

// Member is a user's membership.
type Member struct {
	ID             string    `db:"id" schema:"key"`
	OrganizationID string    `db:"organizationId" schema:"references=organization,cascade,joined,index"`
	UserID         string    `db:"userId" schema:"references=user,cascade,joined,index"`
	Role           string    `db:"role"` // one or more names, joined by commas
	CreatedAt      time.Time `db:"createdAt"`
	core.Extras
}

// Invitation is open while its status is "pending" and it has not expired; else
// "accepted", "rejected" or "canceled".
type Invitation struct {
	ID             string    `db:"id" schema:"key"`
	OrganizationID string    `db:"organizationId" schema:"references=organization,cascade,joined,index"`
	Email          string    `db:"email" schema:"index"` // lower case
	Role           *string   `db:"role" schema:"written"`
	TeamID         *string   `db:"teamId"` // ids of teams, joined by commas; with teams only
	Status         string    `db:"status"`
	ExpiresAt      time.Time `db:"expiresAt"`
	CreatedAt      time.Time `db:"createdAt" schema:"now"`
	InviterID      string    `db:"inviterId" schema:"references=user,cascade,index"`
	core.Extras
}

// Team is a part of an organization.
type Team struct {
	ID             string     `db:"id" schema:"key"`
	Name           string     `db:"name"`
	MemberCount    int        `db:"memberCount" schema:"hidden"`
	OrganizationID string     `db:"organizationId" schema:"references=organization,cascade,joined,index"`
	CreatedAt      time.Time  `db:"createdAt"`
	UpdatedAt      *time.Time `db:"updatedAt"`
	core.Extras
}

// TeamMember is a member of a team, who is a member of its organization.
type TeamMember struct {
	ID     string `db:"id" schema:"key"`
	TeamID string `db:"teamId" schema:"references=team,cascade,joined,index"`
	UserID string `db:"userId" schema:"references=user,cascade,joined,index"`
	// MembershipKey is SHA-256 over team and user, so that nobody is in a team twice; NULL in
	// rows of older versions of Better Auth.
	MembershipKey *string    `db:"membershipKey" schema:"unique,written,hidden"`
	CreatedAt     *time.Time `db:"createdAt" schema:"written"`
}

// Role is a role that an organization has made for itself.
type Role struct {
	ID             string     `db:"id" schema:"key"`
	OrganizationID string     `db:"organizationId" schema:"references=organization,cascade,joined,index"`
	Role           string     `db:"role" schema:"index"`          // its name, lower case
	Permission     string     `db:"permission" schema:"jsontext"` // access.Permissions as JSON text
	CreatedAt      time.Time  `db:"createdAt" schema:"now"`
	UpdatedAt      *time.Time `db:"updatedAt"`
	core.Extras
}

// MarshalJSON writes the row as clients see it; the metadata is a text.
func (o Organization) MarshalJSON() ([]byte, error) { return core.EncodeRow(&o) }

// MarshalJSON writes the row as clients see it.
func (m Member) MarshalJSON() ([]byte, error) { return core.EncodeRow(&m) }

// MarshalJSON writes the row as clients see it.
func (i Invitation) MarshalJSON() ([]byte, error) { return core.EncodeRow(&i) }

// MarshalJSON writes the row as clients see it.
func (t Team) MarshalJSON() ([]byte, error) { return core.EncodeRow(&t) }

// MarshalJSON writes the row as clients see it.
func (t TeamMember) MarshalJSON() ([]byte, error) { return core.EncodeRow(&t) }

// MarshalJSON writes the row as clients see it; the permissions are an object.
func (r Role) MarshalJSON() ([]byte, error) {
	permission := json.RawMessage("null")
	if json.Valid([]byte(r.Permission)) {
		permission = json.RawMessage(r.Permission)
	}
	return core.EncodeRow(&r, core.Member{Name: "permission", Raw: permission})
}

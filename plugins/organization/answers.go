package organization

import (
	"bytes"
	"encoding/json"

	"github.com/sallyport-auth/sallyport/core"
)

// Created is the answer of Create.
type Created struct {
	Organization
	Member Member
}

// MarshalJSON writes the organization with its members.
func (a Created) MarshalJSON() ([]byte, error) {
	raw, err := json.Marshal([]Member{a.Member})
	if err != nil {
		return nil, err
	}
	return core.EncodeRow(&a.Organization, metadata(&a.Organization), core.Member{Name: "members", Raw: raw})
}

// Detailed is an organization whose metadata is an object.
type Detailed struct{ Organization }

// MarshalJSON writes the organization.
func (a Detailed) MarshalJSON() ([]byte, error) {
	return core.EncodeRow(&a.Organization, metadata(&a.Organization))
}

// metadata is the metadata as an object; absent without one.
func metadata(o *Organization) core.Member {
	m := core.Member{Name: "metadata"}
	if o.Metadata == nil || !json.Valid([]byte(*o.Metadata)) {
		return m
	}
	m.Raw = json.RawMessage(*o.Metadata)
	// A column of JSON that Better Auth writes its text to holds that text as a JSON string.
	var text string
	if m.Raw[0] == '"' && json.Unmarshal(m.Raw, &text) == nil && json.Valid([]byte(text)) {
		m.Raw = json.RawMessage(text)
	}
	return m
}

// Person is what members of an organization see of each other.
type Person struct {
	ID    string  `json:"id"`
	Name  string  `json:"name"`
	Email string  `json:"email"`
	Image *string `json:"image"`
}

// Named is a member with their user.
type Named struct {
	Member
	User Person
}

// MarshalJSON writes the member.
func (n Named) MarshalJSON() ([]byte, error) {
	raw, err := json.Marshal(n.User)
	if err != nil {
		return nil, err
	}
	return core.EncodeRow(&n.Member, core.Member{Name: "user", Raw: raw})
}

// Full is an organization with what belongs to it.
type Full struct {
	Organization
	Invitations []Invitation
	Members     []Named
	Teams       []Team // nil without teams
}

// MarshalJSON writes the organization.
func (f Full) MarshalJSON() ([]byte, error) {
	var more []core.Member
	add := func(name string, v any) error {
		raw, err := json.Marshal(v)
		more = append(more, core.Member{Name: name, Raw: raw})
		return err
	}
	if err := add("invitations", f.Invitations); err != nil {
		return nil, err
	}
	if err := add("members", f.Members); err != nil {
		return nil, err
	}
	if f.Teams != nil {
		list := make([]counted, len(f.Teams))
		for i := range f.Teams {
			list[i] = counted{f.Teams[i]}
		}
		if err := add("teams", list); err != nil {
			return nil, err
		}
	}
	return core.EncodeRow(&f.Organization, more...)
}

// MemberList is the answer of ListMembers.
type MemberList struct {
	Members []Named `json:"members"`
	Total   int64   `json:"total"` // without the limit
}

// RemovedMember is the answer of RemoveMember. The member has their user where they were
// named by address.
type RemovedMember struct {
	Member any `json:"member"`
}

// RoleAnswer is the answer of GetActiveMemberRole.
type RoleAnswer struct {
	Role string `json:"role"`
}

// Accepted is the answer of Accept and Reject, where there is no member.
type Accepted struct {
	Invitation Invitation `json:"invitation"`
	Member     *Member    `json:"member"`
}

// InvitationDetails is the answer of GetInvitation.
type InvitationDetails struct {
	Invitation
	OrganizationName, OrganizationSlug, InviterEmail string
}

// MarshalJSON writes the invitation.
func (d InvitationDetails) MarshalJSON() ([]byte, error) {
	return core.EncodeRow(&d.Invitation, text("organizationName", d.OrganizationName),
		text("organizationSlug", d.OrganizationSlug), text("inviterEmail", d.InviterEmail))
}

// UserInvitation is an invitation as its recipient sees it.
type UserInvitation struct {
	Invitation
	OrganizationName string
}

// MarshalJSON writes the invitation.
func (u UserInvitation) MarshalJSON() ([]byte, error) {
	return core.EncodeRow(&u.Invitation, text("organizationName", u.OrganizationName))
}

func text(name, value string) core.Member {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value) // a string always has a JSON form
	return core.Member{Name: name, Raw: bytes.TrimSpace(b.Bytes())}
}

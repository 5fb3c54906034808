package organization

import (
	"bytes"
	"encoding/json"

	"github.com/sallyport-auth/sallyport/core"
)

// Endpoints of the plugin. Those that change something ask the database whether the
// session still is one, although the cookie cache may have answered for it.
var (
	Create = core.NewRoute[CreateInput, Created]("POST /organization/create", core.CachedSession, core.NoSession(errNoSession))
	Update = core.NewRoute[UpdateInput, Detailed]("POST /organization/update", core.CachedSession, core.NoSession(errUserNotFound))
	Delete = core.NewRoute[DeleteInput, Organization]("POST /organization/delete", core.CachedSession, core.NoSession(errNoSession))
	// NoDelete takes the place of Delete where deletion is disabled: everybody hears so.
	NoDelete    = core.NewRoute[DeleteInput, Organization]("POST /organization/delete", core.Public)
	SetActive   = core.NewRoute[SetActiveInput, *Organization]("POST /organization/set-active", core.CachedSession)
	Get         = core.NewRoute[GetInput, *Organization]("GET /organization/get-organization", core.CachedSession)
	GetFull     = core.NewRoute[GetFullInput, *Full]("GET /organization/get-full-organization", core.CachedSession)
	List        = core.NewRoute[core.None, []Organization]("GET /organization/list", core.CachedSession)
	CheckSlug   = core.NewRoute[CheckSlugInput, core.Status]("POST /organization/check-slug", core.CachedSession)
	MayI        = core.NewRoute[MayIInput, MayIAnswer]("POST /organization/has-permission", core.CachedSession)
	ListMembers = core.NewRoute[ListMembersInput, MemberList]("GET /organization/list-members", core.CachedSession)

	RemoveMember        = core.NewRoute[RemoveMemberInput, RemovedMember]("POST /organization/remove-member", core.CachedSession)
	UpdateMemberRole    = core.NewRoute[UpdateMemberRoleInput, Member]("POST /organization/update-member-role", core.CachedSession)
	Leave               = core.NewRoute[LeaveInput, Named]("POST /organization/leave", core.CachedSession)
	GetActiveMember     = core.NewRoute[core.None, Named]("GET /organization/get-active-member", core.CachedSession)
	GetActiveMemberRole = core.NewRoute[GetActiveMemberRoleInput, RoleAnswer]("GET /organization/get-active-member-role", core.CachedSession)

	Invite              = core.NewRoute[InviteInput, Invitation]("POST /organization/invite-member", core.CachedSession)
	Accept              = core.NewRoute[AnswerInput, Accepted]("POST /organization/accept-invitation", core.CachedSession)
	Reject              = core.NewRoute[AnswerInput, Accepted]("POST /organization/reject-invitation", core.CachedSession)
	Cancel              = core.NewRoute[AnswerInput, Invitation]("POST /organization/cancel-invitation", core.CachedSession)
	GetInvitation       = core.NewRoute[GetInvitationInput, InvitationDetails]("GET /organization/get-invitation", core.CachedSession, core.NoSession(errNotAuthenticated))
	ListInvitations     = core.NewRoute[OrganizationInput, []Invitation]("GET /organization/list-invitations", core.CachedSession)
	ListUserInvitations = core.NewRoute[ListUserInvitationsInput, []UserInvitation]("GET /organization/list-user-invitations", core.Public)
)

// CreateInput is the input of Create. Other members set the app's own fields. There is no
// userId: whoever makes an organization is its first member (CVE-2025-61928).
type CreateInput struct {
	Name       string           `json:"name" input:"nonempty,max=256"`
	Slug       string           `json:"slug" input:"nonempty,max=256"`
	Logo       core.Opt[string] `json:"logo" input:"max=65536"`
	Metadata   *Record          `json:"metadata"`
	KeepActive *bool            `json:"keepCurrentActiveOrganization"`
	Fields     core.Members     `json:",rest" input:"loose"`
}

// UpdateInput is the input of Update.
type UpdateInput struct {
	Data           UpdateData `json:"data"`
	OrganizationID *string    `json:"organizationId"`
}

// UpdateData is what changes; what is absent stays. Other members set the app's own
// fields.
type UpdateData struct {
	Name     *string          `json:"name" input:"nonempty,max=256"`
	Slug     *string          `json:"slug" input:"nonempty,max=256"`
	Logo     core.Opt[string] `json:"logo" input:"max=65536"`
	Metadata *Record          `json:"metadata"`
	Fields   core.Members     `json:",rest" input:"loose"`
}

// MarshalJSON writes what a request would hold: for calls from Go.
func (d UpdateData) MarshalJSON() ([]byte, error) {
	all := d.Fields
	for name, v := range map[string]any{"name": d.Name, "slug": d.Slug} {
		if s, _ := v.(*string); s != nil {
			all = append(all, text(name, *s))
		}
	}
	if v, set := d.Logo.Sent(); set {
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		all = append(all, core.Member{Name: "logo", Raw: raw})
	}
	if d.Metadata != nil {
		all = append(all, core.Member{Name: "metadata", Raw: json.RawMessage(*d.Metadata.text())})
	}
	return Record{all}.MarshalJSON()
}

// Record is any JSON object, its members in the order in which they were sent.
type Record struct {
	Members core.Members `json:",rest"`
}

// MarshalJSON writes the object.
func (r Record) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range r.Members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(text("", m.Name).Raw)
		b.WriteByte(':')
		if err := json.Compact(&b, m.Raw); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// text is the object as a column holds it; nil for none. Its members are JSON already.
func (r *Record) text() *string {
	if r == nil {
		return nil
	}
	raw, err := r.MarshalJSON()
	if err != nil { // a Go caller's
		return nil
	}
	s := string(raw)
	return &s
}

// maxMetadata is how large metadata may be, in bytes of JSON: lists hold a hundred of them.
const maxMetadata = 64 << 10

// metadataText is text for what a request sent, within the limit.
func (r *Record) metadataText(at string) (*string, error) {
	s := r.text()
	if len(deref(s)) > maxMetadata {
		return nil, core.ErrValidation.WithMessage("[" + at + "] Too big: expected at most 65536 bytes")
	}
	return s, nil
}

// DeleteInput is the input of Delete.
type DeleteInput struct {
	OrganizationID string `json:"organizationId"`
}

// SetActiveInput is the input of SetActive: null for none.
type SetActiveInput struct {
	OrganizationID   core.Opt[string] `json:"organizationId"`
	OrganizationSlug *string          `json:"organizationSlug"`
}

// GetInput is the input of Get.
type GetInput struct {
	OrganizationID   *string `query:"organizationId"`
	OrganizationSlug *string `query:"organizationSlug"`
}

// GetFullInput is the input of GetFull.
type GetFullInput struct {
	OrganizationID   *string  `query:"organizationId"`
	OrganizationSlug *string  `query:"organizationSlug"`
	MembersLimit     []string `query:"membersLimit" input:"single,optional"`
}

// CheckSlugInput is the input of CheckSlug.
type CheckSlugInput struct {
	Slug string `json:"slug"`
}

// MayIInput is the input of MayI: one more member, "permissions", or by an old name that
// grants nothing, "permission". Go code asks Plugin.Authorize.
type MayIInput struct {
	OrganizationID *string      `json:"organizationId"`
	Forms          core.Members `json:",rest" input:"union"`
}

// MayIAnswer is the answer of MayI.
type MayIAnswer struct {
	Error   *string `json:"error"`
	Success bool    `json:"success"`
}

// ListMembersInput is the input of ListMembers.
type ListMembersInput struct {
	Limit            []string `query:"limit" input:"single,optional"`
	Offset           []string `query:"offset" input:"single,optional"`
	SortBy           *string  `query:"sortBy"`
	SortDirection    *string  `query:"sortDirection" input:"enum=asc|desc"`
	FilterField      *string  `query:"filterField"`
	FilterValue      []string `query:"filterValue" input:"single,optional"`
	FilterOperator   *string  `query:"filterOperator" input:"enum=eq|ne|lt|lte|gt|gte|in|not_in|contains|starts_with|ends_with"`
	OrganizationID   *string  `query:"organizationId"`
	OrganizationSlug *string  `query:"organizationSlug"`
}

// RemoveMemberInput is the input of RemoveMember.
type RemoveMemberInput struct {
	MemberIDOrEmail string  `json:"memberIdOrEmail"`
	OrganizationID  *string `json:"organizationId"`
}

// UpdateMemberRoleInput is the input of UpdateMemberRole.
type UpdateMemberRoleInput struct {
	Role           []string `json:"role" input:"single,max=50"`
	MemberID       string   `json:"memberId"`
	OrganizationID *string  `json:"organizationId"`
}

// LeaveInput is the input of Leave.
type LeaveInput struct {
	OrganizationID string `json:"organizationId"`
}

// GetActiveMemberRoleInput is the input of GetActiveMemberRole.
type GetActiveMemberRoleInput struct {
	UserID           *string `query:"userId"`
	OrganizationID   *string `query:"organizationId"`
	OrganizationSlug *string `query:"organizationSlug"`
}

// InviteInput is the input of Invite. Other members set the app's own fields.
type InviteInput struct {
	Email          string       `json:"email"`
	Role           []string     `json:"role" input:"single,max=50"`
	OrganizationID *string      `json:"organizationId"`
	Resend         *bool        `json:"resend"`
	TeamID         []string     `json:"teamId" input:"single,optional,max=50"`
	Fields         core.Members `json:",rest" input:"loose"`
}

// AnswerInput names an invitation.
type AnswerInput struct {
	InvitationID string `json:"invitationId"`
}

// GetInvitationInput is the input of GetInvitation.
type GetInvitationInput struct {
	ID string `query:"id"`
}

// OrganizationInput names an organization; without one it is the active one.
type OrganizationInput struct {
	OrganizationID *string `query:"organizationId"`
}

// ListUserInvitationsInput is the input of ListUserInvitations. Email is refused: the
// address is the session's.
type ListUserInvitationsInput struct {
	Email *string `query:"email"`
}

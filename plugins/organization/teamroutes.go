package organization

import "github.com/sallyport-auth/sallyport/core"

// Endpoints of teams.
var (
	CreateTeam       = core.NewRoute[CreateTeamInput, Team]("POST /organization/create-team", core.CachedSession, core.NoSession(errNoSession))
	UpdateTeam       = core.NewRoute[UpdateTeamInput, Team]("POST /organization/update-team", core.CachedSession)
	RemoveTeam       = core.NewRoute[RemoveTeamInput, Message]("POST /organization/remove-team", core.CachedSession, core.NoSession(errNoSession))
	ListTeams        = core.NewRoute[OrganizationInput, []Team]("GET /organization/list-teams", core.CachedSession)
	SetActiveTeam    = core.NewRoute[SetActiveTeamInput, *Team]("POST /organization/set-active-team", core.CachedSession)
	ListUserTeams    = core.NewRoute[ListUserTeamsInput, []Team]("GET /organization/list-user-teams", core.CachedSession)
	ListTeamMembers  = core.NewRoute[ListTeamMembersInput, []TeamMember]("GET /organization/list-team-members", core.CachedSession)
	AddTeamMember    = core.NewRoute[TeamMemberInput, TeamMember]("POST /organization/add-team-member", core.CachedSession)
	RemoveTeamMember = core.NewRoute[TeamMemberInput, Message]("POST /organization/remove-team-member", core.CachedSession)
)

// CreateTeamInput is the input of CreateTeam. Other members set the app's own fields.
type CreateTeamInput struct {
	Name           string       `json:"name" input:"max=256"`
	OrganizationID *string      `json:"organizationId"`
	Fields         core.Members `json:",rest" input:"loose"`
}

// UpdateTeamInput is the input of UpdateTeam.
type UpdateTeamInput struct {
	TeamID string         `json:"teamId"`
	Data   UpdateTeamData `json:"data"`
}

// UpdateTeamData is what changes. The organization is the one that the team must be in:
// a team stays where it is.
type UpdateTeamData struct {
	Name           *string      `json:"name" input:"nonempty,max=256"`
	OrganizationID *string      `json:"organizationId"`
	Fields         core.Members `json:",rest" input:"loose"`
}

// MarshalJSON writes what a request would hold: for calls from Go.
func (d UpdateTeamData) MarshalJSON() ([]byte, error) {
	all := d.Fields
	if d.Name != nil {
		all = append(all, text("name", *d.Name))
	}
	if d.OrganizationID != nil {
		all = append(all, text("organizationId", *d.OrganizationID))
	}
	return Record{all}.MarshalJSON()
}

// RemoveTeamInput is the input of RemoveTeam.
type RemoveTeamInput struct {
	TeamID         string  `json:"teamId"`
	OrganizationID *string `json:"organizationId"`
}

// SetActiveTeamInput is the input of SetActiveTeam: null for none.
type SetActiveTeamInput struct {
	TeamID core.Opt[string] `json:"teamId"`
}

// ListUserTeamsInput is the input of ListUserTeams.
type ListUserTeamsInput struct {
	UserID         *string `query:"userId"`
	OrganizationID *string `query:"organizationId"`
}

// ListTeamMembersInput is the input of ListTeamMembers.
type ListTeamMembersInput struct {
	TeamID *string `query:"teamId"`
}

// TeamMemberInput is the input of AddTeamMember and RemoveTeamMember.
type TeamMemberInput struct {
	TeamID         string  `json:"teamId"`
	UserID         string  `json:"userId" input:"coerce"`
	OrganizationID *string `json:"organizationId"`
}

// Message is an answer that says what was done.
type Message struct {
	Message string `json:"message"`
}

// counted is a team with the number of its members, as the full organization has it.
type counted struct{ Team }

// MarshalJSON writes the team.
func (t counted) MarshalJSON() ([]byte, error) {
	return core.EncodeRow(&t.Team, number("memberCount", t.MemberCount))
}

func (p *Plugin) teamEndpoints() []core.Endpoint {
	return []core.Endpoint{CreateTeam.Handle(p.createTeam), UpdateTeam.Handle(p.updateTeam), RemoveTeam.Handle(p.removeTeam),
		ListTeams.Handle(p.listTeams), SetActiveTeam.Handle(p.setActiveTeam), ListUserTeams.Handle(p.listUserTeams),
		ListTeamMembers.Handle(p.listTeamMembers), AddTeamMember.Handle(p.addTeamMember), RemoveTeamMember.Handle(p.removeTeamMember)}
}

package main

import (
	"encoding/json"

	"github.com/sallyport-auth/sallyport/plugins/organization"
	"github.com/sallyport-auth/sallyport/plugins/organization/access"
)

// organizationJSON are Better Auth's options of the plugin organization.
type organizationJSON struct {
	AllowUserToCreateOrganization        *bool                          `json:"allowUserToCreateOrganization"`
	OrganizationLimit                    int                            `json:"organizationLimit"`
	CreatorRole                          string                         `json:"creatorRole"`
	MembershipLimit                      int                            `json:"membershipLimit"`
	InvitationLimit                      int                            `json:"invitationLimit"`
	InvitationExpiresIn                  int                            `json:"invitationExpiresIn"`
	CancelPendingInvitationsOnReInvite   bool                           `json:"cancelPendingInvitationsOnReInvite"`
	RequireEmailVerificationOnInvitation bool                           `json:"requireEmailVerificationOnInvitation"`
	DisableOrganizationDeletion          bool                           `json:"disableOrganizationDeletion"`
	SendInvitationEmail                  *bool                          `json:"sendInvitationEmail"`
	DynamicAccessControl                 json.RawMessage                `json:"dynamicAccessControl"`
	Statements                           map[string][]string            `json:"statements"`
	Roles                                map[string]map[string][]string `json:"roles"`
	Schema                               map[string]struct {
		AdditionalFields extra `json:"additionalFields"`
	} `json:"schema"`
}

// organization are the plugin's options. Better Auth does not ask for a verified address
// while ids of invitations cannot be guessed; given roles take the place of all defaults.
func (o *options) organization() organization.Options {
	in := &o.Organization
	out := organization.Options{AllowUserToCreateOrganization: in.AllowUserToCreateOrganization, OrganizationLimit: in.OrganizationLimit,
		CreatorRole: in.CreatorRole, MembershipLimit: in.MembershipLimit, InvitationLimit: in.InvitationLimit,
		InvitationExpiresIn: in.InvitationExpiresIn, CancelPendingInvitationsOnReInvite: in.CancelPendingInvitationsOnReInvite,
		RequireEmailVerificationOnInvitation: &in.RequireEmailVerificationOnInvitation,
		DisableOrganizationDeletion:          in.DisableOrganizationDeletion, SendInvitationEmail: in.SendInvitationEmail,
		Statements: in.Statements, Roles: in.Roles}
	if in.Roles != nil {
		for name := range access.DefaultRoles() {
			if _, given := in.Roles[name]; !given {
				in.Roles[name] = nil
			}
		}
	}
	var dynamic struct {
		MaximumRolesPerOrganization int `json:"maximumRolesPerOrganization"`
	}
	out.DynamicAccessControl.Enabled = enabled(in.DynamicAccessControl, &dynamic)
	out.DynamicAccessControl.MaximumRolesPerOrganization = dynamic.MaximumRolesPerOrganization
	var teams struct {
		MaximumTeams          int  `json:"maximumTeams"`
		MaximumMembersPerTeam int  `json:"maximumMembersPerTeam"`
		AllowRemovingAllTeams bool `json:"allowRemovingAllTeams"`
		DefaultTeam           struct {
			Enabled *bool `json:"enabled"`
		} `json:"defaultTeam"`
	}
	out.Teams.Enabled = enabled(o.Teams, &teams)
	out.Teams.MaximumTeams, out.Teams.MaximumMembersPerTeam = teams.MaximumTeams, teams.MaximumMembersPerTeam
	out.Teams.AllowRemovingAllTeams, out.Teams.DefaultTeam.Enabled = teams.AllowRemovingAllTeams, teams.DefaultTeam.Enabled
	for table, to := range map[string]*organization.TableOptions{"organization": &out.Schema.Organization, "member": &out.Schema.Member,
		"invitation": &out.Schema.Invitation, "team": &out.Schema.Team, "organizationRole": &out.Schema.OrganizationRole} {
		to.AdditionalFields = in.Schema[table].AdditionalFields
	}
	return out
}

package organization

import (
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// everything switches all on.
func everything() Options {
	return Options{Teams: TeamOptions{Enabled: true}, DynamicAccessControl: DynamicOptions{Enabled: true},
		Statements: map[string][]string{"invoice": {"read", "pay"}},
		Roles:      map[string]map[string][]string{"owner": ownerWith("invoice", "read", "pay"), "clerk": {"invoice": {"read"}}}}
}

// journey goes through every endpoint as people would.
func journey(h *plugintest.Harness) {
	ada, bob, eve := h.SignUp("ada@example.com"), h.SignUp("bob@example.com"), h.SignUp("eve@example.com")
	ada.Post("/organization/check-slug", m{"slug": "acme"}).Want(200)
	id := ada.Post("/organization/create", m{"name": "Acme", "slug": "acme", "metadata": m{"plan": "free"}}).Want(200).Text("id")
	ada.Post("/organization/update", m{"organizationId": id, "data": m{"name": "Acme Inc", "logo": "https://acme.example/logo.png"}}).Want(200)
	ada.Post("/organization/set-active", m{"organizationId": id}).Want(200)
	ada.Get("/organization/list").Want(200)
	ada.Get("/organization/get-organization").Want(200)

	invite := func(email string) string {
		return ada.Post("/organization/invite-member", m{"email": email, "role": "admin"}).Want(200).Text("id")
	}
	i := invite(bob.Email)
	bob.Get("/organization/get-invitation?id=" + i).Want(200)
	bob.Get("/organization/list-user-invitations").Want(200)
	ada.Get("/organization/list-invitations").Want(200)
	bobs := bob.Post("/organization/accept-invitation", m{"invitationId": i}).Want(200).Text("member.id")
	eve.Post("/organization/reject-invitation", m{"invitationId": invite(eve.Email)}).Want(200)
	ada.Post("/organization/cancel-invitation", m{"invitationId": invite(eve.Email)}).Want(200)
	ada.Post("/organization/invite-member", m{"email": "someone@example.com", "role": "member"}).Want(200)
	ada.Post("/organization/invite-member", m{"email": "someone@example.com", "role": "member", "resend": true}).Want(200)

	ada.Get("/organization/list-members").Want(200)
	ada.Get("/organization/get-full-organization").Want(200)
	bob.Get("/organization/get-active-member").Want(200)
	bob.Get("/organization/get-active-member-role").Want(200)
	bob.Post("/organization/has-permission", m{"permissions": m{"member": []string{"create"}}}).Want(200)

	team := ada.Post("/organization/create-team", m{"name": "Sales"}).Want(200).Text("id")
	ada.Post("/organization/update-team", m{"teamId": team, "data": m{"name": "Support"}}).Want(200)
	ada.Get("/organization/list-teams").Want(200)
	ada.Post("/organization/add-team-member", m{"teamId": team, "userId": bob.UserID}).Want(200)
	bob.Post("/organization/set-active-team", m{"teamId": team}).Want(200)
	bob.Get("/organization/list-team-members").Want(200)
	bob.Get("/organization/list-user-teams").Want(200)
	ada.Post("/organization/remove-team-member", m{"teamId": team, "userId": bob.UserID}).Want(200)
	ada.Post("/organization/remove-team", m{"teamId": team}).Want(200)

	role := ada.Post("/organization/create-role", m{"role": "cashier", "permission": m{"invoice": []string{"pay"}}}).Want(200).Text("roleData.id")
	ada.Get("/organization/list-roles").Want(200)
	ada.Get("/organization/get-role?roleName=cashier").Want(200)
	ada.Post("/organization/update-role", m{"roleId": role, "data": m{"roleName": "payer"}}).Want(200)
	ada.Post("/organization/delete-role", m{"roleId": role}).Want(200)

	ada.Post("/organization/update-member-role", m{"memberId": bobs, "role": []string{"owner", "clerk"}}).Want(200)
	bob.Post("/organization/leave", m{"organizationId": id}).Want(200)
	join(ada, eve, id, "member")
	ada.Post("/organization/remove-member", m{"memberIdOrEmail": eve.Email}).Want(200)
	join(ada, bob, id, "owner")
	gone := org(bob, "gone")
	bob.Post("/organization/delete", m{"organizationId": gone}).Want(200)
}

func TestRules(t *testing.T) {
	plugintest.Check(t, func() core.Plugin { return New(everything()) }, plugintest.Options{Rules: plugintest.Rules{
		Journey: journey,
		Public:  []string{"/organization/list-user-invitations"},
		// Whoever creates first has the slug; Mallory would take it before Ada does.
		Shared: []string{"/organization/create"},
		Points: []plugintest.Point{plugintest.Watch(orghook.OrganizationCreate), plugintest.Watch(orghook.OrganizationUpdate),
			plugintest.Watch(orghook.OrganizationDelete), plugintest.Watch(orghook.MemberAdd), plugintest.Watch(orghook.MemberRemove),
			plugintest.Watch(orghook.MemberUpdate), plugintest.Watch(orghook.InvitationCreate), plugintest.Watch(orghook.InvitationAccept),
			plugintest.Watch(orghook.InvitationReject), plugintest.Watch(orghook.InvitationCancel), plugintest.Watch(orghook.TeamCreate),
			plugintest.Watch(orghook.TeamUpdate), plugintest.Watch(orghook.TeamDelete), plugintest.Watch(orghook.TeamMemberAdd),
			plugintest.Watch(orghook.TeamMemberRemove), plugintest.Watch(orghook.RoleCreate), plugintest.Watch(orghook.RoleUpdate),
			plugintest.Watch(orghook.RoleDelete)},
	}})
}

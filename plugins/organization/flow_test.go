package organization

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// TestInvitationMail: what the message says, and that a name cannot say more than a name.
func TestInvitationMail(t *testing.T) {
	w := newWorld(t, Options{InvitationURL: "/join?from=mail"})
	ada := w.SignUp("ada@example.com", func(u *core.User) { u.Name = "Ada\nBcc: all" })
	id := ada.Post("/organization/create", m{"name": "Acme " + strings.Repeat("x", 200), "slug": "acme"}).Want(200).Text("id")
	inv := invitation(ada, "Bob@Example.com", id, m{"role": []string{"member", "admin"}})
	msg := w.Mail("bob@example.com", "invitation")
	if want := plugintest.BaseURL + "/join?from=mail&invitationId=" + inv; msg.URL != want {
		t.Errorf("URL %q, want %q", msg.URL, want)
	}
	for k, want := range map[string]string{"id": inv, "role": "member,admin", "organizationId": id, "inviter": "ada@example.com",
		"inviterName": "Ada Bcc: all", "expiresIn": "2 days", "organization": "Acme " + strings.Repeat("x", maxLine-5) + "..."} {
		if msg.Data[k] != want {
			t.Errorf("%s is %q, want %q", k, msg.Data[k], want)
		}
	}
	no := false
	quiet := newWorld(t, Options{SendInvitationEmail: &no})
	ada = quiet.SignUp("ada@example.com")
	invitation(ada, "bob@example.com", org(ada, "acme"), nil)
	if quiet.RunJobs(); len(quiet.Outbox.All()) != 0 {
		t.Error("a message was sent")
	}
}

// TestInvitationRules: whose an invitation is, how long it lasts, and what inviting again
// does.
func TestInvitationRules(t *testing.T) {
	w := newWorld(t, Options{InvitationExpiresIn: 3600})
	ada, bob, eve := w.SignUp("ada@example.com"), w.SignUp("bob@example.com"), w.SignUp("eve@example.com")
	id := org(ada, "acme")
	inv := invitation(ada, bob.Email, id, nil)
	again := m{"email": bob.Email, "role": "admin", "organizationId": id}
	ada.Post("/organization/invite-member", again).WantCode(400, "USER_IS_ALREADY_INVITED_TO_THIS_ORGANIZATION")
	w.Clock.Advance(50 * time.Minute)
	again["resend"] = true
	if a := ada.Post("/organization/invite-member", again).Want(200); a.Text("id") != inv || a.Text("role") != "member" {
		t.Errorf("sending again made another invitation: %s", a.Body)
	}
	w.Clock.Advance(50 * time.Minute)
	bob.Get("/organization/get-invitation?id=" + inv).Want(200)
	for _, path := range []string{"accept", "reject"} {
		eve.Post("/organization/"+path+"-invitation", m{"invitationId": inv}).WantCode(403, "YOU_ARE_NOT_THE_RECIPIENT_OF_THE_INVITATION")
	}
	w.Clock.Advance(20 * time.Minute)
	bob.Post("/organization/accept-invitation", m{"invitationId": inv}).WantCode(400, "INVITATION_NOT_FOUND")
	bob.Get("/organization/get-invitation?id="+inv).WantCode(400, "INVITATION_NOT_FOUND")

	// An expired one is not in the way of another, and no rejection is taken back.
	second := invitation(ada, bob.Email, id, nil)
	bob.Post("/organization/reject-invitation", m{"invitationId": second}).Want(200)
	bob.Post("/organization/accept-invitation", m{"invitationId": second}).WantCode(400, "INVITATION_NOT_FOUND")
	ada.Post("/organization/cancel-invitation", m{"invitationId": second}).WantCode(400, "INVITATION_NOT_FOUND")

	// Who moves to another address takes no invitation along.
	third := invitation(ada, bob.Email, id, nil)
	w.exec("UPDATE {user=} SET {user:email} = 'robert@example.com' WHERE {user.id} = ?", bob.UserID)
	bob.Post("/organization/accept-invitation", m{"invitationId": third}).WantCode(403, "YOU_ARE_NOT_THE_RECIPIENT_OF_THE_INVITATION")

	// A member is not invited.
	ada.Post("/organization/invite-member", m{"email": ada.Email, "role": "member", "organizationId": id}).
		WantCode(400, "USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION")
}

func TestReinvite(t *testing.T) {
	w := newWorld(t, Options{CancelPendingInvitationsOnReInvite: true})
	ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
	id := org(ada, "acme")
	first, second := invitation(ada, bob.Email, id, nil), invitation(ada, bob.Email, id, nil)
	bob.Post("/organization/accept-invitation", m{"invitationId": first}).WantCode(400, "INVITATION_NOT_FOUND")
	bob.Post("/organization/accept-invitation", m{"invitationId": second}).Want(200)
}

// TestVerifiedAddress: an account that was made with somebody else's address has none of
// their invitations (CVE-2026-53514).
func TestVerifiedAddress(t *testing.T) {
	unproven := func(u *core.User) { u.EmailVerified = false }
	w := newWorld(t, Options{})
	ada, mallory := w.SignUp("ada@example.com"), w.SignUp("victim@example.com", unproven)
	id := org(ada, "acme")
	inv := invitation(ada, mallory.Email, id, nil)
	const both = "EMAIL_VERIFICATION_REQUIRED_BEFORE_ACCEPTING_OR_REJECTING_INVITATION"
	mallory.Post("/organization/accept-invitation", m{"invitationId": inv}).WantCode(403, both)
	mallory.Post("/organization/reject-invitation", m{"invitationId": inv}).WantCode(403, both)
	mallory.Get("/organization/get-invitation?id="+inv).WantCode(403, "EMAIL_VERIFICATION_REQUIRED_FOR_INVITATION")
	mallory.Get("/organization/list-user-invitations").WantCode(403, "EMAIL_VERIFICATION_REQUIRED_FOR_INVITATION")

	no := false
	lax := newWorld(t, Options{RequireEmailVerificationOnInvitation: &no})
	ada, bob := lax.SignUp("ada@example.com"), lax.SignUp("bob@example.com", unproven)
	join(ada, bob, org(ada, "acme"), "member")
	bob.Get("/organization/list-user-invitations").WantCode(403, "EMAIL_VERIFICATION_REQUIRED_FOR_INVITATION")
}

// TestGrants: nobody gives what they do not hold, by whichever way.
func TestGrants(t *testing.T) {
	w := newWorld(t, Options{DynamicAccessControl: DynamicOptions{Enabled: true}, Statements: map[string][]string{"invoice": {"read", "pay"}},
		Roles: map[string]map[string][]string{"owner": ownerWith("invoice", "read", "pay"), "clerk": {"invoice": {"read"}},
			"hr": {"member": {"update"}, "invitation": {"create", "cancel"}, "ac": {"create", "read", "update"}}}})
	ada, hr, bob := w.SignUp("ada@example.com"), w.SignUp("hr@example.com"), w.SignUp("bob@example.com")
	id := org(ada, "acme")
	join(ada, hr, id, "hr")
	bobs := join(ada, bob, id, "member")
	ada.Post("/organization/create-role", m{"role": "payer", "permission": m{"invoice": []string{"pay"}}, "organizationId": id}).Want(200)
	hr.Post("/organization/set-active", m{"organizationId": id}).Want(200)
	for _, role := range []string{"owner", "admin", "clerk", "payer", "hr,clerk"} {
		hr.Post("/organization/update-member-role", m{"memberId": bobs, "role": role}).WantCode(403, "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_MEMBER")
		hr.Post("/organization/invite-member", m{"email": "x@example.com", "role": role}).WantCode(403, "YOU_ARE_NOT_ALLOWED_TO_INVITE_USER_WITH_THIS_ROLE")
	}
	hr.Post("/organization/update-member-role", m{"memberId": bobs, "role": " hr , member "}).Want(200)
	if got := w.rolesOf(id)[bob.UserID]; got != "hr,member" {
		t.Errorf("the roles are stored as %q", got)
	}
	a := hr.Post("/organization/create-role", m{"role": "x", "permission": m{"invoice": []string{"read"}, "member": []string{"update", "delete"}}}).
		WantCode(403, "YOU_ARE_NOT_ALLOWED_TO_CREATE_A_ROLE")
	if got := fmt.Sprint(a.Get("missingPermissions")); got != "[invoice:read member:delete]" {
		t.Errorf("missing: %s", got)
	}
	hr.Post("/organization/create-role", m{"role": "mine", "permission": m{"member": []string{"update"}}}).Want(200)
	hr.Post("/organization/update-role", m{"roleName": "mine", "data": m{"permission": m{"invoice": []string{"pay"}}}}).
		WantCode(403, "YOU_ARE_NOT_ALLOWED_TO_UPDATE_A_ROLE")
	hr.Post("/organization/create-role", m{"role": "y", "permission": m{"planet": []string{"destroy"}}}).WantCode(400, "INVALID_RESOURCE")
	ada.Post("/organization/create-role", m{"role": "y", "permission": m{"invoice": []string{"forge"}}}).WantCode(403, "YOU_ARE_NOT_ALLOWED_TO_CREATE_A_ROLE")
	for _, name := range []string{"Owner", "MEMBER", "mine"} {
		hr.Post("/organization/create-role", m{"role": name, "permission": m{}}).WantCode(400, "ROLE_NAME_IS_ALREADY_TAKEN")
	}
	for _, name := range []string{"", "a,b", " owner", strings.Repeat("x", 101)} {
		hr.Post("/organization/create-role", m{"role": name, "permission": m{}}).WantCode(400, "VALIDATION_ERROR")
	}
	// Sending an invitation again is giving its role again.
	invitation(ada, "y@example.com", id, m{"role": "admin"})
	hr.Post("/organization/invite-member", m{"email": "y@example.com", "role": "member", "resend": true}).
		WantCode(403, "YOU_ARE_NOT_ALLOWED_TO_INVITE_USER_WITH_THIS_ROLE")
}

// TestOwnRoles: what a role of the organization's own grants begins and ends with the row,
// in that organization alone.
func TestOwnRoles(t *testing.T) {
	w := newWorld(t, everything())
	ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
	one, two := org(ada, "one"), org(ada, "two")
	may := func(organization string, want bool) {
		t.Helper()
		got := bob.Post("/organization/has-permission", m{"organizationId": organization, "permissions": m{"invoice": []string{"pay"}}}).Want(200).Get("success")
		if got != want {
			t.Errorf("%s: %v, want %v", organization, got, want)
		}
	}
	ada.Post("/organization/create-role", m{"organizationId": one, "role": "Payer", "permission": m{"invoice": []string{"pay"}}}).Want(200)
	join(ada, bob, one, "payer")
	ada.Post("/organization/invite-member", m{"organizationId": two, "email": bob.Email, "role": "payer"}).WantCode(400, "ROLE_NOT_FOUND")
	join(ada, bob, two, "member")
	w.exec("UPDATE {member=} SET {member:role} = 'payer' WHERE {member.userId} = ? AND {member.organizationId} = ?", bob.UserID, two)
	may(one, true)
	may(two, false)
	ada.Post("/organization/delete-role", m{"organizationId": one, "roleName": "payer"}).WantCode(400, "ROLE_IS_ASSIGNED_TO_MEMBERS")
	ada.Post("/organization/delete-role", m{"organizationId": one, "roleName": "owner"}).WantCode(400, "CANNOT_DELETE_A_PRE_DEFINED_ROLE")
	ada.Post("/organization/update-role", m{"organizationId": one, "roleName": "payer", "data": m{"permission": m{"invoice": []string{"read"}}}}).Want(200)
	may(one, false)

	// A row that nobody can read grants nothing, and breaks nothing.
	w.exec("UPDATE {organizationRole=} SET {organizationRole:permission} = ? WHERE {organizationRole.organizationId} = ?", "{broken", one)
	may(one, false)
	if !strings.Contains(w.Logs.String(), "grants nothing") {
		t.Error("it is not logged")
	}
	if got := ada.Get("/organization/list-roles?organizationId=" + one).Want(200).Get("0.permission"); got != nil {
		t.Errorf("it is shown as %v", got)
	}
}

// TestMembershipIsRead: neither session nor cookie cache keep a right that was taken away.
func TestMembershipIsRead(t *testing.T) {
	w := newWorld(t, everything(), func(o *plugintest.Options) {
		o.Config = func(c *core.Config) { c.Session.CookieCache.Enabled = true }
	})
	ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
	id := org(ada, "acme")
	bobs := join(ada, bob, id, "admin")
	bob.Post("/organization/set-active", m{"organizationId": id}).Want(200)
	bob.Get("/get-session").Want(200)
	bob.Post("/organization/update", m{"data": m{"name": "Bobs"}}).Want(200)
	ada.Post("/organization/update-member-role", m{"organizationId": id, "memberId": bobs, "role": "member"}).Want(200)
	bob.Post("/organization/update", m{"data": m{"name": "Bobs"}}).WantCode(403, "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_ORGANIZATION")
	ada.Post("/organization/remove-member", m{"organizationId": id, "memberIdOrEmail": bobs}).Want(200)
	bob.Get("/organization/get-full-organization").WantCode(403, "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION")
	for _, r := range w.Rows("session") {
		if r["userId"] == bob.UserID && r["activeOrganizationId"] != "" {
			t.Error("the organization is still active")
		}
	}

	// A session that was revoked changes nothing, although the cache vouches for it.
	id = org(bob, "bobs")
	bob.Get("/get-session?disableCookieCache=true").Want(200)
	w.exec("DELETE FROM {session=} WHERE {session.userId} = ?", bob.UserID)
	for path, body := range map[string]m{"delete": {"organizationId": id}, "create": {"name": "x", "slug": "x"}, "set-active": {"organizationId": id},
		"invite-member": {"organizationId": id, "email": "x@example.com", "role": "member"}} {
		bob.Copy().Post("/organization/"+path, body).Want(401)
	}
	if w.Count("organization") != 2 || w.Count("invitation") != 1 {
		t.Errorf("%d organizations, %d invitations", w.Count("organization"), w.Count("invitation"))
	}
}

// TestActive: which organization and team a session works with.
func TestActive(t *testing.T) {
	w := newWorld(t, Options{Teams: TeamOptions{Enabled: true}})
	ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
	session := func(c *plugintest.Client, name string) any {
		return c.Get("/get-session").Want(200).Get("session." + name)
	}
	one := org(ada, "one")
	team := session(ada, "activeTeamId")
	if session(ada, "activeOrganizationId") != one || team == nil {
		t.Errorf("after creation: %v, %v", session(ada, "activeOrganizationId"), team)
	}
	two := ada.Post("/organization/create", m{"name": "two", "slug": "two", "keepCurrentActiveOrganization": true}).Want(200).Text("id")
	if session(ada, "activeOrganizationId") != one {
		t.Error("the active organization was not kept")
	}
	if got := ada.Post("/organization/set-active", m{"organizationSlug": "two"}).Want(200).Text("id"); got != two {
		t.Errorf("by slug: %s", got)
	}
	ada.Post("/organization/set-active", m{"organizationId": nil}).Want(200)
	if session(ada, "activeOrganizationId") != nil {
		t.Error("none is not none")
	}
	ada.Post("/organization/set-active", m{"organizationSlug": "three"}).WantCode(400, "ORGANIZATION_NOT_FOUND")

	// One team of the invitation becomes the active one.
	teams := ada.Get("/organization/list-teams?organizationId=" + one).Want(200)
	inv := invitation(ada, bob.Email, one, m{"teamId": teams.Text("0.id")})
	bob.Post("/organization/accept-invitation", m{"invitationId": inv}).Want(200)
	if session(bob, "activeTeamId") != team || session(bob, "activeOrganizationId") != one {
		t.Errorf("after accepting: %v", session(bob, "activeTeamId"))
	}
	bob.Post("/organization/leave", m{"organizationId": one}).Want(200)
	if session(bob, "activeOrganizationId") != nil {
		t.Error("an organization that was left is active")
	}
	if n := w.Count("teamMember"); n != 2 {
		t.Errorf("%d members of teams", n)
	}
	if c := w.Rows("team")[0]["memberCount"]; c != "1" {
		t.Errorf("memberCount is %s", c)
	}
}

// TestTeams: what is of teams alone.
func TestTeams(t *testing.T) {
	w := newWorld(t, Options{Teams: TeamOptions{Enabled: true, MaximumMembersPerTeam: 1}})
	ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
	id := org(ada, "acme")
	first := ada.Get("/organization/list-teams").Want(200).Text("0.id")
	ada.Post("/organization/set-active-team", m{"teamId": nil}).Want(200)
	ada.Post("/organization/remove-team", m{"teamId": first}).WantCode(400, "UNABLE_TO_REMOVE_LAST_TEAM")
	second := ada.Post("/organization/create-team", m{"name": "Second"}).Want(200).Text("id")
	third := ada.Post("/organization/create-team", m{"name": "Third"}).Want(200).Text("id")

	ada.Post("/organization/invite-member", m{"email": bob.Email, "role": "member", "teamId": first}).WantCode(403, "TEAM_MEMBER_LIMIT_REACHED")
	ada.Post("/organization/invite-member", m{"email": bob.Email, "role": "member", "teamId": second + "," + third}).WantCode(400, "INVALID_TEAM_ID")
	inv := invitation(ada, bob.Email, id, m{"teamId": []string{second, third}})
	ada.Post("/organization/add-team-member", m{"teamId": second, "userId": ada.UserID}).Want(200)
	// The seat went in between: nothing of the acceptance stays.
	bob.Post("/organization/accept-invitation", m{"invitationId": inv}).WantCode(403, "TEAM_MEMBER_LIMIT_REACHED")
	if len(w.rolesOf(id)) != 1 || w.Rows("invitation")[0]["status"] != "pending" {
		t.Errorf("%v %v", w.rolesOf(id), w.Rows("invitation"))
	}
	ada.Post("/organization/remove-team", m{"teamId": second}).Want(200)
	bob.Post("/organization/accept-invitation", m{"invitationId": inv}).Want(200)
	if got := bob.Get("/organization/list-user-teams").Want(200); got.Text("0.id") != third || got.Get("1") != nil {
		t.Errorf("%s", got.Body)
	}
	ada.Post("/organization/add-team-member", m{"teamId": first, "userId": bob.UserID}).WantCode(403, "TEAM_MEMBER_LIMIT_REACHED")
	ada.Post("/organization/remove-team-member", m{"teamId": first, "userId": bob.UserID}).WantCode(400, "USER_IS_NOT_A_MEMBER_OF_THE_TEAM")
	if key := w.Rows("teamMember")[0]["membershipKey"]; len(key) != 43 {
		t.Errorf("the key is %q", key)
	}
}

// TestDeletedUser: nobody is left without an owner, nothing is left of a user.
func TestDeletedUser(t *testing.T) {
	w := newWorld(t, everything())
	ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
	alone, shared := org(ada, "alone"), org(ada, "shared")
	join(ada, bob, shared, "member")
	invitation(ada, "x@example.com", shared, nil)
	drop := func(c *plugintest.Client) error {
		u, err := w.Host.UserByID(t.Context(), w.Host.DB(), c.UserID)
		if err != nil {
			t.Fatal(err)
		}
		return w.Host.DeleteUser(t.Context(), nil, nil, u)
	}
	if err := drop(ada); core.AsError(err) == nil || core.AsError(err).Code != ErrOnlyOwner.Code {
		t.Errorf("the only owner: %v", err)
	}
	if w.Count("organization") != 2 || w.Count("user") != 2 {
		t.Error("a refused deletion has left a trace")
	}
	raw, err := w.Host.Export(t.Context(), ada.UserID)
	if err != nil || !strings.Contains(fmt.Sprintf("%+v", raw[ID]), shared) {
		t.Errorf("%+v, %v", raw[ID], err)
	}
	for _, r := range w.Rows("member") {
		if r["userId"] == bob.UserID {
			ada.Post("/organization/update-member-role", m{"organizationId": shared, "memberId": r["id"], "role": "owner"}).Want(200)
		}
	}
	if err := drop(ada); err != nil {
		t.Fatal(err)
	}
	if rows := w.Rows("organization"); len(rows) != 1 || rows[0]["id"] != shared {
		t.Errorf("%v; %s was hers alone", rows, alone)
	}
	if w.owners(shared) != 1 || w.Count("invitation") != 0 { // they were hers
		t.Errorf("%v, %v", w.rolesOf(shared), w.Rows("invitation"))
	}
}

package organization

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// A name that nobody's role has any more may still stand in somebody's row. A role that
// is renamed to it is handed out to them, like a new one.
func TestARenamedRoleHandsOutNoMoreThanOneHolds(t *testing.T) {
	o := everything()
	w := newWorld(t, o)
	ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
	id := org(ada, "acme")
	for name, permission := range map[string]m{"desk": {"team": []string{"create"}}, "deleter": {"organization": []string{"delete"}}} {
		ada.Post("/organization/create-role", m{"role": name, "permission": permission}).Want(200)
	}
	join(ada, bob, id, "admin", "desk")
	rename := func(from, to string) *plugintest.Answer {
		return bob.Post("/organization/update-role", m{"roleName": from, "data": m{"roleName": to}, "organizationId": id})
	}
	rename("desk", "counter").Want(200)
	a := rename("deleter", "desk").WantCode(403, "YOU_ARE_NOT_ALLOWED_TO_UPDATE_A_ROLE")
	if !strings.Contains(string(a.Body), `"missingPermissions":["organization:delete"]`) {
		t.Errorf("the answer does not say what is missing: %s", a.Body)
	}
	bob.Post("/organization/delete", m{"organizationId": id}).WantCode(403, "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_ORGANIZATION")
	ada.Post("/organization/update-role", m{"roleName": "deleter", "data": m{"roleName": "closer"}, "organizationId": id}).Want(200)
}

// What every permission check reads must not be as large as a request can be.
func TestRolesStaySmall(t *testing.T) {
	w := newWorld(t, everything())
	ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
	id := org(ada, "acme")
	many := strings.Repeat("member,", 51)
	ada.Post("/organization/invite-member", m{"email": "x@example.com", "role": many, "organizationId": id}).WantCode(400, "VALIDATION_ERROR")
	member := join(ada, bob, id, "member")
	ada.Post("/organization/update-member-role", m{"memberId": member, "role": []string{many, "member"}, "organizationId": id}).WantCode(400, "VALIDATION_ERROR")
	ada.Post("/organization/update-member-role", m{"memberId": member, "role": strings.Repeat("member,", 50), "organizationId": id}).Want(200)
	actions := slices.Repeat([]string{"create"}, 500)
	ada.Post("/organization/create-role", m{"role": "big", "permission": m{"team": actions}, "organizationId": id}).Want(200)
	ada.Post("/organization/update-role", m{"roleName": "big", "data": m{"permission": m{"member": actions, "team": []string{}}}, "organizationId": id}).Want(200)
	for _, r := range w.Rows("organizationRole") {
		if r["permission"] != `{"member":["create"],"team":[]}` {
			t.Errorf("stored: %.100s", r["permission"])
		}
	}
}

// A list of organizations holds at most a hundred, and none of them a megabyte.
func TestOrganizationsStaySmall(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.SignUp("ada@example.com")
	large := strings.Repeat("x", 1<<16)
	for _, more := range []m{{"metadata": m{"a": large}}, {"logo": large + "x"}} {
		body := m{"name": "a", "slug": "a"}
		for k, v := range more {
			body[k] = v
		}
		ada.Post("/organization/create", body).WantCode(400, "VALIDATION_ERROR")
	}
	id := org(ada, "acme")
	ada.Post("/organization/update", m{"organizationId": id, "data": m{"metadata": m{"a": large}}}).WantCode(400, "VALIDATION_ERROR")
	ada.Post("/organization/update", m{"organizationId": id, "data": m{"logo": large, "metadata": m{"a": large[:1<<16-8]}}}).Want(200)
	for i := range maxList {
		org(ada, fmt.Sprint("org", i))
	}
	var listed []Organization
	ada.Get("/organization/list").Want(200).Into(&listed)
	if n := len(listed); n != maxList {
		t.Errorf("%d organizations in the list", n)
	}
}

// Two tenants: with every id of the other, an owner changes and sees nothing there.
func TestTheOtherTenantsIDsOpenNothing(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, everything(), engine)
		ada, bob, eve := w.SignUp("ada@example.com"), w.SignUp("bob@example.com"), w.SignUp("eve@example.com")
		theirs, mine := org(ada, "theirs"), org(eve, "mine")
		bobs := join(ada, bob, theirs, "admin")
		team := ada.Post("/organization/create-team", m{"name": "Secret", "organizationId": theirs}).Want(200).Text("id")
		role := ada.Post("/organization/create-role", m{"role": "hidden", "permission": m{"team": []string{"create"}}, "organizationId": theirs}).Want(200).Text("roleData.id")
		open := invitation(ada, "zoe@example.com", theirs, nil)
		before := state(w)
		for _, id := range []string{mine, theirs} {
			for path, body := range map[string]m{
				"update-member-role": {"memberId": bobs, "role": "member"}, "remove-member": {"memberIdOrEmail": bobs},
				"update-team": {"teamId": team, "data": m{"name": "x", "organizationId": id}}, "remove-team": {"teamId": team},
				"add-team-member": {"teamId": team, "userId": eve.UserID}, "remove-team-member": {"teamId": team, "userId": bob.UserID},
				"update-role": {"roleId": role, "data": m{"permission": m{}}}, "delete-role": {"roleId": role},
				"invite-member":     {"email": "yan@example.com", "role": "hidden", "teamId": team},
				"cancel-invitation": {"invitationId": open}, "accept-invitation": {"invitationId": open}, "reject-invitation": {"invitationId": open},
				"set-active-team": {"teamId": team},
			} {
				body["organizationId"] = id
				if a := eve.Post("/organization/"+path, body); a.Status < 400 || a.Status > 403 {
					t.Errorf("%s in %s: %d %s", path, id, a.Status, a.Body)
				}
			}
			for _, path := range []string{"get-role?roleId=" + role, "list-team-members?teamId=" + team, "list-user-teams?userId=" + bob.UserID,
				"get-active-member-role?userId=" + bob.UserID, "get-invitation?id=" + open} {
				a := eve.Get("/organization/" + path + "&organizationId=" + id)
				if a.Status < 400 || a.Status > 403 || strings.Contains(string(a.Body), "Secret") {
					t.Errorf("%s in %s: %d %s", path, id, a.Status, a.Body)
				}
			}
		}
		if after := state(w); after != before {
			t.Errorf("changed:\n%s\n%s", before, after)
		}
	})
}

// state is what the plugin has stored, without sessions.
func state(w *world) string {
	var all []string
	for _, table := range []string{"organization", "member", "invitation", "team", "teamMember", "organizationRole"} {
		for _, r := range w.Rows(table) {
			all = append(all, fmt.Sprint(table, r))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// A member who is demoted or removed while they act has either acted before, or may not.
func TestPowerEndsWithTheRole(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, everything(), engine)
		ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
		id := org(ada, "acme")
		join(ada, bob, id, "admin")
		var wg sync.WaitGroup
		statuses := make([]int, 10)
		for i := range statuses {
			wg.Go(func() {
				statuses[i] = bob.Copy().Post("/organization/invite-member", m{"email": fmt.Sprintf("mole%d@example.com", i), "role": "admin", "organizationId": id}).Status
			})
		}
		wg.Go(func() {
			ada.Post("/organization/remove-member", m{"memberIdOrEmail": bob.Email, "organizationId": id}).Want(200)
		})
		wg.Wait()
		sent := 0
		for _, s := range statuses {
			if s == 200 {
				sent++
			} else if s != 400 {
				t.Errorf("status %d", s)
			}
		}
		n := 0
		for _, r := range w.Rows("invitation") {
			if strings.HasPrefix(r["email"], "mole") {
				n++
			}
		}
		if n != sent {
			t.Errorf("%d invitations are stored, %d were answered with success", n, sent)
		}
		bob.Post("/organization/invite-member", m{"email": "late@example.com", "role": "admin", "organizationId": id}).WantCode(400, "MEMBER_NOT_FOUND")
	})
}

// TestInvitationFlood: an invitation is a mail to whomever the caller names, and each time
// again where it is sent again.
func TestInvitationFlood(t *testing.T) {
	w := newWorld(t, Options{}, func(o *plugintest.Options) {
		o.Config = func(c *core.Config) { on := true; c.RateLimit.Enabled = &on }
	})
	ada := w.SignUp("ada@example.com")
	id := org(ada, "acme")
	for range 20 {
		invitation(ada, "stranger@example.com", id, m{"resend": true})
	}
	ada.Post("/organization/invite-member", m{"email": "stranger@example.com", "role": "member", "organizationId": id, "resend": true}).
		WantCode(429, "TOO_MANY_REQUESTS")
}

// A slug goes into URLs, headers and logs of apps.
func TestSlugsHoldNoLineEnds(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.SignUp("ada@example.com")
	id := org(ada, "acme")
	for _, slug := range []string{"a\r\nSet-Cookie: x=1", "a\tb", "a\x7f", "a\u0085b"} {
		ada.Post("/organization/create", m{"name": "a", "slug": slug}).WantCode(400, "VALIDATION_ERROR")
		ada.Post("/organization/update", m{"organizationId": id, "data": m{"slug": slug}}).WantCode(400, "VALIDATION_ERROR")
	}
	ada.Post("/organization/update", m{"organizationId": id, "data": m{"slug": "a b/ä"}}).Want(200)
}

package organization

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

const parallel = 20

// sent is one request of a race.
type sent struct {
	by   *plugintest.Client
	path string
	body m
}

// race sends requests at the same moment and counts the answers by status and code.
func race(t *testing.T, list []sent) map[string]int {
	t.Helper()
	var wg sync.WaitGroup
	answers := make([]*plugintest.Answer, len(list))
	start := make(chan struct{})
	for i, r := range list {
		wg.Go(func() {
			<-start
			answers[i] = r.by.Post("/organization/"+r.path, r.body)
		})
	}
	close(start)
	wg.Wait()
	count := map[string]int{}
	for _, a := range answers {
		if a.Status >= 500 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
		key := fmt.Sprint(a.Status)
		if a.Status >= 400 {
			key += " " + a.Code()
		}
		count[key]++
	}
	return count
}

// crowd signs up many users.
func (w *world) crowd(n int) (out []*plugintest.Client) {
	for i := range n {
		out = append(out, w.SignUp(fmt.Sprintf("user%d@example.com", i)))
	}
	return out
}

func want(t *testing.T, what string, got map[string]int, all ...any) {
	t.Helper()
	expected := map[string]int{}
	for i := 0; i < len(all); i += 2 {
		expected[all[i].(string)] = all[i+1].(int)
	}
	if fmt.Sprint(got) != fmt.Sprint(expected) {
		t.Errorf("%s: %v, want %v", what, got, expected)
	}
}

// TestLastOwner: whatever two owners do at the same moment, one is left.
func TestLastOwner(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
		for i := range 5 {
			id := org(ada, fmt.Sprintf("demote%d", i))
			adas, bobs := "", join(ada, bob, id, "owner")
			for _, r := range w.Rows("member") {
				if r["organizationId"] == id && r["userId"] == ada.UserID {
					adas = r["id"]
				}
			}
			set := func(by *plugintest.Client, who, role string) sent {
				return sent{by, "update-member-role", m{"organizationId": id, "memberId": who, "role": role}}
			}
			for what, list := range map[string][]sent{
				"each demotes the other":   {set(ada, bobs, "member"), set(bob, adas, "member")},
				"each demotes themselves":  {set(ada, adas, "admin"), set(bob, bobs, "admin")},
				"each demotes, each other": {set(ada, bobs, "admin"), set(ada, adas, "admin"), set(bob, adas, "admin"), set(bob, bobs, "admin")},
			} {
				got := race(t, list)
				if n := w.owners(id); n != 1 || len(list) == 2 && got["200"] != 1 {
					t.Errorf("%s: %d owners: %v", what, n, got)
				}
				w.exec("UPDATE {member=} SET {member:role} = 'owner' WHERE {member.organizationId} = ?", id)
			}
			got := race(t, []sent{{ada, "leave", m{"organizationId": id}}, {bob, "leave", m{"organizationId": id}},
				{ada, "remove-member", m{"organizationId": id, "memberIdOrEmail": bobs}}, {bob, "remove-member", m{"organizationId": id, "memberIdOrEmail": adas}}})
			if n := w.owners(id); n != 1 || got["200"] != 1 {
				t.Errorf("leaving and removing: %d owners: %v", n, got)
			}
		}
	})
}

// TestDeletedOwners: two owners whose accounts are deleted at the same moment.
func TestDeletedOwners(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		ada, bob, eve := w.SignUp("ada@example.com"), w.SignUp("bob@example.com"), w.SignUp("eve@example.com")
		id := org(ada, "acme")
		join(ada, bob, id, "owner")
		join(ada, eve, id, "member")
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, c := range []*plugintest.Client{ada, bob} {
			u, err := w.Host.UserByID(t.Context(), w.Host.DB(), c.UserID)
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() { errs[i] = w.Host.DeleteUser(t.Context(), nil, nil, u) })
		}
		wg.Wait()
		refused := 0
		for _, err := range errs {
			if err != nil {
				if e := core.AsError(err); e == nil || e.Code != ErrOnlyOwner.Code {
					t.Error(err)
				}
				refused++
			}
		}
		if n := w.owners(id); n != 1 || refused != 1 {
			t.Errorf("%d owners, %d deletions refused", n, refused)
		}
	})
}

// TestAcceptRaces: one invitation makes one member, and accepting is over when it is
// rejected or cancelled.
func TestAcceptRaces(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		ada := w.SignUp("ada@example.com")
		for i := range 3 {
			bob := w.SignUp(fmt.Sprintf("bob%d@example.com", i))
			id := org(ada, fmt.Sprintf("acme%d", i))
			inv := invitation(ada, bob.Email, id, nil)
			var list []sent
			for range parallel {
				list = append(list, sent{bob.Copy(), "accept-invitation", m{"invitationId": inv}})
			}
			want(t, "accepting", race(t, list), "200", 1, "400 INVITATION_NOT_FOUND", parallel-1)
			if n := len(w.rolesOf(id)); n != 2 {
				t.Errorf("%d members", n)
			}
			want(t, "afterwards", race(t, list[:1]), "400 INVITATION_NOT_FOUND", 1)

			eve := w.SignUp(fmt.Sprintf("eve%d@example.com", i))
			inv = invitation(ada, eve.Email, id, nil)
			list = nil
			for k := range parallel {
				by, path := eve.Copy(), []string{"accept-invitation", "reject-invitation", "cancel-invitation"}[k%3]
				if k%3 == 2 {
					by = ada.Copy()
				}
				list = append(list, sent{by, path, m{"invitationId": inv}})
			}
			got := race(t, list)
			if got["200"] != 1 {
				t.Errorf("accepting, rejecting and cancelling: %v", got)
			}
			status, in := "", len(w.rolesOf(id)) == 3
			for _, r := range w.Rows("invitation") {
				if r["id"] == inv {
					status = r["status"]
				}
			}
			if (status == "accepted") != in {
				t.Errorf("the invitation is %s, and membership is %v", status, in)
			}
		}
	})
}

// TestTwoInvitations: somebody who is invited twice becomes a member once.
func TestTwoInvitations(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
		id := org(ada, "acme")
		var list []sent
		for range parallel {
			inv := invitation(ada, bob.Email, id, nil)
			w.exec("UPDATE {invitation=} SET {invitation:status} = 'held'")
			list = append(list, sent{bob.Copy(), "accept-invitation", m{"invitationId": inv}})
		}
		w.exec("UPDATE {invitation=} SET {invitation:status} = 'pending'")
		want(t, "accepting all", race(t, list), "200", 1, "400 USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION", parallel-1)
		if n := len(w.rolesOf(id)); n != 2 {
			t.Errorf("%d members", n)
		}
	})
}

// TestLimitRaces: limits hold for parallel requests, whoever sends them.
func TestLimitRaces(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		o := Options{MembershipLimit: 5, InvitationLimit: parallel, OrganizationLimit: 3, Teams: TeamOptions{Enabled: true, MaximumTeams: 4, MaximumMembersPerTeam: 3},
			DynamicAccessControl: DynamicOptions{Enabled: true, MaximumRolesPerOrganization: 2}}
		w := newWorld(t, o, engine)
		ada, users := w.SignUp("ada@example.com"), w.crowd(parallel)
		id := org(ada, "acme")
		var list []sent
		for _, u := range users {
			list = append(list, sent{u, "accept-invitation", m{"invitationId": invitation(ada, u.Email, id, nil)}})
		}
		want(t, "members", race(t, list), "200", 4, "403 ORGANIZATION_MEMBERSHIP_LIMIT_REACHED", parallel-4)
		if n := len(w.rolesOf(id)); n != 5 {
			t.Errorf("%d members, the limit is 5", n)
		}
		repeat := func(path string, body func(i int) m) (list []sent) {
			for i := range parallel {
				list = append(list, sent{ada.Copy(), path, body(i)})
			}
			return list
		}
		w.exec("UPDATE {invitation=} SET {invitation:status} = 'canceled'")
		want(t, "invitations", race(t, append(repeat("invite-member", func(i int) m {
			return m{"email": fmt.Sprintf("x%d@example.com", i), "role": "member", "organizationId": id}
		}), repeat("invite-member", func(i int) m {
			return m{"email": fmt.Sprintf("y%d@example.com", i), "role": "member", "organizationId": id}
		})...)), "200", parallel, "403 INVITATION_LIMIT_REACHED", parallel)
		want(t, "teams", race(t, repeat("create-team", func(i int) m { return m{"name": fmt.Sprint(i), "organizationId": id} })),
			"200", 3, "400 YOU_HAVE_REACHED_THE_MAXIMUM_NUMBER_OF_TEAMS", parallel-3)
		want(t, "roles", race(t, repeat("create-role", func(i int) m {
			return m{"role": fmt.Sprintf("r%d", i), "permission": m{"ac": []string{"read"}}, "organizationId": id}
		})), "200", 2, "400 TOO_MANY_ROLES", parallel-2)
		want(t, "organizations", race(t, repeat("create", func(i int) m { return m{"name": "x", "slug": fmt.Sprintf("slug%d", i)} })),
			"200", 2, "403 YOU_HAVE_REACHED_THE_MAXIMUM_NUMBER_OF_ORGANIZATIONS", parallel-2)

		team := ada.Get("/organization/list-teams?organizationId=" + id).Want(200).Text("0.id")
		list = nil
		for user := range w.rolesOf(id) {
			list = append(list, sent{ada.Copy(), "add-team-member", m{"teamId": team, "userId": user, "organizationId": id}})
		}
		got := race(t, list)
		n := len(slices.DeleteFunc(w.Rows("teamMember"), func(r plugintest.Row) bool { return r["teamId"] != team }))
		if n != 3 || got["200"] != 3 { // its creator is in it already, and hears so
			t.Errorf("team members: %d, the limit is 3: %v", n, got)
		}
		i := slices.IndexFunc(w.Rows("team"), func(r plugintest.Row) bool { return r["id"] == team })
		if c := w.Rows("team")[i]["memberCount"]; c != "3" {
			t.Errorf("memberCount is %s", c)
		}
	})
}

// TestSlugRace: of many organizations with one slug one is made; the others hear what a
// single request would have heard.
func TestSlugRace(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		var list []sent
		for _, u := range w.crowd(parallel) {
			list = append(list, sent{u, "create", m{"name": "Acme", "slug": "acme"}})
		}
		want(t, "creating", race(t, list), "200", 1, "400 ORGANIZATION_ALREADY_EXISTS", parallel-1)
		if w.Count("organization") != 1 || w.Count("member") != 1 {
			t.Errorf("%d organizations, %d members", w.Count("organization"), w.Count("member"))
		}
		list = nil
		for i, u := range []string{"a", "b", "c", "d"} {
			c := w.SignUp(u + "@example.com")
			list = append(list, sent{c, "update", m{"organizationId": org(c, fmt.Sprint("own", i)), "data": m{"slug": "wanted"}}})
		}
		want(t, "renaming", race(t, list), "200", 1, "400 ORGANIZATION_SLUG_ALREADY_TAKEN", 3)
	})
}

// TestDeletionRaces: nothing comes into an organization that is being deleted.
func TestDeletionRaces(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, everything(), engine)
		ada, users := w.SignUp("ada@example.com"), w.crowd(5)
		for i := range 3 {
			id := org(ada, fmt.Sprint("acme", i))
			list := []sent{{ada, "delete", m{"organizationId": id}}, {ada.Copy(), "create-team", m{"name": "x", "organizationId": id}},
				{ada.Copy(), "create-role", m{"role": "x", "permission": m{}, "organizationId": id}},
				{ada.Copy(), "invite-member", m{"email": "x@example.com", "role": "member", "organizationId": id}}}
			for _, u := range users {
				list = append(list, sent{u, "accept-invitation", m{"invitationId": invitation(ada, u.Email, id, nil)}})
			}
			race(t, list)
			for _, table := range []string{"organization", "member", "invitation", "team", "teamMember", "organizationRole"} {
				if n := w.Count(table); n != 0 {
					t.Errorf("%d rows of %s are left", n, table)
				}
			}
		}
	})
}

// TestDeletedFounders: who makes an organization while they are deleted leaves none that is
// nobody's, and neither waits for the other.
func TestDeletedFounders(t *testing.T) {
	for _, e := range []plugintest.Engine{plugintest.Postgres, plugintest.SQLite} {
		w := newWorld(t, Options{}, func(o *plugintest.Options) { o.Database = e })
		for round := range 15 {
			email := fmt.Sprintf("founder%d@example.com", round)
			c := w.SignUp(email)
			u, err := w.Host.UserByEmail(t.Context(), w.Host.DB(), email)
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := w.Host.DeleteUser(t.Context(), nil, nil, u); err != nil {
					t.Errorf("%s, round %d: the deletion: %v", e, round, err)
				}
			})
			wg.Go(func() {
				if a := c.Post("/organization/create", m{"name": email, "slug": email}); a.Status != 200 && a.Status != 401 {
					t.Errorf("%s, round %d: making one: %d %s", e, round, a.Status, a.Body)
				}
			})
			wg.Wait()
		}
		if n, members := w.Count("organization"), w.Count("member"); n != 0 || members != 0 {
			t.Errorf("%s: %d organizations and %d members are left", e, n, members)
		}
	}
}

package organization

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/plugintest"
)

var update = flag.Bool("update", false, "write the golden files")

// cast is who is in the play: an organization with an owner, an admin and a member, one of
// somebody else's, and two who are in none.
type cast struct {
	*world
	owner, admin, member, stranger, foreign, nobody *plugintest.Client

	id, other, team, teamOfOther, role, roleOfOther string
	memberID, adminID, foreignID, invitation        string
	guest                                           *plugintest.Client // whom the invitation is for
}

func newCast(t *testing.T) *cast {
	w := newWorld(t, everything())
	c := &cast{world: w, owner: w.SignUp("owner@example.com"), admin: w.SignUp("admin@example.com"), member: w.SignUp("member@example.com"),
		stranger: w.SignUp("stranger@example.com"), foreign: w.SignUp("foreign@example.com"), nobody: w.Client(), guest: w.SignUp("guest@example.com")}
	c.id, c.other = org(c.owner, "acme"), org(c.foreign, "other")
	c.adminID, c.memberID = join(c.owner, c.admin, c.id, "admin"), join(c.owner, c.member, c.id, "member")
	second := func(by *plugintest.Client, id string) string {
		return by.Post("/organization/create-team", m{"name": "Second", "organizationId": id}).Want(200).Text("id")
	}
	c.team, c.teamOfOther = second(c.owner, c.id), second(c.foreign, c.other)
	clerk := func(by *plugintest.Client, id string) string {
		return by.Post("/organization/create-role", m{"role": "payer", "permission": m{"invoice": []string{"pay"}}, "organizationId": id}).Want(200).Text("roleData.id")
	}
	c.role, c.roleOfOther = clerk(c.owner, c.id), clerk(c.foreign, c.other)
	c.invitation = invitation(c.owner, c.guest.Email, c.id, nil)
	for _, u := range []*plugintest.Client{c.owner, c.admin, c.member} {
		c.owner.Post("/organization/add-team-member", m{"teamId": c.team, "userId": u.UserID, "organizationId": c.id}).Want(200)
		u.Post("/organization/set-active", m{"organizationId": c.id}).Want(200)
	}
	c.owner.Post("/organization/set-active-team", m{"teamId": nil}).Want(200)
	for _, r := range w.Rows("member") {
		if r["userId"] == c.foreign.UserID {
			c.foreignID = r["id"]
		}
	}
	return c
}

// acts is every endpoint, each as somebody might call it with good and with foreign ids.
// A GET has no body.
func (c *cast) acts() []plugintest.Request {
	post := func(path string, body m) plugintest.Request {
		return plugintest.Request{Method: "POST", Path: "/organization/" + path, Body: body}
	}
	get := func(path string) plugintest.Request {
		return plugintest.Request{Method: "GET", Path: "/organization/" + path}
	}
	here := func(body m) m { body["organizationId"] = c.id; return body }
	return []plugintest.Request{
		post("create", m{"name": "New", "slug": "new"}),
		post("update", here(m{"data": m{"name": "Renamed"}})),
		post("delete", here(m{})),
		post("set-active", here(m{})),
		post("check-slug", m{"slug": "free"}),
		post("has-permission", here(m{"permissions": m{"member": []string{"create"}}})),
		get("list"),
		get("get-organization?organizationId=" + c.id),
		get("get-full-organization?organizationId=" + c.id),
		get("list-members?organizationId=" + c.id),
		get("get-active-member"),
		get("get-active-member-role?organizationId=" + c.id + "&userId=" + c.member.UserID),
		post("remove-member", here(m{"memberIdOrEmail": c.memberID})),
		post("remove-member", here(m{"memberIdOrEmail": c.owner.Email})),
		post("remove-member", here(m{"memberIdOrEmail": c.foreignID})),
		post("update-member-role", here(m{"memberId": c.memberID, "role": "admin"})),
		post("update-member-role", here(m{"memberId": c.memberID, "role": "owner"})),
		post("update-member-role", here(m{"memberId": c.memberID, "role": "clerk"})),
		post("update-member-role", here(m{"memberId": c.foreignID, "role": "member"})),
		post("leave", here(m{})),
		post("invite-member", here(m{"email": "new@example.com", "role": "member"})),
		post("invite-member", here(m{"email": "new@example.com", "role": "owner"})),
		post("invite-member", here(m{"email": "new@example.com", "role": "member", "teamId": c.teamOfOther})),
		post("accept-invitation", m{"invitationId": c.invitation}),
		post("reject-invitation", m{"invitationId": c.invitation}),
		post("cancel-invitation", m{"invitationId": c.invitation}),
		get("get-invitation?id=" + c.invitation),
		get("list-invitations?organizationId=" + c.id),
		get("list-user-invitations"),
		post("create-team", here(m{"name": "Third"})),
		post("update-team", m{"teamId": c.team, "data": here(m{"name": "Renamed"})}),
		post("update-team", m{"teamId": c.teamOfOther, "data": here(m{"name": "Renamed"})}),
		post("remove-team", here(m{"teamId": c.team})),
		post("remove-team", here(m{"teamId": c.teamOfOther})),
		get("list-teams?organizationId=" + c.id),
		post("set-active-team", m{"teamId": c.team}),
		get("list-user-teams?organizationId=" + c.id + "&userId=" + c.member.UserID),
		get("list-team-members?teamId=" + c.team),
		post("add-team-member", here(m{"teamId": c.team, "userId": c.admin.UserID})),
		post("add-team-member", here(m{"teamId": c.teamOfOther, "userId": c.admin.UserID})),
		post("remove-team-member", here(m{"teamId": c.team, "userId": c.member.UserID})),
		post("create-role", here(m{"role": "reader", "permission": m{"ac": []string{"read"}}})),
		post("create-role", here(m{"role": "reader", "permission": m{"invoice": []string{"read"}}})),
		post("update-role", here(m{"roleId": c.role, "data": m{"roleName": "cashier"}})),
		post("update-role", here(m{"roleId": c.roleOfOther, "data": m{"roleName": "cashier"}})),
		post("delete-role", here(m{"roleId": c.role})),
		post("delete-role", here(m{"roleId": c.roleOfOther})),
		get("list-roles?organizationId=" + c.id),
		get("get-role?organizationId=" + c.id + "&roleName=payer"),
	}
}

// TestMatrix sends every request as everybody, each in a world of its own, and compares
// the answers with a table that is to be read: testdata/matrix.txt.
func TestMatrix(t *testing.T) {
	names := []string{"owner", "admin", "member", "stranger", "other org", "no session"}
	var b bytes.Buffer
	fmt.Fprintf(&b, "What each endpoint answers to whom; the codes of refusals are below.\n\n%-76s", "request")
	for _, n := range names {
		fmt.Fprintf(&b, " %10s", n)
	}
	b.WriteByte('\n')
	codes := &bytes.Buffer{}
	c := newCast(t)
	for _, r := range c.Auth.Routes() {
		if r.Plugin == ID && !slices.ContainsFunc(c.acts(), func(a plugintest.Request) bool {
			path, _, _ := strings.Cut(a.Path, "?")
			return strings.HasSuffix(r.Path, path)
		}) {
			t.Errorf("%s is not in the matrix", r.Path)
		}
	}
	for i := range c.acts() {
		var line string
		for k, n := range names {
			if c == nil {
				c = newCast(t)
			}
			r := c.acts()[i]
			line = c.readable(r)
			who := []*plugintest.Client{c.owner, c.admin, c.member, c.stranger, c.foreign, c.nobody}[k]
			before := c.Rows("organization")
			a := who.Do(r)
			if k == 0 {
				fmt.Fprintf(&b, "%-76s", line)
			}
			fmt.Fprintf(&b, " %10d", a.Status)
			if a.Status >= 400 {
				fmt.Fprintf(codes, "%-76s %-10s %d %s\n", line, n, a.Status, a.Code())
			}
			if k > 2 && len(c.Rows("organization")) < len(before) {
				t.Errorf("%s by %s: an organization has gone", line, n)
			}
			if a.Status < 400 && r.Method == "POST" {
				c = nil // something has changed
			}
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.Write(codes.Bytes())
	golden(t, "testdata/matrix.txt", b.Bytes())
}

// readable is a request with names in the place of ids.
func (c *cast) readable(r plugintest.Request) string {
	text := strings.TrimPrefix(r.Path, "/organization/")
	if r.Body != nil {
		raw, err := json.Marshal(r.Body)
		if err != nil {
			c.T.Fatal(err)
		}
		text += " " + strings.ReplaceAll(string(raw), `"`, "")
	}
	for id, name := range map[string]string{c.id: "ACME", c.other: "OTHER", c.team: "TEAM", c.teamOfOther: "TEAM OF OTHER", c.role: "ROLE",
		c.roleOfOther: "ROLE OF OTHER", c.memberID: "MEMBER", c.adminID: "ADMIN", c.foreignID: "MEMBER OF OTHER", c.invitation: "INVITATION",
		c.member.UserID: "USER member", c.admin.UserID: "USER admin"} {
		text = strings.ReplaceAll(text, id, name)
	}
	return strings.NewReplacer("organizationId:ACME,", "", ",organizationId:ACME", "", "{organizationId:ACME}", "", "?organizationId=ACME&", "?", "?organizationId=ACME", "").Replace(text)
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale: run go test ./plugins/organization -update, and read what has changed\n%s", file, difference(string(want), string(got)))
	}
}

// difference lists the lines that are in one text alone.
func difference(want, got string) string {
	var b strings.Builder
	have := func(text, line string) bool { return strings.Contains("\n"+text+"\n", "\n"+line+"\n") }
	for line := range strings.Lines(want) {
		if line = strings.TrimSuffix(line, "\n"); !have(got, line) {
			fmt.Fprintf(&b, "- %s\n", line)
		}
	}
	for line := range strings.Lines(got) {
		if line = strings.TrimSuffix(line, "\n"); !have(want, line) {
			fmt.Fprintf(&b, "+ %s\n", line)
		}
	}
	return b.String()
}

package organization

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// roster makes an organization with members of several roles, a minute apart.
func (w *world) roster() (*plugintest.Client, string) {
	ada := w.SignUp("ada@example.com")
	id := org(ada, "acme")
	for i, roles := range [][]string{{"member"}, {"admin"}, {"member", "admin"}, {"member"}} {
		w.Clock.Advance(time.Minute)
		join(ada, w.SignUp(fmt.Sprintf("u%d@example.com", i)), id, roles...)
	}
	return ada, id
}

// TestListMembers: filter, order, pages, and what is wrong with them.
func TestListMembers(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		level := core.Extra{Name: "level", Type: "number", Default: 1}
		secret := core.Extra{Name: "secret", Type: "string", Returned: new(bool)}
		w := newWorld(t, Options{Schema: SchemaOptions{Member: TableOptions{AdditionalFields: []core.Extra{level, secret}}}}, engine)
		ada, id := w.roster()
		w.exec("UPDATE {member=} SET {member:level} = 5, {member:secret} = 'hush' WHERE {member.role} = 'admin'")
		minutes := w.Clock.Now().Add(-90 * time.Second).Format(time.RFC3339Nano)
		for _, tt := range []struct {
			query string
			want  string // addresses without the domain
			total int
		}{
			{"", "ada u0 u1 u2 u3", 5},
			{"limit=2", "ada u0", 5},
			{"limit=2&offset=3", "u2 u3", 5},
			{"limit=0", "ada u0 u1 u2 u3", 5},
			{"limit=many", "ada u0 u1 u2 u3", 5},
			{"sortBy=createdAt&sortDirection=desc&limit=2", "u3 u2", 5},
			{"sortBy=role&limit=2", "u1", 5},
			{"filterField=role&filterValue=member", "u0 u3", 2},
			{"filterField=role&filterOperator=ne&filterValue=member", "ada u1 u2", 3},
			{"filterField=role&filterOperator=contains&filterValue=admin", "u1 u2", 2},
			{"filterField=role&filterOperator=contains&filterValue=%25", "", 0},
			{"filterField=role&filterOperator=starts_with&filterValue=adm", "u1", 1},
			{"filterField=role&filterOperator=ends_with&filterValue=min", "u1 u2", 2},
			{"filterField=role&filterOperator=in&filterValue=owner&filterValue=admin", "ada u1", 2},
			{"filterField=role&filterOperator=in&filterValue=owner", "ada", 1},
			{"filterField=role&filterOperator=not_in&filterValue=owner&filterValue=member&limit=1", "u1", 2},
			{"filterField=createdAt&filterOperator=gt&filterValue=" + url.QueryEscape(minutes), "u2 u3", 2},
			{"filterField=level&filterOperator=gte&filterValue=5", "u1", 1},
			{"filterField=role", "", 0},
		} {
			a := ada.Get("/organization/list-members?organizationId=" + id + "&" + tt.query).Want(200)
			var out struct {
				Members []struct{ User Person }
				Total   int
			}
			a.Into(&out)
			var who []string
			for _, m := range out.Members {
				name, _, _ := strings.Cut(m.User.Email, "@")
				who = append(who, name)
			}
			got := strings.Join(who, " ")
			if tt.query == "sortBy=role&limit=2" {
				got = got[:2] // the second depends on how a database orders a comma
			}
			if got != tt.want || out.Total != tt.total {
				t.Errorf("%s: %q of %d, want %q of %d", tt.query, got, out.Total, tt.want, tt.total)
			}
			if strings.Contains(string(a.Body), "hush") {
				t.Errorf("%s: a hidden field is shown", tt.query)
			}
		}
		for _, query := range []string{"limit=-1", "offset=-1", "limit=1&limit=2", "offset=99999999999", "sortBy=nope", "sortBy=secret", "sortDirection=up",
			"filterField=nope&filterValue=x", "filterField=secret&filterOperator=starts_with&filterValue=h", "filterField=createdAt&filterValue=yesterday",
			"filterField=level&filterValue=high", "filterField=level&filterOperator=contains&filterValue=1", "filterField=role&filterOperator=like&filterValue=x",
			"filterField=role&filterValue=a&filterValue=b", "filterField=role&filterOperator=in&filterValue=" + strings.Repeat("x&filterValue=", 100)} {
			ada.Get("/organization/list-members?organizationId="+id+"&"+query).WantCode(400, "VALIDATION_ERROR")
		}
		if n := ada.Get("/organization/get-full-organization?membersLimit=2").Want(200).Get("members.2"); n != nil {
			t.Error("the full organization has more members than asked for")
		}
	})
}

// TestFields: fields of the app's on every table, given by clients, defaults, or hidden.
func TestFields(t *testing.T) {
	no := false
	fields := func(extra ...core.Extra) TableOptions {
		return TableOptions{AdditionalFields: append([]core.Extra{{Name: "color", Type: "string", Required: true},
			{Name: "level", Type: "number", Default: 7}, {Name: "internal", Type: "string", Input: &no, Default: "set"},
			{Name: "hidden", Type: "boolean", Returned: &no}, {Name: "tags", Type: "string[]"}}, extra...)}
	}
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		o := everything()
		o.Schema = SchemaOptions{Organization: fields(), Member: TableOptions{AdditionalFields: []core.Extra{{Name: "title", Type: "string", Default: "none"}}},
			Invitation: fields(), Team: fields(), OrganizationRole: fields()}
		w := newWorld(t, o, engine)
		ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
		given := func(more m) m {
			out := m{"color": "red", "hidden": true, "tags": []string{"a"}, "internal": "mine", "nonsense": 1}
			for k, v := range more {
				out[k] = v
			}
			return out
		}
		check := func(what string, got any, want string) {
			t.Helper()
			row, ok := got.(map[string]any)
			if !ok {
				t.Errorf("%s: %v", what, got)
				return
			}
			text, err := json.Marshal(m{"color": row["color"], "level": row["level"], "internal": row["internal"], "tags": row["tags"]})
			if _, shown := row["hidden"]; shown || err != nil || string(text) != want {
				t.Errorf("%s: %s, want %s: %v", what, text, want, row)
			}
			if _, there := row["nonsense"]; there {
				t.Errorf("%s: a field that nobody declared", what)
			}
		}
		const fresh = `{"color":"red","internal":"set","level":7,"tags":["a"]}`
		const changed = `{"color":"blue","internal":"set","level":8,"tags":["a"]}`
		change := m{"color": "blue", "level": 8, "internal": "mine"}
		a := ada.Post("/organization/create", given(m{"name": "Acme", "slug": "acme"})).Want(200)
		id := a.Text("id")
		check("create", whole(a), fresh)
		if got := a.Text("members.0.title"); got != "none" {
			t.Errorf("a member's default: %q", got)
		}
		check("update", whole(ada.Post("/organization/update", m{"data": change}).Want(200)), changed)
		check("list", ada.Get("/organization/list").Want(200).Get("0"), changed)
		check("full", whole(ada.Get("/organization/get-full-organization").Want(200)), changed)
		check("invite", whole(ada.Post("/organization/invite-member", given(m{"email": bob.Email, "role": "member"})).Want(200)), fresh)
		check("list-invitations", ada.Get("/organization/list-invitations").Want(200).Get("0"), fresh)
		a = ada.Post("/organization/create-team", given(m{"name": "Team"})).Want(200)
		check("create-team", whole(a), fresh)
		check("update-team", whole(ada.Post("/organization/update-team", m{"teamId": a.Text("id"), "data": change}).Want(200)), changed)
		check("create-role", ada.Post("/organization/create-role", m{"role": "x", "permission": m{}, "additionalFields": given(nil)}).Want(200).Get("roleData"), fresh)
		check("update-role", ada.Post("/organization/update-role", m{"roleName": "x", "data": change}).Want(200).Get("roleData"), changed)
		check("get-role", whole(ada.Get("/organization/get-role?roleName=x").Want(200)), changed)

		for path, tt := range map[string]struct {
			body m
			want string
		}{
			"create":        {m{"name": "x", "slug": "x"}, "[body.color] Invalid input: expected string, received undefined"},
			"update":        {m{"data": m{"color": nil, "level": "x"}, "organizationId": id}, "[body.data.color] Invalid input: expected string, received null; [body.data.level] Invalid input: expected number, received string"},
			"invite-member": {given(m{"email": "x@example.com", "role": "member", "tags": []any{1}}), "[body.tags] Invalid input: expected string[], received array"},
			"create-team":   {m{"name": "x"}, "[body.color] Invalid input: expected string, received undefined"},
			"create-role":   {m{"role": "y", "permission": m{}, "additionalFields": m{}}, "[body.additionalFields.color] Invalid input: expected string, received undefined"},
		} {
			if got := ada.Post("/organization/"+path, tt.body).WantCode(400, "VALIDATION_ERROR").Text("message"); got != tt.want {
				t.Errorf("%s: %s, want %s", path, got, tt.want)
			}
		}
	})
}

func whole(a *plugintest.Answer) any {
	var out map[string]any
	a.Into(&out)
	return out
}

// TestBadOptions: what is wrong with the options keeps the server from starting.
func TestBadOptions(t *testing.T) {
	_, err := plugintest.Start(t, plugintest.Options{Plugins: []core.Plugin{New(Options{CreatorRole: "boss", MembershipLimit: -1, InvitationExpiresIn: 1 << 30,
		InvitationURL: "nowhere", Statements: map[string][]string{"empty": nil},
		Roles:  map[string]map[string][]string{"a,b": {}, "typo": {"member": {"kill"}, "planet": {"destroy"}}},
		Schema: SchemaOptions{Team: TableOptions{AdditionalFields: []core.Extra{{Name: "bad name", Type: "string"}, {Name: "x", Type: "blob"}}}}})}})
	if err == nil {
		t.Fatal("it starts")
	}
	for _, want := range []string{`creatorRole: "boss"`, "membershipLimit: -1", "invitationExpiresIn", `invitationURL: "nowhere"`, `"empty"`, `roles: "a,b"`,
		"roles: typo: unknown resources or actions: member:kill, planet", `"bad name"`, `"blob"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %s:\n%v", want, err)
		}
	}
	_, err = plugintest.Start(t, plugintest.Options{Plugins: []core.Plugin{New(Options{Schema: SchemaOptions{
		Organization: TableOptions{AdditionalFields: []core.Extra{{Name: "slug", Type: "string"}}}}})}})
	if err == nil || !strings.Contains(err.Error(), "declared twice") {
		t.Errorf("a field with the name of a column: %v", err)
	}
}

// A database that was taken over may hold ids as uuid, which LIKE does not know.
func TestListMembersByPartsOfAnID(t *testing.T) {
	w := newWorld(t, Options{}, func(o *plugintest.Options) {
		o.Database, o.Config = plugintest.Postgres, func(c *core.Config) { c.IDs = "uuid" }
	})
	ada, id := w.roster()
	w.exec(`ALTER TABLE "member" ALTER COLUMN "id" TYPE uuid USING "id"::uuid`)
	member := w.Rows("member")[0]["id"]
	for op, value := range map[string]string{"contains": member[3:20], "starts_with": member[:20], "ends_with": member[20:], "eq": member} {
		a := ada.Get("/organization/list-members?organizationId=" + id + "&filterField=id&filterOperator=" + op + "&filterValue=" + value).Want(200)
		if a.Text("members.0.id") != member || a.Get("total") != float64(1) {
			t.Errorf("%s: %s", op, a.Body)
		}
	}
}

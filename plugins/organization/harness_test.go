package organization

import (
	"context"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/organization/access"
	"github.com/sallyport-auth/sallyport/plugintest"
)

type m = plugintest.M

// world is an Auth with this plugin.
type world struct {
	*plugintest.Harness
	p *Plugin
}

func newWorld(t testing.TB, o Options, change ...func(*plugintest.Options)) *world {
	t.Helper()
	w := &world{p: New(o)}
	po := plugintest.Options{Plugins: []core.Plugin{w.p}}
	for _, f := range change {
		f(&po)
	}
	w.Harness = plugintest.New(t, po)
	return w
}

// org makes an organization and returns its id.
func org(c *plugintest.Client, slug string) string {
	return c.Post("/organization/create", m{"name": slug, "slug": slug}).Want(200).Text("id")
}

// join invites somebody and has them accept. It returns the id of their membership.
func join(by, who *plugintest.Client, id string, roles ...string) string {
	i := by.Post("/organization/invite-member", m{"email": who.Email, "role": roles, "organizationId": id}).Want(200).Text("id")
	return who.Post("/organization/accept-invitation", m{"invitationId": i}).Want(200).Text("member.id")
}

// invitation invites an address and returns the invitation's id.
func invitation(by *plugintest.Client, email, id string, more m) string {
	body := m{"email": email, "role": "member", "organizationId": id}
	for k, v := range more {
		body[k] = v
	}
	return by.Post("/organization/invite-member", body).Want(200).Text("id")
}

// rolesOf are the roles in an organization, by user.
func (w *world) rolesOf(organization string) map[string]string {
	w.T.Helper()
	out := map[string]string{}
	for _, r := range w.Rows("member") {
		if r["organizationId"] == organization {
			if _, twice := out[r["userId"]]; twice {
				w.T.Errorf("a user is a member twice: %v", r)
			}
			out[r["userId"]] = r["role"]
		}
	}
	return out
}

func (w *world) owners(organization string) (n int) {
	for _, role := range w.rolesOf(organization) {
		if role == "owner" {
			n++
		}
	}
	return n
}

func (w *world) exec(sql string, args ...any) {
	w.T.Helper()
	if _, err := w.Host.DB().Exec(context.Background(), sql, args...); err != nil {
		w.T.Fatal(err)
	}
}

// ownerWith are the default owner's permissions and some more.
func ownerWith(resource string, actions ...string) map[string][]string {
	all := access.DefaultRoles()["owner"]
	all[resource] = actions
	return all
}

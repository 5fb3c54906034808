package organization

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// trips counts statements.
type trips struct{ n atomic.Int64 }

func (c *trips) Begin(ctx context.Context, w contract.Work) context.Context {
	if w.Kind == contract.WorkStatement {
		c.n.Add(1)
	}
	return ctx
}
func (c *trips) End(context.Context, contract.Work, contract.Outcome) {}
func (c *trips) Event(context.Context, string)                        {}

// TestOneTrip: what apps ask costs one round trip, roles of the organization's own
// included, and so does what each request asks.
func TestOneTrip(t *testing.T) {
	c := &trips{}
	w := newWorld(t, everything(), func(o *plugintest.Options) { o.Config = func(cfg *core.Config) { cfg.Observer = c } })
	ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
	id := org(ada, "acme")
	ada.Post("/organization/create-role", m{"role": "payer", "permission": m{"invoice": []string{"pay"}}}).Want(200)
	join(ada, bob, id, "clerk", "payer")
	ctx := t.Context()
	count := func(what string, most int64, fn func()) {
		t.Helper()
		before := c.n.Load()
		fn()
		if n := c.n.Load() - before; n != most {
			t.Errorf("%s: %d statements, want %d", what, n, most)
		}
	}
	pay := contract.Permissions{"invoice": {"pay"}}
	count("Authorize", 1, func() {
		got, err := w.p.Authorize(ctx, id, bob.UserID, pay)
		if err != nil || got.OrganizationID != id || got.UserID != bob.UserID || strings.Join(got.Roles, " ") != "clerk payer" {
			t.Errorf("%+v, %v", got, err)
		}
	})
	count("Authorize, refused", 1, func() {
		if _, err := w.p.Authorize(ctx, id, bob.UserID, contract.Permissions{"invoice": {"read", "pay"}}); !errors.Is(err, ErrForbidden) {
			t.Errorf("two roles together are no role: %v", err)
		}
	})
	count("Authorize, another organization", 1, func() {
		if _, err := w.p.Authorize(ctx, "other", bob.UserID, nil); !errors.Is(err, ErrNotMember) {
			t.Error(err)
		}
	})
	count("Membership", 1, func() {
		if got, found, err := w.p.Membership(ctx, id, "nobody"); err != nil || found || got.ID != "" {
			t.Errorf("%+v, %v, %v", got, found, err)
		}
	})
	count("Memberships", 1, func() {
		if got, err := w.p.Memberships(ctx, ada.UserID); err != nil || len(got) != 1 || got[0].Roles[0] != "owner" {
			t.Errorf("%+v, %v", got, err)
		}
	})
	count("has-permission", 2, func() { // the session is one
		bob.Post("/organization/has-permission", m{"permissions": pay}).Want(200)
	})
	count("list-members", 5, func() { bob.Get("/organization/list-members").Want(200) })
}

// spaces is an app whose organizations have a kind: what the hooks must be able to say.
func spaces(service *orghook.Service) []core.Hook {
	kinds := map[any]bool{"personal": true, "club": true}
	return []core.Hook{
		core.UserCreate.After(func(ctx context.Context, e *core.UserCreateEvent) error {
			slug, _, _ := strings.Cut(e.User.Email, "@")
			if taken, err := (*service).SlugTaken(ctx, e.Tx, slug); err != nil || taken {
				slug += "-2"
			}
			_, _, err := (*service).Create(ctx, e.Tx, orghook.NewOrganization{Name: e.User.Name, Slug: slug, UserID: e.User.ID,
				Metadata: map[string]any{"type": "personal"}})
			return err
		}),
		orghook.OrganizationCreate.Before(func(_ context.Context, e *orghook.OrganizationEvent) error {
			if !kinds[e.Organization.Meta()["type"]] {
				return errKind
			}
			return nil
		}),
		orghook.OrganizationDelete.Before(func(_ context.Context, e *orghook.OrganizationEvent) error {
			if e.Organization.Meta()["type"] == "personal" {
				return errPersonal
			}
			return nil
		}),
	}
}

var (
	errKind     = core.NewError("SPACE_METADATA_INVALID", 400, "Metadata needs a type")
	errPersonal = core.NewError("SPACE_PERSONAL_UNDELETABLE", 403, "A personal space cannot be deleted")
)

// TestSpaces: an organization is made with its user, in one transaction; its metadata is
// held to a rule; one kind cannot be deleted.
func TestSpaces(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		var service orghook.Service
		w := newWorld(t, Options{}, engine, func(o *plugintest.Options) {
			o.Config = func(c *core.Config) { c.Hooks, c.Errors = spaces(&service), []*core.Error{errKind, errPersonal} }
			service = o.Plugins[0].(*Plugin)
		})
		ada, other := w.SignUp("ada@example.com"), w.SignUp("ada@example.org")
		if got := ada.Get("/organization/list").Want(200); got.Text("0.slug") != "ada" || got.Text("0.metadata") != `{"type":"personal"}` {
			t.Errorf("%s", got.Body)
		}
		if got := other.Get("/organization/list").Want(200).Text("0.slug"); got != "ada-2" {
			t.Errorf("the second has %q", got)
		}
		id := ada.Get("/organization/list").Text("0.id")
		ada.Post("/organization/delete", m{"organizationId": id}).WantCode(403, "SPACE_PERSONAL_UNDELETABLE")
		ada.Post("/organization/create", m{"name": "X", "slug": "x", "metadata": m{"type": "gang"}}).WantCode(400, "SPACE_METADATA_INVALID")
		club := ada.Post("/organization/create", m{"name": "X", "slug": "x", "metadata": m{"type": "club"}}).Want(200).Text("id")
		ada.Post("/organization/delete", m{"organizationId": club}).Want(200)

		// A sign-up that cannot have its space leaves no user.
		w.exec("UPDATE {organization=} SET {organization:slug} = 'eve' WHERE {organization.slug} = 'ada'")
		w.exec("UPDATE {organization=} SET {organization:slug} = 'eve-2' WHERE {organization.slug} = 'ada-2'")
		u, err := w.Host.NewUser("Eve", "eve@example.com", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Host.CreateUser(t.Context(), nil, nil, u, "test", ""); !errors.Is(err, ErrExists) {
			t.Errorf("a taken slug: %v", err)
		}
		if w.Count("user") != 2 || w.Count("organization") != 2 {
			t.Errorf("%d users, %d organizations", w.Count("user"), w.Count("organization"))
		}
	})
}

// TestGo: organizations and members made by Go code.
func TestGo(t *testing.T) {
	w := newWorld(t, everything())
	ada, bob := w.CreateUser("ada@example.com"), w.CreateUser("bob@example.com")
	ctx := t.Context()
	o, first, err := w.p.Create(ctx, nil, orghook.NewOrganization{Name: "Acme", Slug: "acme", UserID: ada.ID})
	if err != nil || first.Role != "owner" || o.Slug != "acme" {
		t.Fatalf("%+v, %+v, %v", o, first, err)
	}
	for _, tt := range []struct {
		what string
		n    orghook.NewMember
		err  *core.Error
	}{
		{"no role", orghook.NewMember{OrganizationID: o.ID, UserID: bob.ID}, ErrRoleNotFound},
		{"an unknown role", orghook.NewMember{OrganizationID: o.ID, UserID: bob.ID, Roles: []string{"boss"}}, ErrRoleNotFound},
		{"an unknown user", orghook.NewMember{OrganizationID: o.ID, UserID: "x", Roles: []string{"member"}}, core.ErrUserNotFound},
		{"an unknown organization", orghook.NewMember{OrganizationID: "x", UserID: bob.ID, Roles: []string{"member"}}, ErrNotFound},
		{"an unknown team", orghook.NewMember{OrganizationID: o.ID, UserID: bob.ID, Roles: []string{"member"}, TeamID: "x"}, ErrTeamNotFound},
		{"a member", orghook.NewMember{OrganizationID: o.ID, UserID: ada.ID, Roles: []string{"member"}}, ErrAlreadyMember},
	} {
		if _, err := w.p.AddMember(ctx, nil, tt.n); !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", tt.what, err, tt.err)
		}
	}
	if n := w.Count("member"); n != 1 {
		t.Errorf("%d members", n)
	}
	team := w.Rows("team")[0]["id"]
	added, err := w.p.AddMember(ctx, nil, orghook.NewMember{OrganizationID: o.ID, UserID: bob.ID, Roles: []string{"clerk", " member"}, TeamID: team})
	if err != nil || added.Role != "clerk,member" || w.Count("teamMember") != 2 {
		t.Errorf("%+v, %v", added, err)
	}
	if _, _, err := w.p.Create(ctx, nil, orghook.NewOrganization{Name: "Acme", Slug: "acme", UserID: bob.ID}); !errors.Is(err, ErrExists) {
		t.Errorf("a taken slug: %v", err)
	}
	if _, _, err := w.p.Create(ctx, nil, orghook.NewOrganization{Name: "Acme", UserID: bob.ID}); !errors.Is(err, core.ErrValidation) {
		t.Errorf("no slug: %v", err)
	}
}

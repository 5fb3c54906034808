package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-auth/sallyport/authtest"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/organization"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
	authfiber "github.com/sallyport-auth/sallyport/server/fiber"
	"github.com/sallyport-auth/sallyport/server/nethttp"
)

// invoices is an app in which members of organizations pay invoices, behind both mounts.
func invoices(auth *core.Auth, orgs contract.Organizations) map[string]func(*testing.T, *authtest.Client, *http.Request) (int, string) {
	read, pay := contract.Permissions{"invoice": {"read"}}, contract.Permissions{"invoice": {"pay"}}
	show := func(m contract.Membership, ok bool) string {
		return fmt.Sprint(ok, " ", m.OrganizationID, " ", m.Roles)
	}

	byPath := func(r *http.Request) string { return r.PathValue("org") }
	who := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, ok := contract.MembershipFrom(r.Context())
		io.WriteString(w, show(m, ok)) //nolint:errcheck // a recorder
	})
	mux := http.NewServeMux()
	mux.Handle("GET /orgs/{org}/invoices", nethttp.RequireMember(auth, orgs, nethttp.Membership{Organization: byPath, Permissions: read})(who))
	mux.Handle("POST /orgs/{org}/invoices", nethttp.RequireMember(auth, orgs, nethttp.Membership{Organization: byPath, Permissions: pay})(who))
	mux.Handle("GET /active", nethttp.RequireMember(auth, orgs, nethttp.Membership{})(who))

	ofPath := func(c *fiber.Ctx) string { return c.Params("org") }
	app := fiber.New()
	whoFiber := func(c *fiber.Ctx) error { return c.SendString(show(authfiber.MembershipOf(c))) }
	app.Get("/orgs/:org/invoices", authfiber.RequireMember(auth, orgs, authfiber.Membership{Organization: ofPath, Permissions: read}), whoFiber)
	app.Post("/orgs/:org/invoices", authfiber.RequireMember(auth, orgs, authfiber.Membership{Organization: ofPath, Permissions: pay}), whoFiber)
	app.Get("/active", authfiber.Require(auth), authfiber.RequireMember(auth, orgs, authfiber.Membership{}), whoFiber)

	body := func(t *testing.T, res *http.Response) (int, string) {
		raw, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(raw)
	}
	return map[string]func(*testing.T, *authtest.Client, *http.Request) (int, string){
		"nethttp": func(t *testing.T, c *authtest.Client, r *http.Request) (int, string) {
			r.Header = c.Headers()
			r.Header.Set("Origin", "http://"+r.Host)
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, r)
			return body(t, w.Result())
		},
		"fiber": func(t *testing.T, c *authtest.Client, r *http.Request) (int, string) {
			return body(t, c.Fiber(t, app, r))
		},
	}
}

func TestRequireMember(t *testing.T) {
	plugin := organization.New(organization.Options{Statements: map[string][]string{"invoice": {"read", "pay"}},
		Roles: map[string]map[string][]string{"clerk": {"invoice": {"read"}}, "cashier": {"invoice": {"read", "pay"}}}})
	a := authtest.New(t, func(c *core.Config) { c.Plugins = append(c.Plugins, plugin) })
	ada, bob, eve := a.SignUp(t, "ada@example.com"), a.SignUp(t, "bob@example.com"), a.SignUp(t, "eve@example.com")
	ctx := t.Context()
	o, _, err := plugin.Create(ctx, nil, orghook.NewOrganization{Name: "Acme", Slug: "acme", UserID: ada.User.ID})
	if err != nil {
		t.Fatal(err)
	}
	add := func(c *authtest.Client, roles ...string) {
		t.Helper()
		if _, err := plugin.AddMember(ctx, nil, orghook.NewMember{OrganizationID: o.ID, UserID: c.User.ID, Roles: roles}); err != nil {
			t.Fatal(err)
		}
	}
	add(bob, "clerk", "member")
	for name, send := range invoices(a.Auth, plugin) {
		t.Run(name, func(t *testing.T) {
			check := func(c *authtest.Client, method, path string, status int, text string) {
				t.Helper()
				got, body := send(t, c, httptest.NewRequest(method, a.URL+path, nil))
				if got != status || !strings.Contains(body, text) {
					t.Errorf("%s %s: %d %s, want %d with %q", method, path, got, body, status, text)
				}
			}
			path := "/orgs/" + o.ID + "/invoices"
			check(bob, "GET", path, 200, "true "+o.ID+" [clerk member]")
			check(bob, "POST", path, 403, organization.ErrForbidden.Code)
			check(ada, "GET", path, 403, organization.ErrForbidden.Code) // an owner holds what their role holds
			check(eve, "GET", path, 403, organization.ErrNotMember.Code)
			check(bob, "GET", "/orgs/other/invoices", 403, organization.ErrNotMember.Code)
			check(a.Client(t), "GET", path, 401, "UNAUTHORIZED")
			check(bob, "GET", "/active", 403, organization.ErrNotMember.Code) // none is active
		})
	}
}

func TestActiveOrganization(t *testing.T) {
	plugin := organization.New(organization.Options{})
	a := authtest.New(t, func(c *core.Config) { c.Plugins = append(c.Plugins, plugin) })
	ada, bob := a.SignUp(t, "ada@example.com"), a.SignUp(t, "bob@example.com")
	ctx := t.Context()
	out, err := organization.Create.Call(ctx, a.Auth, organization.CreateInput{Name: "Acme", Slug: "acme"}, core.WithHeader(ada.Headers()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plugin.AddMember(ctx, nil, orghook.NewMember{OrganizationID: out.ID, UserID: bob.User.ID, Roles: []string{"owner"}}); err != nil {
		t.Fatal(err)
	}
	for name, send := range invoices(a.Auth, plugin) {
		if status, body := send(t, ada, httptest.NewRequest("GET", a.URL+"/active", nil)); status != 200 || body != "true "+out.ID+" [owner]" {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	// What is taken away is gone with the next request, whatever the session says.
	in := organization.RemoveMemberInput{MemberIDOrEmail: "ada@example.com", OrganizationID: &out.ID}
	if _, err := organization.RemoveMember.Call(ctx, a.Auth, in, core.WithHeader(bob.Headers())); err != nil {
		t.Fatal(err)
	}
	for name, send := range invoices(a.Auth, plugin) {
		if status, body := send(t, ada, httptest.NewRequest("GET", a.URL+"/active", nil)); status != 403 {
			t.Errorf("%s: after removal: %d %s", name, status, body)
		}
	}
}

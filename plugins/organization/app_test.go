package organization_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/sallyport-auth/sallyport/authtest"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/organization"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
	"github.com/sallyport-auth/sallyport/server/nethttp"
)

// An app asks from Go what a user may do, and guards its own routes: docs/organization.md
// shows this code.
func TestInAnApp(t *testing.T) {
	orgs := organization.New(organization.Options{
		Statements: map[string][]string{"invoice": {"read", "pay"}},
		Roles:      map[string]contract.Permissions{"clerk": {"invoice": {"read", "pay"}}},
	})
	a := authtest.New(t, func(c *core.Config) { c.Plugins = []core.Plugin{orgs} })
	ctx, auth, mux := t.Context(), a.Auth, http.NewServeMux()
	owner, clerk := a.SignUp(t, "owner@example.com"), a.SignUp(t, "clerk@example.com")
	acme, _, err := orgs.Create(ctx, nil, orghook.NewOrganization{Name: "Acme", Slug: "acme", UserID: owner.User.ID})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := orgs.AddMember(ctx, nil, orghook.NewMember{OrganizationID: acme.ID, UserID: clerk.User.ID, Roles: []string{"clerk"}}); err != nil {
		t.Fatal(err)
	}
	organizationID, userID := acme.ID, clerk.User.ID

	m, err := orgs.Authorize(ctx, organizationID, userID, contract.Permissions{"invoice": {"pay"}})
	if err != nil || m.UserID != userID {
		t.Errorf("the clerk: %+v %v", m, err)
	}
	if _, err := orgs.Authorize(ctx, organizationID, owner.User.ID, contract.Permissions{"invoice": {"pay"}}); !errors.Is(err, organization.ErrForbidden) {
		t.Errorf("the owner, whose role does not pay: %v", err)
	}

	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, _ := contract.MembershipFrom(r.Context())
		w.Header().Set("X-Organization", m.OrganizationID)
	})
	pay := nethttp.RequireMember(auth, orgs, nethttp.Membership{
		Organization: func(r *http.Request) string { return r.PathValue("org") },
		Permissions:  contract.Permissions{"invoice": {"pay"}},
	})
	mux.Handle("POST /orgs/{org}/invoices", pay(handler))
	a.Serve(nethttp.Handler(auth, mux))
	for _, tt := range []struct {
		client *authtest.Client
		status int
	}{{clerk, 200}, {owner, 403}, {a.SignUp(t, "stranger@example.com"), 403}, {a.Client(t), 401}} {
		res, err := tt.client.HTTP().Post(a.URL+"/orgs/"+acme.ID+"/invoices", "application/json", nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != tt.status || tt.status == 200 && res.Header.Get("X-Organization") != acme.ID {
			t.Errorf("%d, want %d; header %v", res.StatusCode, tt.status, res.Header)
		}
	}
}

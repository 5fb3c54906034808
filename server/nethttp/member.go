package nethttp

import (
	"net/http"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// Membership is what RequireMember wants.
type Membership struct {
	// Organization says which organization a request is about, by its id: a path value, a
	// host name that the app looks up. Default: the session's active one.
	Organization func(*http.Request) string
	// Permissions are what one of the member's roles must grant. Empty: being a member is
	// enough.
	Permissions contract.Permissions
}

// RequireMember is Require for what needs a membership: orgs (the organization plugin) is
// asked for each request, in one round trip. contract.MembershipFrom finds it in the
// request's context, and its OrganizationID is the one to act on. Without a session the
// answer is 401, without the membership or a permission 403, and 503 where the database
// cannot be asked.
func RequireMember(auth *core.Auth, orgs contract.Organizations, want Membership) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return Require(auth)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, _ := core.SessionFrom(r.Context())
			id := activeOrganization(s)
			if want.Organization != nil {
				id = want.Organization(r)
			}
			m, err := orgs.Authorize(r.Context(), id, s.User.ID, want.Permissions)
			if err != nil {
				Write(w, auth.Answer(r.Context(), err))
				return
			}
			next.ServeHTTP(w, r.WithContext(contract.WithMembership(r.Context(), m)))
		}))
	}
}

// activeOrganization is what the organization plugin keeps in the session.
func activeOrganization(s *core.SessionAnswer) string {
	id, _ := s.Session.Extra["activeOrganizationId"].(string)
	return id
}

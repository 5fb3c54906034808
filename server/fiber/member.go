package fiber

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// Membership is what RequireMember wants.
type Membership struct {
	// Organization says which organization a request is about, by its id: a path parameter,
	// a host name that the app looks up. Default: the session's active one.
	Organization func(*fiber.Ctx) string
	// Permissions are what one of the member's roles must grant. Empty: being a member is
	// enough.
	Permissions contract.Permissions
}

// RequireMember is Require for what needs a membership: orgs (the organization plugin) is
// asked for each request, in one round trip. MembershipOf finds it in handlers, and its
// OrganizationID is the one to act on. Without a session the answer is 401, without the
// membership or a permission 403, and 503 where the database cannot be asked.
func RequireMember(auth *core.Auth, orgs contract.Organizations, want Membership) fiber.Handler {
	return func(c *fiber.Ctx) error {
		s, ok := SessionOf(c)
		if !ok {
			if ok := load(c, auth); !ok {
				return nil
			}
			if s, ok = SessionOf(c); !ok {
				Write(c, auth.Answer(c.UserContext(), core.ErrUnauthorized))
				return nil
			}
		}
		id := activeOrganization(s)
		if want.Organization != nil {
			id = strings.Clone(want.Organization(c)) // it may be fasthttp's memory
		}
		m, err := orgs.Authorize(c.UserContext(), id, s.User.ID, want.Permissions)
		if err != nil {
			Write(c, auth.Answer(c.UserContext(), err))
			return nil
		}
		c.SetUserContext(contract.WithMembership(c.UserContext(), m))
		return c.Next()
	}
}

// MembershipOf returns the membership that RequireMember has found. ok is false without
// one.
func MembershipOf(c *fiber.Ctx) (m contract.Membership, ok bool) {
	return contract.MembershipFrom(c.UserContext())
}

// activeOrganization is what the organization plugin keeps in the session.
func activeOrganization(s *core.SessionAnswer) string {
	id, _ := s.Session.Extra["activeOrganizationId"].(string)
	return id
}

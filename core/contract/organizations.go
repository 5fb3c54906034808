package contract

import "context"

// Permissions are actions by resource: {"invoice": {"read", "pay"}}.
type Permissions = map[string][]string

// Membership is what a user is in an organization.
type Membership struct {
	ID             string // of the member's row
	OrganizationID string
	UserID         string
	Roles          []string
}

// Organizations answers what users are and may do in organizations. Every answer comes
// from the database, in one round trip: a role that was taken away is gone with the next
// question. The organization plugin provides it.
type Organizations interface {
	// Membership reads one. Not being a member is found == false, never an error.
	Membership(ctx context.Context, organizationID, userID string) (m Membership, found bool, err error)
	// Memberships lists those of a user, at most 1000.
	Memberships(ctx context.Context, userID string) ([]Membership, error)
	// Authorize wants a membership that grants all of p by one of its roles; without p the
	// membership is enough. Its refusals are errors that clients may hear, with status 403.
	Authorize(ctx context.Context, organizationID, userID string, p Permissions) (Membership, error)
}

type membershipKey struct{}

// WithMembership puts a membership into a context: middleware does it, and tests of app
// code.
func WithMembership(ctx context.Context, m Membership) context.Context {
	return context.WithValue(ctx, membershipKey{}, m)
}

// MembershipFrom returns the membership that middleware has required. What a handler does
// must be done to its OrganizationID, never to an id that the request names once more:
// what was checked and what is acted on are one value (GHSA-h3rm-78g3-j7cp).
func MembershipFrom(ctx context.Context) (m Membership, ok bool) {
	m, ok = ctx.Value(membershipKey{}).(Membership)
	return m, ok
}

// Package access is the arithmetic of roles: which actions on which resources there are
// (Control), which of them a role holds (Role), and whether that is enough for a request.
// It knows no user, no organization and no database. Whatever is not granted is denied:
// an unknown role, resource or action holds nothing, and an empty request is granted to
// nobody.
//
//	ac, err := access.New(access.Permissions{"invoice": {"read", "pay"}})
//	clerk, err := ac.Role(access.Permissions{"invoice": {"read"}})
//	clerk.Allows(access.Permissions{"invoice": {"pay"}}) // false
//
// Source: Better Auth 1.7.25, createAccessControl.
package access

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Permissions are actions by resource: {"member": {"create", "delete"}}.
type Permissions map[string][]string

// Control knows every resource with its actions.
type Control struct{ statements Permissions }

// New makes a Control. It fails on empty names and on a resource without an action.
func New(statements Permissions) (*Control, error) {
	var errs []error
	for resource, actions := range statements {
		if resource == "" || len(actions) == 0 || slices.Contains(actions, "") {
			errs = append(errs, fmt.Errorf("statement %q: want a name, and actions with names", resource))
		}
	}
	return &Control{statements.Clone()}, errors.Join(errs...)
}

// Statements are all resources with their actions. They must not be changed.
func (c *Control) Statements() Permissions { return c.statements }

// Unknown lists what of a request is no resource or action of the Control, in order, as
// "resource" or "resource:action".
func (c *Control) Unknown(p Permissions) (out []string) {
	for _, resource := range p.resources() {
		known, ok := c.statements[resource]
		if !ok {
			out = append(out, resource)
			continue
		}
		for _, action := range p[resource] {
			if !slices.Contains(known, action) {
				out = append(out, resource+":"+action)
			}
		}
	}
	return out
}

// Role makes a role. It fails on what the Control does not know: a typing error in a
// permission would deny for ever, in silence.
func (c *Control) Role(p Permissions) (Role, error) {
	if unknown := c.Unknown(p); len(unknown) > 0 {
		return Role{}, fmt.Errorf("unknown resources or actions: %s", strings.Join(unknown, ", "))
	}
	return Role{p.Clone()}, nil
}

// Role is what somebody may do. The zero value may do nothing.
type Role struct{ holds Permissions }

// Holds are the role's permissions. They must not be changed.
func (r Role) Holds() Permissions { return r.holds }

// Allows tells whether the role holds every action of every resource of a request.
func (r Role) Allows(p Permissions) bool {
	for resource, actions := range p {
		if len(actions) == 0 || len(r.missing(resource, actions)) > 0 {
			return false
		}
	}
	return len(p) > 0
}

// Missing lists what of a request the role does not hold, in order, as "resource:action".
func (r Role) Missing(p Permissions) (out []string) {
	for _, resource := range p.resources() {
		for _, action := range r.missing(resource, p[resource]) {
			out = append(out, resource+":"+action)
		}
	}
	return out
}

func (r Role) missing(resource string, actions []string) (out []string) {
	for _, a := range actions {
		if !slices.Contains(r.holds[resource], a) {
			out = append(out, a)
		}
	}
	return out
}

// With is the role with further permissions.
func (r Role) With(p Permissions) Role {
	holds := r.holds.Clone()
	for resource, actions := range p {
		for _, a := range actions {
			if !slices.Contains(holds[resource], a) {
				holds[resource] = append(holds[resource], a)
			}
		}
	}
	return Role{holds}
}

// Clone returns a copy, never nil.
func (p Permissions) Clone() Permissions {
	out := make(Permissions, len(p))
	for resource, actions := range p {
		out[resource] = slices.Clone(actions)
	}
	return out
}

// Distinct returns a copy with each action once, where it stands first.
func (p Permissions) Distinct() Permissions {
	out := make(Permissions, len(p))
	for resource, actions := range p {
		out[resource] = []string{}
		for _, a := range actions {
			if !slices.Contains(out[resource], a) {
				out[resource] = append(out[resource], a)
			}
		}
	}
	return out
}

func (p Permissions) resources() []string { return slices.Sorted(maps.Keys(p)) }

// Names splits a role column into its names: joined by commas, spaces around them do not
// count. Every comparison of roles goes through it, so that " owner" is not another role
// than "owner" to one check and the same to the next.
func Names(roles ...string) (out []string) {
	for _, r := range roles {
		for name := range strings.SplitSeq(r, ",") {
			if name = strings.TrimSpace(name); name != "" {
				out = append(out, name)
			}
		}
	}
	return out
}

// Join is the form in which names are stored.
func Join(names []string) string { return strings.Join(names, ",") }

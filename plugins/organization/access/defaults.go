package access

import "slices"

// Defaults are the resources of the organization plugin itself.
func Defaults() Permissions {
	return Permissions{
		"organization": {"update", "delete"},
		"member":       {"create", "update", "delete"},
		"invitation":   {"create", "cancel"},
		"team":         {"create", "update", "delete"},
		"ac":           {"create", "read", "update", "delete"}, // roles of the organization's own
	}
}

// DefaultRoles are owner, who may do everything, admin, who may not delete the
// organization, and member, who may read its roles.
func DefaultRoles() map[string]Permissions {
	admin := Defaults()
	admin["organization"] = slices.DeleteFunc(admin["organization"], func(a string) bool { return a == "delete" })
	return map[string]Permissions{"owner": Defaults(), "admin": admin, "member": {"ac": {"read"}}}
}

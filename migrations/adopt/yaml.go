package adopt

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/schema"
)

// YAML writes the proposal as a part of the config file.
func (p *Proposal) YAML() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("database:")
	line("  naming: %s", p.Naming)
	if p.Schema != "" && p.Schema != "public" {
		line("  schema: %s", scalar(p.Schema))
	}
	if len(p.Overrides) > 0 {
		line("  overrides:")
		for _, k := range slices.Sorted(maps.Keys(p.Overrides)) {
			line("    %s: %s", k, scalar(p.Overrides[k]))
		}
	}
	if p.Times != "" {
		line("  times: %s", p.Times)
	}
	if len(p.TimeOverrides) > 0 {
		line("  timeOverrides:")
		for _, k := range slices.Sorted(maps.Keys(p.TimeOverrides)) {
			line("    %s: %s", k, p.TimeOverrides[k])
		}
	}
	if p.IDs != "random" {
		line("ids: %s", p.IDs)
	}
	line("session:")
	line("  tokenStorage: compat # Better Auth reads tokens as they are; see sessions rehash")
	line("password:")
	line("  hash: scrypt # what Better Auth reads; argon2id once there is no way back")
	if len(p.Fields) > 0 {
		line("user:\n  additionalFields:")
	}
	for _, f := range p.Fields {
		line("    - name: %s\n      type: %s\n      required: true # and who signs up chooses it, unless there are input: false and a defaultValue", f.Name, f.Type)
	}
	line("plugins:")
	for _, id := range p.Plugins {
		line("  %s:", id)
		if id == "organization" && p.Teams {
			line("    teams:\n      enabled: true")
		}
		if id == "organization" && p.Roles {
			line("    dynamicAccessControl:\n      enabled: true")
		}
	}
	line("  # magic-link and bearer leave no trace in a database: add them if the app uses them.")
	return b.String()
}

// scalar writes a text as YAML: bare where it cannot mean anything else.
func scalar(s string) string {
	if plain(s) && !slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(s)) {
		return s
	}
	return fmt.Sprintf("%q", s)
}

// plain tells whether a text is a letter followed by letters, digits and underscores.
func plain(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r != '_' && (r < '0' || r > '9')) {
			return false
		}
	}
	return s != "" && len(s) <= schema.MaxName
}

// Quote writes a name of a database for people: as it stands if it is plain, else quoted,
// with everything that a terminal could take for a command escaped.
func Quote(s string) string { return schema.Printable(s) }

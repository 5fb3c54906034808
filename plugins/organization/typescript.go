package organization

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/organization/access"
)

// typeScript declares statements, roles and added fields for organizationClient({ ac, roles,
// schema: organizationFields }). It is empty where the options have faults, which New
// reports.
func (p *Plugin) typeScript() string {
	if len(p.faults) > 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("import { createAccessControl } from \"better-auth/plugins/access\";\n\n")
	fmt.Fprintf(&b, "/** Resources and actions of organizations. */\nexport const statements = %s as const;\n\nexport const ac = createAccessControl(statements);\n\n", literal(p.ac.Statements()))
	b.WriteString("/** For organizationClient({ ac, roles }). */\nexport const roles = {\n")
	for _, name := range slices.Sorted(maps.Keys(p.roles)) {
		fmt.Fprintf(&b, "  %s: ac.newRole(%s),\n", quoted(name), literal(p.roles[name].Holds()))
	}
	b.WriteString("};\n\n/** For organizationClient({ schema: organizationFields }). */\nexport const organizationFields = {\n")
	s := p.o.Schema
	for _, t := range []struct {
		name   string
		fields []core.Extra
	}{{"organization", s.Organization.AdditionalFields}, {"member", s.Member.AdditionalFields}, {"invitation", s.Invitation.AdditionalFields}, {"team", s.Team.AdditionalFields}} {
		text, err := core.TypeScriptFields(t.fields)
		if err != nil { // a default that has no JSON: NewFields has refused it
			return ""
		}
		fmt.Fprintf(&b, "  %s: { additionalFields: %s },\n", t.name, strings.ReplaceAll(text, "\n", "\n  "))
	}
	b.WriteString("} as const;\n")
	return b.String()
}

// literal writes permissions as an object literal.
func literal(p access.Permissions) string {
	var b strings.Builder
	b.WriteString("{ ")
	for i, resource := range slices.Sorted(maps.Keys(p)) {
		if i > 0 {
			b.WriteString(", ")
		}
		actions := make([]string, len(p[resource]))
		for k, a := range p[resource] {
			actions[k] = quoted(a)
		}
		fmt.Fprintf(&b, "%s: [%s]", quoted(resource), strings.Join(actions, ", "))
	}
	b.WriteString(" }")
	return b.String()
}

// quoted is a text as JSON, which is a literal of TypeScript, too.
func quoted(s string) string {
	raw, err := json.Marshal(s)
	if err != nil { // a text always has JSON
		return `""`
	}
	return string(raw)
}

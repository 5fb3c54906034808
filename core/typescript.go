package core

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// TypeScript writes what a client in TypeScript has to know of this configuration: the
// app's own fields of user and session (for inferAdditionalFields), the union of all error
// codes, and what plugins declare (Spec.TypeScript). The text is a module.
func (a *Auth) TypeScript() (string, error) {
	var b strings.Builder
	b.WriteString("// Made by \"sallyport generate ts\" from the server's configuration. Do not edit.\n\n")
	b.WriteString("/** For inferAdditionalFields(additionalFields). */\nexport const additionalFields = {\n")
	for _, t := range []struct {
		name   string
		fields []Extra
	}{{"user", a.h.cfg.User.Fields}, {"session", a.h.cfg.Session.Fields}} {
		text, err := TypeScriptFields(t.fields)
		if err != nil {
			return "", fmt.Errorf("%s: %w", t.name, err)
		}
		fmt.Fprintf(&b, "  %s: %s,\n", t.name, text)
	}
	b.WriteString("} as const;\n\n/** Every code that an answer of the server may have. */\nexport type ErrorCode =\n")
	for _, e := range a.Errors() {
		if e.Code != "" {
			fmt.Fprintf(&b, "  | %q\n", e.Code)
		}
	}
	b.WriteString("  ;\n")
	for _, s := range a.h.specs {
		if s.TypeScript != "" {
			b.WriteString("\n" + strings.TrimRight(s.TypeScript, "\n") + "\n")
		}
	}
	return b.String(), nil
}

// TypeScriptFields writes fields as Better Auth's client describes them, an object literal
// by their names.
func TypeScriptFields(fields []Extra) (string, error) {
	if len(fields) == 0 {
		return "{}", nil
	}
	var b strings.Builder
	b.WriteString("{\n")
	for _, f := range fields {
		// Members in the order in which Better Auth documents them; what is the default stays out.
		name, err := json.Marshal(f.Name)
		if err != nil {
			return "", err
		}
		kind, err := json.Marshal(f.Type)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "    %s: { type: %s, required: %v", name, kind, f.Required)
		if f.Input != nil && !*f.Input {
			b.WriteString(", input: false")
		}
		if f.Returned != nil && !*f.Returned {
			b.WriteString(", returned: false")
		}
		if f.Default != nil && slices.Contains([]string{"string", "number", "boolean"}, f.Type) {
			value, err := json.Marshal(f.Default)
			if err != nil {
				return "", fmt.Errorf("%s: %w", f.Name, err)
			}
			fmt.Fprintf(&b, ", defaultValue: %s", value)
		}
		b.WriteString(" },\n")
	}
	b.WriteString("  }")
	return b.String(), nil
}

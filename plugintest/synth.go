package plugintest

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
)

// member is one member of an endpoint's input.
type member struct {
	source, name string // "json", "query" or "path"
	typ          reflect.Type
	rules        string
}

// members lists what an input type takes.
func members(t reflect.Type) (out []member) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag == "" {
			out = append(out, members(f.Type)...)
			continue
		}
		for _, source := range []string{"json", "query", "path"} {
			name, ok := f.Tag.Lookup(source)
			if ok && f.IsExported() && name != "-" && !strings.Contains(name, ",") {
				out = append(out, member{source, name, f.Type, f.Tag.Get("input")})
			}
		}
	}
	return out
}

// synth makes a request that an endpoint's validation takes, from its input type.
func (h *Harness) synth(i *core.RouteInfo) *Request {
	r := &Request{Method: i.Methods[0]}
	body, query := map[string]any{}, url.Values{}
	path := h.below(i)
	for _, m := range members(i.In) {
		v := m.example()
		switch m.source {
		case "json":
			body[m.name] = v
		case "query":
			if raw, err := json.Marshal(v); err == nil {
				query.Set(m.name, strings.Trim(string(raw), `"`))
			}
		}
	}
	parts := strings.Split(path, "/")
	for k, p := range parts {
		if strings.HasPrefix(p, ":") {
			parts[k] = "x"
		}
	}
	if r.Path = strings.Join(parts, "/"); len(query) > 0 {
		r.Path += "?" + query.Encode()
	}
	if r.Method != "GET" {
		r.Body = body
	}
	return r
}

// example is a value that fits a member's type and rules.
func (m member) example() any {
	for rule := range strings.SplitSeq(m.rules, ",") {
		name, value, _ := strings.Cut(rule, "=")
		switch name {
		case "email":
			return "somebody@example.com"
		case "url":
			return BaseURL + "/page"
		case "enum":
			first, _, _ := strings.Cut(value, "|")
			return first
		case "min":
			var n int
			if json.Unmarshal([]byte(value), &n) == nil && m.typ.Kind() == reflect.Int {
				return n
			}
			if n > 8 {
				return strings.Repeat("x", n)
			}
		}
	}
	return exampleOf(m.typ)
}

func exampleOf(t reflect.Type) any {
	if t == reflect.TypeFor[json.RawMessage]() {
		return map[string]any{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return exampleOf(t.Elem())
	case reflect.Bool:
		return false
	case reflect.Int, reflect.Int64, reflect.Float64:
		return 1
	case reflect.Slice:
		return []any{exampleOf(t.Elem())}
	case reflect.Map:
		return map[string]any{}
	case reflect.Struct:
		if f, ok := t.FieldByName("Value"); ok && t.NumField() == 3 && t.Field(0).Name == "Set" { // an input.Opt
			return exampleOf(f.Type)
		}
		out := map[string]any{}
		for _, m := range members(t) {
			out[m.name] = m.example()
		}
		return out
	}
	return "example8"
}

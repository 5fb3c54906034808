package core

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/input"
	"github.com/sallyport-auth/sallyport/core/schema"
)

// FieldsOf makes the app's own fields from a row struct, as TableOf makes a table, so that
// fields, columns and ExtraOf cannot disagree. A field that is neither a pointer nor has a
// default is required at sign-up; schema:"hidden" keeps it out of answers, input:"-" keeps
// clients from setting it. It panics on what cannot be such a field: a key, a reference,
// bytes.
//
//	type Profile struct {
//		Company string `db:"company"`
//		Tier    string `db:"tier" schema:"default=free" input:"-"`
//	}
//	cfg.User.Fields = core.FieldsOf[Profile]()
func FieldsOf[T any]() []Extra {
	row, no := reflect.TypeFor[T](), false
	noInput := map[string]bool{}
	for i := range row.NumField() {
		f := row.Field(i)
		noInput[f.Tag.Get("db")] = f.Tag.Get("input") == "-"
	}
	var out []Extra
	for _, c := range schema.Columns("app", row) {
		x := Extra{Name: c.Name, Type: extraTypes[c.Kind], Required: !c.Nullable && c.Default == nil, Default: c.Default,
			Unique: c.Unique, Index: c.Index, BigInt: c.Kind == schema.BigInt}
		if x.Type == "" || c.PrimaryKey || c.References != nil || c.DefaultNow {
			panic(fmt.Sprintf("core: %v: %q cannot be a field of the app's", row, c.Name))
		}
		if c.Hidden {
			x.Returned = &no
		}
		if noInput[c.Name] {
			x.Input = &no
		}
		out = append(out, x)
	}
	return out
}

var extraTypes = map[schema.Kind]string{schema.String: "string", schema.Int: "number", schema.BigInt: "number",
	schema.Bool: "boolean", schema.Time: "date", schema.JSON: "json"}

// extras turns the app's own fields of a core table into columns.
func (b *compiler) extras(table string, list []Extra) (schema.Extension, map[string]*field) {
	f, errs := newFields(list)
	for _, err := range errs {
		b.fault("%s.additionalFields: %w", table, err)
	}
	fields := map[string]*field{}
	for _, x := range f.list {
		fields[x.Name] = x
		// No user is made without it; sessions are, by core.
		x.Written = x.Written || table == "user" && x.required
	}
	return schema.Extension{Table: table, Columns: f.Columns()}, fields
}

// userFields adds the plugins' fields of the user to the app's.
func (b *compiler) userFields(fields map[string]*field) {
	for i := range b.h.specs {
		s := &b.h.specs[i]
		for _, u := range s.UserFields {
			if fields[u.Name] != nil {
				continue
			}
			f, errs := newFields([]Extra{u.Extra})
			for _, err := range errs {
				b.fault("plugin %s: user field: %w", s.ID, err)
			}
			for _, x := range f.list {
				x.check, fields[x.Name] = u.Check, x
			}
			s.Extend = append(slices.Clone(s.Extend), schema.Extension{Table: "user", Columns: f.Columns()})
		}
	}
}

// fieldForm is what the name of an added column looks like: it stands in statements.
var fieldForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

var extraKinds = map[string]schema.Kind{"string": schema.String, "number": schema.Int, "boolean": schema.Bool,
	"date": schema.Time, "json": schema.JSON, "string[]": schema.JSON, "number[]": schema.JSON}

// userInput reads the added columns that a client wants to set, as Better Auth does it:
// fields that take no input are refused by name, defaults and required fields count at
// creation only, unknown members are ignored. Types are checked here, where Better Auth
// leaves that to the database.
func (m *model) userInput(rest input.Members, create bool) (map[string]any, error) {
	out := map[string]any{}
	given := make(map[string]json.RawMessage, len(rest))
	for _, r := range rest {
		given[r.Name] = r.Raw
	}
	for _, f := range m.order {
		raw, ok := given[f.Name]
		switch {
		case ok && !f.input:
			if f.def != nil && create {
				out[f.Name] = f.def
			} else if truthy(raw) {
				return nil, ErrFieldNotAllowed.WithMessage(f.Name + " is not allowed to be set")
			}
		case ok:
			v, err := f.parse(raw)
			if err != nil {
				return nil, err
			}
			if v == nil && f.full {
				return nil, ErrMissingField.WithMessage(f.Name + " is required")
			}
			out[f.Name] = v
		case create && f.def != nil:
			out[f.Name] = f.def
		case create && f.required:
			return nil, ErrMissingField.WithMessage(f.Name + " is required")
		}
	}
	return out, nil
}

// truthy is JavaScript's idea of a value that counts.
func truthy(raw json.RawMessage) bool {
	switch string(raw) {
	case "null", "false", "0", `""`, "-0":
		return false
	}
	return true
}

func (f *field) parse(raw json.RawMessage) (any, error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, ErrBadRequest
	}
	if v == nil {
		return nil, nil
	}
	out, err := fieldValue(f.kind, v)
	if s, ok := out.(string); ok && err == nil && f.check != nil {
		err = f.check(s)
	}
	if err != nil {
		return nil, ErrValidation.WithMessage(fmt.Sprintf("[body.%s] Invalid input: %v", f.Name, err))
	}
	return out, nil
}

// fieldValue converts a decoded JSON or YAML value to what a column of that type holds.
func fieldValue(kind string, v any) (any, error) {
	wrong := fmt.Errorf("expected %s, received %s", kind, jsType(v))
	switch kind {
	case "string":
		if s, ok := v.(string); ok {
			return s, nil
		}
	case "boolean":
		if b, ok := v.(bool); ok {
			return b, nil
		}
	case "number":
		switch n := v.(type) {
		case float64:
			if n != math.Trunc(n) || math.Abs(n) > 1<<53 {
				return nil, fmt.Errorf("expected int, received number")
			}
			return int64(n), nil
		case int:
			return int64(n), nil
		case int64:
			return n, nil
		case uint64:
			return int64(n), nil
		}
	case "date":
		if s, ok := v.(string); ok {
			t, err := time.Parse(time.RFC3339Nano, s)
			if err != nil {
				return nil, fmt.Errorf("expected date, received string")
			}
			return storableDate(t)
		}
		if t, ok := v.(time.Time); ok {
			return storableDate(t)
		}
	case "json":
		raw, err := json.Marshal(v)
		return json.RawMessage(raw), err
	case "string[]", "number[]":
		list, ok := v.([]any)
		if !ok {
			return nil, wrong
		}
		for _, x := range list {
			if jsType(x)+"[]" != kind {
				return nil, wrong
			}
		}
		raw, err := json.Marshal(list)
		return json.RawMessage(raw), err
	}
	return nil, wrong
}

// storableDate is a time as columns hold it. Its year has four digits, also in UTC: PostgreSQL
// writes a year before 1 as one BC and one behind 9999 with five digits, and a user with such
// a value could not be read any more, by whichever way they come.
func storableDate(t time.Time) (any, error) {
	t = t.UTC().Truncate(time.Millisecond)
	if y := t.Year(); y < 1 || y > 9999 {
		return nil, fmt.Errorf("expected date, received a year that is not from 1 to 9999")
	}
	return t, nil
}

func jsType(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64, int, int64, uint64:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

// newExtra makes room for the values of added columns; nil where there are none.
func (m *model) newExtra() map[string]any {
	if len(m.cols) == m.core {
		return nil
	}
	return make(map[string]any, len(m.cols)-m.core)
}

// Members are members of a JSON object in the order in which they were sent.
type Members = input.Members

// Member is one of them.
type Member = input.Member

// Opt is an input that tells "absent" from null and from a value.
type Opt[T any] = input.Opt[T]

// Checker is an input with a rule that no tag can say, such as one between several members.
type Checker = input.Checker

// UserInput reads the app's own fields of a new user from what a client sent.
func (h *Host) UserInput(rest Members) (map[string]any, error) {
	return h.userModel.userInput(rest, true)
}

// ValidEmail tells whether an address has the form that sign-up accepts.
func ValidEmail(s string) bool { return input.ValidEmail(s) }

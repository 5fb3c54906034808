package core

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/schema"
)

// Fields are columns that an app adds to a table of a plugin's: the plugin's options hold
// a list of Extra, NewFields makes this of it, and Table.With adds the columns.
type Fields struct{ list []*field }

// Extras is embedded by the row struct of a table to which apps may add columns.
type Extras struct {
	// Extra are the added columns by their logical names, as in User.Extra.
	Extra map[string]any
	added *Fields
}

// NewFields makes fields of an option. Its error lists everything that is wrong.
func NewFields(list []Extra) (*Fields, error) {
	f, errs := newFields(list)
	return f, errors.Join(errs...)
}

func newFields(list []Extra) (*Fields, []error) {
	out, errs := &Fields{}, []error(nil)
	for _, x := range list {
		if !fieldForm.MatchString(x.Name) {
			errs = append(errs, fmt.Errorf("%q is no name: want letters, digits and underscores, a letter first", x.Name))
			continue
		}
		kind, ok := extraKinds[x.Type]
		if x.Type == "number" && x.BigInt {
			kind = schema.BigInt
		}
		if !ok {
			errs = append(errs, fmt.Errorf("%q has type %q: want string, number, boolean, date, json, string[] or number[]", x.Name, x.Type))
			continue
		}
		f := &field{kind: x.Type, required: x.Required, input: x.Input == nil || *x.Input}
		if x.Default != nil {
			v, err := fieldValue(x.Type, x.Default)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: default: %w", x.Name, err))
			}
			f.def = v
		}
		f.Column = schema.Column{Name: x.Name, Kind: kind, Nullable: true, Written: x.Default != nil, Unique: x.Unique, Index: x.Index,
			Hidden: x.Returned != nil && !*x.Returned, Owner: "app"}
		switch f.def.(type) {
		case string, bool, int64:
			if kind != schema.JSON && kind != schema.Time {
				f.Column.Default = f.def
			}
		}
		out.list = append(out.list, f)
	}
	return out, errs
}

// Columns are the columns, for a schema.
func (f *Fields) Columns() []schema.Column {
	var out []schema.Column
	for _, x := range f.list {
		out = append(out, x.Column)
	}
	return out
}

// Defaults are the values of a row for which nothing was given.
func (f *Fields) Defaults() map[string]any {
	out := map[string]any{}
	for _, x := range f.list {
		if x.def != nil {
			out[x.Name] = x.def
		}
	}
	return out
}

// Read takes the values out of the members of a body that no input field names. at is
// where they stand, for messages: "body", "body.data". With create, defaults and required
// fields count. Fields that take no input are left alone, as Better Auth does it: their
// names mean nothing to clients.
func (f *Fields) Read(at string, rest Members, create bool) (map[string]any, error) {
	given := make(map[string]json.RawMessage, len(rest))
	for _, m := range rest {
		given[m.Name] = m.Raw
	}
	out, issues := map[string]any{}, []string(nil)
	if create {
		out = f.Defaults()
	}
	issue := func(f *field, format string, args ...any) {
		issues = append(issues, fmt.Sprintf("[%s.%s] Invalid input: ", at, f.Name)+fmt.Sprintf(format, args...))
	}
	for _, x := range f.list {
		raw, ok := given[x.Name]
		switch {
		case !x.input:
		case !ok && create && x.required:
			issue(x, "expected %s, received undefined", zodType(x.kind))
		case !ok:
		case string(raw) == "null" && !x.required:
			out[x.Name] = nil
		default:
			v, err := decoded(raw)
			if err == nil && v == nil {
				issue(x, "expected %s, received null", zodType(x.kind))
				continue
			}
			if err == nil {
				out[x.Name], err = fieldValue(x.kind, v)
			}
			if err != nil {
				issue(x, "%v", err)
			}
		}
	}
	if len(issues) > 0 {
		return nil, ErrValidation.WithMessage(strings.Join(issues, "; "))
	}
	return out, nil
}

func decoded(raw json.RawMessage) (v any, err error) { return v, json.Unmarshal(raw, &v) }

// zodType is what messages call the type of a field.
func zodType(kind string) string {
	if strings.HasSuffix(kind, "[]") {
		return "array"
	}
	return kind
}

// Sets are the assignments that write values, as Read returns them.
func (f *Fields) Sets(table string, values map[string]any) []Set {
	var out []Set
	for _, x := range f.list {
		if v, ok := values[x.Name]; ok {
			out = append(out, Set{"{" + table + ":" + x.Name + "} = ?", []any{v}})
		}
	}
	return out
}

func (f *Fields) dests(dest []any) ([]any, []extraValue) {
	values := make([]extraValue, len(f.list))
	for i, x := range f.list {
		values[i].kind = x.Kind
		dest = append(dest, &values[i])
	}
	return dest, values
}

func (f *Fields) collect(values []extraValue) map[string]any {
	out := make(map[string]any, len(values))
	for i, x := range f.list {
		out[x.Name] = values[i].v
	}
	return out
}

// With returns the table with columns that the app adds. The row struct must embed Extras.
func (t *Table[T]) With(f *Fields) *Table[T] {
	if t.extras < 0 {
		panic(fmt.Sprintf("core: table %s: its row does not embed core.Extras", t.name))
	}
	c := *t
	c.added = f
	c.columns = append(append([]schema.Column(nil), t.columns...), f.Columns()...)
	c.prepare()
	return &c
}

// Without returns the table without some of its own columns, which stay empty in rows: for
// what options switch off.
func (t *Table[T]) Without(columns ...string) *Table[T] {
	c := *t
	c.columns, c.fields = nil, nil
	own := len(t.fields)
	for i, col := range t.columns {
		if i < own && slices.Contains(columns, col.Name) {
			continue
		}
		c.columns = append(c.columns, col)
		if i < own {
			c.fields = append(c.fields, t.fields[i])
		}
	}
	c.prepare()
	return &c
}

// EncodeRow writes a row struct as clients see it: every column but the hidden ones, NULL
// as null, then what the app has added, then id. More members replace columns of the same
// name, or are added at the end; one without a value takes the column out.
func EncodeRow(row any, more ...Member) ([]byte, error) {
	v := reflect.Indirect(reflect.ValueOf(row))
	b, used := []byte("{"), make([]bool, len(more))
	put := func(name string, value any) {
		for i, m := range more {
			if m.Name == name {
				if used[i] = true; m.Raw != nil {
					b = append(appendKey(b, name), m.Raw...)
				}
				return
			}
		}
		b = appendValue(appendKey(b, name), value)
	}
	var id any
	var x Extras
	for i := range v.NumField() {
		t := v.Type().Field(i)
		if e, ok := v.Field(i).Interface().(Extras); ok {
			x = e
			continue
		}
		name := t.Tag.Get("db")
		switch {
		case name == "" || name == "-" || slices.Contains(strings.Split(t.Tag.Get("schema"), ","), "hidden"):
		case name == "id":
			id = plainValue(v.Field(i))
		default:
			put(name, plainValue(v.Field(i)))
		}
	}
	if x.added != nil {
		for _, f := range x.added.list {
			if !f.Hidden {
				put(f.Name, x.Extra[f.Name])
			}
		}
	}
	put("id", id)
	for i, m := range more {
		if !used[i] && m.Raw != nil {
			b = append(appendKey(b, m.Name), m.Raw...)
		}
	}
	return append(b, '}'), nil
}

// plainValue is a column's value as appendValue takes it.
func plainValue(v reflect.Value) any {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if v.CanInt() {
		return v.Int()
	}
	return v.Interface()
}

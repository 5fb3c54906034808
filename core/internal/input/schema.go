package input

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// want is the type that a value must have.
type want uint8

const (
	wantString want = iota
	wantBool
	wantInt
	wantFloat
	wantArray
	wantRecord
	wantObject
	wantAny
	wantRaw
)

// schema is the compiled type and rules of one field.
type schema struct {
	want     want
	pointer  bool // dst is a pointer to what want says
	opt      bool // dst is an Opt of it
	optional bool
	nullable bool
	coerce   bool
	single   bool
	fallback reflect.Value // default; invalid if none
	enum     []string
	mismatch string // the message of another type or, for an enum, another value
	checks   []check
	maxItems int // of an array, -1 if not limited
	typ      reflect.Type
	elem     *schema // of an array or record
	object   *object
}

// object is a struct: its fields in the order of zod's schema.
type object struct {
	fields  []field
	rest    *rest
	checked bool // the struct is a Checker
}

type field struct {
	name   string
	index  []int
	schema *schema
}

// rest takes the members that no field names.
type rest struct {
	index []int
	typ   reflect.Type
	loose bool
	union bool // what is no object fits none of a union's forms either
}

// Decoder fills one struct type. It is safe for concurrent use.
type Decoder struct {
	typ          reflect.Type
	body         object
	query        object
	path         object
	bodyOptional bool
}

// TakesQuery tells whether the struct has fields from the query.
func (d *Decoder) TakesQuery() bool { return len(d.query.fields) > 0 }

// Compile prepares a struct type, or a pointer to one. Everything that it cannot do is
// an error that names the field.
func Compile(t reflect.Type) (*Decoder, error) {
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("input: %v is no struct", t)
	}
	c := &compiler{top: &Decoder{typ: t}}
	c.fields(t, nil, t.String(), nil)
	if err := errors.Join(c.errs...); err != nil {
		return nil, err
	}
	if reflect.PointerTo(t).Implements(checkerType) {
		if c.top.body.checked = len(c.top.body.fields) > 0 || c.top.body.rest != nil; !c.top.body.checked {
			c.top.query.checked = true
		}
	}
	return c.top, nil
}

type compiler struct {
	top   *Decoder
	stack []reflect.Type // structs being compiled, to find recursion
	errs  []error
}

func (c *compiler) fail(where, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("input: %s: %s", where, fmt.Sprintf(format, args...)))
}

// fields compiles the fields of t into nested, or into the decoder's body, query and
// path when nested is nil.
func (c *compiler) fields(t reflect.Type, index []int, where string, nested *object) {
	if slices.Contains(c.stack, t) {
		c.fail(where, "is recursive")
		return
	}
	c.stack = append(c.stack, t)
	defer func() { c.stack = c.stack[:len(c.stack)-1] }()
	for i := range t.NumField() {
		f := t.Field(i)
		name := where + "." + f.Name
		at := append(slices.Clone(index), i)
		source, tag, tagged := source(f)
		switch {
		case f.Name == "_" && f.Tag.Get("input") == "body" && !tagged && nested == nil:
			c.top.bodyOptional = true
		case f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct && f.Tag.Get("input") == "":
			c.fields(f.Type, at, name, nested)
		case tagged && tag == "-":
		case !tagged && !f.IsExported() && f.Tag.Get("input") == "":
		case !tagged:
			c.fail(name, "has no json, query or path tag")
		case !f.IsExported():
			c.fail(name, "is not exported")
		case source == "several":
			c.fail(name, "has more than one of json, query and path")
		case source == "json":
			dst := nested
			if dst == nil {
				dst = &c.top.body
			}
			c.member(f, tag, at, name, dst, nested == nil)
		case nested != nil:
			c.fail(name, "is inside the body and cannot come from the %s", source)
		case source == "query":
			c.member(f, tag, at, name, &c.top.query, false)
		default:
			c.pathField(f, tag, at, name)
		}
	}
}

func source(f reflect.StructField) (source, tag string, ok bool) {
	for _, s := range []string{"json", "query", "path"} {
		if v, has := f.Tag.Lookup(s); has {
			if ok {
				return "several", v, true
			}
			source, tag, ok = s, v, true
		}
	}
	return source, tag, ok
}

func (c *compiler) member(f reflect.StructField, tag string, index []int, where string, o *object, topBody bool) {
	name, option, hasOption := strings.Cut(tag, ",")
	if name == "" && option == "rest" && f.Tag.Get("json") != "" {
		c.rest(f, index, where, o)
		return
	}
	if hasOption || name == "" {
		c.fail(where, "has the tag %q, which is no name", tag)
		return
	}
	for _, other := range o.fields {
		if other.name == name {
			c.fail(where, "has the name of another field, %q", name)
			return
		}
	}
	rules, bodyOptional := splitRules(f.Tag.Get("input"))
	if bodyOptional {
		if !topBody {
			c.fail(where, "has the rule body, and is no member of the body itself")
		}
		c.top.bodyOptional = true
	}
	o.fields = append(o.fields, field{name, index, c.schema(f.Type, rules, where)})
}

func (c *compiler) rest(f reflect.StructField, index []int, where string, o *object) {
	rules, bodyOptional := splitRules(f.Tag.Get("input"))
	r := &rest{index: index, typ: f.Type}
	if len(rules) == 1 && (rules[0] == "loose" || rules[0] == "union") {
		r.loose, r.union = true, rules[0] == "union"
	} else if len(rules) > 0 {
		c.fail(where, "takes the rest, which has no rules but loose, union and body")
	}
	if bodyOptional {
		if o != &c.top.body {
			c.fail(where, "has the rule body, and is no member of the body itself")
		}
		c.top.bodyOptional = true
	}
	if f.Type != anyMapType && f.Type != rawMapType && f.Type != membersType {
		c.fail(where, "takes the rest, and is neither map[string]any, map[string]json.RawMessage nor input.Members")
	}
	if o.rest != nil {
		c.fail(where, "is the second field that takes the rest")
	}
	o.rest = r
}

func (c *compiler) pathField(f reflect.StructField, name string, index []int, where string) {
	if name == "" || strings.Contains(name, ",") {
		c.fail(where, "has the tag %q, which is no name", name)
	}
	if f.Type.Kind() != reflect.String || f.Tag.Get("input") != "" {
		c.fail(where, "comes from the path, and must be a string without rules")
	}
	c.top.path.fields = append(c.top.path.fields, field{name: name, index: index})
}

// schema compiles a type with its rules.
func (c *compiler) schema(t reflect.Type, rules []string, where string) *schema {
	s := &schema{typ: t, maxItems: -1}
	switch {
	case t.Implements(optType) && t.Kind() == reflect.Struct:
		s.opt, s.optional, s.nullable = true, true, true
		t = t.Field(2).Type
	case t.Kind() == reflect.Pointer:
		s.pointer, s.optional = true, true
		t = t.Elem()
	}
	c.kind(s, t, where)
	for _, rule := range rules {
		if err := s.rule(rule); err != nil {
			c.fail(where, "rule %q %v", rule, err)
		}
	}
	s.finish()
	if s.fallback.IsValid() && s.opt {
		c.fail(where, "has a default, and is an Opt")
	}
	return s
}

// kind sets what s wants for a value of type t.
func (c *compiler) kind(s *schema, t reflect.Type, where string) {
	if t == rawType {
		s.want = wantRaw
		return
	}
	switch t.Kind() {
	case reflect.String:
		s.want = wantString
	case reflect.Bool:
		s.want = wantBool
	case reflect.Int, reflect.Int64:
		s.want = wantInt
	case reflect.Float64:
		s.want = wantFloat
	case reflect.Slice:
		s.want = wantArray
		s.elem = c.schema(t.Elem(), nil, where+"[]")
	case reflect.Map:
		s.want = wantRecord
		if t.Key().Kind() != reflect.String {
			c.fail(where, "is a map whose keys are no strings")
		}
		s.elem = c.schema(t.Elem(), nil, where+"{}")
	case reflect.Interface:
		s.want = wantAny
		if t.NumMethod() > 0 {
			c.fail(where, "is an interface with methods")
		}
	case reflect.Struct:
		s.want = wantObject
		s.object = &object{}
		before := len(c.errs)
		c.fields(t, nil, where, s.object)
		if len(c.errs) == before && s.object.rest == nil && len(s.object.fields) == 0 {
			c.fail(where, "is a struct without json tags")
		}
	default:
		c.fail(where, "has the unsupported type %v", t)
	}
}

package input

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// absent is the index of a value that was not sent.
const absent int32 = -1

// Decode is Parse and Fill in one.
func (d *Decoder) Decode(dst any, src Source) error {
	v, err := Parse(src)
	if err != nil {
		return err
	}
	return d.Fill(dst, v)
}

// Fill sets the struct that dst points to. What does not fit is an *Error with status
// 400 and code VALIDATION_ERROR, whose message lists every issue of the body or, if the
// body has none, of the query; dst is then the zero value. Any other error is a dst of
// another type than the one compiled.
func (d *Decoder) Fill(dst any, v *Values) error {
	p := reflect.ValueOf(dst)
	if p.Kind() != reflect.Pointer || p.IsNil() || p.Type().Elem() != d.typ {
		return fmt.Errorf("input: cannot fill a %T, the decoder is for *%v", dst, d.typ)
	}
	s := p.Elem()
	s.SetZero()
	if err := d.fill(s, v); err != nil {
		s.SetZero()
		return err
	}
	return nil
}

func (d *Decoder) fill(s reflect.Value, v *Values) error {
	if len(d.body.fields) > 0 || d.body.rest != nil {
		f := filler{tree: &v.body, source: "body"}
		root := absent
		if len(v.body.nodes) > 0 {
			root = 0
		}
		if root == absent && d.bodyOptional {
			f.defaults(&d.body, s)
		} else {
			f.object(&d.body, root, s)
		}
		if err := f.err(); err != nil {
			return err
		}
	}
	if len(d.query.fields) > 0 {
		f := filler{tree: &v.query, source: "query"}
		f.object(&d.query, 0, s)
		if err := f.err(); err != nil {
			return err
		}
	}
	for _, field := range d.path.fields {
		value, ok := "", false
		if v.param != nil {
			value, ok = v.param(field.name)
		}
		if !ok {
			return Invalid("params."+field.name, "Invalid input: expected string, received undefined")
		}
		if !utf8.ValidString(value) || strings.IndexByte(value, 0) >= 0 {
			return errPath
		}
		s.FieldByIndex(field.index).SetString(strings.Clone(value))
	}
	return nil
}

// object fills a struct, or reports that the value at i is no object.
func (f *filler) object(o *object, i int32, s reflect.Value) {
	if f.kind(i) != kindObject {
		plain := o.rest == nil || o.rest.loose || len(o.fields) > 0
		if plain {
			f.issue("Invalid input: expected object, received ", f.typeName(i))
		}
		if o.rest != nil && o.rest.union {
			f.issue("Invalid input")
		} else if o.rest != nil && !o.rest.loose {
			f.issue("Invalid input: expected record, received ", f.typeName(i))
		}
		return
	}
	depth := len(f.path)
	for k := range o.fields {
		fl := &o.fields[k]
		child := absent
		if c := f.member(i, fl.name); c != 0 {
			child = c
		}
		if child != absent && f.nodes[child].bad {
			f.broken = true
		}
		f.in(fl.name)
		f.value(fl.schema, child, s.FieldByIndex(fl.index))
		f.out(depth)
	}
	if o.rest != nil {
		f.rest(o, i, s.FieldByIndex(o.rest.index))
	}
	f.check(o, s)
}

// defaults fills the fields of a body that may be, and is, absent.
func (f *filler) defaults(o *object, s reflect.Value) {
	for k := range o.fields {
		if sc := o.fields[k].schema; sc.fallback.IsValid() {
			sc.target(s.FieldByIndex(o.fields[k].index)).Set(sc.fallback)
		}
	}
}

func (f *filler) rest(o *object, i int32, dst reflect.Value) {
	for c := f.nodes[i].first; c != 0; c = f.nodes[c].next {
		name := f.nodes[c].name
		// zod drops __proto__, which would change what JavaScript's objects inherit.
		if name == "__proto__" || slices.ContainsFunc(o.fields, func(fl field) bool { return fl.name == name }) {
			continue
		}
		switch o.rest.typ {
		case membersType:
			m := dst.Addr().Interface().(*Members)
			*m = append(*m, Member{name, f.raw(c)})
		case rawMapType, anyMapType:
			if dst.IsNil() {
				dst.Set(reflect.MakeMap(o.rest.typ))
			}
			value := reflect.ValueOf(f.tree.raw(c))
			if o.rest.typ == anyMapType {
				value = reflect.New(anyMapType.Elem()).Elem()
				setAny(value, f.tree.value(c))
			} else {
				value = value.Convert(rawType)
			}
			dst.SetMapIndex(reflect.ValueOf(name), value)
		}
	}
}

func setAny(dst reflect.Value, v any) {
	if v == nil {
		dst.SetZero()
		return
	}
	dst.Set(reflect.ValueOf(v))
}

// target returns where the value itself goes, behind a pointer or an Opt.
func (s *schema) target(dst reflect.Value) reflect.Value {
	switch {
	case s.opt:
		dst.Field(0).SetBool(true)
		return dst.Field(2)
	case s.pointer:
		dst.Set(reflect.New(s.typ.Elem()))
		return dst.Elem()
	}
	return dst
}

// value fills one field, item or map value.
func (f *filler) value(s *schema, i int32, dst reflect.Value) {
	switch k := f.kind(i); {
	case k == kindUndefined && s.fallback.IsValid():
		s.target(dst).Set(s.fallback)
	case k == kindUndefined && s.optional:
	case k == kindUndefined && s.want == wantObject:
		f.object(s.object, i, dst)
	case k == kindUndefined:
		f.wrong(s, i)
	case k == kindNull && s.nullable:
		if s.opt {
			dst.Field(0).SetBool(true)
			dst.Field(1).SetBool(true)
		}
	default:
		f.present(s, i, s.target(dst))
	}
}

// wrong reports a value of another type. The rules about length look at it all the same,
// as zod's do: an empty list for a string is also too short.
func (f *filler) wrong(s *schema, i int32) {
	if s.enum != nil || s.single {
		f.issue(s.mismatch)
		return
	}
	f.issue(s.mismatch, f.typeName(i))
	if s.want == wantString || s.want == wantArray {
		f.lengths(s, i)
	}
}

func (f *filler) present(s *schema, i int32, dst reflect.Value) {
	k := f.kind(i)
	switch s.want {
	case wantString:
		f.text(s, i, dst)
	case wantBool:
		if s.coerce {
			dst.SetBool(f.truthy(i))
		} else if k == kindBool {
			dst.SetBool(f.nodes[i].truth)
		} else {
			f.wrong(s, i)
		}
	case wantInt, wantFloat:
		f.number(s, i, dst)
	case wantArray:
		f.array(s, i, dst)
	case wantRecord:
		f.record(s, i, dst)
	case wantObject:
		f.object(s.object, i, dst)
	case wantAny:
		setAny(dst, f.tree.value(i))
	case wantRaw:
		dst.SetBytes(f.raw(i))
	}
}

func (f *filler) array(s *schema, i int32, dst reflect.Value) {
	if s.single && f.kind(i) == kindString {
		list := reflect.MakeSlice(dst.Type(), 1, 1)
		list.Index(0).SetString(f.nodes[i].str)
		dst.Set(list)
		return
	}
	if f.kind(i) != kindArray {
		f.wrong(s, i)
		return
	}
	n := f.count(i)
	if s.maxItems >= 0 && n > s.maxItems { // then zod does not look at the items
		f.lengths(s, i)
		return
	}
	list := reflect.MakeSlice(dst.Type(), n, n)
	depth, at := len(f.path), 0
	for c := f.nodes[i].first; c != 0; c = f.nodes[c].next {
		if s.single && f.kind(c) != kindString {
			f.issue(s.mismatch)
			return
		}
		f.item(at)
		f.value(s.elem, c, list.Index(at))
		f.out(depth)
		at++
	}
	f.lengths(s, i)
	dst.Set(list)
}

func (f *filler) record(s *schema, i int32, dst reflect.Value) {
	if f.kind(i) != kindObject {
		f.wrong(s, i)
		return
	}
	t := dst.Type()
	m := reflect.MakeMapWithSize(t, f.count(i))
	depth := len(f.path)
	for c := f.nodes[i].first; c != 0; c = f.nodes[c].next {
		name := f.nodes[c].name
		if name == "__proto__" {
			continue
		}
		value := reflect.New(t.Elem()).Elem()
		f.in(name)
		f.value(s.elem, c, value)
		f.out(depth)
		m.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), value)
	}
	dst.Set(m)
}

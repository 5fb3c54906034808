package server

import (
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/sallyport-auth/sallyport/core"
)

// option is one leaf of a tree of option structs: something that the file sets under a
// dotted path.
type option struct {
	path  string       // "session.expiresIn"
	index []int        // of the field, from the root struct
	typ   reflect.Type // without a pointer
	field string       // import path, type and name of the field, for its comment
	tag   reflect.StructTag
	names map[string]string // of the struct's fields: Go's to the file's
	list  bool              // a list or mapping of objects, whose own options are in members
	under []option
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	secretsType  = reflect.TypeFor[[]core.Secret]()
	pluginsType  = reflect.TypeFor[Plugins]()
)

// yamlField tells what the file calls a field; ok is false if it cannot be set there.
func yamlField(f *reflect.StructField) (name string, inline, ok bool) {
	tag := f.Tag.Get("yaml")
	name, flags, _ := strings.Cut(tag, ",")
	if !f.IsExported() || name == "-" {
		return "", false, false
	}
	if flags == "inline" {
		return "", true, true
	}
	if name == "" {
		name = strings.ToLower(f.Name)
	}
	return name, false, true
}

// optionsOf lists the options of a struct in the order of its fields.
func optionsOf(t reflect.Type, prefix string, index ...int) []option {
	var out []option
	names := map[string]string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, inline, ok := yamlField(&f)
		if !ok {
			continue
		}
		names[f.Name] = name
		at := append(index[:len(index):len(index)], i)
		if inline {
			out = append(out, optionsOf(f.Type, prefix, at...)...)
			continue
		}
		path := join(prefix, name)
		typ := f.Type
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		o := option{path: path, index: at, typ: typ, field: t.PkgPath() + "." + t.Name() + "." + f.Name, tag: f.Tag, names: names}
		switch {
		case typ == pluginsType:
		case typ.Kind() == reflect.Struct:
			out = append(out, optionsOf(typ, path, at...)...)
			continue
		case isObjects(typ):
			o.list = true
			under := path + "[]"
			if typ.Kind() == reflect.Map {
				under = path + ".NAME"
			}
			o.under = optionsOf(typ.Elem(), under)
		}
		out = append(out, o)
	}
	return out
}

func isObjects(t reflect.Type) bool {
	k := t.Kind()
	return (k == reflect.Slice || k == reflect.Map) && t.Elem().Kind() == reflect.Struct
}

func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}

const envPrefix = "SALLYPORT_"

// env is the option's environment variable, or empty: lists of objects have none.
func (o *option) env() string {
	if o.list && o.typ != secretsType || o.typ.Kind() == reflect.Map || o.typ.Kind() == reflect.Interface {
		return ""
	}
	return envName(o.path)
}

// envName writes a path in capitals: "session.expiresIn" is SALLYPORT_SESSION_EXPIRES_IN.
func envName(path string) string {
	var b strings.Builder
	b.WriteString(envPrefix)
	low := false
	for _, r := range strings.ReplaceAll(path, "KiB", "Kib") {
		switch {
		case r == '.' || r == '-':
			r, low = '_', false
		case unicode.IsUpper(r) && low:
			b.WriteByte('_')
			low = false
		default:
			low = unicode.IsLower(r) || unicode.IsDigit(r)
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

// kind names what the option takes, for people.
func (o *option) kind() string {
	switch {
	case o.typ == durationType:
		return `duration, such as "10s"`
	case o.typ == pluginsType:
		return "mapping or list of plugins"
	case o.list && o.typ.Kind() == reflect.Map:
		return "mapping of names to objects"
	case o.list:
		return "list of objects"
	}
	switch o.typ.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Slice:
		return "list of texts"
	case reflect.Map:
		return "mapping of texts"
	case reflect.Interface:
		return "any value"
	}
	return "whole number"
}

// settable returns the place of the option in root, behind a pointer if it has one: made
// anew, so that defaults are not shared.
func (o *option) settable(root reflect.Value) reflect.Value {
	v := root.FieldByIndex(o.index)
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		return v.Elem()
	}
	return v
}

package server

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Fault is one thing that is wrong with the configuration.
type Fault struct {
	File string // or the name of an environment variable; empty where there is no place
	Line int    // from 1; 0 where there is none
	Col  int
	Path string // of the option, "session.expiresIn"; empty for the file as a whole
	Text string // what is wrong; never a value, which may be a secret
}

func (f Fault) String() string {
	s := f.Text
	if f.Path != "" {
		s = f.Path + ": " + s
	}
	switch {
	case f.Line > 0:
		return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Col, s)
	case f.File != "":
		return f.File + ": " + s
	}
	return s
}

// ConfigError is every fault of a configuration.
type ConfigError struct{ Faults []Fault }

func (e *ConfigError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// maxFile bounds a config file, in bytes.
const maxFile = 1 << 20

// decoder reads a YAML document into option structs. It reports every fault, by line,
// column and path: keys that no option has, keys given twice, values of the wrong type.
// Anchors, aliases, tags and merged mappings are refused: what a file sets must stand
// where one looks for it.
type decoder struct {
	file    string
	faults  []Fault
	plugins ast.Node // the value of the option of type Plugins
}

func (d *decoder) fault(tk *token.Token, path, format string, args ...any) {
	f := Fault{File: d.file, Path: path, Text: fmt.Sprintf(format, args...)}
	if tk != nil && tk.Position != nil {
		f.Line, f.Col = tk.Position.Line, tk.Position.Column
	}
	d.faults = append(d.faults, f)
}

// decode fills the struct that into points to.
func (d *decoder) decode(text []byte, into any) {
	if len(text) > maxFile {
		d.fault(nil, "", "more than %d bytes", maxFile)
		return
	}
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		if e, ok := err.(yaml.Error); ok {
			d.fault(e.GetToken(), "", "%s", e.GetMessage())
		} else {
			d.fault(nil, "", "is no YAML")
		}
		return
	}
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil {
			bodies = append(bodies, doc.Body)
		}
	}
	if len(bodies) > 1 {
		d.fault(bodies[1].GetToken(), "", "a second document: there must be one")
		return
	}
	if len(bodies) == 1 {
		d.object(bodies[0], reflect.ValueOf(into).Elem(), "")
	}
}

// pair is one entry of a mapping.
type pair struct {
	name  string
	token *token.Token
	value ast.Node
}

// pairs reads a mapping; null is an empty one.
func (d *decoder) pairs(n ast.Node, path string) []pair {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.NullNode, *ast.CommentGroupNode:
		return nil
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		d.fault(n.GetToken(), path, "expected a mapping of names to values")
		return nil
	}
	var out []pair
	for _, v := range values {
		tk := v.Key.GetToken()
		p := pair{tk.Value, tk, v.Value}
		switch {
		case v.Key.IsMergeKey():
			d.fault(tk, path, "merged mappings are not supported")
			continue
		case slices.ContainsFunc(out, func(o pair) bool { return o.name == p.name }):
			d.fault(tk, join(path, p.name), "given twice")
			continue
		case !d.plain(v.Value, join(path, p.name)):
			continue
		}
		out = append(out, p)
	}
	return out
}

// plain refuses what hides where a value comes from.
func (d *decoder) plain(n ast.Node, path string) bool {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode:
		d.fault(n.GetToken(), path, "anchors and aliases are not supported")
		return false
	case *ast.TagNode:
		d.fault(n.GetToken(), path, "tags are not supported")
		return false
	}
	return true
}

// object fills a struct from a mapping.
func (d *decoder) object(n ast.Node, into reflect.Value, path string) {
	if !d.plain(n, path) {
		return
	}
	fields := map[string]reflect.Value{}
	members(into, fields)
	for _, p := range d.pairs(n, path) {
		at := join(path, p.name)
		f, ok := fields[p.name]
		if !ok {
			hint := suggest(p.name, fields)
			if hint != "" {
				hint = "; did you mean " + join(path, hint) + "?"
			}
			d.fault(p.token, at, "no such option%s", hint)
			continue
		}
		d.value(p.value, f, at)
	}
}

// members lists the fields of a struct by the names that the file has for them.
func members(v reflect.Value, out map[string]reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, inline, ok := yamlField(&f)
		if inline {
			members(v.Field(i), out)
		} else if ok {
			out[name] = v.Field(i)
		}
	}
}

func (d *decoder) value(n ast.Node, into reflect.Value, path string) {
	if _, null := n.(*ast.NullNode); null {
		return
	}
	t := into.Type()
	switch {
	case t == pluginsType:
		d.plugins = n
	case t.Kind() == reflect.Struct:
		d.object(n, into, path)
	case t.Kind() == reflect.Slice && isObjects(t):
		list, ok := n.(*ast.SequenceNode)
		if !ok {
			d.fault(n.GetToken(), path, "expected a list of objects")
			return
		}
		for i, item := range list.Values {
			v := reflect.New(t.Elem()).Elem()
			d.object(item, v, fmt.Sprintf("%s[%d]", path, i))
			into.Set(reflect.Append(into, v))
		}
	case t.Kind() == reflect.Map && isObjects(t):
		into.Set(reflect.MakeMap(t))
		for _, p := range d.pairs(n, path) {
			v := reflect.New(t.Elem()).Elem()
			d.object(p.value, v, join(path, p.name))
			into.SetMapIndex(reflect.ValueOf(p.name), v)
		}
	default:
		d.scalar(n, into, path)
	}
}

// scalar leaves a value to the YAML library. Of its error only the place is told: the
// text may quote the value.
func (d *decoder) scalar(n ast.Node, into reflect.Value, path string) {
	typ := into.Type()
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	o := option{typ: typ}
	ok := true
	ast.Walk(visitor(func(c ast.Node) { ok = ok && d.plain(c, path) }), n)
	if !ok {
		return
	}
	v := reflect.New(typ)
	if !shaped(n, typ) || yaml.NodeToValue(n, v.Interface(), yaml.Strict()) != nil {
		d.fault(n.GetToken(), path, "expected %s", o.kind())
		return
	}
	if into.Kind() == reflect.Pointer {
		into.Set(v)
	} else {
		into.Set(v.Elem())
	}
}

// shaped refuses what the library would bend: a fraction for a whole number, a list for
// a text, a single text for a list.
func shaped(n ast.Node, t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.String:
		switch n.(type) {
		case *ast.StringNode, *ast.LiteralNode, *ast.IntegerNode, *ast.FloatNode:
			return true
		}
		return false
	case reflect.Bool:
		_, ok := n.(*ast.BoolNode)
		return ok
	case reflect.Slice:
		list, ok := n.(*ast.SequenceNode)
		return ok && !slices.ContainsFunc(list.Values, func(v ast.Node) bool { return !shaped(v, t.Elem()) })
	case reflect.Map:
		switch n.(type) {
		case *ast.MappingNode, *ast.MappingValueNode:
			return true
		}
		return false
	case reflect.Float32, reflect.Float64:
		return isNode[*ast.IntegerNode](n) || isNode[*ast.FloatNode](n)
	}
	if t == durationType {
		return isNode[*ast.StringNode](n)
	}
	return isNode[*ast.IntegerNode](n)
}

func isNode[T ast.Node](n ast.Node) bool { _, ok := n.(T); return ok }

type visitor func(ast.Node)

func (v visitor) Visit(n ast.Node) ast.Visitor { v(n); return v }

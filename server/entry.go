package server

import (
	"fmt"
	"io/fs"
	"reflect"

	"github.com/goccy/go-yaml/ast"

	"github.com/sallyport-auth/sallyport/core"
)

// PluginEntry is a plugin that the program has: its id, the type of its options, and how
// it is made. The config file enables it. Make one with Entry or TryEntry.
type PluginEntry struct {
	id      string
	options reflect.Type
	make    func(options any) (core.Plugin, error)
	modules fs.FS
	asked   bool // runs only where it is named
}

// Entry offers a plugin under its id. O is a struct with yaml tags; the file's options
// are decoded into it strictly. A field may carry its documentation in a tag
// `doc:"..."`, which "config docs" prints where it does not know the field's comment. A text
// that must stay secret is tagged `secret:"true"`: production then refuses a config file
// with it that everybody on the machine can read, and such a file in an option of the same
// name with "File" behind it.
//
//	server.Entry("email-password", emailpassword.New)
func Entry[O any, P core.Plugin](id string, make func(O) P) PluginEntry {
	return TryEntry(id, func(o O) (P, error) { return make(o), nil })
}

// TryEntry is Entry for a constructor that may fail.
func TryEntry[O any, P core.Plugin](id string, make func(O) (P, error)) PluginEntry {
	typ := reflect.TypeFor[O]()
	if typ.Kind() != reflect.Struct {
		panic(fmt.Sprintf("server: the options of plugin %s are a %s, not a struct", id, typ.Kind()))
	}
	return PluginEntry{id: id, options: typ, make: func(options any) (core.Plugin, error) {
		var o O
		if options != nil {
			var ok bool
			if o, ok = options.(O); !ok {
				return nil, fmt.Errorf("plugins.%s: the options are %T, not %T", id, options, o)
			}
		}
		p, err := make(o)
		if err != nil {
			return nil, fmt.Errorf("plugins.%s: %w", id, err)
		}
		return p, nil
	}}
}

// WithModules adds the ES modules that the plugin brings to the built-in pages: files in
// the root of f, named as in the plugin's page entries.
func (e PluginEntry) WithModules(f fs.FS) PluginEntry {
	e.modules = f
	return e
}

// Enabled is a plugin that is to run. Options is a value of its options struct, or nil
// for the defaults.
type Enabled struct {
	ID      string
	Options any
}

// Plugins are the enabled plugins, in order.
type Plugins []Enabled

// OnRequest keeps development from enabling the plugin where nothing says which plugins
// are wanted.
func (e PluginEntry) OnRequest() PluginEntry {
	e.asked = true
	return e
}

// find returns the entry of that id.
func find(entries []PluginEntry, id string) *PluginEntry {
	for i := range entries {
		if entries[i].id == id {
			return &entries[i]
		}
	}
	return nil
}

// enable reads the option "plugins".
func (d *decoder) enable(entries []PluginEntry) Plugins {
	var list []pair
	switch n := d.plugins.(type) {
	case nil:
		return nil
	case *ast.SequenceNode:
		for i, item := range n.Values {
			at := fmt.Sprintf("plugins[%d]", i)
			switch v := item.(type) {
			case *ast.StringNode:
				list = append(list, pair{v.Value, v.GetToken(), ast.Null(v.GetToken())})
			case *ast.MappingNode, *ast.MappingValueNode:
				ps := d.pairs(v, at)
				if len(ps) > 1 {
					d.fault(ps[1].token, at, "more than one plugin in one item")
				}
				list = append(list, ps...)
			default:
				d.fault(item.GetToken(), at, "expected the id of a plugin, or one id with its options")
			}
		}
	default:
		list = d.pairs(n, "plugins")
	}
	known := map[string]bool{}
	for _, e := range entries {
		known[e.id] = true
	}
	out := Plugins{}
	seen := map[string]bool{}
	for _, p := range list {
		path := "plugins." + p.name
		e := find(entries, p.name)
		switch {
		case e == nil:
			hint := suggest(p.name, known)
			if hint != "" {
				hint = "; did you mean " + hint + "?"
			}
			d.fault(p.token, path, "this program has no such plugin%s", hint)
			continue
		case seen[p.name]:
			d.fault(p.token, path, "given twice")
			continue
		}
		seen[p.name] = true
		o := reflect.New(e.options)
		if _, null := p.value.(*ast.NullNode); !null {
			d.object(p.value, o.Elem(), path)
		}
		out = append(out, Enabled{p.name, o.Elem().Interface()})
	}
	return out
}

// IDs lists the ids of entries, in order.
func IDs(entries []PluginEntry) []string {
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = e.id
	}
	return out
}

// Commands lists the commands of all plugins, enabled or not, each plugin made with the
// options of its zero value and not started: for help texts.
func Commands(entries ...PluginEntry) []core.PluginCommand {
	var out []core.PluginCommand
	for _, e := range entries {
		p, err := e.make(nil)
		if err != nil {
			continue // it wants options, and says so where it is enabled
		}
		for _, c := range p.Spec().Commands {
			out = append(out, core.PluginCommand{Plugin: e.id, Command: c})
		}
	}
	return out
}

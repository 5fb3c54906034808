package core

import (
	"reflect"
	"slices"
	"strings"
)

// provided is a service with the plugin that brings it.
type provided struct {
	owner string
	value any
}

func (b *compiler) provide(s Spec) {
	for _, p := range s.Provides {
		if p.typ.Kind() != reflect.Interface {
			b.fault("plugin %s: provides %v, which is no interface and would be found by nobody: use Provide[Interface](value)", s.ID, p.typ)
			continue
		}
		if p.value == nil {
			b.fault("plugin %s: provides a nil %v", s.ID, p.typ)
			continue
		}
		if old, ok := b.services[p.typ]; ok {
			b.fault("plugin %s: %v is provided by %s already", s.ID, p.typ, old.owner)
			continue
		}
		b.services[p.typ] = provided{s.ID, p.value}
	}
}

func (b *compiler) needs(s Spec) {
	for _, n := range s.Needs {
		p, ok := b.services[n.typ]
		switch {
		case ok:
			n.set(p.value)
		case !n.optional:
			b.fault("plugin %s: needs a %v, which no plugin provides", s.ID, n.typ)
		}
	}
}

// cycles finds plugins that need each other, directly or through others: each would have
// to be initialised before the other.
func (b *compiler) cycles() {
	needs := map[string][]string{} // plugin to those whose services it has
	for _, s := range b.h.specs {
		for _, n := range s.Needs {
			if p, ok := b.services[n.typ]; ok && p.owner != s.ID {
				needs[s.ID] = append(needs[s.ID], p.owner)
			}
		}
	}
	done := map[string]bool{}
	var visit func(id string, path []string)
	visit = func(id string, path []string) {
		if i := slices.Index(path, id); i >= 0 {
			b.fault("plugins: %s need each other", strings.Join(append(slices.Clone(path[i:]), id), " -> "))
			return
		}
		if done[id] {
			return
		}
		path = append(path, id)
		for _, owner := range needs[id] {
			visit(owner, path)
		}
		done[id] = true
	}
	for _, s := range b.h.specs {
		visit(s.ID, nil)
	}
}

package core

import (
	"slices"
	"strings"
)

// router finds endpoints by the exact path as it was sent. There is no cleaning, no
// decoding and no redirect to a tidier path: guards attach to endpoints, and a path
// that is odd in any way has none.
type router struct {
	exact    map[routeKey]*endpoint
	patterns []*endpoint // with parameters; few
	prefix   string      // base path
	slash    bool        // a trailing slash is let pass
	disabled map[string]bool
	aliases  map[string]bool // paths
}

type routeKey struct{ method, path string }

func newRouter(prefix string) *router {
	return &router{exact: map[routeKey]*endpoint{}, disabled: map[string]bool{}, aliases: map[string]bool{}, prefix: prefix}
}

// add registers an endpoint and returns the one that holds one of its routes already.
func (r *router) add(e *endpoint) (taken *endpoint) {
	for _, m := range e.methods {
		if strings.Contains(e.path, ":") {
			for _, p := range r.patterns {
				if overlap(p.path, e.path) && slices.Contains(p.methods, m) {
					return p
				}
			}
			r.patterns = append(r.patterns, e)
			return nil
		}
		k := routeKey{m, r.prefix + e.path}
		if old := r.exact[k]; old != nil {
			return old
		}
		r.exact[k] = e
	}
	return nil
}

// addAlias registers a second, absolute path.
func (r *router) addAlias(e *endpoint, a *Alias) (taken *endpoint) {
	c := *e // with its hooks: aliases are added last
	c.alias, c.pattern = a, a.Path
	k := routeKey{a.Method, a.Path}
	if old := r.exact[k]; old != nil {
		return old
	}
	r.exact[k] = &c
	r.aliases[a.Path] = true
	return nil
}

// find returns the endpoint and, for a pattern, its parameters.
func (r *router) find(method, path string) (*endpoint, func(string) (string, bool)) {
	if r.slash && len(path) > 1 && path[len(path)-1] == '/' {
		path = path[:len(path)-1]
	}
	if e := r.exact[routeKey{method, path}]; e != nil {
		return e, nil
	}
	rest, ok := strings.CutPrefix(path, r.prefix)
	if !ok {
		return nil, nil
	}
	for _, e := range r.patterns {
		if slices.Contains(e.methods, method) {
			if params, ok := matchPattern(e.path, rest); ok {
				return e, func(name string) (string, bool) { v, ok := params[name]; return v, ok }
			}
		}
	}
	return nil, nil
}

func matchPattern(pattern, path string) (map[string]string, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	params := map[string]string{}
	for i, w := range want {
		if name, ok := strings.CutPrefix(w, ":"); ok {
			// Not decoded: that would give one resource two spellings.
			if got[i] == "" {
				return nil, false
			}
			params[name] = strings.Clone(got[i])
		} else if w != got[i] {
			return nil, false
		}
	}
	return params, true
}

// overlap tells whether two patterns can match one path.
func overlap(a, b string) bool {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] && !strings.HasPrefix(x[i], ":") && !strings.HasPrefix(y[i], ":") {
			return false
		}
	}
	return true
}

package core

import "strings"

// router finds endpoints by the exact path as it was sent. There is no cleaning, no
// decoding and no redirect to a tidier path: guards attach to endpoints, and a path
// that is odd in any way has none.
type router struct {
	exact    map[routeKey]*endpoint
	patterns []pattern // with parameters; few
	prefix   string    // base path
	slash    bool      // a trailing slash is let pass
	disabled map[string]bool
	outside  map[string]bool // exact paths that are not below the base path
	envelope []*Envelope     // longest prefix first
}

type routeKey struct{ method, path string }

// pattern is a path with parameters.
type pattern struct {
	routeKey
	ep *endpoint
}

func newRouter(prefix string) *router {
	return &router{exact: map[routeKey]*endpoint{}, disabled: map[string]bool{}, outside: map[string]bool{}, prefix: prefix}
}

// full is the path at which an endpoint that is no alias answers.
func (r *router) full(e *endpoint) string {
	if e.absolute || e.access == ServerOnly {
		return e.path
	}
	return r.prefix + e.path
}

// below tells whether a path is below the base path.
func (r *router) below(path string) bool { return strings.HasPrefix(path, r.prefix+"/") }

// add registers an endpoint or alias, and returns the one that holds one of its routes
// already.
func (r *router) add(e *endpoint) (taken *endpoint) {
	methods, path := e.methods, e.pattern
	if e.alias != nil {
		methods = []string{e.alias.Method}
	}
	for _, m := range methods {
		k := routeKey{m, path}
		if strings.Contains(path, ":") {
			for _, p := range r.patterns {
				if p.method == m && overlap(p.path, path) {
					return p.ep
				}
			}
			r.patterns = append(r.patterns, pattern{k, e})
			continue
		}
		if old := r.exact[k]; old != nil {
			return old
		}
		r.exact[k] = e
		if !r.below(path) {
			r.outside[path] = true
		}
	}
	return nil
}

// owns tells whether a path is answered here, be it with 404.
func (r *router) owns(path string) bool {
	if r.below(path) || r.outside[path] {
		return true
	}
	if e := r.envelopeOf(path); e != nil && e.Owns {
		return true
	}
	for _, p := range r.patterns {
		if !r.below(p.path) {
			if _, ok := matchPattern(p.path, path); ok {
				return true
			}
		}
	}
	return false
}

// envelopeOf is the form of failures at a path; nil for core's own.
func (r *router) envelopeOf(path string) *Envelope {
	for _, e := range r.envelope {
		if strings.HasPrefix(path, e.Prefix) {
			return e
		}
	}
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
	for _, p := range r.patterns {
		if p.method == method {
			if params, ok := matchPattern(p.path, path); ok {
				return p.ep, func(name string) (string, bool) { v, ok := params[name]; return v, ok }
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

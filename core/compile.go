package core

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/internal/input"
	"github.com/sallyport-auth/sallyport/core/schema"
)

// compiler turns the plugin list into a Host. It collects every fault, so that one
// start tells everything that has to be mended.
type compiler struct {
	h        *Host
	faults   []error
	services map[reflect.Type]provided
}

func (b *compiler) fault(format string, args ...any) {
	b.faults = append(b.faults, fmt.Errorf(format, args...))
}

var idForm = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

var methodForm = regexp.MustCompile(`^[A-Z]+$`)

// codeForm is what an error code looks like. Better Auth has some in lower case, which it
// sends in redirects.
var codeForm = regexp.MustCompile(`^([A-Z][A-Z0-9_]*|[a-z][a-z0-9_]*)$`)

func (b *compiler) compile(own Spec, fields map[string]*field) {
	h := b.h
	seen := map[string]bool{}
	values := map[Plugin]bool{}
	h.specs = []Spec{own}
	for _, p := range h.cfg.Plugins {
		if p == nil {
			b.fault("plugins: a nil plugin in the list")
			continue
		}
		if reflect.TypeOf(p).Comparable() {
			if values[p] {
				b.fault("plugins: one plugin value is listed twice")
			}
			values[p] = true
		}
		s := p.Spec()
		switch {
		case !idForm.MatchString(s.ID):
			b.fault("plugins: %T has id %q: want lower-case kebab-case", p, s.ID)
		case seen[s.ID] || s.ID == own.ID:
			b.fault("plugins: %q is listed twice", s.ID)
		}
		seen[s.ID] = true
		for _, err := range s.Faults {
			b.fault("plugin %s: %w", s.ID, err)
		}
		h.specs = append(h.specs, s)
	}
	if len(h.cfg.Hooks)+len(h.cfg.Errors) > 0 {
		h.specs = append(h.specs, Spec{ID: "app", Hooks: h.cfg.Hooks, Errors: h.cfg.Errors})
	}
	b.userFields(fields)
	b.schema()
	for _, s := range h.specs {
		b.errors(s)
		b.endpoints(s)
		b.provide(s)
	}
	for _, s := range h.specs {
		b.hooks(s)
		b.needs(s)
	}
	b.cycles()
	b.names()
	b.envelopes()
	b.aliases()
	b.jobs()
	b.mails()
	for _, path := range b.h.cfg.DisabledPaths {
		if !slices.ContainsFunc(b.h.list, func(e *endpoint) bool { return e.path == path }) {
			b.fault("disabledPaths: no endpoint has the path %q", path)
		}
	}
}

func (b *compiler) schema() {
	var tables []schema.Table
	var ext []schema.Extension
	for _, s := range b.h.specs {
		for _, t := range s.Tables {
			t.Owner = s.ID
			t.Columns = owned(t.Columns, s.ID)
			tables = append(tables, t)
		}
		for _, e := range s.Extend {
			e.Columns = owned(e.Columns, s.ID)
			ext = append(ext, e)
		}
		for i, st := range s.Steps {
			if st.Number != i+1 || st.Name == "" {
				b.fault("plugin %s: schema step %d must have number %d and a name", s.ID, st.Number, i+1)
			}
			st.Plugin = s.ID
			b.h.steps = append(b.h.steps, st)
		}
	}
	s, err := schema.Merge(tables, ext)
	if err != nil {
		b.faults = append(b.faults, err)
	}
	// Overrides may say where Better Auth's bans are, which no plugin of ours has; see adoptBan.
	for _, c := range []schema.Column{banned, banExpires} {
		if u := s.Table("user"); b.h.cfg.Names.Overrides["user."+c.Name] != "" && u != nil && u.Column(c.Name) == nil {
			u.Columns = append(u.Columns, c)
		}
	}
	b.faults = append(b.faults, b.h.cfg.Names.Check(s)...)
	b.h.schema = s
}

func owned(cols []schema.Column, id string) []schema.Column {
	out := append([]schema.Column(nil), cols...)
	for i := range out {
		out[i].Owner = id
	}
	return out
}

func (b *compiler) errors(s Spec) {
	for _, e := range s.Errors {
		if e == nil {
			b.fault("plugin %s: a nil error in the list", s.ID)
			continue
		}
		if !codeForm.MatchString(e.Code) || e.Status < 400 || e.Status > 599 {
			b.fault("plugin %s: error %q with status %d: want a code like INVALID_TOKEN and a status from 400 to 599", s.ID, e.Code, e.Status)
		}
		if e.class != "" && e.class.policy().class != e.class {
			b.fault("plugin %s: error %s is in the class %q, which is none", s.ID, e.Code, e.class)
		}
		old := b.h.errorByCode(e.Code)
		if old != nil && (old.Status != e.Status || old.Message != e.Message) {
			b.fault("plugin %s: error %s differs from the one that %s declares", s.ID, e.Code, b.h.owners[e.Code])
			continue
		}
		if old == nil {
			b.h.owners[e.Code] = s.ID
			b.h.errors = append(b.h.errors, e)
		}
	}
}

func (h *Host) errorByCode(code string) *Error {
	for _, e := range h.errors {
		if e.Code == code {
			return e
		}
	}
	return nil
}

func (b *compiler) endpoints(s Spec) {
	for _, e := range s.Endpoints {
		if e.ep == nil || e.ep.run == nil {
			b.fault("plugin %s: an endpoint without a handler", s.ID)
			continue
		}
		ep := *e.ep // an endpoint value may be used by several Auths
		ep.owner, ep.pattern = s.ID, b.h.router.full(&ep)
		d, err := input.Compile(ep.in)
		if err == nil {
			err = d.Demand(ep.demand...)
		}
		if err != nil {
			b.fault("plugin %s: input of %s: %w", s.ID, ep.path, err)
			continue
		}
		ep.decoder = d
		if old := b.h.routes[ep.key]; old != nil {
			b.fault("plugin %s: %s is registered twice (by %s)", s.ID, ep.path, old.owner)
			continue
		}
		b.h.routes[ep.key] = &ep
		b.h.list = append(b.h.list, &ep)
		if ep.access == ServerOnly {
			continue
		}
		if ep.disabled = slices.Contains(b.h.cfg.DisabledPaths, ep.path); ep.disabled {
			b.h.router.disabled[ep.pattern] = true
			continue
		}
		if old := b.h.router.add(&ep); old != nil {
			b.fault("plugin %s: %s %s is taken by %s", s.ID, strings.Join(ep.methods, "|"), ep.path, old.owner)
		}
	}
}

func (b *compiler) hooks(s Spec) {
	for _, hk := range s.Hooks {
		if hk.target == nil || hk.fn == nil || reflect.ValueOf(hk.fn).IsNil() {
			b.fault("plugin %s: an empty hook: %q without a function", s.ID, hk.name)
			continue
		}
		hk.owner = s.ID
		if ep, ok := b.h.routes[hk.target]; ok {
			ep.hooks = append(ep.hooks, hk)
			continue
		}
		if hk.route {
			if i := slices.IndexFunc(b.h.list, func(e *endpoint) bool { return e.path == hk.name }); i >= 0 {
				b.fault("plugin %s: hook on another route value than the one that %s serves at %s: use its variable", s.ID, b.h.list[i].owner, hk.name)
				continue
			}
			b.fault("plugin %s: hook on %s, which no plugin serves: is its plugin in the list?", s.ID, hk.name)
			continue
		}
		b.h.hooks[hk.target] = append(b.h.hooks[hk.target], hk)
	}
}

func (b *compiler) jobs() {
	for _, s := range b.h.specs {
		for _, j := range s.Jobs {
			if err := b.h.jobs.register(s.ID, j); err != nil {
				b.fault("plugin %s: %w", s.ID, err)
			}
		}
	}
}

// names refuses what would hide something else of the same name: a command that nobody
// could call, a part that an export would lack.
func (b *compiler) names() {
	commands, data, events := map[string]string{}, map[string]string{}, map[string]string{}
	once := func(taken map[string]string, kind, name, owner string) {
		if old, ok := taken[name]; ok {
			b.fault("plugin %s: %s %q is taken by %s", owner, kind, name, old)
		}
		taken[name] = owner
		if name == "" {
			b.fault("plugin %s: %s without a name", owner, kind)
		}
	}
	for _, s := range b.h.specs {
		for _, c := range s.Commands {
			once(commands, "command", s.ID+" "+c.Name, s.ID)
			if c.Run == nil || c.Name == "" || strings.ContainsAny(c.Name, " \t") {
				b.fault("plugin %s: command %q: want one word and a function", s.ID, c.Name)
			}
		}
		for _, d := range s.Data {
			once(data, "data set", d.Name, s.ID)
		}
		for _, e := range s.Events {
			once(events, "event", e.Name, s.ID)
			b.h.events[e.Name] = e
		}
	}
}

func (b *compiler) err() error {
	if len(b.faults) == 0 {
		return nil
	}
	n := fmt.Sprintf("%d faults", len(b.faults))
	if len(b.faults) == 1 {
		n = "a fault"
	}
	return fmt.Errorf("core: %s in the configuration:\n%w", n, errors.Join(b.faults...))
}

package plugintest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
)

// Check holds a plugin to the rules that all plugins share. plugin returns a new value of
// it each time. The subtests:
//
//	schema        its tables can be made on SQLite and PostgreSQL, and a second time there
//	              is nothing to do
//	journey       Options.Journey succeeds on both, and covers every endpoint
//	access        an endpoint that is not public answers 401 without a session, and to a
//	              cookie that is expired, altered, signed by another secret, or copied from
//	              the database
//	origin        with a cookie, a foreign or missing Origin is 403, and nothing changes
//	get           GET changes nothing, unless it carries a secret that was mailed
//	fuzz          no input is answered with 500, a panic, or a code that nobody registered
//	secrets       no password, token, code or hidden column in logs, or in answers that do
//	              not exist to carry it
//	hooks         a hook that fails or panics refuses the request, and undoes everything
//	transactions  no hashing, no pool, no network inside one
//	users         nobody sees or changes rows of somebody else
//	erase         a deleted user leaves no row behind, and an export holds no secret
//	events        every security event has a declared type, and holds no secret
//
// Not safe beside parallel tests that use http.DefaultTransport.
func Check(t *testing.T, plugin func() core.Plugin, o Options) {
	t.Helper()
	if len(o.Plugins) > 0 {
		t.Fatal("plugintest: Check makes many harnesses: give it Rules.Others, not Plugins")
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			for _, f := range runCheck(t, c.run, plugin, o) {
				t.Error(f)
			}
		})
	}
}

var checks = []struct {
	name string
	run  func(*checker)
}{
	{"schema", checkSchema}, {"journey", checkJourney}, {"access", checkAccess}, {"origin", checkOrigin}, {"get", checkGet},
	{"fuzz", checkFuzz}, {"secrets", checkSecrets}, {"hooks", checkHooks}, {"transactions", checkTransactions},
	{"users", checkUsers}, {"erase", checkErase}, {"events", checkEvents},
}

// checker is one check at work. Faults are collected, so that the kit's own tests can
// see that a bad plugin is found.
type checker struct {
	t      testing.TB
	plugin func() core.Plugin
	o      Options
	faults []string
}

func runCheck(t testing.TB, run func(*checker), plugin func() core.Plugin, o Options) []string {
	c := &checker{t: t, plugin: plugin, o: o}
	run(c)
	return c.faults
}

// maxFaults bounds what one check reports: the first few say it all.
const maxFaults = 20

func (c *checker) fault(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if len(c.faults) < maxFaults && !slices.Contains(c.faults, text) {
		c.faults = append(c.faults, text)
	}
}

// harness makes a new one with the plugin under test last, so that its hooks do not hide
// what the others do. hooks are the app's.
func (c *checker) harness(e Engine, hooks ...core.Hook) *Harness {
	c.t.Helper()
	h, err := c.start(e, hooks...)
	if err != nil {
		c.t.Fatalf("plugintest: %v", err)
	}
	return h
}

func (c *checker) start(e Engine, hooks ...core.Hook) (*Harness, error) {
	c.t.Helper()
	o := c.o
	o.Database = e
	if o.Others != nil {
		o.Plugins = o.Others()
	}
	o.Plugins = append(o.Plugins, c.plugin())
	o.Config = func(cfg *core.Config) {
		if c.o.Config != nil {
			c.o.Config(cfg)
		}
		cfg.Hooks = append(cfg.Hooks, hooks...)
	}
	return Start(c.t, o)
}

func (c *checker) engines() []Engine {
	if c.o.NoPostgres {
		return []Engine{SQLite}
	}
	return []Engine{SQLite, Postgres}
}

// walk runs the journey. What happens to each request on the way is up to probe and
// observe, which may be nil.
func (c *checker) walk(h *Harness, probe func(*Client, *Request), observe func(*Client, *Request, *Answer)) {
	c.t.Helper()
	if c.o.Journey == nil {
		return
	}
	h.probe, h.observe = probe, observe
	c.o.Journey(h)
	h.probe, h.observe = nil, nil
}

// route finds the endpoint of a request: its description, or nil.
func (h *Harness) route(r *Request) *core.RouteInfo {
	path, _, _ := strings.Cut(r.Path, "?")
	base := strings.TrimPrefix(h.Host.URL(""), h.Host.BaseURL())
	for _, i := range h.Auth.Routes() {
		if aliasOf(&i, r.Method, path) != "" {
			return &i
		}
		if slices.Contains(i.Methods, r.Method) && (samePath(i.Path, base+path) || samePath(i.Path, path)) {
			return &i
		}
	}
	return nil
}

// aliased tells whether a request goes to an alias.
func (h *Harness) aliased(r *Request) bool {
	path, _, _ := strings.Cut(r.Path, "?")
	i := h.route(r)
	return i != nil && aliasOf(i, r.Method, path) != ""
}

// otherForm tells whether a request goes to an endpoint in the form of another API, whose
// failures may have any form and status: an alias, or a path that is not below the base.
func (h *Harness) otherForm(r *Request) bool {
	i := h.route(r)
	return i != nil && (h.aliased(r) || h.below(i) == i.Path)
}

// aliasOf is the alias of an endpoint by which a request goes, or "".
func aliasOf(i *core.RouteInfo, method, path string) string {
	for _, a := range i.Aliases {
		if m, pattern, _ := strings.Cut(a, " "); m == method && samePath(pattern, path) {
			return a
		}
	}
	return ""
}

func samePath(pattern, path string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && !strings.HasPrefix(want[i], ":") {
			return false
		}
	}
	return true
}

// own is route for the plugin under test and those beside it; nil for core's.
func (h *Harness) own(r *Request) *core.RouteInfo {
	if i := h.route(r); i != nil && owned(*i) {
		return i
	}
	return nil
}

// below is an endpoint's path below the base path.
func (h *Harness) below(i *core.RouteInfo) string {
	return strings.TrimPrefix(i.Path, strings.TrimPrefix(h.Host.URL(""), h.Host.BaseURL()))
}

func (c *checker) listed(h *Harness, list []string, i *core.RouteInfo) bool {
	return slices.Contains(list, h.below(i))
}

// inspect looks at an answer for what must hold of every one.
func (c *checker) inspect(h *Harness, r *Request, a *Answer) {
	known := map[string]bool{}
	for _, e := range h.Auth.Errors() {
		known[e.Code] = true
	}
	switch {
	case a.Status >= 500:
		c.fault("%s %s answers %d: %s\n\tsent: %v\n\tlog: %s", r.Method, r.Path, a.Status, a.Body, clip(fmt.Sprint(r.Body)), lastLine(h.Logs.String()))
	case a.Status >= 400 && len(a.Body) > 0 && !h.otherForm(r):
		var e struct{ Code, Message *string }
		if jsonInto(a.Body, &e) != nil || e.Code == nil || e.Message == nil {
			c.fault("%s %s answers %d with a body that is no error: %s", r.Method, r.Path, a.Status, clip(string(a.Body)))
		} else if !known[*e.Code] {
			c.fault("%s %s answers with the code %s, which nobody registered (Spec.Errors)", r.Method, r.Path, *e.Code)
		}
	case a.Status == 302:
		if u, err := url.Parse(a.Value("Location")); err == nil {
			if code := u.Query().Get("error"); code != "" && !known[code] {
				c.fault("%s %s redirects with the code %s, which nobody registered (Spec.Errors)", r.Method, r.Path, code)
			}
		}
	}
	for _, f := range h.db.take() {
		c.fault("%s %s: %s", r.Method, r.Path, f)
	}
}

func refused(a *Answer) bool {
	if a.Status == 302 {
		u, err := url.Parse(a.Value("Location"))
		return err == nil && u.Query().Get("error") != ""
	}
	return a.Status >= 400
}

func clip(s string) string {
	if len(s) > 300 {
		return s[:300] + "..."
	}
	return s
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return clip(s[strings.LastIndexByte(s, '\n')+1:])
}

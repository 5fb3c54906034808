package server

import (
	"errors"
	"net"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// fallback is a variable that other programs use too. It counts where neither a
// SALLYPORT_ variable nor the file sets one of its options.
type fallback struct {
	name, path string
	unless     []string // paths of which none may be set
	text       string   // for the documentation
}

var fallbacks = []fallback{
	{"BETTER_AUTH_SECRET", "secret", []string{"secret", "secretFile", "secrets", "secretsFile"}, "the secret of a Better Auth deployment"},
	{"BETTER_AUTH_SECRETS", "secrets", []string{"secret", "secretFile", "secrets", "secretsFile"}, `its secrets for rotation, "2:new,1:old"`},
	{"BETTER_AUTH_URL", "baseURL", []string{"baseURL"}, "its base URL"},
	{"DATABASE_URL", "database.url", []string{"database.url", "database.urlFile", "database.path"}, "the PostgreSQL database"},
	{"PORT", "listen", []string{"listen"}, "the port to listen on; the host is that of the default"},
	// Of two for one option the later wins.
	{"OTEL_EXPORTER_OTLP_ENDPOINT", "tracing.endpoint", []string{"tracing.endpoint"}, "OpenTelemetry's collector; `/v1/traces` is added"},
	{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "tracing.endpoint", []string{"tracing.endpoint"}, "its collector of traces, in the place of the former"},
	{"OTEL_EXPORTER_OTLP_HEADERS", "tracing.headers", []string{"tracing.headers", "tracing.headersFile"}, "what is sent to it"},
	{"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "tracing.headers", []string{"tracing.headers", "tracing.headersFile"}, "what is sent to it with traces, in the place of the former"},
}

// own are variables with our prefix that are no options: the program's own, those of
// tests and builds.
var own = regexp.MustCompile(`^SALLYPORT_(CONFIG|DATA|TEST_.*|BUILD)$`)

// kubernetes are what it sets in every container for a service whose name begins with
// "sallyport"; none of them is an option.
var kubernetes = regexp.MustCompile(`^SALLYPORT_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_.*)?)?)$`)

// environ reads "NAME=value" lines; empty values count as not set, as in compose files.
func environ(lines []string) map[string]string {
	env := map[string]string{}
	for _, l := range lines {
		if name, value, ok := strings.Cut(l, "="); ok && value != "" {
			env[name] = value
		}
	}
	return env
}

// applyEnv sets options from the environment: first the list of plugins, then every
// option by its name, last the fallbacks. A variable with our prefix that names nothing
// is a fault: a misspelt limit must not be taken for one that is set.
func (c *Config) applyEnv(env map[string]string, entries []PluginEntry) (faults []Fault) {
	used := map[string]bool{}
	if list, ok := env[envName("plugins")]; ok {
		used[envName("plugins")] = true
		faults = append(faults, c.selectPlugins(list, entries)...)
	}
	set := func(o *option, root reflect.Value) {
		name := o.env()
		text, ok := env[name]
		if name == "" || !ok || o.typ == pluginsType {
			return
		}
		used[name] = true
		if err := assign(o, root, text); err != nil {
			faults = append(faults, Fault{File: name, Path: o.path, Text: err.Error()})
		}
	}
	root := reflect.ValueOf(c).Elem()
	for _, o := range optionsOf(root.Type(), "") {
		set(&o, root)
	}
	for i, p := range c.Plugins {
		e := find(entries, p.ID)
		if e == nil {
			continue
		}
		v := reflect.New(e.options).Elem()
		if p.Options != nil {
			v.Set(reflect.ValueOf(p.Options))
		}
		for _, o := range optionsOf(e.options, "plugins."+p.ID) {
			set(&o, v)
		}
		c.Plugins[i].Options = v.Interface()
	}
	for name := range env {
		if strings.HasPrefix(name, envPrefix) && !used[name] && !own.MatchString(name) && !kubernetes.MatchString(name) {
			faults = append(faults, Fault{File: name, Text: "no option has this variable, or its plugin is not enabled"})
		}
	}
	slices.SortFunc(faults, func(a, b Fault) int { return strings.Compare(a.File+a.Path, b.File+b.Path) })
	return append(faults, c.applyFallbacks(env)...)
}

// selectPlugins replaces the list, keeping the options of those that stay.
func (c *Config) selectPlugins(list string, entries []PluginEntry) (faults []Fault) {
	had := c.Plugins
	c.Plugins = Plugins{}
	for id := range strings.SplitSeq(list, ",") {
		id = strings.TrimSpace(id)
		same := func(p Enabled) bool { return p.ID == id }
		switch {
		case id == "":
		case find(entries, id) == nil:
			faults = append(faults, Fault{File: envName("plugins"), Path: "plugins." + id, Text: "this program has no such plugin"})
		case slices.ContainsFunc(c.Plugins, same):
			faults = append(faults, Fault{File: envName("plugins"), Path: "plugins." + id, Text: "given twice"})
		default:
			p := Enabled{ID: id}
			if i := slices.IndexFunc(had, same); i >= 0 {
				p = had[i]
			}
			c.Plugins = append(c.Plugins, p)
		}
	}
	return faults
}

func (c *Config) applyFallbacks(env map[string]string) (faults []Fault) {
	root := reflect.ValueOf(c).Elem()
	byPath := map[string]option{}
	for _, o := range optionsOf(root.Type(), "") {
		byPath[o.path] = o
	}
	isSet := func(path string) bool {
		o := byPath[path]
		return !root.FieldByIndex(o.index).IsZero()
	}
	var todo []fallback
	for _, f := range fallbacks {
		if env[f.name] != "" && !slices.ContainsFunc(f.unless, isSet) {
			todo = append(todo, f)
		}
	}
	for _, f := range todo { // decided before: the two of secrets go together
		if f.name == "PORT" {
			if n, err := strconv.Atoi(env["PORT"]); err != nil || n < 0 || n > 65535 {
				faults = append(faults, Fault{File: "PORT", Path: f.path, Text: "expected a port number"})
				continue
			}
			c.port = env["PORT"]
			continue
		}
		o, text := byPath[f.path], env[f.name]
		if f.name == "OTEL_EXPORTER_OTLP_ENDPOINT" {
			text = strings.TrimRight(text, "/") + "/v1/traces"
		}
		if err := assign(&o, root, text); err != nil {
			faults = append(faults, Fault{File: f.name, Path: f.path, Text: err.Error()})
		}
	}
	if env["OTEL_SDK_DISABLED"] == "true" || env["OTEL_TRACES_EXPORTER"] == "none" {
		c.Tracing.Endpoint = ""
	}
	return faults
}

// assign reads an option from text. Its error does not quote the text.
func assign(o *option, root reflect.Value, text string) error {
	wrong := errors.New("expected " + o.kind())
	v := o.settable(root)
	switch {
	case o.typ == secretsType:
		list, err := core.ParseSecrets(text)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(list))
		return nil
	case o.typ == durationType:
		d, err := time.ParseDuration(text)
		if err != nil {
			return wrong
		}
		v.SetInt(int64(d))
		return nil
	}
	switch o.typ.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return wrong
		}
		v.SetBool(text == "true")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, o.typ.Bits())
		if err != nil {
			return wrong
		}
		v.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, o.typ.Bits())
		if err != nil {
			return wrong
		}
		v.SetUint(n)
	case reflect.Float32, reflect.Float64:
		n, err := strconv.ParseFloat(text, o.typ.Bits())
		if err != nil {
			return wrong
		}
		v.SetFloat(n)
	case reflect.Slice:
		if o.typ.Elem().Kind() != reflect.String {
			return errors.New("can be set in the file only")
		}
		list := reflect.MakeSlice(o.typ, 0, 0)
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = reflect.Append(list, reflect.ValueOf(part).Convert(o.typ.Elem()))
			}
		}
		v.Set(list)
	default:
		return errors.New("can be set in the file only")
	}
	return nil
}

// listenPort returns the port of an address to listen on, or "".
func listenPort(listen string) string {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	return port
}

package server

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
)

// toyOptions are the options of a plugin that does nothing.
type toyOptions struct {
	Limit  int              `yaml:"limit"`
	Names  []string         `yaml:"names" doc:"Names of toys."`
	Wait   time.Duration    `yaml:"wait"`
	Nested struct{ A bool } `yaml:"nested"`
}

type toy struct {
	o    toyOptions
	spec core.Spec
}

func (p *toy) Spec() core.Spec { p.spec.ID = "toy"; return p.spec }

func newToy(o toyOptions) (*toy, error) {
	if o.Limit < 0 {
		return nil, errors.New("limit is negative")
	}
	return &toy{o: o}, nil
}

func toys() []PluginEntry {
	return []PluginEntry{TryEntry("toy", newToy), Entry("second", func(struct{}) *toy { return &toy{spec: core.Spec{}} })}
}

func writeFile(t testing.TB, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
	return path
}

const goodSecret = "q8Zr2-xT5vN7mK1pL4wY9bH3cF6dG0sJ_aEuIoRtUyP"

func TestLoadFaults(t *testing.T) {
	for _, tt := range []struct {
		name, yaml string
		want       []string
	}{
		{"unknown key", "appName: x\nsesion:\n  expiresIn: 1\n", []string{"2:1: sesion: no such option; did you mean session?"}},
		{"unknown nested key", "session:\n  expiresin: 1\n  foo: 2\n", []string{
			"2:3: session.expiresin: no such option; did you mean session.expiresIn?", "3:3: session.foo: no such option"}},
		{"field without a yaml name", "database: {url: x}\nnames: {}\nMailer: x\n", []string{
			"2:1: names: no such option", "3:1: Mailer: no such option; did you mean mail?"}},
		{"duplicate key", "appName: a\nlisten: \":1\"\nappName: b\n", []string{"3:1: appName: given twice"}},
		{"duplicate nested key", "mail:\n  smtp:\n    host: a\n    host: b\n", []string{"4:5: mail.smtp.host: given twice"}},
		{"wrong types, all at once", "timeout: soon\nproduction: 1\ntrustedOrigins: https://a.example\nsession: 5\nshutdownGrace: 5\nmaxBody: 1.5\n", []string{
			"1:10: timeout: expected whole number", "2:13: production: expected true or false", "3:17: trustedOrigins: expected list of texts",
			"4:10: session: expected a mapping of names to values", `5:16: shutdownGrace: expected duration, such as "10s"`, "6:10: maxBody: expected whole number"}},
		{"text that is a mapping", "secret: {a: b}\n", []string{"1:9: secret: expected text"}},
		{"too large a number", "password:\n  parallelism: 300\n", []string{"2:16: password.parallelism: expected whole number"}},
		{"list of objects", "user:\n  additionalFields:\n    - name: a\n      typ: string\n    - 5\n", []string{
			"4:7: user.additionalFields[0].typ: no such option; did you mean user.additionalFields[0].type?",
			"5:7: user.additionalFields[1]: expected a mapping of names to values"}},
		{"mapping of objects", "cookies:\n  override:\n    session_token:\n      pth: /\n", []string{
			"4:7: cookies.override.session_token.pth: no such option; did you mean cookies.override.session_token.path?"}},
		{"anchor", "appName: &a x\nlisten: *a\n", []string{"1:10: appName: anchors and aliases are not supported", "2:9: listen: anchors and aliases are not supported"}},
		{"tag", "appName: !!str x\n", []string{"1:10: appName: tags are not supported"}},
		{"two documents", "appName: x\n---\nappName: y\n", []string{"3:8: a second document: there must be one"}},
		{"no mapping", "- a\n", []string{"1:1: expected a mapping of names to values"}},
		{"plugin option", "plugins:\n  toy:\n    limt: 5\n    nested:\n      b: true\n", []string{
			"3:5: plugins.toy.limt: no such option; did you mean plugins.toy.limit?", "5:7: plugins.toy.nested.b: no such option; did you mean plugins.toy.nested.a?"}},
		{"plugin option's type", "plugins:\n  toy: {names: [1, {}]}\n", []string{"2:16: plugins.toy.names: expected list of texts"}},
		{"unknown plugin", "plugins:\n  tay: {}\n  whatever: {}\n", []string{
			"2:3: plugins.tay: this program has no such plugin; did you mean toy?", "3:3: plugins.whatever: this program has no such plugin"}},
		{"plugin twice", "plugins: [toy, second, toy]\n", []string{"1:24: plugins.toy: given twice"}},
		{"plugin list with a number", "plugins:\n  - 5\n", []string{"2:5: plugins[0]: expected the id of a plugin, or one id with its options"}},
		{"own options", "listen: nowhere\nlog: {level: loud, format: xml}\nmail: {driver: pigeon}\ndatabase: {naming: camel, url: a, path: b, times: seconds, timeOverrides: {user: days}}\nshutdownGrace: 1h\n", []string{
			"log.level: expected one of debug, info, warn, error", "log.format: expected one of text, json",
			"mail.driver: expected one of none, log, smtp, notify", "database.naming: expected one of , snake, betterauth", "database.times: expected one of , text, offset, milliseconds", "database.timeOverrides.user: expected one of text, offset, milliseconds, seconds",
			"database: times and timeOverrides are for SQLite: PostgreSQL has a type for times",
			`listen: expected "host:port" or ":port"`, "shutdownGrace: must be more than zero and at most 10m", "database: url and path exclude each other"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := writeFile(t, "c.yaml", tt.yaml, 0o600)
			_, err := Load(Source{File: file}, toys()...)
			var got []string
			var e *ConfigError
			if errors.As(err, &e) {
				for _, f := range e.Faults {
					got = append(got, strings.TrimPrefix(f.String(), file+":"))
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("faults:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestSyntaxErrorsQuoteNothing(t *testing.T) {
	for _, text := range []string{"secret: " + goodSecret + "\n  x: [", "secret: \"" + goodSecret + "\n", "secret: {" + goodSecret, "timeout: " + goodSecret, "\tsecret: " + goodSecret} {
		_, err := Load(Source{File: writeFile(t, "c.yaml", text, 0o600)})
		if err == nil {
			t.Errorf("%q: no error", text)
		} else if strings.Contains(err.Error(), goodSecret) {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
}

func TestLoadFile(t *testing.T) {
	file := writeFile(t, "c.yaml", `
appName: Acme
session: {expiresIn: 60, freshAge: 0}
cookies: {override: {session_token: {path: /x}}}
secrets: [{version: 2, value: new}, {version: 1, value: old, decryptOnly: true}]
user: {additionalFields: [{name: tenant, type: string, defaultValue: 5}]}
rateLimit: {enabled: false, rules: [{paths: [/a, /b], max: 3, window: 4}]}
database: {overrides: {user: people}, times: milliseconds, timeOverrides: {session: seconds}}
mail: {driver: smtp, smtp: {host: mail.example, timeout: 3s, tls: implicit}}
plugins:
  second:
  toy: {limit: 3, names: [a, b], wait: 2m}
`, 0o600)
	c, err := Load(Source{File: file}, toys()...)
	if err != nil {
		t.Fatal(err)
	}
	is := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, want %#v", what, got, want)
		}
	}
	is("appName", c.Core.AppName, "Acme")
	is("session", []int{c.Core.Session.ExpiresIn, *c.Core.Session.FreshAge}, []int{60, 0})
	is("updateAge", c.Core.Session.UpdateAge, (*int)(nil))
	is("override", c.Core.Cookies.Override, map[string]core.CookieOverride{"session_token": {Path: "/x"}})
	is("secrets", c.Core.Secrets, []core.Secret{{Version: 2, Value: "new"}, {Version: 1, Value: "old", DecryptOnly: true}})
	is("field", c.Core.User.Fields[0].Default, uint64(5))
	is("limits", *c.Core.RateLimit.Enabled, false)
	is("rules", c.Core.RateLimit.Rules, []core.RateLimit{{Paths: []string{"/a", "/b"}, Max: 3, Window: 4}})
	is("overrides", c.Database.Overrides, map[string]string{"user": "people"})
	is("times", c.Database.names(), schema.Names{Overrides: map[string]string{"user": "people"}, Times: schema.TimeMilliseconds, TimeOverrides: map[string]schema.TimeForm{"session": schema.TimeSeconds}})
	is("smtp", []any{c.Mail.SMTP.Host, c.Mail.SMTP.Timeout, string(c.Mail.SMTP.TLS)}, []any{"mail.example", 3 * time.Second, "implicit"})
	is("plugins", c.Plugins, Plugins{{"second", struct{}{}}, {"toy", toyOptions{Limit: 3, Names: []string{"a", "b"}, Wait: 2 * time.Minute}}})
	is("development", []any{c.Listen, c.Core.BaseURL, *c.Pages.Enabled, c.Log.Format, c.Core.TrustedOrigins},
		[]any{"127.0.0.1:8080", "http://localhost:8080", true, "text", []string{"http://localhost:*", "http://127.0.0.1:*"}})
	is("a file switches nothing on", []bool{c.Core.User.ChangeEmail.Enabled, c.Core.User.DeleteUser.Enabled}, []bool{false, false})
}

func TestLoadWithoutFile(t *testing.T) {
	c, err := Load(Source{Data: "/nowhere/data"}, toys()...)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Core.User.ChangeEmail.Enabled || !c.Core.User.DeleteUser.Enabled || c.Mail.Driver != "log" ||
		c.Database.Path != "/nowhere/data/sallyport.db" || len(c.Plugins) != 2 || c.Plugins[0].ID != "toy" {
		t.Errorf("development without a file: %+v", c)
	}
	if _, err := os.Stat("/nowhere"); err == nil {
		t.Error("Load wrote something")
	}
}

func TestEnvironment(t *testing.T) {
	file := writeFile(t, "c.yaml", "appName: file\nbaseURL: http://file.example\nplugins: {toy: {limit: 1, wait: 1s}}\n", 0o600)
	for _, tt := range []struct {
		name string
		env  []string
		got  func(*Config) any
		want any
	}{
		{"over the file", []string{"SALLYPORT_APP_NAME=env"}, func(c *Config) any { return c.Core.AppName }, "env"},
		{"empty is not set", []string{"SALLYPORT_APP_NAME="}, func(c *Config) any { return c.Core.AppName }, "file"},
		{"list", []string{"SALLYPORT_TRUSTED_ORIGINS=https://a.example, https://b.example"}, func(c *Config) any { return c.Core.TrustedOrigins[:2] }, []string{"https://a.example", "https://b.example"}},
		{"pointer", []string{"SALLYPORT_SESSION_FRESH_AGE=0"}, func(c *Config) any { return *c.Core.Session.FreshAge }, 0},
		{"duration", []string{"SALLYPORT_SHUTDOWN_GRACE=2s"}, func(c *Config) any { return c.ShutdownGrace }, 2 * time.Second},
		{"unsigned", []string{"SALLYPORT_PASSWORD_MEMORY_KIB=65536"}, func(c *Config) any { return c.Core.Password.MemoryKiB }, uint32(65536)},
		{"secrets", []string{"SALLYPORT_SECRETS=2:new,1:old"}, func(c *Config) any { return c.Core.Secrets }, []core.Secret{{Version: 2, Value: "new"}, {Version: 1, Value: "old"}}},
		{"text of a named type", []string{"SALLYPORT_MAIL_SMTP_TLS=none"}, func(c *Config) any { return string(c.Mail.SMTP.TLS) }, "none"},
		{"plugin option", []string{"SALLYPORT_PLUGINS_TOY_LIMIT=9"}, func(c *Config) any { return c.Plugins[0].Options }, toyOptions{Limit: 9, Wait: time.Second}},
		{"plugins", []string{"SALLYPORT_PLUGINS=second, toy"}, func(c *Config) any { return c.Plugins }, Plugins{{"second", struct{}{}}, {"toy", toyOptions{Limit: 1, Wait: time.Second}}}},
		{"DATABASE_URL", []string{"DATABASE_URL=postgres://x"}, func(c *Config) any { return []string{c.Database.URL, c.Database.Path} }, []string{"postgres://x", ""}},
		{"DATABASE_URL behind a path", []string{"DATABASE_URL=postgres://x", "SALLYPORT_DATABASE_PATH=/x.db"}, func(c *Config) any { return c.Database.URL }, ""},
		{"PORT", []string{"PORT=99"}, func(c *Config) any { return c.Listen }, "127.0.0.1:99"},
		{"PORT behind listen", []string{"PORT=99", "SALLYPORT_LISTEN=:1"}, func(c *Config) any { return c.Listen }, ":1"},
		{"BETTER_AUTH_URL behind the file", []string{"BETTER_AUTH_URL=http://better.example"}, func(c *Config) any { return c.Core.BaseURL }, "http://file.example"},
		{"BETTER_AUTH_SECRET", []string{"BETTER_AUTH_SECRET=s", "BETTER_AUTH_SECRETS=1:t"}, func(c *Config) any { return []any{c.Core.Secret, c.Core.Secrets} }, []any{"s", []core.Secret{{Version: 1, Value: "t"}}}},
		{"BETTER_AUTH_SECRET behind ours", []string{"BETTER_AUTH_SECRET=s", "BETTER_AUTH_SECRETS=1:t", "SALLYPORT_SECRET=o"}, func(c *Config) any { return []any{c.Core.Secret, len(c.Core.Secrets)} }, []any{"o", 0}},
		{"Kubernetes", []string{"SALLYPORT_SERVICE_HOST=10.0.0.1", "SALLYPORT_PORT=tcp://10.0.0.1:80", "SALLYPORT_PORT_80_TCP_ADDR=10.0.0.1", "SALLYPORT_WEB_SERVICE_PORT_HTTP=80"}, func(c *Config) any { return c.Listen }, "127.0.0.1:8080"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(Source{File: file, Env: tt.env}, toys()...)
			if err != nil {
				t.Fatal(err)
			}
			if got := tt.got(&c); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%#v, want %#v", got, tt.want)
			}
		})
	}
	for _, tt := range []struct{ env, want string }{
		{"SALLYPORT_SESION_EXPIRES_IN=5", "SALLYPORT_SESION_EXPIRES_IN: no option has this variable, or its plugin is not enabled"},
		{"SALLYPORT_TIMEOUT=soon", "SALLYPORT_TIMEOUT: timeout: expected whole number"},
		{"SALLYPORT_PRODUCTION=yes", "SALLYPORT_PRODUCTION: production: expected true or false"},
		{"SALLYPORT_PLUGINS=toy,other", "SALLYPORT_PLUGINS: plugins.other: this program has no such plugin"},
		{"PORT=http", "PORT: listen: expected a port number"},
	} {
		if _, err := Load(Source{File: file, Env: []string{tt.env}}, toys()...); err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.env, err, tt.want)
		}
	}
}

func TestEveryOptionHasItsOwnVariable(t *testing.T) {
	seen := map[string]string{}
	for _, o := range optionsOf(reflect.TypeFor[Config](), "") {
		env := o.env()
		if env == "" {
			continue
		}
		if seen[env] != "" {
			t.Errorf("%s and %s are both %s", seen[env], o.path, env)
		}
		seen[env] = o.path
		if kubernetes.MatchString(env) && o.path != "mail.smtp.port" {
			t.Errorf("%s could come from Kubernetes", env)
		}
	}
	if len(seen) < 60 {
		t.Errorf("only %d variables", len(seen))
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("appName: x\nplugins: {toy: {limit: 1}}")
	f.Add("a: &b [*b]\n<<: *b\n? {x: y}\n: z")
	f.Add("plugins: [toy, {second: }]")
	f.Add("secret: !!binary aGk=\n---\n...")
	f.Add("user: {additionalFields: [{name: a, defaultValue: {x: [1, 2]}}]}")
	f.Fuzz(func(t *testing.T, text string) {
		d := &decoder{file: "f"}
		var c Config
		d.decode([]byte(text), &c)
		c.Plugins = d.enable(toys())
		for _, fault := range d.faults {
			if fault.Text == "" {
				t.Errorf("a fault without a text: %+v", fault)
			}
		}
	})
}

package server

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
)

// Source says where a configuration comes from.
type Source struct {
	// File is the path of the config file; empty: there is none.
	File string
	// Data is the data folder of development. Default "sallyport-data" in the current
	// folder.
	Data string
	// Production has the checks of production hold, as the option of that name does.
	Production bool
	// Env are lines of NAME=value, as os.Environ gives them.
	Env []string
}

const (
	defaultData  = "sallyport-data"
	defaultPort  = "8080"
	defaultGrace = 15 * time.Second
	maxGrace     = 10 * time.Minute
	defaultDelay = 5 * time.Second
)

// Load reads a configuration. Its error is a *ConfigError with every fault. It writes
// nothing.
//
// Outside of production it fills in what development needs: a SQLite database and a
// secret in the data folder (New makes them), mails on the console, pages at /, trust in
// http://localhost:* and http://127.0.0.1:*; without a file also every plugin of entries
// that is not OnRequest, with its defaults, and users may change their address and delete themselves.
func Load(src Source, entries ...PluginEntry) (Config, error) {
	c := Config{data: src.Data}
	env := environ(src.Env)
	if c.data == "" {
		c.data = defaultData
	}
	d := &decoder{file: src.File}
	if src.File != "" {
		text, err := os.ReadFile(src.File)
		if err != nil {
			return c, &ConfigError{[]Fault{{File: src.File, Text: reason(err)}}}
		}
		d.decode(text, &c)
		c.Plugins = d.enable(entries)
	}
	c.file = src.File
	c.fileHoldsSecrets = src.File != "" && c.holdsSecrets()
	production := c.Core.Production
	if v, ok := env[envName("production")]; ok {
		production = v == "true"
	}
	production = production || src.Production
	if src.File == "" && !production {
		c.Core.User.ChangeEmail.Enabled, c.Core.User.DeleteUser.Enabled = true, true
		for _, e := range entries {
			if !e.asked {
				c.Plugins = append(c.Plugins, Enabled{ID: e.id})
			}
		}
	}
	faults := append(d.faults, c.applyEnv(env, entries)...)
	c.Core.Production = production
	faults = append(faults, c.readFiles()...)
	if c.Core.Production {
		faults = append(faults, c.checkProduction(src.File)...)
	}
	c.complete()
	faults = append(faults, c.check()...)
	if len(faults) > 0 {
		return c, &ConfigError{faults}
	}
	return c, nil
}

// holdsSecrets tells whether something that must stay secret is written in the file.
func (c *Config) holdsSecrets() bool {
	password := func(s string) bool {
		u, err := url.Parse(s)
		if err != nil || u.User == nil {
			return false
		}
		_, set := u.User.Password()
		return set
	}
	return c.Core.Secret != "" || len(c.Core.Secrets) > 0 || password(c.Database.URL) || password(c.Redis.URL) || strings.Contains(c.Database.URL, "password=") ||
		c.Mail.SMTP.Password != "" || c.Mail.Notify.ServiceKey != "" || c.Tracing.Headers != "" ||
		slices.ContainsFunc(c.pluginSecrets(), func(s pluginSecret) bool { return s.set })
}

// readFiles reads the options that stand in files of their own.
func (c *Config) readFiles() (faults []Fault) {
	var secrets string
	for _, f := range []struct {
		path, file string
		into       *string
	}{
		{"secretFile", c.SecretFile, &c.Core.Secret},
		{"secretsFile", c.SecretsFile, &secrets},
		{"database.urlFile", c.Database.URLFile, &c.Database.URL},
		{"redis.urlFile", c.Redis.URLFile, &c.Redis.URL},
		{"mail.smtp.passwordFile", c.Mail.SMTP.PasswordFile, &c.Mail.SMTP.Password},
		{"mail.notify.serviceKeyFile", c.Mail.Notify.ServiceKeyFile, &c.Mail.Notify.ServiceKey},
		{"tracing.headersFile", c.Tracing.HeadersFile, &c.Tracing.Headers},
	} {
		if f.file == "" {
			continue
		}
		fault := func(text string) { faults = append(faults, Fault{File: f.file, Path: f.path, Text: text}) }
		if *f.into != "" {
			fault("the option that it stands for is set, too")
			continue
		}
		text, err := os.ReadFile(f.file)
		switch {
		case err != nil:
			fault(reason(err))
		case len(text) > maxFile || strings.TrimSpace(string(text)) == "":
			fault("is empty or too long")
		case c.Core.Production && worldReadable(f.file):
			fault(readable)
		default:
			*f.into = strings.TrimSpace(string(text))
		}
	}
	if secrets != "" {
		list, err := core.ParseSecrets(secrets)
		switch {
		case len(c.Core.Secrets) > 0:
			faults = append(faults, Fault{File: c.SecretsFile, Path: "secretsFile", Text: "the option that it stands for is set, too"})
		case err != nil:
			faults = append(faults, Fault{File: c.SecretsFile, Path: "secretsFile", Text: err.Error()})
		}
		c.Core.Secrets = list
	}
	return faults
}

const readable = "everybody on this machine can read it, which production refuses: chmod 600 (in Kubernetes: defaultMode 0440 and an fsGroup)"

func worldReadable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o004 != 0
}

// reason is why a file cannot be read, without its path, which the fault has already.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return "cannot be read: " + p.Err.Error()
	}
	return "cannot be read"
}

// checkProduction refuses what is only fit for development. What core can see, such as
// weak secrets and a base URL without TLS, core refuses.
func (c *Config) checkProduction(file string) (faults []Fault) {
	fault := func(path, text string) { faults = append(faults, Fault{Path: path, Text: text}) }
	if c.fileHoldsSecrets && worldReadable(file) {
		faults = append(faults, Fault{File: file, Text: "holds a secret, and " + readable})
	}
	for _, s := range c.pluginSecrets() {
		if s.file != "" && worldReadable(s.file) {
			faults = append(faults, Fault{File: s.file, Path: s.path + "File", Text: readable})
		}
	}
	if c.Mail.Driver == "log" {
		fault("mail.driver", `"log" prints live links for everybody who reads the log, which production refuses`)
	}
	if c.Database.URL == "" && c.Database.Path == "" && c.Database.URLFile == "" {
		fault("database", "set database.url (PostgreSQL) or database.path (SQLite)")
	}
	if len(c.Plugins)+len(c.Core.Plugins) == 0 {
		fault("plugins", "none is enabled: nobody could sign in")
	}
	for i, o := range c.Core.TrustedOrigins {
		if strings.HasPrefix(strings.ToLower(o), "http://") {
			fault(fmt.Sprintf("trustedOrigins[%d]", i), "is plain http, which production refuses: whoever sits on the line could send requests from it")
		}
	}
	return faults
}

// complete fills in the defaults.
func (c *Config) complete() {
	dev := !c.Core.Production
	host, port := "", c.port
	if dev {
		host = "127.0.0.1"
	}
	if port == "" {
		port = defaultPort
	}
	if c.Listen == "" {
		c.Listen = host + ":" + port
	}
	if c.ShutdownGrace == 0 {
		c.ShutdownGrace = defaultGrace
	}
	if c.ShutdownDelay == 0 && !dev {
		c.ShutdownDelay = defaultDelay
	}
	if c.Pages.Enabled == nil {
		c.Pages.Enabled = &dev
	}
	if c.Log.Level == "" {
		c.Log.Level = "info"
	}
	if c.Log.Format == "" {
		c.Log.Format = "json"
		if dev {
			c.Log.Format = "text"
		}
	}
	if c.Log.Requests == nil {
		yes := true
		c.Log.Requests = &yes
	}
	if c.Mail.Driver == "" {
		c.Mail.Driver = "none"
		if dev {
			c.Mail.Driver = "log"
		}
	}
	if !dev {
		return
	}
	if c.Core.BaseURL == "" {
		c.Core.BaseURL = "http://localhost:" + listenPort(c.Listen)
	}
	for _, o := range []string{"http://localhost:*", "http://127.0.0.1:*"} {
		if !slices.Contains(c.Core.TrustedOrigins, o) {
			c.Core.TrustedOrigins = append(slices.Clone(c.Core.TrustedOrigins), o)
		}
	}
	if c.Database.URL == "" && c.Database.Path == "" {
		c.Database.Path = filepath.Join(c.dataFolder(), "sallyport.db")
	}
}

func (c *Config) dataFolder() string {
	if c.data == "" {
		return defaultData
	}
	return c.data
}

// check finds what is wrong with the program's own options. Those of core, of plugins
// and of mailers are checked by these.
func (c *Config) check() (faults []Fault) {
	oneOf := func(path, v string, allowed ...string) {
		if !slices.Contains(allowed, v) {
			faults = append(faults, Fault{Path: path, Text: "expected one of " + strings.Join(allowed, ", ")})
		}
	}
	oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	oneOf("log.format", c.Log.Format, "text", "json")
	oneOf("mail.driver", c.Mail.Driver, "none", "log", "smtp", "notify")
	oneOf("database.naming", c.Database.Naming, "", string(schema.Snake), string(schema.BetterAuth))
	text, offset, ms := string(schema.TimeText), string(schema.TimeOffset), string(schema.TimeMilliseconds)
	oneOf("database.times", c.Database.Times, "", text, offset, ms)
	for _, k := range slices.Sorted(maps.Keys(c.Database.TimeOverrides)) {
		oneOf("database.timeOverrides."+k, c.Database.TimeOverrides[k], text, offset, ms, string(schema.TimeSeconds))
	}
	if c.Database.URL != "" && (c.Database.Times != "" || len(c.Database.TimeOverrides) > 0) {
		faults = append(faults, Fault{Path: "database", Text: "times and timeOverrides are for SQLite: PostgreSQL has a type for times"})
	}
	if listenPort(c.Listen) == "" {
		faults = append(faults, Fault{Path: "listen", Text: `expected "host:port" or ":port"`})
	}
	switch {
	case c.Metrics.Listen == "":
	case listenPort(c.Metrics.Listen) == "":
		faults = append(faults, Fault{Path: "metrics.listen", Text: `expected "host:port" or ":port"`})
	case c.Metrics.Listen == c.Listen && listenPort(c.Listen) != "0":
		faults = append(faults, Fault{Path: "metrics.listen", Text: "is the address of listen: it must be one of its own"})
	}
	if c.Tracing.Endpoint != "" {
		if err := c.Tracing.Check(); err != nil {
			faults = append(faults, Fault{Path: "tracing", Text: err.Error()})
		}
	}
	if c.ShutdownDelay > maxGrace {
		faults = append(faults, Fault{Path: "shutdownDelay", Text: "must be at most 10m"})
	}
	if c.ShutdownGrace < 0 || c.ShutdownGrace > maxGrace {
		faults = append(faults, Fault{Path: "shutdownGrace", Text: "must be more than zero and at most 10m"})
	}
	if c.Database.URL != "" && c.Database.Path != "" {
		faults = append(faults, Fault{Path: "database", Text: "url and path exclude each other"})
	}
	return faults
}

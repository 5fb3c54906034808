package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// Severity is how bad a finding is.
type Severity string

// The severities.
const (
	Fine    Severity = "ok"
	Warning Severity = "warn"
	Broken  Severity = "fail" // it does not work, or not safely
)

// Finding is what Diagnose has seen of one thing.
type Finding struct {
	Severity Severity
	Check    string // "database"
	Text     string // what is so, in a line
	Do       string // what to do about it; empty where nothing is to be done
}

func (f Finding) String() string {
	s := fmt.Sprintf("%-5s %-10s %s", f.Severity, f.Check, strings.ReplaceAll(f.Text, "\n", "; "))
	if f.Do != "" {
		s += " -> " + f.Do
	}
	return s
}

// Diagnose looks at everything that the program depends on and says what is wrong, in the
// order in which it is best mended: options, secrets, files, addresses, database, schema,
// role, clock, jobs and rows, disk, mailer, other services. It changes nothing, sends no
// mail, makes no file, and takes at most half a minute. No finding holds a secret.
func Diagnose(ctx context.Context, c Config, entries ...PluginEntry) []Finding {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	c.complete()
	d := &doctor{cfg: &c}
	auth := d.options(entries)
	d.files()
	d.addresses()
	if auth != nil {
		d.database(ctx, auth)
	}
	d.disk()
	d.mailer(ctx)
	d.services(ctx)
	return d.findings
}

type doctor struct {
	cfg      *Config
	findings []Finding
}

func (d *doctor) add(s Severity, check, do, format string, args ...any) {
	d.findings = append(d.findings, Finding{s, check, fmt.Sprintf(format, args...), do})
}

// careful is Broken in production, where it matters, and Warning elsewhere.
func (d *doctor) careful() Severity {
	if d.cfg.Core.Production {
		return Broken
	}
	return Warning
}

// options compiles the configuration. What core would warn of is found by its log.
func (d *doctor) options(entries []PluginEntry) *core.Auth {
	c := *d.cfg
	heard := &warnings{}
	c.Core.Logger = slog.New(heard)
	made := c.Core.Secret == "" && len(c.Core.Secrets) == 0
	if made && !c.Core.Production { // the data folder has one, or will have
		c.Core.Secret, _ = NewSecret(c.Core.Random)
	}
	cfg, err := c.coreConfig(c.Core.Logger, io.Discard, entries)
	if err == nil {
		if _, err = c.stores(&cfg); err != nil {
			err = fmt.Errorf("redis: %w", err)
		}
	}
	auth, more := core.Describe(cfg)
	if more == nil {
		more = c.checkMails(auth)
	}
	if err = errors.Join(err, more); err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "core: ") {
				d.add(Broken, "config", "mend the option; see docs/configuration.md", "%s", line)
			}
		}
	}
	for _, text := range heard.lines {
		d.add(Warning, "config", "see its entry in docs/operations.md", "%s", text)
	}
	if err != nil {
		return nil
	}
	d.add(Fine, "config", "", "%d plugins, %d endpoints, %d error codes", len(cfg.Plugins), len(auth.Routes()), len(auth.Errors()))
	switch n := len(c.Core.Secrets); {
	case made && !c.Core.Production:
		d.add(Fine, "secret", "", "that of the data folder")
	case n > 0:
		d.add(Fine, "secret", "", "%d for rotation: version %d signs", n, c.Core.Secrets[0].Version)
	default:
		d.add(Fine, "secret", "", "one; production would take it")
	}
	if !c.Core.Production && !local(c.Core.BaseURL) {
		d.add(Warning, "config", "set production: true", "the checks of production are off, and baseURL is %s", c.Core.BaseURL)
	}
	return auth
}

// warnings is a log that keeps the texts of warnings with the option that they are about.
type warnings struct{ lines []string }

func (*warnings) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }
func (w *warnings) WithAttrs([]slog.Attr) slog.Handler         { return w }
func (w *warnings) WithGroup(string) slog.Handler              { return w }
func (w *warnings) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "option" || a.Key == "reason" {
			text += " (" + a.Value.String() + ")"
		}
		return true
	})
	w.lines = append(w.lines, text)
	return nil
}

// local tells whether a base URL is of this machine.
func local(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || strings.HasSuffix(u.Hostname(), ".localhost") || err == nil && a.IsLoopback()
}

// files looks at who may read what holds secrets.
func (d *doctor) files() {
	list := []string{d.cfg.SecretFile, d.cfg.SecretsFile, d.cfg.Database.URLFile, d.cfg.Redis.URLFile, d.cfg.Mail.SMTP.PasswordFile,
		d.cfg.Mail.Notify.ServiceKeyFile, d.cfg.Tracing.HeadersFile}
	for _, s := range d.cfg.pluginSecrets() {
		list = append(list, s.file)
	}
	if d.cfg.fileHoldsSecrets {
		list = append(list, d.cfg.file)
	}
	if path := d.cfg.Database.Path; path != "" && d.cfg.Core.Database == nil {
		list = append(list, path, path+"-wal")
	}
	if !d.cfg.Core.Production {
		list = append(list, d.cfg.dataFolder()+"/secret")
	}
	looked := 0
	for _, f := range slices.Compact(list) {
		info, err := os.Stat(f)
		switch {
		case f == "" || errors.Is(err, os.ErrNotExist): // whoever needs it says so
		case err != nil:
			d.add(Warning, "files", "run doctor as the user that the server runs as", "%s: %s", f, reason(err))
		case info.Mode().Perm()&0o006 != 0:
			looked++
			d.add(d.careful(), "files", "chmod 600 "+f+", and change what it holds if others use this machine", "%s is open to everybody on this machine (%v)", f, info.Mode().Perm())
		case info.Mode().Perm()&0o020 != 0:
			looked++
			d.add(Warning, "files", "chmod g-w "+f, "%s can be written by its group (%v)", f, info.Mode().Perm())
		default:
			looked++
			d.add(Fine, "files", "", "%s (%v)", f, info.Mode().Perm())
		}
	}
}

// addresses compares what browsers reach with what the program listens on.
func (d *doctor) addresses() {
	c := d.cfg
	d.add(Fine, "address", "", "%s, listening on %s", c.Core.BaseURL, c.Listen)
	// The program speaks plain HTTP: https in front of it is a proxy's.
	if strings.HasPrefix(c.Core.BaseURL, "https://") && len(c.Core.TrustedProxies) == 0 && c.Core.ClientAddr == nil {
		d.add(Warning, "address", "set trustedProxies to the proxy's network",
			"baseURL is https, so a proxy is in front, and none is trusted: all clients have its address, and one that guesses uses up the limits of all")
	}
	for _, p := range c.Core.TrustedProxies {
		if strings.HasSuffix(p, "/0") {
			d.add(d.careful(), "address", "name the proxy's network alone", "trustedProxies has %s: every client can choose its address", p)
		}
	}
	host, _, err := net.SplitHostPort(c.Metrics.Listen)
	if err != nil {
		return
	}
	if a, err := netip.ParseAddr(host); host == "" || err == nil && !a.IsLoopback() && !a.IsPrivate() {
		d.add(Warning, "address", "set metrics.listen to 127.0.0.1:9464 or a private address", "the metrics are served without a password on %s", c.Metrics.Listen)
	}
}

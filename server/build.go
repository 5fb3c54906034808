package server

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/sallyport-auth/sallyport/adapters/logmail"
	"github.com/sallyport-auth/sallyport/adapters/notify"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/adapters/smtp"
	"github.com/sallyport-auth/sallyport/adapters/sqlite"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
)

// NewSecret makes a secret: 32 random bytes in base64url. random nil is crypto/rand.
func NewSecret(random io.Reader) (string, error) {
	if random == nil {
		random = rand.Reader
	}
	var b [32]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("making a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// logger makes the log that the configuration asks for.
func (c *Config) logger(w io.Writer) *slog.Logger {
	if c.Core.Logger != nil {
		return c.Core.Logger
	}
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Log.Level)) // check has looked at it
	o := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// coreConfig makes what core needs, but the database: plugins are made anew, since one
// plugin value belongs to one Auth.
func (c *Config) coreConfig(log *slog.Logger, console io.Writer, entries []PluginEntry) (core.Config, error) {
	out := c.Core
	out.Logger = log
	if out.ChallengeURL == "" && c.Pages.Enabled != nil && *c.Pages.Enabled {
		out.ChallengeURL = out.BaseURL + c.Pages.Prefix + "/challenge"
	}
	out.Names = c.Database.names()
	var errs []error
	var err error
	if out.Mailer, err = c.mailer(console); err != nil {
		errs = append(errs, err)
	}
	out.Plugins = nil
	for _, p := range c.Plugins {
		e := find(entries, p.ID)
		if e == nil {
			errs = append(errs, fmt.Errorf("plugins.%s: this program has no such plugin", p.ID))
			continue
		}
		plugin, err := e.make(p.Options)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out.Plugins = append(out.Plugins, plugin)
	}
	out.Plugins = append(out.Plugins, c.Core.Plugins...)
	return out, errors.Join(errs...)
}

func (d *DatabaseConfig) names() schema.Names {
	n := schema.Names{Naming: schema.Naming(d.Naming), Schema: d.Schema, Overrides: maps.Clone(d.Overrides), Times: schema.TimeForm(d.Times)}
	for k, f := range d.TimeOverrides {
		if n.TimeOverrides == nil {
			n.TimeOverrides = map[string]schema.TimeForm{}
		}
		n.TimeOverrides[k] = schema.TimeForm(f)
	}
	return n
}

func (c *Config) mailer(console io.Writer) (contract.Mailer, error) {
	if c.Core.Mailer != nil {
		return c.Core.Mailer, nil
	}
	var m contract.Mailer
	var err error
	switch c.Mail.Driver {
	case "log":
		o := c.Mail.Log
		if o.Text.AppName == "" {
			o.Text.AppName = c.Core.AppName
		}
		m, err = logmail.New(console, o)
	case "smtp":
		o := c.Mail.SMTP.Options
		if o.Text.AppName == "" {
			o.Text.AppName = c.Core.AppName
		}
		m, err = smtp.New(o)
	case "notify":
		m, err = notify.New(c.Mail.Notify.Options)
	}
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return m, nil
}

// develop makes what development needs in the data folder: the folder, readable for its
// owner alone and ignored by git, and a secret.
func (c *Config) develop() error {
	if c.Core.Production {
		return nil
	}
	dir := c.dataFolder()
	needsSecret := c.Core.Secret == "" && len(c.Core.Secrets) == 0
	if !needsSecret && (c.Core.Database != nil || filepath.Dir(c.Database.Path) != filepath.Clean(dir)) {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if _, err := writeOnce(filepath.Join(dir, ".gitignore"), "*\n"); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if !needsSecret {
		return nil
	}
	secret, err := NewSecret(c.Core.Random)
	if err == nil {
		secret, err = writeOnce(filepath.Join(dir, "secret"), secret+"\n")
	}
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if c.Core.Secret = strings.TrimSpace(secret); c.Core.Secret == "" {
		return fmt.Errorf("data folder: %s is empty: delete it", filepath.Join(dir, "secret"))
	}
	return nil
}

// writeOnce writes a file for its owner alone, unless there is one, and returns what it
// holds. Of several programs that do it at once one wins, and none reads half a file.
func writeOnce(path, text string) (string, error) {
	if old, err := os.ReadFile(path); err == nil {
		return string(old), nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // 0600
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", err
	}
	if err := os.Link(f.Name(), path); err != nil && !os.IsExist(err) {
		return "", err
	}
	all, err := os.ReadFile(path)
	return string(all), err
}

// open connects to the database.
func (c *Config) open(ctx context.Context) (storage.Database, error) {
	switch d := &c.Database; {
	case c.Core.Database != nil:
		return c.Core.Database, nil
	case d.URL != "":
		return postgres.Open(ctx, d.URL, postgres.Options{MaxOpen: d.MaxOpen, StatementTimeout: d.StatementTimeout})
	case d.Path != "":
		return sqlite.Open(ctx, d.Path, sqlite.Options{StatementTimeout: d.StatementTimeout})
	}
	return nil, errors.New("database: set database.url (PostgreSQL) or database.path (SQLite)")
}

// Describe compiles the configuration without its database, so that routes, codes and
// commands can be listed and every fault is found. It writes nothing.
func Describe(c Config, entries ...PluginEntry) (*core.Auth, error) {
	if !c.Core.Production && c.Core.Secret == "" && len(c.Core.Secrets) == 0 {
		var err error
		if c.Core.Secret, err = NewSecret(c.Core.Random); err != nil { // the data folder gives one
			return nil, err
		}
	}
	cfg, err := c.coreConfig(c.logger(io.Discard), io.Discard, entries)
	_, wrong := c.stores(&cfg)
	auth, more := core.Describe(cfg)
	if more == nil {
		more = c.checkMails(auth)
	}
	return auth, errors.Join(err, wrong, more)
}

// Migration is a database beside what the configuration wants of it.
type Migration struct {
	Database storage.Database
	Schema   *schema.Schema
	Names    schema.Names
	Steps    []storage.Step
	owned    bool
}

// OpenMigration opens the database and learns what the plugins want of it. Close it.
func OpenMigration(ctx context.Context, c Config, entries ...PluginEntry) (*Migration, error) {
	if err := c.develop(); err != nil {
		return nil, err
	}
	cfg, err := c.coreConfig(c.logger(os.Stderr), io.Discard, entries)
	if err != nil {
		return nil, err
	}
	if _, err := c.stores(&cfg); err != nil {
		return nil, err
	}
	auth, err := core.Describe(cfg)
	if err != nil {
		return nil, err
	}
	m := &Migration{owned: c.Core.Database == nil}
	m.Schema, m.Names, m.Steps = auth.Schema()
	if m.Database, err = c.open(ctx); err != nil {
		return nil, err
	}
	return m, nil
}

// Plan says what is to be done, and does nothing.
func (m *Migration) Plan(ctx context.Context) (*migrations.Plan, error) {
	return migrations.Read(ctx, m.Database, m.Schema, m.Names, m.Steps)
}

// Apply does it.
func (m *Migration) Apply(ctx context.Context) (*migrations.Plan, error) {
	return migrations.Apply(ctx, m.Database, m.Schema, m.Names, m.Steps)
}

// Verify tells whether anything is left to do; see migrations.Verify.
func (m *Migration) Verify(ctx context.Context) error {
	return migrations.Verify(ctx, m.Database, m.Schema, m.Names, m.Steps)
}

// Close closes the database, unless the app handed it over.
func (m *Migration) Close() error {
	if m.owned {
		return m.Database.Close()
	}
	return nil
}

// OpenAuth compiles the configuration on its database without background work, for
// commands. close closes both.
func OpenAuth(ctx context.Context, c Config, entries ...PluginEntry) (auth *core.Auth, closeAll func(context.Context) error, err error) {
	m, err := OpenMigration(ctx, c, entries...)
	if err != nil {
		return nil, nil, err
	}
	if err := c.develop(); err != nil { // OpenMigration had a copy
		return nil, nil, errors.Join(err, m.Close())
	}
	cfg, err := c.coreConfig(c.logger(os.Stderr), os.Stdout, entries)
	if err != nil {
		return nil, nil, errors.Join(err, m.Close())
	}
	cfg.Database, cfg.NoBackground = m.Database, true
	auth, client, err := c.compile(ctx, cfg)
	if err != nil {
		return nil, nil, errors.Join(err, m.Close())
	}
	return auth, func(ctx context.Context) error {
		err := auth.Close(ctx)
		closeRedis(client)
		return errors.Join(err, m.Close())
	}, nil
}

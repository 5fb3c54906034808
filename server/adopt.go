package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/adapters/sqlite"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Merge reads a part of a config file into c: what it says counts, and the rest of c stays.
// Plugins that c has keep their options, those that it lacks are added behind them. name
// stands in the faults. Its error is a *ConfigError.
func (c *Config) Merge(name string, text []byte, entries ...PluginEntry) error {
	d := &decoder{file: name}
	d.decode(text, c)
	for _, p := range d.enable(entries) {
		if !slices.ContainsFunc(c.Plugins, func(e Enabled) bool { return e.ID == p.ID }) {
			c.Plugins = append(c.Plugins, p)
		}
	}
	if faults := append(d.faults, c.check()...); len(faults) > 0 {
		return &ConfigError{faults}
	}
	return nil
}

// HasSecret tells whether the configuration names a secret, or Describe makes one up.
func (c *Config) HasSecret() bool { return c.Core.Secret != "" || len(c.Core.Secrets) > 0 }

// UseDatabase points the configuration at another database: a URL of PostgreSQL, or a path
// of SQLite.
func (c *Config) UseDatabase(where string) {
	c.Database.URL, c.Database.Path = "", ""
	if strings.Contains(where, "://") || strings.Contains(where, "=") {
		c.Database.URL = where
	} else {
		c.Database.Path = where
	}
}

// OpenDatabase opens the database alone. readOnly makes nothing and changes nothing: a file
// that is not there is an error, and SQLite's journal stays as it is. Close it.
func OpenDatabase(ctx context.Context, c Config, readOnly bool) (storage.Database, error) {
	d := &c.Database
	switch {
	case c.Core.Database != nil:
		return nil, errors.New("database: the program hands over a database of its own")
	case d.URL != "":
		return postgres.Open(ctx, d.URL, postgres.Options{MaxOpen: d.MaxOpen, StatementTimeout: d.StatementTimeout})
	case d.Path != "":
		if _, err := os.Stat(d.Path); err != nil {
			return nil, fmt.Errorf("database: %s %s; set DATABASE_URL, database.url or database.path", d.Path, reason(err))
		}
		return sqlite.Open(ctx, d.Path, sqlite.Options{StatementTimeout: d.StatementTimeout, ReadOnly: readOnly})
	}
	return c.open(ctx)
}

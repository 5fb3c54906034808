package main

import (
	"context"
	"errors"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/migrations/adopt"
)

// adoptNames has the database say what its tables and columns are called, and of which kind
// its ids are, as "sallyport adopt" proposes it. Without tables the names are Better Auth's.
func adoptNames(ctx context.Context, cfg core.Config) (core.Config, error) {
	p, err := adopt.Look(ctx, cfg.Database, adopt.BetterAuth, schema.Names{})
	if errors.Is(err, adopt.ErrNoTables) {
		cfg.Names = schema.Names{Naming: schema.BetterAuth}
		return cfg, nil
	}
	if err != nil {
		return cfg, err
	}
	cfg.Names, cfg.IDs = schema.Names{Naming: p.Naming, Schema: p.Schema}, p.IDs
	auth, err := core.Describe(cfg)
	if err != nil {
		return cfg, err
	}
	want, _, _ := auth.Schema()
	p.Complete(want)
	if err := p.FindTimes(ctx, cfg.Database, want); err != nil {
		return cfg, err
	}
	if len(p.Faults) > 0 {
		return cfg, errors.New(p.Faults[0])
	}
	cfg.Names.Overrides, cfg.Names.Times, cfg.Names.TimeOverrides = p.Overrides, p.Times, p.TimeOverrides
	return cfg, nil
}

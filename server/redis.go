package server

import (
	"context"
	"errors"

	"github.com/sallyport-auth/sallyport/adapters/redis"
	"github.com/sallyport-auth/sallyport/core"
)

// stores gives core the stores that have the storage "redis". The client is not connected
// yet; it is nil where there is none.
func (c *Config) stores(cfg *core.Config) (*redis.Client, error) {
	if c.Redis.URL == "" {
		return nil, nil // core says what is lacking
	}
	client, err := redis.New(c.Redis.Options)
	if err != nil {
		return nil, err
	}
	used := false
	if cfg.RateLimit.Storage == "redis" && cfg.RateLimit.Store == nil {
		cfg.RateLimit.Store, used = client.Limits(), true
	}
	if cfg.Lockout.Storage == "redis" && cfg.Lockout.Store == nil {
		cfg.Lockout.Store, used = client.Attempts(), true
	}
	if cfg.Session.Storage == "redis" && cfg.Session.Store == nil {
		cfg.Session.Store, used = client.Sessions(), true
	}
	if !used {
		return nil, errors.New(`redis: nothing uses it: set rateLimit.storage, lockout.storage or session.storage to "redis", or leave redis out`)
	}
	return client, nil
}

// compile makes the Auth, and connects to Redis where something is kept there.
func (c *Config) compile(ctx context.Context, cfg core.Config) (auth *core.Auth, client *redis.Client, err error) {
	if client, err = c.stores(&cfg); err != nil {
		return nil, nil, err
	}
	if client != nil {
		err = client.Connect(ctx)
	}
	if err == nil {
		auth, err = core.New(ctx, cfg)
	}
	if err != nil {
		closeRedis(client)
		return nil, nil, err
	}
	return auth, client, nil
}

func closeRedis(client *redis.Client) {
	if client != nil {
		client.Close()
	}
}

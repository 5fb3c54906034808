// Package redis keeps in Redis (7 or later) or Valkey what replicas share and the database
// need not carry: rate limits, attempts at secrets, and copies of sessions. A Client is
// one connection to it, with a way round it where it does not answer; Limits, Attempts and
// Sessions are the stores that core asks.
//
//	c, err := redis.New(redis.Options{URL: "redis://127.0.0.1:6379/0"})
//	err = c.Connect(ctx)
//	auth, err := core.New(ctx, core.Config{RateLimit: core.RateLimitConfig{Store: c.Limits()}, ...})
//
// Every decision is one Lua script, which Redis runs alone: no transaction, no lock, no
// module, nothing that a managed Redis would lack. All keys begin with the prefix, hold
// hashes in the place of addresses, accounts and tokens, and have a time to live. Keys of
// one script share a hash tag, so a cluster will do, too.
//
// Redis is never the truth: what it lost is at worst a count that begins again. It must be
// guarded all the same. Who can write to it can lift limits and locks; they cannot make a
// session, since copies of sessions are sealed with the secret.
package redis

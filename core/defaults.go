package core

import (
	"log/slog"
	"time"
)

// setDefaults fills in what is empty.
func (c *Config) setDefaults() {
	def(&c.AppName, "Sallyport")
	def(&c.BasePath, "/api/auth")
	def(&c.MaxBody, 1<<20)
	def(&c.Timeout, 30)
	def(&c.Session.ExpiresIn, 7*86400)
	defPtr(&c.Session.UpdateAge, 86400)
	defPtr(&c.Session.FreshAge, 86400)
	def(&c.Session.TokenStorage, "hashed")
	if c.Session.Store != nil {
		def(&c.Session.Storage, "redis")
	}
	def(&c.Session.Storage, "database")
	def(&c.Session.StorageMaxAge, 300)
	def(&c.Session.Cache.MaxAge, 60)
	def(&c.Session.Cache.MaxEntries, 50_000)
	def(&c.Session.Cache.MaxBytes, 64<<20)
	def(&c.Session.CookieCache.MaxAge, 300)
	def(&c.Session.CookieCache.Strategy, "compact")
	def(&c.Session.CookieCache.Version, "1")
	def(&c.User.DeleteUser.TokenExpiresIn, 86400)
	def(&c.Email.ExpiresIn, 3600)
	def(&c.Password.Hash, "argon2id")
	def(&c.Password.MinLength, 8)
	def(&c.Password.MaxLength, 128)
	def(&c.Password.MemoryLimit, 128<<20)
	def(&c.Cookies.Prefix, "better-auth")
	def(&c.Cookies.SameSite, "lax")
	defPtr(&c.RateLimit.Enabled, c.Production)
	def(&c.RateLimit.Max, 100)
	def(&c.RateLimit.Window, 10)
	if c.RateLimit.Store != nil {
		def(&c.RateLimit.Storage, "redis")
		def(&c.RateLimit.OnFailure, "memory")
	}
	def(&c.RateLimit.Storage, "memory")
	def(&c.RateLimit.OnFailure, "closed")
	def(&c.Lockout.Max, 5)
	def(&c.Lockout.Window, 900)
	def(&c.Lockout.Duration, 1800)
	def(&c.Lockout.Network.Max, 100)
	def(&c.Lockout.Network.Window, 900)
	def(&c.Lockout.Network.Duration, 900)
	def(&c.Lockout.OnFailure, "closed")
	if c.Lockout.Store != nil {
		def(&c.Lockout.Storage, "redis")
	}
	def(&c.Lockout.Storage, "database")
	defPtr(&c.Audit.Retention, 365*86400)
	def(&c.IDs, "random")
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
}

func def[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

func defPtr[T any](p **T, v T) {
	if *p == nil {
		*p = &v
	}
}

package core

import "github.com/sallyport-auth/sallyport/core/contract"

// SessionConfig says how long sessions live and where they are kept.
type SessionConfig struct {
	// ExpiresIn is a session's life in seconds. Default 604800 (7 days).
	ExpiresIn int `yaml:"expiresIn"`
	// UpdateAge is how old, in seconds, a session gets before a request renews it.
	// Default 86400 (1 day).
	UpdateAge *int `yaml:"updateAge"`
	// FreshAge is how long after signing in, in seconds, a session may do sensitive
	// things. Default 86400; 0 switches the check off.
	FreshAge *int `yaml:"freshAge"`
	// DisableRefresh keeps sessions from being renewed.
	DisableRefresh bool `yaml:"disableSessionRefresh"`
	// DeferRefresh makes GET /get-session read only: it says needsRefresh, and POST renews.
	DeferRefresh bool `yaml:"deferSessionRefresh"`
	// TokenStorage is how session tokens are kept: "hashed" (default: SHA-256, so that a
	// reader of the database cannot use them) or "compat" (as they are, which a shared
	// Better Auth database needs). Look-ups accept both.
	TokenStorage string `yaml:"tokenStorage"`
	// Storage is what answers beside the database where the cookie cache may: "database"
	// (default: nothing), or "redis", which Store is. The database has every session all the
	// same; endpoints that change something ask it.
	Storage string `yaml:"storage"`
	// StorageMaxAge is how long, in seconds, a copy in Store may answer. Default 300, at most
	// 900. A session that was revoked is refused by all replicas at once; where Store could
	// not be told, or forgot it, within this time.
	StorageMaxAge int `yaml:"storageMaxAge"`
	// Store keeps copies of sessions, sealed with the secret. The program makes one of the
	// option redis.
	Store contract.SessionStore `yaml:"-"`
	// Cache keeps sessions in the memory of each process.
	Cache SessionCacheConfig `yaml:"cache"`
	// CookieCache lets a signed cookie answer for the database.
	CookieCache CookieCacheConfig `yaml:"cookieCache"`
	// Fields are the app's own columns of the session.
	Fields []Extra `yaml:"additionalFields"`
}

// CookieCacheConfig is about the session_data cookie. While it is valid, a session that
// was revoked elsewhere still reads as valid: MaxAge bounds that. Endpoints that change
// something ask the database unless they say otherwise (CachedSession).
type CookieCacheConfig struct {
	// Enabled switches the cache on. Default false.
	Enabled bool `yaml:"enabled"`
	// MaxAge is the cache's life in seconds. Default 300, at most 86400.
	MaxAge int `yaml:"maxAge"`
	// Strategy is the form: "compact" (default), "jwt" or "jwe".
	Strategy string `yaml:"strategy"`
	// Version invalidates all caches when it changes. Default "1".
	Version string `yaml:"version"`
}

// SessionCacheConfig is about sessions in the memory of each process. They answer where the
// cookie cache may; endpoints that change something ask the database. Every process that
// writes to the database must have it switched on, since it is who changes something that
// tells the others: PostgreSQL passes it on with the commit (LISTEN/NOTIFY). It needs
// PostgreSQL, tokenStorage "hashed" and storage "database".
type SessionCacheConfig struct {
	// Enabled switches the cache on. Default false. A session that was revoked is refused by
	// the process that did it at once, by the others within milliseconds, and within a second
	// where they cannot be told: a process that has not heard its own voice on the channel
	// for 0.9 s asks the database.
	Enabled bool `yaml:"enabled"`
	// MaxAge is for how long, in seconds, a session answers until it is read again. Default
	// 60, at most 900. It bounds what somebody changes behind the program's back, by SQL.
	MaxAge int `yaml:"maxAge"`
	// MaxEntries is how many sessions are kept. Default 50000, at least 100.
	MaxEntries int `yaml:"maxEntries"`
	// MaxBytes is about how much memory they may take. Default 67108864 (64 MiB), at least
	// 1048576. One is about 1.5 KiB.
	MaxBytes int `yaml:"maxBytes"`
}

package core

import (
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Config is everything that an app decides. The zero value of each field is its
// strictest or its documented default; New reports every fault of it at once. Fields
// with a yaml tag can be set in the program's config file under that name.
type Config struct {
	// AppName is shown to people in mails, pages and authenticators. Default "Sallyport".
	AppName string `yaml:"appName"`
	// BaseURL is the origin under which browsers reach the server, for instance
	// "https://auth.example.com". Required: links in mails, cookies and the origin check
	// come from it, never from a request's Host header. Without a path.
	BaseURL string `yaml:"baseURL"`
	// BasePath is where the endpoints are mounted. Default "/api/auth".
	BasePath string `yaml:"basePath"`
	// Secret signs cookies and encrypts secrets in the database: at least 32 characters
	// of randomness. Required unless Secrets is set. With Secrets it is the legacy secret
	// that can still read what was written before.
	Secret string `yaml:"secret"`
	// Secrets is a list for rotation: the first entry signs and encrypts, all verify and
	// decrypt.
	Secrets []Secret `yaml:"secrets"`
	// Production refuses settings that are only fit for development: plain http, a weak
	// secret. Rate limits are on unless they are switched off by name.
	Production bool `yaml:"production"`

	// TrustedOrigins may send requests with cookies and be redirected to, beside BaseURL:
	// exact origins ("https://app.example.com"), wildcards ("https://*.example.com"),
	// custom schemes ("myapp://").
	TrustedOrigins []string `yaml:"trustedOrigins"`
	// TrustedProxies are the networks (CIDR) whose X-Forwarded-For is believed. Default
	// none: the peer's address counts.
	TrustedProxies []string `yaml:"trustedProxies"`
	// MaxBody is the largest request body in bytes. Default 1 MiB.
	MaxBody int `yaml:"maxBody"`
	// Timeout bounds one request, in seconds. Default 30.
	Timeout int `yaml:"timeout"`
	// ErrorURL is where /error and failed redirects without a callback go. Default: a
	// plain page of ours.
	ErrorURL string `yaml:"errorURL"`
	// ChallengeURL is the page where a browser that was sent by navigation (a magic link)
	// proves its second factor. Default: the built-in one where the program serves the
	// pages, else the callback URL.
	ChallengeURL string `yaml:"challengeURL"`

	// DisabledPaths are endpoints (below the base path) that answer 404 although their
	// plugin is enabled.
	DisabledPaths []string `yaml:"disabledPaths"`
	// SkipTrailingSlashes lets every path end in one slash.
	SkipTrailingSlashes bool `yaml:"skipTrailingSlashes"`

	Session   SessionConfig   `yaml:"session"`
	User      UserConfig      `yaml:"user"`
	Account   AccountConfig   `yaml:"account"`
	Email     EmailConfig     `yaml:"emailVerification"`
	Password  PasswordConfig  `yaml:"password"`
	Cookies   CookieConfig    `yaml:"cookies"`
	RateLimit RateLimitConfig `yaml:"rateLimit"`
	Lockout   LockoutConfig   `yaml:"lockout"`
	Audit     AuditConfig     `yaml:"audit"`
	Notices   NoticesConfig   `yaml:"notices"`
	// IDs chooses how row ids are made: "random" (default: 32 characters), "uuid" (v4) or
	// "serial": numbers, for tables that are there with a number as their key, from the
	// sequences of PostgreSQL or the next one on SQLite; the ids of other tables are random.
	IDs string `yaml:"ids"`

	Database storage.Database `yaml:"-"` // required
	Names    schema.Names     `yaml:"-"`
	Plugins  []Plugin         `yaml:"-"`
	// Hooks are the app's own, on the same points as a plugin's. They run after the
	// plugins'.
	Hooks []Hook `yaml:"-"`
	// Errors are the codes that the app's hooks answer with.
	Errors []*Error        `yaml:"-"`
	Mailer contract.Mailer `yaml:"-"` // nil: no mail is sent, and what needs mail is refused
	Logger *slog.Logger    `yaml:"-"` // default slog.Default()
	// Observer watches requests, jobs, mails, hashing and statements, for metrics and traces
	// (adapters/prometheus, adapters/otel). Default none, at no cost.
	Observer contract.Observer `yaml:"-"`

	// NewID overrides IDs.
	NewID func(table string) (string, error) `yaml:"-"`
	// Clock and Random are for tests. Defaults: time.Now, crypto/rand.Reader.
	Clock  func() time.Time `yaml:"-"`
	Random io.Reader        `yaml:"-"`
	// ClientAddr overrides how the client's address is found.
	ClientAddr func(peer netip.Addr, forwardedFor []string) netip.Addr `yaml:"-"`
	// SkipVerify leaves out the check that the database has every table and column. Only
	// for programs that are about to migrate.
	SkipVerify bool `yaml:"-"`
	// NoBackground leaves out jobs and clean-up: for commands.
	NoBackground bool `yaml:"-"`
}

// Secret is one entry of Config.Secrets.
type Secret struct {
	Version int    `yaml:"version"` // unique, from 0
	Value   string `yaml:"value"`
	// DecryptOnly entries read old data but verify no cookie.
	DecryptOnly bool `yaml:"decryptOnly"`
}

// UserConfig is about the user table and what users may do to themselves.
type UserConfig struct {
	// Fields are the app's own columns of the user.
	Fields      []Extra           `yaml:"additionalFields"`
	ChangeEmail ChangeEmailConfig `yaml:"changeEmail"`
	DeleteUser  DeleteUserConfig  `yaml:"deleteUser"`
}

// ChangeEmailConfig is about POST /change-email.
type ChangeEmailConfig struct {
	// Enabled lets users change their address. Default false.
	Enabled bool `yaml:"enabled"`
	// UpdateWithoutVerification lets a user whose address is not verified change it at once.
	UpdateWithoutVerification bool `yaml:"updateEmailWithoutVerification"`
	// SkipConfirmation leaves out the mail to the old address that a verified user has to
	// follow first.
	SkipConfirmation bool `yaml:"skipConfirmation"`
}

// DeleteUserConfig is about POST /delete-user.
type DeleteUserConfig struct {
	// Enabled lets users delete themselves. Default false.
	Enabled bool `yaml:"enabled"`
	// VerifyByMail sends a link that has to be followed. It needs a mailer.
	VerifyByMail bool `yaml:"verifyByMail"`
	// TokenExpiresIn is the link's life in seconds. Default 86400.
	TokenExpiresIn int `yaml:"deleteTokenExpiresIn"`
}

// AccountConfig is about linked accounts.
type AccountConfig struct {
	// AllowUnlinkingAll lets users unlink their last account.
	AllowUnlinkingAll bool `yaml:"allowUnlinkingAll"`
}

// EmailConfig is about verifying addresses.
type EmailConfig struct {
	// Disabled sends no verification mails and refuses what needs one, although there is
	// a mailer.
	Disabled bool `yaml:"disabled"`
	// SendOnSignUp sends the mail at sign-up. Default: where verification is required.
	SendOnSignUp *bool `yaml:"sendOnSignUp"`
	// SendOnSignIn sends it again when somebody with the right password is refused
	// because the address is not verified.
	SendOnSignIn bool `yaml:"sendOnSignIn"`
	// AutoSignIn signs in who follows the link first.
	AutoSignIn bool `yaml:"autoSignInAfterVerification"`
	// ExpiresIn is the link's life in seconds. Default 3600.
	ExpiresIn int `yaml:"expiresIn"`
}

// PasswordConfig is about passwords and their hashing.
type PasswordConfig struct {
	// MinLength and MaxLength of new passwords, in UTF-16 code units. Defaults 8, 128.
	MinLength int `yaml:"minLength"`
	MaxLength int `yaml:"maxLength"`
	// Hash is what new passwords are hashed with: "argon2id" (default) or "scrypt" (Better
	// Auth's, for a shared database). All known forms verify; a sign-in rehashes.
	Hash string `yaml:"hash"`
	// MemoryKiB, Iterations and Parallelism are argon2id's. Defaults 19456, 2, 1 (OWASP).
	MemoryKiB   uint32 `yaml:"memoryKiB"`
	Iterations  uint32 `yaml:"iterations"`
	Parallelism uint8  `yaml:"parallelism"`
	// Workers is how many hashes run at once. Default: GOMAXPROCS at the start, as far as MemoryLimit allows.
	Workers int `yaml:"workers"`
	// Queue is how many wait for a worker; more are refused with 503. Default 64.
	Queue int `yaml:"queue"`
	// MemoryLimit bounds the memory of all running hashes in bytes. Default 128 MiB.
	MemoryLimit int64 `yaml:"memoryLimit"`
}

// CookieConfig names cookies and sets their attributes.
type CookieConfig struct {
	// Prefix of every name. Default "better-auth", which the client expects.
	Prefix string `yaml:"prefix"`
	// Secure sets Secure and the __Secure- prefix. Default: when BaseURL is https.
	Secure *bool `yaml:"secure"`
	// Domain shares cookies with sub-domains, for instance "example.com". Default none.
	Domain string `yaml:"domain"`
	// SameSite is "lax" (default), "strict" or "none".
	SameSite string `yaml:"sameSite"`
	// Partitioned keeps cookies apart per embedding site (CHIPS).
	Partitioned bool `yaml:"partitioned"`
	// Override sets attributes of single cookies by their plain name ("session_token").
	Override map[string]CookieOverride `yaml:"override"`
}

// CookieOverride changes one cookie.
type CookieOverride struct {
	// Name replaces prefix and name. Default: both as for every cookie.
	Name string `yaml:"name"`
	// SameSite is "lax", "strict" or "none". Default: as for every cookie.
	SameSite string `yaml:"sameSite"`
	// Partitioned keeps this cookie apart per embedding site. Default: as for every cookie.
	Partitioned bool `yaml:"partitioned"`
	// Path is where the cookie is sent. Default "/".
	Path string `yaml:"path"`
}

// RateLimitConfig is about limits per client and path.
type RateLimitConfig struct {
	// Enabled switches limits on or off. Default: on in production.
	Enabled *bool `yaml:"enabled"`
	// Max requests per Window seconds for paths without a rule. Defaults 100, 10.
	Max    int `yaml:"max"`
	Window int `yaml:"window"`
	// Storage is "memory" (default, per process), "database", or "redis", which Store is.
	Storage string `yaml:"storage"`
	// OnFailure says what holds while the storage does not answer: "memory" (each process
	// counts for itself), "open" (no limit) or "closed" (503). Default: "memory" beside
	// Store, "closed" with the database, without which no request could be answered anyway.
	OnFailure string `yaml:"onFailure"`
	// Store counts outside of the database and this process. The program makes one of the
	// option redis.
	Store contract.LimitStore `yaml:"-"`
	// Rules are the app's own by path; "*" is a wildcard. Max 0 lifts the limit.
	Rules []RateLimit `yaml:"rules"`
}

// LockoutConfig is about wrong passwords and codes.
type LockoutConfig struct {
	// Disabled locks nobody out, however often they fail. Default false.
	Disabled bool `yaml:"disabled"`
	// Max failures within Window seconds lock an account for Duration seconds. Defaults
	// 5, 900, 1800.
	Max      int `yaml:"max"`
	Window   int `yaml:"window"`
	Duration int `yaml:"duration"`
	// Network is about failures from one network, at whichever accounts.
	Network NetworkLockoutConfig `yaml:"network"`
	// OnFailure says what holds while the counters do not answer though users can be
	// read: "closed" (nobody gets in with a password or code: 503) or "open" (guesses are
	// not counted). Default closed: who can break the counters must not guess freely.
	OnFailure string `yaml:"onFailure"`
	// Storage is where guesses are counted: "database" (default), or "redis", which Store is.
	// While that does not answer, the database counts.
	Storage string `yaml:"storage"`
	// Store counts outside of the database. The program makes one of the option redis.
	Store contract.AttemptStore `yaml:"-"`
}

// NetworkLockoutConfig is about wrong passwords and codes from one network: an IPv4 address,
// or the first 64 bits of an IPv6 address. One guess at each of many accounts locks none
// of them, but the network that it comes from. A device that the user signed in with
// before is not stopped by it. Behind the address of an office are many people: a right
// password does not clear the count, so Max has to leave room for their mistakes.
type NetworkLockoutConfig struct {
	// Disabled counts by account alone. Default false.
	Disabled bool `yaml:"disabled"`
	// Max failures within Window seconds lock a network for Duration seconds. Defaults 100,
	// 900, 900.
	Max      int `yaml:"max"`
	Window   int `yaml:"window"`
	Duration int `yaml:"duration"`
}

// AuditConfig is about security events.
type AuditConfig struct {
	// Retention is how long events are kept, in seconds. Default 31536000 (365 days); 0
	// keeps them for ever. At least 86400 and emailVerification.expiresIn: a mailed link to
	// change the address is void if somebody has claimed the account since, which an event
	// tells.
	Retention *int `yaml:"retention"`
	// Chain links every event to the one before it by a hash, within seconds, so that
	// "sallyport audit verify" finds what was altered or taken out afterwards. Default
	// false.
	Chain bool `yaml:"chain"`
}

// Extra is a column that the app adds to the user or the session: from a config file, by
// hand, or all of them from a row struct (FieldsOf).
type Extra struct {
	Name string `yaml:"name"` // camelCase, as clients send it
	// Type is "string", "number", "boolean", "date", "json", "string[]" or "number[]".
	Type string `yaml:"type"`
	// Required fields must be given at sign-up.
	Required bool `yaml:"required"`
	// Input false keeps clients from setting the field. Default true.
	Input *bool `yaml:"input"`
	// Returned false keeps the field out of every answer. Default true.
	Returned *bool `yaml:"returned"`
	// Default is the value where none is given.
	Default any `yaml:"defaultValue"`
	// Unique and Index are for the database.
	Unique bool `yaml:"unique"`
	Index  bool `yaml:"index"`
	// BigInt makes a number 64 bit wide.
	BigInt bool `yaml:"bigint"`
}

package server

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-auth/sallyport/adapters/logmail"
	"github.com/sallyport-auth/sallyport/adapters/notify"
	"github.com/sallyport-auth/sallyport/adapters/otel"
	"github.com/sallyport-auth/sallyport/adapters/redis"
	"github.com/sallyport-auth/sallyport/adapters/smtp"
	"github.com/sallyport-auth/sallyport/core"
)

// Config is everything that the program can be told. Load makes one; one that is made by
// hand is completed by New where the comments name a default.
type Config struct {
	// Core holds the options of core at the top level of the file. Of its other fields,
	// Hooks, NewID, ClientAddr, Clock and Random may be set by a program; Plugins are
	// added behind those of Plugins below; the rest comes from this Config.
	Core core.Config `yaml:",inline"`

	// SecretFile is a file with the secret, in the place of secret. White space around it
	// is left out.
	SecretFile string `yaml:"secretFile"`
	// SecretsFile is a file with secrets for rotation, "2:new,1:old", the current one
	// first, in the place of secrets.
	SecretsFile string `yaml:"secretsFile"`
	// Listen is the address to listen on, "host:port" or ":port". Default: 127.0.0.1:8080
	// in development, :8080 in production.
	Listen string `yaml:"listen"`
	// ShutdownGrace is how long requests and jobs that have begun may go on when the
	// program is told to stop, as a duration. Default 15s, at most 10m.
	ShutdownGrace time.Duration `yaml:"shutdownGrace"`
	// ShutdownDelay is how long before that, as a duration, the program goes on answering
	// when it is told to stop, while /readyz says that it is not ready: so that a load
	// balancer sends its requests elsewhere before the connections to it are closed. It
	// should be more than two times what lies between two of its probes. Default 5s in
	// production, else none; at most 10m; negative: none.
	ShutdownDelay time.Duration `yaml:"shutdownDelay"`

	Database DatabaseConfig `yaml:"database"`
	Redis    RedisConfig    `yaml:"redis"`
	Mail     MailConfig     `yaml:"mail"`
	Pages    PagesConfig    `yaml:"pages"`
	Log      LogConfig      `yaml:"log"`
	Metrics  MetricsConfig  `yaml:"metrics"`
	Tracing  TracingConfig  `yaml:"tracing"`

	// Plugins are enabled by their id, each with its options, in the order in which their
	// hooks run: a mapping of id to options (none: the defaults), or a list of ids and of
	// such mappings.
	Plugins Plugins `yaml:"plugins"`

	// Routes adds an app's own routes. They answer after the endpoints and before the
	// pages and the 404 of unknown paths.
	Routes func(app fiber.Router, auth *core.Auth) `yaml:"-"`

	// Version of the program, for metrics and traces. Default: what the toolchain recorded.
	Version string `yaml:"-"`

	data             string // the data folder of development
	port             string // of PORT
	file             string // the config file; empty without one
	fileHoldsSecrets bool
}

// DatabaseConfig says where the database is and what its tables are called.
type DatabaseConfig struct {
	// URL of a PostgreSQL database: postgres://user:password@host/name. Default: none,
	// and Path says where the SQLite database is.
	URL string `yaml:"url"`
	// URLFile is a file with the URL, in the place of url.
	URLFile string `yaml:"urlFile"`
	// Path of a SQLite database; it is made if there is none. Default in development:
	// sallyport.db in the data folder.
	Path string `yaml:"path"`
	// MaxOpen is how many connections to PostgreSQL there may be. Default 20, at least 2.
	MaxOpen int `yaml:"maxOpen"`
	// StatementTimeout bounds one statement, as a duration. Default 10s; negative: none.
	StatementTimeout time.Duration `yaml:"statementTimeout"`
	// Naming of tables and columns: "snake" (default) or "betterauth" (as Better Auth's
	// own migrations write them, for a shared database).
	Naming string `yaml:"naming"`
	// Schema is the PostgreSQL schema that holds the tables. Default "public".
	Schema string `yaml:"schema"`
	// Overrides name single tables and columns: "user" renames a table,
	// "user.emailVerified" a column.
	Overrides map[string]string `yaml:"overrides"`
	// Times is how a SQLite database holds times: "text" (default, as Better Auth's own
	// adapter), "offset" (Prisma's driver adapters) or "milliseconds" (Prisma, Drizzle's
	// timestamp_ms).
	Times string `yaml:"times"`
	// TimeOverrides say so of single tables and columns, "session" or "session.expiresAt",
	// which may have "seconds" besides (Drizzle's timestamp). All columns of "attempt", "job"
	// and "securityEvent" have one form, and not seconds.
	TimeOverrides map[string]string `yaml:"timeOverrides"`
}

// RedisConfig says where Redis or Valkey is, for what has the storage "redis".
type RedisConfig struct {
	redis.Options `yaml:",inline"`
	// URLFile is a file with the URL, in the place of url.
	URLFile string `yaml:"urlFile"`
}

// MailConfig chooses how mails are sent.
type MailConfig struct {
	// Driver is "smtp", "notify" (a service that takes JSON over HTTP), "log" (prints
	// every mail with its live links to the console: development only) or "none". Default:
	// "log" in development; in production none, and what needs mail is refused.
	Driver string `yaml:"driver"`
	// SMTP is for the driver "smtp".
	SMTP SMTPConfig `yaml:"smtp"`
	// Notify is for the driver "notify".
	Notify NotifyConfig `yaml:"notify"`
	// Log is for the driver "log".
	Log logmail.Options `yaml:"log"`
}

// SMTPConfig are the options of a mail server.
type SMTPConfig struct {
	smtp.Options `yaml:",inline"`
	// PasswordFile is a file with the password, in the place of password.
	PasswordFile string `yaml:"passwordFile"`
}

// NotifyConfig are the options of a notification service.
type NotifyConfig struct {
	notify.Options `yaml:",inline"`
	// ServiceKeyFile is a file with the key, in the place of serviceKey.
	ServiceKeyFile string `yaml:"serviceKeyFile"`
}

// PagesConfig is about the built-in pages.
type PagesConfig struct {
	// Enabled serves them. Default: on in development, off in production.
	Enabled *bool `yaml:"enabled"`
	// Prefix is the path below which they are, without a trailing slash. Default: none,
	// they are at the root.
	Prefix string `yaml:"prefix"`
}

// LogConfig is about the log, which goes to the standard error.
type LogConfig struct {
	// Level is "debug", "info" (default), "warn" or "error".
	Level string `yaml:"level"`
	// Format is "text" or "json". Default: text in development, json in production.
	Format string `yaml:"format"`
	// Requests logs a line for every request. Default true.
	Requests *bool `yaml:"requests"`
}

// MetricsConfig is about metrics for Prometheus.
type MetricsConfig struct {
	// Listen is the address that answers GET /metrics, "host:port": one of its own, such as
	// 127.0.0.1:9464, since who may read it learns how many people sign in and when, and
	// nobody is asked for a password. Default: none, nothing is counted.
	Listen string `yaml:"listen"`
}

// TracingConfig is about traces for OpenTelemetry.
type TracingConfig struct {
	otel.Options `yaml:",inline"`
	// HeadersFile is a file with the headers, in the place of headers.
	HeadersFile string `yaml:"headersFile"`
}

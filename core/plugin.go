package core

import (
	"context"
	"io"
	"reflect"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// SPI is the version of the plugin contract: this file, Point, Route, Table, Job and
// Host. It changes when a plugin written against it would no longer compile or behave.
const SPI = 1

// Plugin is one feature. Spec is called by New, and by Describe before; what it returns is
// data: it can be checked and printed without running anything. One plugin value belongs to one Auth.
type Plugin interface{ Spec() Spec }

// Spec is what a plugin adds. Every field may be empty but ID.
type Spec struct {
	// ID is the plugin's name in lower-case kebab-case, for instance "two-factor". It
	// names the plugin in the config file, in errors and in logs.
	ID string
	// Faults are what is wrong with the plugin's options. New reports them together with
	// all others and starts nothing.
	Faults []error
	// Tables are the plugin's own (TableOf gives them).
	Tables []schema.Table
	// Extend adds columns to tables of others; each nullable or with a default.
	Extend []schema.Extension
	// UserFields are fields of the user that clients may set, as the app's own are
	// (UserConfig.Fields). Where the app declares one of the same name, the app's counts.
	UserFields []UserField
	// Steps are numbered changes that adding tables and columns cannot express.
	Steps []storage.Step
	// Endpoints are served below the base path.
	Endpoints []Endpoint
	// Aliases are further ways to endpoints of any plugin, for clients of another API.
	Aliases []Alias
	// Envelopes are the form of failures in such an API.
	Envelopes []Envelope
	// Hooks run on core's points or on those that another plugin exports.
	Hooks []Hook
	// Errors are all codes that the plugin answers with.
	Errors []*Error
	// Limits are rate limits of the plugin's paths; the first that matches holds.
	Limits []RateLimit
	// Jobs are the work that the plugin does after a commit and must not lose.
	Jobs []JobHandler
	// Commands are added to the program: sallyport ID NAME, or sallyport NAME while no
	// other plugin has the name.
	Commands []Command
	// Data is what the plugin keeps about a user: exported and erased with the account.
	Data []DataSet
	// Events are the types of security events that the plugin records.
	Events []EventType
	// Mails are the texts of the messages that the plugin sends.
	Mails []contract.MailTemplate
	// Pages are what the plugin adds to the built-in pages.
	Pages []PageEntry
	// Features is shown to clients by GET /features: what a login page must know.
	// It must hold no secret.
	Features map[string]any
	// TypeScript are declarations that "generate ts" adds for clients in TypeScript: a part
	// of a module, with its imports.
	TypeScript string
	// Provides are services for other plugins; Needs are those that it wants.
	Provides []Service
	Needs    []Need
	// Init runs after everything is compiled and Needs are filled, in the order of the
	// plugin list. Its context ends with Init.
	Init func(context.Context, *Host) error
	// Close runs when the Auth closes, in reverse order.
	Close func(context.Context) error
}

// RateLimit limits requests of one client to paths. A path that ends in "*" is a
// prefix, any other is exact.
type RateLimit struct {
	// Paths below the base path.
	Paths []string `yaml:"paths"`
	// Max is how many requests are let pass per window.
	Max int `yaml:"max"`
	// Window is in seconds.
	Window int `yaml:"window"`
}

// UserField is a field that a plugin adds to the user.
type UserField struct {
	Extra
	// Check says what is wrong with a text that a client sends; the client reads it as part
	// of a VALIDATION_ERROR. nil takes every value of the type.
	Check func(text string) error
}

// Command is a command of the program.
type Command struct {
	Name    string // one word
	Summary string // one line
	// Run does the work. The database is open, background work is not running.
	Run func(ctx context.Context, h *Host, args []string, out io.Writer) error
}

// DataSet is one part of what is kept about a user.
type DataSet struct {
	Name string // key in the export
	// Export returns what the user may see, as a value for encoding/json. Secrets
	// (hashes, keys, tokens) are left out.
	Export func(ctx context.Context, db storage.Conn, userID string) (any, error)
	// Erase deletes what no foreign key deletes, in the transaction that deletes the
	// user. nil if the foreign keys do it all.
	Erase func(ctx context.Context, tx *Tx, userID string) error
}

// PageEntry is something that the built-in pages show while the plugin is enabled.
type PageEntry struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`   // "sign-in", "sign-up", "account", "challenge" or "page" (server/pages)
	Title  string `json:"title"`  // in English
	Module string `json:"module"` // file name of an ES module that exports render(root, ctx)
	Order  int    `json:"order"`
}

// Service is something that a plugin offers to others.
type Service struct {
	typ   reflect.Type
	value any
}

// Provide offers impl under the interface type T. T must be an interface: a service
// that is registered under its concrete type would be found by nobody.
//
//	Provides: []core.Service{core.Provide[contract.Mailer](m)}
func Provide[T any](impl T) Service { return Service{reflect.TypeFor[T](), impl} }

// Need is a service that a plugin wants.
type Need struct {
	typ      reflect.Type
	optional bool
	set      func(any)
}

// Require fills dst before Init; New fails if no plugin provides T.
func Require[T any](dst *T) Need {
	return Need{typ: reflect.TypeFor[T](), set: func(v any) { *dst = v.(T) }}
}

// Optional fills dst before Init if some plugin provides T, else leaves it.
func Optional[T any](dst *T) Need {
	n := Require(dst)
	n.optional = true
	return n
}

package core_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/adapters/sqlite"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

const (
	base     = "https://auth.example.com"
	password = "correct horse battery"
	wrong    = "incorrect horse battery"
	// tokenCookie is core's session cookie on https.
	tokenCookie  = "__Secure-better-auth.session_token"
	dataCookie   = "__Secure-better-auth.session_data"
	forgetCookie = "__Secure-better-auth.dont_remember"
	deviceCookie = "__Secure-better-auth.device"
)

// fast keeps hashing out of the tests' time: parameters that no app should use.
var fast = core.PasswordConfig{MemoryKiB: 8, Iterations: 1, Parallelism: 1, Workers: 4, Queue: 1000}

func ptr[T any](v T) *T { return &v }

// env is one Auth under test with everything around it in the test's hand.
type env struct {
	t     testing.TB
	auth  *core.Auth
	db    *spyDB
	clock *clock
	mail  *outbox
	logs  *logSink
	cfg   core.Config
	ep    emailpassword.Options
}

type option func(*env)

func config(fn func(*core.Config)) option              { return func(e *env) { fn(&e.cfg) } }
func passwords(fn func(*emailpassword.Options)) option { return func(e *env) { fn(&e.ep) } }
func on(db storage.Database) option                    { return func(e *env) { e.db = &spyDB{Database: db} } }
func with(plugins ...core.Plugin) option {
	return config(func(c *core.Config) { c.Plugins = append(c.Plugins, plugins...) })
}
func hooks(h ...core.Hook) option {
	return config(func(c *core.Config) { c.Hooks = append(c.Hooks, h...) })
}

// start migrates a database (SQLite unless told) and compiles an Auth with
// email-password on it.
func start(t testing.TB, options ...option) *env {
	t.Helper()
	e := prepare(t, options...)
	e.migrate()
	e.auth = e.compile()
	return e
}

func prepare(t testing.TB, options ...option) *env {
	t.Helper()
	e := &env{t: t, clock: newClock(), mail: &outbox{}, logs: &logSink{}}
	e.cfg = core.Config{BaseURL: base, Secret: "n9Yq3vT8wZ2rB6mK4xS7dF1gH5jL0pQa", Password: fast, Clock: e.clock.Now,
		Mailer: e.mail, Logger: slog.New(e.logs), NoBackground: true, RateLimit: core.RateLimitConfig{Enabled: ptr(false)},
		User:           core.UserConfig{ChangeEmail: core.ChangeEmailConfig{Enabled: true}, DeleteUser: core.DeleteUserConfig{Enabled: true}},
		TrustedOrigins: []string{"https://app.example.com", "myapp://"}}
	for _, o := range options {
		o(e)
	}
	if e.db == nil {
		e.db = &spyDB{Database: openSQLite(t)}
	}
	e.cfg.Database = e.db
	return e
}

// config returns the configuration with a fresh plugin value: one belongs to one Auth.
func (e *env) config() core.Config {
	cfg := e.cfg
	cfg.Plugins = append([]core.Plugin{emailpassword.New(e.ep)}, e.cfg.Plugins...)
	return cfg
}

func (e *env) compile() *core.Auth {
	e.t.Helper()
	a, err := core.New(e.t.Context(), e.config())
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = a.Close(context.Background()) })
	return a
}

func (e *env) migrate() {
	e.t.Helper()
	cfg := e.config()
	cfg.SkipVerify, cfg.NoBackground = true, true
	a, err := core.New(e.t.Context(), cfg)
	if err != nil {
		e.t.Fatal(err)
	}
	defer a.Close(context.Background())
	want, names, steps := a.Schema()
	if _, err := migrations.Apply(e.t.Context(), e.cfg.Database, want, names, steps); err != nil {
		e.t.Fatal(err)
	}
}

func openSQLite(t testing.TB) storage.Database {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Memory, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func openPostgres(t testing.TB) storage.Database {
	t.Helper()
	db, err := postgres.Open(t.Context(), adaptertest.PostgresURL(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// both runs a test on SQLite and on PostgreSQL.
func both(t *testing.T, fn func(t *testing.T, db option)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, on(openSQLite(t))) })
	t.Run("postgres", func(t *testing.T) { fn(t, on(openPostgres(t))) })
}

// clock is time as the test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// outbox is a mailer that keeps everything.
type outbox struct {
	mu   sync.Mutex
	sent []contract.Message
	fail func(contract.Message) error
}

func (o *outbox) Send(_ context.Context, m contract.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		if err := o.fail(m); err != nil {
			return err
		}
	}
	o.sent = append(o.sent, m)
	return nil
}

func (o *outbox) all() []contract.Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.sent)
}

// deliver does all waiting jobs and returns the messages sent by them.
func (e *env) deliver() []contract.Message {
	e.t.Helper()
	before := len(e.mail.all())
	for {
		worked, err := core.RunJob(e.t.Context(), e.auth)
		if err != nil {
			e.t.Fatal(err)
		}
		if !worked {
			return e.mail.all()[before:]
		}
	}
}

// mailed wants exactly one message of a template and returns it.
func (e *env) mailed(template string) contract.Message {
	e.t.Helper()
	list := e.deliver()
	if len(list) != 1 || list[0].Template != template {
		e.t.Fatalf("mails: %v, want one %s", templates(list), template)
	}
	return list[0]
}

func templates(list []contract.Message) (out []string) {
	for _, m := range list {
		out = append(out, m.Template)
	}
	return out
}

package plugintest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/mailtext"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/migrations"
)

// Options are the settings of a harness.
type Options struct {
	// Plugins are what the Auth is made of. Check wants Others instead.
	Plugins []core.Plugin
	// Config changes the configuration before core.New: hooks, fields, limits. The
	// defaults are core's, except: passwords are hashed in next to no time, rate limits
	// are off, and nothing runs in the background.
	Config func(*core.Config)
	// Database is SQLite unless said otherwise.
	Database Engine

	// Rules is for Check alone.
	Rules
}

// Rules tell Check what it cannot know by itself. All of it is optional but Journey, for
// a plugin with endpoints.
type Rules struct {
	// Others makes the plugins that the one under test works with; they stand before it.
	Others func() []core.Plugin
	// Journey uses the plugin as people would: each endpoint at least once with success.
	// Check sends its requests again and again: as somebody else, without a session, with
	// failing hooks, with broken input. It must send the same requests in every harness.
	Journey func(h *Harness)
	// Public lists the endpoints below the base path that are meant for everybody. One
	// that is public and is not in the list is a fault.
	Public []string
	// Points are the plugin's own points (Watch makes them). Core's are known.
	Points []Point
	// Carries lists endpoints whose answers exist to carry a secret, for instance a new
	// API key. An answer that sets a session's cookie may carry its token anyway.
	Carries []string
	// Redeems lists GET endpoints that change something on account of a secret that did
	// not come by mail, for instance the state of an OAuth flow.
	Redeems []string
	// Shared lists endpoints through which users may see or change rows of others: an
	// administrator's, a public profile's.
	Shared []string
	// Keeps lists tables that keep rows of users who were deleted, for instance a log.
	Keeps []string
	// NoPostgres leaves out what needs a PostgreSQL server.
	NoPostgres bool
}

// Harness is an Auth with everything around it that a test moves.
type Harness struct {
	T      testing.TB
	Auth   *core.Auth
	Host   *core.Host
	Clock  *Clock
	Outbox *Outbox
	Logs   *Logs
	Config core.Config // as it was handed to core.New

	db      *database
	user    *users
	probe   func(*Client, *Request) // before each request of a client
	observe func(*Client, *Request, *Answer)
	quiet   bool // inside a probe
}

// Secret is the secret of every harness.
const Secret = "plugintest-secret-0123456789abcdefghijklmnop"

// BaseURL is the base URL of every harness, unless Options.Config changes it.
const BaseURL = "https://auth.example.com"

// New makes a harness. Whatever keeps the Auth from starting ends the test.
func New(t testing.TB, o Options) *Harness {
	t.Helper()
	h, err := Start(t, o)
	if err != nil {
		t.Fatalf("plugintest: %v", err)
	}
	return h
}

// Start is New for tests of what keeps an Auth from starting.
func Start(t testing.TB, o Options) (*Harness, error) {
	t.Helper()
	h := &Harness{T: t, Clock: NewClock(), Outbox: &Outbox{}, Logs: &Logs{}, db: open(t, o.Database)}
	h.Outbox.onSend = func() { h.db.inTx("a message was sent") }
	off := false
	h.Config = core.Config{BaseURL: BaseURL, Secret: Secret, Database: h.db, Mailer: h.Outbox, Logger: h.Logs.Logger(), Clock: h.Clock.Now,
		Plugins: append([]core.Plugin(nil), o.Plugins...), NoBackground: true, RateLimit: core.RateLimitConfig{Enabled: &off},
		Password: core.PasswordConfig{MemoryKiB: 8, Iterations: 1, Parallelism: 1}}
	if o.Config != nil {
		o.Config(&h.Config)
	}
	h.user = &users{}
	h.Config.Plugins = append(h.Config.Plugins, h.user)
	h.Config.DisabledPaths = append(append([]string(nil), h.Config.DisabledPaths...), openSession.Path())
	ctx := context.Background()
	described, err := core.Describe(h.Config)
	if err != nil {
		return nil, err
	}
	want, names, steps := described.Schema()
	if _, err := migrations.Apply(ctx, h.Config.Database, want, names, steps); err != nil {
		return nil, err
	}
	if h.Auth, err = core.New(ctx, h.Config); err != nil {
		return nil, err
	}
	h.Host = h.Auth.Host()
	if err := checkMails(h.Auth); err != nil {
		return nil, errors.Join(err, h.Auth.Close(ctx))
	}
	h.db.hashes = h.Host.PasswordsHashed
	t.Cleanup(func() {
		if err := h.Auth.Close(context.Background()); err != nil {
			t.Errorf("plugintest: closing: %v", err)
		}
	})
	return h, nil
}

// checkMails renders every text of the plugins, in each language that it is there in.
func checkMails(auth *core.Auth) error {
	if len(auth.MailTemplates()) == 0 {
		return nil
	}
	r, err := mailtext.New(mailtext.Options{Defaults: auth.MailTemplates()})
	if err != nil {
		return err
	}
	for _, m := range auth.MailTemplates() {
		for _, language := range r.Languages(m.Name) {
			if _, err := r.Render(r.Sample(m.Name, language)); err != nil {
				return err
			}
		}
	}
	return nil
}

// RunJobs does the jobs that are due, and says how many.
func (h *Harness) RunJobs() int {
	h.T.Helper()
	n, err := h.Auth.RunJobs(context.Background())
	if err != nil {
		h.T.Fatalf("plugintest: jobs: %v", err)
	}
	return n
}

// users makes users and sessions for tests: through the gate, but without a way to sign
// in. Its endpoint cannot be reached from outside.
type users struct{ host *core.Host }

type openInput struct {
	UserID  string   `json:"userId"`
	Methods []string `json:"methods"`
}

var openSession = core.NewRoute[openInput, core.None]("POST /plugintest/session", core.Public)

// kitID is the plugin's own name; Check leaves it out.
const kitID = "plugintest"

// Spec implements core.Plugin.
func (u *users) Spec() core.Spec {
	return core.Spec{
		ID: kitID,
		Endpoints: []core.Endpoint{openSession.Handle(func(ctx context.Context, c *core.Call, in openInput) (core.None, error) {
			user, err := u.host.UserByID(ctx, u.host.DB(), in.UserID)
			if err != nil || user == nil {
				return core.None{}, core.ErrUserNotFound.Because(err)
			}
			_, err = u.host.SignIn(ctx, nil, &core.SignIn{Call: c, User: user, Methods: in.Methods})
			return core.None{}, err
		})},
		Errors: []*core.Error{errTrap},
		Init:   func(_ context.Context, h *core.Host) error { u.host = h; return nil },
	}
}

// CreateUser makes a user with a verified address; change may set anything before.
func (h *Harness) CreateUser(email string, change ...func(*core.User)) *core.User {
	h.T.Helper()
	name, _, _ := strings.Cut(email, "@")
	u, err := h.Host.NewUser(name, email, nil)
	if err != nil {
		h.T.Fatalf("plugintest: %v", err)
	}
	u.EmailVerified = true
	for _, f := range change {
		f(u)
	}
	if err := h.Host.CreateUser(context.Background(), nil, nil, u, kitID, ""); err != nil {
		h.T.Fatalf("plugintest: creating %s: %v", email, err)
	}
	return u
}

// SignUp makes a user and returns a client that is signed in as them.
func (h *Harness) SignUp(email string, change ...func(*core.User)) *Client {
	h.T.Helper()
	h.CreateUser(email, change...)
	return h.SignIn(email)
}

// SignIn returns a new client with a new session of a user, made by the gate: hooks on
// the sign-in point run. A challenge or a refusal ends the test.
func (h *Harness) SignIn(email string) *Client {
	h.T.Helper()
	c, err := h.TrySignIn(email)
	if err != nil {
		h.T.Fatalf("plugintest: signing %s in: %v", email, err)
	}
	return c
}

// TrySignIn is SignIn for tests of what the gate refuses.
func (h *Harness) TrySignIn(email string) (*Client, error) {
	ctx := context.Background()
	u, err := h.Host.UserByEmail(ctx, h.Host.DB(), email)
	if err != nil {
		return nil, err
	}
	if u == nil {
		return nil, fmt.Errorf("nobody has the address %s", email)
	}
	c, header := h.Client(), http.Header{}
	if _, err := openSession.Call(ctx, h.Auth, openInput{UserID: u.ID, Methods: []string{"test"}}, core.CaptureHeader(header)); err != nil {
		return nil, err
	}
	c.UserID, c.Email = u.ID, u.Email
	for _, line := range header.Values("Set-Cookie") {
		c.store(line)
	}
	return c, nil
}

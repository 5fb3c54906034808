package core_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

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

// request is one request; the zero value of each field is left out.
type request struct {
	method, path, query, body string
	header                    map[string][]string
	peer                      netip.Addr
}

// exchange hands out memory that is overwritten after the call, as a server may do it:
// whoever kept a string without copying it sees rubbish.
type exchange struct {
	r     request
	arena [][]byte
}

func (x *exchange) text(s string) string {
	b := []byte(s)
	x.arena = append(x.arena, b)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func (x *exchange) scribble() {
	for _, b := range x.arena {
		for i := range b {
			b[i] = '#'
		}
	}
}

func (x *exchange) Method() string   { return x.text(x.r.method) }
func (x *exchange) Path() string     { return x.text(x.r.path) }
func (x *exchange) Query() string    { return x.text(x.r.query) }
func (x *exchange) Peer() netip.Addr { return x.r.peer }
func (x *exchange) Header(name string) string {
	for k, v := range x.r.header {
		if strings.EqualFold(k, name) && len(v) > 0 {
			return x.text(v[0])
		}
	}
	return ""
}

func (x *exchange) HeaderLines(name string) (out []string) {
	for k, v := range x.r.header {
		if strings.EqualFold(k, name) {
			for _, s := range v {
				out = append(out, x.text(s))
			}
		}
	}
	return out
}

func (x *exchange) Body(limit int) ([]byte, error) {
	if len(x.r.body) > limit {
		return nil, core.ErrPayloadTooLarge
	}
	b := []byte(x.r.body)
	x.arena = append(x.arena, b)
	return b, nil
}

// answer is a response as a client sees it.
type answer struct {
	core.Response
	json map[string]any
}

func (e *env) do(r request) answer { return serve(e.auth, r) }

func serve(a *core.Auth, r request) answer {
	if r.method == "" {
		r.method = "GET"
	}
	if !r.peer.IsValid() {
		r.peer = netip.MustParseAddr("192.0.2.1")
	}
	x := &exchange{r: r}
	res := a.Serve(context.Background(), x)
	x.scribble()
	out := answer{Response: res}
	_ = json.Unmarshal(res.Body, &out.json)
	return out
}

func (a answer) code() string { s, _ := a.json["code"].(string); return s }

// cookies returns what the answer sets; an empty value is a deletion.
func (a answer) cookies() map[string]string {
	out := map[string]string{}
	for _, f := range a.Header {
		if f.Name == "Set-Cookie" {
			pair, _, _ := strings.Cut(f.Value, ";")
			name, value, _ := strings.Cut(pair, "=")
			out[name] = value
		}
	}
	return out
}

// client is a browser: it keeps cookies and sends its origin.
type client struct {
	e      *env
	auth   *core.Auth
	jar    map[string]string
	header map[string]string
	peer   netip.Addr
}

func (e *env) client() *client {
	return &client{e: e, auth: e.auth, jar: map[string]string{}, header: map[string]string{"Origin": base}}
}

func (c *client) clone() *client {
	d := *c
	d.jar, d.header = maps.Clone(c.jar), maps.Clone(c.header)
	return &d
}

func (c *client) request(method, path string, body any) request {
	path, query, _ := strings.Cut(path, "?")
	r := request{method: method, path: "/api/auth" + path, query: query, header: map[string][]string{}, peer: c.peer}
	for k, v := range c.header {
		r.header[k] = []string{v}
	}
	if len(c.jar) > 0 {
		r.header["Cookie"] = []string{c.cookieHeader()}
	}
	switch b := body.(type) {
	case nil:
	case string:
		r.body, r.header["Content-Type"] = b, []string{"application/json"}
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			panic(err)
		}
		r.body, r.header["Content-Type"] = string(raw), []string{"application/json"}
	}
	return r
}

func (c *client) cookieHeader() string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(c.jar)) {
		parts = append(parts, k+"="+c.jar[k])
	}
	return strings.Join(parts, "; ")
}

// send makes a request and keeps the cookies of its answer.
func (c *client) send(method, path string, body any) answer {
	a := serve(c.auth, c.request(method, path, body))
	for k, v := range a.cookies() {
		if v == "" {
			delete(c.jar, k)
		} else {
			c.jar[k] = v
		}
	}
	return a
}

type m = map[string]any

func (c *client) post(path string, body any) answer { return c.send("POST", path, body) }
func (c *client) get(path string) answer            { return c.send("GET", path, nil) }

// must makes a request that has to have this status.
func (c *client) must(status int, method, path string, body any) answer {
	c.e.t.Helper()
	a := c.send(method, path, body)
	if a.Status != status {
		c.e.t.Fatalf("%s %s: %d %s, want %d", method, path, a.Status, a.Body, status)
	}
	return a
}

// signUp makes a user and leaves the client signed in (where sign-up does that).
func (c *client) signUp(email string) *client {
	c.e.t.Helper()
	c.must(200, "POST", "/sign-up/email", m{"name": "Ada", "email": email, "password": password})
	return c
}

func (c *client) signIn(email, pass string) answer {
	return c.post("/sign-in/email", m{"email": email, "password": pass})
}

// user returns the id of who get-session says is signed in, or "".
func (c *client) user() string {
	c.e.t.Helper()
	a := c.must(200, "GET", "/get-session", nil)
	u, _ := a.json["user"].(map[string]any)
	id, _ := u["id"].(string)
	return id
}

// token is the session token in the client's cookie.
func (c *client) token() string {
	v, err := url.PathUnescape(c.jar[tokenCookie])
	if err != nil {
		c.e.t.Fatal(err)
	}
	tok, _, _ := strings.Cut(v, ".")
	return tok
}

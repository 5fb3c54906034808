package authtest

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// App is an Auth for tests, and the address of a server that does not run before Serve.
type App struct {
	Auth   *core.Auth
	Clock  *plugintest.Clock
	Outbox *plugintest.Outbox
	Logs   *plugintest.Logs
	// URL is the base URL: http, a local address, no path.
	URL string

	h      *plugintest.Harness
	server *httptest.Server
}

// New makes an App. config may change everything but the base URL; it may be nil. Rate
// limits are off, and jobs are done when the test asks (Mail, RunJobs).
func New(t testing.TB, config func(*core.Config)) *App {
	t.Helper()
	a := &App{server: httptest.NewUnstartedServer(http.NotFoundHandler())}
	t.Cleanup(a.server.Close)
	a.URL = "http://" + a.server.Listener.Addr().String()
	a.h = plugintest.New(t, plugintest.Options{Config: func(c *core.Config) {
		if config != nil {
			config(c)
		}
		c.BaseURL = a.URL
	}})
	a.Auth, a.Clock, a.Outbox, a.Logs = a.h.Auth, a.h.Clock, a.h.Outbox, a.h.Logs
	return a
}

// Serve starts the server with the app's handler, until the test ends.
func (a *App) Serve(handler http.Handler) {
	a.server.Config.Handler = handler
	a.server.Start()
}

// RunJobs does the jobs that are due.
func (a *App) RunJobs(t testing.TB) {
	t.Helper()
	if _, err := a.Auth.RunJobs(context.Background()); err != nil {
		t.Fatalf("authtest: jobs: %v", err)
	}
}

// Mail does the jobs that are due and returns the oldest message of a template to an
// address that was not returned before. The test ends if there is none.
func (a *App) Mail(t testing.TB, to, template string) contract.Message {
	t.Helper()
	a.RunJobs(t)
	m, ok := a.Outbox.Take(to, template)
	if !ok {
		t.Fatalf("authtest: no %q to %s", template, to)
	}
	return m
}

// Client is a browser: it keeps cookies and names its origin.
type Client struct {
	// User is who is signed in; nil for nobody.
	User *core.User

	app *App
	jar *cookiejar.Jar
	url *url.URL
}

// Client makes a client that is nobody.
func (a *App) Client(t testing.TB) *Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatalf("authtest: %v", err)
	}
	u, err := url.Parse(a.URL)
	if err != nil {
		t.Fatalf("authtest: %v", err)
	}
	return &Client{app: a, jar: jar, url: u}
}

// SignUp makes a user with a verified address, without a password, and returns a client
// with a session of theirs. Hooks run as for any sign-up. change may set the user's
// fields before.
func (a *App) SignUp(t testing.TB, email string, change ...func(*core.User)) *Client {
	t.Helper()
	a.h.CreateUser(email, change...)
	return a.SignIn(t, email)
}

// SignIn returns a client with a new session of a user.
func (a *App) SignIn(t testing.TB, email string) *Client {
	t.Helper()
	signed, err := a.h.TrySignIn(email)
	if err != nil {
		t.Fatalf("authtest: signing %s in: %v", email, err)
	}
	c := a.Client(t)
	list, err := http.ParseCookie(signed.Headers().Get("Cookie"))
	if err != nil {
		t.Fatalf("authtest: %v", err)
	}
	for _, k := range list {
		k.Path = "/"
	}
	c.jar.SetCookies(c.url, list)
	h := a.Auth.Host()
	if c.User, err = h.UserByID(context.Background(), h.DB(), signed.UserID); err != nil || c.User == nil {
		t.Fatalf("authtest: reading %s: %v", email, err)
	}
	return c
}

// HTTP returns a client for App.URL that sends the cookies, keeps new ones, and names
// its origin as browsers do. It follows no redirect, so that tests see them.
func (c *Client) HTTP() *http.Client {
	return &http.Client{Jar: c.jar, Transport: browser{c.app.URL},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// browser adds what every browser sends.
type browser struct{ origin string }

func (b browser) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	b.prepare(r)
	return http.DefaultTransport.RoundTrip(r)
}

func (b browser) prepare(r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Header.Get("Origin") == "" {
		r.Header.Set("Origin", b.origin)
	}
}

// Fiber sends a request to a Fiber app, without a network, and keeps the cookies of the
// answer.
func (c *Client) Fiber(t testing.TB, app *fiber.App, r *http.Request) *http.Response {
	t.Helper()
	for _, k := range c.jar.Cookies(c.url) {
		r.AddCookie(k)
	}
	browser{c.app.URL}.prepare(r)
	res, err := app.Test(r, -1)
	if err != nil {
		t.Fatalf("authtest: %s %s: %v", r.Method, r.URL.Path, err)
	}
	c.jar.SetCookies(c.url, res.Cookies())
	return res
}

// Headers returns the headers of a request by this client, for core.WithHeader.
func (c *Client) Headers() http.Header {
	r := http.Request{Header: http.Header{}}
	for _, k := range c.jar.Cookies(c.url) {
		r.AddCookie(k)
	}
	return r.Header
}

// Context puts the client's session into ctx, as middleware does, so that a handler can
// be tested by itself. The test ends if the session is no longer valid.
func (c *Client) Context(t testing.TB, ctx context.Context) context.Context {
	t.Helper()
	s, err := core.GetSession.Call(ctx, c.app.Auth, core.None{}, core.WithHeader(c.Headers()))
	if err != nil {
		t.Fatalf("authtest: %v", err)
	}
	if s == nil {
		t.Fatal("authtest: the client has no session")
	}
	return core.WithSession(ctx, s)
}

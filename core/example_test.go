package core_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/sallyport-auth/sallyport/adapters/sqlite"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/migrations"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/server/nethttp"
)

// An app that embeds the core with net/http: open a database, bring it up to date, list
// plugins, mount the handler.
func Example() {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, sqlite.Memory, sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	config := core.Config{
		BaseURL: "http://localhost:8080", Secret: "replace-me-by-what-sallyport-secret-prints", Database: db,
		Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{})},
	}
	described, err := core.Describe(config)
	if err != nil {
		log.Fatal(err)
	}
	want, names, steps := described.Schema()
	if _, err := migrations.Apply(ctx, db, want, names, steps); err != nil {
		log.Fatal(err)
	}
	auth, err := core.New(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	defer auth.Close(ctx)
	// http.ListenAndServe(":8080", nethttp.Handler(auth, yourMux))
	server := httptest.NewServer(nethttp.Handler(auth, nil))
	defer server.Close()

	res, err := http.Get(server.URL + "/api/auth/ok")
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	fmt.Printf("%s\n", body)
	// Output: {"ok":true}
}

// Visit is a row of the plugin's own table; its tags are the schema.
type Visit struct {
	ID     string `db:"id" schema:"key" json:"id"`
	UserID string `db:"userId" schema:"references=user,cascade,index" json:"-"`
	Page   string `db:"page" json:"page"`
}

// VisitInput is what clients send, with its rules.
type VisitInput struct {
	Page string `json:"page" input:"nonempty,max=200"`
}

var (
	visits   = core.TableOf[Visit]("visit")
	AddVisit = core.NewRoute[VisitInput, Visit]("POST /visits/add") // wants a session
	ErrBlank = core.NewError("BLANK_PAGE", 400, "This page does not count")
)

// Visits is a whole plugin: a table, an endpoint, an error code.
type Visits struct{ host *core.Host }

func (p *Visits) Spec() core.Spec {
	return core.Spec{
		ID:        "visits",
		Tables:    []schema.Table{visits.Schema()},
		Endpoints: []core.Endpoint{AddVisit.Handle(p.add)},
		Errors:    []*core.Error{ErrBlank},
		Init:      func(_ context.Context, h *core.Host) error { p.host = h; return nil },
	}
}

func (p *Visits) add(ctx context.Context, c *core.Call, in VisitInput) (Visit, error) {
	if in.Page == "about:blank" {
		return Visit{}, ErrBlank
	}
	_, user := c.Session()
	id, err := p.host.NewID(ctx, "visit")
	if err != nil {
		return Visit{}, err
	}
	v := Visit{ID: id, UserID: user.ID, Page: in.Page}
	return v, visits.Insert(ctx, p.host.DB(), &v)
}

// A plugin is one method that returns data.
func ExamplePlugin() {
	auth, done := exampleAuth(core.Config{Plugins: []core.Plugin{&Visits{}}})
	defer done()
	for _, r := range auth.Routes() {
		if r.Plugin == "visits" {
			fmt.Println(r.Methods[0], r.Path, "wants a", r.Access)
		}
	}
	// Output: POST /api/auth/visits/add wants a session
}

// A hook is bound to a point or to a route, by value: a mistyped name does not compile.
// Here the app lets nobody in but its own people. What a hook refuses leaves no trace.
func ExamplePoint_Before() {
	ownPeople := core.UserCreate.Before(func(_ context.Context, e *core.UserCreateEvent) error {
		if !strings.HasSuffix(e.User.Email, "@example.com") {
			return core.NewError("NOT_ONE_OF_US", 403, "Please use your company address")
		}
		return nil
	})
	auth, done := exampleAuth(core.Config{Hooks: []core.Hook{ownPeople},
		Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{})}})
	defer done()
	for _, email := range []string{"ada@example.com", "eve@elsewhere.example"} {
		_, err := emailpassword.SignUpEmail.Call(context.Background(), auth,
			emailpassword.SignUpInput{Name: "A", Email: email, Password: "correct horse"})
		fmt.Println(email, err)
	}
	// Output:
	// ada@example.com <nil>
	// eve@elsewhere.example NOT_ONE_OF_US: Please use your company address
}

// Every endpoint can be called from Go: the same validation, access check, hooks and
// errors as over HTTP. CaptureHeader keeps the cookies, WithHeader sends them.
func ExampleRoute_Call() {
	auth, done := exampleAuth(core.Config{Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{}), &Visits{}}})
	defer done()
	ctx := context.Background()
	signUp, err := emailpassword.SignUpEmail.Call(ctx, auth,
		emailpassword.SignUpInput{Name: "Ada", Email: "ada@example.com", Password: "correct horse"})
	if err != nil {
		log.Fatal(err)
	}
	v, err := AddVisit.Call(ctx, auth, VisitInput{Page: "/start"}, core.AsToken(*signUp.Token))
	fmt.Println(v.Page, err)
	_, err = AddVisit.Call(ctx, auth, VisitInput{Page: "/start"})
	fmt.Println(core.AsError(err).Status, core.AsError(err).Code)
	// Output:
	// /start <nil>
	// 401 UNAUTHORIZED
}

// exampleAuth completes a configuration with a database in memory.
func exampleAuth(c core.Config) (auth *core.Auth, done func()) {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, sqlite.Memory, sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	c.BaseURL, c.Secret, c.Database = "http://localhost:8080", "an-example-secret-of-more-than-32-characters", db
	c.Logger = slog.New(slog.DiscardHandler)
	c.Password.MemoryKiB, c.Password.Iterations = 8, 1
	described, err := core.Describe(c)
	if err != nil {
		log.Fatal(err)
	}
	want, names, steps := described.Schema()
	if _, err := migrations.Apply(ctx, db, want, names, steps); err != nil {
		log.Fatal(err)
	}
	if auth, err = core.New(ctx, c); err != nil {
		log.Fatal(err)
	}
	return auth, func() { auth.Close(ctx); db.Close() }
}

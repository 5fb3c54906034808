package plugintest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// stamper is what one plugin offers to the other.
type stamper interface{ Stamp(string) string }

// absent is what nobody provides.
type absent interface{ Absent() }

// provider offers a service and nothing else.
type provider struct{ closed *[]string }

func (p provider) Stamp(s string) string { return "[" + s + "]" }
func (p provider) Spec() core.Spec {
	return core.Spec{ID: "provider", Provides: []core.Service{core.Provide[stamper](p)},
		Close: func(context.Context) error { *p.closed = append(*p.closed, "provider"); return nil }}
}

// guest is a row of the plugin's own table.
type guest struct {
	ID     string `db:"id" schema:"key" json:"id"`
	UserID string `db:"userId" schema:"index" json:"userId"` // no foreign key: Erase has to do it
	Name   string `db:"name" json:"name"`
}

type guestColumns struct {
	Nickname string `db:"nickname" schema:"default=none"`
}

type signInput struct {
	Name string `json:"name" input:"nonempty"`
}

type removed struct{ ID string }

var (
	guests    = core.TableOf[guest]("guest", schema.Index{Columns: []string{"userId", "name"}, Unique: true})
	guestUser = core.Column(guests, func(g *guest) *string { return &g.UserID })

	signBook = core.NewRoute[signInput, guest]("POST /guests/sign")
	listBook = core.NewRoute[core.None, []guest]("GET /guests")
	signed   = core.NewPoint[guest]("everything.signed")
	notify   = core.NewJob[removed]("everything.notify")

	errCrowded = core.NewError("GUESTBOOK_FULL", 409, "The guest book is full")
)

// everything uses every field of Spec.
type everything struct {
	host   *core.Host
	stamp  stamper
	nobody absent
	log    []string
	jobs   []string
	closed *[]string
}

func (p *everything) Spec() core.Spec {
	return core.Spec{
		ID:     "everything",
		Tables: []schema.Table{guests.Schema()},
		Extend: []schema.Extension{{Table: "user", Columns: schema.Columns("", reflect.TypeFor[guestColumns]())}},
		Steps: []storage.Step{{Number: 1, Name: "the first guest", SQL: map[storage.Dialect][]string{
			storage.SQLite:   {`INSERT INTO {guest} ({guest:id}, {guest:userId}, {guest:name}) VALUES ('first', 'nobody', 'sqlite')`},
			storage.Postgres: {`INSERT INTO {guest} ({guest:id}, {guest:userId}, {guest:name}) VALUES ('first', 'nobody', 'postgres')`},
		}}},
		Endpoints: []core.Endpoint{
			signBook.Handle(p.sign).Alias(core.Alias{Method: "POST", Path: "/api/v1/guests",
				Request: func(_ *core.Call, in *core.AliasInput) error {
					data := map[string]json.RawMessage{}
					if json.Unmarshal(in.Body["data"], &data) != nil {
						return core.ErrBadRequest
					}
					in.Body = data
					return nil
				},
				Response: func(_ context.Context, _ *core.Call, r core.Response) (core.Response, error) {
					r.Body = append(append([]byte(`{"data":`), r.Body...), '}')
					return r, nil
				}}),
			listBook.Handle(func(ctx context.Context, c *core.Call, _ core.None) ([]guest, error) {
				_, u := c.Session()
				return guests.List(ctx, p.host.DB(), core.ListOptions{}, guestUser.Eq(u.ID))
			}),
		},
		Aliases: []core.Alias{{Method: "GET", Path: "/api/v1/book/features", Target: "GET /features"}},
		Envelopes: []core.Envelope{{Prefix: "/api/v1/book/", Owns: true, Write: func(f core.Failure) core.Response {
			return core.Response{Status: f.Class.Status(), Body: []byte(f.Class)}
		}}},
		Hooks: []core.Hook{
			core.UserCreate.Before(func(_ context.Context, e *core.UserCreateEvent) error {
				e.User.Extra["nickname"] = strings.ToUpper(e.User.Name)
				return nil
			}),
			core.UserCreate.After(func(ctx context.Context, e *core.UserCreateEvent) error { return p.note(ctx, "user stored") }),
			core.UserCreate.Committed(func(ctx context.Context, e *core.UserCreateEvent) { _ = p.note(ctx, "user committed") }),
			signBook.Before(func(_ context.Context, _ *core.Call, in *signInput) error {
				if in.Name == "Mallory" {
					return errCrowded
				}
				in.Name = p.stamp.Stamp(in.Name)
				return nil
			}),
			signBook.After(func(_ context.Context, _ *core.Call, out *guest) error { out.Name += "!"; return nil }),
			signed.After(func(ctx context.Context, g *guest) error { return p.note(ctx, "signed "+g.Name) }),
		},
		Errors: []*core.Error{errCrowded},
		Limits: []core.RateLimit{{Paths: []string{"/guests/sign"}, Max: 3, Window: 60}},
		Jobs: []core.JobHandler{notify.Handle(func(ctx context.Context, r removed) error {
			p.jobs = append(p.jobs, r.ID)
			return nil
		})},
		Commands: []core.Command{{Name: "count", Summary: "counts guests", Run: func(ctx context.Context, h *core.Host, args []string, out io.Writer) error {
			n, err := guests.Count(ctx, h.DB())
			fmt.Fprintln(out, n, strings.Join(args, ","))
			return err
		}}},
		Data: []core.DataSet{{Name: "guests",
			Export: func(ctx context.Context, db storage.Conn, id string) (any, error) {
				return guests.List(ctx, db, core.ListOptions{}, guestUser.Eq(id))
			},
			Erase: func(ctx context.Context, tx *core.Tx, id string) error {
				_, err := guests.Delete(ctx, tx, guestUser.Eq(id))
				return err
			}}},
		Events:   []core.EventType{{Name: "guest.signed", Description: "Somebody signed the guest book"}},
		Mails:    []contract.MailTemplate{{Name: "guest-welcome", Subject: "Welcome", Text: "Hello {{.User.Name}}", HTML: "<p>Hello {{.User.Name}}</p>"}},
		Pages:    []core.PageEntry{{ID: "everything", Kind: "account", Title: "Guest book", Module: "everything.js", Order: 50}},
		Features: map[string]any{"seats": 12},
		Provides: []core.Service{core.Provide[fmt.Stringer](p)},
		Needs:    []core.Need{core.Require(&p.stamp), core.Optional(&p.nobody)},
		Init: func(_ context.Context, h *core.Host) error {
			if p.stamp == nil {
				return errors.New("needs are not filled before Init")
			}
			p.host = h
			return nil
		},
		Close: func(context.Context) error { *p.closed = append(*p.closed, "everything"); return nil },
	}
}

func (p *everything) String() string { return "everything" }

// note keeps what happened, and whether it was inside a transaction.
func (p *everything) note(ctx context.Context, what string) error {
	p.log = append(p.log, fmt.Sprintf("%s (in a transaction: %v)", what, core.InTx(ctx)))
	return nil
}

func (p *everything) sign(ctx context.Context, c *core.Call, in signInput) (guest, error) {
	_, u := c.Session()
	id, err := p.host.NewID(ctx, "guest")
	g := guest{ID: id, UserID: u.ID, Name: in.Name}
	if err != nil {
		return g, err
	}
	err = p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		return signed.Run(ctx, p.host, tx, &g, func(ctx context.Context) error {
			if err := guests.Insert(ctx, tx, &g); err != nil {
				return err
			}
			if err := notify.Enqueue(ctx, p.host, tx, removed{g.ID}); err != nil {
				return err
			}
			if err := p.host.SendMail(ctx, tx, contract.Message{Template: "guest-welcome", To: u.Email, User: core.MailUser(u)}); err != nil {
				return err
			}
			return p.host.Record(ctx, &core.Event{Type: "guest.signed", UserID: u.ID, Call: c, Tx: tx})
		})
	})
	return g, err
}

// consumer needs what everything provides.
type consumer struct{ name fmt.Stringer }

func (p *consumer) Spec() core.Spec {
	return core.Spec{ID: "consumer", Needs: []core.Need{core.Require(&p.name)}}
}

// TestEveryField runs a plugin that uses every field of Spec on both databases, and sees
// each one's effect.
func TestEveryField(t *testing.T) {
	for _, engine := range []Engine{SQLite, Postgres} {
		t.Run(string(engine), func(t *testing.T) { everyField(t, engine) })
	}
}

func everyField(t *testing.T, engine Engine) {
	var closed, events []string
	p, user := &everything{closed: &closed}, &consumer{}
	h := New(t, Options{Database: engine, Plugins: []core.Plugin{provider{&closed}, p, user}, Config: func(c *core.Config) {
		c.Hooks = []core.Hook{core.EventRecorded.After(func(_ context.Context, e *core.Event) error {
			if e.Type == "guest.signed" {
				events = append(events, e.Type)
			}
			return nil
		})}
	}})
	ctx := context.Background()
	equal := func(what string, got, want any) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	// Steps ran once, each in its dialect; Tables are there.
	equal("Steps", h.Rows("guest"), []Row{{"id": "first", "userId": "nobody", "name": string(engine)}})
	// Extend and Hooks: the added column, set by a hook on a point of core's.
	alice := h.SignUp("alice@example.com")
	equal("Extend", h.Rows("user")[0]["nickname"], "ALICE")
	equal("Hooks on points", p.log, []string{"user stored (in a transaction: true)", "user committed (in a transaction: false)"})
	equal("Extend in answers", alice.Get("/get-session").Get("user.nickname"), "ALICE")
	// Endpoints, hooks on a route and on the plugin's own point, a needed service.
	p.log = nil
	a := alice.Post("/guests/sign", M{"name": "Alice"}).Want(200)
	equal("Route hooks and Needs", a.Text("name"), "[Alice]!")
	equal("Own point", p.log, []string{"signed [Alice] (in a transaction: true)"})
	equal("Optional", p.nobody, nil)
	equal("Provides", user.name, "everything")
	// Alias: another path and envelope, the same in between.
	equal("Alias", alice.Post("/api/v1/guests", M{"data": M{"name": "Al"}}).Want(200).Text("data.name"), "[Al]!")
	h.Client().Post("/api/v1/guests", M{"data": M{"name": "Al"}}).Want(401)
	// Aliases and Envelopes: an endpoint of another plugin's, in the form of another API.
	equal("Aliases", h.Client().Get("/api/v1/book/features").Want(200).Text("appName"), "Sallyport")
	equal("Envelopes", string(h.Client().Get("/api/v1/book/none").Want(404).Body), "NOT_FOUND")
	// Errors: registered, and answered by a hook.
	alice.Post("/guests/sign", M{"name": "Mallory"}).WantCode(409, "GUESTBOOK_FULL")
	equal("Errors", slices.ContainsFunc(h.Auth.Errors(), func(e core.ErrorInfo) bool {
		return e == core.ErrorInfo{Code: "GUESTBOOK_FULL", Message: "The guest book is full", Plugin: "everything", Status: 409, Class: core.ClassValidation}
	}), true)
	equal("Events", events, []string{"guest.signed", "guest.signed"})
	// Jobs and Mails.
	m := h.Mail("alice@example.com", "guest-welcome")
	equal("Jobs", len(p.jobs), 2)
	equal("Mails", m.User.Name+" "+h.Auth.MailTemplates()[0].Subject, "alice Welcome")
	// Commands.
	var out bytes.Buffer
	for _, c := range h.Auth.Commands() {
		equal("Commands", c.Plugin+" "+c.Name, "everything count")
		if err := c.Run(ctx, h.Host, []string{"a", "b"}, &out); err != nil {
			t.Error(err)
		}
	}
	equal("Commands", out.String(), "3 a,b\n")
	// Pages and Features.
	f := h.Client().Get("/features").Want(200)
	equal("Features", f.Get("options.everything.seats"), 12)
	equal("Pages", f.Text("entries.0.title"), "Guest book")
	// Data: exported and erased.
	data, err := h.Host.Export(ctx, alice.UserID)
	if err != nil {
		t.Fatal(err)
	}
	equal("Data.Export", len(data["guests"].([]guest)), 2)
	u, err := h.Host.UserByID(ctx, h.Host.DB(), alice.UserID)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Host.DeleteUser(ctx, nil, nil, u); err != nil {
		t.Fatal(err)
	}
	equal("Data.Erase", h.Count("guest"), 1)
	// Init has run, Close runs in reverse order.
	if err := h.Auth.Close(ctx); err != nil {
		t.Fatal(err)
	}
	equal("Close", closed, []string{"everything", "provider"})
}

// TestLimits needs limits, which other tests leave off.
func TestLimits(t *testing.T) {
	var closed []string
	on := true
	h := New(t, Options{Plugins: []core.Plugin{provider{&closed}, &everything{closed: &closed}},
		Config: func(c *core.Config) { c.RateLimit.Enabled = &on }})
	alice := h.SignUp("alice@example.com")
	for i := range 3 {
		alice.Post("/guests/sign", M{"name": fmt.Sprint(i)}).Want(200)
	}
	if got := alice.Post("/guests/sign", M{"name": "late"}).WantCode(429, "TOO_MANY_REQUESTS").Value("Retry-After"); got != "60" {
		t.Errorf("Retry-After %q, want 60", got)
	}
	h.Clock.Advance(61e9)
	alice.Post("/guests/sign", M{"name": "later"}).Want(200)
}

// TestEverythingByTheRules holds the plugin to the rules of all.
func TestEverythingByTheRules(t *testing.T) {
	var closed []string
	Check(t, func() core.Plugin { return &everything{closed: &closed} }, Options{Rules: Rules{
		Others: func() []core.Plugin { return []core.Plugin{provider{&closed}} },
		Points: []Point{Watch(signed)},
		Journey: func(h *Harness) {
			alice := h.SignUp("alice@example.com")
			alice.Post("/guests/sign", M{"name": "Alice of Wonderland"}).Want(200)
			alice.Post("/api/v1/guests", M{"data": M{"name": "Al"}}).Want(200)
			alice.Get("/guests").Want(200)
		},
	}})
}

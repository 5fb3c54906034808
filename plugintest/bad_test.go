package plugintest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// bad is a plugin about notes that is right, until a test spoils one part of it.
type bad struct {
	host   *core.Host
	spoil  string
	shared map[string]string
	url    string
}

type badNote struct {
	ID     string `db:"id" schema:"key" json:"id"`
	UserID string `db:"userId" schema:"references=user,cascade,index" json:"-"`
	Text   string `db:"text" json:"text"`
	Pin    string `db:"pin" schema:"hidden,default=" json:"-"`
}

type badInput struct {
	ID   string `json:"id" input:"optional"`
	Text string `json:"text" input:"nonempty,max=200"`
	Pin  string `json:"pin" input:"optional"`
}

type badList struct {
	Notes []badNote `json:"notes"`
	Token string    `json:"token,omitempty"`
}

type badQuery struct {
	Mark *string `query:"mark"`
}

var (
	badNotes = core.TableOf[badNote]("badNote")
	badID    = core.Column(badNotes, func(n *badNote) *string { return &n.ID })
	badUser  = core.Column(badNotes, func(n *badNote) *string { return &n.UserID })
	badText  = core.Column(badNotes, func(n *badNote) *string { return &n.Text })

	badCreate = core.NewRoute[badInput, badNote]("POST /bad/create")
	badEdit   = core.NewRoute[badInput, badNote]("POST /bad/edit")
	badAll    = core.NewRoute[badQuery, badList]("GET /bad/list")
	badOpen   = core.NewRoute[core.None, core.Status]("POST /bad/open", core.Public)

	badPoint = core.NewPoint[badNote]("bad.create")

	errBadGone    = core.NewError("BAD_NOTE_GONE", 404, "There is no such note")
	errBadUnknown = core.NewError("BAD_NOT_REGISTERED", 400, "No")
)

func (p *bad) Spec() core.Spec {
	table := badNotes.Schema()
	s := core.Spec{ID: "bad", Errors: []*core.Error{errBadGone}, Events: []core.EventType{{Name: "bad.noted", Description: "A note was made."}},
		Endpoints: []core.Endpoint{badCreate.Handle(p.create), badEdit.Handle(p.edit), badAll.Handle(p.list)},
		Init:      func(_ context.Context, h *core.Host) error { p.host = h; return nil }}
	switch p.spoil {
	case "leaves rows":
		for i := range table.Columns {
			table.Columns[i].References = nil
		}
	case "public":
		s.Endpoints = append(s.Endpoints, badOpen.Handle(func(context.Context, *core.Call, core.None) (core.Status, error) { return core.Status{}, nil }))
	case "session of somebody":
		// An Authenticate hook that takes the word of a header for the session.
		s.Hooks = append(s.Hooks, core.Authenticate.Before(func(ctx context.Context, e *core.AuthenticateEvent) error {
			if e.Call.Header("Cookie") == "" && p.shared["token"] != "" {
				e.UseToken(p.shared["token"])
			}
			return nil
		}), core.SessionCreate.After(func(_ context.Context, e *core.SessionEvent) error {
			if e.User.Email == "alice@example.com" {
				p.shared = map[string]string{"token": e.Session.Token}
			}
			return nil
		}))
	case "writes first":
		s.Hooks = append(s.Hooks, core.Authenticate.Before(func(ctx context.Context, e *core.AuthenticateEvent) error {
			id, err := p.host.NewID(ctx, "badNote")
			if err != nil {
				return err
			}
			return p.host.PutVerification(ctx, p.host.DB(), "seen:"+id, e.Call.Path(), time.Hour)
		}))
	case "unused":
		s.Endpoints = append(s.Endpoints, badOpen.Handle(func(context.Context, *core.Call, core.None) (core.Status, error) { return core.Status{}, nil }))
	case "steps":
		s.Steps = []storage.Step{{Number: 1, Name: "drop", SQL: map[storage.Dialect][]string{
			storage.SQLite:   {`ALTER TABLE {badNote} DROP COLUMN {badNote:pin}`},
			storage.Postgres: {`ALTER TABLE {badNote} DROP COLUMN {badNote:pin}`}}}}
	case "export":
		s.Data = []core.DataSet{{Name: "bad", Export: func(ctx context.Context, db storage.Conn, id string) (any, error) {
			notes, err := badNotes.List(ctx, db, core.ListOptions{}, badUser.Eq(id))
			var out []string
			for _, n := range notes {
				out = append(out, n.Pin)
			}
			return out, err
		}}}
	}
	s.Tables = []schema.Table{table}
	return s
}

func (p *bad) create(ctx context.Context, c *core.Call, in badInput) (badNote, error) {
	_, u := c.Session()
	id, err := p.host.NewID(ctx, "badNote")
	if err != nil {
		return badNote{}, err
	}
	n := badNote{ID: id, UserID: u.ID, Text: in.Text, Pin: in.Pin}
	switch p.spoil {
	case "panic":
		if len(in.Text) > 150 {
			_ = strings.Repeat("x", 10-len(in.Text)) // panics
		}
	case "500":
		if in.Pin == " " {
			return n, errors.New("nobody foresaw this")
		}
	case "code":
		if in.Text == "__proto__" {
			return n, errBadUnknown
		}
	case "log":
		c.Log().Info("a note", "pin", in.Pin)
	case "undeclared":
		p.host.RecordLater(c, &core.Event{Type: "bad.made-up", UserID: u.ID})
	case "secret in an event":
		if err := p.host.Record(ctx, &core.Event{Type: "bad.noted", UserID: u.ID, Call: c, Detail: map[string]string{"said": in.Pin}}); err != nil {
			return n, err
		}
	case "early":
		if err := badNotes.Insert(ctx, p.host.DB(), &n); err != nil {
			return n, err
		}
	}
	err = p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		return badPoint.Run(ctx, p.host, tx, &n, func(ctx context.Context) error {
			switch p.spoil {
			case "early":
				return nil
			case "pool":
				if _, _, err := badNotes.Get(context.Background(), p.host.DB(), badID.Eq("x")); err != nil {
					return err
				}
			case "hash":
				if _, err := p.host.HashPassword(context.Background(), "a password"); err != nil {
					return err
				}
			case "network":
				res, err := http.Get(p.url)
				if err != nil {
					return err
				}
				res.Body.Close()
			}
			return badNotes.Insert(ctx, tx, &n)
		})
	})
	if p.spoil == "swallow" {
		err = nil
	}
	if p.spoil == "pin" {
		n.Text = n.Pin
	}
	return n, err
}

func (p *bad) edit(ctx context.Context, c *core.Call, in badInput) (badNote, error) {
	_, u := c.Session()
	where := []core.Cond{badID.Eq(in.ID)}
	if p.spoil != "edits others" {
		where = append(where, badUser.Eq(u.ID))
	}
	if p.spoil == "unregistered" && in.ID == "x" {
		return badNote{}, errBadUnknown.WithMessage("There is no such note")
	}
	n, found, err := badNotes.UpdateGet(ctx, p.host.DB(), []core.Set{badText.Set(in.Text)}, where...)
	if err == nil && !found {
		err = errBadGone
	}
	return n, err
}

func (p *bad) list(ctx context.Context, c *core.Call, in badQuery) (badList, error) {
	s, u := c.Session()
	var out badList
	where := []core.Cond{badUser.Eq(u.ID)}
	switch p.spoil {
	case "shows others":
		where = nil
	case "get":
		if in.Mark != nil {
			if _, err := badNotes.Update(ctx, p.host.DB(), []core.Set{badText.Set("read")}, where...); err != nil {
				return out, err
			}
		}
	case "token":
		out.Token = s.Token
	}
	var err error
	out.Notes, err = badNotes.List(ctx, p.host.DB(), core.ListOptions{}, where...)
	return out, err
}

func badJourney(h *Harness) {
	alice := h.SignUp("alice@example.com")
	id := alice.Post("/bad/create", M{"text": "what only Alice knows", "pin": "a-pin-of-alices"}).Want(200).Text("id")
	alice.Post("/bad/edit", M{"id": id, "text": "what Alice wrote later"}).Want(200)
	if a := alice.Post("/bad/edit", M{"id": "x", "text": "x"}); a.Status < 400 {
		h.T.Errorf("a note that is not there was changed: %s", a.Body)
	}
	alice.Get("/bad/list?mark=1").Want(200)
}

// TestChecksFind spoils the plugin in one way at a time: the check for it must say so,
// and none may say anything about the plugin as it should be.
func TestChecksFind(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	rules := Rules{Journey: badJourney, Points: []Point{Watch(badPoint)}, NoPostgres: true}
	run := func(t *testing.T, check, spoil string, o Options) []string {
		for _, c := range checks {
			if c.name == check {
				return runCheck(t, c.run, func() core.Plugin { return &bad{spoil: spoil, url: server.URL} }, o)
			}
		}
		t.Fatalf("there is no check %q", check)
		return nil
	}
	for _, c := range checks {
		t.Run("nothing wrong: "+c.name, func(t *testing.T) {
			if faults := run(t, c.name, "", Options{Rules: rules}); len(faults) > 0 {
				t.Errorf("faults in a plugin that has none:\n%s", strings.Join(faults, "\n"))
			}
		})
	}
	for _, c := range []struct{ check, spoil, want string }{
		{"schema", "steps", "badNote.pin"},
		{"journey", "unused", "the journey has no success at [POST] /bad/open"},
		{"journey", "unregistered", "BAD_NOT_REGISTERED, which nobody registered"},
		{"origin", "writes first", "POST /bad/create with a foreign Origin and a cookie changes rows"},
		{"access", "public", "POST] /bad/open is public and not in Rules.Public"},
		{"access", "session of somebody", "POST /bad/create with no session answers 200, want 401"},
		{"get", "get", "GET /bad/list?mark=1 changes rows without a secret that was mailed"},
		{"fuzz", "panic", "POST /bad/create panics"},
		{"fuzz", "500", "POST /bad/create answers 500"},
		{"fuzz", "code", "BAD_NOT_REGISTERED, which nobody registered"},
		{"secrets", "log", "the log holds the hidden column badNote.pin"},
		{"secrets", "pin", "POST /bad/create answers with the hidden column badNote.pin"},
		{"secrets", "token", "answers with the token in the cookie"},
		{"hooks", "swallow", "a hook on bad.create (before, error) failed, and the answer is 200"},
		{"hooks", "swallow", "a hook on bad.create (after, error) failed, and the answer is 200"},
		{"hooks", "early", "a hook on bad.create (before, error) failed, and rows changed"},
		{"transactions", "pool", "the pool was used (SELECT"},
		{"transactions", "hash", "a password was hashed inside a transaction"},
		{"transactions", "network", "the network was used (GET 127.0.0.1"},
		{"users", "edits others", "POST /bad/edit, sent by another user, changes somebody else's row: badNote"},
		{"users", "shows others", `GET /bad/list?mark=1 shows another user what is not theirs: "what Alice wrote later"`},
		{"erase", "leaves rows", "a deleted user leaves a row in badNote"},
		{"events", "undeclared", "whose type is not declared (Spec.Events)"},
		{"events", "secret in an event", "the security event bad.noted holds the hidden column badNote.pin"},
		{"erase", "export", "the export of a user holds the hidden column badNote.pin"},
	} {
		t.Run(c.check+": "+c.spoil, func(t *testing.T) {
			o := Options{Rules: rules}
			faults := strings.Join(run(t, c.check, c.spoil, o), "\n")
			if !strings.Contains(faults, c.want) {
				t.Errorf("want a fault with %q, got:\n%s", c.want, faults)
			}
		})
	}
}

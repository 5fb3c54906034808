// Package notes is a plugin of a third party: signed-in users keep notes.
package notes

import (
	"context"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Note is a row, and an answer. Its tags are the table.
type Note struct {
	ID     string `db:"id" schema:"key" json:"id"`
	UserID string `db:"userId" schema:"references=user,cascade,index" json:"-"`
	Text   string `db:"text" json:"text"`
}

// Input is the input of Write.
type Input struct {
	Text string `json:"text" input:"nonempty,max=1000"`
}

// ReadInput is the input of Read.
type ReadInput struct {
	ID string `path:"id"`
}

// The endpoints, the error code, and the table with its columns. Who is not signed in
// gets no further than core.
var (
	Write = core.NewRoute[Input, Note]("POST /notes/write")
	Read  = core.NewRoute[ReadInput, Note]("GET /notes/:id")

	ErrNoNote = core.NewError("NOTE_NOT_FOUND", 404, "There is no such note")

	notes  = core.TableOf[Note]("note")
	noteID = core.Column(notes, func(n *Note) *string { return &n.ID })
	owner  = core.Column(notes, func(n *Note) *string { return &n.UserID })
)

// Options configure the plugin.
type Options struct {
	// Welcome is the first note of every new user. Default none.
	Welcome string `yaml:"welcome"`
}

// New makes the plugin.
func New(o Options) core.Plugin { return &plugin{Options: o} }

type plugin struct {
	Options
	host *core.Host
}

func (p *plugin) Spec() core.Spec {
	return core.Spec{
		ID:        "notes",
		Tables:    []schema.Table{notes.Schema()},
		Endpoints: []core.Endpoint{Write.Handle(p.write), Read.Handle(p.read)},
		Hooks:     []core.Hook{core.UserCreate.After(p.welcome)},
		Errors:    []*core.Error{ErrNoNote},
		Data:      []core.DataSet{{Name: "notes", Export: export}},
		Init:      func(_ context.Context, h *core.Host) error { p.host = h; return nil },
	}
}

func (p *plugin) write(ctx context.Context, c *core.Call, in Input) (Note, error) {
	_, user := c.Session()
	return p.insert(ctx, nil, user.ID, in.Text)
}

func (p *plugin) read(ctx context.Context, c *core.Call, in ReadInput) (Note, error) {
	_, user := c.Session()
	note, found, err := notes.Get(ctx, p.host.DB(), noteID.Eq(in.ID), owner.Eq(user.ID))
	if err == nil && !found {
		err = ErrNoNote
	}
	return note, err
}

// welcome runs in the transaction that creates the user: if it fails, there is no user.
func (p *plugin) welcome(ctx context.Context, e *core.UserCreateEvent) error {
	if p.Welcome == "" {
		return nil
	}
	_, err := p.insert(ctx, e.Tx, e.User.ID, p.Welcome)
	return err
}

func (p *plugin) insert(ctx context.Context, tx *core.Tx, userID, text string) (Note, error) {
	id, err := p.host.NewID(ctx, "note")
	if err != nil {
		return Note{}, err
	}
	note := Note{ID: id, UserID: userID, Text: text}
	return note, notes.Insert(ctx, p.host.Conn(tx), &note)
}

func export(ctx context.Context, db storage.Conn, userID string) (any, error) {
	return notes.List(ctx, db, core.ListOptions{}, owner.Eq(userID))
}

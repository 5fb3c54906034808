package notes_test

import (
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"

	notes "example.com/notes"
)

func TestNotes(t *testing.T) {
	h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{notes.New(notes.Options{Welcome: "Hello!"})}})
	alice := h.SignUp("alice@example.com")
	if rows := h.Rows("note"); len(rows) != 1 || rows[0]["text"] != "Hello!" || rows[0]["userId"] != alice.UserID {
		t.Errorf("after sign-up: %v", rows)
	}
	id := alice.Post("/notes/write", plugintest.M{"text": "buy milk"}).Want(200).Text("id")
	if got := alice.Get("/notes/" + id).Want(200).Text("text"); got != "buy milk" {
		t.Errorf("read %q", got)
	}
	h.SignUp("bob@example.com").Get("/notes/"+id).WantCode(404, "NOTE_NOT_FOUND")
}

// journey uses every endpoint once. The checks repeat it in every way that must fail.
func journey(h *plugintest.Harness) {
	alice := h.SignUp("alice@example.com")
	id := alice.Post("/notes/write", plugintest.M{"text": "for nobody but Alice"}).Want(200).Text("id")
	alice.Get("/notes/" + id).Want(200)
}

func TestRules(t *testing.T) {
	plugin := func() core.Plugin { return notes.New(notes.Options{Welcome: "Hello!"}) }
	plugintest.Check(t, plugin, plugintest.Options{Rules: plugintest.Rules{Journey: journey}})
}

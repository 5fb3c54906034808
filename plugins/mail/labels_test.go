package mail

import "testing"

func TestMakeLabel(t *testing.T) {
	w := newWorld(t, Options{})
	before := w.f.did("Mailbox/set")
	for range 2 {
		a := w.ada.Post(base+"/labels", m{"role": "junk"}).Want(200)
		if a.Text("id") != "m-junk" || a.Text("name") != "Junk" || a.Text("role") != "junk" {
			t.Errorf("%s", a.Body)
		}
	}
	if n := w.f.did("Mailbox/set") - before; n != 1 {
		t.Errorf("%d labels were made, want one", n)
	}
	for _, role := range []any{"", "inbox", "Archive", "../x", nil, 1} {
		w.ada.Post(base+"/labels", m{"role": role}).Want(400)
	}
	w.SignUp("nobody@example.com").Post(base+"/labels", m{"role": "trash"}).WantCode(404, "MAILBOX_NOT_FOUND")
}

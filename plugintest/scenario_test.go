package plugintest

import (
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
)

// guestBook makes the options of a scenario's harness.
func guestBook() Options {
	var closed []string
	return Options{Plugins: []core.Plugin{provider{&closed}, &everything{closed: &closed}}}
}

func asAlice(h *Harness) *Client { return h.SignUp("alice@example.com") }

func TestScenarios(t *testing.T) {
	Run(t, guestBook, []Scenario{
		{Name: "signs", Setup: asAlice, Method: "POST", Path: "/guests/sign", Body: M{"name": "Alice"}, Status: 200,
			Want: M{"name": "[Alice]!", "nothing": nil}, Rows: map[string]int{"guest": 2, "user": 1},
			Mails: map[string][]string{"alice@example.com": {"guest-welcome"}},
			After: func(h *Harness, a *Answer) {
				if id := a.Text("userId"); id != h.Rows("user")[0]["id"] {
					h.T.Errorf("signed as %s", id)
				}
			}},
		{Name: "a stranger", Method: "POST", Path: "/guests/sign", Body: M{"name": "Alice"}, Status: 401, Code: "UNAUTHORIZED",
			Rows: map[string]int{"guest": 1}, Mails: map[string][]string{}},
		{Name: "refused by a hook", Setup: asAlice, Method: "POST", Path: "/guests/sign", Body: M{"name": "Mallory"}, Status: 409,
			Code: "GUESTBOOK_FULL", Rows: map[string]int{"guest": 1, "job": 0}},
		{Name: "features", Method: "GET", Path: "/features", Status: 200, Want: M{"options.everything.seats": 12}},
	})
}

// TestScenariosFail: each expectation that is not met is reported.
func TestScenariosFail(t *testing.T) {
	s := Scenario{Setup: asAlice, Method: "POST", Path: "/guests/sign", Body: M{"name": "Alice"}, Status: 201, Code: "X",
		Want: M{"name": "Bob"}, Rows: map[string]int{"guest": 7}, Mails: map[string][]string{}}
	got := strings.Join(s.run(New(t, guestBook())), "\n")
	for _, want := range []string{`200 "", want 201 "X"`, `name is "[Alice]!", want "Bob"`, "2 rows in guest, want 7", "sent map[alice@example.com:[guest-welcome]], want map[]"} {
		if !strings.Contains(got, want) {
			t.Errorf("no fault with %q in:\n%s", want, got)
		}
	}
	if n := strings.Count(got, "\n") + 1; n != 4 {
		t.Errorf("%d faults, want 4:\n%s", n, got)
	}
}

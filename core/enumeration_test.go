package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

// seen is what a stranger can see of an answer, and what it cost.
type seen struct {
	answer string
	hashes int64
	cost   string // statements, without their tables
}

func (e *env) look(fn func() answer) seen {
	before := core.Hashes(e.auth)
	var a answer
	e.db.mu.Lock()
	e.db.sql = nil
	e.db.mu.Unlock()
	a = fn()
	e.db.mu.Lock()
	defer e.db.mu.Unlock()
	var ops []string
	for _, s := range e.db.sql {
		op, rest, _ := strings.Cut(s, " ")
		verb, _, _ := strings.Cut(rest, " ")
		if op == "batch" { // several rows in one trip cost about what one does
			op = "exec"
		}
		ops = append(ops, op+" "+verb)
	}
	return seen{fmt.Sprint(a.Status, a.Header, string(a.Body)), core.Hashes(e.auth) - before, strings.Join(ops, ", ")}
}

// CVE-2025-54999, CVE-2026-44332, CVE-2026-111933, CVE-2026-23511: a wrong password, an
// unknown address and an account without a password look and cost the same.
func TestSignInDoesNotTellAccounts(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		e.client().signUp("known@example.com")
		e.client().signUp("social@example.com")
		e.exec("UPDATE {account} SET {account:password} = NULL WHERE {account:userId} = (SELECT {user:id} FROM {user} WHERE {user:email} = ?)", "social@example.com")
		e.client().signUp("bare@example.com")
		e.exec("DELETE FROM {account} WHERE {account:userId} = (SELECT {user:id} FROM {user} WHERE {user:email} = ?)", "bare@example.com")
		try := func(email, pass string) seen { return e.look(func() answer { return e.client().signIn(email, pass) }) }
		want := try("known@example.com", wrong)
		if want.hashes != 1 || !strings.HasPrefix(want.answer, "401") {
			t.Fatalf("a wrong password: %+v", want)
		}
		for _, email := range []string{"unknown@example.com", "social@example.com", "bare@example.com"} {
			// Twice, with a password that could be a well-known dummy's.
			for _, pass := range []string{wrong, "password", ""} {
				if got := try(email, pass); got != want {
					t.Errorf("%s %q: %+v, want %+v", email, pass, got, want)
				}
			}
		}
		long := strings.Repeat("x", 129)
		if a, b := try("known@example.com", long), try("unknown@example.com", long); a != b || a.hashes != 0 {
			t.Errorf("a long password: %+v and %+v", a, b)
		}
	})
}

// CVE-2023-39522, laravel #13658: a request for a link tells nothing either.
func TestLinksDoNotTellAccounts(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, passwords(func(o *emailpassword.Options) { o.RequireEmailVerification = true }))
		post := func(path, email string) seen {
			return e.look(func() answer { return e.client().post(path, m{"email": email}) })
		}
		e.client().post("/sign-up/email", m{"name": "A", "email": "known@example.com", "password": password})
		e.deliver()
		for _, path := range []string{"/request-password-reset", "/send-verification-email"} {
			want := post(path, "unknown@example.com")
			if !strings.HasPrefix(want.answer, "200") {
				t.Fatalf("%s: %+v", path, want)
			}
			if got := post(path, "known@example.com"); got != want {
				t.Errorf("%s: %+v, for an unknown address %+v", path, got, want)
			}
		}
		e.exec("UPDATE {user} SET {user:emailVerified} = ?", true)
		if a, b := post("/send-verification-email", "known@example.com"), post("/send-verification-email", "unknown@example.com"); a != b {
			t.Errorf("a verified address: %+v, unknown %+v", a, b)
		}
		got := templates(e.deliver())
		slices.Sort(got)
		if !slices.Equal(got, []string{"reset-password", "verify-email"}) {
			t.Errorf("mails %v", got)
		}
		if n := e.sum("job"); n != 0 {
			t.Errorf("%d jobs are left", n)
		}
		// What a decoy wrote does not stay.
		left := e.sum("verification")
		if _, err := e.auth.Host().Clean(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := e.sum("verification"); n != 1 || left != 2 {
			t.Errorf("%d secrets before the clean-up, %d after it, want 2 and 1", left, n)
		}
	})
}

// better-auth #8091: where verification is required, signing up with a known address
// looks like success, and costs the same.
func TestSignUpDoesNotTellAccounts(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		for _, o := range []emailpassword.Options{{RequireEmailVerification: true}, {AutoSignIn: ptr(false)}} {
			e := start(t, db, passwords(func(p *emailpassword.Options) { *p = o }),
				config(func(c *core.Config) {
					c.User.Fields = []core.Extra{{Name: "plan", Type: "string", Default: "free"}, {Name: "note", Type: "string"}}
				}))
			up := func(email string) (seen, answer) {
				var a answer
				s := e.look(func() answer {
					a = e.client().post("/sign-up/email", m{"name": "Somebody", "email": email, "password": password, "image": "https://img.example/1", "note": "x"})
					return a
				})
				return s, a
			}
			fresh, first := up("a@example.com")
			again, second := up("A@example.com")
			if fresh.hashes != 1 || again.hashes != 1 || fresh.cost != again.cost {
				t.Errorf("new %+v, known %+v", fresh, again)
			}
			id := func(a answer) string { return a.json["user"].(map[string]any)["id"].(string) }
			if len(id(first)) != len(id(second)) || id(first) == id(second) {
				t.Errorf("ids %s and %s", id(first), id(second))
			}
			if a, b := strings.ReplaceAll(string(first.Body), id(first), ""), strings.ReplaceAll(string(second.Body), id(second), ""); a != b || fmt.Sprint(first.Header) != fmt.Sprint(second.Header) {
				t.Errorf("answers differ:\n%s\n%s", a, b)
			}
			if n := e.sum("user"); n != 1 {
				t.Errorf("%d users", n)
			}
			empty(t, e)
		}
	})
}

// An address that is taken looks like a free one to who wants to change to it.
func TestChangeEmailDoesNotTellAccounts(t *testing.T) {
	e := start(t)
	e.client().signUp("taken@example.com")
	c := e.client().signUp("a@example.com")
	change := func(to string) seen {
		return e.look(func() answer { return c.post("/change-email", m{"newEmail": to}) })
	}
	if free, taken := change("free@example.com"), change("Taken@example.com"); !strings.HasPrefix(free.answer, "200") || free != taken {
		t.Errorf("free: %+v; taken: %+v", free, taken)
	}
	if list := e.deliver(); len(list) != 1 || list[0].To != "free@example.com" {
		t.Errorf("mails %v", templates(list))
	}
}

package twofactor

import (
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/plugintest"
)

// TestClaimTakesOffTheFactor: somebody signs up with another's address and enrols TOTP.
// The owner, who follows a magic link, must get in (GHSA-qq9h-g4jm-xgf3).
func TestClaimTakesOffTheFactor(t *testing.T) {
	w := newWorld(t, Options{})
	m := w.enrol("victim@example.com")
	if w.Count("twoFactor") != 1 {
		t.Fatal("nothing is enrolled")
	}
	owner := w.Client()
	owner.Post("/sign-in/magic-link", plugintest.M{"email": m.email}).Want(200)
	link := w.Mail(m.email, "magic-link").URL
	_, path, _ := strings.Cut(link, "/api/auth")
	owner.Get(path)
	a := owner.Get("/get-session").Want(200)
	if a.Text("user.email") != m.email || a.Get("user.twoFactorEnabled") != false {
		t.Fatalf("the owner has not got in: %s", a.Body)
	}
	if n := w.Count("twoFactor"); n != 0 {
		t.Fatalf("%d factors of somebody else's are left", n)
	}
	if a := m.Get("/get-session").Want(200); string(a.Body) != "null" {
		t.Fatalf("who made the account is still inside: %s", a.Body)
	}
}

// TestClaimUpstream: where a link by mail is not asked for the factor, nobody is locked
// out by it, and it stays, as with Better Auth.
func TestClaimUpstream(t *testing.T) {
	w := newWorld(t, Options{Enforce: "upstream"})
	m := w.enrol("victim@example.com")
	owner := w.Client()
	owner.Post("/sign-in/magic-link", plugintest.M{"email": m.email}).Want(200)
	_, path, _ := strings.Cut(w.Mail(m.email, "magic-link").URL, "/api/auth")
	owner.Get(path)
	if a := owner.Get("/get-session").Want(200); a.Text("user.email") != m.email || a.Get("user.twoFactorEnabled") != true {
		t.Fatalf("want a session, and the factor as it was: %s", a.Body)
	}
	if n := w.Count("twoFactor"); n != 1 {
		t.Fatalf("%d factors", n)
	}
}

package core_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/plugins/magiclink"
)

// begin has somebody inside a's account begin a change to an address of their own, and
// returns where the mailed link leads.
func begin(t *testing.T, e *env, a *client, template string) string {
	t.Helper()
	a.must(200, "POST", "/change-email", m{"newEmail": "mallory@example.com"})
	return link(t, e.mailed(template).URL)
}

func link(t *testing.T, mailed string) string {
	t.Helper()
	u, err := url.Parse(mailed)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, "/api/auth") + "?token=" + url.QueryEscape(u.Query().Get("token"))
}

func owner(t *testing.T, e *env, id string) string {
	t.Helper()
	u, err := e.auth.Host().UserByID(t.Context(), e.auth.Host().DB(), id)
	if err != nil || u == nil {
		t.Fatalf("the user: %v, %v", u, err)
	}
	return u.Email
}

// A change of address that was begun before a new password does not outlive it: it would
// give the account back to whom the password was to shut out.
func TestChangeLinkEndsWithThePassword(t *testing.T) {
	for name, tt := range map[string]struct {
		template string
		verified bool
		renew    func(*env, *client)
	}{
		"reset, to the new address": {"verify-email", false, reset},
		"reset, to the old address": {"change-email", true, reset},
		"changed": {"verify-email", false, func(e *env, a *client) {
			a.must(200, "POST", "/change-password", m{"currentPassword": password, "newPassword": "another good one"})
		}},
	} {
		for _, form := range schema.TimeForms {
			t.Run(name+", times as "+string(form), func(t *testing.T) {
				e := start(t, config(func(c *core.Config) { c.Names.TimeOverrides = map[string]schema.TimeForm{"account": form} }))
				a := e.client().signUp("a@example.com")
				id := a.user()
				if tt.verified {
					e.exec("UPDATE {user} SET {user:emailVerified} = TRUE")
				}
				to := begin(t, e, a, tt.template)
				e.clock.Add(time.Millisecond)
				tt.renew(e, a)
				if r := e.client().get(to); r.Status != 401 || r.code() != "INVALID_TOKEN" {
					t.Errorf("an older link: %d %s", r.Status, r.Body)
				}
				if got := owner(t, e, id); got != "a@example.com" {
					t.Errorf("the address is %s", got)
				}
			})
		}
	}
}

func reset(e *env, _ *client) {
	e.client().must(200, "POST", "/request-password-reset", m{"email": "a@example.com"})
	e.client().must(200, "POST", "/reset-password", m{"token": e.mailed("reset-password").Token, "newPassword": "another good one"})
}

// Nor does one outlive the owner's first proof of an address that somebody else signed up
// with.
func TestChangeLinkEndsWithAClaim(t *testing.T) {
	e := start(t, with(magiclink.New(magiclink.Options{})))
	a := e.client().signUp("a@example.com")
	id := a.user()
	to := begin(t, e, a, "verify-email")
	b := e.client()
	b.must(200, "POST", "/sign-in/magic-link", m{"email": "a@example.com"})
	b.must(302, "GET", link(t, e.mailed("magic-link").URL)+"&callbackURL=/", nil)
	if r := e.client().get(to); r.code() != "INVALID_TOKEN" {
		t.Errorf("an older link: %d %s", r.Status, r.Body)
	}
	if got := owner(t, e, id); got != "a@example.com" {
		t.Errorf("the address is %s", got)
	}
}

// The owner's own change, begun in the second of the first proof, is not one of before it.
func TestChangeLinkBehindAClaim(t *testing.T) {
	e := start(t, with(magiclink.New(magiclink.Options{})), config(func(c *core.Config) { c.Notices.Disabled = true }))
	id := e.client().signUp("a@example.com").user()
	b := e.client()
	b.must(200, "POST", "/sign-in/magic-link", m{"email": "a@example.com"})
	b.must(302, "GET", link(t, e.mailed("magic-link").URL)+"&callbackURL=/", nil)
	b.must(200, "GET", begin(t, e, b, "change-email"), nil)
	b.must(200, "GET", link(t, e.mailed("verify-email").URL), nil)
	if got := owner(t, e, id); got != "mallory@example.com" {
		t.Errorf("the address is %s", got)
	}
}

// Both steps of a change follow each other where nothing came in between.
func TestChangeLinkOfBothSteps(t *testing.T) {
	e := start(t)
	a := e.client().signUp("a@example.com")
	e.exec("UPDATE {user} SET {user:emailVerified} = TRUE")
	id := a.user()
	first := begin(t, e, a, "change-email")
	e.client().must(200, "GET", first, nil)
	e.client().must(200, "GET", link(t, e.mailed("verify-email").URL), nil)
	if got := owner(t, e, id); got != "mallory@example.com" {
		t.Errorf("the address is %s", got)
	}
}

// Who changes the address back has undone the change: the link that made it, which is still in
// the other mailbox, must not make it again.
func TestChangeLinkIsNotUsedAgain(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.Notices.Disabled = true }))
	a := e.client().signUp("a@example.com")
	e.exec("UPDATE {user} SET {user:emailVerified} = TRUE")
	id := a.user()
	change := func(to string) (first, second string) {
		a.must(200, "POST", "/change-email", m{"newEmail": to})
		first = link(t, e.mailed("change-email").URL)
		e.client().must(200, "GET", first, nil)
		second = link(t, e.mailed("verify-email").URL)
		e.client().must(200, "GET", second, nil)
		return first, second
	}
	first, second := change("mallory@example.com")
	change("a@example.com")
	for _, to := range []string{first, second} {
		if r := e.client().get(to); r.Status != 401 || r.code() != "INVALID_TOKEN" {
			t.Errorf("a link that was used: %d %s", r.Status, r.Body)
		}
	}
	if got := owner(t, e, id); got != "a@example.com" {
		t.Errorf("the address is %s", got)
	}
}

package core_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// signed is a value as the configured secret signs it: a client's cookie cannot be made
// without it.
func (e *env) signed(value string) string {
	e.t.Helper()
	return e.runProbe(signer(value), "/sign-anything").cookies()[tokenCookie]
}

// signer is a plugin that signs a value as the session's cookie.
func signer(value string) core.Plugin {
	route := core.NewRoute[core.None, core.Status]("POST /sign-anything", core.Public)
	return &probe{core.Spec{ID: "signer", Endpoints: []core.Endpoint{route.Handle(
		func(_ context.Context, c *core.Call, _ core.None) (core.Status, error) {
			core.SignCookie(c, c.Host().Cookie("session_token", 0), value)
			return core.Status{}, nil
		})}}}
}

// runProbe calls an endpoint of a plugin on a second Auth with the same configuration.
func (e *env) runProbe(p core.Plugin, path string) answer {
	e.t.Helper()
	cfg := e.config()
	cfg.Plugins = append(cfg.Plugins, p)
	a, err := core.New(e.t.Context(), cfg)
	if err != nil {
		e.t.Fatal(err)
	}
	defer a.Close(e.t.Context())
	out := serve(a, e.client().request("POST", path, m{}))
	// A second Auth has bound the database to its own schema.
	e.auth = e.compile()
	return out
}

func storedTokens(e *env) []string { return e.rows("SELECT {session:token} FROM {session}") }

// What the database holds of a token opens nothing: not as it is, not signed with the
// right secret, not as the handle of a list.
func TestStoredTokenIsNoToken(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	stored := storedTokens(e)[0]
	if strings.Contains(stored, c.token()) || stored != core.HashToken(c.token()) {
		t.Fatalf("the database holds %s", stored)
	}
	id := e.rows("SELECT {session:id} FROM {session}")[0]
	for _, value := range []string{stored, "session_" + id, id, strings.TrimPrefix(stored, "sha256:"), core.HashToken(stored)} {
		thief := e.client()
		thief.jar[tokenCookie] = e.signed(value)
		if thief.user() != "" {
			t.Errorf("%s signed with the secret is a session", value)
		}
		thief = e.client()
		thief.jar[tokenCookie] = e.signed(value)
		if a := thief.post("/sign-out", m{}); a.Status != 200 || e.sum("session") != 1 {
			t.Errorf("%s signed out somebody: %d", value, a.Status)
		}
		if s, err := core.GetSession.Call(t.Context(), e.auth, core.None{}, core.AsToken(value)); err != nil || s != nil {
			t.Errorf("AsToken(%s): %v %v", value, s, err)
		}
	}
	honest := e.client()
	honest.jar[tokenCookie] = e.signed(c.token())
	if honest.user() == "" {
		t.Error("the token itself, signed, is no session: the test shows nothing")
	}
}

// Look-ups accept both forms, so that the way of storing can change while people are
// signed in.
func TestBothFormsOfStorage(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, config(func(c *core.Config) { c.Session.TokenStorage = "compat" }))
		c := e.client().signUp("a@example.com")
		if got := storedTokens(e); got[0] != c.token() {
			t.Fatalf("compat stores %s", got)
		}
		e.cfg.Session.TokenStorage = "hashed"
		e.auth = e.compile()
		c.auth = e.auth
		if c.user() == "" {
			t.Error("a token that was stored as it is, read by who stores hashes")
		}
		d := e.client()
		d.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password})
		e.cfg.Session.TokenStorage = "compat"
		e.auth = e.compile()
		d.auth = e.auth
		if d.user() == "" {
			t.Error("a token that was stored hashed, read by who stores them as they are")
		}
	})
}

func tokens(a answer) (out []string) {
	var list []struct{ Token string }
	_ = json.Unmarshal(a.Body, &list)
	for _, s := range list {
		out = append(out, s.Token)
	}
	return out
}

func TestListAndRevoke(t *testing.T) {
	for _, storage := range []string{"hashed", "compat"} {
		both(t, func(t *testing.T, db option) {
			e := start(t, db, config(func(c *core.Config) { c.Session.TokenStorage = storage }))
			a := e.client().signUp("a@example.com")
			other := e.client().signUp("other@example.com")
			var rest []*client
			for range 3 {
				e.clock.Add(time.Second)
				c := e.client()
				c.signIn("a@example.com", password)
				rest = append(rest, c)
			}
			list := tokens(a.get("/list-sessions"))
			if len(list) != 4 || !slices.Contains(list, a.token()) {
				t.Fatalf("list %v", list)
			}
			for i, c := range rest {
				if got := slices.Contains(list, c.token()); got != (storage == "compat") {
					t.Errorf("the token of session %d is in another one's list: %v", i, got)
				}
			}
			// Another user's names have no effect, and nobody learns whether they exist.
			names := tokens(other.get("/list-sessions"))
			names = append(names, other.token(), "session_"+e.rows("SELECT {session:id} FROM {session} WHERE {session:userId} = ?", other.user())[0])
			for _, name := range append(names, "unknown", "") {
				if got := a.post("/revoke-session", m{"token": name}); got.Status != 200 || string(got.Body) != `{"status":true}` {
					t.Errorf("revoke %q: %d %s", name, got.Status, got.Body)
				}
			}
			if other.user() == "" || e.sum("session") != 5 {
				t.Fatal("a session of another user was revoked")
			}
			// By what the list says, and by the token itself.
			for _, name := range list {
				if name != a.token() && len(list) > 0 {
					a.must(200, "POST", "/revoke-session", m{"token": name})
					break
				}
			}
			alive := func() (n int) {
				for _, c := range rest {
					if c.clone().user() != "" {
						n++
					}
				}
				return n
			}
			if alive() != 2 {
				t.Errorf("%d of 3 live after revoking one by the list", alive())
			}
			for _, c := range rest {
				if c.clone().user() != "" {
					a.must(200, "POST", "/revoke-session", m{"token": c.token()})
					break
				}
			}
			if alive() != 1 {
				t.Errorf("%d of 3 live after revoking one by its token", alive())
			}
			a.must(200, "POST", "/revoke-other-sessions", m{})
			if alive() != 0 || a.user() == "" || other.user() == "" {
				t.Error("revoke-other-sessions went wrong")
			}
			if got := a.must(200, "POST", "/revoke-session", m{"token": a.token()}); got.cookies()[tokenCookie] != "" || len(got.cookies()) != 3 {
				t.Errorf("revoking oneself leaves the cookies: %v", got.cookies())
			}
			if a.user() != "" {
				t.Error("the revoked session lives")
			}
		})
	}
}

// The stored form is no name of a session for its own user either.
func TestRevokeByStoredHash(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	c.must(200, "POST", "/revoke-session", m{"token": storedTokens(e)[0]})
	if c.user() == "" {
		t.Error("the stored hash names a session")
	}
}

// A rotated secret signs nobody out: cookies verify by the old one and are signed anew.
func TestSecretRotation(t *testing.T) {
	for _, cache := range []bool{false, true} {
		e := start(t, config(func(c *core.Config) { c.Session.CookieCache.Enabled = cache }))
		c := e.client().signUp("a@example.com")
		old := c.jar[tokenCookie]
		e.cfg.Secrets = []core.Secret{{Version: 2, Value: "K4vX9cT2mR7pW1zQ8sB5nH3jF6dL0gYu"}, {Version: 1, Value: e.cfg.Secret}}
		e.cfg.Secret = ""
		e.auth = e.compile()
		c.auth = e.auth
		c.jar = map[string]string{tokenCookie: old}
		if c.user() == "" {
			t.Fatal("the old cookie is worth nothing")
		}
		if c.jar[tokenCookie] == old {
			t.Fatal("the cookie is not signed anew")
		}
		e.cfg.Secrets = e.cfg.Secrets[:1]
		e.auth = e.compile()
		c.auth = e.auth
		if c.user() == "" {
			t.Error("the new cookie does not verify with the new secret alone")
		}
		c.jar = map[string]string{tokenCookie: old}
		if c.user() != "" {
			t.Error("the old cookie verifies without the old secret")
		}
	}
}

func TestDecryptOnlySecretSignsNothing(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	e.cfg.Secrets = []core.Secret{{Version: 2, Value: "K4vX9cT2mR7pW1zQ8sB5nH3jF6dL0gYu"}, {Version: 1, Value: e.cfg.Secret, DecryptOnly: true}}
	e.cfg.Secret = ""
	e.auth = e.compile()
	c.auth = e.auth
	if c.user() != "" {
		t.Error("a cookie signed with a decrypt-only secret is taken")
	}
}

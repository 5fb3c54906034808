package v1_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugintest"
	v1 "github.com/sallyport-auth/sallyport/server/v1"
)

// start makes a facade on SQLite with alice signed in, without cookies from here on.
func start(t *testing.T, s setup) (*plugintest.Harness, *old) {
	t.Helper()
	h := s.start(t)
	c := newOld(t, h, listen(t, h, "net/http")).signUp("alice@example.com")
	c.plain = true
	return h, c
}

func (c *old) turn(token string) *reply {
	c.t.Helper()
	return c.post(a+"/refresh", m{"refreshToken": token})
}

// TestParallelRefresh: of 20 at once all get the same working token, and nobody is put out.
func TestParallelRefresh(t *testing.T) {
	both(t, setup{}, func(t *testing.T, h *plugintest.Harness, url string) {
		c := newOld(t, h, url).signUp("alice@example.com")
		c.plain = true
		replies := make([]*reply, 20)
		var wg sync.WaitGroup
		for i := range replies {
			wg.Go(func() {
				d := newOld(t, h, url)
				d.plain = true
				replies[i] = d.turn(c.refresh)
			})
		}
		wg.Wait()
		next := replies[0].want(200).text("refreshToken")
		for _, r := range replies {
			if r.want(200).text("refreshToken") != next {
				t.Error("two successors")
			}
		}
		// The sign-up has left a session as well.
		if h.Count("session") != 2 || h.Count("v1Refresh") != 1 || next == c.refresh {
			t.Errorf("%d sessions, %d families", h.Count("session"), h.Count("v1Refresh"))
		}
		// The token works beyond the grace period; the first one ends the session there.
		h.Clock.Advance(31 * time.Second)
		after := c.turn(next).want(200).text("refreshToken")
		c.turn(c.refresh).fails(401, core.ClassTokenExpired)
		c.turn(after).fails(401, core.ClassTokenExpired)
		c.get(a+"/sessions").fails(401, core.ClassUnauthorized)
		if h.Count("session") != 1 || h.Count("v1Refresh") != 0 {
			t.Errorf("%d sessions, %d families after a second use", h.Count("session"), h.Count("v1Refresh"))
		}
		page, err := h.Host.Events(t.Context(), core.EventQuery{Types: []string{"v1.refresh-token-reused"}})
		if err != nil || len(page.Events) != 1 || page.Events[0].UserID == "" {
			t.Errorf("events %v, %v", page.Events, err)
		}
	})
}

// barrier holds the first n rotations back until all of them are about to be written.
type barrier struct {
	n       int32
	come    atomic.Int32
	release chan struct{}
}

func (b *barrier) Begin(ctx context.Context, w contract.Work) context.Context {
	if w.Name == "UPDATE v1Refresh" {
		if b.come.Add(1) == b.n {
			close(b.release)
		}
		<-b.release
	}
	return ctx
}

func (b *barrier) End(context.Context, contract.Work, contract.Outcome) {}
func (b *barrier) Event(context.Context, string)                        {}

// TestRotationRace: of four that have all seen the token as the current one, one makes the
// successor, and the others give the same.
func TestRotationRace(t *testing.T) {
	b := &barrier{}
	both(t, setup{config: func(c *core.Config) { c.Observer = b }}, func(t *testing.T, h *plugintest.Harness, url string) {
		*b = barrier{n: 4, release: make(chan struct{})}
		c := newOld(t, h, url).signUp("alice@example.com")
		tokens := make([]string, b.n)
		var wg sync.WaitGroup
		for i := range tokens {
			wg.Go(func() {
				d := newOld(t, h, url)
				d.plain = true
				tokens[i] = d.turn(c.refresh).text("refreshToken")
			})
		}
		wg.Wait()
		for _, token := range tokens {
			if token != tokens[0] {
				t.Errorf("two successors: %q, %q", tokens[0], token)
			}
		}
		c.turn(tokens[0]).want(200)
	})
}

// TestGrace: within it every earlier token gives the current one, however many came since.
func TestGrace(t *testing.T) {
	h, c := start(t, setup{o: v1.Options{RefreshGrace: 10}})
	first := c.refresh
	second := c.turn(first).want(200).text("refreshToken")
	h.Clock.Advance(4 * time.Second)
	third := c.turn(second).want(200).text("refreshToken")
	if got := c.turn(first).want(200).text("refreshToken"); got != third {
		t.Errorf("the first token gives %q", got)
	}
	h.Clock.Advance(7 * time.Second) // beyond the first's, within the second's
	if got := c.turn(second).want(200).text("refreshToken"); got != third {
		t.Errorf("the second token gives %q", got)
	}
	c.turn(first).fails(401, core.ClassTokenExpired)
	c.turn(third).fails(401, core.ClassTokenExpired)
	if h.Count("session") != 1 {
		t.Error("a second use left the session")
	}
}

// TestRefreshForm: what is no token of ours does nothing; who knows the family and no
// secret of it has had one.
func TestRefreshForm(t *testing.T) {
	h, c := start(t, setup{})
	family, secret, _ := strings.Cut(c.refresh, ".")
	for _, token := range []string{"x", ".", family, family + ".", family + "." + secret + "x", strings.Repeat("x", 24) + "." + secret, "." + secret, c.access, strings.Repeat("x", 100000)} {
		c.turn(token).fails(401, core.ClassTokenExpired)
	}
	for _, body := range []any{m{"refreshToken": 1}, m{"refreshToken": m{}}, `[]`, `{`} {
		c.post(a+"/refresh", body).fails(400, core.ClassValidation)
	}
	for _, body := range []any{nil, m{}, m{"refreshToken": nil}, m{"refreshToken": ""}} {
		c.post(a+"/refresh", body).fails(401, core.ClassTokenExpired)
	}
	c.turn(c.refresh).want(200)
	rows := h.Rows("v1Refresh")
	for _, v := range rows[0] {
		if strings.Contains(v, family) || strings.Contains(v, secret) {
			t.Error("the database holds a part of a token")
		}
	}
	c.turn(family+"."+strings.Repeat("A", 43)).fails(401, core.ClassTokenExpired)
	if h.Count("session") != 1 {
		t.Error("an unknown secret left the session")
	}
}

// TestAccessTokenBuysNothing: an access token cannot be turned into others.
func TestAccessTokenBuysNothing(t *testing.T) {
	_, c := start(t, setup{})
	c.get(a + "/sessions").want(200)
	c.post(a+"/session-to-token", nil).fails(401, core.ClassUnauthorized)
	c.post(a+"/refresh", m{}).fails(401, core.ClassTokenExpired)
	// Nor does it count where the facade is not.
	c.post("/api/auth/revoke-other-sessions", m{}).want(401)
	if r := c.get("/api/auth/get-session").want(200); string(r.body) != "null" {
		t.Errorf("below the base path: %s", r.body)
	}
}

// TestRefreshAndSession: a refresh token lives as long as its session, which it renews.
func TestRefreshAndSession(t *testing.T) {
	h, c := start(t, setup{})
	for range 10 { // days, with sessions of seven
		h.Clock.Advance(24 * time.Hour)
		c.keep(c.turn(c.refresh).want(200))
	}
	h.Clock.Advance(8 * 24 * time.Hour)
	c.turn(c.refresh).fails(401, core.ClassTokenExpired)
}

// TestBanned: whoever is banned gets no more tokens.
func TestBanned(t *testing.T) {
	no := false
	h, c := start(t, setup{config: func(c *core.Config) {
		c.User.Fields = append(c.User.Fields, core.Extra{Name: "banned", Type: "boolean", Input: &no, Returned: &no})
	}})
	if _, err := h.Host.DB().Exec(t.Context(), "UPDATE {user} SET {user:banned} = ?", true); err != nil {
		t.Fatal(err)
	}
	c.turn(c.refresh).fails(401, core.ClassUnauthorized)
	c.login("alice@example.com").fails(401, core.ClassUnauthorized)
}

// TestManyFamilies: the token that was used least recently gives way.
func TestManyFamilies(t *testing.T) {
	h, c := start(t, setup{})
	c.plain, c.access = false, ""
	var last string
	for range 20 {
		h.Clock.Advance(time.Second)
		last = c.post(a+"/session-to-token", nil).want(200).text("refreshToken")
	}
	if n := h.Count("v1Refresh"); n != 20 {
		t.Errorf("%d families", n)
	}
	c.turn(c.refresh).fails(401, core.ClassTokenExpired)
	c.turn(last).want(200)
}

// TestNoTokens: a sign-in whose tokens cannot be minted is none, and a refresh token is
// not used up.
func TestNoTokens(t *testing.T) {
	h, c := start(t, setup{})
	key := h.Rows("jwks")[0]["privateKey"]
	set := func(value string) {
		if _, err := h.Host.DB().Exec(context.Background(), "UPDATE {jwks} SET {jwks:privateKey} = ?", value); err != nil {
			t.Fatal(err)
		}
		h.Clock.Advance(2 * time.Minute) // a key in memory is looked at again
	}
	set(`"00"`)
	sessions := h.Count("session")
	in := newOld(t, h, c.url)
	if r := in.login("alice@example.com").fails(500, core.ClassInternal); len(r.header.Values("Set-Cookie")) > 0 || r.header.Get("set-auth-token") != "" {
		t.Errorf("half a sign-in: %v", r.header)
	}
	if n := h.Count("session"); n != sessions {
		t.Errorf("%d sessions, want %d", n, sessions)
	}
	c.turn(c.refresh).fails(500, core.ClassInternal)
	if !strings.Contains(h.Logs.String(), "JWT_KEY_UNUSABLE") {
		t.Error("the log does not say why")
	}
	set(key)
	c.turn(c.refresh).want(200)
	in.login("alice@example.com").want(200)
}

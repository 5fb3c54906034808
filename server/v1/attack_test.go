package v1_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/jwt"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// An access token gives no other credential: one that was stolen would live longer by it.
func TestAnAccessTokenGivesNoOther(t *testing.T) {
	h := setup{}.start(t)
	c := newOld(t, h, listen(t, h, "fiber")).signUp("ada@example.com")
	access := c.login("ada@example.com").text("accessToken")
	thief := newOld(t, h, listen(t, h, "fiber"))
	for _, path := range []string{"/session", "/profile"} {
		r := thief.do("GET", a+path, nil, "Authorization", "Bearer "+access).want(200)
		if r.text("user.email") != "ada@example.com" {
			t.Fatalf("%s: %s", path, r.body)
		}
		for _, name := range []string{jwt.Header, "set-auth-token", "Set-Cookie"} {
			if got := r.header.Get(name); got != "" {
				t.Errorf("%s gives %s: %s", path, name, got)
			}
		}
	}
	if h.SignUp("bob@example.com").Get("/get-session").Want(200).Value(jwt.Header) == "" {
		t.Error("a cookie gives none either: the test shows nothing")
	}
}

// An app asks for tokens of its own while its user signs out. The session has as many as it
// may have, so that the oldest goes: of the two none waits for one that waits for it.
func TestTokensAndTheEndOfTheirSessionDoNotWaitForEachOther(t *testing.T) {
	h := setup{engine: plugintest.Postgres}.start(t)
	c := newOld(t, h, listen(t, h, "net/http")).signUp("alice@example.com")
	c.access = ""
	for range 20 {
		h.Clock.Advance(time.Second)
		c.post(a+"/session-to-token", nil).want(200)
	}
	families := h.Rows("v1Refresh")
	oldest := families[0]
	for _, f := range families {
		if f["usedAt"] < oldest["usedAt"] {
			oldest = f
		}
	}
	waiting := func(n int64) { // until so many wait for a row
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			if got := number(t.Context(), t, h.Host.DB(), "SELECT COUNT(*) FROM pg_catalog.pg_stat_activity WHERE datname = pg_catalog.current_database() AND wait_event_type = 'Lock'"); got == n {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("it is not %d who wait for a row", n)
			}
		}
	}
	var status int
	var revoked error
	var wg sync.WaitGroup
	err := h.Host.Tx(t.Context(), nil, func(ctx context.Context, tx *core.Tx) error {
		if number(ctx, t, tx, "SELECT 1 FROM {v1Refresh=} WHERE {v1Refresh.id} = ? FOR UPDATE", oldest["id"]) != 1 {
			t.Error("the oldest is gone")
		}
		wg.Go(func() { status = c.post(a+"/session-to-token", nil).status })
		waiting(1)
		wg.Go(func() { _, revoked = h.Host.RevokeSession(t.Context(), nil, oldest["sessionId"]) })
		waiting(2)
		return nil
	})
	wg.Wait()
	if err != nil || revoked != nil || status != 200 {
		t.Errorf("the tokens: %d; the end of the session: %v; %v", status, revoked, err)
	}
	if n := h.Count("v1Refresh"); n != 0 {
		t.Errorf("%d families are left", n)
	}
}

func number(ctx context.Context, t *testing.T, db storage.Conn, sql string, args ...any) (n int64) {
	t.Helper()
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(storage.Dest(&n)); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

package core_test

import (
	"context"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
)

// TestRevokedSessions: hooks behind a revocation are told which sessions it ended, and of
// N parallel ones of one session exactly one is.
func TestRevokedSessions(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		var mu sync.Mutex
		var seen []core.RevokedSession
		e := start(t, db, hooks(core.SessionRevoke.After(func(_ context.Context, r *core.RevokeEvent) error {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, r.Revoked...)
			return nil
		})))
		ctx, host := context.Background(), e.auth.Host()
		c := e.client()
		c.must(200, "POST", "/sign-up/email", m{"name": "Ada", "email": "ada@example.com", "password": password})
		u, err := host.FindUser(ctx, "ada@example.com")
		if err != nil || u == nil {
			t.Fatal(u, err)
		}
		for range 2 {
			e.client().must(200, "POST", "/sign-in/email", m{"email": "ada@example.com", "password": password})
		}
		list, err := host.Sessions(ctx, u.ID)
		if err != nil || len(list) != 3 {
			t.Fatal(list, err)
		}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := host.RevokeSession(ctx, nil, list[0].ID); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(seen) != 1 || seen[0].ID != list[0].ID || seen[0].UserID != u.ID || !seen[0].ExpiresAt.Equal(list[0].ExpiresAt) {
			t.Fatalf("one session that was revoked 8 times: %+v", seen)
		}
		seen = nil
		if err := host.RevokeSessions(ctx, nil, u.ID, list[2].ID); err != nil {
			t.Fatal(err)
		}
		if len(seen) != 1 || seen[0].ID != list[1].ID {
			t.Fatalf("all but one: %+v", seen)
		}
		seen = nil
		if err := host.EndSessions(ctx, u.ID); err != nil { // with an event
			t.Fatal(err)
		}
		if left, err := host.Sessions(ctx, u.ID); err != nil || len(left) != 0 || len(seen) != 1 {
			t.Fatalf("%v left, %+v told, %v", left, seen, err)
		}
	})
}

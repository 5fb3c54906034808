package twofactor

import (
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// The operator takes a user's second factors off while the user, or who has their session,
// does something with them: of the two none waits for one that waits for it.
func TestResetAndTheUserDoNotWaitForEachOther(t *testing.T) {
	w := newWorld(t, Options{}, func(o *plugintest.Options) { o.Database = plugintest.Postgres })
	for name, act := range map[string]func(*member) *plugintest.Answer{
		"disable": func(m *member) *plugintest.Answer {
			return m.Post("/two-factor/disable", plugintest.M{"password": password})
		},
		"backup codes": func(m *member) *plugintest.Answer {
			return m.Post("/two-factor/generate-backup-codes", plugintest.M{"password": password})
		},
	} {
		t.Run(name, func(t *testing.T) {
			ada := w.enrol(name[:4] + "@example.com")
			var reset error
			var answer *plugintest.Answer
			var wg sync.WaitGroup
			err := w.Host.Tx(t.Context(), nil, func(ctx context.Context, tx *core.Tx) error {
				if n := number(ctx, t, tx, "SELECT 1 FROM {twoFactor=} WHERE {twoFactor.userId} = ? FOR UPDATE", ada.UserID); n != 1 {
					t.Error("there is no factor")
				}
				wg.Go(func() { reset = w.p.reset(t.Context(), w.Host, []string{ada.email}, io.Discard) })
				w.waiting(1)
				wg.Go(func() { answer = act(ada) })
				w.waiting(2)
				return nil
			})
			wg.Wait()
			if err != nil || reset != nil || answer.Status >= 500 {
				t.Errorf("the reset: %v; the user: %d %s; %v", reset, answer.Status, answer.Body, err)
			}
		})
	}
}

// waiting returns when so many wait for a row of the database.
func (w *world) waiting(n int64) {
	w.T.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if number(w.T.Context(), w.T, w.Host.DB(), "SELECT COUNT(*) FROM pg_catalog.pg_stat_activity "+
			"WHERE datname = pg_catalog.current_database() AND wait_event_type = 'Lock'") == n {
			return
		}
		if time.Now().After(end) {
			w.T.Fatalf("it is not %d who wait for a row", n)
		}
	}
}

func number(ctx context.Context, t testing.TB, db storage.Conn, sql string, args ...any) (n int64) {
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

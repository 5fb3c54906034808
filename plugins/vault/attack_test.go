package vault

import (
	"context"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// remote is a key provider across the network: something happens while it is asked.
type remote struct {
	contract.KeyProvider
	asked *func()
}

func (r remote) Wrap(ctx context.Context, key, aad []byte) (contract.WrappedKey, error) {
	once(r.asked)
	return r.KeyProvider.Wrap(ctx, key, aad)
}

func (r remote) Unwrap(ctx context.Context, w contract.WrappedKey, aad []byte) ([]byte, error) {
	once(r.asked)
	return r.KeyProvider.Unwrap(ctx, w, aad)
}

func once(fn *func()) {
	if f := *fn; f != nil {
		*fn = nil
		f()
	}
}

// A session is good when an action begins, and is ended while the key provider is asked, or
// before the row is written. Whoever had it is put out: they get no key, and what they were
// about to do to the vault, which its owner might not survive, is not done.
func TestAnActionDoesNotOutliveItsSession(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		var asked, begun func()
		w := newWorld(t, Options{Provider: remote{ring(t, kek("kms", 1)), &asked}}, engine, func(o *plugintest.Options) {
			o.Config = func(c *core.Config) {
				c.Hooks = append(c.Hooks, core.Request.Before(func(context.Context, *core.RequestEvent) error {
					once(&begun)
					return nil
				}))
			}
		})
		var key string
		setUp := func(zero bool) func(*plugintest.Client) {
			return func(c *plugintest.Client) {
				key = c.Post("/vault/init", nil).Want(200).Text("masterKey")
				c.Post("/vault/recovery-wrap", recovery(1)).Want(200)
				if zero {
					c.Post("/vault/zero-knowledge", m{"enable": true}).Want(200)
				}
			}
		}
		post := func(path string, body func() m) func(*plugintest.Client) *plugintest.Answer {
			return func(c *plugintest.Client) *plugintest.Answer { return c.Post(path, body()) }
		}
		with := func(body m) func() m { return func() m { return body } }
		fetch := func(c *plugintest.Client) *plugintest.Answer { return c.Get("/vault/key") }
		for name, tt := range map[string]struct {
			setUp func(*plugintest.Client)
			do    func(*plugintest.Client) *plugintest.Answer
			at    *func()
		}{
			"the first key":          {nil, post("/vault/init", with(nil)), &asked},
			"a key by init":          {setUp(false), post("/vault/init", with(nil)), &asked},
			"a key":                  {setUp(false), fetch, &asked},
			"a recovery blob":        {setUp(true), fetch, &begun},
			"rotate":                 {setUp(false), post("/vault/rotate", with(m{"expectedVersion": 1})), &asked},
			"rotate without a vault": {nil, post("/vault/rotate", with(m{"expectedVersion": 0})), &asked},
			"another recovery wrap":  {setUp(true), post("/vault/recovery-wrap", with(recovery(2))), &begun},
			"no recovery wrap":       {setUp(false), func(c *plugintest.Client) *plugintest.Answer { return c.Do(del("/vault/recovery-wrap")) }, &begun},
			"zero knowledge":         {setUp(false), post("/vault/zero-knowledge", with(m{"enable": true})), &begun},
			"no zero knowledge":      {setUp(true), post("/vault/zero-knowledge", func() m { return m{"enable": false, "masterKey": key} }), &asked},
		} {
			t.Run(name, func(t *testing.T) {
				w.Clock.Advance(time.Second) // every user has an address of their own
				eve := w.SignUp(w.Clock.Now().Format("150405") + "@example.com")
				if tt.setUp != nil {
					tt.setUp(eve)
				}
				before, ended := w.vault(eve.UserID), false
				*tt.at = func() {
					ended = true
					if err := w.Host.EndSessions(context.Background(), eve.UserID); err != nil {
						t.Error(err)
					}
				}
				if a := tt.do(eve); a.Status != 401 || !ended {
					t.Errorf("after the end of the session: %d %s", a.Status, a.Body)
				}
				switch after := w.vault(eve.UserID); {
				case before == nil && after == nil:
				case before == nil || after == nil:
					t.Errorf("before %+v, after %+v", before, after)
				case after.KeyVersion != before.KeyVersion || after.ZeroKnowledge != before.ZeroKnowledge ||
					(after.RecoveryWrappedMK == nil) != (before.RecoveryWrappedMK == nil) ||
					after.RecoveryWrappedMK != nil && *after.RecoveryWrappedMK != *before.RecoveryWrappedMK:
					t.Errorf("before %+v, after %+v", before, after)
				}
			})
		}
	})
}

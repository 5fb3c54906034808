package vault

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

type m = plugintest.M

const testRing = "new:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=,env-v1:IB8eHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgE="

// world is an Auth with a vault.
type world struct {
	*plugintest.Harness
	p *Plugin
}

func newWorld(t testing.TB, o Options, change ...func(*plugintest.Options)) *world {
	t.Helper()
	if o.Keyring == "" && o.Provider == nil {
		o.Keyring = testRing
	}
	w := &world{p: New(o)}
	po := plugintest.Options{}
	for _, f := range change {
		f(&po)
	}
	po.Plugins = append(po.Plugins, w.p)
	w.Harness = plugintest.New(t, po)
	return w
}

// as runs fn in a transaction of a user's.
func (w *world) as(userID string, fn func(ctx context.Context, tx *core.Tx) error) error {
	w.T.Helper()
	return w.Host.TxAs(context.Background(), userID, fn)
}

// vault reads a user's row; nil if there is none.
func (w *world) vault(userID string) *Vault {
	w.T.Helper()
	v, err := w.p.read(context.Background(), userID)
	if err != nil {
		w.T.Fatal(err)
	}
	return v
}

// trail is a user's audit, oldest first: "action status context".
func (w *world) trail(userID string) (out []string) {
	w.T.Helper()
	err := w.as(userID, func(ctx context.Context, tx *core.Tx) error {
		list, err := audits.List(ctx, tx, core.ListOptions{}, auditUser.Eq(userID))
		for _, r := range list {
			line := fmt.Sprintf("%s %d", r.Action, r.Status)
			if r.Context != nil {
				line += " " + *r.Context
			}
			out = append(out, line)
		}
		return err
	})
	if err != nil {
		w.T.Fatal(err)
	}
	return out
}

func (w *world) wantTrail(userID string, want ...string) {
	w.T.Helper()
	got := w.trail(userID)
	count := map[string]int{}
	for _, s := range got {
		count[s]++
	}
	for _, s := range want {
		count[s]--
	}
	for _, n := range count {
		if n != 0 {
			w.T.Errorf("audit:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			return
		}
	}
}

// race runs fn many times at once and counts what it returns.
func race(n int, fn func(i int) string) map[string]int {
	var wg sync.WaitGroup
	out := make([]string, n)
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			out[i] = fn(i)
		})
	}
	close(start)
	wg.Wait()
	count := map[string]int{}
	for _, s := range out {
		count[s]++
	}
	return count
}

func b64(n int, fill byte) string {
	raw := make([]byte, n)
	for i := range raw {
		raw[i] = fill
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// recovery is a recovery wrap as a client sends it.
func recovery(fill byte) m {
	return m{"recoveryWrappedMk": b64(48, fill), "recoveryIv": b64(12, fill)}
}

func del(path string) plugintest.Request { return plugintest.Request{Method: "DELETE", Path: path} }

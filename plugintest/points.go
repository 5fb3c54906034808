package plugintest

import (
	"context"
	"sync"

	"github.com/sallyport-auth/sallyport/core"
)

// Point is a point as Check knows it.
type Point struct {
	name  string
	hooks func(*traps, ...string) []core.Hook
}

// Watch has Check know a point of a plugin's.
func Watch[E any](p *core.Point[E]) Point {
	return Point{p.Name(), func(t *traps, phases ...string) (out []core.Hook) {
		for _, phase := range phases {
			run := func(context.Context, *E) error { return t.reach(p.Name() + " " + phase) }
			if phase == "before" {
				out = append(out, p.Before(run))
			} else {
				out = append(out, p.After(run))
			}
		}
		return out
	}}
}

// corePoints are those on which a hook may refuse.
var corePoints = []Point{Watch(core.Authenticate), Watch(core.Request), Watch(core.SignInPoint), Watch(core.SessionCreate),
	Watch(core.SessionRevoke), Watch(core.UserCreate), Watch(core.UserUpdate), Watch(core.UserDelete), Watch(core.EmailVerified),
	Watch(core.UserClaim), Watch(core.UserRecover), Watch(core.UserUnlock), Watch(core.EventRecorded)}

// traps are hooks that note that they were reached, and fail when armed.
type traps struct {
	mu    sync.Mutex
	armed string // "error" or "panic"
	hit   map[string]bool
}

// errTrap is what an armed trap answers with.
var errTrap = core.NewError("PLUGINTEST_TRAP", 409, "A hook of the test failed")

func (t *traps) reach(name string) error {
	t.mu.Lock()
	if t.hit == nil {
		t.hit = map[string]bool{}
	}
	t.hit[name] = true
	armed := t.armed
	t.mu.Unlock()
	switch armed {
	case "error":
		return errTrap
	case "panic":
		panic("a hook of the test panicked")
	}
	return nil
}

// arm sets what the traps do from now on, and forgets what was reached.
func (t *traps) arm(mode string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.armed, t.hit = mode, map[string]bool{}
}

func (t *traps) reached() map[string]bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hit
}

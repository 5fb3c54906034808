package plugintest

import (
	"strings"

	"github.com/sallyport-auth/sallyport/core"
)

// checkHooks finds out which points each request of the journey passes, and then sends
// every one of them once more for each such point, with a hook there that fails.
func checkHooks(c *checker) {
	passed := map[string]map[int]bool{} // point and phase to the numbers of the requests
	points := append(append([]Point(nil), corePoints...), c.o.Points...)
	var hooks []core.Hook
	t := &traps{}
	for _, p := range points {
		hooks = append(hooks, p.hooks(t, "before", "after")...)
	}
	h := c.harness(SQLite, hooks...)
	n := 0
	c.walk(h, func(*Client, *Request) { t.arm("") }, func(_ *Client, r *Request, a *Answer) {
		for name := range t.reached() {
			if passed[name] == nil {
				passed[name] = map[int]bool{}
			}
			passed[name][n] = true
		}
		n++
		c.inspect(h, r, a)
	})
	for _, p := range points {
		for _, phase := range []string{"before", "after"} {
			name := p.name + " " + phase
			// After hooks on the request as a whole run when the endpoint has committed: they
			// cannot undo, but the answer still is a refusal.
			undone := name != core.Request.Name()+" after"
			for _, mode := range []string{"error", "panic"} {
				if len(passed[name]) > 0 {
					c.trap(p, phase, mode, passed[name], undone)
				}
			}
		}
	}
}

func (c *checker) trap(p Point, phase, mode string, at map[int]bool, undone bool) {
	if !undone {
		return // a request that happened twice would end the journey
	}
	t := &traps{}
	h := c.harness(SQLite, p.hooks(t, phase)...)
	n := -1
	c.walk(h, func(client *Client, r *Request) {
		if n++; !at[n] {
			return
		}
		before := h.snapshot()
		t.arm(mode)
		a := client.send(r)
		reached := len(t.reached()) > 0
		t.arm("")
		what := "a hook on " + p.name + " (" + phase + ", " + mode + ")"
		switch {
		case !reached:
			c.fault("%s %s: %s was not reached the second time: does the journey do the same in every harness?", r.Method, r.Path, what)
			return
		case !refused(a):
			c.fault("%s %s: %s failed, and the answer is %d: %s", r.Method, r.Path, what, a.Status, clip(string(a.Body)))
		case strings.Contains(string(a.Body), "a hook of the test panicked"):
			c.fault("%s %s: %s: the answer tells of the panic", r.Method, r.Path, what)
		}
		for _, line := range a.Values("Set-Cookie") {
			if strings.HasPrefix(line, client.full("session_token")+"=") && !strings.Contains(line, "=;") {
				c.fault("%s %s: %s failed, and the answer sets a session's cookie", r.Method, r.Path, what)
			}
		}
		if d := before.diff(h.snapshot()); d != "" {
			c.fault("%s %s: %s failed, and rows changed:\n%s", r.Method, r.Path, what, d)
		}
	}, nil)
}

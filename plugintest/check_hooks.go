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
			if p.name == core.Request.Name() && phase == "after" {
				continue // runs when the endpoint has committed: there is nothing to undo
			}
			for _, mode := range []string{"error", "panic"} {
				if at := passed[p.name+" "+phase]; len(at) > 0 {
					c.trap(p, phase, mode, at)
				}
			}
		}
	}
}

// trap sends the requests at these numbers once more ahead of their turn, with a hook
// that fails.
func (c *checker) trap(p Point, phase, mode string, at map[int]bool) {
	t := &traps{}
	h := c.harness(SQLite, p.hooks(t, phase)...)
	n := -1
	c.walk(h, func(client *Client, r *Request) {
		if n++; !at[n] {
			return
		}
		before := h.snapshot().changeable(h)
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
		if d := before.diff(h.snapshot().changeable(h)); d != "" {
			c.fault("%s %s: %s failed, and rows changed:\n%s", r.Method, r.Path, what, d)
		}
	}, nil)
}

package webhooks

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// TestOneDownDelaysNobody: of two receivers the one that works has everything.
func TestOneDownDelaysNobody(t *testing.T) {
	down, up := listen(t, status(500)), listen(t, nil)
	second := to(up, UserCreated)
	second.Secret = secretB
	h := newHarness(t, loopback(to(down, UserCreated), second))
	for i := range 5 {
		h.CreateUser(fmt.Sprintf("user%d@example.com", i))
	}
	h.RunJobs()
	if got := up.take(secretB); len(got) != 5 || len(waiting(t, h)) != 5 {
		t.Errorf("%d delivered, %d waiting", len(got), len(waiting(t, h)))
	}
}

// hanging is a receiver that answers when the test lets it.
func hanging(t testing.TB) (r *receiver, release func()) {
	free := make(chan struct{})
	release = sync.OnceFunc(func() { close(free) })
	r = listen(t, func(int, http.ResponseWriter, *http.Request) { <-free })
	t.Cleanup(release) // runs before the server closes
	return r, release
}

// TestHang: a receiver that hangs costs a worker one wait in half a minute, not one for
// each delivery; once it answers it gets them all.
func TestHang(t *testing.T) {
	for timeout := 200 * time.Millisecond; !hang(t, timeout); timeout *= 2 { // a busy machine needs more
		if timeout > maxTimeout/2 {
			t.Fatal("the receiver was not asked")
		}
	}
}

// hang tells whether the receiver was asked at all before the time was over.
func hang(t *testing.T, timeout time.Duration) bool {
	r, release := hanging(t)
	o := loopback(to(r, UserCreated))
	o.Timeout = timeout
	p := New(o)
	h := newHarness(t, loopback(), func(po *plugintest.Options) { po.Plugins[len(po.Plugins)-1] = p })
	for i := range 10 {
		h.CreateUser(fmt.Sprintf("user%d@example.com", i))
	}
	h.RunJobs()
	switch got := r.take(); len(got) {
	case 0:
		return false
	case 1:
	default:
		t.Fatalf("asked %d times", len(got))
	}
	asked, turned := 0, 0
	for _, j := range waiting(t, h) {
		switch {
		case strings.HasSuffix(j.LastError, ": no answer in time"):
			asked++
		case strings.Contains(j.LastError, ": not asked: "):
			turned++
		}
	}
	if asked != 1 || turned != 9 {
		t.Errorf("%d asked, %d turned away", asked, turned)
	}
	h.Clock.Advance(hangPause - time.Second)
	if h.RunJobs(); len(r.take()) != 0 {
		t.Error("asked before its time")
	}
	h.Clock.Advance(hangPause)
	h.RunJobs()
	switch got := r.take(); len(got) {
	case 0:
		if timeout <= maxTimeout/2 {
			return false
		}
		t.Error("not asked when it was time")
	case 1:
	default:
		t.Errorf("asked %d times when it was time", len(got))
	}
	release()
	p.o.Timeout = maxTimeout
	for range 3 {
		h.Clock.Advance(3 * time.Hour)
		h.RunJobs()
	}
	ids := map[string]bool{}
	for _, q := range r.take() {
		ids[q.id()] = true
	}
	if len(ids) != 10 || len(waiting(t, h)) != 0 {
		t.Errorf("%d of 10 arrived, %d wait", len(ids), len(waiting(t, h)))
	}
	return true
}

// TestCalm: while a receiver hangs, one worker asks it at a time.
func TestCalm(t *testing.T) {
	var c calm
	now := plugintest.Epoch
	if first, second := c.begin(now), c.begin(now); !first || !second {
		t.Fatal("a receiver that answers is asked by many")
	}
	c.end(now, 0, true, 0)
	c.end(now, 0, true, 0)
	if c.begin(now.Add(hangPause - 1)) {
		t.Error("asked in the pause")
	}
	now = now.Add(hangPause)
	if !c.begin(now) || c.begin(now) {
		t.Error("want one worker behind the pause")
	}
	c.end(now, 0, false, 0)
	if first, second := c.begin(now), c.begin(now); !first || !second {
		t.Error("it has answered")
	}
	c.end(now, 0, false, time.Minute)
	c.end(now, 0, false, time.Second) // a shorter wish does not end a longer one
	if c.begin(now.Add(time.Minute-1)) || !c.begin(now.Add(time.Minute)) {
		t.Error("Retry-After")
	}
}

// TestSlow: a receiver that answers late, but in time, gets one worker at a time, without a pause:
// whoever signs up often enough could otherwise keep all of them waiting, and mail with them.
func TestSlow(t *testing.T) {
	var c calm
	now := plugintest.Epoch
	for range 4 {
		c.begin(now)
	}
	c.end(now, slowAnswer, false, 0)
	if c.begin(now) {
		t.Error("one was slow, and the others that are still waiting for it get company")
	}
	for range 3 {
		c.end(now, slowAnswer, false, 0)
	}
	if !c.begin(now) || c.begin(now) {
		t.Error("want one worker")
	}
	c.end(now, slowAnswer-1, false, 0)
	if first, second := c.begin(now), c.begin(now); !first || !second {
		t.Error("it was quick")
	}
}

// TestSlowReceiver: the time is that of the receiver's answer.
func TestSlowReceiver(t *testing.T) {
	var h *plugintest.Harness
	r := listen(t, func(int, http.ResponseWriter, *http.Request) { h.Clock.Advance(slowAnswer) })
	p := New(loopback(to(r, UserCreated)))
	h = plugintest.New(t, plugintest.Options{Plugins: append(plugins(loopback())[:2], p)})
	h.CreateUser("user@example.com")
	h.RunJobs()
	if len(r.take()) != 1 || !p.endpoints[0].calm.slow {
		t.Error("a slow answer is taken for a quick one")
	}
}

func TestRetryAfter(t *testing.T) {
	now := plugintest.Epoch.Truncate(time.Second)
	for text, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-5": 0, "soon": 0, "4000000000": maxPause, "99999999999999999999": 0,
		now.Add(time.Minute).Format(http.TimeFormat): time.Minute, now.Add(-time.Minute).Format(http.TimeFormat): 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	r := listen(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(429)
		}
	})
	h := newHarness(t, loopback(to(r, UserCreated)))
	h.CreateUser("ada@example.com")
	h.CreateUser("bob@example.com")
	h.RunJobs()
	for range 8 {
		h.Clock.Advance(time.Minute)
		h.RunJobs()
	}
	if got := r.take(); len(got) != 1 {
		t.Fatalf("asked %d times within its wish", len(got))
	}
	h.Clock.Advance(3 * time.Hour)
	if h.RunJobs(); len(r.take()) != 2 || len(waiting(t, h)) != 0 {
		t.Error("not delivered afterwards")
	}
}

// TestWorkers: real workers, events of many at once: each is delivered exactly once.
func TestWorkers(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		const n = 30
		all := make(chan struct{})
		r := listen(t, func(i int, _ http.ResponseWriter, _ *http.Request) {
			if i == n {
				close(all)
			}
		})
		h := newHarness(t, loopback(to(r, UserCreated)), engine, func(o *plugintest.Options) {
			o.Config = func(c *core.Config) { c.NoBackground = false }
		})
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() { h.CreateUser(fmt.Sprintf("user%d@example.com", i)) })
		}
		wg.Wait()
		<-all
		if err := h.Auth.Close(context.Background()); err != nil { // running jobs end
			t.Fatal(err)
		}
		users, ids := map[any]bool{}, map[string]bool{}
		got := r.take()
		for _, q := range got {
			users[q.Data["id"]], ids[q.id()] = true, true
		}
		if len(got) != n || len(users) != n || len(ids) != n {
			t.Errorf("%d requests about %d users with %d ids, want %d", len(got), len(users), len(ids), n)
		}
	})
}

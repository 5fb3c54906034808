package webhooks

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// TestSpecificationVector is the vector of the specification's own libraries.
func TestSpecificationVector(t *testing.T) {
	key, err := parseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := signature([][]byte{key}, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", `{"test": 2432232314}`)
	if got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Error(got)
	}
}

// later moves the clock to where the deliveries that wait are due.
func later(t testing.TB, h *plugintest.Harness) {
	t.Helper()
	for _, j := range waiting(t, h) {
		if wait := j.RunAt.Sub(h.Clock.Now()); wait > 0 {
			h.Clock.Advance(wait)
		}
	}
}

// TestRetries: id and body stay, each attempt has a time and a signature of its own, and
// what was taken is not sent again.
func TestRetries(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		r := listen(t, status(500, 503, 204))
		h := newHarness(t, loopback(to(r, UserCreated)), engine)
		h.CreateUser("ada@example.com")
		var first request
		for n := 1; n <= 3; n++ {
			h.RunJobs()
			got := r.take()
			if len(got) != 1 || !stamped(h, got[0]) {
				t.Fatalf("attempt %d: %v", n, got)
			}
			if n == 1 {
				first = got[0]
			} else if got[0].id() != first.id() || got[0].body != first.body || got[0].header.Get("webhook-timestamp") == first.header.Get("webhook-timestamp") {
				t.Errorf("attempt %d: %v, after %v", n, got[0], first)
			}
			if h.RunJobs(); len(r.take()) != 0 {
				t.Error("tried again at once")
			}
			if n == 1 {
				if list := waiting(t, h); len(list) != 1 || list[0].LastError != fmt.Sprintf("webhook user.created to endpoints[0] (%s): answered 500", strings.TrimPrefix(r.URL, "http://")) {
					t.Errorf("%+v", list)
				}
			}
			later(t, h)
		}
		h.Clock.Advance(24 * time.Hour)
		if h.RunJobs(); len(r.take()) != 0 || h.Count("job") != 0 {
			t.Error("sent again behind the success")
		}
	})
}

// TestRestart: another process does what one has left behind.
func TestRestart(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		r := listen(t, status(502, 200))
		o := loopback(to(r, UserCreated))
		h := newHarness(t, o, engine)
		h.CreateUser("ada@example.com")
		h.RunJobs()
		id := r.take()[0].id()
		later(t, h)
		if _, err := another(t, h, o).RunJobs(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := r.take(); len(got) != 1 || got[0].id() != id || len(waiting(t, h)) != 0 {
			t.Errorf("%v", got)
		}
	})
}

// hijack answers with bytes of the test's own, and closes.
func hijack(text string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = c.Write([]byte(text))
		_ = c.Close()
	}
}

// TestFailures: whatever a receiver does wrong, the delivery waits and is done when it
// does right; what it said is kept and logged nowhere.
func TestFailures(t *testing.T) {
	code := func(n int) func(http.ResponseWriter) { return func(w http.ResponseWriter) { w.WriteHeader(n) } }
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		want   string
	}{
		"400":        {code(400), "answered 400"},
		"404":        {code(404), "answered 404"},
		"300":        {code(300), "answered 300"},
		"304":        {code(304), "answered 304"},
		"closes":     {hijack(""), "the connection ended without a complete answer"},
		"no HTTP":    {hijack("LEAK root:x:0:0\r\n\r\n"), "the connection ended without a complete answer"},
		"big header": {hijack("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("LEAK", maxHeader) + "\r\n\r\n"), "the connection ended without a complete answer"},
		"a body": {func(w http.ResponseWriter) {
			w.WriteHeader(500)
			_, _ = w.Write([]byte("LEAK"))
		}, "answered 500"},
	} {
		t.Run(name, func(t *testing.T) {
			r := listen(t, func(n int, w http.ResponseWriter, _ *http.Request) {
				if n == 1 {
					c.answer(w)
				}
			})
			h := newHarness(t, loopback(to(r, UserCreated)))
			h.CreateUser("ada@example.com")
			h.RunJobs()
			list := waiting(t, h)
			if got := r.take(); len(got) != 1 || len(list) != 1 || !strings.HasSuffix(list[0].LastError, ": "+c.want) {
				t.Fatalf("%d requests, waiting: %+v", len(got), list)
			}
			if strings.Contains(h.Logs.String(), "LEAK") {
				t.Error("the log has what was answered")
			}
			later(t, h)
			if h.RunJobs(); len(r.take()) != 1 || len(waiting(t, h)) != 0 {
				t.Error("not delivered when the receiver was well again")
			}
		})
	}
}

// TestEndlessBody: an endless answer counts by its status, and is not read.
func TestEndlessBody(t *testing.T) {
	const much = 64 << 20 // more than the buffers of a connection hold
	written := make(chan int, 1)
	r := listen(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		total, piece := 0, make([]byte, 32<<10)
		for total < much {
			n, err := w.Write(piece)
			if total += n; err != nil {
				break
			}
		}
		written <- total
	})
	h := newHarness(t, loopback(to(r, UserCreated)))
	h.CreateUser("ada@example.com")
	if h.RunJobs(); len(r.take()) != 1 || len(waiting(t, h)) != 0 {
		t.Errorf("waiting: %+v", waiting(t, h))
	}
	if n := <-written; n >= much {
		t.Errorf("%d bytes of an answer were read", n)
	}
}

// TestGone: 410 ends a delivery and is logged.
func TestGone(t *testing.T) {
	r := listen(t, status(410))
	h := newHarness(t, loopback(to(r, UserCreated)))
	h.CreateUser("ada@example.com")
	h.RunJobs()
	if len(r.take()) != 1 || len(waiting(t, h)) != 0 || !strings.Contains(h.Logs.String(), "a webhook's receiver is gone") {
		t.Errorf("waiting: %+v, log: %s", waiting(t, h), h.Logs)
	}
}

// TestGivenUp: the 16th failure is the last; the delivery is kept for the operator, who may
// have it tried again.
func TestGivenUp(t *testing.T) {
	answer := 500
	r := listen(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(answer) })
	h := newHarness(t, loopback(to(r, UserCreated)))
	h.CreateUser("ada@example.com")
	for range 30 {
		h.RunJobs()
		h.Clock.Advance(3 * time.Hour)
	}
	list := waiting(t, h)
	if got := r.take(); len(got) != 16 || len(list) != 1 || list[0].FailedAt.IsZero() {
		t.Fatalf("%d attempts, %+v", len(got), list)
	}
	answer = 200
	if _, err := h.Host.RetryJobs(context.Background(), core.JobQuery{Failed: true}); err != nil {
		t.Fatal(err)
	}
	if h.RunJobs(); len(r.take()) != 1 || len(waiting(t, h)) != 0 {
		t.Error("not delivered by hand")
	}
}

// TestUnknownEndpoint: a process that does not know an endpoint keeps its deliveries.
func TestUnknownEndpoint(t *testing.T) {
	r, other := listen(t, nil), listen(t, nil)
	h := newHarness(t, loopback(to(r, UserCreated)))
	h.CreateUser("ada@example.com")
	if _, err := another(t, h, loopback(to(other))).RunJobs(context.Background()); err != nil {
		t.Fatal(err)
	}
	if list := waiting(t, h); len(list) != 1 || list[0].LastError != errUnknown.Error() || len(r.take())+len(other.take()) != 0 {
		t.Errorf("%+v", list)
	}
	later(t, h)
	if h.RunJobs(); len(r.take()) != 1 {
		t.Error("not delivered by who knows it")
	}
}

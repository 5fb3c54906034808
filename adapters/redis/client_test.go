package redis_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/redis"
	"github.com/sallyport-auth/sallyport/adapters/storetest"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// clock is time as the test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var rule = contract.LimitRule{Window: time.Minute, Max: 1000}

func ask(t testing.TB, c *redis.Client) error {
	_, err := c.Limits().Take(t.Context(), "k", rule, time.Now())
	return err
}

// eventually waits for what happens in the background.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}

func breakable(t testing.TB, timeout time.Duration) (*storetest.Redis, *redis.Client, *clock) {
	t.Helper()
	r, cl := storetest.StartRedis(t), &clock{now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	c, err := connect(t, redis.Options{URL: r.URL(), Timeout: timeout, Pause: time.Second, Clock: cl.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := ask(t, c); err != nil {
		t.Fatal(err)
	}
	return r, c, cl
}

// One that is killed is left alone after three failures, and found again when it is back.
func TestKilledAndBack(t *testing.T) {
	r, c, cl := breakable(t, 5*time.Second)
	r.Kill()
	for i := range 3 {
		if err := ask(t, c); err == nil || errors.Is(err, redis.ErrDown) {
			t.Fatalf("call %d: %v, want the failure itself", i+1, err)
		}
	}
	cl.Add(999 * time.Millisecond)
	for range 50 {
		if err := ask(t, c); !errors.Is(err, redis.ErrDown) {
			t.Fatalf("within the pause: %v", err)
		}
	}
	if s := c.Stats(); s.OK || s.Cause == nil || s.Failed != 3 || s.Skipped != 50 || s.Calls != 54 {
		t.Errorf("%+v", s)
	}
	r.Start()
	if err := ask(t, c); !errors.Is(err, redis.ErrDown) {
		t.Errorf("still within the pause: %v", err)
	}
	cl.Add(time.Millisecond)
	eventually(t, "it is back", func() bool { return ask(t, c) == nil })
	if s := c.Stats(); !s.OK || s.Cause != nil || !s.Since.Equal(cl.Now()) {
		t.Errorf("%+v", s)
	}
}

// One that hangs costs three calls a timeout, and nobody else anything: also not when it
// is looked for again.
func TestHangingIsLeftAlone(t *testing.T) {
	r, c, cl := breakable(t, time.Second) // it is waited for three times
	r.Hang()
	for range 3 {
		if err := ask(t, c); err == nil || errors.Is(err, redis.ErrDown) {
			t.Fatalf("%v", err)
		}
	}
	for range 100 { // each of them is one that may look for it again
		cl.Add(2 * time.Second)
		if err := ask(t, c); !errors.Is(err, redis.ErrDown) {
			t.Fatalf("%v", err)
		}
	}
	if h := c.Health(t.Context()); h.OK {
		t.Error("healthy")
	}
	r.Continue()
	eventually(t, "it is back", func() bool { cl.Add(2 * time.Second); return ask(t, c) == nil })
}

// A client that hangs up is no failure of Redis.
func TestCanceledCallsAreNoFailures(t *testing.T) {
	_, c, _ := breakable(t, 5*time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		if _, err := c.Limits().Take(ctx, "k", rule, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if s := c.Stats(); s.Failed != 0 || !s.OK {
		t.Errorf("%+v", s)
	}
}

// Nor is a probe that is given up, or whose time a slow database has used up before Redis was
// asked: whoever can have probes made and hangs up would switch limits and locks to their
// fallback.
func TestCanceledProbesAreNoFailures(t *testing.T) {
	_, c, _ := breakable(t, 5*time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		if h := c.Health(ctx); !h.OK {
			t.Fatalf("%+v", h)
		}
	}
	if err := ask(t, c); err != nil {
		t.Errorf("Redis is left alone: %v", err)
	}
}

func TestDownAtTheStart(t *testing.T) {
	r := storetest.StartRedis(t)
	r.Kill()
	cl := &clock{now: time.Now()}
	c, err := connect(t, redis.Options{URL: r.URL(), Clock: cl.Now})
	if err != nil {
		t.Fatalf("%v: a Redis that is down is no reason not to start", err)
	}
	if err := ask(t, c); !errors.Is(err, redis.ErrDown) {
		t.Errorf("%v", err)
	}
	r.Start()
	eventually(t, "it is there", func() bool { cl.Add(time.Second); return ask(t, c) == nil })
}

func TestWrongPasswordStopsTheStart(t *testing.T) {
	r := storetest.StartRedis(t, "--requirepass", "s3cret")
	at := strings.TrimPrefix(r.URL(), "redis://")
	for _, url := range []string{r.URL(), "redis://:wr0ng@" + at} {
		_, err := connect(t, redis.Options{URL: url, Timeout: 5 * time.Second}) // one that does not answer would be down
		if err == nil || strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("%v", err)
		}
	}
	c := open(t, "redis://:s3cret@"+at, "")
	if err := ask(t, c); err != nil {
		t.Error(err)
	}
}

// What Redis itself refuses, a full memory for instance, is a failure and no decision.
func TestFullMemory(t *testing.T) {
	r, c, _ := breakable(t, 5*time.Second)
	if got, err := r.Do("CONFIG SET maxmemory 1"); err != nil || got != "+OK" {
		t.Fatal(got, err)
	}
	if err := ask(t, c); err == nil || !strings.Contains(err.Error(), "OOM") {
		t.Errorf("%v", err)
	}
}

func TestOptions(t *testing.T) {
	for want, o := range map[string]redis.Options{
		"redis.url: want":      {},
		"redis.url: want ":     {URL: "http://127.0.0.1:6379"},
		"redis.url: the":       {URL: "redis://user:hidden@127.0.0.1:6379/nought"},
		"redis.url: want redi": {URL: "redis://user:hidden@%zz"},
		"redis.prefix":         {URL: "redis://127.0.0.1", Prefix: "a{b}"},
		"redis.timeout":        {URL: "redis://127.0.0.1", Timeout: time.Millisecond},
		"redis.pause":          {URL: "redis://127.0.0.1", Pause: time.Hour},
	} {
		if _, err := redis.New(o); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

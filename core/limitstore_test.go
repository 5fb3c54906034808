package core_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/storetest"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

func TestDatabaseLimits(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, config(func(c *core.Config) { c.RateLimit.Storage = "database" }))
		n := 0
		storetest.Limits(t, func(t *testing.T) []contract.LimitStore {
			n++
			return []contract.LimitStore{core.DatabaseLimits(e.auth, strings.Repeat("x", n)), core.DatabaseLimits(e.auth, strings.Repeat("x", n))}
		})
	})
}

func TestMemoryLimits(t *testing.T) {
	storetest.Limits(t, func(*testing.T) []contract.LimitStore { return []contract.LimitStore{core.MemoryLimits()} })
}

// aStore is a store of limits that can fail.
type aStore struct {
	contract.LimitStore
	err  error
	keys []string
	n    atomic.Int64
}

func (s *aStore) Take(ctx context.Context, key string, rule contract.LimitRule, now time.Time) (contract.LimitDecision, error) {
	s.n.Add(1)
	s.keys = append(s.keys, key)
	if s.err != nil {
		return contract.LimitDecision{}, s.err
	}
	return s.LimitStore.Take(ctx, key, rule, now)
}

func limited(s *aStore, onFailure string) option {
	return config(func(c *core.Config) {
		c.RateLimit = core.RateLimitConfig{Enabled: ptr(true), Store: s, OnFailure: onFailure, Rules: []core.RateLimit{{Paths: []string{"/ok"}, Max: 2, Window: 10}}}
	})
}

func TestLimitsInAStore(t *testing.T) {
	s := &aStore{LimitStore: core.MemoryLimits()}
	e := start(t, limited(s, ""))
	c := e.client()
	c.peer = addr("192.0.2.77")
	for i, want := range []int{200, 200, 429} {
		if a := c.get("/ok"); a.Status != want {
			t.Errorf("request %d: %d, want %d", i+1, a.Status, want)
		}
	}
	if len(s.keys) != 3 || strings.Contains(s.keys[0], "192.0.2.77") || len(s.keys[0]) != 22 || s.keys[0] != s.keys[1] {
		t.Errorf("keys %q: want one hash, without the address", s.keys)
	}
	c.peer = addr("192.0.2.78")
	if c.get("/ok"); s.keys[3] == s.keys[0] {
		t.Error("another address has the same key")
	}
}

func TestLimitsOnFailure(t *testing.T) {
	for _, tt := range []struct {
		onFailure string
		want      []int
	}{{"", []int{200, 200, 429}}, {"memory", []int{200, 200, 429}}, {"open", []int{200, 200, 200}}, {"closed", []int{503, 503, 503}}} {
		t.Run("on failure "+tt.onFailure, func(t *testing.T) {
			s := &aStore{LimitStore: core.MemoryLimits(), err: errors.New("no answer from 203.0.113.9")}
			e := start(t, limited(s, tt.onFailure))
			for i, want := range tt.want {
				a := e.client().get("/ok")
				if a.Status != want || strings.Contains(string(a.Body), "203.0.113.9") {
					t.Errorf("request %d: %d %s, want %d", i+1, a.Status, a.Body, want)
				}
				if want == 503 && a.Get("Retry-After") == "" {
					t.Error("503 without Retry-After")
				}
			}
			stats := e.auth.Host().Stores().Limits
			if stats.Calls != 3 || stats.Failures != 3 || !stats.Failing {
				t.Errorf("%+v", stats)
			}
			if got := strings.Count(e.logs.text(), "the store does not answer"); got != 1 {
				t.Errorf("the failure was logged %d times, want once", got)
			}
			s.err = nil
			if a := e.client().get("/ok"); a.Status != 200 || e.auth.Host().Stores().Limits.Failing {
				t.Errorf("after the failure: %d, %+v", a.Status, e.auth.Host().Stores().Limits)
			}
			if !strings.Contains(e.logs.text(), "the store answers again") {
				t.Error("the recovery was not logged")
			}
		})
	}
}

func TestStorageWithoutStore(t *testing.T) {
	for want, limits := range map[string]core.RateLimitConfig{
		`rateLimit.storage: "redis" needs a store`:                                {Storage: "redis"},
		`rateLimit.storage: "database" would leave Config.RateLimit.Store unused`: {Storage: "database", Store: core.MemoryLimits()},
		`rateLimit.onFailure: "never" is none of memory, open, closed`:            {OnFailure: "never"},
	} {
		e := prepare(t, config(func(c *core.Config) { c.RateLimit = limits }))
		if _, err := core.New(t.Context(), e.config()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

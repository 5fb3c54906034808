package redis_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/redis"
	"github.com/sallyport-auth/sallyport/adapters/storetest"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// open connects to a Redis at url.
func open(t testing.TB, url, prefix string) *redis.Client {
	t.Helper()
	c, err := connect(t, redis.Options{URL: url, Prefix: prefix, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if h := c.Health(t.Context()); !h.OK {
		t.Fatalf("%+v", h)
	}
	return c
}

func connect(t testing.TB, o redis.Options) (*redis.Client, error) {
	t.Helper()
	c, err := redis.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, c.Connect(t.Context())
}

func TestLimits(t *testing.T) {
	url, prefix := storetest.RedisURL(t)
	n := 0
	storetest.Limits(t, func(t *testing.T) []contract.LimitStore {
		n++
		p := fmt.Sprint(prefix, n, ":")
		return []contract.LimitStore{open(t, url, p).Limits(), open(t, url, p).Limits(), open(t, url, p).Limits()}
	})
}

// Every key has a time to live: what nobody asks for any more goes.
func TestLimitKeysEnd(t *testing.T) {
	r := storetest.StartRedis(t)
	l := open(t, r.URL(), "").Limits()
	now := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 5 {
		if _, err := l.Take(t.Context(), "k", contract.LimitRule{Window: 50 * time.Second, Max: 2}, now.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if keys, _ := r.Do("KEYS *"); keys != "sallyport:limit:k" {
		t.Errorf("keys %q", keys)
	}
	ttl, _ := r.Do("PTTL sallyport:limit:k")
	var ms int
	if _, err := fmt.Sscanf(ttl, ":%d", &ms); err != nil || ms < 90_000 || ms > 100_000 {
		t.Errorf("PTTL %q, want at most two windows", ttl)
	}
}

// A cluster answers with an error when a script's keys are not in one slot.
func TestLimitsInACluster(t *testing.T) {
	l := open(t, cluster(t).URL(), "").Limits()
	for i := range 20 {
		if d, err := l.Take(t.Context(), fmt.Sprint("k", i), contract.LimitRule{Window: time.Minute, Max: 1}, time.Now()); err != nil || !d.Allowed {
			t.Fatalf("%+v, %v", d, err)
		}
	}
}

// cluster starts a cluster of one node that holds all slots.
func cluster(t testing.TB) *storetest.Redis {
	t.Helper()
	r := storetest.StartRedis(t, "--cluster-enabled", "yes", "--cluster-port", adaptertest.FreePort(t))
	if got, err := r.Do("CLUSTER ADDSLOTSRANGE 0 16383"); err != nil || got != "+OK" {
		t.Fatalf("%q, %v", got, err)
	}
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if info, _ := r.Do("CLUSTER INFO"); strings.Contains(info, "cluster_state:ok") {
			return r
		}
		if time.Now().After(until) {
			t.Fatal("the cluster does not come up")
		}
	}
}

package redis_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/storetest"
	"github.com/sallyport-auth/sallyport/core/contract"
)

func TestAttempts(t *testing.T) {
	url, prefix := storetest.RedisURL(t)
	n := 0
	storetest.Attempts(t, func(t *testing.T) []contract.AttemptStore {
		n++
		p := fmt.Sprint(prefix, n, ":")
		return []contract.AttemptStore{open(t, url, p).Attempts(), open(t, url, p).Attempts(), open(t, url, p).Attempts()}
	})
}

func TestAttemptsInACluster(t *testing.T) {
	url := cluster(t).URL()
	n := 0
	storetest.Attempts(t, func(t *testing.T) []contract.AttemptStore {
		n++
		return []contract.AttemptStore{open(t, url, fmt.Sprint(n, ":")).Attempts()}
	})
}

// Every counter has a time to live, and one that holds nothing is not kept.
func TestAttemptKeysEnd(t *testing.T) {
	r := storetest.StartRedis(t)
	a := open(t, r.URL(), "").Attempts()
	now := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	l := contract.AttemptLimit{Key: "k", Max: 2, Window: time.Minute, Lock: time.Hour}
	pttl := func(most time.Duration) {
		t.Helper()
		got, _ := r.Do("PTTL sallyport:{attempts}:k")
		var ms int64
		if _, err := fmt.Sscanf(got, ":%d", &ms); err != nil || ms <= most.Milliseconds()/2 || ms > most.Milliseconds() {
			t.Errorf("PTTL %q, want at most %v", got, most)
		}
	}
	if _, err := a.Reserve(t.Context(), now, 30*time.Second, l); err != nil {
		t.Fatal(err)
	}
	pttl(time.Minute + time.Hour + 30*time.Second)
	if err := a.Fail(t.Context(), now, l); err != nil {
		t.Fatal(err)
	}
	pttl(time.Minute + time.Hour + time.Minute)
	if err := a.Release(t.Context(), now, "k", l); err != nil {
		t.Fatal(err)
	}
	if keys, _ := r.Do("KEYS *"); keys != "" {
		t.Errorf("left: %q", keys)
	}
}

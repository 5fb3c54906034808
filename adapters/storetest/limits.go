package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// start is where the suites' clock begins. Stores must go by what they are told, so it is
// far from today.
var start = time.Date(2031, 3, 4, 5, 6, 7, int(89*time.Millisecond), time.UTC)

// Limits runs the suite of contract.LimitStore. open returns an empty store, and every
// further way into the same one: the clients of other replicas.
func Limits(t *testing.T, open func(t *testing.T) []contract.LimitStore) {
	for name, test := range map[string]func(*testing.T, []contract.LimitStore){
		"the window rolls":            windowRolls,
		"keys are apart":              keysApart,
		"a denial changes nothing":    denialChangesNothing,
		"a limit that was lowered":    limitLowered,
		"the clock is set back":       clockSetBack,
		"a rule that allows nothing":  nothingAllowed,
		"parallel takes":              parallelTakes,
		"parallel takes, next window": parallelNextWindow,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

var three = contract.LimitRule{Window: 10 * time.Second, Max: 3}

func take(t testing.TB, s contract.LimitStore, key string, rule contract.LimitRule, now time.Time) contract.LimitDecision {
	t.Helper()
	d, err := s.Take(t.Context(), key, rule, now)
	if err != nil {
		t.Fatalf("Take: %v", err)
	}
	if d.Allowed != (d.RetryAfter == 0) || d.RetryAfter < 0 || d.RetryAfter > max(rule.Window, time.Second) {
		t.Fatalf("%+v under %+v: either allowed, or after more than zero and at most a window", d, rule)
	}
	return d
}

// each is the store to ask in turn n: replicas take turns.
func each(stores []contract.LimitStore, n int) contract.LimitStore { return stores[n%len(stores)] }

func windowRolls(t *testing.T, stores []contract.LimitStore) {
	now := start
	for i := range three.Max {
		if d := take(t, each(stores, i), "a", three, now); !d.Allowed {
			t.Fatalf("request %d: %+v", i+1, d)
		}
		now = now.Add(9 * time.Second) // each one that is allowed opens the window anew
	}
	now = now.Add(-9 * time.Second)
	if d := take(t, stores[0], "a", three, now); d.RetryAfter != 10*time.Second {
		t.Errorf("the fourth: %+v, want 10 s", d)
	}
	if d := take(t, stores[0], "a", three, now.Add(9999*time.Millisecond)); d.RetryAfter != time.Millisecond {
		t.Errorf("a millisecond before the end: %+v", d)
	}
	if d := take(t, stores[0], "a", three, now.Add(10*time.Second)); !d.Allowed {
		t.Errorf("after the window: %+v", d)
	}
	for i := 1; i <= three.Max; i++ {
		if d := take(t, each(stores, i), "a", three, now.Add(10*time.Second)); d.Allowed != (i < three.Max) {
			t.Errorf("request %d of the new window: %+v", i+1, d)
		}
	}
}

func keysApart(t *testing.T, stores []contract.LimitStore) {
	one := contract.LimitRule{Window: time.Minute, Max: 1}
	for i := range 20 {
		key := fmt.Sprintf("key-%d_Q", i)
		if !take(t, each(stores, i), key, one, start).Allowed || take(t, each(stores, i+1), key, one, start).Allowed {
			t.Errorf("%s has not a count of its own", key)
		}
	}
}

func denialChangesNothing(t *testing.T, stores []contract.LimitStore) {
	for i := range three.Max {
		take(t, each(stores, i), "a", three, start)
	}
	for i := range 50 {
		if take(t, each(stores, i), "a", three, start.Add(9*time.Second)).Allowed {
			t.Fatal("was let through")
		}
	}
	if d := take(t, stores[0], "a", three, start.Add(10*time.Second)); !d.Allowed {
		t.Errorf("after the window of the last that was allowed: %+v", d)
	}
}

func limitLowered(t *testing.T, stores []contract.LimitStore) {
	for i := range three.Max {
		take(t, each(stores, i), "a", three, start)
	}
	lower := contract.LimitRule{Window: 10 * time.Second, Max: 1}
	if d := take(t, stores[0], "a", lower, start.Add(time.Second)); d.RetryAfter != 9*time.Second {
		t.Errorf("%+v", d)
	}
	higher := contract.LimitRule{Window: 10 * time.Second, Max: 4}
	if d := take(t, stores[0], "a", higher, start.Add(time.Second)); !d.Allowed {
		t.Errorf("%+v", d)
	}
}

// A clock that is a little behind another replica's must neither lift a limit nor
// lengthen the wait; one that was set far back must not lock clients out until the old
// time comes round again.
func clockSetBack(t *testing.T, stores []contract.LimitStore) {
	for i := range three.Max {
		take(t, each(stores, i), "a", three, start)
	}
	if d := take(t, stores[0], "a", three, start.Add(-3*time.Second)); d.RetryAfter != three.Window {
		t.Errorf("three seconds behind: %+v", d)
	}
	if d := take(t, stores[0], "a", three, start.Add(-time.Hour)); !d.Allowed {
		t.Errorf("an hour behind: %+v", d)
	}
}

func nothingAllowed(t *testing.T, stores []contract.LimitStore) {
	for _, rule := range []contract.LimitRule{{}, {Window: time.Minute}, {Max: 3}} {
		if d := take(t, stores[0], "a", rule, start); d.Allowed {
			t.Errorf("%+v allows", rule)
		}
	}
}

func parallelTakes(t *testing.T, stores []contract.LimitStore) {
	if got := parallel(t, stores, 200, start); got != 7 {
		t.Errorf("%d of 200 passed, want 7", got)
	}
}

// Parallel takes at the end of a window must not each find the old one and open a new.
func parallelNextWindow(t *testing.T, stores []contract.LimitStore) {
	for window := range 5 {
		if got := parallel(t, stores, 60, start.Add(time.Duration(window)*10*time.Second)); got != 7 {
			t.Errorf("window %d: %d of 60 passed, want 7", window, got)
		}
	}
}

func parallel(t *testing.T, stores []contract.LimitStore, n int, now time.Time) int64 {
	rule := contract.LimitRule{Window: 10 * time.Second, Max: 7}
	var passed atomic.Int64
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-begin
			d, err := each(stores, i).Take(t.Context(), "parallel", rule, now)
			if err != nil {
				t.Errorf("Take: %v", err)
			}
			if d.Allowed {
				passed.Add(1)
			}
		})
	}
	close(begin)
	wg.Wait()
	return passed.Load()
}

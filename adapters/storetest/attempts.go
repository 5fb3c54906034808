package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// Attempts runs the suite of contract.AttemptStore. open returns an empty store, and every
// further way into the same one: the clients of other replicas.
func Attempts(t *testing.T, open func(t *testing.T) []contract.AttemptStore) {
	for name, test := range map[string]func(*attempts){
		"max failures lock":           maxFailuresLock,
		"a lock ends when it says":    lockEnds,
		"a lock is not made longer":   lockStays,
		"the window ends":             windowEnds,
		"leases count, and run out":   leasesRunOut,
		"a right guess forgets":       rightGuessForgets,
		"all counters or none":        allOrNone,
		"a release counts nothing":    releaseCountsNothing,
		"forgetting unlocks":          forgettingUnlocks,
		"keys are apart":              attemptKeysApart,
		"one failure is enough":       oneIsEnough,
		"what has gone may be failed": failedAfterGone,
		"parallel reservations":       parallelReservations,
		"parallel pairs of counters":  parallelPairs,
	} {
		t.Run(name, func(t *testing.T) { test(&attempts{t, open(t), start, 0}) })
	}
}

const lease = 30 * time.Second

func limit(key string) contract.AttemptLimit {
	return contract.AttemptLimit{Key: key, Max: 3, Window: 10 * time.Minute, Lock: 30 * time.Minute}
}

// attempts asks the ways into the store in turn.
type attempts struct {
	*testing.T
	stores []contract.AttemptStore
	now    time.Time
	n      int
}

func (a *attempts) store() contract.AttemptStore {
	a.n++
	return a.stores[a.n%len(a.stores)]
}

func (a *attempts) reserve(limits ...contract.AttemptLimit) []time.Duration {
	a.Helper()
	wait, err := a.store().Reserve(a.Context(), a.now, lease, limits...)
	if err != nil {
		a.Fatalf("Reserve: %v", err)
	}
	if wait == nil {
		wait = make([]time.Duration, len(limits))
	}
	if len(wait) != len(limits) {
		a.Fatalf("Reserve of %d counters tells of %d", len(limits), len(wait))
	}
	return wait
}

func (a *attempts) want(want time.Duration, l contract.AttemptLimit) {
	a.Helper()
	if got := a.reserve(l)[0]; got != want {
		a.Fatalf("Reserve: wait %s, want %s", got, want)
	}
}

func (a *attempts) fail(limits ...contract.AttemptLimit) {
	a.Helper()
	if err := a.store().Fail(a.Context(), a.now, limits...); err != nil {
		a.Fatalf("Fail: %v", err)
	}
}

func (a *attempts) release(forget string, limits ...contract.AttemptLimit) {
	a.Helper()
	if err := a.store().Release(a.Context(), a.now, forget, limits...); err != nil {
		a.Fatalf("Release: %v", err)
	}
}

func (a *attempts) locked(want time.Time, key string) {
	a.Helper()
	got, err := a.store().Locked(a.Context(), a.now, key)
	if err != nil || !got.Equal(want) {
		a.Fatalf("Locked: %v, %v; want %v", got, err, want)
	}
}

// guess is a wrong guess from the reservation to its end.
func (a *attempts) guess(n int, l contract.AttemptLimit) {
	a.Helper()
	for range n {
		a.want(0, l)
		a.fail(l)
	}
}

func maxFailuresLock(a *attempts) {
	a.guess(2, limit("a"))
	a.locked(time.Time{}, "a")
	a.guess(1, limit("a"))
	a.locked(a.now.Add(30*time.Minute), "a")
	a.want(30*time.Minute, limit("a"))
	a.now = a.now.Add(time.Minute) // a refused attempt has not made it longer
	a.want(29*time.Minute, limit("a"))
}

func lockEnds(a *attempts) {
	a.guess(3, limit("a"))
	a.now = a.now.Add(30*time.Minute - time.Millisecond)
	a.want(time.Millisecond, limit("a"))
	a.now = a.now.Add(time.Millisecond)
	a.locked(time.Time{}, "a")
	a.guess(3, limit("a")) // none of those before the lock counts
	a.want(30*time.Minute, limit("a"))
}

// A guess that was on its way when the lock fell is settled behind it.
func lockStays(a *attempts) {
	a.guess(3, limit("a"))
	until := a.now.Add(30 * time.Minute)
	a.now = a.now.Add(time.Minute)
	a.fail(limit("a"))
	a.locked(until, "a")
}

func windowEnds(a *attempts) {
	a.guess(2, limit("a"))
	a.now = a.now.Add(10*time.Minute - time.Millisecond)
	a.want(0, limit("a"))
	a.release("", limit("a"))
	a.now = a.now.Add(time.Millisecond)
	a.guess(2, limit("a"))
	a.locked(time.Time{}, "a")
	a.now = a.now.Add(9 * time.Minute)
	a.guess(1, limit("a"))
	a.locked(a.now.Add(30*time.Minute), "a")
}

func leasesRunOut(a *attempts) {
	a.guess(1, limit("a"))
	a.want(0, limit("a"))
	a.want(0, limit("a"))
	a.want(lease, limit("a")) // one failure, two on their way
	a.now = a.now.Add(lease - time.Millisecond)
	a.want(lease, limit("a"))
	a.now = a.now.Add(time.Millisecond)
	a.want(0, limit("a"))
	a.want(0, limit("a"))
	a.want(lease, limit("a"))
}

func rightGuessForgets(a *attempts) {
	for range 3 {
		a.guess(2, limit("a"))
		a.want(0, limit("a"))
		a.release("a", limit("a"))
	}
	a.locked(time.Time{}, "a")
	// One that was right although others have locked the counter meanwhile.
	a.want(0, limit("b"))
	a.guess(2, limit("b"))
	a.fail(limit("b"))
	a.release("b", limit("b"))
	a.locked(time.Time{}, "b")
	a.guess(3, limit("b"))
}

func allOrNone(a *attempts) {
	few := limit("network")
	few.Max = 1
	a.guess(1, few)
	for range 5 { // the account would run out of attempts if one were kept
		if wait := a.reserve(limit("account"), few); wait[0] != 0 || wait[1] != 30*time.Minute {
			a.Fatalf("wait %v", wait)
		}
	}
	a.guess(3, limit("account"))
	if wait := a.reserve(limit("account"), few); wait[0] != 30*time.Minute || wait[1] != 30*time.Minute {
		a.Fatalf("wait %v", wait)
	}
	other := limit("other")
	if wait := a.reserve(limit("account"), other); wait[0] != 30*time.Minute || wait[1] != 0 {
		a.Fatalf("wait %v", wait)
	}
	a.guess(3, other)
}

func releaseCountsNothing(a *attempts) {
	a.guess(2, limit("a"))
	for range 5 {
		a.want(0, limit("a"))
		a.release("", limit("a"))
	}
	a.guess(1, limit("a"))
	a.want(30*time.Minute, limit("a"))
	// Of two counters, the one is forgotten and the other keeps its failures.
	for range 3 {
		a.reserve(limit("b"), limit("c"))
		a.fail(limit("b"), limit("c"))
		if wait := a.reserve(limit("b"), limit("c")); wait[0]+wait[1] == 0 {
			a.release("b", limit("b"), limit("c"))
		}
	}
	a.locked(time.Time{}, "b")
	a.locked(a.now.Add(30*time.Minute), "c")
}

func forgettingUnlocks(a *attempts) {
	a.guess(3, limit("a"))
	for range 2 { // the second finds nothing, which is no error
		if err := a.store().Forget(a.Context(), "a"); err != nil {
			a.Fatal(err)
		}
	}
	a.locked(time.Time{}, "a")
	a.guess(3, limit("a"))
}

func attemptKeysApart(a *attempts) {
	a.guess(3, limit("a"))
	a.want(0, limit("b"))
	a.want(0, limit("A"))
	a.locked(time.Time{}, "b")
}

func oneIsEnough(a *attempts) {
	one := limit("a")
	one.Max = 1
	a.guess(1, one)
	a.want(30*time.Minute, one)
	gone := limit("b")
	gone.Max = 1
	a.fail(gone)
	a.want(30*time.Minute, gone)
}

func failedAfterGone(a *attempts) {
	a.want(0, limit("a"))
	if err := a.store().Forget(a.Context(), "a"); err != nil {
		a.Fatal(err)
	}
	a.fail(limit("a"))
	a.guess(2, limit("a"))
	a.want(30*time.Minute, limit("a"))
	a.release("", limit("never reserved"))
	a.guess(3, limit("never reserved"))
}

func parallelReservations(a *attempts) {
	var taken atomic.Int64
	concurrently(60, func(i int) {
		wait, err := a.stores[i%len(a.stores)].Reserve(a.Context(), a.now, lease, limit("a"))
		if err != nil {
			a.Error(err)
		} else if len(wait) == 0 || wait[0] == 0 {
			taken.Add(1)
		}
	})
	if taken.Load() != 3 {
		a.Errorf("%d of 60 parallel reservations, want 3", taken.Load())
	}
	for range 3 {
		a.fail(limit("a"))
	}
	a.locked(a.now.Add(30*time.Minute), "a")
}

// parallelPairs takes and settles pairs that share a counter, as accounts share a network:
// no two may wait for each other, and nothing is lost.
func parallelPairs(a *attempts) {
	network := limit("network")
	network.Max = 1000
	concurrently(60, func(i int) {
		s, l := a.stores[i%len(a.stores)], limit(fmt.Sprint("account", i%6))
		l.Max = 1000
		wait, err := s.Reserve(a.Context(), a.now, lease, l, network)
		if err == nil && len(wait) > 0 && wait[0]+wait[1] > 0 {
			err = fmt.Errorf("wait %v", wait)
		}
		switch {
		case err != nil:
		case i%3 == 0:
			err = s.Fail(a.Context(), a.now, l, network)
		case i%3 == 1:
			err = s.Release(a.Context(), a.now, "", l, network)
		default:
			err = s.Release(a.Context(), a.now, l.Key, l, network)
		}
		if err != nil {
			a.Error(err)
		}
	})
	network.Max = 22 // 20 failures, none in flight
	a.guess(2, network)
	a.locked(a.now.Add(30*time.Minute), "network")
}

func concurrently(n int, fn func(int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			fn(i)
		}()
	}
	wg.Wait()
}

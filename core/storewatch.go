package core

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// StoreStats counts what was asked of a store outside of the database, since the start.
type StoreStats struct {
	// Calls were made, Failures of them got no answer: the configured fallback held.
	Calls, Failures int64
	// Hits are the Calls that saved a question to the database (sessions only).
	Hits int64
	// Failing tells whether the last call got no answer.
	Failing bool
}

// Stores describes the stores of Config, for metrics. Where one is not configured, all of
// its numbers are zero.
type Stores struct {
	Limits, Attempts, Sessions StoreStats
	// Cache is the memory of this process (Session.Cache): a Failure is a look-up while the
	// database's channel was silent, and Failing tells that it is.
	Cache StoreStats
	// CacheEntries are what it has now, CacheBytes about how much memory they take.
	CacheEntries, CacheBytes int
}

// Stores returns the counters of the stores.
func (h *Host) Stores() Stores {
	w := &h.watch
	s := Stores{Limits: w.limits.stats(), Attempts: w.attempts.stats(), Sessions: w.sessions.stats(), Cache: w.cache.stats()}
	if c, ok := h.copies.(*sessionCache); ok {
		s.Cache.Failing = !c.memory.Believed()
		s.CacheEntries, s.CacheBytes = c.memory.Size()
	}
	return s
}

// storeWatch counts the calls of one store, and says once that it has failed and once
// that it is back: a line for every request would hide everything else.
type storeWatch struct {
	log                   *slog.Logger
	name                  string // "rate limits"
	meanwhile             string // what holds while it fails
	calls, failures, hits atomic.Int64
	failing               atomic.Bool
}

func (w *storeWatch) saw(ctx context.Context, err error) {
	w.calls.Add(1)
	if err != nil && ctx.Err() == nil {
		w.failures.Add(1)
	}
	w.turn(ctx, err)
}

// turn says once that the store has failed, and once that it is back.
func (w *storeWatch) turn(ctx context.Context, err error) {
	if err == nil {
		if w.failing.CompareAndSwap(true, false) {
			w.log.InfoContext(ctx, "the store answers again", "store", w.name)
		}
		return
	}
	if ctx.Err() != nil {
		return // the client has gone, or the request took too long: it says nothing of the store
	}
	if w.failing.CompareAndSwap(false, true) {
		w.log.WarnContext(ctx, "the store does not answer", "store", w.name, "meanwhile", w.meanwhile, "cause", err.Error())
	}
}

func (w *storeWatch) stats() StoreStats {
	return StoreStats{Calls: w.calls.Load(), Failures: w.failures.Load(), Hits: w.hits.Load(), Failing: w.failing.Load()}
}

// storeFailed is the error of a request that could not go on without a store: ours, never
// the client's.
func storeFailed(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	return ErrServiceUnavailable.WithHeader("Retry-After", seconds(5*time.Second)).Because(err)
}

package core

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/internal/ratelimit"
)

// sharedLimits are counters outside of this process, with what to do where they do not
// answer (RateLimitConfig.OnFailure).
type sharedLimits struct {
	store ratelimit.Store
	watch *storeWatch
	local ratelimit.Store // counts for this process alone; nil: see open
	open  bool            // lets everything through, instead of nothing
}

func (h *Host) newSharedLimits(store ratelimit.Store) *sharedLimits {
	s := &sharedLimits{store: store, watch: &h.watch.limits}
	meanwhile := "nothing is let through"
	switch h.cfg.RateLimit.OnFailure {
	case "memory":
		s.local, meanwhile = ratelimit.NewMemory(0), "each process counts for itself"
	case "open":
		s.open, meanwhile = true, "there is no limit"
	}
	s.watch.name, s.watch.meanwhile, s.watch.log = "rate limits", meanwhile, h.log
	return s
}

func (s *sharedLimits) Take(ctx context.Context, key string, rule ratelimit.Rule, now time.Time) (ratelimit.Decision, error) {
	d, err := s.store.Take(ctx, key, rule, now)
	s.watch.saw(ctx, err)
	switch {
	case err == nil:
		return d, nil
	case s.local != nil:
		return s.local.Take(ctx, key, rule, now)
	case s.open:
		return ratelimit.Decision{Allowed: true}, nil
	}
	return ratelimit.Decision{}, err
}

// foreignLimits is a store that was handed over. It gets no address, only a keyed hash:
// whoever reads it learns nothing about who was here.
type foreignLimits struct {
	h     *Host
	store contract.LimitStore
}

func (f foreignLimits) Take(ctx context.Context, key string, rule ratelimit.Rule, now time.Time) (ratelimit.Decision, error) {
	sum := f.h.MAC("rate-limit", []byte(key))
	d, err := f.store.Take(ctx, base64.RawURLEncoding.EncodeToString(sum[:16]), contract.LimitRule(rule), now)
	return ratelimit.Decision(d), storeFailed(ctx, err)
}

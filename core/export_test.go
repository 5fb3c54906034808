package core

import (
	"context"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/internal/ratelimit"
)

// RunJob does the next job that is due, as a worker would.
func RunJob(ctx context.Context, a *Auth) (bool, error) { return a.h.jobs.runOne(ctx) }

// Hashes is how many hashes the pool has computed.
func Hashes(a *Auth) int64 { return a.h.hasher.Stats().Done }

// HashToken is the stored form of a session token.
func HashToken(token string) string { return hashToken(token) }

// SignCookie signs a value as cookies are signed.
func SignCookie(c *Call, k Cookie, value string) { c.SetSigned(k, value, true) }

// JobTries is after how many attempts a job is given up.
const JobTries = jobTries

// Backoff is the wait after an attempt.
var Backoff = backoff

// DatabaseLimits are the database's counters; prefix keeps those of one test apart.
func DatabaseLimits(a *Auth, prefix string) contract.LimitStore {
	return limitsOf{databaseLimits{a.h}, prefix}
}

// MemoryLimits are a process's own counters.
func MemoryLimits() contract.LimitStore { return limitsOf{store: ratelimit.NewMemory(0)} }

// DatabaseAttempts are the database's counters.
func DatabaseAttempts(a *Auth) contract.AttemptStore { return databaseAttempts{a.h} }

type limitsOf struct {
	store  ratelimit.Store
	prefix string
}

func (l limitsOf) Take(ctx context.Context, key string, rule contract.LimitRule, now time.Time) (contract.LimitDecision, error) {
	d, err := l.store.Take(ctx, l.prefix+key, ratelimit.Rule(rule), now)
	return contract.LimitDecision(d), err
}

// FlushDue writes the security events that are due, as background work does.
func FlushDue(ctx context.Context, a *Auth) error { return a.h.later.flush(ctx, false) }

// StartWorkers starts an Auth's workers, each of which does a job alone for a time.
func StartWorkers(a *Auth, alone time.Duration) (stop func()) {
	w := newWorker(a.h)
	w.handlers, w.alone = a.h.jobs.handlers, alone
	w.start()
	return func() { w.close(context.Background()) }
}

// ClaimSQL is the statement that claims a job.
const ClaimSQL = claimSQL

// LogClean logs what a clean-up in the background has failed at.
func LogClean(a *Auth, err error) { a.h.logClean(err) }

// TrustChannel is for tests on machines that may be busy: whether the channel is believed must
// not depend on that.
func TrustChannel(a *Auth) { a.h.copies.(*sessionCache).memory.Trust = time.Minute }

package core

import "context"

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

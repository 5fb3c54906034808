// Package v1 serves the API of an earlier system, below /api/v1/auth and /api/v1/me, so
// that its clients can switch to Sallyport unchanged. docs/api-v1.md lists every endpoint
// with its request, answer and failures.
//
// # Flow
//
// Most endpoints are aliases (core.Spec.Aliases) of those below the base path: only the
// forms of request and answer differ, and whatever holds there, limits, lockout, second
// factor, hooks, holds here. Signing in answers with an access token, a JWT of the plugin
// jwt that names the session, and a refresh token. Either the session's cookie or the
// access token authenticates a request; the database is asked whether the session still is
// one, whichever it was. Failures have one envelope: {error, message, status,
// retryAfterSec}, where error is a core.Class.
//
// A refresh token works once and gives its successor (RFC 9700, section 4.14.2). For a
// grace period it goes on giving the same successor, so that parallel requests and a lost
// answer do no harm. Later, whoever presents it ends the session: somebody has copied it.
//
// # Threats
//
//   - A stolen access token: it lives for minutes, counts here alone, and ends with the
//     session. It is no way to a refresh token: those are given for the session's cookie, a
//     bearer token of the session, or a sign-in.
//   - A stolen refresh token: its second use is noticed, by whichever of the two comes
//     later. The database holds hashes; who reads it can compute neither a token nor, from
//     an old one, its successor.
//   - Half a sign-in: tokens that cannot be minted are a failure, and the session ends.
//   - Open redirects: sourceAppUrl and redirectTo must be trusted. They travel in the mailed
//     link, and nowhere by address.
//   - Telling accounts from strangers: as below the base path. Where addresses have to be
//     verified, signing up with one that is known looks like success.
//   - A failure of ours is 503 or 500, never a wrong password, and counts against nobody.
package v1

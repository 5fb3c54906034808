// Package jwt gives clients a signed JSON Web Token (RFC 7519) for their session, which
// other services verify without asking: by the public keys at /jwks. Package verify beside
// it is for such services.
//
// # Flow
//
// GET /token answers with a token for the caller's session, and every answer of
// /get-session carries one in the header set-auth-jwt. Its claims are the user as clients
// see them, or what Options choose, with sub, iat, exp, iss and aud.
//
// The first use makes the key pair, under a lock of the database, so that any number of
// replicas make one. Its row is as Better Auth writes it: either server goes on with the
// other's keys. The newest live key of the configured algorithm signs; without one the
// newest live key of any does. With a rotation interval a key ends, the next use makes its
// successor, and the old public key stays at /jwks for the grace period.
//
// A decrypted key is kept in memory for 60 seconds before its row is looked at again: for
// so long a replica may go on signing with a key that was rotated elsewhere. /jwks always
// reads the database, so that a new key is known to verifiers before its first token is.
//
// Other plugins mint access tokens by contract.TokenMinter and have them verified. Those
// name the session in the claim sid, which the tokens above never have.
//
// Commands: sallyport keys list, rotate, rewrap.
//
// # Threats
//
//   - A token cannot be revoked. It lives for 15 minutes unless configured otherwise; with
//     the cookie cache, a session that was revoked elsewhere may get one for the cache's
//     life. Who must know at once asks /get-session.
//   - A token before the second factor: tokens are made for sessions alone, and there is
//     none while a factor is due (GHSA-4qvm-r4pr-v3wg).
//   - Claims that decide: neither a user's field nor the app's payload sets iss, sub, aud,
//     exp, iat, nbf, jti or sid (CVE-2024-29892).
//   - Private keys are encrypted at rest and must fit the public key of their row: a row
//     that was put together from others signs nothing. /jwks names the public members one
//     by one, whatever a row holds.
//   - A key that cannot be decrypted (a secret that is gone) is logged once and costs
//     /get-session its header, nothing else. /token answers 500 JWT_KEY_UNUSABLE.
//
// The wire is Better Auth's (better-auth 1.7.25, plugins/jwt). Algorithms: RFC 7518 section
// 3.1 and RFC 8037; keys: RFC 7517.
package jwt

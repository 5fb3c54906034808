// Package bearer lets clients without cookies, such as mobile apps and scripts, present
// their session in the Authorization header (RFC 6750, section 2.1).
//
// # Flow
//
// Every answer that gives a session its cookie, at sign-in or when the session is renewed,
// carries the same value in the header set-auth-token. The client keeps it and sends
// "Authorization: Bearer <value>". What counts as a session stays core's decision: the
// plugin only hands the token on, before the session is read.
//
// A token with a dot is "token.signature" as the cookie holds it, percent-encoded or not,
// and must verify as the cookie must. One without a dot is taken as the session token
// itself, unless RequireSignature is set. What is no bearer token, or does not verify,
// counts as nothing: the request's cookie decides.
//
// # Threats
//
//   - Cross-site requests: no browser adds the header by itself, so a request without a
//     cookie needs no origin check. One that brings a cookie too is checked as before.
//   - A token for a session that is not there yet: while a second factor is due, nothing is
//     handed out. The plugin goes by what core has issued, never by Set-Cookie
//     (GHSA-4qvm-r4pr-v3wg).
//   - Signed values of other cookies: their signature does not bind the cookie's name, but
//     what they hold is no session's token, and the look-up fails (CVE-2023-48309).
//   - What the database stores: a hash of a token is refused as a token.
//   - Long headers: more than 4096 bytes are not looked at.
//
// The wire is Better Auth's (better-auth 1.7.25, plugins/bearer).
package bearer

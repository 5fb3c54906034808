// Package passkey registers passkeys and signs in with them (WebAuthn Level 3).
//
// # Flow
//
// Either ceremony begins with options: a random challenge is stored as a verification row
// for 300 s, and a signed cookie names the row. The browser's answer is verified against
// that row by go-webauthn; the row goes in the transaction that stores the passkey, or
// moves the counter and asks core's gate for a session. An answer that does not verify
// uses the row up, too. What fails on our side leaves it as it was.
//
// The handle that an authenticator gets for its user is random in each ceremony and not
// stored: a passkey is found by its credential's id alone, and its row names the user.
//
// # Threats
//
//   - Another page: clientDataJSON's origin must be one of the configured ones, scheme and
//     port included (CVE-2026-30964). No request header takes part in that. Ceremonies in
//     frames of other sites are refused.
//   - Lowering the demands: the policy for user verification is stored with the challenge,
//     and the configuration of the moment may only raise it (GHSA-h4fw-6r7f-w494). Key,
//     algorithm, attestation format and flags are checked against what was asked for
//     (CVE-2026-8830, CVE-2025-12150). User presence is required always (CVE-2026-39831).
//   - Replay: of N parallel answers to one challenge one counts. A counter that does not
//     grow is refused, logged and recorded as an event; it is moved by a guarded update.
//   - Somebody else's passkey: changes name id and user in one statement (CVE-2025-71400).
//     Registering needs a fresh session that the database confirms. A credential's id that
//     is known already is refused, whoever has it.
//   - Claims without proof: what a session says about how it was proved comes from the
//     verifier alone (GHSA-5353-f8fq-65vc).
//   - An account that somebody else made with the owner's address: its passkeys go when
//     the address is proved (core.UserClaim), also by a reset of the password
//     (core.UserRecover), and a registration that is under way then registers nothing.
//   - Trying: 10 failures within a minute lock a credential for five minutes, for that client
//     address. Others are not locked: a credential's id is no secret, and who knows it must
//     not be able to keep its owner out. What the owner can lose is five minutes, to somebody
//     who shares their address. Nothing that fails on our side counts.
//
// Registering without a session makes a new user, in the transaction that stores the
// passkey (Registration.NewUser). An existing user's account never gets one that way: in
// Better Auth it does if the app's callback names it.
//
// Sources: WebAuthn Level 3, sections 7.1 and 7.2; @better-auth/passkey 1.7.6.
package passkey

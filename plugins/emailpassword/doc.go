// Package emailpassword is signing up and in with an address and a password, and
// everything around that password: change, reset, verification.
//
// # Flow
//
// Sign-up looks the address up, hashes outside of any transaction, and writes user,
// account, mail and session in one. Sign-in reads user and account in one query,
// reserves an attempt, verifies, and asks core's gate for a session: it never makes one
// itself, so that a second factor, a ban or a lock holds here as everywhere.
//
// # Threats
//
//   - Telling accounts from strangers: an unknown address costs one hash like a wrong
//     password, and the answer is the same (CVE-2025-54999). Where verification is
//     required, or sign-up does not sign in, signing up with a known address looks like
//     success. The reset request always does.
//   - Guessing: every check of a password goes through core's attempts, reserved before
//     hashing (CVE-2024-4629).
//   - Memory: hashing runs in core's bounded pool; a flood is shed with 503.
//   - Reset links: random, stored hashed, used once, gone with any new password, made
//     from the configured base URL only.
//   - A broken database is 503, never "invalid email or password".
//
// The wire is Better Auth's (better-auth 1.7.25, api/routes sign-in, sign-up, password,
// update-user).
package emailpassword

// Package twofactor asks for a second proof behind every way to sign in: a code of an
// authenticator app (TOTP, RFC 6238), a code by mail, or a backup code.
//
// # Flow
//
// A hook on core.SignInPoint sees each sign-in before there is a session. For a user who
// has switched two-factor on it demands a challenge, unless the sign-in has reached level
// 2 by itself (a passkey with user verification) or comes from a trusted device. The
// challenge is a row and a signed cookie with its name; a second row remembers how the
// first proof was given. The verifying endpoints take both rows and the code in the
// transaction in which core's gate makes the session, with all methods and level 2. The
// same endpoints confirm enrolment, and then the session is replaced by one of level 2.
//
// # Threats
//
//   - A session before the second factor (GHSA-xg6x-h9c9-2m83, GHSA-4qvm-r4pr-v3wg): the
//     gate makes none; a challenge is no session, and nothing takes it for one.
//   - Ways around it (CVE-2026-9091, CVE-2025-55001): there is one gate, and who is asked
//     follows from the user's id and current row.
//   - Guessing (CVE-2024-32868, CVE-2025-64102): five tries for each challenge, ten in a
//     row for each user (accountLockout), and core's attempts for TOTP, mail and backup
//     codes together, reserved before a code is looked at, while enrolling too.
//   - Codes used twice (CVE-2026-61630): the last accepted time step is kept by
//     compare-and-set, and a code of it or before it is refused, in parallel too.
//   - Codes in other spellings (CVE-2025-55000): a code is n digits, or wrong.
//   - One proof twice: who signed in by a link in the mailbox is not offered a code in
//     the same mailbox. Nor is a user with an authenticator whose password was set by a
//     mailed link, until they have shown the authenticator or a backup code since (not with
//     enforce: upstream): else the mailbox alone would be enough. It is for who has
//     neither a password nor an authenticator: they sign in by a link with level 1, and are
//     asked for no more.
//   - Switching it off (CVE-2026-3429): each change wants the password in the same
//     request, or a fresh session of a user who has none. Switching off ends trusted
//     devices and challenges that are under way.
//   - An unproven address (GHSA-qq9h-g4jm-xgf3): who proves the address of an account for the
//     first time takes it over without what its maker left there: passwords, sessions, and
//     the second factor too (not with enforce: upstream, where a link by mail is not asked
//     for it). Where nobody verifies addresses, the mailbox is therefore enough once; verify
//     them before offering links by mail beside two-factor.
//   - Failures of ours: a secret that does not open, or a database that does not answer,
//     never counts as a guess.
//
// Rows, cookies and answers are Better Auth's (better-auth 1.7.25, plugins/two-factor),
// so that a challenge that begins on one server can end on the other.
package twofactor

// Package magiclink signs people in, and up, with a link that was mailed to them.
//
// # Flow
//
// /sign-in/magic-link stores a secret and mails a link, whoever has the address: nothing
// is looked up, so that neither answer nor time tells who has an account. /magic-link/verify
// takes the secret in the transaction that finds or makes the user and asks core's gate for
// the session. With ConfirmOnPost the link shows a page whose button does that.
//
// # Threats
//
//   - Using a link twice: the secret is deleted by the statement that reads it; of N
//     parallel uses one signs in (GHSA-hc7v-rggr-4hvx). What fails on our side is rolled
//     back, and the link still works.
//   - A secret of another flow: identifiers begin with their purpose, and values name it
//     again (CVE-2026-114607).
//   - An account that somebody else made with the address: its password, sessions and
//     all other ways in are deleted before the address counts as proved (GHSA-qq9h-g4jm-xgf3).
//   - A reader of the database: secrets are stored hashed, unless Better Auth shares it.
//   - Links to somewhere else: they are made of the configured base URL, and the three
//     callbacks are checked when a link is asked for and when it is followed, on GET too
//     (GHSA-x3f4-v83f-7wp2).
//   - Scanners that follow links in mails: HEAD is answered with 404 and uses nothing up.
//     For those that GET there is ConfirmOnPost.
//   - Signing a visitor into the attacker's account: that a link does so is its nature.
//     With ConfirmOnPost the form works only in the browser that was shown the page.
//
// The wire is Better Auth's (better-auth 1.7.25, plugins/magic-link). Its option
// allowedAttempts has no effect there, and is not here.
package magiclink

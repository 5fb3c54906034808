// Package jmap is a client of JMAP (RFC 8620) for mail (RFC 8621), as far as the plugin mail
// needs one. It signs in as the user of each call.
//
// It is narrow on purpose: a call is a method's name with arguments and a place for the answer.
// What it takes care of is what goes wrong:
//
//   - An answer is read to a bound, and a context ends a call at any point.
//   - Credentials go to the configured origin alone. URLs of the session object are taken
//     for their paths; a redirect leads elsewhere on that origin, or nowhere.
//   - A method-level error ("error", notCreated, notUpdated) is an error, and an answer
//     that is missing, of another method or another account is one, too.
//   - Errors hold no credential, no header and nothing that the server wrote but its words
//     for kinds of errors.
package jmap

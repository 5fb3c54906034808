// Package mail lets users read and send their mail: an API below /api/v1/mail over JMAP (RFC
// 8620, RFC 8621).
//
// # Flow
//
// A request's user is known by their session. contract.Mailboxes (the plugin
// mail-provisioning) lends the password of their mailbox, with which the plugin signs in on
// the mail server as them. The server's session object is kept in memory for five minutes, by
// name and password, and dropped as soon as a call fails.
//
// A mail that is sent is first stored among the drafts, by Email/set: the server writes its
// headers. Then it is handed over, by EmailSubmission/set or to an SMTP relay; then it is
// moved to the sent mails. So nothing is sent that was not stored, and what fails before the
// handing over is not sent.
//
// # Threats
//
// No administrator's password is used: a fault here reaches one user's mail. Whatever comes
// from the mail server was written by a stranger: texts are cut and rid of what turns their
// direction, HTML is cleaned to a list of harmless elements, without images and styles,
// attachments are for saving alone. Who calls chooses ids and addresses: they are held to
// their forms before they are sent on. A hijacked account sends spam: a day's recipients are
// bounded.
//
// The mail server's failures are 503 and logged with their cause. What it says about the
// request itself has a code of ours; a method's error is never taken for success.
package mail

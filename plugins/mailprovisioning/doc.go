// Package mailprovisioning gives users a mailbox on the operator's own mail server, and
// takes it away with the account.
//
// # Flow
//
// Once a user's address is proved (or when they sign up: Options.When), the transaction
// that says so reserves a name for them and writes a job. The name is made of theirs, and
// unique by the table. The job asks the mail server whether it has somebody else of that
// name, and takes another if so; then it makes the mailbox, and is tried again until it is
// there: an outage delays, and loses nothing. Each step can be repeated. Deleting the
// account marks the row in the same transaction, and another job deletes the mailbox with
// its mail.
//
// Other services that make users ask for it by POST /api/v1/internal/mail/on-user-created
// with a service key, as in the old system.
//
// # Threats
//
// A mailbox called admin, billing or postmaster is worth a lot to a fraud (certificates are
// issued to whoever reads hostmaster@): such names are reserved, also with dots or digits.
// Names in other scripts, which look like another's, become a name of Latin letters or the
// address's. A mailbox that somebody made by hand is never taken over: the server's own
// mark says whose it is. Mailboxes have random passwords of their own, sealed in the
// table; no administrator's password is used to read anybody's mail.
package mailprovisioning

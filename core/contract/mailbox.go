package contract

import "context"

// Mailbox is a mailbox that is wanted on a mail server.
type Mailbox struct {
	// Name is the account's name on the server: the local part of Address.
	Name        string
	Address     string
	DisplayName string
	// Password is how its user, or a program for them, signs in.
	Password string
	// Owner is the user's id: with it a mailbox is told from somebody else's of that name.
	Owner string
}

// MailProvisioner makes mailboxes on a mail server. Its calls go over the network and are
// made by a job that is tried again: each can be repeated. Errors hold no password.
type MailProvisioner interface {
	// Taken tells whether a mailbox of that name is there and is not the owner's.
	Taken(ctx context.Context, name, owner string) (bool, error)
	// Create makes a mailbox and gives its id on the server. One that is there already and
	// may be the owner's is completed: what an earlier try has left.
	Create(ctx context.Context, m Mailbox) (id string, err error)
	// Delete removes a mailbox with all its mail. One that is not there is no error; one that
	// is known to be another owner's is.
	Delete(ctx context.Context, name, owner string) error
}

// MailCredentials are how a program reads and sends a user's mail for them.
type MailCredentials struct {
	Name, Address, DisplayName, Password string
}

// Mailboxes lends the credentials of users' mailboxes to other plugins of the server.
type Mailboxes interface {
	// Credentials of a user's mailbox. It answers MAILBOX_NOT_FOUND (404) while there is none.
	Credentials(ctx context.Context, userID string) (MailCredentials, error)
}

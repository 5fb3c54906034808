package mailprovisioning

import (
	"context"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Mailbox is a user's mailbox. A row of a user who was deleted stays until the mailbox is
// gone, too.
type Mailbox struct {
	ID          string    `db:"id" schema:"key"`
	UserID      string    `db:"userId" schema:"unique"` // not a reference: see above
	Name        string    `db:"name" schema:"unique"`   // local part and account name
	Email       string    `db:"email"`
	DisplayName string    `db:"displayName"`
	Secret      string    `db:"secret" schema:"hidden"` // the password, sealed
	AccountID   *string   `db:"accountId"`              // on the mail server; NULL until it is there
	State       string    `db:"state"`                  // "reserved", "creating", "active" or "deleting"
	CreatedAt   time.Time `db:"createdAt" schema:"now"`
	UpdatedAt   time.Time `db:"updatedAt" schema:"now"`
}

// States of a row. A name is reserved by the row, and the server asked whether it has it;
// once that is answered, the mailbox is being created, and one that is there is ours.
const (
	stateReserved = "reserved"
	stateCreating = "creating"
	stateActive   = "active"
	stateDeleting = "deleting"
)

var (
	mailboxes  = core.TableOf[Mailbox]("mailbox")
	colID      = core.Column(mailboxes, func(m *Mailbox) *string { return &m.ID })
	colUser    = core.Column(mailboxes, func(m *Mailbox) *string { return &m.UserID })
	colName    = core.Column(mailboxes, func(m *Mailbox) *string { return &m.Name })
	colEmail   = core.Column(mailboxes, func(m *Mailbox) *string { return &m.Email })
	colAccount = core.Column(mailboxes, func(m *Mailbox) **string { return &m.AccountID })
	colState   = core.Column(mailboxes, func(m *Mailbox) *string { return &m.State })
)

// data is what is kept about a user. Erasing has the mailbox deleted by a job, in the
// transaction that deletes the user.
func (p *Plugin) data() core.DataSet {
	return core.DataSet{
		Name: "mailbox",
		Export: func(ctx context.Context, db storage.Conn, userID string) (any, error) {
			m, found, err := mailboxes.Get(ctx, db, colUser.Eq(userID))
			if err != nil || !found {
				return nil, err
			}
			return map[string]any{"email": m.Email, "displayName": m.DisplayName, "state": m.State, "createdAt": core.Time(m.CreatedAt)}, nil
		},
		Erase: func(ctx context.Context, tx *core.Tx, userID string) error {
			return p.remove(ctx, tx, userID)
		},
	}
}

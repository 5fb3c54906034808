package mailprovisioning

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// provisioning names a user whose mailbox is to be made, removal one whose mailbox is to go.
type provisioning struct {
	UserID string `json:"userId"`
}

var (
	provision = core.NewJob[provisioning]("mail-provisioning.create")
	removal   = core.NewJob[provisioning]("mail-provisioning.delete")
)

const passwordLength = 40 // characters: 238 bits

// reserve gives a user the name that they will have, and has the mailbox made. One that
// they have is answered as it is: any number of calls make one.
func (p *Plugin) reserve(ctx context.Context, outer *core.Tx, userID, name, email string) (m Mailbox, err error) {
	if m, found, err := mailboxes.Get(ctx, p.host.Conn(outer), colUser.Eq(userID)); err != nil || found {
		return m, err
	}
	password, err := p.host.RandomString(core.Alphanumeric, passwordLength)
	if err != nil {
		return m, err
	}
	id, err := p.host.RandomString(core.Alphanumeric, 32)
	if err != nil {
		return m, err
	}
	sealed, err := p.host.Seal(sealPurpose, []byte(password), []byte(userID))
	if err != nil {
		return m, err
	}
	m = Mailbox{ID: id, UserID: userID, DisplayName: name, Secret: sealed, State: stateReserved, CreatedAt: p.host.Now(), UpdatedAt: p.host.Now()}
	base := p.candidate(name, email)
	err = p.host.Tx(ctx, outer, func(ctx context.Context, tx *core.Tx) error {
		for try := 0; ; try++ {
			if m.Name, err = p.choice(base, try); err != nil {
				return err
			}
			if !p.allowed(m.Name) { // cut for its number, it became a reserved one
				continue
			}
			m.Email = m.Name + "@" + p.o.Domain
			// Neither name nor user may be there: of parallel calls one inserts.
			made, err := mailboxes.InsertNew(ctx, tx, &m)
			if err != nil {
				return err
			}
			if made {
				return provision.Enqueue(ctx, p.host, tx, provisioning{userID})
			}
			if other, found, err := mailboxes.Get(ctx, tx, colUser.Eq(userID)); err != nil || found {
				m = other
				return err
			}
		}
	})
	return m, err
}

const sealPurpose = "mailbox password"

// choice is the try-th name to be tried: the base, then with numbers, then random ones.
func (p *Plugin) choice(base string, try int) (string, error) {
	switch {
	case try > 60:
		return "", errors.New("mail-provisioning: no free name was found")
	case base != "" && try == 0:
		return base, nil
	case base != "" && try < 20:
		return numbered(base, strconv.Itoa(try+1)), nil
	case base == "":
		base = "u"
	}
	n, err := p.host.RandomString("0123456789", 6)
	return numbered(base, n), err
}

// create is the job that makes a mailbox. Whatever fails is tried again from where it was.
// It and the job that deletes one of the same user wait for each other: a mailbox that is
// made while its row goes would stay for ever.
func (p *Plugin) create(ctx context.Context, in provisioning) error {
	return p.host.Lock(ctx, lockName(in.UserID), func(ctx context.Context) error { return p.createLocked(ctx, in) })
}

// lockName names the lock of a user: one of 256, since a process keeps the names it has used.
func lockName(userID string) string {
	sum := sha256.Sum256([]byte(userID))
	return fmt.Sprintf("mailbox %02x", sum[0])
}

func (p *Plugin) createLocked(ctx context.Context, in provisioning) error {
	db := p.host.DB()
	m, found, err := mailboxes.Get(ctx, db, colUser.Eq(in.UserID))
	if err != nil || !found || m.State == stateActive || m.State == stateDeleting {
		return err // made, or the user has gone meanwhile
	}
	for m.State == stateReserved {
		taken, err := p.provisioner.Taken(ctx, m.Name, m.UserID)
		if err != nil {
			return err
		}
		if taken {
			if err := p.rename(ctx, &m); err != nil {
				return err
			}
			continue
		}
		// From here on a mailbox of that name is ours, whatever becomes of the next lines.
		if n, err := mailboxes.Update(ctx, db, []core.Set{colState.Set(stateCreating)}, colID.Eq(m.ID), colState.Eq(stateReserved), colName.Eq(m.Name)); err != nil || n == 0 {
			return err
		}
		m.State = stateCreating
	}
	password, err := p.host.Open(sealPurpose, m.Secret, []byte(m.UserID))
	if err != nil {
		return err
	}
	account, err := p.provisioner.Create(ctx, contract.Mailbox{Name: m.Name, Address: m.Email, DisplayName: m.DisplayName, Password: string(password), Owner: m.UserID})
	if err != nil {
		return err
	}
	return p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		n, err := mailboxes.Update(ctx, tx, []core.Set{colState.Set(stateActive), colAccount.Set(&account)}, colID.Eq(m.ID), colState.Eq(stateCreating))
		if err != nil || n == 0 {
			return err // deleted meanwhile: the other job waits, and removes what was made here
		}
		return p.host.Record(ctx, &core.Event{Type: eventCreated, UserID: m.UserID, Tx: tx, Detail: map[string]string{"mailbox": m.ID}})
	})
}

// rename gives a reserved row another name: the mail server has somebody else of this one.
func (p *Plugin) rename(ctx context.Context, m *Mailbox) error {
	for {
		n, err := p.host.RandomString("0123456789", 4)
		if err != nil {
			return err
		}
		name := numbered(m.Name, n)
		if !p.allowed(name) { // cut for its number, it became a reserved one
			name = "u" + n
		}
		email := name + "@" + p.o.Domain
		changed, err := mailboxes.Update(ctx, p.host.DB(), []core.Set{colName.Set(name), colEmail.Set(email)}, colID.Eq(m.ID), colState.Eq(stateReserved))
		switch {
		case storage.IsUnique(err, "mailbox", "name"):
			continue
		case err != nil:
			return err
		case changed == 0:
			return fmt.Errorf("mail-provisioning: mailbox %s is being worked on by another process", m.ID)
		}
		m.Name, m.Email = name, email
		return nil
	}
}

// remove has a user's mailbox deleted, in tx. Of one that is only reserved there is nothing
// on the mail server yet: a mailbox of that name there is somebody else's.
func (p *Plugin) remove(ctx context.Context, outer *core.Tx, userID string) error {
	return p.host.Tx(ctx, outer, func(ctx context.Context, tx *core.Tx) error {
		if n, err := mailboxes.Delete(ctx, tx, colUser.Eq(userID), colState.Eq(stateReserved)); err != nil || n > 0 {
			return err
		}
		n, err := mailboxes.Update(ctx, tx, []core.Set{colState.Set(stateDeleting)}, colUser.Eq(userID))
		if err != nil || n == 0 {
			return err
		}
		return removal.Enqueue(ctx, p.host, tx, provisioning{userID})
	})
}

// delete is the job that deletes a mailbox, and then its row.
func (p *Plugin) delete(ctx context.Context, in provisioning) error {
	return p.host.Lock(ctx, lockName(in.UserID), func(ctx context.Context) error { return p.deleteLocked(ctx, in) })
}

func (p *Plugin) deleteLocked(ctx context.Context, in provisioning) error {
	m, found, err := mailboxes.Get(ctx, p.host.DB(), colUser.Eq(in.UserID), colState.Eq(stateDeleting))
	if err != nil || !found {
		return err
	}
	if err := p.provisioner.Delete(ctx, m.Name, m.UserID); err != nil {
		return err
	}
	return p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		if _, err := mailboxes.Delete(ctx, tx, colID.Eq(m.ID)); err != nil {
			return err
		}
		return p.host.Record(ctx, &core.Event{Type: eventDeleted, Tx: tx, Detail: map[string]string{"mailbox": m.ID}})
	})
}

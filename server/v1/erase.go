package v1

import (
	"context"
	"embed"
	"fmt"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// EraseInput is the input of DeleteAccount and DeleteData: the password of who has one.
type EraseInput struct {
	Password *string  `json:"password" input:"nullable"`
	_        struct{} `input:"body"`
}

// Report is the answer of DeleteData. It is of what was done: the user and everything that
// belongs to them is gone, in one transaction; what services outside have is being deleted.
type Report struct {
	Success bool            `json:"success"`
	Outside []ErasedProject `json:"deletedFromProjects"`
	Auth    ErasedAuth      `json:"deletedFromAuth"`
	Total   int             `json:"totalDeleted"`
}

// ErasedProject is a data set of a plugin, or a service outside, where success is false
// and pending true: it has been told, and will be told again until it has done it.
type ErasedProject struct {
	ID      string `json:"projectId"`
	Name    string `json:"projectName"`
	Success bool   `json:"success"`
	Pending bool   `json:"pending,omitempty"`
	Deleted int    `json:"deletedCount"`
}

// ErasedAuth is what the user had here.
type ErasedAuth struct {
	Sessions int  `json:"sessions"`
	Accounts int  `json:"accounts"`
	Credits  int  `json:"credits"` // always 0: another service has them
	User     bool `json:"user"`
}

// outsideErasure tells a service to forget a user.
type outsideErasure struct {
	Service string `json:"service"`
	UserID  string `json:"userId"`
}

var eraseJob = core.NewJob[outsideErasure]("v1.erase")

func (p *Plugin) eraseOutside(ctx context.Context, e outsideErasure) error {
	for _, s := range p.o.Outside {
		if s.ID == e.Service {
			return s.Erase(ctx, e.UserID)
		}
	}
	return fmt.Errorf("v1: there is no service %q any more to erase a user's data from", e.Service)
}

// mails are the texts of a good-bye, in five languages.
//
//go:embed mails
var mails embed.FS

const erasedMail = "account-erased"

// prove wants a proof of who asks: the password, or a session that has just begun where
// there is none.
func (p *Plugin) prove(ctx context.Context, c *core.Call, password *string) error {
	_, u := c.Session()
	has, err := p.passwords.Has(ctx, u.ID)
	if err != nil {
		return err
	}
	if !has {
		if !c.Fresh() {
			return core.ErrSessionNotFresh
		}
		return nil
	}
	if password == nil || *password == "" {
		return ErrPasswordRequired
	}
	if err := p.host.PasswordTooLong(*password); err != nil {
		return err
	}
	ok, err := p.passwords.Verify(ctx, u.ID, *password)
	if err == nil && !ok {
		err = core.ErrInvalidPassword
	}
	return err
}

// erase deletes the caller, with the jobs and the mail that follow, in one transaction.
func (p *Plugin) erase(ctx context.Context, c *core.Call) error {
	_, u := c.Session()
	err := p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		if err := c.HoldSession(ctx, tx); err != nil { // they may have been put out while the password was checked
			return err
		}
		if err := p.host.DeleteUser(ctx, tx, c, u); err != nil {
			return err
		}
		for _, s := range p.o.Outside {
			if err := eraseJob.Enqueue(ctx, p.host, tx, outsideErasure{s.ID, u.ID}); err != nil {
				return err
			}
		}
		if !p.host.CanMail() {
			return nil
		}
		return p.host.SendMail(ctx, tx, contract.Message{Template: erasedMail, To: u.Email, User: core.MailUser(u)})
	})
	if err == nil {
		c.ExpireSessionCookies()
	}
	return err
}

func (p *Plugin) deleteAccount(ctx context.Context, c *core.Call, in EraseInput) (Success, error) {
	err := p.prove(ctx, c, in.Password)
	if err == nil {
		err = p.erase(ctx, c)
	}
	return Success{Success: err == nil}, err
}

func (p *Plugin) deleteData(ctx context.Context, c *core.Call, in EraseInput) (Report, error) {
	if err := p.prove(ctx, c, in.Password); err != nil {
		return Report{}, err
	}
	_, u := c.Session()
	kept, err := p.kept(ctx, u.ID)
	if err != nil {
		return Report{}, err
	}
	if err := p.erase(ctx, c); err != nil {
		return Report{}, err
	}
	r := Report{Success: true, Outside: []ErasedProject{},
		Auth: ErasedAuth{Sessions: count(kept["sessions"]), Accounts: count(kept["accounts"]), User: true}}
	r.Total = r.Auth.Sessions + r.Auth.Accounts + 1
	for _, name := range sets(kept) {
		n := count(kept[name])
		r.Outside = append(r.Outside, ErasedProject{ID: name, Name: name, Success: true, Deleted: n})
		r.Total += n
	}
	for _, s := range p.o.Outside {
		r.Outside = append(r.Outside, ErasedProject{ID: s.ID, Name: s.Name, Pending: true})
	}
	return r, nil
}

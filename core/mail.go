package core

import (
	"context"
	"errors"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// mailJob carries every message to the mailer. A request never waits for a mail server:
// it writes the message in its transaction, and a worker sends it.
var mailJob = NewJob[contract.Message]("mail")

var errNoMailer = errors.New("core: no mailer is configured")

// CanMail tells whether a mailer is configured.
func (h *Host) CanMail() bool { return h.cfg.Mailer != nil }

// SendMail has a message sent, in tx or on its own. It fails without a mailer: check
// CanMail first where going without is allowed.
func (h *Host) SendMail(ctx context.Context, tx *Tx, m contract.Message) error {
	if h.cfg.Mailer == nil {
		return errNoMailer
	}
	var err error
	if m.ExternalID, err = h.RandomString(Alphanumeric, 32); err != nil {
		return err
	}
	return mailJob.Enqueue(ctx, h, tx, m)
}

// MailUser is what a message says about a user.
func MailUser(u *User) contract.MessageUser {
	return contract.MessageUser{ID: u.ID, Name: u.Name, Email: u.Email}
}

// MailTemplates lists the texts that plugins bring.
func (a *Auth) MailTemplates() []contract.MailTemplate {
	var out []contract.MailTemplate
	for _, s := range a.h.specs {
		out = append(out, s.Mails...)
	}
	return out
}

// SendsOnSignUp tells whether a new user's address is to be verified by mail at once.
func (h *Host) SendsOnSignUp(required bool) bool {
	if h.cfg.Email.SendOnSignUp != nil {
		required = *h.cfg.Email.SendOnSignUp
	}
	return required && h.canVerify()
}

// canVerify tells whether addresses can be verified by mail.
func (h *Host) canVerify() bool { return h.CanMail() && !h.cfg.Email.Disabled }

// SendsOnSignIn tells whether who is refused for an unverified address gets a new link.
func (h *Host) SendsOnSignIn() bool { return h.cfg.Email.SendOnSignIn && h.canVerify() }

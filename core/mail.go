package core

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// mailJob carries every message to the mailer. A request never waits for a mail server:
// it writes the message in its transaction, and a worker sends it.
var mailJob = NewJob[contract.Message]("mail")

// mailLife is how long a message waits at most that does not say so itself: longer than a
// weekend without a mail server.
const mailLife = 72 * time.Hour

var errNoMailer = errors.New("core: no mailer is configured")

// CanMail tells whether a mailer is configured.
func (h *Host) CanMail() bool { return h.cfg.Mailer != nil }

// SendMail has a message sent, in tx or on its own. It fails without a mailer: check
// CanMail first where going without is allowed. A message whose ExpiresAt has come is not
// sent any more; without one it waits for 72 hours at most.
func (h *Host) SendMail(ctx context.Context, tx *Tx, m contract.Message) error {
	if h.cfg.Mailer == nil {
		return errNoMailer
	}
	var err error
	if m.ExternalID, err = h.RandomString(Alphanumeric, 32); err != nil {
		return err
	}
	if m.Language == "" {
		m.Language = reads(m.User.Locale, callFrom(ctx))
	}
	if m.ExpiresAt.IsZero() {
		m.ExpiresAt = h.Now().Add(mailLife)
	}
	return mailJob.EnqueueUntil(ctx, h, tx, m, m.ExpiresAt)
}

// reads is what the recipient of a message reads: what they have chosen, then what the
// browser says that has asked for the message.
func reads(locale string, c *Call) string {
	var list []string
	if locale != "" {
		list = append(list, locale)
	}
	if c != nil && c.http {
		if h := c.AcceptLanguage(); h != "" {
			list = append(list, h)
		}
	}
	return strings.Join(list, ",")
}

// localeField is the user's field, of the app's or a plugin's, that holds their language.
const localeField = "locale"

// MailUser is what a message says about a user.
func MailUser(u *User) contract.MessageUser {
	return contract.MessageUser{ID: u.ID, Name: u.Name, Email: u.Email, Locale: u.Locale()}
}

// Locale is the language that the user has chosen, a tag such as "de-CH" in the field
// "locale"; empty without such a field or choice.
func (u *User) Locale() string {
	s, ok := u.Extra[localeField].(string)
	if !ok || len(s) > maxLocale || strings.ContainsAny(s, ",;") {
		return "" // clients may write what they like into the field
	}
	return storable(s, maxLocale)
}

const maxLocale = 35 // characters: RFC 5646 section 4.4.1

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

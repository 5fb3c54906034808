package core

import (
	"cmp"
	"context"
	"errors"
	"slices"
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
	if err := h.address(ctx, &m); err != nil {
		return err
	}
	return mailJob.EnqueueUntil(ctx, h, tx, m, m.ExpiresAt)
}

// address gives a message its id, its language and its end.
func (h *Host) address(ctx context.Context, m *contract.Message) (err error) {
	if m.Language == "" {
		accepted := ""
		if c := callFrom(ctx); c != nil && c.http {
			accepted = c.AcceptLanguage()
		}
		m.Language = languages(m.User.Locale, accepted)
	}
	if m.ExpiresAt.IsZero() {
		m.ExpiresAt = h.Now().Add(mailLife)
	}
	m.ExternalID, err = h.RandomString(Alphanumeric, 32)
	return err
}

// languages is what the recipient of a message reads: what they have chosen, then what the
// browser says that has asked for the message.
func languages(locale, accepted string) string {
	if locale == "" || accepted == "" {
		return locale + accepted
	}
	return locale + "," + accepted
}

// deliver hands a message to the mailer, with the texts that its plugin brings.
func (h *Host) deliver(ctx context.Context, m contract.Message) error {
	if h.cfg.Mailer == nil {
		return errNoMailer
	}
	m.Texts = h.mailTexts[m.Template]
	return h.observeWork(ctx, contract.WorkMail, m.Template, func(ctx context.Context) error { return h.cfg.Mailer.Send(ctx, m) })
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

// mails checks the texts that plugins bring. Nobody can override another's, or core's.
func (b *compiler) mails() {
	owners := map[string]string{}
	for _, name := range coreMails {
		owners[name] = "core"
	}
	b.h.mailTexts = map[string][]contract.MailTemplate{}
	for _, s := range b.h.specs {
		for _, t := range s.Mails {
			owner, taken := owners[t.Name]
			texts := b.h.mailTexts[t.Name]
			switch {
			case t.Check() != nil:
				b.fault("plugin %s: %w", s.ID, t.Check())
			case taken && owner != s.ID:
				b.fault("plugin %s: mail template %q is taken by %s", s.ID, t.Name, owner)
			case slices.ContainsFunc(texts, func(x contract.MailTemplate) bool { return english(x) == english(t) }):
				b.fault("plugin %s: mail template %q is there twice in the language %q", s.ID, t.Name, english(t))
			case t.Subject == "" || t.Text == "" || t.HTML == "":
				b.fault("plugin %s: mail template %q: want subject, text and HTML", s.ID, t.Name)
			}
			owners[t.Name], b.h.mailTexts[t.Name] = s.ID, append(texts, t)
		}
	}
	for name, texts := range b.h.mailTexts {
		if !slices.ContainsFunc(texts, func(t contract.MailTemplate) bool { return english(t) == "en" }) {
			b.fault("plugin %s: mail template %q is not there in English", owners[name], name)
		}
	}
}

func english(t contract.MailTemplate) string { return cmp.Or(t.Language, "en") }

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

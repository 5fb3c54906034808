package server

import (
	"errors"
	"fmt"

	"github.com/sallyport-auth/sallyport/adapters/mailtext"
	"github.com/sallyport-auth/sallyport/core"
)

// MailPreview is a message with sample data, in one language.
type MailPreview struct{ Name, Language, Subject, Text, HTML string }

// MailPreviews renders every message that the configuration can send, by name and
// language: with the app's own texts, those of the enabled plugins and the built-in ones. It
// neither sends nor opens anything but the app's templates.
func MailPreviews(c Config, entries ...PluginEntry) ([]MailPreview, error) {
	auth, err := Describe(c, entries...)
	if err != nil {
		return nil, err
	}
	return c.mailPreviews(auth)
}

func (c *Config) mailPreviews(auth *core.Auth) ([]MailPreview, error) {
	r, err := c.mailTexts(auth)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	var out []MailPreview
	var errs []error
	for _, name := range r.Names() {
		for _, language := range r.Languages(name) {
			mail, err := r.Render(r.Sample(name, language))
			if err != nil {
				errs = append(errs, fmt.Errorf("mail: language %s: %w", language, err))
			}
			out = append(out, MailPreview{name, language, mail.Subject, mail.Text, mail.HTML})
		}
	}
	return out, errors.Join(errs...)
}

func (c *Config) mailTexts(auth *core.Auth) (*mailtext.Renderer, error) {
	o := c.Mail.Log.Text
	if c.Mail.Driver == "smtp" {
		o = c.Mail.SMTP.Text
	}
	if o.AppName == "" {
		o.AppName = c.Core.AppName
	}
	o.Defaults = append(o.Defaults[:len(o.Defaults):len(o.Defaults)], auth.MailTemplates()...)
	return mailtext.New(o)
}

// checkMails finds faults of plugins' texts at the start, where this program writes mail.
func (c *Config) checkMails(auth *core.Auth) error {
	if auth == nil || c.Core.Mailer != nil || c.Mail.Driver != "smtp" && c.Mail.Driver != "log" {
		return nil
	}
	_, err := c.mailPreviews(auth)
	return err
}

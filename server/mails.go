package server

import (
	"errors"
	"fmt"

	"github.com/sallyport-auth/sallyport/adapters/mailtext"
	"github.com/sallyport-auth/sallyport/core"
)

// MailTexts are the texts of every message that the configuration can send: the app's own,
// those of the enabled plugins and the built-in ones. It neither sends nor opens anything
// but the app's templates.
func MailTexts(c Config, entries ...PluginEntry) (*mailtext.Renderer, error) {
	auth, err := Describe(c, entries...)
	if err != nil {
		return nil, err
	}
	return c.mailTexts(auth)
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
	r, err := c.mailTexts(auth)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	var errs []error
	for _, name := range r.Names() {
		for _, language := range r.Languages(name) {
			if _, err := r.Render(r.Sample(name, language)); err != nil {
				errs = append(errs, fmt.Errorf("mail: language %s: %w", language, err))
			}
		}
	}
	return errors.Join(errs...)
}

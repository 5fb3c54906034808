// Package logmail prints mails to the console instead of sending them, so that a developer
// can follow a verification or reset link without a mail server.
//
// Never use it in production. It prints live links and codes: whoever reads the output,
// or the log that collects it, can take over every account that asks for a mail.
package logmail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport-auth/sallyport/adapters/mailtext"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// Options choose what is printed. The zero value prints the built-in texts.
type Options struct {
	// Text chooses the texts: see [mailtext.Options].
	Text mailtext.Options `yaml:"text"`
}

type mailer struct {
	text *mailtext.Renderer
	mu   sync.Mutex // keeps mails apart on w
	w    io.Writer
}

// New returns a mailer that prints to w, one Write for each mail. It returns an error if w
// is nil or a template is at fault. The mailer may be used from several goroutines at once,
// also if w may not.
func New(w io.Writer, o Options) (contract.Mailer, error) {
	if w == nil {
		return nil, errors.New("logmail: there is no writer")
	}
	text, err := mailtext.New(o.Text)
	if err != nil {
		return nil, fmt.Errorf("logmail: %w", err)
	}
	return &mailer{text: text, w: w}, nil
}

const (
	head = "---- mail (development only, not sent) "
	rule = "------------------------------------------------------------------------"
)

// Send prints m: recipient, subject, and the plain text with its link. A template that has
// no text is printed as a list of its values, since a developer may well write the plugin
// before the text. It returns an error if ctx has ended, if m cannot be rendered for another
// reason, and if w fails.
//
// Everything is printed without control characters: a user's name cannot move the cursor or
// forge a second mail.
func (s *mailer) Send(ctx context.Context, m contract.Message) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("logmail: %w", err)
	}
	var b strings.Builder
	b.WriteString(head + rule[len(head):] + "\n")
	field(&b, "To", m.To)
	field(&b, "Template", m.Template)
	field(&b, "Id", m.ExternalID)
	mail, err := s.text.Render(m)
	switch {
	case err == nil:
		field(&b, "Subject", mail.Subject)
		b.WriteString("\n" + strings.TrimRight(mail.Text, "\n") + "\n")
	case errors.Is(err, mailtext.ErrUnknownTemplate):
		values(&b, m)
	default:
		return fmt.Errorf("logmail: %w", err)
	}
	b.WriteString(rule + "\n")

	s.mu.Lock()
	defer s.mu.Unlock()
	// The writer's error is kept, the mail is not part of it.
	if _, err := io.WriteString(s.w, b.String()); err != nil {
		return fmt.Errorf("logmail: %w", err)
	}
	return nil
}

// values prints a message that no text exists for.
func values(b *strings.Builder, m contract.Message) {
	field(b, "User", m.User.Name)
	field(b, "User id", m.User.ID)
	field(b, "Email", m.User.Email)
	field(b, "New email", m.NewEmail)
	field(b, "URL", m.URL)
	field(b, "Token", m.Token)
	field(b, "Code", m.OTP)
	for _, k := range slices.Sorted(maps.Keys(m.Data)) {
		field(b, mailtext.Line(k), m.Data[k])
	}
}

func field(b *strings.Builder, name, value string) {
	if value = mailtext.Line(value); value != "" {
		fmt.Fprintf(b, "%-10s %s\n", name+":", value)
	}
}

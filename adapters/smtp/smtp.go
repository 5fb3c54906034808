package smtp

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/sallyport-auth/sallyport/adapters/mailtext"
	"github.com/sallyport-auth/sallyport/core/contract"
)

type mailer struct {
	o      Options
	from   *mail.Address
	domain string // of from
	text   *mailtext.Renderer
	tls    *tls.Config
}

// New returns a mailer, or an error that names every option at fault. It reads the
// templates and does not connect. The mailer may be used from several goroutines at once.
func New(o Options) (contract.Mailer, error) {
	if o.TLS == "" {
		o.TLS = Mandatory
	}
	if o.Port == 0 {
		o.Port = map[TLS]int{Implicit: 465, None: 25}[o.TLS]
		if o.Port == 0 {
			o.Port = 587
		}
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	from, err := o.check()
	text, textErr := mailtext.New(o.Text)
	if textErr != nil {
		err = errors.Join(err, fmt.Errorf("smtp: %w", textErr))
	}
	if err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	if o.Hello == "" {
		o.Hello = domain
	}
	config := o.TLSConfig.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	if config.ServerName == "" {
		config.ServerName = o.Host
	}
	return &mailer{o, from, domain, text, config}, nil
}

// Send renders m and delivers it to the server. It returns nil once the server has taken
// the mail. Its errors come from the text (see [mailtext.Renderer.Render]), before any
// connection; from ctx or Timeout, wrapped; from the network or TLS, wrapped; or name the
// step and the server's reply code. A mail that the server refuses for good, and a recipient
// that is no address, is contract.Permanent. None holds m's URL, Token or OTP, or the password.
func (s *mailer) Send(ctx context.Context, m contract.Message) error {
	if err := mailtext.CheckAddress(m.To); err != nil {
		return contract.Permanent(fmt.Errorf("smtp: the recipient is %w", err))
	}
	text, err := s.text.Render(m)
	if err != nil {
		return fmt.Errorf("smtp: %w", err)
	}
	msg, err := s.message(m, text)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	l := &link{ctx: ctx, implicit: s.o.TLS == Implicit, tls: s.tls, host: s.o.Host, port: s.o.Port}
	defer l.close()
	a := &auth{username: s.o.Username, password: s.o.Password, host: s.o.Host}
	client, err := s.client(l, a)
	if err != nil {
		return errors.New("smtp: the client refused its options")
	}
	if err := client.DialWithContext(ctx); err != nil {
		return failure(ctx, a.step(), err)
	}
	if err := client.Send(msg); err != nil {
		return failure(ctx, "", err)
	}
	// QUIT is politeness: the mail is delivered, whatever becomes of the connection.
	_ = client.Close()
	return nil
}

// client is made for one connection. NOOP and SMTPUTF8 have no use there, and RSET does
// harm: the library calls a mail failed if the RSET after it fails.
func (s *mailer) client(l *link, a *auth) (*gomail.Client, error) {
	// Implicit TLS is the link's work: the library sees a connection that is encrypted.
	policy := map[TLS]gomail.TLSPolicy{
		Mandatory: gomail.TLSMandatory, Opportunistic: gomail.TLSOpportunistic,
		None: gomail.NoTLS, Implicit: gomail.NoTLS,
	}[s.o.TLS]
	options := []gomail.Option{
		gomail.WithPort(s.o.Port), gomail.WithHELO(s.o.Hello), gomail.WithTLSPolicy(policy),
		gomail.WithTLSConfig(s.tls), gomail.WithDialContextFunc(l.dial),
		// The context ends the connection; the library's own limit must never come before.
		gomail.WithTimeout(2 * maxTimeout),
		gomail.WithoutNoop(), gomail.WithoutRset(), gomail.WithoutSMTPUTF8(),
	}
	if s.o.Username != "" {
		options = append(options, gomail.WithSMTPAuthCustom(a))
	}
	return gomail.NewClient(s.o.Host, options...)
}

// message builds the mail. But for its Date it is the same for every retry.
func (s *mailer) message(m contract.Message, text mailtext.Mail) (*gomail.Msg, error) {
	id, err := s.messageID(m.ExternalID)
	if err != nil {
		return nil, err
	}
	// A boundary must not occur in the parts (RFC 2046 section 5.1.1). A hash of the parts
	// cannot be foreseen by whoever writes into them.
	sum := sha256.Sum256([]byte(id + "\x00" + text.Text + "\x00" + text.HTML))
	msg := gomail.NewMsg(gomail.WithBoundary(hex.EncodeToString(sum[:20])), gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(s.from)
	msg.ToMailAddress(&mail.Address{Address: m.To})
	// An encoded-word (RFC 2047 section 2) that somebody put into a name would be decoded by the
	// reader, and show what was taken out of every value: links, line breaks, direction overrides.
	msg.Subject(strings.ReplaceAll(text.Subject, "=?", "= ?"))
	msg.SetDateWithValue(s.o.Now())
	msg.SetMessageIDWithValue(id)
	// RFC 3834 section 5: nobody's holiday notice should answer.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, text.Text)
	// The last alternative is the preferred one: RFC 2046 section 5.1.4.
	msg.AddAlternativeString(gomail.TypeTextHTML, text.HTML)
	return msg, nil
}

// messageID is derived from the external id, so that retries are recognisable, and hashed,
// so that any external id makes a valid one. It must not be derived from the mail itself:
// servers log it, and a short code could be found from its hash.
func (s *mailer) messageID(external string) (string, error) {
	sum := sha256.Sum256([]byte("sallyport message-id\x00" + external))
	left := sum[:16]
	if external == "" {
		if _, err := io.ReadFull(s.o.Random, left); err != nil {
			return "", fmt.Errorf("smtp: no randomness for the Message-ID: %w", err)
		}
	}
	return hex.EncodeToString(left) + "@" + s.domain, nil
}

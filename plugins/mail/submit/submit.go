// Package submit hands mails to an SMTP relay (RFC 6409), one connection for each, over the
// standard library's net/smtp.
//
// Addresses are bare ones (contract.CheckAddress), so that none can hold a command. TLS is
// mandatory unless the relay is on this machine and it is switched off. The relay may send
// 256 KiB in one connection; the context and the time-out end it at any point. Its replies may
// quote the mail or a password: errors keep their codes only.
package submit

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// Relay sends mails.
type Relay struct {
	o       Options
	addr    string
	tls     *tls.Config
	timeout time.Duration
}

// Mail is one mail to hand over.
type Mail struct {
	From string
	To   []string
	Data []byte // with its head
	// Username and Password are the user's, for Options.AsUser.
	Username, Password string
}

// Send hands a mail over. Its errors are a *Refused, or of the network. Nothing was sent if
// Uncertain says no.
func (r *Relay) Send(ctx context.Context, m Mail) error {
	for _, a := range append([]string{m.From}, m.To...) {
		if err := contract.CheckAddress(a); err != nil {
			return fmt.Errorf("submit: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.addr)
	if err != nil {
		return fmt.Errorf("submit: connecting: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	defer raw.Close()
	if d, ok := ctx.Deadline(); ok {
		if err := raw.SetDeadline(d); err != nil {
			return fmt.Errorf("submit: %w", err)
		}
	}
	step, err := r.session(&conn{Conn: raw, left: maxReplies}, m)
	return failure(ctx, step, err)
}

// steps of a session. From handing on the mail may have been taken.
const (
	connecting = "connecting"
	signingIn  = "signing in"
	mailFrom   = "MAIL"
	rcptTo     = "RCPT"
	data       = "DATA"
	handing    = "handing over the mail"
)

func (r *Relay) session(conn net.Conn, m Mail) (step string, err error) {
	if r.o.TLS == "implicit" {
		conn = tls.Client(conn, r.tls)
	}
	c, err := smtp.NewClient(conn, r.o.Host)
	if err != nil {
		return connecting, err
	}
	_, domain, _ := strings.Cut(m.From, "@")
	if err := c.Hello(domain); err != nil {
		return connecting, err
	}
	if r.o.TLS == "" || r.o.TLS == "mandatory" {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return connecting, errNoTLS
		}
		if err := c.StartTLS(r.tls); err != nil {
			return connecting, err
		}
	}
	user, password := r.o.Username, r.o.Password
	if r.o.AsUser {
		user, password = m.Username, m.Password
	}
	if user != "" {
		if err := c.Auth(plain{user, password}); err != nil {
			return signingIn, err
		}
	}
	if err := c.Mail(m.From); err != nil {
		return mailFrom, err
	}
	for _, to := range m.To {
		if err := c.Rcpt(to); err != nil {
			return rcptTo + " " + to, err
		}
	}
	w, err := c.Data()
	if err != nil {
		return data, err
	}
	if _, err := w.Write(m.Data); err != nil {
		return handing, err
	}
	if err := w.Close(); err != nil {
		return handing, err
	}
	_ = c.Quit() // it is delivered: whatever fails now is nothing
	return "", nil
}

// plain is AUTH PLAIN (RFC 4616). The line is encrypted, or New has seen that it does not
// leave this machine; net/smtp's own would ask again, and know less of loopback.
type plain struct{ user, password string }

func (a plain) Start(*smtp.ServerInfo) (string, []byte, error) {
	return "PLAIN", []byte("\x00" + a.user + "\x00" + a.password), nil
}

func (a plain) Next(_ []byte, more bool) ([]byte, error) {
	if more {
		return nil, errors.New("the relay asks for more than AUTH PLAIN has")
	}
	return nil, nil
}

var (
	errNoTLS   = errors.New("the relay offers no STARTTLS")
	errReplies = errors.New("the relay sent too much")
)

// maxReplies bounds what the relay may send in one connection, in bytes.
const maxReplies = 256 << 10

type conn struct {
	net.Conn
	left int
}

func (c *conn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errReplies
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

package smtp

import (
	"errors"
	"slices"

	gosmtp "github.com/wneessen/go-mail/smtp"

	"github.com/sallyport-auth/sallyport/core/option"
)

var (
	errPlaintext = errors.New("the line is not encrypted, so no password was sent")
	errMechanism = errors.New("the server offers neither AUTH PLAIN nor AUTH LOGIN")
)

// auth signs in with PLAIN, or with LOGIN where the server knows no better. Both show the
// password to the server, so they need an encrypted line. The choice is made here since
// the library's own would also take NTLM and CRAM-MD5.
type auth struct {
	username, password, host string
	chosen                   gosmtp.Auth
	started                  bool
}

// Start implements the library's Auth.
func (a *auth) Start(server *gosmtp.ServerInfo) (string, []byte, error) {
	a.started = true
	if !server.TLS && !option.Loopback(a.host) {
		return "", nil, errPlaintext
	}
	// What may be sent in clear has just been decided, with all of 127.0.0.0/8 in mind.
	const allowPlaintext = true
	switch {
	case slices.Contains(server.Auth, "PLAIN"):
		a.chosen = gosmtp.PlainAuth("", a.username, a.password, a.host, allowPlaintext)
	case slices.Contains(server.Auth, "LOGIN"):
		a.chosen = gosmtp.LoginAuth(a.username, a.password, a.host, allowPlaintext)
	default:
		return "", nil, errMechanism
	}
	return a.chosen.Start(server)
}

// Next implements the library's Auth.
func (a *auth) Next(fromServer []byte, more bool) ([]byte, error) {
	return a.chosen.Next(fromServer, more)
}

// step names the part of the session that an error before the mail belongs to.
func (a *auth) step() string {
	if a.started {
		return "signing in"
	}
	return "connecting"
}

package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// steps are the library's reasons in the words of RFC 5321.
var steps = map[gomail.SendErrReason]string{
	gomail.ErrSMTPMailFrom:  "MAIL",
	gomail.ErrSMTPRcptTo:    "RCPT",
	gomail.ErrSMTPData:      "DATA",
	gomail.ErrWriteContent:  "sending the mail",
	gomail.ErrSMTPDataClose: "handing over the mail",
}

// failure keeps of an error what is known to hold no secret. A server's reply may quote
// the mail, its recipient, or what was tried as a password, so only its code is kept
// (RFC 5321 section 4.2); the library's errors repeat the reply and the recipient.
func failure(ctx context.Context, step string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("smtp: no answer in time: %w", ctx.Err())
	}
	code := 0
	var reply *textproto.Error
	if errors.As(err, &reply) {
		code = reply.Code
	}
	var send *gomail.SendError
	if errors.As(err, &send) {
		code = send.ErrorCode()
		if step = steps[send.Reason]; step == "" {
			step = "sending"
		}
	}
	if code != 0 {
		err := fmt.Errorf("smtp: %s: the server answered %d", step, code)
		if refused(send, code) {
			return contract.Permanent(err)
		}
		return err
	}
	if known := harmless(err); known != nil {
		return fmt.Errorf("smtp: %s: %w", step, known)
	}
	if strings.Contains(err.Error(), "does not support STARTTLS") {
		return fmt.Errorf("smtp: %s: the server offers no STARTTLS", step)
	}
	return fmt.Errorf("smtp: %s: the connection broke or the reply was not SMTP", step)
}

// refused tells whether a reply refuses this mail for good: the recipient or the content,
// which will be the same tomorrow. Everything else may be over by then, or is about us: a 4xx,
// all that comes before RCPT (greeting, signing in, our address in MAIL), a command that the
// server does not know, and any policy of its (X.7.X of RFC 3463 section 3.8: relaying, a
// list of bad senders).
func refused(send *gomail.SendError, code int) bool {
	if send == nil || strings.HasPrefix(send.EnhancedStatusCode(), "5.7.") {
		return false
	}
	switch send.Reason {
	case gomail.ErrSMTPRcptTo: // 552 is "too many recipients" there, and temporary: RFC 5321 section 4.5.3.1.10
		return code == 501 || code == 550 || code == 551 || code == 553 || code == 554 || code == 556
	case gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		return code == 550 || code == 552 || code == 554
	}
	return false
}

// harmless returns the part of err that comes from this side, the network or TLS.
func harmless(err error) error {
	for _, own := range []error{errPlaintext, errMechanism, errReplies} {
		if errors.Is(err, own) {
			return own
		}
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return network
	}
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return certificate
	}
	var notTLS tls.RecordHeaderError
	if errors.As(err, &notTLS) {
		return errors.New("the server does not speak TLS")
	}
	return nil
}

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
		return fmt.Errorf("smtp: %s: the server answered %d", step, code)
	}
	if known := harmless(err); known != nil {
		return fmt.Errorf("smtp: %s: %w", step, known)
	}
	if strings.Contains(err.Error(), "does not support STARTTLS") {
		return fmt.Errorf("smtp: %s: the server offers no STARTTLS", step)
	}
	return fmt.Errorf("smtp: %s: the connection broke or the reply was not SMTP", step)
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

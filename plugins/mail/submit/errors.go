package submit

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
)

// Refused is a relay's no. Code is that of its reply (RFC 5321 section 4.2).
type Refused struct {
	Code      int
	Step      string
	Recipient string // whom it does not take; empty where it is about something else
	OfMail    bool   // it is about the mail itself
}

func (e *Refused) Error() string {
	return fmt.Sprintf("submit: %s: the relay answered %d", e.Step, e.Code)
}

// Permanent tells that another try would meet the same answer.
func (e *Refused) Permanent() bool { return e.Code >= 500 }

// lost is a connection that broke.
type lost struct {
	step string
	err  error
}

func (e *lost) Error() string { return "submit: " + e.step + ": " + e.err.Error() }
func (e *lost) Unwrap() error { return e.err }

// Uncertain tells of an error whether the mail may have been taken all the same.
func Uncertain(err error) bool {
	var l *lost
	return errors.As(err, &l) && l.step == handing
}

// failure keeps of an error what holds nothing of the mail's.
func failure(ctx context.Context, step string, err error) error {
	if err == nil {
		return nil
	}
	step, recipient, _ := strings.Cut(step, rcptTo+" ")
	if recipient != "" {
		step = rcptTo
	}
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return &Refused{Code: reply.Code, Step: step, Recipient: recipient, OfMail: step == data || step == handing}
	}
	var network *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case errors.As(err, &network):
		err = network
	case errors.As(err, &certificate):
		err = certificate
	case errors.Is(err, errNoTLS), errors.Is(err, errReplies), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
	default:
		err = errors.New("the reply was not SMTP")
	}
	return &lost{step, err}
}

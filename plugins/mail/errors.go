package mail

import (
	"errors"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/mail/jmap"
)

// Codes of this plugin. Who has no mailbox is answered what contract.Mailboxes says:
// MAILBOX_NOT_FOUND.
var (
	ErrThreadNotFound     = core.NewError("THREAD_NOT_FOUND", 404, "There is no such thread")
	ErrMessageNotFound    = core.NewError("MESSAGE_NOT_FOUND", 404, "There is no such message")
	ErrAttachmentNotFound = core.NewError("ATTACHMENT_NOT_FOUND", 404, "There is no such attachment")
	ErrAccountNotFound    = core.NewError("MAIL_ACCOUNT_NOT_FOUND", 404, "There is no such mail account")
	ErrInvalid            = core.NewError("MAIL_REQUEST_INVALID", 400, "The mail server does not take the request")
	ErrRecipients         = core.NewError("MAIL_RECIPIENTS_INVALID", 400, "The mail server does not take a recipient")
	ErrForbidden          = core.NewError("MAIL_FORBIDDEN", 403, "The mail server does not allow this")
	ErrChanged            = core.NewError("MAIL_CHANGED", 409, "The mailbox has changed meanwhile. Please try again.")
	ErrFull               = core.NewError("MAILBOX_FULL", 409, "The mailbox is full")
	ErrTooLarge           = core.NewError("MAIL_TOO_LARGE", 413, "The message or file is too large")
	ErrRejected           = core.NewError("MAIL_REJECTED", 422, "The mail server refuses the message")
	ErrRateLimited        = core.NewError("MAIL_RATE_LIMITED", 429, "Too many messages. Please try again later.")
	ErrNoSending          = core.NewError("MAIL_SENDING_NOT_CONFIGURED", 503, "This server sends no messages")
	ErrUncertain          = core.NewError("MAIL_SEND_UNCERTAIN", 503, "The message may have been sent. It is among the drafts: ask a recipient before sending it again.")
)

var codes = []*core.Error{ErrThreadNotFound, ErrMessageNotFound, ErrAttachmentNotFound, ErrAccountNotFound, ErrInvalid, ErrRecipients, ErrForbidden,
	ErrChanged, ErrFull, ErrTooLarge, ErrRejected, ErrRateLimited, ErrNoSending, ErrUncertain}

// words are what a server says of a request: RFC 8620 sections 3.6.2 and 5.3, RFC 8621
// sections 4.6, 4.7 and 7.5. What is not here is the server's fault or ours.
var words = map[string]*core.Error{
	"notFound":          ErrMessageNotFound,
	"blobNotFound":      ErrAttachmentNotFound,
	"invalidArguments":  ErrInvalid,
	"invalidProperties": ErrInvalid,
	"invalidPatch":      ErrInvalid,
	"invalidEmail":      ErrInvalid,
	"unsupportedFilter": ErrInvalid,
	"tooManyMailboxes":  ErrInvalid,
	"tooManyKeywords":   ErrInvalid,
	"tooLarge":          ErrTooLarge,
	"overQuota":         ErrFull,
	"forbidden":         ErrForbidden,
	"forbiddenToSend":   ErrForbidden,
	"accountReadOnly":   ErrForbidden,
	"stateMismatch":     ErrChanged,
	"rateLimit":         ErrRateLimited,
	"tooManyRecipients": ErrRecipients,
	"noRecipients":      ErrRecipients,
	"invalidRecipients": ErrRecipients,
}

// failure is what a client hears of an error of the mail server's.
func failure(err error) error {
	var method *jmap.MethodError
	var set *jmap.SetError
	word := ""
	switch {
	case err == nil || core.AsError(err) != nil:
		return err
	case errors.As(err, &set):
		word = set.Type
	case errors.As(err, &method):
		word = method.Type
	}
	if e := words[word]; e != nil {
		return e.Because(err)
	}
	return core.ErrServiceUnavailable.Because(err)
}

package cyrus

import (
	"errors"

	"github.com/emersion/go-imap"
	"github.com/emersion/go-imap/client"
	"github.com/emersion/go-imap/responses"
)

// command is one that the library does not know.
type command struct {
	name string
	args []any
}

// Command implements imap.Commander.
func (c command) Command() *imap.Command { return &imap.Command{Name: c.name, Arguments: c.args} }

func execute(c *client.Client, name string, args ...any) error {
	status, err := c.Execute(command{name, args}, nil)
	if err != nil {
		return err
	}
	return status.Err()
}

// setComment is SETMETADATA (RFC 5464 section 4.3).
func setComment(c *client.Client, mailbox, text string) error {
	return execute(c, "SETMETADATA", mailbox, []any{imap.RawString(commentEntry), text})
}

// comment is GETMETADATA (RFC 5464 section 4.2); empty where there is none.
func comment(c *client.Client, mailbox string) (string, error) {
	h := &metadata{}
	status, err := c.Execute(command{"GETMETADATA", []any{mailbox, imap.RawString(commentEntry)}}, h)
	if err == nil {
		err = status.Err()
	}
	return h.value, err
}

// metadata reads "* METADATA mailbox (entry value)" (RFC 5464 section 4.4.1).
type metadata struct{ value string }

var errMetadata = errors.New("the answer to GETMETADATA is none")

// Handle implements responses.Handler.
func (h *metadata) Handle(resp imap.Resp) error {
	name, fields, ok := imap.ParseNamedResp(resp)
	if !ok || name != "METADATA" {
		return responses.ErrUnhandled
	}
	if len(fields) < 2 {
		return errMetadata
	}
	list, ok := fields[1].([]any)
	if !ok || len(list) < 2 {
		return errMetadata
	}
	if list[1] == nil { // NIL: no such entry
		return nil
	}
	value, err := imap.ParseString(list[1])
	h.value = value
	return err
}

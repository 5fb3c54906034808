package mailprovisioning

import "github.com/sallyport-auth/sallyport/core"

// Codes of this plugin.
var (
	ErrNoMailbox     = core.NewError("MAILBOX_NOT_FOUND", 404, "There is no mailbox yet")
	ErrBeingDeleted  = core.NewError("MAILBOX_BEING_DELETED", 409, "The user's mailbox is being deleted: ask again when it is gone")
	ErrNotConfigured = core.NewError("MAIL_HOOK_NOT_CONFIGURED", 503, "This server takes no calls of other services")
)

var codes = []*core.Error{ErrNoMailbox, ErrBeingDeleted, ErrNotConfigured}

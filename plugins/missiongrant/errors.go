package missiongrant

import "github.com/sallyport-auth/sallyport/core"

// Codes of this plugin. VAULT_NOT_INITIALISED and ZK_ACTIVE are the vault's.
var (
	ErrNotConfigured = core.NewError("GRANT_NOT_CONFIGURED", 503, "Mission grants are not set up on this server")
	ErrBadRequest    = core.NewError("GRANT_BAD_REQUEST", 400, "The request is no grant that can be made")
	ErrNotFound      = core.NewError("GRANT_NOT_FOUND", 404, "There is no such grant")
	ErrServiceKey    = core.ErrUnauthorized
)

var codes = []*core.Error{ErrNotConfigured, ErrBadRequest, ErrNotFound}

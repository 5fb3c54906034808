package jwt

import "github.com/sallyport-auth/sallyport/core"

// ErrKeyUnusable means that there is a signing key and it cannot be used: the secret that
// encrypted it is gone, or its row was altered. It does not mend itself.
var ErrKeyUnusable = core.NewError("JWT_KEY_UNUSABLE", 500, "The signing key cannot be used")

var codes = []*core.Error{ErrKeyUnusable}

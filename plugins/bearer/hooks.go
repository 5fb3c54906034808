package bearer

import (
	"context"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
)

// Header carries the signed token of the session that an answer hands out.
const Header = "set-auth-token"

// authenticate presents the request's bearer token, if it has one, and has the answer give
// the token of the session that it hands out.
func (p *Plugin) authenticate(_ context.Context, e *core.AuthenticateEvent) error {
	e.Call.ExposeToken(Header)
	token, ok := parse(e.Call.Header("Authorization"))
	switch {
	case !ok:
	case strings.Contains(token, "."):
		e.UseSigned(token)
	case !p.o.RequireSignature:
		e.UseToken(token)
	}
	return nil
}

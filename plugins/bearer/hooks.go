package bearer

import (
	"context"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
)

// Header carries the signed token of the session that an answer hands out.
const Header = "set-auth-token"

// authenticate presents the request's bearer token, if it has one.
func (p *Plugin) authenticate(_ context.Context, e *core.AuthenticateEvent) error {
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

// handOut gives the client the token of the session that it is given in a cookie.
func handOut(_ context.Context, e *core.RequestEvent) error {
	if s := e.Call.Handed(); s != nil {
		e.Call.ExposeHeader(Header, e.Call.Host().SignValue(s.Token))
	}
	return nil
}

package jwt

import (
	"context"
	"errors"

	"github.com/sallyport-auth/sallyport/core"
)

// Header carries a token on answers of /get-session.
const Header = "set-auth-jwt"

// addHeader adds the token to a session that is there and was presented itself. Without a token the session still
// is the answer: what is wrong is logged, a key that cannot be used only once. One beyond maxToken is left to /token:
// proxies and clients refuse answers with such long headers, and a user with a long name, or a picture in their
// claims, would have no session any more.
func (p *Plugin) addHeader(ctx context.Context, c *core.Call, out **core.SessionAnswer) error {
	if *out == nil || c.Named() { // an access token could be lengthened by it
		return nil
	}
	token, err := p.issue(ctx, c, *out)
	if err == nil {
		if len(token) <= maxToken {
			c.ExposeHeader(Header, token)
		}
		return nil
	}
	log := func() { c.Log().Error("no token for a session", "cause", err.Error()) }
	var unusable *keyError
	if errors.As(err, &unusable) {
		p.once(unusable.Error(), log)
		return nil
	}
	log()
	return nil
}

// once does something the first time that it is asked for under a name. Names come from
// the configuration, the app and the table of keys, never from requests.
func (p *Plugin) once(name string, do func()) {
	if _, done := p.warned.LoadOrStore(name, true); !done {
		do()
	}
}

package contract

import (
	"context"
	"time"
)

// AccessToken is what a signed access token says: of whom, in which session, until when.
type AccessToken struct {
	Subject   string // the user's id
	SessionID string
	// Claims are all others. Registered ones (iss, sub, aud, exp, nbf, iat, jti, sid) are the
	// minter's: in Mint they are left out, from Verify they come with the rest.
	Claims    map[string]any
	ExpiresAt time.Time // of Verify alone
}

// TokenMinter signs access tokens and knows its own. Plugin jwt provides it.
type TokenMinter interface {
	// Mint signs a token. An error means that there is none: the key cannot be had or used.
	Mint(ctx context.Context, t AccessToken) (string, error)
	// Verify tells whether a token is one that Mint made, for this server, and not expired.
	// An error never means "no": it means that the keys cannot be had. Whether its session
	// still is one is not asked.
	Verify(ctx context.Context, token string) (t AccessToken, ok bool, err error)
}

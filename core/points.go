package core

import (
	"strings"
	"time"
)

// Points around sessions and users. Payloads carry the transaction, if there is one.
var (
	// SignInPoint runs for every way to sign in, before a session exists. Before hooks may
	// refuse (an error) or demand more (Challenge).
	SignInPoint = NewPoint[SignInEvent]("sign-in")
	// SessionCreate runs around the insertion of a session.
	SessionCreate = NewPoint[SessionEvent]("session-create")
	// SessionRevoke runs around the deletion of sessions.
	SessionRevoke = NewPoint[RevokeEvent]("session-revoke")
	// Authenticate runs before the session is read and before the origin check. Hooks that
	// find a credential of their own (bearer token, API key) give it to UseToken.
	Authenticate = NewPoint[AuthenticateEvent]("authenticate")
	// Request runs around every endpoint's handler.
	Request = NewPoint[RequestEvent]("request")
)

// SessionEvent is the payload of SessionCreate. Before hooks may set Session.Extra. Tx is
// never nil in Before and After hooks.
type SessionEvent struct {
	Call    *Call
	Tx      *Tx
	User    *User
	Session *Session
}

// RevokeEvent is the payload of SessionRevoke: one session, or all of the user but Keep.
// Tx is never nil in Before and After hooks.
type RevokeEvent struct {
	Tx        *Tx
	UserID    string
	SessionID string // empty for all
	Keep      string // id of a session that stays, if any
	// Revoked are the sessions that were there, in After and Committed hooks. Of N parallel
	// revocations of one session exactly one has it here.
	Revoked []RevokedSession
}

// RevokedSession is a session that was deleted. One that had ended by itself may be among them.
type RevokedSession struct {
	ID, UserID string
	ExpiresAt  time.Time
}

// AuthenticateEvent is the payload of Authenticate.
type AuthenticateEvent struct{ Call *Call }

// UseToken presents a session token that did not come in the cookie. It must have been
// authenticated as far as its form allows; the database decides whether it is a session.
func (e *AuthenticateEvent) UseToken(token string) {
	e.Call.presented, e.Call.outdated, e.Call.presentedID = strings.Clone(token), false, ""
}

// UseSessionID presents a session by its id, for a credential of the hook's own that names
// one (a signed access token). The database decides whether it still is a session; the
// call gives out neither its token nor a cookie for it. An earlier token gives way.
func (e *AuthenticateEvent) UseSessionID(id string) {
	e.Call.presented, e.Call.outdated, e.Call.presentedID = "", false, strings.Clone(id)
}

// UseSigned is UseToken for a token that is signed as the session cookie is, "token.sig",
// with or without percent-encoding. It presents nothing and returns false where the
// signature does not fit.
func (e *AuthenticateEvent) UseSigned(value string) bool {
	token, key, ok := e.Call.host.signer.Verify(value)
	if !ok {
		return false
	}
	e.Call.presented, e.Call.outdated, e.Call.presentedID = strings.Clone(token), key > 0, ""
	return true
}

// RequestEvent is the payload of Request.
type RequestEvent struct{ Call *Call }

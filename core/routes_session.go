package core

import (
	"context"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/input"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Endpoints about sessions.
var (
	// GetSession answers null without a session. It refreshes the session where it is due.
	GetSession = NewRoute[None, *SessionAnswer]("GET|POST /get-session", Public, NoBody)
	// SignOut ends the caller's session. It succeeds without one.
	SignOut = NewRoute[SignOutInput, SignOutAnswer]("POST /sign-out", Public)
	// ListSessions lists the caller's live sessions. The caller's own has its real token;
	// the others have handles that RevokeSession takes, unless tokens are stored as they are.
	ListSessions = NewRoute[None, []*Session]("GET /list-sessions", FreshSession)
	// RevokeSession ends one of the caller's sessions. An unknown token is no error.
	RevokeSession = NewRoute[RevokeSessionInput, Status]("POST /revoke-session")
	// RevokeSessions ends all sessions of the caller, this one too.
	RevokeSessions = NewRoute[None, Status]("POST /revoke-sessions")
	// RevokeOtherSessions ends all sessions of the caller but this one.
	RevokeOtherSessions = NewRoute[None, Status]("POST /revoke-other-sessions")
	// UpdateSession sets added columns of the caller's session.
	UpdateSession = NewRoute[FieldsInput, UpdatedSession]("POST /update-session", CachedSession)
)

// SessionAnswer is a session with its user.
type SessionAnswer struct {
	Session *Session
	User    *User
	// NeedsRefresh is set where Session.DeferRefresh keeps GET from writing.
	NeedsRefresh *bool
}

func (a *SessionAnswer) appendJSON(b []byte) []byte {
	if a == nil {
		return append(b, "null"...)
	}
	b = append(b, `{"session":`...)
	b = a.Session.appendJSON(b)
	b = append(b, `,"user":`...)
	b = a.User.appendJSON(b)
	if a.NeedsRefresh != nil {
		b = append(b, `,"needsRefresh":`...)
		b = appendValue(b, *a.NeedsRefresh)
	}
	return append(b, '}')
}

// MarshalJSON writes {"session": ..., "user": ...}, or null for none.
func (a *SessionAnswer) MarshalJSON() ([]byte, error) { return a.appendJSON(nil), nil }

// SignOutInput is the input of SignOut. Its members matter to providers' log-out only.
type SignOutInput struct {
	CallbackURL     *string  `json:"callbackURL"`
	DisableRedirect *bool    `json:"disableRedirect"`
	State           *string  `json:"state"`
	_               struct{} `input:"body"`
}

// SignOutAnswer is the answer of SignOut.
type SignOutAnswer struct {
	Success bool `json:"success"`
}

// RevokeSessionInput names a session by its token or handle.
type RevokeSessionInput struct {
	Token string `json:"token"`
}

// FieldsInput takes any members.
type FieldsInput struct {
	Fields input.Members `json:",rest"`
}

// UpdatedSession is the answer of UpdateSession.
type UpdatedSession struct {
	Session *Session `json:"session"`
}

func (h *Host) getSession(ctx context.Context, c *Call, _ None) (*SessionAnswer, error) {
	c.SetHeader("Cache-Control", "no-store")
	c.SetHeader("Pragma", "no-cache")
	if c.ex.Method() == "POST" && !h.cfg.Session.DeferRefresh {
		return nil, ErrDeferRefreshRequired
	}
	needs, err := c.resolveSession(ctx, sessionRead{useCache: true, endpoint: true})
	if err != nil || c.session == nil {
		return nil, err
	}
	return &SessionAnswer{Session: c.session, User: c.user, NeedsRefresh: needs}, nil
}

func (h *Host) signOut(ctx context.Context, c *Call, _ SignOutInput) (SignOutAnswer, error) {
	s, u, err := c.presentedSession(ctx)
	if err == nil && s != nil {
		_, err = h.revokeOne(ctx, nil, s.ID, &Event{Type: EventSignOut, UserID: u.ID, Call: c, Detail: map[string]string{"session": s.ID}})
	}
	if err != nil {
		return SignOutAnswer{}, err // not signed out: the cookie stays, for the next try
	}
	c.ExpireSessionCookies()
	return SignOutAnswer{true}, nil
}

// presentedSession reads the session that the request presents, expired or not.
func (c *Call) presentedSession(ctx context.Context) (*Session, *User, error) {
	if c.presentedID != "" {
		return c.host.SessionByID(ctx, c.host.db, c.presentedID)
	}
	token, _ := c.sessionToken()
	if token == "" || hasReservedPrefix(token) {
		return nil, nil, nil
	}
	return c.host.findSession(ctx, c.host.db, token)
}

func (h *Host) listSessions(ctx context.Context, c *Call, _ None) ([]*Session, error) {
	list, err := h.Sessions(ctx, c.user.ID)
	for _, s := range list {
		if s.ID == c.session.ID {
			s.Token = c.session.Token
		}
	}
	return list, err
}

func (h *Host) revokeSession(ctx context.Context, c *Call, in RevokeSessionInput) (Status, error) {
	id, err := h.revokeToken(ctx, c, in.Token)
	if err != nil {
		return Status{}, err
	}
	if id == c.session.ID {
		c.ExpireSessionCookies()
	}
	return Status{true}, nil
}

func (h *Host) revokeSessions(ctx context.Context, c *Call, _ None) (Status, error) {
	if err := h.revokeAll(ctx, nil, c.user.ID, "", revoked(c, "all", "")); err != nil {
		return Status{}, err
	}
	c.ExpireSessionCookies()
	return Status{true}, nil
}

func (h *Host) revokeOtherSessions(ctx context.Context, c *Call, _ None) (Status, error) {
	return Status{true}, h.revokeAll(ctx, nil, c.user.ID, c.session.ID, revoked(c, "others", ""))
}

func (h *Host) updateSession(ctx context.Context, c *Call, in FieldsInput) (UpdatedSession, error) {
	extra, err := h.sessionModel.userInput(in.Fields, false)
	if err != nil {
		return UpdatedSession{}, err
	}
	if len(extra) == 0 {
		return UpdatedSession{}, errNoFieldsToUpdate
	}
	s, err := h.SetSessionExtra(ctx, nil, c.session, extra)
	if err != nil {
		return UpdatedSession{}, err
	}
	if s == nil {
		c.ExpireSessionCookies()
		return UpdatedSession{}, ErrFailedToGetSession
	}
	return UpdatedSession{s}, c.RefreshCookies(s, c.user)
}

// SetSessionExtra sets added columns of a session and returns it as it is afterwards;
// nil if it has gone.
func (h *Host) SetSessionExtra(ctx context.Context, tx *Tx, s *Session, extra map[string]any) (*Session, error) {
	now := h.Now()
	sql, args := "UPDATE {session=} SET {session:updatedAt} = ?", []any{now}
	for _, f := range h.sessionModel.order {
		if v, ok := extra[f.Name]; ok {
			sql, args = sql+", {session:"+f.Name+"} = ?", append(args, v)
		}
	}
	var out *Session
	err := h.changing(ctx, tx, []string{sessionSubject(s.ID)}, func(ctx context.Context, tx *Tx) error {
		rows, err := h.conn(tx).Query(ctx, sql+" WHERE {session.id} = ? RETURNING "+h.sessionModel.bare, append(args, s.ID)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		if !rows.Next() {
			return rows.Err()
		}
		// The row, not s with the change: s may be what the cookie cache remembers.
		out = &Session{model: h.sessionModel}
		dest, sx := h.sessionModel.extraDests(out.dests())
		if err := rows.Scan(storage.Dests(dest)...); err != nil {
			return err
		}
		out.Extra, out.Token = h.sessionModel.extra(sx), s.Token
		return rows.Close()
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// exportSessions lists sessions for the export: no tokens.
func (h *Host) exportSessions(ctx context.Context, userID string) (any, error) {
	type row struct {
		CreatedAt, ExpiresAt time.Time
		IPAddress, UserAgent *string
	}
	list, err := h.Sessions(ctx, userID)
	out := make([]row, len(list))
	for i, s := range list {
		out[i] = row{s.CreatedAt, s.ExpiresAt, s.IPAddress, s.UserAgent}
	}
	return out, err
}

func hasReservedPrefix(token string) bool {
	_, handle := cutHandle(token)
	return handle || len(token) >= len(hashPrefix) && token[:len(hashPrefix)] == hashPrefix
}

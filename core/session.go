package core

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/cookie"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// sessionRead says how a session is to be read.
type sessionRead struct {
	useCache bool // the cookie cache, or a copy, may answer
	confirm  bool // though it may, the database has the last word
	endpoint bool // this is /get-session itself
}

// hashPrefix marks a stored token as a hash. A presented token with it is refused, so
// that a reader of the database cannot present what is stored.
const hashPrefix = "sha256:"

// handlePrefix marks the opaque name of a session in lists.
const handlePrefix = "session_"

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	var text [len(hashPrefix) + 43]byte
	copy(text[:], hashPrefix)
	base64.RawURLEncoding.Encode(text[len(hashPrefix):], sum[:])
	return string(text[:])
}

// storedToken is the form in which a new token is kept.
func (h *Host) storedToken(token string) string {
	if h.cfg.Session.TokenStorage == "compat" {
		return token
	}
	return hashToken(token)
}

// resolveSession reads the session that the request presents, renews it where it is
// due, and keeps the cookies in step: the rules of Better Auth's get-session. It leaves
// session and user nil when there is none; an error means that it cannot be known.
// needsRefresh is nil unless Session.DeferRefresh kept this read from renewing.
func (c *Call) resolveSession(ctx context.Context, o sessionRead) (needsRefresh *bool, err error) {
	c.session, c.user, c.loaded, c.fromCache = nil, nil, true, false
	h, k := c.host, &c.host.cookies
	if c.presentedID != "" {
		return nil, c.resolveID(ctx)
	}
	token, resign := c.sessionToken()
	cache := h.cfg.Session.CookieCache.Enabled
	if token == "" && cache {
		return nil, nil
	}
	data, hasData := cookie.Join(c.cookieHeader(), k.data.attrs.Name)
	if hasData && !cache {
		c.expirePresent(true)
	}
	if token == "" || hasReservedPrefix(token) {
		return nil, nil
	}
	noCache, noRefresh, known := c.queryFlag("disableCookieCache"), c.queryFlag("disableRefresh"), false
	if cache && o.useCache && !noCache && hasData {
		known = c.readCache(data, token)
		if known && !o.confirm {
			return nil, nil
		}
		if !known {
			c.Expire(k.data)
		}
	}
	forget := c.forgets()
	c.session, c.user, c.fromCache = nil, nil, false
	session, user, ends, err := h.readSession(ctx, c.now, token, o.useCache && !o.confirm && !noCache)
	if err != nil {
		return nil, err
	}
	if session == nil || session.ExpiresAt.Before(c.now) {
		c.ExpireSessionCookies()
		if session != nil && (!h.cfg.Session.DeferRefresh || c.ex.Method() == "POST") {
			if _, err := h.RevokeSession(ctx, nil, session.ID); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	c.session, c.user, c.fromCache, c.cacheEnds = session, user, !ends.IsZero(), ends
	if forget || noRefresh || known { // what the cache says is told again where it has no say
		return nil, nil
	}
	due := c.refreshDue(session)
	if h.cfg.Session.DeferRefresh && o.endpoint && c.ex.Method() != "POST" {
		needs := due
		return &needs, c.setCache(session, user, false)
	}
	switch {
	case due && !(h.cfg.Session.DeferRefresh && !o.endpoint):
		return nil, c.refresh(ctx)
	case resign:
		return nil, c.setSessionCookies(session, user, false)
	}
	return nil, c.setCache(session, user, false)
}

// resolveID reads the session that was presented by its id, and renews it where it is due.
// The client has neither its token nor a cookie, and gets none.
func (c *Call) resolveID(ctx context.Context) error {
	s, u, err := c.host.SessionByID(ctx, c.host.db, c.presentedID)
	if err != nil || s == nil {
		return err
	}
	c.session, c.user = s, u
	if c.refreshDue(s) && (!c.host.cfg.Session.DeferRefresh || c.ex.Method() == "POST") {
		return c.refresh(ctx)
	}
	return nil
}

// SessionByID reads a live session and its user; nil if there is none. Its Token is a
// handle, not what a client could present.
func (h *Host) SessionByID(ctx context.Context, q storage.Conn, id string) (*Session, *User, error) {
	rows, err := q.Query(ctx, h.sql.sessionByID, id, h.Now())
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, nil, rows.Err()
	}
	s, u, err := h.scanSession(rows)
	if err != nil {
		return nil, nil, err
	}
	s.Token = handlePrefix + s.ID
	return s, u, rows.Close()
}

// sessionToken is the session token that the request presents, or "". outdated tells that
// it was signed with a secret that has been rotated out: it is to be renewed.
func (c *Call) sessionToken() (token string, outdated bool) {
	if c.presented != "" {
		return c.presented, c.outdated
	}
	token, key, ok := c.signed(c.host.cookies.token)
	if !ok {
		return "", false
	}
	return token, key > 0
}

// queryFlag is JavaScript's Boolean of a query parameter: any text but none, also "false".
// An endpoint with a query of its own drops every parameter but those before the session is
// read, as zod does.
func (c *Call) queryFlag(name string) bool {
	if c.ep.decoder.TakesQuery() {
		return false
	}
	v, isString, present := c.values.QueryString(name)
	return present && (v != "" || !isString)
}

func (c *Call) refreshDue(s *Session) bool {
	cfg := &c.host.cfg.Session
	if cfg.DisableRefresh {
		return false
	}
	due := s.ExpiresAt.Add(-time.Duration(cfg.ExpiresIn) * time.Second).Add(time.Duration(*cfg.UpdateAge) * time.Second)
	return !due.After(c.now)
}

// refresh moves the session's end. The row may have gone in between: then there is no
// session any more, and the write must not bring it back.
func (c *Call) refresh(ctx context.Context) error {
	s := c.session
	expires := c.now.Add(time.Duration(c.host.cfg.Session.ExpiresIn) * time.Second)
	var n int64
	err := c.host.changing(ctx, nil, []string{sessionSubject(s.ID)}, func(ctx context.Context, tx *Tx) (err error) {
		n, err = c.host.conn(tx).Exec(ctx, "UPDATE {session=} SET {session:expiresAt} = ?, {session:updatedAt} = ? WHERE {session.id} = ?",
			expires, c.now, s.ID)
		return err
	})
	if err != nil {
		return err
	}
	if n == 0 {
		c.session, c.user = nil, nil
		c.ExpireSessionCookies()
		return ErrFailedToGetSession
	}
	s.ExpiresAt, s.UpdatedAt = expires, c.now
	return c.setSessionCookies(s, c.user, false)
}

// readSession is findSession that takes a copy's word where that will do: ends is when
// that has no weight any more, zero for the database's.
func (h *Host) readSession(ctx context.Context, now time.Time, token string, copied bool) (s *Session, u *User, ends time.Time, err error) {
	if copied && h.copies != nil {
		return h.copies.find(ctx, now, token)
	}
	s, u, err = h.findSession(ctx, h.db, token)
	return s, u, time.Time{}, err
}

// findSession reads a session and its user by the presented token, in one round trip.
func (h *Host) findSession(ctx context.Context, q storage.Conn, token string) (*Session, *User, error) {
	rows, err := q.Query(ctx, h.sql.sessionByToken, hashToken(token), token)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, nil, rows.Err()
	}
	s, u, err := h.scanSession(rows)
	if err != nil {
		return nil, nil, err
	}
	s.Token = token
	return s, u, rows.Close()
}

func (h *Host) scanSession(rows storage.Rows) (*Session, *User, error) {
	if h.packed {
		return h.scanPacked(rows)
	}
	s, u := &Session{model: h.sessionModel}, &User{model: h.userModel}
	dest, sx := h.sessionModel.extraDests(s.dests())
	dest = append(dest, u.dests()...)
	dest, ux := h.userModel.extraDests(dest)
	if err := rows.Scan(storage.Dests(dest)...); err != nil {
		return nil, nil, err
	}
	s.Extra, u.Extra = h.sessionModel.extra(sx), h.userModel.extra(ux)
	return s, u, nil
}

// setSessionCookies gives the browser a session. forget makes them end with the
// browser's session.
func (c *Call) setSessionCookies(s *Session, u *User, forget bool) error {
	if s.ID == c.presentedID {
		return nil // its token is not known
	}
	k := &c.host.cookies
	c.handed = s
	c.SetSigned(k.token, s.Token, forget)
	if forget {
		c.SetSigned(k.forget, "true", true)
	} else if _, ok := c.Signed(k.forget); ok {
		c.Expire(k.forget)
	}
	return c.setCache(s, u, forget)
}

// forgets tells whether the browser was told to forget the session at its end. Only the
// cookie's own value says so: signatures do not cover names, and another signed value,
// moved here, must not keep a session from being renewed.
func (c *Call) forgets() bool {
	v, ok := c.Signed(c.host.cookies.forget)
	return ok && v == "true"
}

// RefreshCookies writes the caller's session cookies again after the session or user
// changed, keeping what the browser was told about their life.
func (c *Call) RefreshCookies(s *Session, u *User) error {
	forget := c.forgets()
	return c.setSessionCookies(s, u, forget)
}

// ExpireSessionCookies deletes every cookie that could hold a session.
func (c *Call) ExpireSessionCookies() {
	k := &c.host.cookies
	c.handed = nil
	c.Expire(k.token)
	c.expireData()
	c.Expire(k.forget)
}

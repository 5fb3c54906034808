package core

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/cookie"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// sessionRead says how a session is to be read.
type sessionRead struct {
	useCache bool // the cookie cache may answer
	endpoint bool // this is /get-session itself
}

// hashPrefix marks a stored token as a hash. A presented token with it is refused, so
// that a reader of the database cannot present what is stored.
const hashPrefix = "sha256:"

// handlePrefix marks the opaque name of a session in lists.
const handlePrefix = "session_"

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hashPrefix + base64.RawURLEncoding.EncodeToString(sum[:])
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
	token, resign := c.presented, c.outdated
	if token == "" {
		var key int
		var ok bool
		if token, key, ok = c.signed(k.token); !ok {
			token = ""
		}
		resign = key > 0 // signed with a secret that has been rotated out: renew it
	}
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
	noCache, noRefresh := c.queryFlag("disableCookieCache"), c.queryFlag("disableRefresh")
	if cache && o.useCache && !noCache && hasData {
		if c.readCache(data, token) {
			return nil, nil
		}
		if o.endpoint { // elsewhere the line that sets it anew is enough
			c.Expire(k.data)
		}
	}
	forget := c.forgets()
	session, user, err := h.findSession(ctx, h.db, token)
	if err != nil {
		return nil, err
	}
	if session == nil || session.ExpiresAt.Before(c.now) {
		c.ExpireSessionCookies()
		if session != nil && (!h.cfg.Session.DeferRefresh || c.ex.Method() == "POST") {
			if err := h.deleteSession(ctx, nil, session.ID); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	c.session, c.user = session, user
	if forget || noRefresh {
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

// queryFlag is JavaScript's Boolean of a query parameter: any text but none, also "false".
func (c *Call) queryFlag(name string) bool {
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
	n, err := c.host.db.Exec(ctx, "UPDATE {session=} SET {session:expiresAt} = ?, {session:updatedAt} = ? WHERE {session.id} = ?",
		expires, c.now, s.ID)
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

// readCache takes the session from the cookie cache if everything about it fits.
func (c *Call) readCache(raw, token string) bool {
	h := c.host
	p, ok := h.decodeCache(raw, c.now)
	if !ok || p.Version != h.cfg.Session.CookieCache.Version || p.ExpiresAt < c.now.UnixMilli() {
		return false
	}
	s, u := &Session{model: h.sessionModel}, &User{model: h.userModel}
	if s.fromJSON(p.Session) != nil || u.fromJSON(p.User) != nil || s.Token != token || s.ID == "" || u.ID == "" ||
		s.UserID != u.ID || s.ExpiresAt.Before(c.now) {
		return false
	}
	c.session, c.user, c.fromCache = s, u, true
	return true
}

func (h *Host) decodeCache(raw string, now time.Time) (cookie.CachePayload, bool) {
	keys := h.keyring.SigningKeys()
	switch h.cfg.Session.CookieCache.Strategy {
	case "jwt":
		return cookie.DecodeJWT(keys, raw, now)
	case "jwe":
		return cookie.DecodeJWE(keys, raw, now)
	}
	return cookie.DecodeCompact(keys, raw)
}

// setCache writes the session_data cookie, if the cache is on.
func (c *Call) setCache(s *Session, u *User, forget bool) error {
	cfg := &c.host.cfg.Session.CookieCache
	if !cfg.Enabled {
		return nil
	}
	attrs := c.host.cookies.data.attrs
	life := time.Duration(cfg.MaxAge) * time.Second
	if forget {
		// Without a Max-Age the cookie would outlive its use; a minute bounds it.
		attrs.MaxAge, life = nil, time.Minute
	}
	p := cookie.CachePayload{Session: s.appendJSON(nil), User: u.appendJSON(nil), UpdatedAt: c.now.UnixMilli(),
		Version: cfg.Version, ExpiresAt: c.now.Add(life).UnixMilli()}
	var err error
	switch cfg.Strategy {
	case "jwt":
		attrs.Value, err = cookie.EncodeJWT(c.host.keyring.Current(), p, c.now, life)
	case "jwe":
		attrs.Value, err = cookie.EncodeJWE(c.host.random, c.host.keyring.Current(), p, c.now, life)
	default:
		attrs.Value = cookie.EncodeCompact(c.host.keyring.Current(), p)
	}
	if err != nil {
		return err
	}
	parts := cookie.Split(attrs.Name, attrs.Value, attrs)
	for _, part := range parts {
		c.pushCookie(part)
	}
	// What an earlier, longer or shorter one left behind would be read first or joined.
	c.expirePresent(len(parts) > 1)
	return nil
}

// setSessionCookies gives the browser a session. forget makes them end with the
// browser's session.
func (c *Call) setSessionCookies(s *Session, u *User, forget bool) error {
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

// expireData deletes the cookie cache and whatever chunks of it the browser has.
func (c *Call) expireData() {
	c.Expire(c.host.cookies.data)
	c.expirePresent(false)
}

// expirePresent deletes those chunks of the cookie cache that the browser has, and with
// whole the undivided one if it has that.
func (c *Call) expirePresent(whole bool) {
	base := c.host.cookies.data.attrs
	cookie.Each(c.cookieHeader(), func(name, _ string) {
		if _, chunk := cookie.ChunkIndex(base.Name, name); !chunk && !(whole && name == base.Name) || c.sets(name) {
			return
		}
		a, zero := base, 0
		a.Name, a.Value, a.MaxAge = strings.Clone(name), "", &zero
		c.pushCookie(a)
	})
}

// sets tells whether this answer sets a cookie already.
func (c *Call) sets(name string) bool {
	for _, s := range c.cookies {
		if s.name == name {
			return true
		}
	}
	return false
}

func (s *Session) fromJSON(raw json.RawMessage) error {
	var j struct {
		ID, Token, UserID               string
		ExpiresAt, CreatedAt, UpdatedAt time.Time
		IPAddress, UserAgent            *string
	}
	if err := json.Unmarshal(raw, &j); err != nil {
		return err
	}
	s.ID, s.Token, s.UserID, s.ExpiresAt, s.CreatedAt, s.UpdatedAt, s.IPAddress, s.UserAgent =
		j.ID, j.Token, j.UserID, j.ExpiresAt, j.CreatedAt, j.UpdatedAt, j.IPAddress, j.UserAgent
	var err error
	s.Extra, err = s.model.extraJSON(raw)
	return err
}

func (u *User) fromJSON(raw json.RawMessage) error {
	var j struct {
		ID, Name, Email      string
		EmailVerified        bool
		Image                *string
		CreatedAt, UpdatedAt time.Time
	}
	if err := json.Unmarshal(raw, &j); err != nil {
		return err
	}
	u.ID, u.Name, u.Email, u.EmailVerified, u.Image, u.CreatedAt, u.UpdatedAt =
		j.ID, j.Name, j.Email, j.EmailVerified, j.Image, j.CreatedAt, j.UpdatedAt
	var err error
	u.Extra, err = u.model.extraJSON(raw)
	return err
}

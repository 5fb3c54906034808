package core

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/cookie"
)

// The cookie cache: a signed cookie that answers for the database for a bounded time.

// maxCache bounds the cache's value in bytes. Servers read 16 KiB of headers, or even 8:
// with a longer one every request would fail, also those that could mend it.
const maxCache = 12 << 10

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
	c.session, c.user, c.fromCache, c.cacheEnds = s, u, true, time.UnixMilli(p.ExpiresAt)
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

// setCache writes the session_data cookie, if the cache is on. One that follows from the
// cache's own word ends when that does: else a role that was taken away could be kept, by
// having the cookies written again and again.
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
	if c.fromCache {
		life = min(life, c.cacheEnds.Sub(c.now))
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
	if len(attrs.Value) > maxCache {
		c.expireData()
		return nil
	}
	parts := cookie.Split(attrs.Name, attrs.Value, attrs)
	for _, part := range parts {
		c.pushCookie(part)
	}
	// What an earlier, longer or shorter one left behind would be read first or joined.
	c.expirePresent(len(parts) > 1)
	return nil
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

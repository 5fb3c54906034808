package core

import (
	"encoding/json"
	"errors"
	"slices"
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
	switch h.cfg.Session.CookieCache.Strategy {
	case "jwt":
		return cookie.DecodeJWT(h.keyring.SigningKeys(), raw, now)
	case "jwe":
		return cookie.DecodeJWE(h.keyring.SigningKeys(), raw, now)
	}
	return h.signer.DecodeCompact(raw)
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
		// Without a Max-Age the cookie would outlive its use; a minute bounds it, or less.
		attrs.MaxAge, life = nil, min(life, time.Minute)
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
		if attrs.Value = c.host.signer.EncodeCompact(p); attrs.Value == "" {
			err = cookie.ErrContent
		}
	}
	// What a user has given themselves must not shut them out: the database answers for it.
	if errors.Is(err, cookie.ErrContent) || err == nil && len(attrs.Value) > maxCache {
		c.expireData()
		return nil
	}
	if err != nil {
		return err
	}
	parts := cookie.Split(attrs.Name, attrs.Value, attrs)
	// What an earlier, longer or shorter one left behind would be read first or joined. As
	// Better Auth does it, what the browser has comes in its order, set anew or deleted.
	cookie.Each(c.cookieHeader(), func(name, _ string) {
		if _, chunk := cookie.ChunkIndex(attrs.Name, name); !chunk && name != attrs.Name {
			return
		}
		if i := slices.IndexFunc(parts, func(p cookie.Cookie) bool { return p.Name == name }); i >= 0 {
			c.pushCookie(parts[i])
			parts = slices.Delete(parts, i, i+1)
		} else if !c.sets(name) {
			c.pushGone(name)
		}
	})
	for _, part := range parts {
		c.pushCookie(part)
	}
	return nil
}

// pushGone deletes the cookie cache, or a chunk of it, of that name.
func (c *Call) pushGone(name string) {
	a, zero := c.host.cookies.data.attrs, 0
	a.Name, a.Value, a.MaxAge = strings.Clone(name), "", &zero
	c.pushCookie(a)
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
		c.pushGone(name)
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

// fromJSON reads what appendJSON wrote, or Better Auth: an object without white space.
func (s *Session) fromJSON(raw json.RawMessage) error {
	r := memberReader{extra: s.model.newExtra()}
	is := cookie.Members(raw, func(name, v []byte) {
		switch string(name) {
		case "id":
			s.ID = r.text(v)
		case "token":
			s.Token = r.text(v)
		case "userId":
			s.UserID = r.text(v)
		case "expiresAt":
			s.ExpiresAt = r.time(v)
		case "createdAt":
			s.CreatedAt = r.time(v)
		case "updatedAt":
			s.UpdatedAt = r.time(v)
		case "ipAddress":
			s.IPAddress = r.pointer(v)
		case "userAgent":
			s.UserAgent = r.pointer(v)
		default:
			r.added(s.model, name, v)
		}
	})
	s.Extra = r.extra
	return r.end(is)
}

// fromJSON is Session.fromJSON for a user.
func (u *User) fromJSON(raw json.RawMessage) error {
	r := memberReader{extra: u.model.newExtra()}
	is := cookie.Members(raw, func(name, v []byte) {
		switch string(name) {
		case "id":
			u.ID = r.text(v)
		case "name":
			u.Name = r.text(v)
		case "email":
			u.Email = r.text(v)
		case "emailVerified":
			u.EmailVerified = r.bool(v)
		case "image":
			u.Image = r.pointer(v)
		case "createdAt":
			u.CreatedAt = r.time(v)
		case "updatedAt":
			u.UpdatedAt = r.time(v)
		default:
			r.added(u.model, name, v)
		}
	})
	u.Extra = r.extra
	return r.end(is)
}

var errMember = errors.New("core: a member of the session or user is of another type")

// memberReader reads values of members. The first failure stays.
type memberReader struct {
	extra map[string]any
	err   error
}

func (r *memberReader) end(object bool) error {
	if r.err == nil && !object {
		return errMember
	}
	return r.err
}

func (r *memberReader) text(v []byte) string {
	s, ok := cookie.Text(v)
	if !ok {
		r.err = errMember
	}
	return s
}

func (r *memberReader) pointer(v []byte) *string {
	if string(v) == "null" {
		return nil
	}
	s := r.text(v)
	return &s
}

func (r *memberReader) bool(v []byte) bool {
	if string(v) != "true" && string(v) != "false" {
		r.err = errMember
	}
	return string(v) == "true"
}

func (r *memberReader) time(v []byte) time.Time {
	s := r.text(v)
	t, ok := jsonTime(s)
	if !ok && r.err == nil {
		t, r.err = time.Parse(time.RFC3339Nano, s)
	}
	return t
}

// added reads an added column. What the model does not know, or clients never see, is
// passed over.
func (r *memberReader) added(m *model, name, v []byte) {
	f := m.fields[string(name)]
	if f == nil || f.Hidden || string(v) == "null" || r.err != nil {
		return
	}
	r.extra[f.Name], r.err = readJSONValue(f.Kind, v)
}

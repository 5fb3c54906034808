package core

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/internal/sessioncache"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Sessions in the memory of the process (Session.Cache). They answer where the cookie cache
// may; everything else asks the database. Who changes rows announces it in the same
// transaction (storage.Announcer), so every process hears of it behind the commit, and none
// of what was undone. How a change wins every race: package sessioncache.

const (
	sessionChannel = "sallyport_sessions"
	// cacheTrust is how old the channel's proof may be.
	cacheTrust = 900 * time.Millisecond
)

type sessionCache struct {
	h         *Host
	announcer storage.Announcer
	memory    *sessioncache.Cache[cachedSession]
	cloneJSON bool // some added column is JSON: bytes that could be changed
	watch     *storeWatch
}

// cachedSession is never changed and never handed out.
type cachedSession struct {
	session *Session
	user    *User
}

func newSessionCache(h *Host, a storage.Announcer) *sessionCache {
	cfg := &h.cfg.Session.Cache
	c := &sessionCache{h: h, announcer: a, watch: &h.watch.cache}
	c.watch.name, c.watch.meanwhile, c.watch.log = "session cache", "the database answers", h.log
	for _, m := range []*model{h.sessionModel, h.userModel} {
		for _, col := range m.cols[m.core:] {
			c.cloneJSON = c.cloneJSON || col.Kind == schema.JSON
		}
	}
	c.memory = sessioncache.New[cachedSession](sessioncache.Limits{Life: time.Duration(cfg.MaxAge) * time.Second, Trust: cacheTrust,
		Entries: cfg.MaxEntries, Bytes: cfg.MaxBytes}, time.Now)
	return c
}

// find reads a session from memory, or from the database, and keeps it. ends is zero for
// what the database said.
func (c *sessionCache) find(ctx context.Context, now time.Time, token string) (s *Session, u *User, ends time.Time, err error) {
	l := c.memory.Look(sessioncache.KeyOf(token), now)
	c.watch.calls.Add(1)
	switch {
	case !l.Believed:
		c.watch.failures.Add(1)
	case l.Found:
		c.watch.hits.Add(1)
		s, u = copySession(l.Value.session, l.Value.user, c.cloneJSON)
		s.Token = token
		return s, u, l.Ends, nil
	}
	s, u, err = c.h.findSession(ctx, c.h.db, token)
	if err == nil && s != nil && l.Believed && s.ExpiresAt.After(now) {
		kept := cachedSession{}
		kept.session, kept.user = copySession(s, u, c.cloneJSON)
		kept.session.Token = ""
		c.memory.Keep(l, sessioncache.Entry[cachedSession]{Value: kept, Subjects: [2]string{sessionSubject(s.ID), userSubject(u.ID)},
			Life: s.ExpiresAt.Sub(now), Size: kept.size()})
	}
	return s, u, time.Time{}, err
}

// announce tells all processes, with tx's commit.
func (c *sessionCache) announce(ctx context.Context, tx *Tx, subjects []string) error {
	for text := strings.Join(subjects, " "); text != ""; {
		part := text
		if len(part) > storage.MaxAnnouncement {
			part = part[:strings.LastIndexByte(part[:storage.MaxAnnouncement+1], ' ')]
		}
		s := c.announcer.Announcement(sessionChannel, part)
		if _, err := tx.Exec(ctx, s.SQL, s.Args...); err != nil {
			return err
		}
		text = strings.TrimPrefix(text[len(part):], " ")
	}
	return nil
}

func (c *sessionCache) announces() bool { return true }

// block voids entries of subjects and lets none be made until release is called, or
// copyBlock has passed: an app that was to tell that its transaction is over may not.
func (c *sessionCache) block(_ context.Context, subjects []string) (release func()) {
	mark := c.memory.Block(copyBlock, subjects)
	return func() { c.memory.Release(mark, subjects) }
}

// listen starts to hear of changes. Until the channel has proved itself the database answers.
func (h *Host) listen() error {
	c, ok := h.copies.(*sessionCache)
	if !ok {
		return nil
	}
	deaf, err := c.announcer.Listen(sessionChannel, c)
	if err != nil {
		return fmt.Errorf("core: session.cache: %w", err)
	}
	h.deaf = deaf
	return nil
}

// Reset implements storage.Listener.
func (c *sessionCache) Reset(reason error) {
	c.memory.Reset()
	if reason != nil {
		c.watch.turn(context.Background(), reason)
	}
}

// Heard implements storage.Listener. What is no list of subjects makes everything void:
// that is for whoever changes rows by hand.
func (c *sessionCache) Heard(text string) {
	subjects := strings.Fields(text)
	for _, s := range subjects {
		if len(s) != subjectLength || s[0] != 'u' && s[0] != 's' {
			c.memory.Forget()
			return
		}
	}
	c.memory.Changed(subjects)
}

// Current implements storage.Listener.
func (c *sessionCache) Current(at time.Time) {
	c.memory.Current(at)
	c.watch.turn(context.Background(), nil)
}

// copySession copies everything that a hook or a handler could change.
func copySession(s *Session, u *User, cloneJSON bool) (*Session, *User) {
	b := &struct {
		s                Session
		u                User
		ip, agent, image string
	}{s: *s, u: *u}
	b.s.IPAddress, b.s.UserAgent, b.u.Image = copyText(s.IPAddress, &b.ip), copyText(s.UserAgent, &b.agent), copyText(u.Image, &b.image)
	b.s.Extra, b.u.Extra = maps.Clone(s.Extra), maps.Clone(u.Extra)
	if cloneJSON {
		for _, extra := range []map[string]any{b.s.Extra, b.u.Extra} {
			for k, v := range extra {
				if raw, ok := v.(json.RawMessage); ok {
					extra[k] = json.RawMessage(bytes.Clone(raw))
				}
			}
		}
	}
	return &b.s, &b.u
}

func copyText(from, to *string) *string {
	if from == nil {
		return nil
	}
	*to = *from
	return to
}

// size is about how much memory an entry takes: its structs and maps, and the texts.
func (c *cachedSession) size() int {
	n := 900 + 2*subjectLength
	text := func(list ...*string) {
		for _, s := range list {
			if s != nil {
				n += len(*s)
			}
		}
	}
	s, u := c.session, c.user
	text(&s.ID, &s.UserID, s.IPAddress, s.UserAgent, &u.ID, &u.Name, &u.Email, u.Image)
	for _, extra := range []map[string]any{s.Extra, u.Extra} {
		for _, v := range extra {
			n += 64
			switch v := v.(type) {
			case string:
				n += len(v)
			case json.RawMessage:
				n += len(v)
			}
		}
	}
	return n
}

// sessionCache refuses a cache that could not keep its promise.
func (b *compiler) sessionCache() {
	cfg := &b.h.cfg
	cache := &cfg.Session.Cache
	if m, most := cache.MaxAge, int(contract.MaxSessionCopy/time.Second); m < 1 || m > most {
		b.fault("session.cache.maxAge: %d s: must be from 1 to %d", m, most)
	}
	if cache.MaxEntries < 100 || cache.MaxBytes < 1<<20 {
		b.fault("session.cache: maxEntries must be at least 100, maxBytes at least 1048576")
	}
	if !cache.Enabled {
		return
	}
	if cfg.Session.TokenStorage == "compat" {
		b.fault("session.cache.enabled: cannot be with session.tokenStorage \"compat\": Better Auth on the same database would not tell what it changes")
	}
	if cfg.Session.Storage == "redis" {
		b.fault("session.cache.enabled: cannot be with session.storage \"redis\": choose one of them")
	}
}

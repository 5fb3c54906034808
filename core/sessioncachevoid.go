package core

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// How a cache learns of changes: its own process's by block, others' by what they announce.

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

// block voids entries of subjects and lets none be made until release is called, or
// copyBlock has passed: an app that was to tell that its transaction is over may not.
func (c *sessionCache) block(_ context.Context, subjects []string) (release func()) {
	mark := c.blockFor(copyBlock, subjects)
	return func() { c.unblock(mark, subjects) }
}

func (c *sessionCache) blockFor(limit time.Duration, subjects []string) (mark int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.void(subjects)
	for _, s := range subjects {
		c.blocked[s] = append(c.blocked[s], cacheBlock{c.version, time.Now().Add(limit)})
	}
	return c.version
}

func (c *sessionCache) unblock(mark int64, subjects []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.void(subjects)
	for _, s := range subjects {
		c.lift(s, func(b cacheBlock) bool { return b.mark == mark })
	}
}

func (c *sessionCache) lift(subject string, over func(cacheBlock) bool) {
	left := slices.DeleteFunc(c.blocked[subject], over)
	if c.blocked[subject] = left; len(left) == 0 {
		delete(c.blocked, subject)
	}
}

// void makes what is known of subjects void, and what is being read of them.
func (c *sessionCache) void(subjects []string) {
	c.version++
	if len(c.changed)+len(subjects) > cacheMarks {
		c.forget()
		return
	}
	for _, s := range subjects {
		c.changed[s] = c.version
	}
}

// forget makes everything void. Blocks stay.
func (c *sessionCache) forget() {
	c.version++
	c.floor = c.version
	c.young, c.old, c.changed = map[cacheKey]*cacheEntry{}, map[cacheKey]*cacheEntry{}, map[string]int64{}
	c.youngBytes, c.oldBytes = 0, 0
}

// Reset implements storage.Listener.
func (c *sessionCache) Reset(reason error) {
	c.current.Store(nil)
	c.mu.Lock()
	c.forget()
	c.mu.Unlock()
	if reason != nil {
		c.watch.turn(context.Background(), reason)
	}
}

// Heard implements storage.Listener. What is no list of subjects makes everything void:
// that is for whoever changes rows by hand.
func (c *sessionCache) Heard(text string) {
	subjects := strings.Fields(text)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range subjects {
		if len(s) != subjectLength || s[0] != 'u' && s[0] != 's' {
			c.forget()
			return
		}
	}
	c.void(subjects)
}

// Current implements storage.Listener. It also lets go what nobody has asked for.
func (c *sessionCache) Current(at time.Time) {
	c.current.Store(&at)
	c.watch.turn(context.Background(), nil)
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.rotated) >= c.life {
		c.rotate()
	}
	for s := range c.blocked {
		c.lift(s, func(b cacheBlock) bool { return now.After(b.ends) })
	}
}

// entries counts what is kept, and about how many bytes that takes.
func (c *sessionCache) entries() (n, bytes int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.young) + len(c.old), c.youngBytes + c.oldBytes
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

// entrySize is about how much memory an entry takes: its structs and maps, and the texts.
func entrySize(e *cacheEntry) int {
	n := 900
	text := func(list ...*string) {
		for _, s := range list {
			if s != nil {
				n += len(*s)
			}
		}
	}
	s, u := e.session, e.user
	text(&s.ID, &s.UserID, s.IPAddress, s.UserAgent, &u.ID, &u.Name, &u.Email, u.Image, &e.bySession, &e.byUser)
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

func (c *sessionCache) announces() bool { return true }

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

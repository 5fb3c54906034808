package core

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// CacheStore is the session cache as the suite of stores wants one.
type CacheStore struct{ c *sessionCache }

// NewCacheStore makes one that holds many entries.
func NewCacheStore() CacheStore {
	h := &Host{}
	h.cfg.setDefaults()
	h.userModel, h.sessionModel = &model{}, &model{}
	c := newSessionCache(h, nil)
	return CacheStore{c}
}

// TrustChannel is for tests on machines that may be busy: whether the channel is believed must
// not depend on that.
func TrustChannel(a *Auth) { a.h.copies.(*sessionCache).trust = time.Minute }

// Read implements contract.SessionStore.
func (s CacheStore) Read(_ context.Context, key string) ([]byte, int64, error) {
	now := time.Now()
	s.c.Current(now)
	e, version := s.c.lookup(sha256.Sum256([]byte(key)))
	if e == nil || !s.c.believed(now) || !e.good(now, now) {
		return nil, version, nil
	}
	return []byte(e.session.ID), 0, nil
}

// Write implements contract.SessionStore.
func (s CacheStore) Write(_ context.Context, key string, c contract.SessionCopy, version int64) (bool, error) {
	now := time.Now()
	return version > 0 && s.c.store(sha256.Sum256([]byte(key)), &cacheEntry{session: &Session{ID: string(c.Data)}, bySession: c.Subjects[0],
		byUser: c.Subjects[len(c.Subjects)-1], version: version, at: now, asked: now, life: c.Life, size: 1000}), nil
}

// Block implements contract.SessionStore.
func (s CacheStore) Block(_ context.Context, limit time.Duration, subjects ...string) (int64, error) {
	return s.c.blockFor(limit, subjects), nil
}

// Release implements contract.SessionStore.
func (s CacheStore) Release(_ context.Context, mark int64, subjects ...string) error {
	s.c.unblock(mark, subjects)
	return nil
}

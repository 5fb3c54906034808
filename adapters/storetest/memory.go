package storetest

import (
	"context"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// MemorySessions is a contract.SessionStore of one process: what the others have to do,
// written down as plainly as can be. It never forgets an epoch, so it is for tests.
type MemorySessions struct {
	// Now is its clock. Default time.Now.
	Now func() time.Time
	// Err, if set, is what every call answers.
	Err error

	mu     sync.Mutex
	last   int64
	copies map[string]memoryCopy
	good   map[string]int64   // by subject: from which version on copies are good
	blocks map[string][]block // by subject
}

type memoryCopy struct {
	contract.SessionCopy
	version int64
	ends    time.Time
}

type block struct {
	mark int64
	ends time.Time
}

func (m *MemorySessions) enter() (now time.Time, leave func()) {
	m.mu.Lock()
	if m.copies == nil {
		m.copies, m.good, m.blocks = map[string]memoryCopy{}, map[string]int64{}, map[string][]block{}
	}
	m.last++
	if m.Now == nil {
		return time.Now(), m.mu.Unlock
	}
	return m.Now(), m.mu.Unlock
}

// open tells whether copies from that version on may be made of the subjects.
func (m *MemorySessions) open(now time.Time, version int64, subjects []string) bool {
	for _, s := range subjects {
		if m.good[s] > version {
			return false
		}
		for _, b := range m.blocks[s] {
			if now.Before(b.ends) {
				return false
			}
		}
	}
	return true
}

// Read implements contract.SessionStore.
func (m *MemorySessions) Read(_ context.Context, key string) ([]byte, int64, error) {
	now, leave := m.enter()
	defer leave()
	if m.Err != nil {
		return nil, 0, m.Err
	}
	if c, ok := m.copies[key]; ok && now.Before(c.ends) && m.open(now, c.version, c.Subjects) {
		return c.Data, 0, nil
	}
	return nil, m.last, nil
}

// Write implements contract.SessionStore.
func (m *MemorySessions) Write(_ context.Context, key string, c contract.SessionCopy, version int64) (bool, error) {
	now, leave := m.enter()
	defer leave()
	if m.Err != nil || version <= 0 || !m.open(now, version, c.Subjects) {
		return false, m.Err
	}
	m.copies[key] = memoryCopy{c, version, now.Add(min(c.Life, contract.MaxSessionCopy))}
	return true, nil
}

// Block implements contract.SessionStore.
func (m *MemorySessions) Block(_ context.Context, limit time.Duration, subjects ...string) (int64, error) {
	now, leave := m.enter()
	defer leave()
	if m.Err != nil {
		return 0, m.Err
	}
	for _, s := range subjects {
		m.good[s] = m.last
		m.blocks[s] = append(m.blocks[s], block{m.last, now.Add(limit)})
	}
	return m.last, nil
}

// Release implements contract.SessionStore.
func (m *MemorySessions) Release(_ context.Context, mark int64, subjects ...string) error {
	_, leave := m.enter()
	defer leave()
	if m.Err != nil {
		return m.Err
	}
	for _, s := range subjects {
		m.good[s] = m.last
		kept := m.blocks[s][:0]
		for _, b := range m.blocks[s] {
			if b.mark != mark {
				kept = append(kept, b)
			}
		}
		m.blocks[s] = kept
	}
	return nil
}

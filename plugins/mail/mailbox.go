package mail

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/mail/jmap"
)

// mailbox is a user's mail during one request.
type mailbox struct {
	p       *Plugin
	cred    contract.MailCredentials
	login   jmap.Login
	session *jmap.Session
	key     [sha256.Size]byte
}

// open signs the caller in on the mail server.
func (p *Plugin) open(ctx context.Context, c *core.Call) (*mailbox, error) {
	c.SetHeader("Cache-Control", "no-store")
	_, u := c.Session()
	cred, err := p.mailboxes.Credentials(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	m := &mailbox{p: p, cred: cred, login: jmap.Login{Name: cred.Name, Password: cred.Password}}
	// With the password: a name that somebody else has now is another key.
	m.key = sha256.Sum256([]byte(cred.Name + "\x00" + cred.Password))
	if m.session = p.sessions.get(m.key, p.host.Now()); m.session != nil {
		return m, nil
	}
	if m.session, err = p.client.Session(ctx, m.login); err != nil {
		return nil, core.ErrServiceUnavailable.Because(err)
	}
	p.sessions.put(m.key, m.session, p.host.Now())
	return m, nil
}

// do makes calls as the user. Its errors are the mail server's: see failure.
func (m *mailbox) do(ctx context.Context, calls ...jmap.Call) error {
	state, err := m.p.client.Do(ctx, m.login, m.session, calls...)
	m.noted(err)
	if err == nil && state != m.session.State { // RFC 8620 section 3.4: the session object has changed
		m.p.sessions.drop(m.key)
	}
	return err
}

// noted drops the session after an error that it may be the reason of.
func (m *mailbox) noted(err error) {
	var method *jmap.MethodError
	switch {
	case err == nil, errors.As(err, &method) && words[method.Type] != nil, errors.Is(err, jmap.ErrTooLarge):
	default:
		m.p.sessions.drop(m.key)
	}
}

// sessions keeps session objects in memory. They hold no secret, and say where the server's
// endpoints and the user's account are; every call still shows the password.
type sessions struct {
	mu   sync.Mutex
	kept map[[sha256.Size]byte]kept
}

type kept struct {
	session *jmap.Session
	until   time.Time
}

const (
	sessionLife  = 5 * time.Minute
	mostSessions = 4096
)

func (s *sessions) get(key [sha256.Size]byte, now time.Time) *jmap.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.kept[key]; ok && now.Before(k.until) {
		return k.session
	}
	return nil
}

func (s *sessions) put(key [sha256.Size]byte, session *jmap.Session, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) >= mostSessions {
		s.kept = nil // all of them: it happens rarely, and costs each one request
	}
	if s.kept == nil {
		s.kept = map[[sha256.Size]byte]kept{}
	}
	s.kept[key] = kept{session, now.Add(sessionLife)}
}

func (s *sessions) drop(key [sha256.Size]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, key)
}

package sqldb

import (
	"container/list"
	"context"
	"database/sql"
	"sync"
)

// pool is a *sql.DB with the statements that are prepared on it. database/sql prepares
// a *sql.Stmt once on every connection that it meets, so a warm statement is one trip.
type pool struct {
	db    *sql.DB
	stale func(error) bool
	turn  chan struct{} // holds one value while somebody has the single writer

	mu     sync.Mutex
	byText map[string]*list.Element // of *prepared
	recent *list.List               // the most recently used first
	wanted map[string]bool          // used inside a transaction, not prepared yet
}

// prepared is one statement. Its lock is held shared by those who start it, so that it
// is never closed between look-up and use.
type prepared struct {
	sync.RWMutex
	text   string
	stmt   *sql.Stmt
	closed bool
}

func newPool(db *sql.DB, stale func(error) bool) *pool {
	return &pool{db: db, stale: stale, byText: map[string]*list.Element{}, recent: list.New(), wanted: map[string]bool{}}
}

func (p *pool) release() { <-p.turn }

// peek returns a prepared statement, read-locked, or nil.
func (p *pool) peek(text string) *prepared {
	p.mu.Lock()
	e := p.byText[text]
	if e != nil {
		p.recent.MoveToFront(e)
	}
	p.mu.Unlock()
	if e == nil {
		return nil
	}
	s := e.Value.(*prepared)
	s.RLock()
	if s.closed {
		s.RUnlock()
		return nil
	}
	return s
}

// prepare returns a prepared statement, read-locked.
func (p *pool) prepare(ctx context.Context, text string) (*prepared, error) {
	if s := p.peek(text); s != nil {
		return s, nil
	}
	stmt, err := p.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	s := &prepared{text: text, stmt: stmt}
	s.RLock()
	var old []*prepared
	p.mu.Lock()
	if e := p.byText[text]; e != nil { // somebody else was as quick: keep the newer
		old = append(old, e.Value.(*prepared))
		p.recent.Remove(e)
	}
	p.byText[text] = p.recent.PushFront(s)
	if p.recent.Len() > maxPrepared {
		last := p.recent.Back()
		p.recent.Remove(last)
		delete(p.byText, last.Value.(*prepared).text)
		old = append(old, last.Value.(*prepared))
	}
	p.mu.Unlock()
	for _, o := range old {
		o.close()
	}
	return s, nil
}

func (s *prepared) close() {
	s.Lock()
	defer s.Unlock()
	if !s.closed {
		s.closed = true
		_ = s.stmt.Close() // what it frees is the server's memory; nothing to do about it
	}
}

// has tells whether a statement is prepared.
func (p *pool) has(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byText[text] != nil
}

// drop forgets a statement, unless a newer one has taken its place.
func (p *pool) drop(s *prepared) {
	p.mu.Lock()
	if e := p.byText[s.text]; e != nil && e.Value == s {
		p.recent.Remove(e)
		delete(p.byText, s.text)
	}
	p.mu.Unlock()
	s.close()
}

func (p *pool) close() {
	p.mu.Lock()
	all := p.recent
	p.byText, p.recent = map[string]*list.Element{}, list.New()
	p.mu.Unlock()
	for e := all.Front(); e != nil; e = e.Next() {
		e.Value.(*prepared).close()
	}
}

// want remembers a statement that a transaction met unprepared. To prepare it then
// would take a second connection, which a transaction must not wait for.
func (p *pool) want(text string) {
	p.mu.Lock()
	if len(p.wanted) < maxPrepared {
		p.wanted[text] = true
	}
	p.mu.Unlock()
}

// prepareWanted prepares what past transactions wanted. Faults show when it is used.
func (p *pool) prepareWanted(ctx context.Context) {
	p.mu.Lock()
	if len(p.wanted) == 0 {
		p.mu.Unlock()
		return
	}
	wanted := p.wanted
	p.wanted = map[string]bool{}
	p.mu.Unlock()
	for text := range wanted {
		s, err := p.prepare(ctx, text)
		if err != nil {
			return
		}
		s.RUnlock()
	}
}

// query and exec run a statement outside a transaction. A prepared statement that the
// server refuses because tables changed under it has not run: it may be run again.
func (p *pool) query(ctx context.Context, text string, vals []any) (rows *sql.Rows, err error) {
	err = p.run(ctx, text, func(s *sql.Stmt) (err error) {
		rows, err = s.QueryContext(ctx, vals...)
		return err
	})
	return rows, err
}

func (p *pool) exec(ctx context.Context, text string, vals []any) (res sql.Result, err error) {
	err = p.run(ctx, text, func(s *sql.Stmt) (err error) {
		res, err = s.ExecContext(ctx, vals...)
		return err
	})
	return res, err
}

func (p *pool) run(ctx context.Context, text string, do func(*sql.Stmt) error) error {
	for again := false; ; again = true {
		s, err := p.prepare(ctx, text)
		if err != nil {
			return err
		}
		err = do(s.stmt)
		s.RUnlock()
		if err == nil || !p.stale(err) {
			return err
		}
		p.drop(s)
		if again {
			return err
		}
	}
}

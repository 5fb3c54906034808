package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

var errStale = errors.New("stale")

// fake is a driver that counts statements: prepared, open, and run.
type fake struct {
	mu             sync.Mutex
	prepared, open map[string]int
	ran            int
	stale          int // how many runs answer errStale
}

func (f *fake) Connect(context.Context) (driver.Conn, error) { return fakeConn{f}, nil }
func (f *fake) Driver() driver.Driver                        { return nil }

type fakeConn struct{ f *fake }

func (c fakeConn) Prepare(text string) (driver.Stmt, error) {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.f.prepared[text]++
	c.f.open[text]++
	return &fakeStmt{c.f, text}, nil
}
func (c fakeConn) Close() error              { return nil }
func (c fakeConn) Begin() (driver.Tx, error) { return fakeTx{}, nil }

type fakeTx struct{}

func (fakeTx) Commit() error   { return nil }
func (fakeTx) Rollback() error { return nil }

type fakeStmt struct {
	f    *fake
	text string
}

func (s *fakeStmt) Close() error {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.f.open[s.text]--
	return nil
}
func (s *fakeStmt) NumInput() int { return -1 }
func (s *fakeStmt) run() error {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	if s.f.stale > 0 {
		s.f.stale--
		return errStale
	}
	s.f.ran++
	return nil
}
func (s *fakeStmt) Exec([]driver.Value) (driver.Result, error) {
	return driver.RowsAffected(1), s.run()
}
func (s *fakeStmt) Query([]driver.Value) (driver.Rows, error) { return fakeRows{}, s.run() }

type fakeRows struct{}

func (fakeRows) Columns() []string         { return nil }
func (fakeRows) Close() error              { return nil }
func (fakeRows) Next([]driver.Value) error { return io.EOF }

func newFake(t *testing.T) (*fake, *DB) {
	f := &fake{prepared: map[string]int{}, open: map[string]int{}}
	handle := sql.OpenDB(f)
	handle.SetMaxOpenConns(1)
	db := New(Config{Dialect: storage.Postgres, Write: handle, Owned: true, Stale: func(err error) bool { return errors.Is(err, errStale) },
		Classify: func(error, *Naming) *storage.Error { return nil }})
	t.Cleanup(func() { db.Close() })
	return f, db
}

func TestPreparedOnce(t *testing.T) {
	f, db := newFake(t)
	for range 3 {
		if _, err := db.Exec(t.Context(), "A"); err != nil {
			t.Fatal(err)
		}
	}
	if f.prepared["A"] != 1 || f.ran != 3 {
		t.Errorf("prepared %d times, ran %d times", f.prepared["A"], f.ran)
	}
	// A transaction uses what is prepared, and prepares the rest for the next one.
	for range 3 {
		tx, err := db.Begin(t.Context(), storage.TxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{"A", "B"} {
			if _, err := tx.Exec(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if f.prepared["A"] != 1 || f.prepared["B"] != 2 || f.open["B"] != 1 {
		t.Errorf("prepared A %d times and B %d times, want 1 and 2; %d of B are open", f.prepared["A"], f.prepared["B"], f.open["B"])
	}
}

func TestStaleStatement(t *testing.T) {
	f, db := newFake(t)
	for stale, want := range map[int]int{0: 1, 1: 1, 2: 0} {
		f.stale, f.ran = stale, 0
		_, err := db.Exec(t.Context(), "A")
		if f.ran != want || (err == nil) != (want == 1) {
			t.Errorf("stale %d times: ran %d times, %v", stale, f.ran, err)
		}
	}
	f.stale = 0
	if _, err := db.Exec(t.Context(), "A"); err != nil {
		t.Fatal(err)
	}
	f.stale, f.ran = 1, 0
	tx, err := db.Begin(t.Context(), storage.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "A"); !errors.Is(err, errStale) || f.ran != 0 {
		t.Errorf("in a transaction: ran %d times, %v", f.ran, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	before := f.prepared["A"]
	if _, err := db.Exec(t.Context(), "A"); err != nil || f.prepared["A"] != before+1 {
		t.Errorf("the stale statement was kept: %v", err)
	}
}

func TestPreparedAreBounded(t *testing.T) {
	f, db := newFake(t)
	for i := range maxPrepared + 10 {
		// The first one stays in use, and so stays prepared.
		for _, s := range []string{"FIRST", fmt.Sprint("S", i)} {
			if _, err := db.Exec(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	open := 0
	for _, n := range f.open {
		open += n
	}
	if open != maxPrepared || f.prepared["FIRST"] != 1 || f.open["S0"] != 0 {
		t.Errorf("%d are open, want %d; the first was prepared %d times, the oldest is open %d times",
			open, maxPrepared, f.prepared["FIRST"], f.open["S0"])
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for s, n := range f.open {
		if n != 0 {
			t.Errorf("%s is open after Close", s)
		}
	}
}

func TestCompiledAreBounded(t *testing.T) {
	_, db := newFake(t)
	for i := range maxCompiled + 10 {
		if _, err := db.expand(fmt.Sprint("S", i)); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	db.bound.Load().compiled.Range(func(any, any) bool { n++; return true })
	if n != maxCompiled {
		t.Errorf("%d templates are kept, want %d", n, maxCompiled)
	}
	// Another schema leaves nothing of the old one.
	s := &schema.Schema{Tables: []schema.Table{{Name: "user"}}}
	if err := db.Bind(s, schema.Names{}); err != nil {
		t.Fatal(err)
	}
	one, err := db.expand("{user}")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Bind(s, schema.Names{Schema: "auth"}); err != nil {
		t.Fatal(err)
	}
	if two, err := db.expand("{user}"); err != nil || two.SQL == one.SQL {
		t.Errorf("bound anew, still %s (%v)", two.SQL, err)
	}
	if err := db.Bind(s, schema.Names{Naming: "x"}); err == nil {
		t.Error("an unknown naming was bound")
	}
	if err := db.Bind(nil, schema.Names{}); err == nil {
		t.Error("no schema was bound")
	}
}

// Statements are dropped while others look them up: nobody meets a closed one.
func TestDropWhileInUse(t *testing.T) {
	f, db := newFake(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 300 {
				if _, err := db.Exec(t.Context(), fmt.Sprint("S", i%3)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Go(func() {
		for range 300 {
			if s := db.write.peek("S1"); s != nil {
				s.RUnlock()
				db.write.drop(s)
			}
		}
	})
	wg.Wait()
	if f.ran != 1200 {
		t.Errorf("%d statements ran, want 1200", f.ran)
	}
}

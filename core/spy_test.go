package core_test

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/core/storage"
)

// spyDB counts statements and can make them fail.
type spyDB struct {
	storage.Database
	mu     sync.Mutex
	sql    []string
	refuse func(op, sql string) error
	// behind runs once, behind the next query outside of transactions.
	behind func()
	listen func(channel string, l storage.Listener) (func(), error) // in place of the database's own
}

// Place implements storage.Placer, which a wrapped database would hide.
func (d *spyDB) Place() string {
	if p, ok := d.Database.(storage.Placer); ok {
		return p.Place()
	}
	return ""
}

// see records a statement; what it returns is the statement's failure.
func (d *spyDB) see(op, sql string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sql = append(d.sql, op+" "+sql)
	if d.refuse != nil {
		return d.refuse(op, sql)
	}
	return nil
}

// fail makes fn decide which statements fail; nil lets all pass.
func (d *spyDB) fail(fn func(op, sql string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refuse = fn
}

// count runs fn and returns the statements that it sent beside BEGIN and COMMIT.
func (d *spyDB) count(fn func()) []string {
	d.mu.Lock()
	d.sql = nil
	d.mu.Unlock()
	fn()
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, s := range d.sql {
		if s != "begin " && s != "commit " && s != "rollback " {
			out = append(out, s)
		}
	}
	return out
}

func (d *spyDB) Query(ctx context.Context, sql string, args ...any) (storage.Rows, error) {
	if err := d.see("query", sql); err != nil {
		return nil, err
	}
	rows, err := d.Database.Query(ctx, sql, args...)
	d.mu.Lock()
	fn := d.behind
	d.behind = nil
	d.mu.Unlock()
	if fn != nil {
		fn()
	}
	return rows, err
}

func (d *spyDB) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	if err := d.see("exec", sql); err != nil {
		return 0, err
	}
	return d.Database.Exec(ctx, sql, args...)
}

func (d *spyDB) Batch(ctx context.Context, s ...storage.Statement) ([]int64, error) {
	if err := d.see("batch", batchText(s)); err != nil {
		return nil, err
	}
	return d.Database.Batch(ctx, s...)
}

func (d *spyDB) Begin(ctx context.Context, o storage.TxOptions) (storage.Tx, error) {
	if err := d.see("begin", ""); err != nil {
		return nil, err
	}
	tx, err := d.Database.Begin(ctx, o)
	if err != nil {
		return nil, err
	}
	return &spyTx{tx, d}, nil
}

func (d *spyDB) JoinSQL(tx *sql.Tx) (storage.Tx, error) {
	return d.Database.(interface {
		JoinSQL(*sql.Tx) (storage.Tx, error)
	}).JoinSQL(tx)
}

// Announcement implements storage.Announcer.
func (d *spyDB) Announcement(channel, text string) storage.Statement {
	return d.Database.(storage.Announcer).Announcement(channel, text)
}

// Listen implements storage.Announcer.
func (d *spyDB) Listen(channel string, l storage.Listener) (func(), error) {
	if d.listen != nil {
		return d.listen(channel, l)
	}
	return d.Database.(storage.Announcer).Listen(channel, l)
}

// Explain implements storage.Explainer.
func (d *spyDB) Explain(err error) *storage.Error { return d.Database.(storage.Explainer).Explain(err) }

func batchText(list []storage.Statement) string {
	var out []string
	for _, s := range list {
		out = append(out, s.SQL)
	}
	return strings.Join(out, "; ")
}

type spyTx struct {
	storage.Tx
	d *spyDB
}

func (t *spyTx) Query(ctx context.Context, sql string, args ...any) (storage.Rows, error) {
	if err := t.d.see("query", sql); err != nil {
		return nil, err
	}
	return t.Tx.Query(ctx, sql, args...)
}

func (t *spyTx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	if err := t.d.see("exec", sql); err != nil {
		return 0, err
	}
	return t.Tx.Exec(ctx, sql, args...)
}

func (t *spyTx) Batch(ctx context.Context, s ...storage.Statement) ([]int64, error) {
	if err := t.d.see("batch", batchText(s)); err != nil {
		return nil, err
	}
	return t.Tx.Batch(ctx, s...)
}

func (t *spyTx) Commit() error {
	if err := t.d.see("commit", ""); err != nil {
		_ = t.Tx.Rollback()
		return err
	}
	return t.Tx.Commit()
}

func (t *spyTx) Rollback() error {
	_ = t.d.see("rollback", "")
	return t.Tx.Rollback()
}

// broken is a database that has gone.
func broken(string, string) error {
	return &storage.Error{Kind: storage.Unavailable, SQLState: "57P01"}
}

// on returns a refusal of statements that contain all the parts.
func refusing(err error, parts ...string) func(op, sql string) error {
	return func(op, sql string) error {
		for _, p := range parts {
			if !strings.Contains(op+" "+sql, p) {
				return nil
			}
		}
		return err
	}
}

// rows runs a query with logical names and returns the first column as text.
func (e *env) rows(sql string, args ...any) []string {
	e.t.Helper()
	rows, err := e.db.Database.Query(context.Background(), sql, args...)
	if err != nil {
		e.t.Fatal(err)
	}
	defer rows.Close()
	out := []string{}
	for rows.Next() {
		var s string
		if err := rows.Scan(storage.Dest(&s)); err != nil {
			e.t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		e.t.Fatal(err)
	}
	return out
}

func (e *env) sum(table string) int {
	return len(e.rows("SELECT {" + table + ":id} FROM {" + table + "}"))
}

// guesses counts the counters that hold wrong guesses.
func (e *env) guesses() int {
	return len(e.rows("SELECT {attempt:id} FROM {attempt} WHERE {attempt:failures} > 0"))
}

func (e *env) exec(sql string, args ...any) {
	e.t.Helper()
	if _, err := e.db.Database.Exec(context.Background(), sql, args...); err != nil {
		e.t.Fatal(err)
	}
}

// ddl runs a statement on the database as it is.
func (e *env) ddl(sql string) {
	e.t.Helper()
	if err := e.db.DDL(context.Background(), sql); err != nil {
		e.t.Fatal(err)
	}
}

// parallel runs fn n times at once and waits.
func parallel(t testing.TB, n int, fn func(i int)) {
	t.Helper()
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			<-gate
			fn(i)
		}()
	}
	close(gate)
	wg.Wait()
}

package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"

	"github.com/sallyport-auth/sallyport/core/storage"
)

// Tx implements storage.Tx.
type Tx struct {
	d      *DB
	ctx    context.Context // of Begin: when it ends, database/sql rolls back
	tx     *sql.Tx
	conn   *sql.Conn // nil when the transaction is the app's
	done   atomic.Bool
	finish func()
}

// Begin implements storage.Database.
func (d *DB) Begin(ctx context.Context, o storage.TxOptions) (storage.Tx, error) {
	if d.closed.Load() {
		return nil, &storage.Error{Kind: storage.Unavailable, Err: errClosed}
	}
	release, err := d.turn(ctx, d.write)
	if err != nil {
		return nil, err
	}
	d.busy.Add(1)
	end := func() { d.busy.Add(-1); release() }
	t, err := d.begin(ctx, o)
	if err != nil {
		end()
		return nil, err
	}
	t.finish = end
	return t, nil
}

func (d *DB) begin(ctx context.Context, o storage.TxOptions) (*Tx, error) {
	// Waiting for a connection is bounded like a statement; the transaction itself
	// lives as long as the caller's context.
	wait, cancel := d.limit(ctx)
	defer cancel()
	d.write.prepareWanted(wait)
	conn, err := d.write.db.Conn(wait)
	if err != nil {
		return nil, d.Fail(wait, err)
	}
	inner := ctx
	if o.UserID != "" && d.cfg.UserContext != nil {
		inner = d.cfg.UserContext(ctx, o.UserID)
	}
	tx, err := conn.BeginTx(inner, nil)
	if err != nil {
		err = d.Fail(ctx, err)
		_ = conn.Close()
		return nil, err
	}
	if o.UserID != "" && d.cfg.UserSQL != nil {
		set, err := d.cfg.UserSQL(o.UserID)
		if err == nil {
			_, err = tx.ExecContext(wait, set)
		}
		if err != nil {
			err = d.Fail(wait, err)
			_ = tx.Rollback()
			_ = conn.Close()
			return nil, err
		}
	}
	return &Tx{d: d, ctx: ctx, tx: tx, conn: conn}, nil
}

// JoinSQL makes statements run in a transaction that the app began. Commit and Rollback
// then end only this Tx and leave the decision to the app.
func (d *DB) JoinSQL(tx *sql.Tx) (storage.Tx, error) {
	if tx == nil {
		return nil, errors.New("database: no transaction to join")
	}
	return &Tx{d: d, ctx: context.Background(), tx: tx, finish: func() {}}, nil
}

var errDone = errors.New("the transaction has ended")

func (t *Tx) compile(template string, args []any) (*storage.Expanded, []any, error) {
	if t.done.Load() {
		return nil, nil, &storage.Error{Err: errDone}
	}
	return t.d.compile(template, args)
}

// statement returns the pool's prepared statement on this connection, or nil. release
// must be called when it has started.
func (t *Tx) statement(ctx context.Context, text string) (s *prepared, onConn *sql.Stmt) {
	if t.conn == nil {
		return nil, nil // the app's transaction may belong to another handle
	}
	p := t.d.write
	if s = p.peek(text); s == nil {
		p.want(text)
		return nil, nil
	}
	return s, t.tx.StmtContext(ctx, s.stmt)
}

// Query implements storage.Conn.
func (t *Tx) Query(ctx context.Context, template string, args ...any) (storage.Rows, error) {
	x, vals, err := t.compile(template, args)
	if err != nil {
		return nil, err
	}
	ctx, cancel := t.d.limit(ctx)
	var rows *sql.Rows
	s, stmt := t.statement(ctx, x.SQL)
	if s != nil {
		rows, err = stmt.QueryContext(ctx, vals...)
		s.RUnlock()
		t.dropStale(s, err)
	} else {
		rows, err = t.tx.QueryContext(ctx, x.SQL, vals...)
	}
	if err != nil {
		err = t.fail(ctx, err)
		cancel()
		return nil, err
	}
	return (&result{rows: rows, ctx: ctx, from: t, cancel: cancel}).timed(x.Times), nil
}

// Exec implements storage.Conn.
func (t *Tx) Exec(ctx context.Context, template string, args ...any) (int64, error) {
	x, vals, err := t.compile(template, args)
	if err != nil {
		return 0, err
	}
	ctx, cancel := t.d.limit(ctx)
	defer cancel()
	var res sql.Result
	s, stmt := t.statement(ctx, x.SQL)
	if s != nil {
		res, err = stmt.ExecContext(ctx, vals...)
		s.RUnlock()
		t.dropStale(s, err)
	} else {
		res, err = t.tx.ExecContext(ctx, x.SQL, vals...)
	}
	if err != nil {
		return 0, t.fail(ctx, err)
	}
	return t.d.touched(ctx, res, nil)
}

// TryLock implements storage.Tx.
func (t *Tx) TryLock(ctx context.Context, name string) (got bool, err error) {
	if t.d.cfg.LockKey == nil {
		_, _, err := t.compile("", nil) // fails after the end
		return err == nil, err
	}
	rows, err := t.Query(ctx, "SELECT pg_catalog.pg_try_advisory_xact_lock(?)", t.d.cfg.LockKey(name))
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(&got); err != nil {
			return false, err
		}
	}
	return got, rows.Err()
}

// dropStale forgets a statement that the server no longer takes. The transaction is
// lost, but the next one prepares it anew.
func (t *Tx) dropStale(s *prepared, err error) {
	if err != nil && t.d.write.stale(err) {
		t.d.write.drop(s)
	}
}

// fail blames the end of the transaction on the context that ended it.
func (t *Tx) fail(ctx context.Context, err error) error {
	if errors.Is(err, sql.ErrTxDone) && t.ctx.Err() != nil {
		return t.d.Fail(t.ctx, t.ctx.Err())
	}
	return t.d.Fail(ctx, err)
}

// Commit implements storage.Tx.
func (t *Tx) Commit() error {
	if t.done.Swap(true) {
		return &storage.Error{Err: errDone}
	}
	if t.conn == nil {
		return nil
	}
	err := t.tx.Commit()
	if err != nil {
		err = t.fail(t.ctx, err)
	}
	_ = t.conn.Close()
	t.finish()
	return err
}

// Rollback implements storage.Tx.
func (t *Tx) Rollback() error {
	if t.done.Swap(true) || t.conn == nil {
		return nil
	}
	err := t.tx.Rollback()
	if errors.Is(err, sql.ErrTxDone) {
		err = nil // its context ended, and database/sql has rolled back
	}
	if err != nil {
		err = t.fail(context.Background(), err)
	}
	_ = t.conn.Close()
	t.finish()
	return err
}

// Exclusive runs fn while nobody else of this handle has the writer, and converts its
// error.
func (d *DB) Exclusive(ctx context.Context, fn func(*sql.DB) error) error {
	if d.closed.Load() {
		return &storage.Error{Kind: storage.Unavailable, Err: errClosed}
	}
	release, err := d.turn(ctx, d.write)
	if err != nil {
		return err
	}
	defer release()
	defer d.Busy()()
	if err := fn(d.write.db); err != nil {
		return d.Fail(ctx, err)
	}
	return nil
}

package sqldb

import (
	"context"
	"database/sql"
	"sync/atomic"
)

// result is a query's rows. It frees what the query held as soon as they end.
type result struct {
	rows *sql.Rows
	ctx  context.Context
	from interface {
		fail(context.Context, error) error
	}
	busy    *atomic.Int64 // nil in transactions, which count as one
	release func()        // of the single writer; nil in transactions
	cancel  context.CancelFunc
}

func (r *result) finish() {
	if r.cancel == nil {
		return
	}
	if r.busy != nil {
		r.busy.Add(-1)
		r.release()
	}
	r.cancel()
	r.cancel = nil
}

func (r *result) Next() bool {
	if r.rows.Next() {
		return true
	}
	if r.rows.Err() == nil {
		_ = r.Close()
	}
	return false
}

func (r *result) Scan(dest ...any) error {
	if err := r.rows.Scan(dest...); err != nil {
		return r.from.fail(r.ctx, err)
	}
	return nil
}

func (r *result) Err() error {
	if err := r.rows.Err(); err != nil {
		return r.from.fail(r.ctx, err)
	}
	return nil
}

func (r *result) Close() error {
	err := r.rows.Close()
	if err != nil {
		err = r.from.fail(r.ctx, err)
	}
	r.finish()
	return err
}

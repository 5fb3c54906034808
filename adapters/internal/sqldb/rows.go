package sqldb

import (
	"context"
	"database/sql"
)

// result is a query's rows. It frees what the query held as soon as they end.
type result struct {
	rows *sql.Rows
	ctx  context.Context
	fail func(context.Context, error) error
	done func()
}

func (r *result) finish() {
	if r.done != nil {
		r.done()
		r.done = nil
	}
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
		return r.fail(r.ctx, err)
	}
	return nil
}

func (r *result) Err() error {
	if err := r.rows.Err(); err != nil {
		return r.fail(r.ctx, err)
	}
	return nil
}

func (r *result) Close() error {
	err := r.rows.Close()
	if err != nil {
		err = r.fail(r.ctx, err)
	}
	r.finish()
	return err
}

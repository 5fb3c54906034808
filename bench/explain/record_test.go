package explain

import (
	"context"
	"strings"
	"sync"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// recorder is a database that remembers what it was asked, by the step that asked.
type recorder struct {
	storage.Database

	mu     sync.Mutex
	schema *schema.Schema
	names  schema.Names
	steps  []*step
}

// Place implements storage.Placer, which a wrapped database would hide.
func (r *recorder) Place() string { return r.Database.(storage.Placer).Place() }

// step is an endpoint, or a part of the background work, with its statements.
type step struct {
	name string
	sql  []string // as PostgreSQL gets them, each once
}

// begin makes what follows belong to a step.
func (r *recorder) begin(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, s := range r.steps {
		if s.name == name { // the last one is written to
			r.steps = append(append(r.steps[:i:i], r.steps[i+1:]...), s)
			return
		}
	}
	r.steps = append(r.steps, &step{name: name})
}

func (r *recorder) add(templates ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.steps) == 0 {
		return
	}
	last := r.steps[len(r.steps)-1]
	for _, t := range templates {
		x, err := storage.Expand(storage.Postgres, r.schema, r.names, t)
		if err != nil {
			continue // the database says so, too
		}
		sql := strings.Join(strings.Fields(x.SQL), " ")
		known := false
		for _, s := range last.sql {
			known = known || s == sql
		}
		if !known {
			last.sql = append(last.sql, sql)
		}
	}
}

func (r *recorder) addBatch(list []storage.Statement) {
	for _, s := range list {
		r.add(s.SQL)
	}
}

// Bind implements storage.Database.
func (r *recorder) Bind(s *schema.Schema, n schema.Names) error {
	r.mu.Lock()
	r.schema, r.names = s, n
	r.mu.Unlock()
	return r.Database.Bind(s, n)
}

// Query implements storage.Conn.
func (r *recorder) Query(ctx context.Context, sql string, args ...any) (storage.Rows, error) {
	r.add(sql)
	return r.Database.Query(ctx, sql, args...)
}

// Exec implements storage.Conn.
func (r *recorder) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	r.add(sql)
	return r.Database.Exec(ctx, sql, args...)
}

// Batch implements storage.Conn.
func (r *recorder) Batch(ctx context.Context, list ...storage.Statement) ([]int64, error) {
	r.addBatch(list)
	return r.Database.Batch(ctx, list...)
}

// Begin implements storage.Database.
func (r *recorder) Begin(ctx context.Context, o storage.TxOptions) (storage.Tx, error) {
	tx, err := r.Database.Begin(ctx, o)
	if err != nil {
		return nil, err
	}
	return &recorderTx{tx, r}, nil
}

type recorderTx struct {
	storage.Tx
	r *recorder
}

// Query implements storage.Conn.
func (t *recorderTx) Query(ctx context.Context, sql string, args ...any) (storage.Rows, error) {
	t.r.add(sql)
	return t.Tx.Query(ctx, sql, args...)
}

// Exec implements storage.Conn.
func (t *recorderTx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	t.r.add(sql)
	return t.Tx.Exec(ctx, sql, args...)
}

// Batch implements storage.Conn.
func (t *recorderTx) Batch(ctx context.Context, list ...storage.Statement) ([]int64, error) {
	t.r.addBatch(list)
	return t.Tx.Batch(ctx, list...)
}

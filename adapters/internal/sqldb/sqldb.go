// Package sqldb is what the PostgreSQL and SQLite adapters share: templates, prepared
// statements, transactions and batches over database/sql. What differs between the two
// is handed over in Config.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// maxCompiled bounds the compiled templates of a handle, and maxPrepared its prepared
// statements. A program has a few hundred of them.
const (
	maxCompiled = 4096
	maxPrepared = 512
)

// Config says how one kind of database differs from the others.
type Config struct {
	Dialect storage.Dialect
	// Write runs everything, except reads outside transactions when Read is there.
	Write, Read *sql.DB
	// Serial lets one caller at a time have Write. Who waits longer than Wait gets a
	// Conflict: most likely it waits for a transaction of its own.
	Serial bool
	Wait   time.Duration
	// Timeout bounds a statement, waiting for a connection included, when the caller's
	// context has no deadline.
	Timeout time.Duration
	// Bound is within how long a prepared statement outside transactions ends by itself,
	// whatever its context says: connecting and preparing it there included. Connections is how
	// many there may be. Zero: nothing is known of either.
	Bound       time.Duration
	Connections int
	// Owned handles are closed by Close.
	Owned bool
	// Classify tells a driver's error apart; nil if it is none of the driver's.
	Classify func(err error, n *Naming) *storage.Error
	// Stale tells whether the server refused a prepared statement that has become
	// useless, before it ran.
	Stale func(error) bool
	// UserContext and UserSQL make a transaction begin for a user (row-level security):
	// in one trip, through the context that reaches the driver's BeginTx, or by a
	// statement of its own. Both nil: the database knows no users.
	UserContext func(ctx context.Context, userID string) context.Context
	UserSQL     func(userID string) (string, error)
	// LockKey makes the key of an advisory lock out of its name; nil where a transaction
	// is alone on its database.
	LockKey func(name string) int64
}

// DB implements the storage.Database methods that need no catalogue.
type DB struct {
	cfg         Config
	write, read *pool
	bound       atomic.Pointer[binding]
	closed      atomic.Bool
	busy        atomic.Int64 // statements, transactions and others that take a connection
}

// binding is a schema with the templates compiled for it.
type binding struct {
	schema   *schema.Schema
	names    schema.Names
	naming   *Naming
	compiled sync.Map // template -> *storage.Expanded
	count    atomic.Int64
}

// New makes a DB.
func New(cfg Config) *DB {
	d := &DB{cfg: cfg, write: newPool(cfg.Write, cfg.Stale)}
	if cfg.Serial {
		d.write.turn = make(chan struct{}, 1)
	}
	d.read = d.write
	if cfg.Read != nil {
		d.read = newPool(cfg.Read, cfg.Stale)
	}
	d.bind(&schema.Schema{}, schema.Names{})
	return d
}

// Dialect implements storage.Database.
func (d *DB) Dialect() storage.Dialect { return d.cfg.Dialect }

// Bind implements storage.Database. It fails on names that the database cannot take.
func (d *DB) Bind(s *schema.Schema, names schema.Names) error {
	if s == nil {
		return errors.New("database: no schema to bind")
	}
	if err := errors.Join(names.Check(s)...); err != nil {
		return err
	}
	d.bind(s, names)
	return nil
}

func (d *DB) bind(s *schema.Schema, names schema.Names) {
	d.bound.Store(&binding{schema: s, names: names, naming: newNaming(s, names)})
}

// Bound returns the schema and names of the last Bind.
func (d *DB) Bound() (*schema.Schema, schema.Names) {
	b := d.bound.Load()
	return b.schema, b.names
}

// Ping implements storage.Database.
func (d *DB) Ping(ctx context.Context) error {
	ctx, cancel := d.limit(ctx)
	defer cancel()
	defer d.Busy()()
	if err := d.read.db.PingContext(ctx); err != nil {
		return d.Fail(ctx, err)
	}
	return nil
}

// Stats implements storage.Database.
func (d *DB) Stats() storage.Stats {
	s := d.write.db.Stats()
	out := storage.Stats{MaxOpen: s.MaxOpenConnections, Open: s.OpenConnections, InUse: s.InUse, WaitCount: s.WaitCount}
	if d.read != d.write {
		r := d.read.db.Stats()
		out.MaxOpen += r.MaxOpenConnections
		out.Open += r.OpenConnections
		out.InUse += r.InUse
		out.WaitCount += r.WaitCount
	}
	return out
}

// Close implements storage.Database.
func (d *DB) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	d.write.close()
	if d.read != d.write {
		d.read.close()
	}
	if !d.cfg.Owned {
		return nil
	}
	err := d.write.db.Close()
	if d.read != d.write {
		err = errors.Join(d.read.db.Close(), err)
	}
	return err
}

// compile returns the SQL of a template and checks its values.
func (d *DB) compile(template string, args []any) (*storage.Expanded, []any, error) {
	if d.closed.Load() {
		return nil, nil, &storage.Error{Kind: storage.Unavailable, Err: errClosed}
	}
	x, err := d.expand(template)
	if err != nil {
		return nil, nil, &storage.Error{Kind: storage.Schema, Err: err}
	}
	vals, err := d.values(x, args)
	return x, vals, err
}

func (d *DB) expand(template string) (*storage.Expanded, error) {
	b := d.bound.Load()
	if v, ok := b.compiled.Load(template); ok {
		return v.(*storage.Expanded), nil
	}
	x, err := storage.Expand(d.cfg.Dialect, b.schema, b.names, template)
	if err != nil {
		return nil, err
	}
	if b.count.Add(1) <= maxCompiled {
		b.compiled.Store(template, &x)
	}
	return &x, nil
}

// limit gives a context without a deadline the statement's time-out.
func (d *DB) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok || d.cfg.Timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d.cfg.Timeout)
}

// Query implements storage.Conn.
func (d *DB) Query(ctx context.Context, template string, args ...any) (storage.Rows, error) {
	x, vals, err := d.compile(template, args)
	if err != nil {
		return nil, err
	}
	p := d.write
	if x.Read {
		p = d.read
	}
	ctx, cancel := d.limit(ctx)
	release, err := d.turn(ctx, p)
	if err != nil {
		cancel()
		return nil, err
	}
	r := &result{ctx: ctx, from: d, release: release, cancel: cancel, busy: &d.busy}
	driven := ctx
	if nth := d.busy.Add(1); x.Read && d.unwatched(ctx, nth) && p.has(x.SQL) {
		driven = context.WithoutCancel(ctx)
	}
	if r.rows, err = p.query(driven, x.SQL, vals); err != nil {
		err = d.Fail(ctx, err)
		r.finish()
		return nil, err
	}
	return r.timed(x.Times), nil
}

// Busy counts in somebody who takes a connection by another way, until done is called.
func (d *DB) Busy() (done func()) {
	d.busy.Add(1)
	return func() { d.busy.Add(-1) }
}

// unwatched tells that nobody has to watch for the end of a reading statement's context,
// being the nth to take a connection: it ends by itself before the context can, and does not
// wait for a connection. To watch takes database/sql and the driver two goroutines and eight allocations.
// A client that goes away meanwhile stops nothing, which costs a statement at most.
func (d *DB) unwatched(ctx context.Context, nth int64) bool {
	ends, ok := ctx.Deadline()
	return ok && d.cfg.Bound > 0 && nth <= int64(d.cfg.Connections) && ctx.Err() == nil && time.Until(ends) > d.cfg.Bound
}

// Exec implements storage.Conn.
func (d *DB) Exec(ctx context.Context, template string, args ...any) (int64, error) {
	x, vals, err := d.compile(template, args)
	if err != nil {
		return 0, err
	}
	ctx, cancel := d.limit(ctx)
	defer cancel()
	release, err := d.turn(ctx, d.write)
	if err != nil {
		return 0, err
	}
	defer release()
	d.busy.Add(1)
	defer d.busy.Add(-1)
	res, err := d.write.exec(ctx, x.SQL, vals)
	return d.touched(ctx, res, err)
}

func (d *DB) touched(ctx context.Context, res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, d.Fail(ctx, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, d.Fail(ctx, err)
	}
	return n, nil
}

// turn waits for the single writer, where there is one.
func (d *DB) turn(ctx context.Context, p *pool) (release func(), err error) {
	if p.turn == nil {
		return func() {}, nil
	}
	select {
	case p.turn <- struct{}{}:
		return p.release, nil
	default:
	}
	timer := time.NewTimer(d.cfg.Wait)
	defer timer.Stop()
	select {
	case p.turn <- struct{}{}:
		return p.release, nil
	case <-ctx.Done():
		return nil, d.Fail(ctx, ctx.Err())
	case <-timer.C:
		return nil, &storage.Error{Kind: storage.Conflict, Err: errBusy}
	}
}

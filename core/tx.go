package core

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/sallyport-auth/sallyport/core/storage"
)

// Tx is a transaction on core's database. Statements inside fn of Host.Tx go through
// it: the pool refuses a context that belongs to a transaction, because with one writer
// (SQLite) that would be a deadlock and with many it would be outside the transaction.
type Tx struct {
	storage.Tx
	host      *Host
	committed []func(context.Context)
	rollbacks []func(context.Context)
	doomed    error
	joined    bool     // the app commits
	changed   []string // subjects of copies that are void with the commit
}

type inTx struct{}

// errPoolInTx says what the programmer did.
var errPoolInTx = errors.New("core: the pool was used inside a transaction: use the transaction")

// InTx reports whether ctx belongs to a transaction.
func InTx(ctx context.Context) bool { return ctx.Value(inTx{}) != nil }

// Conn is tx, or the database outside of transactions where tx is nil: what a hook reads
// and writes through, since its payload's Tx may be nil.
func (h *Host) Conn(tx *Tx) storage.Conn { return h.conn(tx) }

// Tx runs fn in a transaction and commits if it returns nil. With outer it joins that
// one instead: then fn's error dooms outer, even if a caller swallows it, since half of
// fn may have happened. What fn must not do inside: wait for the network, hash a
// password, use the pool.
func (h *Host) Tx(ctx context.Context, outer *Tx, fn func(ctx context.Context, tx *Tx) error) error {
	return h.txFor(ctx, outer, "", fn)
}

// TxAs is Tx with a user for row-level security. It cannot join another transaction.
func (h *Host) TxAs(ctx context.Context, userID string, fn func(ctx context.Context, tx *Tx) error) error {
	return h.txFor(ctx, nil, userID, fn)
}

func (h *Host) txFor(ctx context.Context, outer *Tx, userID string, fn func(ctx context.Context, tx *Tx) error) (err error) {
	if outer != nil {
		if outer.doomed != nil {
			return outer.doomed
		}
		if !InTx(ctx) { // the app's own transaction: the same rules hold inside
			ctx = context.WithValue(ctx, inTx{}, outer)
		}
		if err = fn(ctx, outer); err != nil {
			outer.doomed = fmt.Errorf("core: an inner part of the transaction failed: %w", err)
		}
		return err
	}
	if InTx(ctx) {
		return errPoolInTx
	}
	st, err := h.begin(ctx, storage.TxOptions{UserID: userID})
	if err != nil {
		return err
	}
	tx := &Tx{Tx: st, host: h}
	done := false
	defer func() {
		if !done { // fn panicked: the panic goes on, the transaction does not
			_ = st.Rollback()
			tx.run(ctx, tx.rollbacks)
		}
	}()
	err = fn(context.WithValue(ctx, inTx{}, tx), tx)
	if err == nil {
		err = tx.doomed
	}
	if err == nil && len(tx.changed) > 0 {
		err = h.copies.announce(ctx, tx, tx.changed)
	}
	if err != nil {
		done = true
		_ = st.Rollback()
		tx.run(ctx, tx.rollbacks)
		return err
	}
	release := func() {}
	if len(tx.changed) > 0 {
		release = h.copies.block(ctx, tx.changed)
	}
	err = st.Commit()
	release()
	done = true
	if err != nil {
		tx.run(ctx, tx.rollbacks)
		return err
	}
	tx.run(ctx, tx.committed)
	return nil
}

// txIf runs fn in tx; without one, in a transaction of its own if that is needed: where
// hooks run around an act, what they write and what their error undoes belongs to it.
func (h *Host) txIf(ctx context.Context, tx *Tx, needed bool, fn func(ctx context.Context, tx *Tx) error) error {
	if tx != nil || !needed {
		return fn(ctx, tx)
	}
	return h.Tx(ctx, nil, fn)
}

// Dialect says which kind of database it is.
func (h *Host) Dialect() storage.Dialect { return h.db.Dialect() }

// ActFor makes the rest of tx run for a user, as TxAs does for a whole transaction: for a
// part that belongs to one user inside an act of somebody else's. Databases without
// row-level security have nothing to do.
func (h *Host) ActFor(ctx context.Context, tx *Tx, userID string) error {
	if h.db.Dialect() != storage.Postgres {
		return nil
	}
	rows, err := tx.Query(ctx, "SELECT pg_catalog.set_config('app.current_user_id', ?, true)", userID)
	if err != nil {
		return err
	}
	for rows.Next() {
	}
	return errors.Join(rows.Err(), rows.Close())
}

// JoinSQL lets a transaction that the app began take part: what core does inside is
// committed or undone by the app. Committed hooks run when the app calls the returned
// function after its own commit.
func (h *Host) JoinSQL(tx *sql.Tx) (joined *Tx, afterCommit func(context.Context), err error) {
	j, ok := h.db.Database.(interface {
		JoinSQL(*sql.Tx) (storage.Tx, error)
	})
	if !ok {
		return nil, nil, errors.New("core: this database adapter cannot join a transaction of the app's")
	}
	st, err := j.JoinSQL(tx)
	if err != nil {
		return nil, nil, err
	}
	joined = &Tx{Tx: h.watchTx(context.Background(), st), host: h, joined: true}
	return joined, func(ctx context.Context) { joined.run(ctx, joined.committed) }, nil
}

// OnCommit has fn run after the outermost commit. Best effort, like Committed hooks.
func (tx *Tx) OnCommit(fn func(context.Context)) { tx.committed = append(tx.committed, fn) }

// OnRollback has fn run after the transaction was undone, outside it: that is where a
// failure is counted or recorded so that it survives.
func (tx *Tx) OnRollback(fn func(context.Context)) { tx.rollbacks = append(tx.rollbacks, fn) }

func (tx *Tx) run(ctx context.Context, fns []func(context.Context)) {
	// The client may be gone by now; what has to follow the commit still has to happen.
	ctx = context.WithoutCancel(ctx)
	for _, fn := range fns {
		func() {
			defer func() {
				if v := recover(); v != nil {
					tx.host.log.LogAttrs(ctx, slog.LevelError, "panic after a transaction",
						slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
				}
			}()
			fn(ctx)
		}()
	}
}

// onCommit runs a Committed hook when tx commits, or now.
func (h *Host) onCommit(ctx context.Context, tx *Tx, fn func(context.Context), hk *Hook) {
	run := func(ctx context.Context) {
		defer func() {
			if v := recover(); v != nil {
				h.log.LogAttrs(ctx, slog.LevelError, "a committed hook panicked", slog.String("point", hk.name),
					slog.String("owner", hk.owner), slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
			}
		}()
		fn(ctx)
	}
	if tx != nil {
		tx.OnCommit(run)
		return
	}
	run(context.WithoutCancel(ctx))
}

// pool is the database outside of transactions.
type pool struct {
	storage.Database
	trips *watched // nil: nobody observes them
}

func (p *pool) Query(ctx context.Context, sql string, args ...any) (storage.Rows, error) {
	if InTx(ctx) {
		return nil, errPoolInTx
	}
	if p.trips != nil {
		return p.trips.Query(ctx, sql, args...)
	}
	return p.Database.Query(ctx, sql, args...)
}

func (p *pool) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	if InTx(ctx) {
		return 0, errPoolInTx
	}
	if p.trips != nil {
		return p.trips.Exec(ctx, sql, args...)
	}
	return p.Database.Exec(ctx, sql, args...)
}

func (p *pool) Batch(ctx context.Context, s ...storage.Statement) ([]int64, error) {
	if InTx(ctx) {
		return nil, errPoolInTx
	}
	if p.trips != nil {
		return p.trips.Batch(ctx, s...)
	}
	return p.Database.Batch(ctx, s...)
}

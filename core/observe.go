package core

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// watch is a piece of work that an Observer sees. The zero value is one that nobody does.
type watch struct {
	observer contract.Observer
	work     contract.Work
	begun    time.Time
	ctx      context.Context // of the work; nil with the zero value
}

// observe begins a piece of work. Durations go by the machine's monotonic clock: the
// host's is for what is stored and compared, and tests move it.
func (h *Host) observe(ctx context.Context, w contract.Work) (context.Context, watch) {
	o := h.cfg.Observer
	if o == nil {
		return ctx, watch{}
	}
	ctx = o.Begin(ctx, w)
	w.Request = nil
	return ctx, watch{o, w, time.Now(), ctx}
}

func (w *watch) end(ctx context.Context, o contract.Outcome) {
	if w.observer == nil {
		return
	}
	o.Duration = time.Since(w.begun)
	w.observer.End(ctx, w.work, o)
}

// watch begins to observe the call.
func (c *Call) watch(ctx context.Context) context.Context {
	if c.host.cfg.Observer == nil {
		return ctx
	}
	w := contract.Work{Kind: contract.WorkCall, Name: c.ep.pattern, Method: c.ep.methods[0]}
	if c.http {
		w.Kind, w.Method, w.Request = contract.WorkRequest, knownMethod(c.ex.Method()), c.ex
	}
	ctx, c.watched = c.host.observe(ctx, w)
	return ctx
}

// unwatch ends it. ctx is that of watch: whether it has ended tells whether the client
// has gone, which the deadline of the request does not.
func (c *Call) unwatch(ctx context.Context, status int) {
	if c.watched.observer == nil {
		return
	}
	o := c.host.outcome(c.failed)
	o.Status, o.Canceled = status, o.Canceled || errors.Is(ctx.Err(), context.Canceled)
	c.watched.end(ctx, o)
}

// unmatched answers a request that has no endpoint, and tells of it.
func (h *Host) unmatched(ctx context.Context, ex Exchange) Response {
	f, res := h.failure(ErrNotFound), Response{Status: 404}
	if e := h.router.envelopeOf(ex.Path()); e != nil {
		res = e.refuse(h.translated(ctx, f, reader{ex: ex}))
	}
	if h.cfg.Observer != nil {
		ctx, w := h.observe(ctx, contract.Work{Kind: contract.WorkRequest, Method: knownMethod(ex.Method()), Request: ex})
		o := h.outcome(f)
		o.Status = res.Status
		w.end(ctx, o)
	}
	return res
}

// knownMethod keeps made-up methods out of names.
func knownMethod(m string) string {
	for _, known := range [...]string{"GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		if m == known {
			return known // not m, which is the server's memory
		}
	}
	return "other"
}

// observeWork runs fn as a piece of work, and classifies its error.
func (h *Host) observeWork(ctx context.Context, kind contract.WorkKind, name string, fn func(context.Context) error) error {
	ctx, w := h.observe(ctx, contract.Work{Kind: kind, Name: name})
	err := fn(ctx)
	if w.observer != nil {
		o := contract.Outcome{}
		if err != nil {
			o = h.outcome(h.Classify(ctx, err))
		}
		w.end(ctx, o)
	}
	return err
}

// observeHash is the observation of the password pool.
func (h *Host) observeHash(ctx context.Context, name string) (context.Context, func(error)) {
	if h.cfg.Observer == nil {
		return ctx, func(error) {}
	}
	ctx, w := h.observe(ctx, contract.Work{Kind: contract.WorkHash, Name: name})
	return ctx, func(err error) {
		o := contract.Outcome{}
		if err != nil {
			o = h.outcome(h.Classify(ctx, err))
		}
		w.end(ctx, o)
	}
}

// outcome is what an Observer hears of a failure; the zero one is success.
func (h *Host) outcome(f Failure) contract.Outcome {
	if f.Error == nil {
		return contract.Outcome{}
	}
	code := f.Code
	if h.owners[code] == "" {
		code = "unregistered" // made on the way, perhaps of a request's own text
	}
	return contract.Outcome{Code: code, Class: string(f.Class), Failed: f.Status >= 500 && !f.Canceled, Canceled: f.Canceled}
}

// watched is a database or transaction with each trip as a piece of work.
type watched struct {
	h *Host
	storage.Conn
}

func (w watched) Query(ctx context.Context, sql string, args ...any) (storage.Rows, error) {
	ctx, o := w.h.observe(ctx, contract.Work{Kind: contract.WorkStatement, Name: w.h.trips.of(sql)})
	rows, err := w.Conn.Query(ctx, sql, args...)
	o.end(ctx, statementOutcome(err))
	return rows, err
}

func (w watched) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	ctx, o := w.h.observe(ctx, contract.Work{Kind: contract.WorkStatement, Name: w.h.trips.of(sql)})
	n, err := w.Conn.Exec(ctx, sql, args...)
	o.end(ctx, statementOutcome(err))
	return n, err
}

func (w watched) Batch(ctx context.Context, s ...storage.Statement) ([]int64, error) {
	ctx, o := w.h.observe(ctx, contract.Work{Kind: contract.WorkStatement, Name: "BATCH"})
	n, err := w.Conn.Batch(ctx, s...)
	o.end(ctx, statementOutcome(err))
	return n, err
}

// watchedTx is a transaction of which the beginning and the end are observed, too.
type watchedTx struct {
	watched
	ctx context.Context // of the transaction, which Commit has no other way to know
	tx  storage.Tx
}

func (h *Host) watchTx(ctx context.Context, tx storage.Tx) storage.Tx {
	if h.cfg.Observer == nil || tx == nil {
		return tx
	}
	return watchedTx{watched{h, tx}, ctx, tx}
}

func (t watchedTx) Commit() error {
	ctx, o := t.h.observe(t.ctx, contract.Work{Kind: contract.WorkStatement, Name: "COMMIT"})
	err := t.tx.Commit()
	o.end(ctx, statementOutcome(err))
	return err
}

func (t watchedTx) Rollback() error { return t.tx.Rollback() }

func (t watchedTx) TryLock(ctx context.Context, name string) (bool, error) {
	ctx, o := t.h.observe(ctx, contract.Work{Kind: contract.WorkStatement, Name: "LOCK"})
	got, err := t.tx.TryLock(ctx, name)
	o.end(ctx, statementOutcome(err))
	return got, err
}

// begin starts a transaction as a piece of work.
func (h *Host) begin(ctx context.Context, o storage.TxOptions) (storage.Tx, error) {
	if h.cfg.Observer == nil {
		return h.db.Begin(ctx, o)
	}
	in, w := h.observe(ctx, contract.Work{Kind: contract.WorkStatement, Name: "BEGIN"})
	tx, err := h.db.Begin(in, o)
	w.end(in, statementOutcome(err))
	if err != nil {
		return nil, err
	}
	return h.watchTx(ctx, tx), nil
}

func statementOutcome(err error) (o contract.Outcome) {
	var db *storage.Error
	switch {
	case err == nil:
		return o
	case errors.As(err, &db):
		o.Code = db.Kind.String()
	default:
		o.Code = storage.Unknown.String()
	}
	switch {
	case db != nil && db.Kind == storage.Canceled:
		o.Canceled = true
	case db == nil || db.Kind != storage.Data && db.Kind != storage.Unique && db.Kind != storage.ForeignKey && db.Kind != storage.Missed:
		o.Failed = true
	}
	return o
}

// tripNames keeps the names of statements by their templates: a program has a few hundred.
// Past the bound, for those that are put together anew each time, a name is made each time.
type tripNames struct {
	sync.Map
	count atomic.Int64
}

const maxTripNames = 4096

// of is the verb and the first table of a template, "SELECT session".
func (t *tripNames) of(sql string) string {
	if name, ok := t.Load(sql); ok {
		return name.(string)
	}
	verb, rest, _ := strings.Cut(strings.TrimSpace(sql), " ")
	name := strings.ToUpper(verb)
	if verb == "SELECT" || verb == "DELETE" {
		_, rest, _ = strings.Cut(rest, "FROM ")
	}
	if _, after, ok := strings.Cut(rest, "{"); ok {
		if end := strings.IndexAny(after, "=}.:"); end > 0 {
			name += " " + after[:end]
		}
	}
	if t.count.Add(1) <= maxTripNames {
		t.Store(sql, name)
	}
	return name
}

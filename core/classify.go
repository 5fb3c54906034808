package core

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/input"
	"github.com/sallyport-auth/sallyport/core/internal/password"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// ErrConflict answers a request that met another one: a row that it refers to has just
// gone, a unique value has just been taken.
var ErrConflict = NewError("CONFLICT", 409, "The request conflicts with another one. Please try again.")

// Classify is Host.Classify.
func (a *Auth) Classify(ctx context.Context, err error) Failure { return a.h.Classify(ctx, err) }

// Classify tells what an error is: of this package, of a database, of the network, of a
// context, a panic, or something that nobody foresaw. It is the only place that decides
// it, and it never fails, whatever err is. Of err's text nothing gets into what a client
// hears: only an *Error is meant for one. The zero Failure is that of nil.
//
// A failure of ours outweighs what was said about the request: ErrInvalidPassword that
// has a broken database as its cause, or is joined with one, is SERVICE_UNAVAILABLE. So
// no plugin can make an outage look like a wrong password.
//
// ctx is the request's: what failed because the client had hung up is nobody's failure.
func (h *Host) Classify(ctx context.Context, err error) (f Failure) {
	if err == nil {
		return Failure{}
	}
	defer func() {
		if recover() != nil { // a method of err's own has panicked
			f = h.failure(ErrInternal)
		}
	}()
	return h.classify(ctx, h.unfold(err))
}

// classify decides by the gravest of the errors that an error is made of.
func (h *Host) classify(ctx context.Context, all parts) Failure {
	switch {
	case all.fault != nil:
		return h.failure(ErrInternal)
	case all.infra && errors.Is(ctx.Err(), context.Canceled):
		f := h.failure(ErrServiceUnavailable)
		f.Level, f.Event, f.Canceled = slog.LevelInfo, "", true
		return f
	case all.infra && (all.refusal == nil || all.refusal.Status < 500):
		return h.failure(ErrServiceUnavailable.WithHeader("Retry-After", seconds(all.retry)))
	case all.refusal != nil:
		return h.failure(all.refusal)
	case all.db != nil:
		return h.failure(violation(all.db))
	}
	return h.failure(ErrInternal)
}

// violation is the answer to what the database refused to store.
func violation(db *storage.Error) *Error {
	switch {
	case db.Kind == storage.Data:
		return ErrBadRequest.WithMessage("The request holds a value that cannot be stored")
	case storage.IsUnique(db, "user", "email"):
		return ErrEmailTaken
	}
	return ErrConflict
}

// failure fills in what follows from an error's class.
func (h *Host) failure(e *Error) Failure {
	if e.Status < 400 || e.Status > 599 { // no plugin may make a failure look like a success
		e = ErrInternal.Because(e)
	}
	p := h.classOf(e).policy()
	f := Failure{Error: e, Class: p.class, Level: p.level, Event: p.event, Counts: p.counts}
	if e.Status >= 500 {
		f.Level = slog.LevelError
	}
	for _, field := range e.header {
		if n, err := strconv.Atoi(field.Value); err == nil && n > 0 && http.CanonicalHeaderKey(field.Name) == "Retry-After" {
			f.RetryAfter = time.Duration(n) * time.Second
		}
	}
	return f
}

// classOf is the class that an error declares, else that of its code, else of its status.
func (h *Host) classOf(e *Error) Class {
	if e.class == "" {
		if r := h.errorByCode(e.Code); r != nil && r.class != "" {
			return r.class
		}
		return classByStatus(e.Status)
	}
	return e.class
}

// parts are what an error is made of: itself, what it wraps and what is joined with it.
type parts struct {
	refusal *Error         // what was meant for the client, the outermost
	fault   *panicError    // a panic
	db      *storage.Error // what the database said: the failure, else the violation
	infra   bool           // something of ours has failed
	retry   time.Duration  // when that may be over
}

// maxParts bounds how much of an error is looked at: one may wrap itself.
const maxParts = 100

func (h *Host) unfold(err error) parts {
	var p parts
	for todo, n := []error{err}, 0; len(todo) > 0 && n < maxParts; n++ {
		err, todo = todo[0], todo[1:]
		if err == nil || h.take(&p, err) {
			continue
		}
		switch w := err.(type) {
		case interface{ Unwrap() error }:
			todo = append([]error{w.Unwrap()}, todo...)
		case interface{ Unwrap() []error }:
			todo = append(w.Unwrap(), todo...)
		}
	}
	return p
}

// take notes what one error says by itself; done tells that what it wraps says no more.
func (h *Host) take(p *parts, err error) (done bool) {
	switch e := err.(type) {
	case *panicError:
		p.fault = e
	case *Error:
		if e != nil && p.refusal == nil {
			p.refusal = e
		}
		return e == nil
	case *input.Error:
		if e != nil && p.refusal == nil {
			p.refusal = NewError(e.Code, e.Status, e.Message)
		}
	case password.ErrBusy:
		p.fail(e.RetryAfter)
	case *storage.Error:
		return e == nil || p.stored(e)
	default:
		if db := h.explain(err); db != nil {
			return p.stored(db)
		}
	}
	return false
}

// explain describes an error of a driver's or of the network's that came round the adapter.
func (h *Host) explain(err error) *storage.Error {
	switch err.(type) {
	case interface{ Unwrap() error }, interface{ Unwrap() []error }:
	default: // the adapter would look through all that err wraps
		if x, ok := h.db.Database.(storage.Explainer); ok {
			if db := x.Explain(err); db != nil {
				return db
			}
		}
	}
	db := storage.Foreign(err)
	if db != nil {
		db.Table, db.Columns = "", nil // of a database that is not core's: its "user" is another
	}
	return db
}

// stored takes over what a database's error says.
func (p *parts) stored(e *storage.Error) bool {
	wait := 5 * time.Second
	switch e.Kind {
	case storage.Data, storage.Unique, storage.ForeignKey:
		if p.db == nil {
			p.db = e
		}
		return true
	case storage.Conflict, storage.Timeout, storage.Canceled:
		wait = time.Second
	}
	if !p.infra {
		p.db = e
	}
	p.fail(wait)
	return true
}

// fail notes a failure of ours that may be over after that time.
func (p *parts) fail(retry time.Duration) { p.infra, p.retry = true, max(p.retry, retry) }

// failureAttrs says for the log what is behind an error. It must do so whatever err is.
func (h *Host) failureAttrs(err error) (attrs []slog.Attr) {
	defer func() {
		if recover() != nil {
			attrs = []slog.Attr{slog.String("cause", "an error whose text cannot be had")}
		}
	}()
	p := h.unfold(err)
	switch {
	case p.fault != nil:
		attrs = append(attrs, slog.String("panic", p.fault.Error()), slog.String("stack", string(p.fault.stack)))
	case p.db != nil:
		attrs = append(attrs, slog.String("cause", p.db.Error()), slog.String("kind", p.db.Kind.String()))
		if p.db.SQLState != "" {
			attrs = append(attrs, slog.String("sqlstate", p.db.SQLState))
		}
		if p.db.Err != nil && p.db.Kind != storage.Data && p.db.Kind != storage.Unique {
			// A driver's text on data errors quotes the value; the others name objects.
			attrs = append(attrs, slog.String("driver", p.db.Err.Error()))
		}
	case p.refusal == nil:
		attrs = append(attrs, slog.String("cause", err.Error()))
	case p.refusal.cause != nil:
		attrs = append(attrs, slog.String("cause", p.refusal.cause.Error()))
	}
	return attrs
}

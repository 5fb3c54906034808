package core

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/input"
	"github.com/sallyport-auth/sallyport/core/internal/password"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// ErrConflict answers a request that met another one: a row that it refers to has just
// gone, a unique value has just been taken.
var ErrConflict = NewError("CONFLICT", 409, "The request conflicts with another one. Please try again.")

// classify decides what a client hears of an error. An *Error is meant for it; a value
// that the database cannot hold is its fault; a broken database, a full queue and a
// deadline are 503, so that no failure of ours ever looks like a wrong password; what
// nobody foresaw is 500.
func (h *Host) classify(ctx context.Context, err error) *Error {
	var in *input.Error
	var db *storage.Error
	var busy password.ErrBusy
	if e := AsError(err); e != nil {
		return e
	}
	switch {
	case errors.As(err, &in):
		return NewError(in.Code, in.Status, in.Message)
	case errors.As(err, &busy):
		return ErrServiceUnavailable.WithHeader("Retry-After", seconds(busy.RetryAfter))
	case errors.As(err, &db):
		switch db.Kind {
		case storage.Data:
			return ErrBadRequest.WithMessage("The request holds a value that cannot be stored")
		case storage.Unique, storage.ForeignKey:
			return ErrConflict
		case storage.NotNull, storage.Check, storage.Unknown:
			return ErrInternal
		}
		return ErrServiceUnavailable.WithHeader("Retry-After", seconds(5*time.Second))
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return ErrServiceUnavailable.WithHeader("Retry-After", seconds(time.Second))
	}
	return ErrInternal
}

// failureAttrs says for the log what is behind an error.
func failureAttrs(err error) []slog.Attr {
	var attrs []slog.Attr
	var p *panicError
	var db *storage.Error
	switch {
	case errors.As(err, &p):
		attrs = append(attrs, slog.String("panic", p.Error()), slog.String("stack", string(p.stack)))
	case errors.As(err, &db):
		attrs = append(attrs, slog.String("cause", db.Error()), slog.String("kind", db.Kind.String()))
		if db.SQLState != "" {
			attrs = append(attrs, slog.String("sqlstate", db.SQLState))
		}
		if db.Err != nil && db.Kind != storage.Data && db.Kind != storage.Unique {
			// A driver's text on data errors quotes the value; the others name objects.
			attrs = append(attrs, slog.String("driver", db.Err.Error()))
		}
	default:
		if e := AsError(err); e == nil {
			attrs = append(attrs, slog.String("cause", err.Error()))
		} else if e.cause != nil {
			attrs = append(attrs, slog.String("cause", e.cause.Error()))
		}
	}
	return attrs
}

package contract

import (
	"context"
	"time"
)

// Observer watches the work that core does, for metrics and traces. Its methods are
// called from many goroutines, on the way of requests: they must be quick, must not block,
// and must not panic.
//
// What it is told holds no text that a client chose and nothing of a person: names come
// from sets that are fixed once the program has started (endpoints, codes, classes, jobs,
// statements), so that a metric's labels never grow with the users.
type Observer interface {
	// Begin is called before a piece of work, which runs in the context that it returns:
	// ctx, or one that carries a span.
	Begin(ctx context.Context, w Work) context.Context
	// End is called once for each Begin, with the context that it returned.
	End(ctx context.Context, w Work, o Outcome)
	// Event is called for every security event with its type, when it arises: before it is
	// stored, and although the transaction that it belongs to may still be undone.
	Event(ctx context.Context, name string)
}

// WorkKind tells pieces of work apart.
type WorkKind uint8

// The kinds.
const (
	// WorkRequest is a request over HTTP, from the look-up of its endpoint to its answer.
	WorkRequest WorkKind = iota
	// WorkCall is a call of an endpoint from the app's own Go code.
	WorkCall
	// WorkJob is one attempt at a job.
	WorkJob
	// WorkMail is a message that is handed to the mailer.
	WorkMail
	// WorkHash is a password that is hashed or checked, its time in the queue included.
	WorkHash
	// WorkStatement is one trip to the database.
	WorkStatement
)

var workNames = [...]string{"request", "call", "job", "mail", "hash", "statement"}

func (k WorkKind) String() string { return workNames[k] }

// Work is what is about to be done.
type Work struct {
	Kind WorkKind
	// Name is the pattern of the endpoint with its base path ("/api/auth/reset-password/:token";
	// empty for a request that no endpoint answers), the name of a job or of a mail's template,
	// "hash" or "verify", the verb and table of a statement ("SELECT session").
	Name string
	// Method is a request's in upper case, or "other" for one that is none of HTTP's.
	Method string
	// Request gives headers of a request; nil for all other kinds. It is valid in Begin alone.
	Request Headers
}

// Headers gives the first header of a name, or "".
type Headers interface{ Header(name string) string }

// Outcome is how it ended.
type Outcome struct {
	// Status is a request's HTTP status; 0 for all other kinds.
	Status int
	// Code is the registered code of an error ("INVALID_TOKEN"; "unregistered" for one that
	// no plugin declares) or the kind of a database's failure ("timeout"); empty where all
	// went well.
	Code string
	// Class is the class of a failed request, call or job, one of 19; empty where all went
	// well.
	Class string
	// Failed tells that the failure is ours and not the client's.
	Failed bool
	// Canceled tells that the client was gone before the end.
	Canceled bool
	// Duration is how long it took, by the clock of the machine.
	Duration time.Duration
}

// Observers makes one Observer of several: the first begins first and ends last. nil ones
// are left out, and nil is the observer of none.
func Observers(list ...Observer) Observer {
	var all observers
	for _, o := range list {
		if o != nil {
			all = append(all, o)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

type observers []Observer

func (all observers) Begin(ctx context.Context, w Work) context.Context {
	for _, o := range all {
		ctx = o.Begin(ctx, w)
	}
	return ctx
}

func (all observers) End(ctx context.Context, w Work, o Outcome) {
	for i := len(all) - 1; i >= 0; i-- {
		all[i].End(ctx, w, o)
	}
}

func (all observers) Event(ctx context.Context, name string) {
	for _, o := range all {
		o.Event(ctx, name)
	}
}

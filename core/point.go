package core

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
)

// Point is a place where hooks run, with a typed payload. A point's identity is its
// pointer, as with context keys: declare it once, in a package variable.
//
//	var MemberAdd = core.NewPoint[MemberAddEvent]("organization.member-add")
type Point[E any] struct{ name string }

// NewPoint makes a point. The name is for messages.
func NewPoint[E any](name string) *Point[E] { return &Point[E]{name} }

// Name returns the point's name.
func (p *Point[E]) Name() string { return p.name }

// Hook is a function bound to a point or a route. Make it with their methods.
type Hook struct {
	target any // *Point[E] or *Route[I, O]
	route  bool
	name   string
	phase  phase
	fn     any
	owner  string
}

type phase uint8

const (
	before phase = iota
	after
	committed
)

// Before runs ahead of the act; an error prevents it. The payload may be changed.
func (p *Point[E]) Before(fn func(context.Context, *E) error) Hook {
	return Hook{target: p, name: p.name, phase: before, fn: fn}
}

// After runs behind the act in the same transaction; an error undoes the act.
func (p *Point[E]) After(fn func(context.Context, *E) error) Hook {
	return Hook{target: p, name: p.name, phase: after, fn: fn}
}

// Committed runs once the act can no longer be undone. It is best effort: the process
// may die in between. Work that must not be lost belongs into a Job.
func (p *Point[E]) Committed(fn func(context.Context, *E)) Hook {
	return Hook{target: p, name: p.name, phase: committed, fn: fn}
}

// Run runs the Before hooks, do, and the After hooks, and has the Committed hooks run
// when tx commits (at once without one). The first error ends it. A hook that panics
// counts as one that failed: hooks fail closed.
func (p *Point[E]) Run(ctx context.Context, h *Host, tx *Tx, e *E, do func(context.Context) error) error {
	hooks := h.hooks[p]
	for i := range hooks {
		if hooks[i].phase == before {
			if err := runHook(ctx, &hooks[i], e); err != nil {
				return err
			}
		}
	}
	if do != nil {
		if err := do(ctx); err != nil {
			return err
		}
	}
	for i := range hooks {
		hk := &hooks[i]
		switch hk.phase {
		case after:
			if err := runHook(ctx, hk, e); err != nil {
				return err
			}
		case committed:
			h.onCommit(ctx, tx, func(ctx context.Context) { hk.fn.(func(context.Context, *E))(ctx, e) }, hk)
		}
	}
	return nil
}

// has tells whether there are hooks of one of these phases.
func (p *Point[E]) has(h *Host, phases ...phase) bool {
	return slices.ContainsFunc(h.hooks[p], func(hk Hook) bool { return slices.Contains(phases, hk.phase) })
}

func runHook[E any](ctx context.Context, hk *Hook, e *E) (err error) {
	defer recoverHook(hk, &err)
	return hk.fn.(func(context.Context, *E) error)(ctx, e)
}

// recoverHook turns a panic into an error that names the hook.
func recoverHook(hk *Hook, err *error) {
	if v := recover(); v != nil {
		*err = &panicError{value: v, where: fmt.Sprintf("a hook of %s on %s", hk.owner, hk.name), stack: debug.Stack()}
	}
}

// panicError is a panic on its way to the log.
type panicError struct {
	value any
	where string
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic in %s: %v", e.where, e.value) }

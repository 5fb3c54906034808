package core

import (
	"context"
	"reflect"
	"sort"
)

// RouteInfo describes one endpoint.
type RouteInfo struct {
	Methods []string
	Path    string // absolute
	Access  string
	Plugin  string
	Hooks   int
	Aliases []string
	// In and Out are the types of input and output.
	In, Out reflect.Type
	Form    bool // takes a form beside JSON
	Login   bool // signs somebody in
}

// Routes lists all endpoints in the order of the plugins.
func (a *Auth) Routes() []RouteInfo {
	var out []RouteInfo
	for _, e := range a.h.list {
		r := RouteInfo{Methods: e.methods, Path: a.h.cfg.BasePath + e.path, Access: e.access.String(), Plugin: e.owner, Hooks: len(e.hooks),
			In: e.in, Out: e.out, Form: e.form, Login: e.login}
		if e.access == ServerOnly {
			r.Path = e.path
		}
		for _, al := range e.aliases {
			r.Aliases = append(r.Aliases, al.Method+" "+al.Path)
		}
		out = append(out, r)
	}
	return out
}

// ErrorInfo describes one error code.
type ErrorInfo struct {
	Code, Message, Plugin string
	Status                int
	Class                 Class
}

// Errors lists all codes, sorted.
func (a *Auth) Errors() []ErrorInfo {
	out := make([]ErrorInfo, len(a.h.errors))
	for i, e := range a.h.errors {
		out[i] = ErrorInfo{e.Code, e.Message, a.h.owners[e.Code], e.Status, a.h.classOf(e)}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Code < out[j].Code })
	return out
}

// PluginCommand is a command with the plugin that brings it.
type PluginCommand struct {
	Plugin string
	Command
}

// Commands lists the plugins' commands.
func (a *Auth) Commands() []PluginCommand {
	var out []PluginCommand
	for _, s := range a.h.specs {
		for _, c := range s.Commands {
			out = append(out, PluginCommand{s.ID, c})
		}
	}
	return out
}

// EventType is a type of security event that a plugin records.
type EventType struct{ Name, Description string }

// Event is something of note that happened. It holds no secret.
type Event struct {
	Type   string
	UserID string
	Call   *Call
	Tx     *Tx
	Detail map[string]string
}

// EventRecorded runs for every security event, in the transaction that it belongs to.
var EventRecorded = NewPoint[Event]("event-recorded")

// Record records a security event. Its type must be declared by a plugin (Spec.Events).
func (h *Host) Record(ctx context.Context, e *Event) error {
	for _, s := range h.specs {
		for _, t := range s.Events {
			if t.Name == e.Type {
				return EventRecorded.Run(ctx, h, e.Tx, e, nil)
			}
		}
	}
	return NewError("UNKNOWN_EVENT", 500, "Internal Server Error").Because(errUnknownEvent(e.Type))
}

type errUnknownEvent string

func (e errUnknownEvent) Error() string {
	return "core: event type " + string(e) + " is declared by no plugin"
}

// Ready tells whether the server can do its work now: nil, or what is wrong.
func (a *Auth) Ready(ctx context.Context) error { return a.h.db.Ping(ctx) }

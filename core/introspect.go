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
	Aliases []string // "METHOD /path", those of other plugins included
	// In and Out are the types of input and output.
	In, Out reflect.Type
	Form    bool // takes a form beside JSON
	Login   bool // signs somebody in
}

// Routes lists all endpoints in the order of the plugins.
func (a *Auth) Routes() []RouteInfo {
	var out []RouteInfo
	for _, e := range a.h.list {
		r := RouteInfo{Methods: e.methods, Path: e.pattern, Access: e.access.String(), Plugin: e.owner, Hooks: len(e.hooks),
			In: e.in, Out: e.out, Form: e.form, Login: e.login}
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

// Ready tells whether the server can do its work now: nil, or what is wrong.
func (a *Auth) Ready(ctx context.Context) error { return a.h.db.Ping(ctx) }

// EventType describes a type of security event; ok is false for one that nobody declares.
func (h *Host) EventType(name string) (t EventType, ok bool) {
	t, ok = h.events[name]
	return t, ok
}

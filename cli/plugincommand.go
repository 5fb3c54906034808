package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/server"
)

// pluginCommand runs "ID NAME ARGS...", a command that an enabled plugin brings; ID may be
// left out where one plugin alone has the name. Its options come before the arguments.
func (r *run) pluginCommand(ctx context.Context, args []string) int {
	id, name, rest := "", args[0], args[1:]
	if slices.Contains(server.IDs(r.Plugins), name) {
		if len(rest) == 0 {
			return r.unknown(args)
		}
		id, name, rest = name, rest[0], rest[1:]
	}
	f := flag.NewFlagSet(strings.TrimSpace(r.Name+" "+id)+" "+name, flag.ContinueOnError)
	f.SetOutput(r.err)
	r.flags(f)
	if err := f.Parse(rest); err != nil {
		return misused
	}
	if err := r.runPlugin(ctx, id, name, f.Args()); err != nil {
		if errors.Is(err, errNoCommand) {
			return r.unknown(args)
		}
		fmt.Fprintf(r.err, "%s: %v\n", r.Name, err)
		return failed
	}
	return ok
}

// unknown says what the command line could have meant.
func (r *run) unknown(args []string) int {
	var beginning []string // what may follow the first word
	for _, c := range commands {
		if group, word, _ := strings.Cut(c.name, " "); group == args[0] {
			beginning = append(beginning, word)
		}
	}
	asked := strings.Join(args[:min(2, len(args))], " ")
	for _, c := range server.Commands(r.Plugins...) {
		if c.Plugin == args[0] {
			beginning = append(beginning, c.Name)
		}
		// One that runs does not come here: its plugin is not enabled.
		if asked == c.Plugin+" "+c.Name || args[0] == c.Name {
			fmt.Fprintf(r.err, "%s: %q is a command of the plugin %s, which the configuration does not enable\n", r.Name, c.Name, c.Plugin)
			return misused
		}
	}
	fmt.Fprintf(r.err, "%s: unknown command %q; ", r.Name, asked)
	if len(beginning) > 0 {
		fmt.Fprintf(r.err, "after %s comes one of: %s\n", args[0], strings.Join(beginning, ", "))
	} else {
		fmt.Fprintf(r.err, "see %s help\n", r.Name)
	}
	return misused
}

var errNoCommand = errors.New("no such command")

func (r *run) runPlugin(ctx context.Context, id, name string, args []string) (err error) {
	c, err := r.load()
	if err != nil {
		return err
	}
	described, err := server.Describe(c, r.Plugins...)
	if err != nil {
		return err
	}
	found, err := find(described, id, name)
	if err != nil {
		return err
	}
	auth, closeAll, err := server.OpenAuth(ctx, c, r.Plugins...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll(context.WithoutCancel(ctx))) }()
	// Once more: this one's Run belongs to a plugin that has started.
	if found, err = find(auth, found.Plugin, name); err != nil {
		return err
	}
	return found.Run(ctx, auth.Host(), args, r.out)
}

// find finds a plugin's command, or the only one of a name if id is empty.
func find(auth *core.Auth, id, name string) (*core.PluginCommand, error) {
	var found []*core.PluginCommand
	for _, c := range auth.Commands() {
		if c.Name == name && (id == "" || c.Plugin == id) {
			found = append(found, &c)
		}
	}
	switch len(found) {
	case 0:
		return nil, errNoCommand
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%s is a command of several plugins: say %s %s, or %s %s", name, found[0].Plugin, name, found[1].Plugin, name)
}

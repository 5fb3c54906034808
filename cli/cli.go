// Package cli is the command line of the program. An app's own main calls Main with its
// list of plugins and has every command of the built-in program:
//
//	func main() {
//		cli.Main(cli.Program{Name: "acme-auth", Plugins: []server.PluginEntry{
//			server.Entry(emailpassword.ID, emailpassword.New),
//			server.Entry("acme", acme.New),
//		}})
//	}
//
// Exit codes: 0 is success, 1 a failure, 2 "migrate plan" or "adopt" with something to do or
// "doctor" with warnings, 64 a command line that is wrong.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/sallyport-auth/sallyport/server"
)

// Program is a program: its name, and the plugins that its config file may enable.
type Program struct {
	// Name is what the usage text calls it. Default "sallyport".
	Name string
	// Version is printed by "version". Default: what the Go toolchain recorded.
	Version string
	// Plugins are the entries, in the order in which development enables them.
	Plugins []server.PluginEntry
	// Configure changes the configuration after it was read: an app's own hooks and
	// routes, for instance. Its error ends the command.
	Configure func(*server.Config) error
}

// Exit codes.
const (
	ok      = 0
	failed  = 1
	pending = 2
	misused = 64 // EX_USAGE of sysexits.h; 2 means that migrations are pending
)

// Main runs the command that os.Args names and ends the process.
func Main(p Program) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() { // a second signal ends the process at once
		<-ctx.Done()
		stop()
	}()
	os.Exit(p.Run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run is one invocation.
type run struct {
	Program
	env      []string
	out, err io.Writer
	config   string
	data     string
	prod     bool
	args     []string // beside the flags
}

// defaultFile is read if it is there.
const defaultFile = "sallyport.yaml"

// Run runs a command and returns its exit code. args are without the program's name.
func (p Program) Run(ctx context.Context, args, env []string, out, err io.Writer) int {
	if p.Name == "" {
		p.Name = "sallyport"
	}
	if p.Version == "" {
		p.Version = "(devel)"
		if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
			p.Version = info.Main.Version
		}
	}
	r := &run{Program: p, env: env, out: out, err: err}
	switch {
	case len(args) == 0:
		r.usage(err)
		return misused
	case args[0] == "help" || args[0] == "-h" || args[0] == "--help":
		r.usage(out)
		return ok
	}
	for _, c := range commands {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == c.name {
			return r.command(ctx, c, args[len(words):])
		}
	}
	return r.pluginCommand(ctx, args)
}

type command struct {
	name, args, summary string
	// setup declares flags and returns what runs after they were read.
	setup func(*run, *flag.FlagSet) func(ctx context.Context) (int, error)
	plain bool // takes no configuration
	// operand is what the one argument beside the flags is; empty for none.
	operand string
}

var commands = []command{
	{"serve", "", "run the server; without a file it is a development server", serve, false, ""},
	{"migrate plan", "[--out DIR]", "print what the database lacks as SQL; exit code 2 if anything", migratePlan, false, ""},
	{"migrate apply", "", "bring the database up to date", migrateApply, false, ""},
	{"migrate verify", "", "check that the database has what the plugins need", migrateVerify, false, ""},
	{"adopt", "[--apply]", "look at a database of Better Auth's and say how to take it over; exit code 2 if something is to be added", adoptDatabase, false, ""},
	{"user show", "USER", "print what there is to know of a user: an address or id", userShow, false, "an address or id"},
	{"user unlock", "USER", "lift a lock that wrong guesses brought about", userUnlock, false, "an address or id"},
	{"user revoke-sessions", "USER", "sign a user out everywhere", userRevoke, false, "an address or id"},
	{"user verify-email", "USER", "mark a user's address as verified, on your word", userVerify, false, "an address or id"},
	{"user reset-2fa", "USER", "take a user's second factors off, and sign them out", userReset, false, "an address or id"},
	{"user delete", "USER --yes", "delete a user and everything of theirs", userDelete, false, "an address or id"},
	{"sessions rehash", "", "hash session tokens that Better Auth stored as they are; exit code 2 if some are left", sessionsRehash, false, ""},
	{"audit list", "", "print security events, newest first; --help for filters", auditList, false, ""},
	{"audit verify", "[--head HEAD]", "check the chain of security events, and print its head", auditVerify, false, ""},
	{"outbox list", "", "print what waits to be sent or was given up; --help for filters", outboxList, false, ""},
	{"outbox retry", "WHICH", "try jobs again at once: --id ID, --name NAME, --failed, --all", outboxRetry, false, ""},
	{"outbox purge", "WHICH", "delete jobs undone: --id ID, --name NAME, --failed, --all", outboxPurge, false, ""},
	{"mail preview", "[--to DIR]", "render messages with sample data, and send nothing; --help for which", mailPreview, false, ""},
	{"routes", "", "list every endpoint with its access level and plugin", routes, false, ""},
	{"generate ts", "", "print fields, error codes and roles for clients in TypeScript", generateTS, false, ""},
	{"errors", "", "list every error code", errorCodes, false, ""},
	{"config check", "", "read the configuration and report every fault", configCheck, false, ""},
	{"doctor", "", "look at everything that the server depends on; exit code 1 if something is broken, 2 for warnings", doctor, false, ""},
	{"config docs", "", "print the documentation of every option", configDocs, true, ""},
	{"secret", "", "print a new random secret", secret, true, ""},
	{"version", "", "print the version", version, true, ""},
}

func (r *run) usage(w io.Writer) {
	fmt.Fprintf(w, "usage: %s COMMAND [options]\n\n", r.Name)
	for _, c := range commands {
		fmt.Fprintf(w, "  %-32s %s\n", strings.TrimSpace(c.name+" "+c.args), c.summary)
	}
	fmt.Fprintf(w, `
options:
  --config FILE   the config file; default $SALLYPORT_CONFIG, or sallyport.yaml if it is there
  --data DIR      the data folder of development; default $SALLYPORT_DATA, or sallyport-data
  --production    hold the checks of production
`)
	of := server.Commands(r.Plugins...)
	if len(of) == 0 {
		return
	}
	fmt.Fprintf(w, "\nof plugins, where they are enabled; the plugin's name may be left out where no other has the command:\n")
	for _, c := range of {
		fmt.Fprintf(w, "  %-32s %s\n", c.Plugin+" "+c.Name, c.Summary)
	}
}

// command reads the flags and runs a command.
func (r *run) command(ctx context.Context, c command, args []string) int {
	f := flag.NewFlagSet(r.Name+" "+c.name, flag.ContinueOnError)
	f.SetOutput(r.err)
	if !c.plain {
		r.flags(f)
	}
	do := c.setup(r, f)
	err := f.Parse(args)
	if c.operand != "" && err == nil && f.NArg() > 0 { // flags may stand on both sides of it
		r.args = []string{f.Arg(0)}
		err = f.Parse(f.Args()[1:])
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		return ok
	case err != nil:
		return misused
	case f.NArg() > 0:
		fmt.Fprintf(r.err, "%s %s: unexpected argument %q\n", r.Name, c.name, f.Arg(0))
		return misused
	case c.operand != "" && (len(r.args) == 0 || r.args[0] == ""):
		fmt.Fprintf(r.err, "%s %s: want %s\n", r.Name, c.name, c.operand)
		return misused
	}
	code, err := do(ctx)
	if err != nil {
		fmt.Fprintf(r.err, "%s: %v\n", r.Name, err)
	}
	return code
}

func (r *run) flags(f *flag.FlagSet) {
	f.StringVar(&r.config, "config", r.getenv("SALLYPORT_CONFIG"), "the config `file`")
	f.StringVar(&r.data, "data", r.getenv("SALLYPORT_DATA"), "the data `folder` of development")
	f.BoolVar(&r.prod, "production", false, "hold the checks of production")
}

func (r *run) getenv(name string) (value string) {
	for _, l := range r.env {
		if n, v, _ := strings.Cut(l, "="); n == name {
			value = v
		}
	}
	return value
}

// load reads the configuration.
func (r *run) load() (server.Config, error) {
	if r.config == "" {
		if _, err := os.Stat(defaultFile); err == nil {
			r.config = defaultFile
		}
	}
	c, err := server.Load(server.Source{File: r.config, Data: r.data, Production: r.prod, Env: r.env}, r.Plugins...)
	switch {
	case r.Configure != nil && err == nil:
		err = r.Configure(&c)
	case r.Configure == nil && err != nil && readable(r.config):
		// What core finds belongs to the same list: nobody wants to start twice to see it.
		// A file that cannot be read is one fault, and what it would have held no second one.
		if c.Core.Secret == "" && len(c.Core.Secrets) == 0 && c.SecretFile+c.SecretsFile != "" {
			c.Core.Secret, _ = server.NewSecret(nil)
		}
		if c.Redis.URL == "" && c.Redis.URLFile != "" {
			c.Redis.URL = "redis://127.0.0.1"
		}
		_, more := server.Describe(c, r.Plugins...)
		err = errors.Join(err, more)
	}
	return c, err
}

// readable tells whether a config file is there to be judged, or none is wanted.
func readable(name string) bool {
	_, err := os.Stat(name)
	return name == "" || err == nil
}

package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/migrations"
	"github.com/sallyport-auth/sallyport/server"
)

func serve(r *run, _ *flag.FlagSet) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		c, err := r.load()
		if err != nil {
			return failed, err
		}
		if c.Version == "" {
			c.Version = r.Version
		}
		s, err := server.New(ctx, c, r.Plugins...)
		if err != nil {
			return failed, err
		}
		// Passwords are hashed until the last request is answered, which is after ctx has ended.
		tuning, stop := context.WithCancel(context.WithoutCancel(ctx))
		var tuned sync.WaitGroup
		tuned.Go(func() { tuneForHashing(tuning, s.Auth().Host()) })
		defer tuned.Wait()
		defer stop()
		if err := s.Run(ctx); err != nil {
			return failed, err
		}
		return ok, nil
	}
}

// withMigration runs do with the database and what the plugins want of it.
func withMigration(do func(context.Context, *run, *server.Migration) (int, error)) func(*run, *flag.FlagSet) func(context.Context) (int, error) {
	return func(r *run, _ *flag.FlagSet) func(context.Context) (int, error) {
		return func(ctx context.Context) (code int, err error) {
			c, err := r.load()
			if err != nil {
				return failed, err
			}
			m, err := server.OpenMigration(ctx, c, r.Plugins...)
			if err != nil {
				return failed, err
			}
			defer func() {
				if e := m.Close(); e != nil {
					code, err = failed, errors.Join(err, e)
				}
			}()
			return do(ctx, r, m)
		}
	}
}

func migratePlan(r *run, f *flag.FlagSet) func(context.Context) (int, error) {
	dir := f.String("out", "", "write one file per part into this `folder`, in order of their names")
	return withMigration(func(ctx context.Context, r *run, m *server.Migration) (int, error) {
		plan, err := m.Plan(ctx)
		if err != nil {
			return failed, err
		}
		switch {
		case len(plan.Faults) > 0:
			return failed, &migrations.FaultError{Faults: plan.Faults}
		case plan.Empty():
			for _, n := range plan.Notes {
				fmt.Fprintln(r.out, "-- note:", n)
			}
			fmt.Fprintln(r.out, "-- nothing to do")
			return ok, nil
		case *dir == "":
			fmt.Fprint(r.out, plan.String())
			return pending, nil
		}
		names, err := writePlan(*dir, plan)
		if err != nil {
			return failed, err
		}
		for _, n := range names {
			fmt.Fprintln(r.out, n)
		}
		return pending, nil
	})(r, f)
}

// writePlan writes a plan as numbered files, one for each run of statements of one
// plugin. Together they are one transaction. A file that is there already is an error.
func writePlan(dir string, plan *migrations.Plan) (names []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for i := 0; i < len(plan.Statements); {
		plugin := plan.Statements[i].Plugin
		var b strings.Builder
		fmt.Fprintf(&b, "-- plugin %s; run the files of this folder in order, in one transaction\n", plugin)
		for ; i < len(plan.Statements) && plan.Statements[i].Plugin == plugin; i++ {
			b.WriteString(plan.Statements[i].SQL + ";\n")
		}
		name := filepath.Join(dir, fmt.Sprintf("%03d_%s.sql", len(names)+1, plugin))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return nil, err
		}
		_, err = f.WriteString(b.String())
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

var migrateApply = withMigration(func(ctx context.Context, r *run, m *server.Migration) (int, error) {
	plan, err := m.Apply(ctx)
	if err != nil {
		return failed, err
	}
	for _, n := range plan.Notes {
		fmt.Fprintln(r.out, "note:", n)
	}
	for _, what := range plan.Missing {
		fmt.Fprintln(r.out, "added:", strings.NewReplacer(" lacks ", " has ", " is missing", " was made").Replace(what.String()))
	}
	for _, s := range plan.Pending {
		fmt.Fprintf(r.out, "ran: plugin %s: step %d (%s)\n", s.Plugin, s.Number, s.Name)
	}
	fmt.Fprintf(r.out, "%d statements; the database is up to date\n", len(plan.Statements))
	return ok, nil
})

var migrateVerify = withMigration(func(ctx context.Context, r *run, m *server.Migration) (int, error) {
	if err := m.Verify(ctx); err != nil {
		return failed, err
	}
	fmt.Fprintln(r.out, "the database has what the plugins need")
	return ok, nil
})

// described runs do with the compiled configuration, which needs no database.
func described(do func(*run, *core.Auth) error) func(*run, *flag.FlagSet) func(context.Context) (int, error) {
	return func(r *run, _ *flag.FlagSet) func(context.Context) (int, error) {
		return func(context.Context) (int, error) {
			c, err := r.load()
			if err != nil {
				return failed, err
			}
			auth, err := server.Describe(c, r.Plugins...)
			if err != nil {
				return failed, err
			}
			if err := do(r, auth); err != nil {
				return failed, err
			}
			return ok, nil
		}
	}
}

// table prints columns with a line of headings.
func (r *run) table(head string, rows func(line func(cells ...string))) error {
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head)
	rows(func(cells ...string) { fmt.Fprintln(w, strings.Join(cells, "\t")) })
	return w.Flush()
}

var routes = described(func(r *run, auth *core.Auth) error {
	return r.table("METHOD\tPATH\tACCESS\tPLUGIN\tHOOKS", func(line func(...string)) {
		for _, e := range auth.Routes() {
			line(strings.Join(e.Methods, "|"), e.Path, e.Access, e.Plugin, fmt.Sprint(e.Hooks))
			for _, a := range e.Aliases {
				method, path, _ := strings.Cut(a, " ")
				line(method, path, "alias of "+e.Path, e.Plugin, "")
			}
		}
	})
})

var errorCodes = described(func(r *run, auth *core.Auth) error {
	return r.table("CODE\tSTATUS\tCLASS\tPLUGIN\tMESSAGE", func(line func(...string)) {
		for _, e := range auth.Errors() {
			line(e.Code, fmt.Sprint(e.Status), string(e.Class), e.Plugin, e.Message)
		}
	})
})

// generateTS prints the module; "> auth.gen.ts" keeps it.
var generateTS = described(func(r *run, auth *core.Auth) error {
	text, err := auth.TypeScript()
	if err == nil {
		_, err = fmt.Fprint(r.out, text)
	}
	return err
})

var configCheck = described(func(r *run, auth *core.Auth) error {
	name := r.config
	if name == "" {
		name = "the configuration (no file)"
	}
	_, err := fmt.Fprintf(r.out, "%s is in order: %d endpoints, %d error codes\n", name, len(auth.Routes()), len(auth.Errors()))
	return err
})

func configDocs(r *run, _ *flag.FlagSet) func(context.Context) (int, error) {
	return func(context.Context) (int, error) {
		_, err := fmt.Fprint(r.out, server.Docs(r.Plugins...))
		return ok, err
	}
}

func secret(r *run, _ *flag.FlagSet) func(context.Context) (int, error) {
	return func(context.Context) (int, error) {
		s, err := server.NewSecret(nil)
		if err != nil {
			return failed, err
		}
		_, err = fmt.Fprintln(r.out, s)
		return ok, err
	}
}

func version(r *run, _ *flag.FlagSet) func(context.Context) (int, error) {
	return func(context.Context) (int, error) {
		_, err := fmt.Fprintf(r.out, "%s %s (plugin contract %d)\n", r.Name, r.Version, core.SPI)
		return ok, err
	}
}

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
	"github.com/sallyport-auth/sallyport/migrations/adopt"
	"github.com/sallyport-auth/sallyport/server"
)

// adoption is one run of adopt.
type adoption struct {
	*run
	apply, accept, json             bool
	mapping, from, database, schema string

	cfg      server.Config
	proposal *adopt.Proposal
	proposed bool // the mapping is a proposal of ours
	want     *schema.Schema
	names    schema.Names
	steps    []storage.Step
	report   *adopt.Report
}

func adoptDatabase(r *run, f *flag.FlagSet) func(context.Context) (int, error) {
	a := &adoption{run: r}
	f.BoolVar(&a.apply, "apply", false, "add what is missing; without it nothing is written")
	f.BoolVar(&a.accept, "accept-losses", false, "apply although users would lose something")
	f.BoolVar(&a.json, "json", false, "print the report as JSON")
	f.StringVar(&a.mapping, "mapping", "", "the names of tables and columns, as a part of the config `file`: read if it is there, else written")
	f.StringVar(&a.from, "from", adopt.BetterAuth, "what `made` the database: better-auth or mana")
	f.StringVar(&a.database, "database", "", "the `URL` of PostgreSQL or path of SQLite; default as configured, or $DATABASE_URL. A password is safer there")
	f.StringVar(&a.schema, "schema", "", "the PostgreSQL `schema` of the tables; default as configured, or the one that has them")
	return a.do
}

func (a *adoption) do(ctx context.Context) (code int, err error) {
	if a.from != adopt.BetterAuth && a.from != adopt.Mana {
		return misused, fmt.Errorf("--from: %q is neither %s nor %s", a.from, adopt.BetterAuth, adopt.Mana)
	}
	if err := a.configure(); err != nil {
		return failed, err
	}
	db, err := server.OpenDatabase(ctx, a.cfg, true)
	if err != nil {
		return failed, err
	}
	defer func() {
		if e := db.Close(); e != nil {
			code, err = failed, errors.Join(err, e)
		}
	}()
	if err := a.look(ctx, db); err != nil {
		return failed, err
	}
	if err := a.print(); err != nil {
		return failed, err
	}
	switch {
	case len(a.report.Faults) > 0:
		return failed, errors.New("the database cannot be taken over as it is: see the faults")
	case !a.apply && a.report.Pending():
		return pending, nil
	case !a.apply || !a.report.Pending():
		return ok, nil
	case a.report.Lost() && !a.accept:
		return failed, errors.New("users would lose something, see the report; nothing was changed. Say --accept-losses if that is meant")
	}
	return a.write(ctx)
}

// configure reads the configuration. Without a file and without a list of plugins the
// database says which are wanted.
func (a *adoption) configure() (err error) {
	if a.cfg, err = a.load(); err != nil {
		return err
	}
	if a.config == "" && a.getenv("SALLYPORT_PLUGINS") == "" {
		a.cfg.Plugins = nil
	}
	if a.database != "" {
		a.cfg.UseDatabase(a.database)
	}
	if a.schema != "" {
		a.cfg.Database.Schema = a.schema
	}
	if a.cfg.Database.Schema == "" && a.from == adopt.Mana {
		a.cfg.Database.Schema = "auth"
	}
	return nil
}

// look makes the report.
func (a *adoption) look(ctx context.Context, db storage.Database) (err error) {
	if a.proposal, err = adopt.Look(ctx, db, a.from, a.cfg.Database.Schema); err != nil {
		return err
	}
	text, name, err := a.mapped(ctx, db)
	if err != nil {
		return err
	}
	if err := a.cfg.Merge(name, []byte(text), a.Plugins...); err != nil {
		return err
	}
	auth, err := server.Describe(a.cfg, a.Plugins...)
	if err != nil {
		return err
	}
	a.want, a.names, a.steps = auth.Schema()
	plan, err := migrations.Read(ctx, db, a.want, a.names, a.steps)
	if err != nil {
		return err
	}
	a.report = a.proposal.Report(a.want, a.names, plan)
	a.report.Mapping = text
	if a.proposed {
		a.report.Faults = append(a.report.Faults, a.proposal.Faults...)
		a.report.Notes = append(a.report.Notes, a.proposal.Notes...)
	}
	if err := a.proposal.Inspect(ctx, db, a.report, a.want, a.names, a.enabled()); err != nil {
		return err
	}
	return a.secrets(ctx, db, auth.Host())
}

func (a *adoption) enabled() (ids []string) {
	for _, p := range a.cfg.Plugins {
		ids = append(ids, p.ID)
	}
	return ids
}

// mapped returns the part of the config file that maps the names, and where it comes from:
// the file of --mapping, what is configured already (then it is empty), or a proposal.
func (a *adoption) mapped(ctx context.Context, db storage.Database) (text, name string, err error) {
	if a.mapping != "" {
		raw, err := os.ReadFile(a.mapping)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return string(raw), a.mapping, err
		}
	}
	d := &a.cfg.Database
	if d.Naming != "" || len(d.Overrides) > 0 {
		return "", "", nil
	}
	c := a.cfg
	if err := c.Merge("proposal", []byte(a.proposal.YAML()), a.Plugins...); err != nil {
		return "", "", err
	}
	auth, err := server.Describe(c, a.Plugins...)
	if err != nil {
		return "", "", err
	}
	want, _, _ := auth.Schema()
	a.proposal.Complete(want)
	if err := a.proposal.FindTimes(ctx, db, want); err != nil {
		return "", "", err
	}
	a.proposed = true
	return a.proposal.YAML(), "proposal", nil
}

// print prints the report, and writes the mapping where it is wanted.
func (a *adoption) print() error {
	if a.json {
		e := json.NewEncoder(a.out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(a.report); err != nil {
			return err
		}
	} else if err := a.report.Write(a.out); err != nil {
		return err
	}
	if a.mapping == "" || !a.proposed {
		return nil
	}
	f, err := os.OpenFile(a.mapping, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(a.report.Mapping)
	return errors.Join(err, f.Close())
}

// write adds what is missing.
func (a *adoption) write(ctx context.Context) (code int, err error) {
	db, err := server.OpenDatabase(ctx, a.cfg, false)
	if err != nil {
		return failed, err
	}
	defer func() {
		if e := db.Close(); e != nil {
			code, err = failed, errors.Join(err, e)
		}
	}()
	plan, err := migrations.Apply(ctx, db, a.want, a.names, a.steps)
	if err != nil {
		return failed, err
	}
	to := a.out
	if a.json {
		to = a.err
	}
	fmt.Fprintf(to, "%d statements; the database is taken over\n", len(plan.Statements))
	return ok, nil
}

// secrets tries whether the secret opens what the database holds.
func (a *adoption) secrets(ctx context.Context, db storage.Database, h *core.Host) error {
	if !a.cfg.HasSecret() {
		a.report.Notes = append(a.report.Notes, "no secret is configured: it must be that of the app (BETTER_AUTH_SECRET), or nobody stays signed in and no second factor opens")
		return nil
	}
	sealed, err := a.proposal.Sealed(ctx, db)
	if err != nil {
		return err
	}
	for _, s := range sealed {
		if _, err := h.Decrypt(s.Text); err != nil {
			a.report.Faults = append(a.report.Faults, "the secret does not open what is stored in "+s.Where+": it is not the one that the app used")
			continue
		}
		a.report.Notes = append(a.report.Notes, "the secret opens what is stored in "+s.Where)
	}
	return nil
}

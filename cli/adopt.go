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
	configured                      bool // somebody said what tables and columns are called
	mapping, from, database, schema string

	cfg      server.Config
	mapped   string // what the file of mapping says: it may hold secrets
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

// configure reads the configuration, of which the mapping is a part if it is there. Without
// a file and without a list of plugins the database says which are wanted.
func (a *adoption) configure() (err error) {
	there, err := a.readMapping()
	if err != nil {
		return err
	}
	if _, err := os.Stat(defaultFile); there && a.config == "" && err != nil {
		a.config = a.mapping // it is the config file, and the environment goes before it
	}
	if a.cfg, err = a.load(); err != nil {
		return err
	}
	if a.config == "" && a.getenv("SALLYPORT_PLUGINS") == "" {
		a.cfg.Plugins = nil
	}
	if there && !sameFile(a.config, a.mapping) {
		if err := a.addMapping(); err != nil {
			return err
		}
	}
	if a.configured = there || a.cfg.Database.Naming != "" || len(a.cfg.Database.Overrides) > 0; a.configured && a.cfg.Database.Naming == "" {
		a.cfg.Database.Naming = string(schema.Snake)
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

// readMapping reads the file of --mapping, and tells whether it is there.
func (a *adoption) readMapping() (bool, error) {
	if a.mapping == "" {
		return false, nil
	}
	raw, err := os.ReadFile(a.mapping)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	a.mapped = string(raw)
	return err == nil, err
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	y, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(x, y)
}

// addMapping adds the mapping to another config file's options. It says what things are
// called, and not where they are: the environment would not go before it any more.
func (a *adoption) addMapping() error {
	was := a.cfg.Database
	if err := a.cfg.Merge(a.mapping, []byte(a.mapped), a.Plugins...); err != nil {
		return err
	}
	if d := &a.cfg.Database; d.URL != was.URL || d.URLFile != was.URLFile || d.Path != was.Path {
		return fmt.Errorf("%s says where the database is, and %s is the config file: say it there, or in the environment", a.mapping, a.config)
	}
	return nil
}

// look makes the report.
func (a *adoption) look(ctx context.Context, db storage.Database) (err error) {
	d := &a.cfg.Database
	names := schema.Names{Schema: d.Schema}
	if a.configured {
		names.Naming, names.Overrides = schema.Naming(d.Naming), d.Overrides
	}
	if a.proposal, err = adopt.Look(ctx, db, a.from, names); err != nil {
		return err
	}
	if !a.configured {
		if err := a.propose(ctx, db); err != nil {
			return err
		}
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
	ids := a.cfg.Core.IDs
	if a.cfg.Core.NewID != nil {
		ids = ""
	} else if ids == "" {
		ids = "random"
	}
	a.report = a.proposal.Report(a.want, a.names, plan, ids)
	if a.proposed {
		a.report.Mapping = a.mapped
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

// propose adds a proposal to the configuration: what the database says of itself.
func (a *adoption) propose(ctx context.Context, db storage.Database) error {
	c := a.cfg
	if err := c.Merge("proposal", []byte(a.proposal.YAML()), a.Plugins...); err != nil {
		return err
	}
	auth, err := server.Describe(c, a.Plugins...)
	if err != nil {
		return err
	}
	want, _, _ := auth.Schema()
	a.proposal.Complete(want)
	if err := a.proposal.FindTimes(ctx, db, want); err != nil {
		return err
	}
	a.proposed, a.mapped = true, a.proposal.YAML()
	return a.cfg.Merge("proposal", []byte(a.mapped), a.Plugins...)
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
	// Where several tables or columns fit, somebody has to choose: the next run would take
	// the file for the choice.
	if a.mapping == "" || !a.proposed || len(a.proposal.Faults) > 0 {
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

package migrations_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/adapters/sqlite"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
)

// each runs a test on an empty database of every kind. open makes a handle; every call
// another one.
func each(t *testing.T, test func(t *testing.T, open func() storage.Database)) {
	t.Run("postgres", func(t *testing.T) {
		url := adaptertest.PostgresURL(t)
		test(t, func() storage.Database { return openPostgres(t, url) })
	})
	t.Run("sqlite", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "test.db")
		test(t, func() storage.Database {
			db, err := sqlite.Open(t.Context(), file, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			return db
		})
	})
}

func openPostgres(t *testing.T, url string) storage.Database {
	t.Helper()
	db, err := postgres.Open(t.Context(), url, postgres.Options{MaxOpen: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func apply(t *testing.T, db storage.Database, want *schema.Schema, names schema.Names, steps []migrations.Step) *migrations.Plan {
	t.Helper()
	p, err := migrations.Apply(t.Context(), db, want, names, steps)
	if err != nil {
		t.Fatal(errors.Join(err, errors.Unwrap(err)))
	}
	return p
}

func ddl(t *testing.T, db storage.Database, statements ...string) {
	t.Helper()
	if err := db.DDL(t.Context(), statements...); err != nil {
		t.Fatal(errors.Join(err, errors.Unwrap(err)))
	}
}

func TestApplyTwice(t *testing.T) {
	for _, names := range namings() {
		t.Run(string(names.Naming), func(t *testing.T) {
			each(t, func(t *testing.T, open func() storage.Database) {
				db := open()
				ctx := t.Context()
				var drift *migrations.DriftError
				if err := migrations.Verify(ctx, db, everything(t), names, steps()); !errors.As(err, &drift) ||
					len(drift.Missing) != 7 || len(drift.Pending) != 2 || len(drift.Faults) != 0 {
					t.Fatalf("an empty database: %v", err)
				}
				// First the core, then the plugins that are listed later.
				apply(t, db, core(t), names, nil)
				if p := apply(t, db, everything(t), names, steps()); p.Empty() || len(p.Faults) > 0 {
					t.Fatalf("nothing was added, or faults %q", p.Faults)
				}
				again, err := migrations.Read(ctx, db, everything(t), names, steps())
				if err != nil {
					t.Fatal(err)
				}
				if !again.Empty() || len(again.Notes)+len(again.Faults) > 0 {
					t.Errorf("planned again:\n%s", again)
				}
				if err := migrations.Verify(ctx, db, everything(t), names, steps()); err != nil {
					t.Error(err)
				}
				rows, err := db.Query(ctx, `SELECT count(*) FROM {node} WHERE {node.label} = ?`, "oak")
				if err != nil {
					t.Fatal(err)
				}
				defer rows.Close()
				var n int
				if !rows.Next() || rows.Scan(&n) != nil || n != 1 {
					t.Errorf("the step made %d rows, want 1", n)
				}
			})
		})
	}
}

func TestNewDatabaseAtOnce(t *testing.T) {
	for _, names := range namings() {
		each(t, func(t *testing.T, open func() storage.Database) {
			db := open()
			apply(t, db, everything(t), names, steps())
			p, err := migrations.Read(t.Context(), db, everything(t), names, steps())
			if err != nil {
				t.Fatal(err)
			}
			if !p.Empty() || len(p.Notes)+len(p.Faults) > 0 {
				t.Errorf("planned again:\n%s", p)
			}
		})
	}
}

// applyEnv makes TestApplyInParallel one of the programs that it starts: "dialect source".
const applyEnv = "SALLYPORT_TEST_APPLY"

func TestApplyInParallel(t *testing.T) {
	if job := os.Getenv(applyEnv); job != "" {
		applyHere(t, job)
		return
	}
	t.Run("postgres", func(t *testing.T) { applyByFive(t, "postgres "+adaptertest.PostgresURL(t)) })
	t.Run("sqlite", func(t *testing.T) { applyByFive(t, "sqlite "+filepath.Join(t.TempDir(), "test.db")) })
}

func applyHere(t *testing.T, job string) {
	dialect, source, _ := strings.Cut(job, " ")
	var db storage.Database
	var err error
	if dialect == "postgres" {
		db, err = postgres.Open(t.Context(), source, postgres.Options{MaxOpen: 2})
	} else {
		db, err = sqlite.Open(t.Context(), source, sqlite.Options{})
	}
	if err != nil {
		t.Fatal(errors.Join(err, errors.Unwrap(err)))
	}
	defer db.Close()
	if p := apply(t, db, everything(t), schema.Names{}, steps()); !p.Empty() {
		fmt.Println("did it")
	}
}

func applyByFive(t *testing.T, job string) {
	var wg sync.WaitGroup
	var did atomic.Int64
	for range 5 {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestApplyInParallel$", "-test.v")
			cmd.Env = append(os.Environ(), applyEnv+"="+job)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
			did.Add(int64(strings.Count(string(out), "did it")))
		})
	}
	wg.Wait()
	if did.Load() != 1 {
		t.Errorf("%d of 5 programs did the work, want 1", did.Load())
	}
}

func TestDrift(t *testing.T) {
	each(t, func(t *testing.T, open func() storage.Database) {
		db := open()
		apply(t, db, everything(t), schema.Names{}, nil)
		ddl(t, db, `ALTER TABLE "user" DROP COLUMN "email_verified"`, `ALTER TABLE "user" DROP COLUMN "two_factor_enabled"`,
			`DROP INDEX "tree_region_slug_uidx"`, `DROP INDEX "session_user_id_idx"`, `DROP TABLE "rate_limit"`)
		want := `migrations: the database is not what the plugins need:
	plugin core: table user ("user") lacks column email_verified
	plugin two-factor: table user ("user") lacks column two_factor_enabled
	plugin core: table rateLimit ("rate_limit") is missing
	plugin forest: table tree ("tree") lacks unique index tree_region_slug_uidx
	plugin forest: step 1 (plant) did not run
	plugin forest: step 2 (only there) did not run
	plugin core: table user ("user"): column email_verified is missing and has no default: existing rows would have no value (add it by hand, or by a step)`
		err := migrations.Verify(t.Context(), db, everything(t), schema.Names{}, steps())
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %v", err, want)
		}
		_, err = migrations.Apply(t.Context(), db, everything(t), schema.Names{}, nil)
		var fault *migrations.FaultError
		if !errors.As(err, &fault) || len(fault.Faults) != 1 {
			t.Errorf("a plan with faults was applied: %v", err)
		}
		live, err := db.Inspect(t.Context())
		if err != nil || live.Table("rate_limit") != nil {
			t.Errorf("a part of it was: %v", err)
		}
		ddl(t, db, `ALTER TABLE "user" ADD COLUMN "email_verified" boolean NOT NULL DEFAULT false`)
		apply(t, db, everything(t), schema.Names{}, nil)
		if err := migrations.Verify(t.Context(), db, everything(t), schema.Names{}, nil); err != nil {
			t.Error(err)
		}
	})
}

func TestStepsRunOnce(t *testing.T) {
	each(t, func(t *testing.T, open func() storage.Database) {
		db, ctx := open(), t.Context()
		all := steps()
		apply(t, db, everything(t), schema.Names{}, all[:1])
		bad := append(slices.Clone(all[:1]), migrations.Step{Plugin: "forest", Number: 2, Name: "broken", SQL: map[storage.Dialect][]string{
			storage.Postgres: {`DELETE FROM {node}`, `nonsense`}, storage.SQLite: {`DELETE FROM {node}`, `nonsense`}}})
		if _, err := migrations.Apply(ctx, db, everything(t), schema.Names{}, bad); err == nil {
			t.Error("a broken step was applied")
		}
		// Of the broken step nothing took effect, and it is still to run.
		var drift *migrations.DriftError
		err := migrations.Verify(ctx, db, everything(t), schema.Names{}, bad)
		if !errors.As(err, &drift) || len(drift.Pending) != 1 || drift.Pending[0].Name != "broken" {
			t.Errorf("afterwards: %v", err)
		}
		if p := apply(t, db, everything(t), schema.Names{}, all); len(p.Pending) != 1 || p.Pending[0].Number != 2 {
			t.Errorf("ran %+v, want step 2 alone", p.Pending)
		}
		for dialect := range all[0].SQL {
			all[0].SQL[dialect] = []string{"SELECT 1"}
		}
		for _, err := range []error{
			migrations.Verify(ctx, db, everything(t), schema.Names{}, all),
			func() error { _, err := migrations.Apply(ctx, db, everything(t), schema.Names{}, all); return err }(),
		} {
			if err == nil || !strings.Contains(err.Error(), "step forest/1 (plant) was changed after it ran") {
				t.Errorf("a changed step: %v", err)
			}
		}
	})
}

// A database that Better Auth made is taken as it is, and one that we make is the same.
func TestBetterAuth(t *testing.T) {
	each(t, func(t *testing.T, open func() storage.Database) {
		db := open()
		text, err := os.ReadFile(filepath.Join("testdata", "better-auth."+string(db.Dialect())+".sql"))
		if err != nil {
			t.Fatal(err)
		}
		ddl(t, db, string(text))
		names := schema.Names{Naming: schema.BetterAuth}
		if err := migrations.Verify(t.Context(), db, core(t), names, nil); err != nil {
			t.Error(err)
		}
		theirs, err := db.Inspect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p := apply(t, db, core(t), names, nil)
		if len(p.Statements) != 1 || !strings.Contains(p.SQL()[0], migrations.Ledger) {
			t.Errorf("more than the ledger was added:\n%s", p)
		}
		if want := []string{`plugin core: table account ("account"): no plugin knows column issuer; it stays as it is`}; !slices.Equal(p.Notes, want) {
			t.Errorf("notes %q, want %q", p.Notes, want)
		}
		ddl(t, db, `DROP TABLE "session"`, `DROP TABLE "account"`, `DROP TABLE "rateLimit"`, `DROP TABLE "user"`, `DROP TABLE "sallyport_migration"`)
		apply(t, db, core(t), names, nil)
		ddl(t, db, `ALTER TABLE "account" ADD COLUMN "issuer" text`)
		for _, want := range theirs.Tables {
			ours, err := db.Inspect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := ours.Table(want.Name); got == nil || !reflect.DeepEqual(*got, want) {
				t.Errorf("table %s\n got %+v\nwant %+v", want.Name, got, want)
			}
		}
	})
}

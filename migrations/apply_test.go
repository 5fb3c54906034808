package migrations_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
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

func TestApplyInParallel(t *testing.T) {
	each(t, func(t *testing.T, open func() storage.Database) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		did := 0
		for range 5 {
			db := open()
			wg.Go(func() {
				p, err := migrations.Apply(t.Context(), db, everything(t), schema.Names{}, steps())
				if err != nil {
					t.Error(errors.Join(err, errors.Unwrap(err)))
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if !p.Empty() {
					did++
				}
			})
		}
		wg.Wait()
		if did != 1 {
			t.Errorf("%d of 5 did the work, want 1", did)
		}
	})
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

// The service's own role needs no right to create or alter anything.
func TestRestrictedRole(t *testing.T) {
	owner := adaptertest.PostgresURL(t)
	names := schema.Names{Schema: "auth"}
	apply(t, openPostgres(t, owner), everything(t), names, steps())
	db := openPostgres(t, adaptertest.PostgresRole(t, owner, `GRANT USAGE ON SCHEMA "auth" TO $role`,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "auth" TO $role`))
	if err := migrations.Verify(t.Context(), db, everything(t), names, steps()); err != nil {
		t.Error(err)
	}
	if p := apply(t, db, everything(t), names, steps()); !p.Empty() {
		t.Errorf("planned again:\n%s", p)
	}
	more := append(everything(t).Tables, schema.Table{Name: "more", Owner: "x", Columns: []schema.Column{{Name: "id", Kind: schema.String, PrimaryKey: true}}})
	if _, err := migrations.Apply(t.Context(), db, &schema.Schema{Tables: more}, names, steps()); err == nil {
		t.Error("the role created a table")
	}
}

func TestRowSecurity(t *testing.T) {
	owner := adaptertest.PostgresURL(t)
	admin := openPostgres(t, owner)
	apply(t, admin, everything(t), schema.Names{}, nil)
	ddl(t, admin, `INSERT INTO "user" ("id", "name", "email", "email_verified") VALUES ('a', 'a', 'a', true), ('b', 'b', 'b', true)`)
	// The owner of a table is bound too, unless it is a superuser.
	url := adaptertest.PostgresRole(t, owner, `GRANT ALL ON SCHEMA public TO $role`,
		`GRANT ALL ON ALL TABLES IN SCHEMA public TO $role`, `ALTER TABLE "vault_item" OWNER TO $role`)
	opened, handle := openPostgres(t, url), fromHandle(t, url)
	for i, db := range []storage.Database{opened, handle} {
		if err := db.Bind(everything(t), schema.Names{}); err != nil {
			t.Fatal(err)
		}
		as := func(user string, fn func(ctx context.Context, tx storage.Tx)) {
			t.Helper()
			tx, err := db.Begin(t.Context(), storage.TxOptions{UserID: user})
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			fn(t.Context(), tx)
		}
		insert := `INSERT INTO {vaultItem} ({vaultItem:id}, {vaultItem:ownerId}, {vaultItem:cipher}) VALUES (?, ?, ?)`
		as("a", func(ctx context.Context, tx storage.Tx) {
			if _, err := tx.Exec(ctx, insert, []string{"i", "j"}[i], "a", []byte("x")); err != nil {
				t.Fatal(err)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
		})
		for user, want := range map[string]int64{"a": int64(i) + 1, "b": 0, "": 0} {
			as(user, func(ctx context.Context, tx storage.Tx) {
				n, err := tx.Exec(ctx, `UPDATE {vaultItem} SET {vaultItem:cipher} = ?`, []byte("y"))
				if err != nil || n != want {
					t.Errorf("user %q changes %d rows, want %d (%v)", user, n, want, err)
				}
			})
			as(user, func(ctx context.Context, tx storage.Tx) {
				if _, err := tx.Exec(ctx, insert, "forged", "c", []byte("x")); err == nil {
					t.Errorf("user %q wrote a row of somebody else", user)
				}
			})
		}
		if n, err := db.Exec(t.Context(), `DELETE FROM {vaultItem}`); err != nil || n != 0 {
			t.Errorf("without a user %d rows are there (%v)", n, err)
		}
	}
	// A policy that somebody dropped leaves nothing visible, and is missed.
	ddl(t, admin, `DROP POLICY "vault_item_owner" ON "vault_item"`)
	err := migrations.Verify(t.Context(), admin, everything(t), schema.Names{}, nil)
	if want := `plugin vault: table vaultItem ("vault_item") lacks row-level security`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	ddl(t, admin, `ALTER TABLE "vault_item" NO FORCE ROW LEVEL SECURITY`)
	apply(t, admin, everything(t), schema.Names{}, nil)
	if err := migrations.Verify(t.Context(), admin, everything(t), schema.Names{}, nil); err != nil {
		t.Error(err)
	}
}

func fromHandle(t *testing.T, url string) storage.Database {
	t.Helper()
	handle, err := sql.Open("postgres", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { handle.Close() })
	db, err := postgres.From(t.Context(), handle, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

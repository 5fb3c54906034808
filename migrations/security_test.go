package migrations_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
)

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
				victim := map[string]string{"a": "b", "b": "a", "": "a"}[user]
				_, err := tx.Exec(ctx, insert, "forged", victim, []byte("x"))
				var e *storage.Error
				if !errors.As(err, &e) || e.SQLState != "42501" {
					t.Errorf("user %q wrote a row of %q: %v", user, victim, err)
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

package migrations_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/sqlite"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
)

// trail is a table that only grows, whose address may be erased.
func trail() *schema.Schema {
	return &schema.Schema{Tables: []schema.Table{{Name: "auditTrail", Owner: "vault", AppendOnly: true, Erasable: []string{"ipAddress"},
		Columns: []schema.Column{{Name: "id", Kind: schema.String, PrimaryKey: true}, {Name: "what", Kind: schema.String},
			{Name: "ipAddress", Kind: schema.String, Nullable: true}}}}}
}

func TestAppendOnly(t *testing.T) {
	lite, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lite.Close() })
	for name, db := range map[string]storage.Database{"sqlite": lite, "postgres": openPostgres(t, adaptertest.PostgresURL(t))} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			p := apply(t, db, trail(), schema.Names{}, nil)
			if p := apply(t, db, trail(), schema.Names{}, nil); !p.Empty() {
				t.Fatalf("planned again:\n%s", p)
			}
			exec := func(sql string) error { _, err := db.Exec(ctx, sql); return err }
			if err := exec(`INSERT INTO {auditTrail} VALUES ('a', 'opened', '192.0.2.1'), ('b', 'opened', NULL)`); err != nil {
				t.Fatal(err)
			}
			refused := []string{
				`UPDATE {auditTrail} SET {auditTrail:what} = 'nothing'`,
				`UPDATE {auditTrail} SET {auditTrail:ipAddress} = '192.0.2.2'`,
				`UPDATE {auditTrail} SET {auditTrail:ipAddress} = NULL, {auditTrail:what} = 'nothing'`,
				`DELETE FROM {auditTrail}`,
			}
			if name == "postgres" {
				refused = append(refused, `TRUNCATE {auditTrail}`)
			}
			for _, sql := range refused {
				var e *storage.Error
				if err := exec(sql); !errors.As(err, &e) || e.Kind != storage.Check {
					t.Errorf("%s: %v", sql, err)
				}
			}
			if err := exec(`UPDATE {auditTrail} SET {auditTrail:ipAddress} = NULL`); err != nil {
				t.Errorf("erasing: %v", err)
			}
			protects(t, db, p)
		})
	}
}

// protects drops the trigger: the start must say so, and a migration must mend it.
func protects(t *testing.T, db storage.Database, p *migrations.Plan) {
	t.Helper()
	ctx := context.Background()
	name := schema.AppendOnlyTrigger("audit_trail")
	drop := `DROP TRIGGER "` + name + `"`
	if db.Dialect() == storage.Postgres {
		drop += ` ON "audit_trail"`
	}
	if !slices.ContainsFunc(p.SQL(), func(s string) bool { return strings.Contains(s, name) }) {
		t.Fatalf("no trigger in the plan:\n%s", p)
	}
	ddl(t, db, drop)
	live, err := db.Inspect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got := schema.Unprotected(trail(), schema.Names{}, live); len(got) != 1 || !strings.Contains(got[0], `plugin vault: table auditTrail ("audit_trail"): its rows can be changed`) {
		t.Errorf("a dropped trigger: %q", got)
	}
	if err := migrations.Verify(ctx, db, trail(), schema.Names{}, nil); err == nil || !strings.Contains(err.Error(), "must only grow") {
		t.Errorf("a dropped trigger: %v", err)
	}
}

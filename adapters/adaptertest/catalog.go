package adaptertest

import (
	"reflect"
	"slices"
	"testing"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

func testInspect(t *testing.T, db storage.Database) {
	live, err := db.Inspect(ctxOf(t))
	if err != nil {
		t.Fatal(err)
	}
	if !live.SchemaExists {
		t.Error("the schema is missing")
	}
	var names []string
	for _, table := range live.Tables {
		names = append(names, table.Name)
	}
	slices.Sort(names)
	if want := []string{"member", "rate_limit", "secret", "user"}; !slices.Equal(names, want) {
		t.Fatalf("tables %v, want %v", names, want)
	}
	types := map[storage.Dialect][]string{
		storage.Postgres: {"text", "boolean", "timestamp with time zone", "bigint", "jsonb", "bytea"},
		storage.SQLite:   {"text", "integer", "date", "bigint", "text", "blob"},
	}[db.Dialect()]
	for i, want := range []schema.LiveColumn{
		{Name: "id", Type: types[0]}, {Name: "email_verified", Type: types[1]}, {Name: "created_at", Type: types[2]},
		{Name: "last_request", Type: types[3], Nullable: true}, {Name: "meta", Type: types[4], Nullable: true},
		{Name: "blob", Type: types[5], Nullable: true},
	} {
		if got := live.Table("user").Column(want.Name); got == nil || *got != want {
			t.Errorf("column %d: %+v, want %+v", i, got, want)
		}
	}
	found := false
	for _, ix := range live.Table("member").Indexes {
		found = found || reflect.DeepEqual(ix, schema.LiveIndex{
			Name: "member_org_id_user_id_uidx", Columns: []string{"org_id", "user_id"}, Unique: true})
	}
	if !found {
		t.Errorf("indexes of member: %+v", live.Table("member").Indexes)
	}
	found = false
	for _, ix := range live.Table("user").Indexes {
		found = found || ix.Unique && slices.Equal(ix.Columns, []string{"email"})
	}
	if !found {
		t.Errorf("indexes of user: %+v", live.Table("user").Indexes)
	}
	secret := live.Table("secret")
	if want := db.Dialect() == storage.Postgres; secret.RowSecurity != want || slices.Contains(secret.Policies, "secret_owner") != want {
		t.Errorf("row security %v, policies %v", secret.RowSecurity, secret.Policies)
	}
	if err := db.DDL(ctxOf(t), `ALTER TABLE "user" ADD COLUMN "extra" text DEFAULT 'x'`); err != nil {
		t.Fatal(err)
	}
	if live, err = db.Inspect(ctxOf(t)); err != nil {
		t.Fatal(err)
	}
	if c := live.Table("user").Column("extra"); c == nil || !c.Default || !c.Nullable {
		t.Errorf("the new column is %+v", c)
	}
}

// testRowSecurity sets the user in a transaction. That the policy holds takes a role
// that is bound by it, see the PostgreSQL adapter's tests.
func testRowSecurity(t *testing.T, db storage.Database) {
	if db.Dialect() != storage.Postgres {
		return // the callers filter
	}
	current := `SELECT coalesce(current_setting('app.current_user_id', true), '')`
	for range 2 * db.Stats().MaxOpen / 20 {
		tx, err := db.Begin(ctxOf(t), storage.TxOptions{UserID: `o'Neil \ x`})
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if scan(t, tx, []any{&got}, current); got != `o'Neil \ x` {
			t.Errorf("the transaction's user is %q", got)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		// The setting ends with its transaction: the connection is somebody else's next.
		if scan(t, db, []any{&got}, current); got != "" {
			t.Errorf("the user %q stayed on the connection", got)
		}
	}
	for _, id := range []string{"a\x00b", "\xff"} {
		if tx, err := db.Begin(ctxOf(t), storage.TxOptions{UserID: id}); err == nil {
			tx.Rollback()
			t.Errorf("user id %q was taken", id)
		}
	}
	tx := beginTx(t, db)
	var got string
	if scan(t, tx, []any{&got}, current); got != "" {
		t.Errorf("a transaction without a user has %q", got)
	}
}

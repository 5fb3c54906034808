package postgres_test

import (
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// BenchmarkQuery is one row by its key on a warm connection.
func BenchmarkQuery(b *testing.B) {
	db, err := postgres.Open(b.Context(), adaptertest.PostgresURL(b), postgres.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	s := &schema.Schema{Tables: []schema.Table{{Name: "user", Columns: []schema.Column{
		{Name: "id", Kind: schema.String, PrimaryKey: true}, {Name: "name", Kind: schema.String}}}}}
	if err := db.Bind(s, schema.Names{}); err != nil {
		b.Fatal(err)
	}
	if err := db.DDL(b.Context(), `CREATE TABLE "user" ("id" text PRIMARY KEY, "name" text)`, `INSERT INTO "user" VALUES ('a', 'Ann')`); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		rows, err := db.Query(b.Context(), `SELECT {user.id}, {user.name} FROM {user} WHERE {user.id} = ?`, "a")
		if err != nil {
			b.Fatal(err)
		}
		var id, name string
		for rows.Next() {
			if err := rows.Scan(storage.Dest(&id), storage.Dest(&name)); err != nil {
				b.Fatal(err)
			}
		}
		if err := rows.Close(); err != nil || name != "Ann" {
			b.Fatal(err)
		}
	}
}

package postgres_test

import (
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core/schema"
)

// The tables of a schema are read while an app makes and drops some of its own there.
func TestInspectWhileTablesGo(t *testing.T) {
	db, err := postgres.Open(t.Context(), adaptertest.PostgresURL(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Bind(&schema.Schema{}, schema.Names{}); err != nil {
		t.Fatal(err)
	}
	// Many columns take a while to be read; the one that goes comes last.
	if err := db.DDL(t.Context(), `DO $$ BEGIN FOR i IN 1..100 LOOP EXECUTE 'CREATE TABLE many' || i || ' (a int, b int, c int, d int, e serial)'; END LOOP; END $$`); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	stop := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := db.DDL(t.Context(), `CREATE TABLE passing (id serial PRIMARY KEY)`); err != nil {
				done <- err
				return
			}
			if err := db.DDL(t.Context(), `DROP TABLE passing`); err != nil {
				done <- err
				return
			}
		}
	}()
	for range 50 {
		live, err := db.Inspect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if c := live.Table("many1").Column("e"); !c.Sequence || live.Table("many1").Column("d").Sequence {
			t.Fatalf("%+v", live.Table("many1"))
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

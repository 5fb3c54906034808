package postgres_test

import (
	"database/sql"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
)

func TestJoin(t *testing.T) {
	dsn := adaptertest.PostgresURL(t)
	db := open(t, dsn, postgres.Options{})
	adaptertest.Setup(t, db)
	for _, driver := range []string{"postgres", "pgx"} {
		app, err := sql.Open(driver, dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { app.Close() })
		for _, keep := range []bool{false, true} {
			tx, err := app.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			joined, err := postgres.Join(tx, db)
			if err != nil {
				t.Fatal(err)
			}
			write(t, joined, insertUser, driver, driver)
			if got := read(t, joined, selectUser, driver); got != "x" {
				t.Errorf("read %q", got)
			}
			if err := joined.Commit(); err != nil {
				t.Fatal(err)
			}
			if _, err := joined.Exec(t.Context(), updateUser, driver); err == nil {
				t.Error("a statement ran after the joined part had ended")
			}
			if got := read(t, db, selectUser, driver); got != "" {
				t.Error("Commit of the joined part committed the app's transaction")
			}
			want := ""
			if keep {
				want, err = "x", tx.Commit()
			} else {
				err = tx.Rollback()
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, db, selectUser, driver); got != want {
				t.Errorf("read %q after the app's decision, want %q", got, want)
			}
		}
	}
	if _, err := postgres.Join(nil, db); err == nil {
		t.Error("joined no transaction")
	}
}

package postgres_test

import (
	"database/sql"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core/storage"
)

func open(t *testing.T, url string, o postgres.Options) storage.Database {
	t.Helper()
	db, err := postgres.Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func from(t *testing.T, driver, url string) storage.Database {
	t.Helper()
	handle, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	handle.SetMaxOpenConns(20)
	t.Cleanup(func() { handle.Close() })
	db, err := postgres.From(t.Context(), handle, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func suite(t *testing.T, open func(t *testing.T, url string) storage.Database) {
	urls := map[storage.Database]string{}
	adaptertest.Run(t, func(t *testing.T) storage.Database {
		url := adaptertest.PostgresURL(t)
		db := open(t, url)
		urls[db] = url
		return db
	}, func(t *testing.T, db storage.Database) storage.Database { return open(t, urls[db]) })
}

func TestSuite(t *testing.T) {
	suite(t, func(t *testing.T, url string) storage.Database { return open(t, url, postgres.Options{}) })
}

func TestSuiteHandleOfPQ(t *testing.T) {
	suite(t, func(t *testing.T, url string) storage.Database { return from(t, "postgres", url) })
}

func TestSuiteHandleOfPGX(t *testing.T) {
	suite(t, func(t *testing.T, url string) storage.Database { return from(t, "pgx", url) })
}

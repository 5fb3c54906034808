package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/sqlite"
	"github.com/sallyport-auth/sallyport/core/storage"
)

func open(t *testing.T, path string) storage.Database {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestSuite(t *testing.T) {
	paths := map[storage.Database]string{}
	adaptertest.Run(t, func(t *testing.T) storage.Database {
		path := filepath.Join(t.TempDir(), "test.db")
		db := open(t, path)
		paths[db] = path
		return db
	}, func(t *testing.T, db storage.Database) storage.Database { return open(t, paths[db]) })
}

func TestSuiteInMemory(t *testing.T) {
	adaptertest.Run(t, func(t *testing.T) storage.Database { return open(t, sqlite.Memory) },
		func(_ *testing.T, db storage.Database) storage.Database { return db })
}

func TestSuiteHandle(t *testing.T) {
	paths := map[storage.Database]string{}
	adaptertest.Run(t, func(t *testing.T) storage.Database {
		path := filepath.Join(t.TempDir(), "test.db")
		db, err := sqlite.From(t.Context(), handle(t, path, goodDSN), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		paths[db] = path
		return db
	}, func(t *testing.T, db storage.Database) storage.Database { return open(t, paths[db]) })
}

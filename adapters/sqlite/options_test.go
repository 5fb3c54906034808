package sqlite_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/sqlite"
	"github.com/sallyport-auth/sallyport/core/storage"
)

const goodDSN = "_foreign_keys=on&_txlock=immediate&_dqs=0&_busy_timeout=5000&_journal_mode=WAL"

func handle(t *testing.T, path, params string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?"+params)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "deep")
	path := filepath.Join(dir, "odd name %41?#&.db")
	db := open(t, path)
	adaptertest.Setup(t, db)
	if err := db.Lock(t.Context(), "a/b", func(context.Context) error { return nil }); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]os.FileMode{dir: 0o700 | os.ModeDir, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600,
		path + ".x612f62.lock": 0o600} {
		info, err := os.Stat(file)
		if err != nil {
			t.Error(err)
			continue
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", file, info.Mode(), want)
		}
	}
	if again := open(t, path); again.Ping(t.Context()) != nil {
		t.Error("the file cannot be opened again")
	}
}

func TestMemoryIsPrivate(t *testing.T) {
	a, b := open(t, sqlite.Memory), open(t, sqlite.Memory)
	adaptertest.Setup(t, a)
	live, err := b.Inspect(t.Context())
	if err != nil || len(live.Tables) != 0 {
		t.Errorf("the second database has %+v, %v", live, err)
	}
	count := func() (n int) {
		for _, dir := range []string{"/dev/shm", os.TempDir()} {
			m, err := filepath.Glob(filepath.Join(dir, "sallyport-*", "memory.db"))
			if err != nil {
				t.Fatal(err)
			}
			n += len(m)
		}
		return n
	}
	before := count()
	for _, db := range []storage.Database{a, b} {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if after := count(); after != before-2 {
		t.Errorf("%d folders before Close, %d after", before, after)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		o    sqlite.Options
		want string
	}{
		"empty":     {"", sqlite.Options{}, "the path must be that of a file"},
		"URI":       {"file:x?mode=memory", sqlite.Options{}, "the path must be that of a file"},
		"NUL":       {"a\x00b", sqlite.Options{}, "the path must be that of a file"},
		"folder":    {dir, sqlite.Options{}, "database: unavailable"},
		"garbage":   {garbage, sqlite.Options{}, "database: unavailable (SQLITE_NOTADB)"},
		"readers":   {filepath.Join(dir, "x"), sqlite.Options{Readers: -1}, "readers must be at least 1"},
		"busy time": {filepath.Join(dir, "x"), sqlite.Options{BusyTimeout: time.Microsecond}, "busyTimeout at least 1ms"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sqlite.Open(t.Context(), c.path, c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

func TestFromRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	without := func(param string) *sql.DB {
		return handle(t, path, strings.Replace(goodDSN, param, "", 1))
	}
	memory := handle(t, "", "mode=memory&"+goodDSN)
	for name, c := range map[string]struct {
		db   *sql.DB
		o    sqlite.Options
		want string
	}{
		"no handle":    {nil, sqlite.Options{}, "no handle"},
		"foreign keys": {without("_foreign_keys=on"), sqlite.Options{}, "add _foreign_keys=on"},
		"deferred":     {without("_txlock=immediate"), sqlite.Options{}, "add _txlock=immediate"},
		"quotes":       {without("_dqs=0"), sqlite.Options{}, "add _dqs=0"},
		"readers":      {without("none"), sqlite.Options{Readers: 2}, "set on the handle itself"},
		"memory":       {memory, sqlite.Options{}, "set MaxOpenConns to 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sqlite.From(t.Context(), c.db, c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
	memory.SetMaxOpenConns(1)
	db, err := sqlite.From(t.Context(), memory, sqlite.Options{BusyTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	adaptertest.Setup(t, db)
	tx, err := db.Begin(t.Context(), storage.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Query(t.Context(), `SELECT {user.id} FROM {user}`); storage.KindOf(err) != storage.Conflict {
		t.Errorf("a query beside the only connection's transaction: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := db.Lock(t.Context(), "x", func(context.Context) error { return nil }); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil || memory.Ping() != nil {
		t.Errorf("Close closed the app's handle: %v", err)
	}
}

// A write of the pool inside one's own transaction is an error after the busy
// time-out; a read sees what was there before, and so goes on.
func TestPoolInsideTransaction(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{BusyTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	adaptertest.Setup(t, db)
	tx, err := db.Begin(t.Context(), storage.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `INSERT INTO {rateLimit} ({rateLimit:key}, {rateLimit:count}) VALUES ('k', 1)`); err != nil {
		t.Fatal(err)
	}
	conflict := func(what string, err error) {
		t.Helper()
		if storage.KindOf(err) != storage.Conflict {
			t.Errorf("%s: %v, want a conflict", what, err)
		}
	}
	_, err = db.Exec(t.Context(), `DELETE FROM {rateLimit}`)
	conflict("exec", err)
	_, err = db.Query(t.Context(), `DELETE FROM {rateLimit} RETURNING {rateLimit:key}`)
	conflict("query that writes", err)
	_, err = db.Begin(t.Context(), storage.TxOptions{})
	conflict("begin", err)
	conflict("DDL", db.DDL(t.Context(), `CREATE TABLE "x" ("id" text)`))
	other, err := sqlite.Open(t.Context(), path, sqlite.Options{BusyTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	_, err = other.Begin(t.Context(), storage.TxOptions{})
	conflict("another program", err)
	count := func() (n int) {
		rows, err := db.Query(t.Context(), `SELECT count(*) FROM {rateLimit}`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		if !rows.Next() || rows.Scan(&n) != nil {
			t.Fatal("no count")
		}
		return n
	}
	if n := count(); n != 0 {
		t.Errorf("the pool reads %d rows of an open transaction", n)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 1 {
		t.Errorf("the pool reads %d rows after the commit", n)
	}
}

// Readers cannot write, whatever a template looks like.
func TestReadersOnlyRead(t *testing.T) {
	db := open(t, sqlite.Memory)
	adaptertest.Setup(t, db)
	for _, template := range []string{`SELECT 1; DELETE FROM {user}`, `SELECT 1; CREATE TABLE x (y)`} {
		rows, err := db.Query(t.Context(), template)
		if err == nil {
			for rows.Next() {
			}
			err = rows.Err()
			rows.Close()
		}
		if storage.KindOf(err) != storage.ReadOnly {
			t.Errorf("%s: %v", template, err)
		}
	}
}

func TestJoin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	app := handle(t, path, goodDSN)
	db, err := sqlite.From(t.Context(), app, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	adaptertest.Setup(t, db)
	for _, keep := range []bool{false, true} {
		tx, err := app.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		joined, err := sqlite.Join(tx, db)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := joined.Exec(t.Context(), `INSERT INTO {rateLimit} ({rateLimit:key}, {rateLimit:count}) VALUES ('k', 1)`); err != nil {
			t.Fatal(err)
		}
		if err := joined.Commit(); err != nil {
			t.Fatal(err)
		}
		want := int64(0)
		if keep {
			want, err = 1, tx.Commit()
		} else {
			err = tx.Rollback()
		}
		if err != nil {
			t.Fatal(err)
		}
		n, err := db.Exec(t.Context(), `DELETE FROM {rateLimit}`)
		if err != nil || n != want {
			t.Errorf("%d rows after the app's decision, want %d (%v)", n, want, err)
		}
	}
	if _, err := sqlite.Join(nil, db); err == nil {
		t.Error("joined no transaction")
	}
}

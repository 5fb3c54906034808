package adaptertest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core/storage"
)

func testViolations(t *testing.T, db storage.Database) {
	addUser(t, db, "a")
	exec(t, db, insertMember, "m", "a", "o", "owner")
	other := user("b")
	with := func(i int, v any) []any {
		args := slices.Clone(other)
		args[i] = v
		return args
	}
	for _, c := range []struct {
		name    string
		sql     string
		args    []any
		kind    storage.Kind
		table   string
		columns []string
	}{
		{"inline unique", insertUser, with(2, "a@example.com"), storage.Unique, "user", []string{"email"}},
		{"primary key", insertUser, with(0, "a"), storage.Unique, "user", []string{"id"}},
		{"unique index of two", insertMember, []any{"n", "a", "o", "x"}, storage.Unique, "member", []string{"orgId", "userId"}},
		{"not null", insertUser, with(4, nil), storage.NotNull, "user", []string{"createdAt"}},
		{"foreign key", insertMember, []any{"n", "nobody", "o", "x"}, storage.ForeignKey, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := db.Exec(ctxOf(t), c.sql, c.args...)
			e := wantKind(t, err, c.kind)
			if c.table != "" && (e.Table != c.table || !slices.Equal(e.Columns, c.columns)) {
				t.Errorf("on %s%v, want %s%v", e.Table, e.Columns, c.table, c.columns)
			}
			if unique := c.kind == storage.Unique; storage.IsUnique(err, c.table, c.columns...) != unique {
				t.Errorf("IsUnique is %v", !unique)
			}
			if strings.Contains(err.Error(), "example.com") || strings.Contains(err.Error(), "nobody") {
				t.Errorf("the error holds a value: %v", err)
			}
			if e.SQLState == "" || e.Err == nil {
				t.Errorf("state %q, cause %v", e.SQLState, e.Err)
			}
			// The same through RETURNING, whose error may come with the rows.
			_, err = scanErr(ctxOf(t), db, []any{new(string)}, c.sql+" RETURNING 'x'", c.args...)
			wantKind(t, err, c.kind)
		})
	}
	if n := count(t, db, `SELECT count(*) FROM {user}`); n != 1 {
		t.Errorf("%d users, want 1", n)
	}
}

func testFaults(t *testing.T, db storage.Database) {
	addUser(t, db, "a")
	if db.Dialect() == storage.Postgres {
		// SQLite takes any value in any column.
		for _, c := range []struct {
			column string
			value  any
		}{{"name", "a\x00b"}, {"name", "\xff"}, {"count", int64(1) << 40}, {"meta", "{"}} {
			_, err := db.Exec(ctxOf(t), `UPDATE {user} SET {user:`+c.column+`} = ?`, c.value)
			wantKind(t, err, storage.Data)
		}
	}
	read := `SELECT {user.name} FROM {user} WHERE {user.id} = ?`
	write := `UPDATE {user} SET {user:name} = ? RETURNING {user:id}`
	var s string
	scan(t, db, []any{&s}, read, "a")
	scan(t, db, []any{&s}, write, "Bob")
	// A column that goes away under prepared statements, as in the incident of a schema
	// that was behind: no statement may answer as if nothing were wrong.
	if err := db.DDL(ctxOf(t), `ALTER TABLE "user" RENAME COLUMN "name" TO "other"`); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		sql  string
		args []any
	}{{read, []any{"a"}}, {write, []any{"Eve"}}, {insertUser, user("b")}, {`SELECT {user:name} FROM {user}`, nil}} {
		_, err := scanErr(ctxOf(t), db, []any{&s}, c.sql, c.args...)
		wantKind(t, err, storage.Schema)
	}
	if err := db.DDL(ctxOf(t), `DROP TABLE "rate_limit"`); err != nil {
		t.Fatal(err)
	}
	_, err := db.Query(ctxOf(t), `SELECT {rateLimit.count} FROM {rateLimit}`)
	wantKind(t, err, storage.Schema)
	err = db.DDL(ctxOf(t), `CREATE TABLE "half" ("id" text)`, `CREATE TABLE "user" ("id" text)`)
	if err == nil {
		t.Fatal("a table was made twice")
	}
	// Whoever runs a migration has nothing but this to go by.
	if text := err.Error(); !strings.Contains(text, `CREATE TABLE "user"`) || !strings.Contains(text, "already exists") {
		t.Errorf("a failed statement is told as %q", text)
	}
	live, err := db.Inspect(ctxOf(t))
	if err != nil {
		t.Fatal(err)
	}
	if live.Table("half") != nil {
		t.Error("half of the statements took effect")
	}
}

func testContext(t *testing.T, db storage.Database) {
	addUser(t, db, "a")
	canceled, cancel := context.WithCancel(ctxOf(t))
	cancel()
	late, cancel := context.WithTimeout(ctxOf(t), 0)
	defer cancel()
	for _, c := range []struct {
		ctx  context.Context
		kind storage.Kind
	}{{canceled, storage.Canceled}, {late, storage.Timeout}} {
		_, err := db.Exec(c.ctx, `UPDATE {user} SET {user:name} = ?`, "x")
		wantKind(t, err, c.kind)
		_, err = scanErr(c.ctx, db, []any{new(string)}, `SELECT {user.name} FROM {user}`)
		wantKind(t, err, c.kind)
		_, err = db.Begin(c.ctx, storage.TxOptions{})
		wantKind(t, err, c.kind)
		_, err = db.Batch(c.ctx, storage.Statement{SQL: `DELETE FROM {user}`}, storage.Statement{SQL: `DELETE FROM {member}`})
		wantKind(t, err, c.kind)
		wantKind(t, db.Ping(c.ctx), c.kind)
		wantKind(t, db.Lock(c.ctx, "x", func(context.Context) error { return nil }), c.kind)
	}
	// A transaction ends with the context that it began with.
	ctx, cancel := context.WithCancel(ctxOf(t))
	tx, err := db.Begin(ctx, storage.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	exec(t, tx, `UPDATE {user} SET {user:name} = ?`, "x")
	cancel()
	if err := tx.Commit(); err == nil {
		t.Error("a transaction was committed after its context was cancelled")
	} else {
		wantKind(t, err, storage.Canceled)
	}
	if err := tx.Rollback(); err != nil {
		t.Errorf("rollback afterwards: %v", err)
	}
	if n := count(t, db, `SELECT count(*) FROM {user} WHERE {user.name} = ?`, "Ann"); n != 1 {
		t.Error("the cancelled transaction took effect, or the handle is of no more use")
	}
}

func testClosed(t *testing.T, db storage.Database) {
	tx := beginTx(t, db)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, err := db.Query(ctxOf(t), `SELECT {user.id} FROM {user}`)
	wantKind(t, err, storage.Unavailable)
	_, err = db.Exec(ctxOf(t), `DELETE FROM {user}`)
	wantKind(t, err, storage.Unavailable)
	_, err = db.Begin(ctxOf(t), storage.TxOptions{})
	wantKind(t, err, storage.Unavailable)
	_, err = db.Batch(ctxOf(t), storage.Statement{SQL: `DELETE FROM {user}`})
	wantKind(t, err, storage.Unavailable)
}

func testLock(t *testing.T, db, other storage.Database) {
	inside, leave, waiting := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	first := make(chan error, 1)
	go func() {
		first <- db.Lock(ctxOf(t), "migrate", func(ctx context.Context) error {
			close(inside)
			<-leave
			return errors.New("handed on")
		})
	}()
	<-inside
	// Who cannot get it gives up with its context.
	ctx, cancel := context.WithCancel(ctxOf(t))
	go func() {
		waiting <- other.Lock(ctx, "migrate", func(context.Context) error { return nil })
	}()
	// Another name is free, in both handles, and the database can be used and written.
	for _, d := range []storage.Database{db, other} {
		err := d.Lock(ctxOf(t), "Other / name", func(ctx context.Context) error {
			return d.DDL(ctx, `CREATE TABLE "x" ("id" text)`, `DROP TABLE "x"`)
		})
		if err != nil {
			t.Errorf("another name: %v", errors.Join(err, errors.Unwrap(err)))
		}
	}
	select {
	case err := <-waiting:
		t.Fatalf("the lock was given twice, or refused: %v", err)
	default:
	}
	cancel()
	wantKind(t, <-waiting, storage.Canceled)
	close(leave)
	if err := <-first; err == nil || err.Error() != "handed on" {
		t.Errorf("Lock returned %v, want fn's error", err)
	}
	ran := false
	if err := other.Lock(ctxOf(t), "migrate", func(context.Context) error { ran = true; return nil }); err != nil || !ran {
		t.Errorf("the lock is not free: ran %v, %v", ran, err)
	}
}

func tryLock(t *testing.T, tx storage.Tx, name string) bool {
	t.Helper()
	got, err := tx.TryLock(ctxOf(t), name)
	if err != nil {
		t.Fatal(errors.Join(err, errors.Unwrap(err)))
	}
	return got
}

func testTryLock(t *testing.T, db, other storage.Database) {
	tx := beginTx(t, db)
	for range 2 { // it is the transaction's own
		if !tryLock(t, tx, "clean") {
			t.Fatal("a lock that is free was refused")
		}
	}
	addUser(t, tx, "a")
	if db.Dialect() == storage.Postgres {
		// With one writer nobody gets as far as asking.
		second := beginTx(t, other)
		if tryLock(t, second, "clean") {
			t.Error("the lock was given twice")
		}
		if !tryLock(t, second, "Other / name") {
			t.Error("another name was refused")
		}
		if err := second.Commit(); err != nil { // to be refused breaks nothing
			t.Error(err)
		}
		err := other.Lock(ctxOf(t), "Other / name", func(context.Context) error {
			third := beginTx(t, db)
			if tryLock(t, third, "Other / name") {
				t.Error("Lock and TryLock are not one lock")
			}
			return third.Rollback()
		})
		if err != nil {
			t.Error(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if got, err := tx.TryLock(ctxOf(t), "clean"); got || err == nil {
		t.Error("a transaction that has ended got a lock")
	}
	next := beginTx(t, other)
	if !tryLock(t, next, "clean") {
		t.Error("the lock outlives its transaction")
	}
	if err := next.Rollback(); err != nil {
		t.Fatal(err)
	}
	last := beginTx(t, db)
	if !tryLock(t, last, "clean") {
		t.Error("the lock outlives a rollback")
	}
}

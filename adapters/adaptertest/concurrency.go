package adaptertest

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/core/storage"
)

const parallel = 20

// race runs fn many times at once and counts how often it says yes.
func race(t *testing.T, fn func() (bool, error)) (wins int) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range parallel {
		wg.Go(func() {
			<-start
			won, err := fn()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("%v", errors.Join(err, errors.Unwrap(err)))
			}
			if won {
				wins++
			}
		})
	}
	close(start)
	wg.Wait()
	return wins
}

func testTakeOnce(t *testing.T, db storage.Database) {
	addUser(t, db, "a")
	ctx := ctxOf(t)
	if n := race(t, func() (bool, error) {
		return scanErr(ctx, db, []any{new(string)}, `DELETE FROM {user} WHERE {user.id} = ? RETURNING {user:email}`, "a")
	}); n != 1 {
		t.Errorf("the row was taken %d times", n)
	}
}

func testGuardedUpdate(t *testing.T, db storage.Database) {
	addUser(t, db, "a")
	ctx := ctxOf(t)
	if n := race(t, func() (bool, error) {
		n, err := db.Exec(ctx, `UPDATE {user} SET {user:emailVerified} = ? WHERE {user.id} = ? AND {user.emailVerified} = ?`, true, "a", false)
		return n == 1, err
	}); n != 1 {
		t.Errorf("the guarded update won %d times", n)
	}
}

func testGuardedUpsert(t *testing.T, db storage.Database) {
	const limit = 5
	ctx := ctxOf(t)
	hit := `INSERT INTO {rateLimit} ({rateLimit:key}, {rateLimit:count}) VALUES (?, 1)
		ON CONFLICT ({rateLimit:key}) DO UPDATE SET {rateLimit:count} = {rateLimit.count} + 1
		WHERE {rateLimit.count} < ? RETURNING {rateLimit:count}`
	if n := race(t, func() (bool, error) { return scanErr(ctx, db, []any{new(int)}, hit, "k", limit) }); n != limit {
		t.Errorf("%d passed, want %d", n, limit)
	}
	if n := count(t, db, `SELECT {rateLimit.count} FROM {rateLimit}`); n != limit {
		t.Errorf("count is %d, want %d", n, limit)
	}
}

// touch must touch a user.
func touch(id string) storage.Statement {
	return storage.Statement{SQL: `UPDATE {user=} SET {user:name} = {user.name} WHERE {user.id} = ?`, Args: []any{id}, Must: true}
}

func testBatch(t *testing.T, db storage.Database) {
	ctx := ctxOf(t)
	insert := func(id string) storage.Statement { return storage.Statement{SQL: insertUser, Args: user(id)} }
	member := func(id, user string) storage.Statement {
		return storage.Statement{SQL: insertMember, Args: []any{id, user, "o", "x"}}
	}
	check := func(q storage.Conn, id string) {
		t.Helper()
		// The row that refers comes before the row that it refers to.
		got, err := q.Batch(ctx, member("m"+id, id), insert(id),
			storage.Statement{SQL: `UPDATE {rateLimit} SET {rateLimit:count} = ?`, Args: []any{1}},
			storage.Statement{SQL: `DELETE FROM {rateLimit} WHERE {rateLimit.key} = ?`, Args: []any{"none"}})
		if err != nil || !slices.Equal(got, []int64{1, 1, 0, 0}) {
			t.Fatalf("counts %v, %v", got, errors.Join(err, errors.Unwrap(err)))
		}
	}
	check(db, "a")
	got, err := db.Batch(ctx)
	if got != nil || err != nil {
		t.Errorf("an empty batch: %v, %v", got, err)
	}
	if got, err = db.Batch(ctx, insert("b")); err != nil || !slices.Equal(got, []int64{1}) {
		t.Errorf("a batch of one: %v, %v", got, err)
	}
	for _, c := range []struct {
		last storage.Statement
		kind storage.Kind
	}{{insert("a"), storage.Unique}, {member("n", "nobody"), storage.ForeignKey}, {storage.Statement{SQL: `SELECT 1`}, storage.Unknown},
		{touch("nobody"), storage.Missed}} {
		_, err := db.Batch(ctx, insert("c"), c.last)
		wantKind(t, err, c.kind)
	}
	_, err = db.Batch(ctx, touch("nobody"))
	wantKind(t, err, storage.Missed)
	if got, err = db.Batch(ctx, touch("a"), touch("b")); err != nil || !slices.Equal(got, []int64{1, 1}) {
		t.Errorf("statements that must touch a row, and do: %v, %v", got, err)
	}
	tx := beginTx(t, db)
	check(tx, "d")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	tx = beginTx(t, db)
	addUser(t, tx, "e")
	_, err = tx.Batch(ctx, insert("f"), insert("a"))
	wantKind(t, err, storage.Unique)
	_ = tx.Rollback()
	// Where a failed statement leaves its transaction usable, so does a failed batch.
	if db.Dialect() == storage.SQLite {
		tx = beginTx(t, db)
		_, err = tx.Batch(ctx, insert("f"), insert("a"))
		wantKind(t, err, storage.Unique)
		addUser(t, tx, "g")
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		exec(t, db, `DELETE FROM {user} WHERE {user.id} = ?`, "g")
	}
	if n := count(t, db, `SELECT count(*) FROM {user}`); n != 3 {
		t.Errorf("%d users, want a, b and d", n)
	}
}

func testTransactions(t *testing.T, db storage.Database) {
	for range 2 { // the second time with prepared statements
		tx := beginTx(t, db)
		addUser(t, tx, "a")
		if n := count(t, tx, `SELECT count(*) FROM {user}`); n != 1 {
			t.Errorf("the transaction sees %d users", n)
		}
		if n := count(t, db, `SELECT count(*) FROM {user}`); n != 0 {
			t.Errorf("the pool sees %d users before the commit", n)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
	tx := beginTx(t, db)
	addUser(t, tx, "a")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, `SELECT count(*) FROM {user}`); n != 1 {
		t.Errorf("the pool sees %d users after the commit", n)
	}
	if err := tx.Rollback(); err != nil {
		t.Errorf("rollback after commit: %v", err)
	}
	if err := tx.Commit(); err == nil {
		t.Error("committed twice")
	}
	if _, err := tx.Exec(ctxOf(t), `DELETE FROM {user}`); err == nil {
		t.Error("a statement ran after the commit")
	}
	if _, err := tx.Query(ctxOf(t), `SELECT {user.id} FROM {user}`); err == nil {
		t.Error("a query ran after the commit")
	}
	if n := count(t, db, `SELECT count(*) FROM {user}`); n != 1 {
		t.Errorf("%d users", n)
	}
	// A user id means nothing to a database without row-level security, and any text
	// is one.
	tx, err := db.Begin(ctxOf(t), storage.TxOptions{UserID: `o'Neil \ "x"); --`})
	if err != nil {
		t.Fatal(err)
	}
	addUser(t, tx, "b")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func testOpenRows(t *testing.T, db storage.Database) {
	for _, id := range []string{"a", "b", "c"} {
		addUser(t, db, id)
	}
	// Neither rows read to their end nor rows closed early hold a connection.
	for range 2 * max(1, db.Stats().MaxOpen) {
		rows, err := db.Query(ctxOf(t), `SELECT {user.id} FROM {user}`)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
		}
		rows, err = db.Query(ctxOf(t), `UPDATE {user} SET {user:name} = ? RETURNING {user:id}`, "x")
		if err != nil || !rows.Next() {
			t.Fatal(err)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := db.Stats().InUse; n != 0 {
		t.Errorf("%d connections are in use", n)
	}
	if n := count(t, db, `SELECT count(*) FROM {user} WHERE {user.name} = ?`, "x"); n != 3 {
		t.Errorf("%d rows changed, want 3: closing early must not undo", n)
	}
}

package core_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
)

// expire puts n sessions that have expired beside those that are there.
func (e *env) expire(userID string, n int) {
	e.t.Helper()
	past := e.clock.Now().Add(-time.Hour)
	for i := range n {
		e.exec("INSERT INTO {session} ({session:id}, {session:expiresAt}, {session:token}, {session:createdAt}, {session:updatedAt}, {session:userId}) "+
			"VALUES (?, ?, ?, ?, ?, ?)", fmt.Sprintf("old%04d", i), past, fmt.Sprintf("token%d", i), past, past, userID)
	}
}

func (e *env) clean() int64 {
	e.t.Helper()
	n, err := e.auth.Host().Clean(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	return n
}

// begin starts a transaction of somebody else's.
func (e *env) begin() storage.Tx {
	e.t.Helper()
	tx, err := e.db.Database.Begin(e.t.Context(), storage.TxOptions{})
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

// Several replicas that clean up at once delete each row once, and none of them fails.
func TestCleanTogether(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		id := e.client().signUp("a@example.com").user()
		const rows = 1200
		e.expire(id, rows)
		replicas := []*core.Auth{e.auth, e.compile(), e.compile(), e.compile()}
		var total atomic.Int64
		parallel(t, len(replicas), func(i int) {
			n, err := replicas[i].Host().Clean(t.Context())
			if err != nil {
				t.Error(err)
			}
			total.Add(n)
		})
		total.Add(e.clean()) // each may have met another in the middle
		if total.Load() != rows || e.sum("session") != 1 {
			t.Errorf("%d rows were deleted, %d are left", total.Load(), e.sum("session"))
		}
	})
}

// Who finds another cleaning goes away at once and deletes nothing.
func TestCleanAlone(t *testing.T) {
	e := start(t, on(openPostgres(t)))
	e.expire(e.client().signUp("a@example.com").user(), 10)
	other := e.begin()
	if got, err := other.TryLock(t.Context(), "core: clean-up"); !got || err != nil {
		t.Fatal(got, err)
	}
	if n := e.clean(); n != 0 || e.sum("session") != 11 {
		t.Errorf("%d rows were deleted beside another", n)
	}
	if err := other.Commit(); err != nil {
		t.Fatal(err)
	}
	if n := e.clean(); n != 10 {
		t.Errorf("%d rows were deleted when the other was done", n)
	}
}

// A row that somebody has locked is passed over; one that is renewed meanwhile stays.
func TestCleanPassesOver(t *testing.T) {
	t.Run("by place", func(t *testing.T) { cleanPassesOver(t, start(t, on(openPostgres(t)))) })
	// As of a database that only speaks PostgreSQL's protocol.
	t.Run("by id", func(t *testing.T) { cleanPassesOver(t, start(t, on(struct{ storage.Database }{openPostgres(t)}))) })
}

func cleanPassesOver(t *testing.T, e *env) {
	e.expire(e.client().signUp("a@example.com").user(), 3)
	renewal, reader := e.begin(), e.begin()
	if _, err := renewal.Exec(t.Context(), "UPDATE {session} SET {session:expiresAt} = ? WHERE {session:id} = ?", e.clock.Now().Add(time.Hour), "old0000"); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Exec(t.Context(), "SELECT 1 FROM {session} WHERE {session:id} = ? FOR UPDATE", "old0001"); err != nil {
		t.Fatal(err)
	}
	if n := e.clean(); n != 1 {
		t.Errorf("%d rows were deleted, one was free", n)
	}
	for _, tx := range []storage.Tx{renewal, reader} {
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if n := e.clean(); n != 1 || len(e.rows("SELECT {session:id} FROM {session} WHERE {session:id} = 'old0000'")) != 1 {
		t.Errorf("%d rows were deleted afterwards, %d are left", n, e.sum("session"))
	}
}

// A renewal that was confirmed is never undone by a clean-up at the same moment.
func TestCleanAgainstRenewal(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		id := e.client().signUp("a@example.com").user()
		const rows = 800
		e.expire(id, rows)
		kept := make([]bool, rows)
		parallel(t, 5, func(i int) {
			if i == 0 {
				if _, err := e.auth.Host().Clean(t.Context()); err != nil {
					t.Error(err)
				}
				return
			}
			for k := rows - i; k >= 0; k -= 4 { // from the end: they meet
				n, err := e.db.Database.Exec(t.Context(), "UPDATE {session} SET {session:expiresAt} = ? WHERE {session:id} = ?",
					e.clock.Now().Add(time.Hour), fmt.Sprintf("old%04d", k))
				if err != nil {
					t.Error(err)
				}
				kept[k] = n == 1
			}
		})
		want := 1
		for _, k := range kept {
			if k {
				want++
			}
		}
		if n := e.sum("session"); n != want {
			t.Errorf("%d sessions are left, %d were renewed", n, want)
		}
	})
}

// What one table does not allow does not keep the others from being cleaned.
func TestCleanGoesOn(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		e.expire(e.client().signUp("a@example.com").user(), 10)
		e.db.fail(refusing(&storage.Error{Kind: storage.ReadOnly}, "DELETE FROM {verification}"))
		n, err := e.auth.Host().Clean(t.Context())
		if n != 10 || storage.KindOf(err) != storage.ReadOnly || !strings.Contains(err.Error(), "verification") {
			t.Errorf("%d, %v", n, err)
		}
		core.LogClean(e.auth, err)
		if log := e.logs.text(); !strings.Contains(log, "clean-up failed") || !strings.Contains(log, "verification") || !strings.Contains(log, "read-only") {
			t.Errorf("the log says %s", log)
		}
		e.db.fail(refusing(&storage.Error{Kind: storage.Unavailable}, "begin"))
		asked := e.db.count(func() { n, err = e.auth.Host().Clean(t.Context()) })
		if n != 0 || storage.KindOf(err) != storage.Unavailable || len(asked) != 0 {
			t.Errorf("%d, %v, asked %q", n, err, asked)
		}
	})
}

// Where a cascade meets somebody who waits for the batch in turn, it is the batch that
// gives up.
func TestCleanGivesWay(t *testing.T) {
	e := start(t, on(openPostgres(t)))
	e.expire(e.client().signUp("a@example.com").user(), 2)
	e.ddl(`CREATE TABLE child (id text PRIMARY KEY REFERENCES session ON DELETE CASCADE)`)
	e.ddl(`INSERT INTO child VALUES ('old0000'), ('old0001')`)
	e.exec("UPDATE {knownDevice} SET {knownDevice:lastSeenAt} = ?", e.clock.Now().Add(-1000*24*time.Hour))
	other := e.begin()
	if _, err := other.Exec(t.Context(), "SELECT 1 FROM child FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	cleaned := make(chan error, 1)
	go func() {
		_, err := e.auth.Host().Clean(t.Context())
		cleaned <- err
	}()
	for e.rows("SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")[0] == "0" && len(cleaned) == 0 {
		time.Sleep(time.Millisecond)
	}
	if _, err := other.Exec(t.Context(), "UPDATE {session} SET {session:ipAddress} = '' WHERE {session:id} = 'old0001'"); err != nil {
		t.Errorf("the other transaction was the one to give up: %v", err)
	}
	if err := <-cleaned; storage.KindOf(err) != storage.Conflict { // for the sake of the row that is free
		t.Errorf("the clean-up says %v", err)
	}
	if e.sum("knownDevice") != 0 {
		t.Error("the other tables were not cleaned")
	}
	if err := other.Rollback(); err != nil {
		t.Fatal(err)
	}
	if e.clean(); e.sum("session") != 1 {
		t.Errorf("%d sessions are left", e.sum("session"))
	}
}

// A database without the indexes of the clean-up, Better Auth's or an older one's, starts
// and is cleaned; the next plan adds them.
func TestCleanWithoutIndexes(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		e.expire(e.client().signUp("a@example.com").user(), 10)
		indexes := []string{"session_expires_at_idx", "verification_expires_at_idx", "verification_value_idx"}
		for _, name := range indexes {
			e.ddl("DROP INDEX " + name)
		}
		e.auth = e.compile()
		if n := e.clean(); n != 10 {
			t.Errorf("%d rows were deleted", n)
		}
		want, names, steps := e.auth.Schema()
		plan, err := migrations.Apply(t.Context(), e.cfg.Database, want, names, steps)
		if err != nil || len(plan.Statements) != len(indexes) || len(plan.Missing) != 0 {
			t.Errorf("%v, %v", plan, err)
		}
		for _, name := range indexes {
			if !strings.Contains(plan.String(), name) {
				t.Errorf("the plan does not add %s", name)
			}
		}
	})
}

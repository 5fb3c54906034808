// Package adaptertest holds the suite that every database adapter passes, and makes
// test databases.
package adaptertest

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

type userRow struct {
	ID            string          `db:"id" schema:"key"`
	Name          string          `db:"name"`
	Email         string          `db:"email" schema:"unique"`
	EmailVerified bool            `db:"emailVerified"`
	CreatedAt     time.Time       `db:"createdAt"`
	Count         int             `db:"count"`
	Total         int64           `db:"total"`
	Image         *string         `db:"image"`
	Banned        *bool           `db:"banned"`
	Tries         *int            `db:"tries"`
	LastRequest   *int64          `db:"lastRequest"`
	SeenAt        *time.Time      `db:"seenAt"`
	Meta          json.RawMessage `db:"meta" schema:"null"`
	Blob          []byte          `db:"blob" schema:"null"`
}

type memberRow struct {
	ID     string `db:"id" schema:"key"`
	UserID string `db:"userId" schema:"references=user,cascade,index"`
	OrgID  string `db:"orgId"`
	Role   string `db:"role"`
}

type rateLimitRow struct {
	Key   string `db:"key" schema:"key"`
	Count int    `db:"count"`
}

type secretRow struct {
	ID     string `db:"id" schema:"key"`
	UserID string `db:"userId"`
	Body   string `db:"body"`
}

// testSchema is what the suite binds.
func testSchema(t *testing.T) *schema.Schema {
	t.Helper()
	member := schema.FromStruct("member", "core", reflect.TypeFor[memberRow]())
	member.Indexes = []schema.Index{{Columns: []string{"orgId", "userId"}, Unique: true}}
	secret := schema.FromStruct("secret", "vault", reflect.TypeFor[secretRow]())
	secret.RowSecurity = "userId"
	s, err := schema.Merge([]schema.Table{
		schema.FromStruct("user", "core", reflect.TypeFor[userRow]()), member,
		schema.FromStruct("rateLimit", "core", reflect.TypeFor[rateLimitRow]()), secret,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ddl makes the tables of testSchema, written out: the suite must not rest on the
// planner that rests on it.
var ddl = map[storage.Dialect][]string{
	storage.Postgres: {
		`CREATE TABLE "user" ("id" text PRIMARY KEY, "name" text NOT NULL, "email" text NOT NULL UNIQUE,
			"email_verified" boolean NOT NULL, "created_at" timestamptz NOT NULL, "count" integer NOT NULL,
			"total" bigint NOT NULL, "image" text, "banned" boolean, "tries" integer, "last_request" bigint,
			"seen_at" timestamptz, "meta" jsonb, "blob" bytea)`,
		`CREATE TABLE "member" ("id" text PRIMARY KEY, "user_id" text NOT NULL REFERENCES "user" ("id") ON DELETE CASCADE,
			"org_id" text NOT NULL, "role" text NOT NULL)`,
		`CREATE UNIQUE INDEX "member_org_id_user_id_uidx" ON "member" ("org_id", "user_id")`,
		`CREATE TABLE "rate_limit" ("key" text PRIMARY KEY, "count" integer NOT NULL)`,
		`CREATE TABLE "secret" ("id" text PRIMARY KEY, "user_id" text NOT NULL, "body" text NOT NULL)`,
		`ALTER TABLE "secret" ENABLE ROW LEVEL SECURITY`, `ALTER TABLE "secret" FORCE ROW LEVEL SECURITY`,
		`CREATE POLICY "secret_owner" ON "secret" USING ("user_id" = current_setting('app.current_user_id', true))`,
	},
	storage.SQLite: {
		`CREATE TABLE "user" ("id" text NOT NULL PRIMARY KEY, "name" text NOT NULL, "email" text NOT NULL UNIQUE,
			"email_verified" integer NOT NULL, "created_at" date NOT NULL, "count" integer NOT NULL,
			"total" bigint NOT NULL, "image" text, "banned" integer, "tries" integer, "last_request" bigint,
			"seen_at" date, "meta" text, "blob" blob)`,
		`CREATE TABLE "member" ("id" text NOT NULL PRIMARY KEY, "user_id" text NOT NULL REFERENCES "user" ("id") ON DELETE CASCADE,
			"org_id" text NOT NULL, "role" text NOT NULL)`,
		`CREATE UNIQUE INDEX "member_org_id_user_id_uidx" ON "member" ("org_id", "user_id")`,
		`CREATE TABLE "rate_limit" ("key" text NOT NULL PRIMARY KEY, "count" integer NOT NULL)`,
		`CREATE TABLE "secret" ("id" text NOT NULL PRIMARY KEY, "user_id" text NOT NULL, "body" text NOT NULL)`,
	},
}

// Setup binds the suite's schema to an empty database and makes its tables.
func Setup(t *testing.T, db storage.Database) {
	t.Helper()
	if err := db.Bind(testSchema(t), schema.Names{}); err != nil {
		t.Fatal(err)
	}
	if err := db.DDL(t.Context(), ddl[db.Dialect()]...); err != nil {
		t.Fatalf("make the tables: %v", errors.Join(err, errors.Unwrap(err)))
	}
}

// Run runs the suite. open returns a handle to a database; every call a new, empty one.
// again returns a second handle to the same database as db.
func Run(t *testing.T, open func(t *testing.T) storage.Database, again func(t *testing.T, db storage.Database) storage.Database) {
	for _, c := range []struct {
		name string
		test func(*testing.T, storage.Database)
	}{
		{"kinds", testKinds}, {"milliseconds", testMilliseconds}, {"values", testValues}, {"templates", testTemplates},
		{"violations", testViolations}, {"faults", testFaults}, {"batch", testBatch}, {"transactions", testTransactions},
		{"context", testContext}, {"take once", testTakeOnce}, {"guarded update", testGuardedUpdate},
		{"guarded upsert", testGuardedUpsert}, {"rows left open", testOpenRows}, {"inspect", testInspect},
		{"row security", testRowSecurity}, {"closed", testClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := open(t)
			Setup(t, db)
			c.test(t, db)
		})
	}
	t.Run("lock", func(t *testing.T) {
		db := open(t)
		testLock(t, db, again(t, db))
	})
	t.Run("try lock", func(t *testing.T) {
		db := open(t)
		Setup(t, db)
		testTryLock(t, db, again(t, db))
	})
}

// ctxOf bounds a test: a deadlock must fail, not hang.
func ctxOf(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

const insertUser = `INSERT INTO {user} ({user:id}, {user:name}, {user:email}, {user:emailVerified}, {user:createdAt},
	{user:count}, {user:total}) VALUES (?, ?, ?, ?, ?, ?, ?)`

const insertMember = `INSERT INTO {member} ({member:id}, {member:userId}, {member:orgId}, {member:role}) VALUES (?, ?, ?, ?)`

var noon = time.Date(2026, 1, 2, 12, 0, 0, 123_000_000, time.UTC)

func user(id string) []any { return []any{id, "Ann", id + "@example.com", false, noon, 0, 0} }

func addUser(t *testing.T, q storage.Conn, id string) {
	t.Helper()
	exec(t, q, insertUser, user(id)...)
}

func exec(t *testing.T, q storage.Conn, sql string, args ...any) int64 {
	t.Helper()
	n, err := q.Exec(ctxOf(t), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, errors.Join(err, errors.Unwrap(err)))
	}
	return n
}

// count returns the single number that a query selects.
func count(t *testing.T, q storage.Conn, sql string, args ...any) int64 {
	t.Helper()
	var n int64
	if !scan(t, q, []any{&n}, sql, args...) {
		t.Fatalf("%s: no row", sql)
	}
	return n
}

// scan reads the first row into dest.
func scan(t *testing.T, q storage.Conn, dest []any, sql string, args ...any) bool {
	t.Helper()
	found, err := scanErr(ctxOf(t), q, dest, sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, errors.Join(err, errors.Unwrap(err)))
	}
	return found
}

func scanErr(ctx context.Context, q storage.Conn, dest []any, sql string, args ...any) (bool, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, rows.Err()
	}
	into := make([]any, len(dest))
	for i, d := range dest {
		into[i] = storage.Dest(d)
	}
	if err := rows.Scan(into...); err != nil {
		return false, err
	}
	return true, rows.Close()
}

func wantKind(t *testing.T, err error, want storage.Kind) *storage.Error {
	t.Helper()
	var e *storage.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T), want a *storage.Error of kind %v", err, err, want)
	}
	if e.Kind != want {
		t.Fatalf("kind %v, want %v (%v; cause %v)", e.Kind, want, e, e.Err)
	}
	return e
}

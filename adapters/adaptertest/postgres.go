package adaptertest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"net/url"
	"os"
	"testing"
	"time"

	_ "github.com/lib/pq" // the driver "postgres"
)

// PostgresEnv names the environment variable that says where tests find PostgreSQL: a
// URL of a superuser, or of a role that may create databases and roles.
const PostgresEnv = "SALLYPORT_TEST_POSTGRES"

const defaultURL = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"

// PostgresURL creates an empty database, drops it when the test ends, and returns its
// URL. Without a server the test fails: a skipped test would look like a passed one.
func PostgresURL(t testing.TB) string {
	t.Helper()
	base := os.Getenv(PostgresEnv)
	if base == "" {
		base = defaultURL
	}
	u, err := url.Parse(base)
	if err != nil {
		t.Fatalf("%s is no URL", PostgresEnv)
	}
	db, err := sql.Open("postgres", base)
	if err != nil {
		t.Fatalf("%s cannot be opened", PostgresEnv)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		t.Fatalf("no PostgreSQL at %s (%v): start one or set %s to its URL", u.Host, err, PostgresEnv)
	}
	name := "sallyport_test_" + randomHex()
	if _, err := db.ExecContext(ctx, `CREATE DATABASE "`+name+`"`); err != nil {
		db.Close()
		t.Fatalf("create a test database: %v", err)
	}
	t.Cleanup(func() {
		defer db.Close()
		if _, err := db.Exec(`DROP DATABASE "` + name + `" WITH (FORCE)`); err != nil {
			t.Errorf("drop the test database: %v", err)
		}
	})
	u.Path = "/" + name
	return u.String()
}

// PostgresRole creates a role without any right of its own that may log in to the
// database at dsn, runs grants there, drops the role when the test ends, and returns
// dsn with that role. In grants, $role stands for its quoted name.
func PostgresRole(t testing.TB, dsn string, grants ...string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("the test database has no URL")
	}
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	role := "sallyport_test_" + randomHex()
	if _, err := db.Exec(`CREATE ROLE "` + role + `" LOGIN PASSWORD 'test'`); err != nil {
		t.Fatalf("create a test role: %v", err)
	}
	t.Cleanup(func() {
		defer db.Close()
		if _, err := db.Exec(`DROP OWNED BY "` + role + `"; DROP ROLE "` + role + `"`); err != nil {
			t.Errorf("drop the test role: %v", err)
		}
	})
	for _, g := range grants {
		g = os.Expand(g, func(name string) string {
			if name == "role" {
				return `"` + role + `"`
			}
			return "$" + name
		})
		if _, err := db.Exec(g); err != nil {
			t.Fatalf("%s: %v", g, err)
		}
	}
	u.User = url.UserPassword(role, "test")
	return u.String()
}

func randomHex() string {
	var b [6]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails, see crypto/rand
	return hex.EncodeToString(b[:])
}

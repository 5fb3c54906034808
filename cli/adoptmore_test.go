package cli_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/server"
)

// No password of the database is printed, whatever goes wrong.
func TestAdoptKeepsSecrets(t *testing.T) {
	a := newAdoption(t, "own")
	for _, url := range []string{
		strings.Replace(a.url, "postgres@", "nobody:hunter2-hunter2@", 1),
		"postgres://postgres:hunter2-hunter2@127.0.0.1:1/none?sslmode=disable", "postgres://postgres:hunter2-hunter2@127.0.0.1:x/none", "host=127.0.0.1 port=1 password=hunter2-hunter2",
	} {
		code, out, errs := a.run("adopt", "--database", url)
		if code != 1 || errs == "" || strings.Contains(out+errs, "hunter2") {
			t.Errorf("%d: %s%s", code, out, errs)
		}
	}
	_, out, errs := a.run("adopt", "--json", "--database", strings.Replace(a.url, "postgres@", "postgres:hunter2-hunter2@", 1))
	if strings.Contains(out+errs, "hunter2") || strings.Contains(out+errs, adoptSecret) {
		t.Errorf("%s%s", out, errs)
	}
}

// A secret that is not the app's is found before anybody is signed out by it.
func TestAdoptSecret(t *testing.T) {
	a := newAdoption(t, "own")
	// Of better-auth 1.7.25 itself, under the secret of these tests.
	a.psql("-c", `INSERT INTO "user" (id, name, email, "emailVerified") VALUES ('a', 'A', 'a@x', true)`, "-c", `INSERT INTO "twoFactor" (id, secret, "backupCodes", "userId") VALUES ('t', '`+sealed(t)+`', '', 'a')`)
	a.want(2, "the secret opens what is stored in twoFactor")
	a.env[1] = "SALLYPORT_SECRET=another-" + adoptSecret
	a.want(1, "the secret does not open what is stored in twoFactor: it is not the one that the app used")
	a.want(1, "see the faults", "--apply", "--accept-losses")
	a.env[1] = "X=y"
	a.want(2, "no secret is configured")
}

func sealed(t *testing.T) string {
	t.Helper()
	c, err := server.Load(server.Source{Env: []string{"SALLYPORT_SECRET=" + adoptSecret}}, adoptPlugins...)
	if err != nil {
		t.Fatal(err)
	}
	auth, err := server.Describe(c, adoptPlugins...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := auth.Host().Encrypt([]byte("JBSWY3DPEHPK3PXP"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A mapping is written once, read afterwards, and what somebody changed in it counts.
func TestAdoptMapping(t *testing.T) {
	a := newAdoption(t, "prisma")
	file := filepath.Join(t.TempDir(), "mapping.yaml")
	out := a.want(2, "user.twoFactorEnabled: two_factor_enabled", "--mapping", file)
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(out, "    "+strings.SplitN(string(text), "\n", 2)[0]) {
		t.Fatalf("%s: %v", text, err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte("user.twoFactorEnabled: two_factor_enabled"), []byte("user.name: nick"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	a.want(1, "column nick is missing and has no default", "--mapping", file)
	if err := os.WriteFile(file, []byte("database:\n  nameing: snake\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.want(1, "mapping.yaml:2:3: database.nameing: no such option; did you mean database.naming?", "--mapping", file)
	a.want(64, `"nobody" is neither`, "--from", "nobody")
}

// SQLite: the file stays as it is to the byte, its journal mode included, until --apply;
// times in another form than Better Auth's own are found, with what to do about them.
func TestAdoptSQLite(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "auth.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	run := func(statement string) {
		t.Helper()
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile("../migrations/testdata/better-auth.sqlite.sql")
	if err != nil {
		t.Fatal(err)
	}
	run(string(text))
	run(`INSERT INTO "user" VALUES ('a', 'A', 'a@x', 1, NULL, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z')`)
	run(`INSERT INTO "session" ("id", "expiresAt", "token", "createdAt", "updatedAt", "userId") VALUES ('s', 1767225600000, 't', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', 'a'),
		('s2', '2026-01-01T00:00:00.000Z', 't2', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', 'a'), ('s3', '2026-01-01T00:00:00.000Z', 't3', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', 'a')`)
	a := &adoption{t: t, env: []string{"SALLYPORT_DATABASE_PATH=" + file, "SALLYPORT_SECRET=" + adoptSecret, "SALLYPORT_DATA=" + filepath.Join(dir, "data")}}
	before := read0(t, file)
	out := a.want(1, "some times in session.expiresAt are not text of the form")
	for _, want := range []string{`UPDATE "session" SET "expiresAt" = strftime(`, "1 users have neither a password nor a passkey"} {
		if !strings.Contains(out, want) {
			t.Errorf("without %q:\n%s", want, out)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 || read0(t, file) != before {
		t.Errorf("something was written: %v", files)
	}
	start := strings.Index(out, "UPDATE")
	run(out[start : start+strings.Index(out[start:], ";")])
	var at string
	if err := db.QueryRow(`SELECT CAST("expiresAt" AS text) FROM "session" WHERE "id" = 's'`).Scan(&at); err != nil || at != "2026-01-01T00:00:00.000Z" {
		t.Errorf("the proposed statement makes %q of it: %v", at, err)
	}
	a.want(0, "is taken over", "--apply", "--accept-losses")
	a.want(0, "has everything that is wanted")
	a.want(1, "no such file", "--database", filepath.Join(dir, "none.db"))
	if _, err := os.Stat(filepath.Join(dir, "none.db")); err == nil {
		t.Error("a database was made")
	}
}

// A database of Drizzle's: numbers as ids, seconds as times. The mapping that is written
// holds for what adopt does next, and for the server.
func TestAdoptNumbers(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "auth.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	text, err := os.ReadFile("../migrations/testdata/better-auth.sqlite.sql")
	if err != nil {
		t.Fatal(err)
	}
	tables := strings.NewReplacer(" date", " integer", `"id" text not null primary key`, `"id" integer primary key autoincrement not null`, `"userId" text`, `"userId" integer`).Replace(string(text))
	if _, err := db.Exec(tables + `;
		INSERT INTO "user" VALUES (7, 'A', 'a@x', 1, NULL, 1767225600, 1767225600);
		INSERT INTO "account" ("id", "accountId", "providerId", "userId", "password", "createdAt", "updatedAt") VALUES (3, '7', 'credential', 7, '$2b$10$x', 1767225600, 1767225600)`); err != nil {
		t.Fatal(err)
	}
	mapping := filepath.Join(dir, "sallyport.yaml")
	a := &adoption{t: t, env: []string{"SALLYPORT_DATABASE_PATH=" + file, "SALLYPORT_SECRET=" + adoptSecret, "SALLYPORT_DATA=" + filepath.Join(dir, "data")}}
	out := a.want(2, "ids: serial", "--mapping", mapping)
	for _, want := range []string{"times: milliseconds\n", "      account: seconds\n", "      session: seconds\n", "      user: seconds\n", "some columns hold whole seconds",
		`CREATE TABLE "sallyport_counter"`, `"run_at" integer NOT NULL`, `"userId" integer`} {
		if !strings.Contains(out, want) && !strings.Contains(out, strings.Replace(want, "run_at", "runAt", 1)) {
			t.Errorf("without %q:\n%s", want, out)
		}
	}
	a.want(0, "is taken over", "--mapping", mapping, "--apply")
	a.want(0, "has everything that is wanted", "--mapping", mapping)
	if err := os.WriteFile(mapping, []byte("database:\n  naming: betterauth\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.want(1, "column createdAt is integer, want date", "--mapping", mapping)
}

func read0(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

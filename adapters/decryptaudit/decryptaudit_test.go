package decryptaudit

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/migrations"
	"github.com/sallyport-auth/sallyport/plugins/missiongrant"
	"github.com/sallyport-auth/sallyport/plugins/vault"
)

// migrated is a database with the table, made by its owner.
func migrated(t *testing.T) string {
	t.Helper()
	owner := adaptertest.PostgresURL(t)
	db, err := postgres.Open(t.Context(), owner, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	auth, err := core.New(t.Context(), core.Config{BaseURL: "https://auth.example.com", Secret: "a secret of the test with 32 characters", Database: db,
		SkipVerify: true, NoBackground: true, Plugins: []core.Plugin{vault.New(vault.Options{}), missiongrant.New(missiongrant.Options{})}})
	if err != nil {
		t.Fatal(err)
	}
	want, names, steps := auth.Schema()
	if _, err := migrations.Apply(t.Context(), db, want, names, steps); err != nil {
		t.Fatal(err)
	}
	return owner
}

func open(t *testing.T, driver, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var row = contract.Decryption{UserID: "ada", MissionID: "m", Table: "notes", RecordID: "n1", Status: "ok", At: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)}

func TestRecord(t *testing.T) {
	owner := migrated(t)
	admin := open(t, "postgres", owner)
	runner := adaptertest.PostgresRole(t, owner, "GRANT USAGE ON SCHEMA public TO $role", `GRANT INSERT ON "decrypt_audit" TO $role`)
	for _, driver := range []string{"postgres", "pgx"} {
		db := open(t, driver, runner)
		a, err := New(t.Context(), db, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []contract.Decryption{row, {UserID: "b'ob", MissionID: "m", IterationID: "i", Table: "t", RecordID: "r", Status: "failed", Reason: "why", At: row.At}} {
			if err := a.Record(t.Context(), d); err != nil {
				t.Errorf("%s: %v", driver, err)
			}
		}
		if err := a.Record(t.Context(), contract.Decryption{Status: "ok"}); err == nil {
			t.Error("a row of nobody was written")
		}
		for _, s := range []string{"SELECT 1 FROM decrypt_audit", "UPDATE decrypt_audit SET status = 'ok'", "DELETE FROM decrypt_audit", "TRUNCATE decrypt_audit",
			"INSERT INTO decrypt_audit (id, user_id, mission_id, table_name, record_id, status) VALUES ('x', 'bob', 'm', 't', 'r', 'ok')"} {
			if _, err := db.Exec(s); err == nil {
				t.Errorf("%s: the runner's role may: %s", driver, s)
			}
		}
	}
	var n, empty int
	if err := admin.QueryRow(`SELECT count(*), count(*) FILTER (WHERE iteration_id IS NULL AND reason IS NULL AND ts = '2026-01-02 03:04:05Z') FROM decrypt_audit`).Scan(&n, &empty); err != nil || n != 4 || empty != 2 {
		t.Errorf("%d rows, %d without iteration and reason: %v", n, empty, err)
	}
}

func TestRefused(t *testing.T) {
	owner := migrated(t)
	admin := open(t, "postgres", owner)
	want := func(url, text string, o Options) {
		t.Helper()
		if _, err := New(t.Context(), open(t, "postgres", url), o); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("want %q, got %v", text, err)
		}
	}
	runner := adaptertest.PostgresRole(t, owner, "GRANT USAGE ON SCHEMA public TO $role", `GRANT INSERT, DELETE ON "decrypt_audit" TO $role`)
	want(owner, "superuser or with BYPASSRLS", Options{})
	want(runner, "there is no table public.none", Options{Table: "none"})
	if _, err := admin.Exec(`DROP TRIGGER "decrypt_audit_append_only" ON decrypt_audit`); err != nil {
		t.Fatal(err)
	}
	want(runner, "its rows can be changed", Options{})
	if _, err := admin.Exec(`ALTER TABLE decrypt_audit DISABLE ROW LEVEL SECURITY`); err != nil {
		t.Fatal(err)
	}
	want(runner, "no forced row-level security", Options{})
}

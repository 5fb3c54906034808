package cli_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
)

// Rows that cannot be read are a loss: their owners get an error where they signed in before.
func TestAdoptNulls(t *testing.T) {
	a := newAdoption(t, "own")
	a.psql("-c", `ALTER TABLE "user" ALTER "name" DROP NOT NULL, ALTER "updatedAt" DROP NOT NULL`, "-c", `ALTER TABLE "session" ALTER "updatedAt" DROP NOT NULL`)
	if out := a.want(2, ""); strings.Contains(out, "without a value") {
		t.Errorf("there are none:\n%s", out)
	}
	a.psql("-c", `INSERT INTO "user" (id, name, email, "emailVerified") VALUES ('a', NULL, 'a@x', true), ('b', 'B', 'b@x', true)`, "-c", `UPDATE "user" SET "updatedAt" = NULL WHERE id = 'b'`)
	a.want(2, `  - 2 rows of "user" without a value where one is wanted (name, updatedAt): they cannot be read`)
	a.want(1, "Say --accept-losses", "--apply")
}

// What row-level security hides cannot be counted, and is not nothing.
func TestAdoptRowSecurity(t *testing.T) {
	a := newAdoption(t, "own")
	a.psql("-c", people, "-c", `ALTER TABLE "user" ENABLE ROW LEVEL SECURITY`, "-c", `ALTER TABLE apikey ENABLE ROW LEVEL SECURITY`)
	if out := a.want(2, "2 accounts of the provider google"); strings.Contains(out, "hides them") {
		t.Errorf("it hides nothing from this role:\n%s", out)
	}
	a.env[0] = "DATABASE_URL=" + adaptertest.PostgresRole(t, a.url, `GRANT USAGE, CREATE ON SCHEMA public TO $role`, `GRANT ALL ON ALL TABLES IN SCHEMA public TO $role`)
	a.want(2, `  - an unknown number (row-level security hides them) of rows of "user", which nothing above counts`)
	a.want(1, "Say --accept-losses", "--apply")
}

// What would make a statement of the plan fail is a fault before it.
func TestAdoptPlanThatWouldFail(t *testing.T) {
	a := newAdoption(t, "own")
	a.psql("-c", `ALTER TABLE organization DROP CONSTRAINT "organization_slug_key"`, "-c", `INSERT INTO organization (id, name, slug, "createdAt") VALUES ('1', 'A', 's', now()), ('2', 'B', 's', now()), ('3', 'B', 't', now())`)
	a.want(1, `slug of "organization" has to be unique, and 1 values are there more than once`)
	a.psql("-c", `UPDATE organization SET slug = id`, "-c", `DROP INDEX "session_userId_idx"`, "-c", `CREATE INDEX "session_userId_idx" ON session ("userId") WHERE "activeOrganizationId" IS NULL`)
	a.want(1, "there is an index session_userId_idx already, which does not do the work")
	// An index that takes long is made before, as the report says; who gives up leaves this.
	a.psql("-c", `DROP INDEX "session_userId_idx"`, "-c", `CREATE INDEX "session_userId_idx" ON session ("userId")`, "-c", `UPDATE pg_index SET indisvalid = false WHERE indexrelid = '"session_userId_idx"'::regclass`)
	a.want(1, "there is an index session_userId_idx already, which does not do the work")
	file := filepath.Join(t.TempDir(), "mapping.yaml")
	a.psql("-c", `ALTER INDEX "session_userId_idx" RENAME TO unfinished`)
	a.want(0, "is taken over", "--mapping", file, "--apply")
	a.psql("-c", `DROP INDEX "session_userId_idx"`, "-c", `ALTER INDEX unfinished RENAME TO "session_userId_idx"`)
	if code, out, errs := a.run("migrate", "verify", "--config", file); code != 0 { // the server works without it
		t.Errorf("%d %s%s", code, out, errs)
	}
	a.psql("-c", `DROP INDEX "session_userId_idx"; DROP TABLE job, attempt`)
	// A name that something else has is another name.
	a.psql("-c", `CREATE VIEW job AS SELECT 1 AS x`, "-c", `CREATE TYPE attempt AS ENUM ('a')`)
	out := a.want(2, "job: sallyport_job\n")
	if !strings.Contains(out, "attempt: sallyport_attempt\n") {
		t.Error(out)
	}
	file += "2"
	a.want(0, "is taken over", "--mapping", file, "--apply")
	a.want(0, "has everything", "--mapping", file)
	a.want(0, "has everything")
	a.want(1, `there is a view of that name already`, "--mapping", mapping(t, namesOfOwn+"plugins:\n  email-password:\n"))
}

// SQLite's STRICT tables know no dates and no bigints.
func TestAdoptStrict(t *testing.T) {
	for name, change := range map[string]func(string) string{"numbers": replace(" date", " integer"), "texts": replace(" date", " text")} {
		t.Run(name, func(t *testing.T) {
			a := onSQLite(t)
			a.exec(tablesFor(everyPlugin, own, change, replace(");", ") strict;")))
			a.live(1, false)
		})
	}
	a := onSQLite(t)
	a.exec(tablesFor("", own) + `create view job as select 1 as x; create index "Attempt" on "user" ("name")`)
	a.live(1, false)
}

// Types that hold what is wanted under another name, or not all of it; and columns whose
// values whoever signs up would choose.
func TestAdoptTypes(t *testing.T) {
	a := newAdoption(t, "own")
	a.psql("-c", `CREATE SCHEMA extensions; CREATE EXTENSION citext SCHEMA extensions; ALTER TABLE "user" ALTER email TYPE extensions.citext, ADD "isAdmin" boolean NOT NULL`,
		"-c", `ALTER TABLE session ALTER "userAgent" TYPE varchar(100), ALTER "ipAddress" TYPE varchar(255)`)
	out := a.want(2, `differs    userAgent "userAgent" character varying(100): a longer value is refused`)
	for _, want := range []string{"fits       id, name, email, emailVerified, ", "ipAddress, userId", "  - who signs up has to give values of isAdmin, and chooses them", "required: true # and who signs up chooses it"} {
		if !strings.Contains(out, want) {
			t.Errorf("without %q:\n%s", want, out)
		}
	}
}

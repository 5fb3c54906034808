package cli_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/cli"
	"github.com/sallyport-auth/sallyport/migrations/adopt"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugins/jwt"
	"github.com/sallyport-auth/sallyport/plugins/organization"
	"github.com/sallyport-auth/sallyport/plugins/passkey"
	"github.com/sallyport-auth/sallyport/plugins/twofactor"
	"github.com/sallyport-auth/sallyport/server"
)

var update = flag.Bool("update", false, "write the golden files")

const adoptSecret = "q8Zr2-xT5vN7mK1pL4wY9bH3cF6dG0sJ_aEuIoRtUyP"

var adoptPlugins = []server.PluginEntry{
	server.Entry(emailpassword.ID, emailpassword.New), server.Entry(passkey.ID, passkey.New), server.Entry(twofactor.ID, twofactor.New),
	server.Entry(organization.ID, organization.New), server.Entry(jwt.ID, jwt.New),
}

// adoption is a database that something else made, and a program before it.
type adoption struct {
	t   *testing.T
	url string
	env []string
}

func newAdoption(t *testing.T, fixture string) *adoption {
	t.Helper()
	a := &adoption{t: t, url: adaptertest.PostgresURL(t)}
	a.env = []string{"DATABASE_URL=" + a.url, "SALLYPORT_SECRET=" + adoptSecret, "SALLYPORT_DATA=" + filepath.Join(t.TempDir(), "data")}
	if fixture != "" {
		a.psql("-f", filepath.Join("testdata", "adopt", fixture+".sql"))
	}
	return a
}

func (a *adoption) psql(args ...string) {
	a.t.Helper()
	if out, err := exec.Command("psql", append([]string{"-q", "-v", "ON_ERROR_STOP=1", a.url}, args...)...).CombinedOutput(); err != nil {
		a.t.Fatalf("psql %v: %v\n%s", args, err, out)
	}
}

// dump is the whole database, schema and rows.
func (a *adoption) dump() string {
	a.t.Helper()
	out, err := exec.Command("pg_dump", "--no-owner", "--no-privileges", a.url).Output()
	if err != nil {
		a.t.Fatal(err)
	}
	var lines []string
	for _, l := range strings.Split(string(out), "\n") {
		if !strings.HasPrefix(l, `\`) { // \restrict has a key of its own every time
			lines = append(lines, l)
		}
	}
	return strings.Join(lines, "\n")
}

func (a *adoption) run(args ...string) (code int, out, errs string) {
	a.t.Helper()
	var o, e bytes.Buffer
	code = cli.Program{Name: "sallyport", Version: "1", Plugins: adoptPlugins}.Run(a.t.Context(), args, a.env, &o, &e)
	return code, o.String(), e.String()
}

// want runs adopt, which must end with that code, and returns what it printed.
func (a *adoption) want(code int, part string, args ...string) string {
	a.t.Helper()
	got, out, errs := a.run(append([]string{"adopt"}, args...)...)
	if got != code || !strings.Contains(out+errs, part) {
		a.t.Fatalf("adopt %v: %d, want %d with %q\nout: %s\nerr: %s", args, got, code, part, out, errs)
	}
	return out
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "adopt", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (run with -update to accept):\n%s", file, got)
	}
}

// Every kind of schema that Better Auth's users have is read, planned and taken over;
// nothing is written without --apply, and what was there is there afterwards.
func TestAdopt(t *testing.T) {
	for _, tt := range []struct{ fixture, from, first string }{
		{fixture: "own"}, {fixture: "snake-plural"}, {fixture: "uuid"}, {fixture: "serial"}, {fixture: "drizzle"}, {fixture: "prisma"},
		{fixture: "mana", from: "mana", first: `ALTER TABLE "auth"."two_factor_auth" ADD COLUMN "id" text NOT NULL UNIQUE DEFAULT gen_random_uuid()::text`},
	} {
		t.Run(tt.fixture, func(t *testing.T) {
			a := newAdoption(t, tt.fixture)
			var from []string
			if tt.from != "" {
				from = []string{"--from", tt.from}
			}
			before := a.dump()
			code, out, errs := a.run(append([]string{"adopt"}, from...)...)
			golden(t, tt.fixture+".txt", out)
			if want := 2; tt.first == "" && code != want {
				t.Errorf("%d: %s", code, errs)
			}
			if a.dump() != before {
				t.Error("something was written")
			}
			if tt.first != "" {
				if code != 1 || !strings.Contains(out, tt.first) {
					t.Errorf("%d, without the proposal %s:\n%s", code, tt.first, out)
				}
				a.want(1, "see the faults", append(from, "--apply")...)
				if a.dump() != before {
					t.Error("something was written in spite of a fault")
				}
				a.psql("-c", tt.first)
			}
			live := a.tables(from)
			mapping := filepath.Join(t.TempDir(), "mapping.yaml")
			a.want(2, "What is added", append(from, "--mapping", mapping)...)
			a.want(0, "the database is taken over", append(from, "--mapping", mapping, "--apply", "--accept-losses")...)
			a.want(0, "has everything that is wanted", append(from, "--mapping", mapping)...)
			a.want(0, "has everything that is wanted", from...) // the names are found again
			after := a.tables(from)
			for name, typ := range live {
				if after[name] != typ {
					t.Errorf("%s was %s and is %s", name, typ, after[name])
				}
			}
			// The mapping is a config file that a server starts with.
			if code, out, errs := a.run("migrate", "verify", "--config", mapping); code != 0 {
				t.Errorf("verify: %d %s%s", code, out, errs)
			}
		})
	}
}

// tables are the types of all columns that are there.
func (a *adoption) tables(from []string) map[string]string {
	a.t.Helper()
	_, out, errs := a.run(append([]string{"adopt", "--json"}, from...)...)
	var r adopt.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		a.t.Fatalf("%v\n%s%s", err, out, errs)
	}
	types := map[string]string{}
	for _, t := range r.Tables {
		for _, c := range t.Columns {
			if c.State != adopt.Missing {
				types[t.Live+"."+c.Live] = c.Type
			}
		}
	}
	return types
}

const people = `INSERT INTO "user" (id, name, email, "emailVerified", username, "phoneNumber", "isAnonymous", role) VALUES
	('a', 'A', 'a@x', true, 'anna', NULL, false, 'user'), ('b', 'B', 'b@x', true, NULL, '+1', false, 'admin'), ('c', 'C', 'c@x', true, NULL, NULL, true, 'user'), ('d', 'D', 'd@x', true, NULL, NULL, false, 'user');
INSERT INTO account (id, "accountId", "providerId", "userId", password, "updatedAt") VALUES
	('1', 'a', 'credential', 'a', repeat('0', 32) || ':' || repeat('0', 128), now()), ('2', 'g', 'google', 'a', NULL, now()), ('3', 'g2', 'google', 'b', NULL, now()),
	('4', 'x', E'git\u202e\033[31mhub', 'b', NULL, now()), ('5', 'd', 'credential', 'd', 'md5:0123', now());
INSERT INTO passkey (id, "publicKey", "userId", "credentialID", counter, "deviceType", "backedUp") VALUES ('k', 'p', 'b', 'c', 0, 'singleDevice', false);
INSERT INTO apikey (id, "configId", "referenceId", key, "createdAt", "updatedAt") VALUES ('k', 'default', 'a', 'h', now(), now());`

// Whoever would lose something is counted, and it takes a yes.
func TestAdoptLosses(t *testing.T) {
	a := newAdoption(t, "own")
	a.psql("-c", people)
	before := a.dump()
	out := a.want(2, "What users would lose")
	for _, want := range []string{
		"  - 2 accounts of the provider google:",
		`  - 1 accounts of the provider "git\u202e\x1b[31mhub":`,
		"  - 1 users have neither a password nor a passkey:", // c; b has a passkey
		"  - 1 passwords have a form that is not read here",
		"  - 1 users have a username:", "  - 1 users have a phone number:", "  - 1 users are anonymous:", "  - 1 users have the role admin:", "  - 1 API keys stop working",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("without %q:\n%s", want, out)
		}
	}
	a.want(1, "Say --accept-losses", "--apply")
	if a.dump() != before {
		t.Error("it was applied without a yes")
	}
	a.want(0, "is taken over", "--apply", "--accept-losses")

	// A plugin that the database needs and the configuration leaves out is a loss, too.
	a.psql("-c", `INSERT INTO "twoFactor" (id, secret, "backupCodes", "userId") VALUES ('t', '`+sealed(t)+`', 'c', 'a')`)
	file := filepath.Join(t.TempDir(), "few.yaml")
	if err := os.WriteFile(file, []byte("database:\n  naming: betterauth\nplugins:\n  email-password:\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out = a.want(0, "a password alone would let anybody in", "--config", file)
	if !strings.Contains(out, "1 passkeys, and the plugin passkey is not enabled") || !strings.Contains(out, "2 users have neither") {
		t.Error(out)
	}
}

// Names that somebody gave to tables and columns end no line, start no statement and move
// no cursor, neither in the report nor in the plan nor in the part of the config file.
func TestAdoptHostileNames(t *testing.T) {
	a := newAdoption(t, "own")
	a.psql("-c", "ALTER TABLE \"user\" ADD COLUMN \"x\nDROP TABLE account; --\" text", "-c", "ALTER TABLE \"user\" ADD COLUMN \"\x1b[2J\u202e\"\"; DROP TABLE account; --\" text",
		"-c", "CREATE TABLE \"users\nDROP TABLE account; --\" (id text)", "-c", "CREATE TABLE \"us{er}?'\" (id text)", "-c", "ALTER TABLE \"user\" ADD COLUMN \"two: {x: y}\n  naming: snake\" text NOT NULL")
	for _, args := range []string{"adopt", "adopt --json", "migrate plan"} {
		if args == "migrate plan" {
			a.env = append(a.env, "SALLYPORT_DATABASE_NAMING=betterauth")
			a.psql("-c", "ALTER TABLE \"user\" ALTER COLUMN \"two: {x: y}\n  naming: snake\" DROP NOT NULL")
		}
		_, out, errs := a.run(strings.Fields(args)...)
		for _, l := range strings.Split(out+errs, "\n") {
			if strings.HasPrefix(strings.TrimSpace(l), "DROP") || strings.HasPrefix(strings.TrimSpace(l), "naming: snake") || strings.ContainsAny(l, "\x1b\r") || args != "adopt --json" && strings.Contains(l, "\u202e") {
				t.Errorf("%s prints %q", args, l)
			}
		}
		if !strings.Contains(out+errs, `DROP TABLE account`) {
			t.Errorf("%s says nothing of the column:\n%s%s", args, out, errs)
		}
	}
}

// The tables of one schema count, whatever the search path says; without a schema the only
// one that has them is found.
func TestAdoptSchemas(t *testing.T) {
	a := newAdoption(t, "")
	a.want(1, "no table of the schema looks like", "--schema", "public")
	a.psql("-c", "CREATE SCHEMA one", "-c", "SET search_path = one", "-c", strings.ReplaceAll(read(t, "snake-plural"), "public.", "one."))
	out := a.want(2, "  schema: one\n")
	if !strings.Contains(out, `CREATE TABLE "one"."job"`) {
		t.Error(out)
	}
	a.psql("-c", "CREATE SCHEMA \"Two\"", "-c", strings.ReplaceAll(read(t, "snake-plural"), "public.", `"Two".`))
	a.want(1, "the schemas Two, one all have such tables: name one with --schema")
	a.want(2, "  schema: Two\n", "--schema", "Two")
	a.psql("-c", strings.ReplaceAll(read(t, "own"), "CREATE SCHEMA public", ""), "-c", `ALTER DATABASE "`+a.url[strings.LastIndex(a.url, "/")+1:strings.Index(a.url, "?")]+`" SET search_path = one, "Two"`)
	if out := a.want(2, "naming: betterauth"); strings.Contains(out, "users") {
		t.Errorf("the search path decides:\n%s", out)
	}
}

func read(t *testing.T, fixture string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "adopt", fixture+".sql"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A role that may only read sees the report; what it may not read counts as lost, and what
// it may not change is an error that says so.
func TestAdoptWithFewRights(t *testing.T) {
	a := newAdoption(t, "own")
	a.psql("-c", people)
	owner := a.env[0]
	before := a.dump()
	a.env[0] = "DATABASE_URL=" + adaptertest.PostgresRole(t, a.url, `GRANT USAGE ON SCHEMA public TO $role`, `GRANT SELECT ON ALL TABLES IN SCHEMA public TO $role`)
	a.want(2, "  - 2 accounts of the provider google:")
	a.want(1, "42501", "--apply", "--accept-losses")
	a.env[0] = "DATABASE_URL=" + adaptertest.PostgresRole(t, a.url)
	a.want(2, "an unknown number (this role may not read the table) of accounts of providers")
	a.want(1, "Say --accept-losses", "--apply")
	a.env[0] = owner
	if a.dump() != before {
		t.Error("something was written")
	}
}

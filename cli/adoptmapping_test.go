package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mapping writes a file for --mapping.
func mapping(t *testing.T, text string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "mapping.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const namesOfOwn = "database:\n  naming: betterauth\n"

// Names that are like none of Better Auth's are those of the mapping, also where losses are
// counted: a table that the mapping names is that table, and not another that looks like it.
func TestAdoptNamesByHand(t *testing.T) {
	a := newAdoption(t, "own")
	a.psql("-c", people, "-c", `ALTER TABLE "user" RENAME TO "people"`, "-c", `ALTER TABLE "people" RENAME COLUMN "email" TO "address"`, "-c", `ALTER TABLE "account" RENAME TO "ways in"`,
		"-c", `CREATE TABLE "accounts" ("id" text, "userId" text, "createdAt" date, "updatedAt" date)`) // of a bank
	a.want(1, "names that are entirely different have to be set: database.overrides")
	file := mapping(t, namesOfOwn+"  overrides:\n    user: people\n    user.email: address\n    account: ways in\nplugins:\n  email-password:\n  passkey:\n")
	out := a.want(2, `user "people": 7 of 7 columns fit`, "--mapping", file)
	for _, want := range []string{`account "ways in": 13 of 13`, "  - 2 accounts of the provider google:", "  - 1 users have neither a password nor a passkey:", "  - accounts\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("without %q:\n%s", want, out)
		}
	}
	a.want(0, "is taken over", "--mapping", file, "--apply", "--accept-losses")
	a.want(0, "has everything that is wanted", "--mapping", file)
}

// The schema that a mapping names is the one that is looked at, in whatever file it is.
func TestAdoptMappingSchema(t *testing.T) {
	a := newAdoption(t, "own") // in public
	a.psql("-c", "CREATE SCHEMA two", "-c", strings.ReplaceAll(read(t, "snake-plural"), "public.", "two."),
		"-c", `INSERT INTO two.users (id, name, email, email_verified, created_at, updated_at) VALUES ('z', 'Z', 'z@x', true, now(), now())`)
	file := filepath.Join(t.TempDir(), "mapping.yaml")
	first, rest, _ := strings.Cut(a.want(2, "PostgreSQL, schema two,", "--mapping", file, "--schema", "two"), "For the config file:")
	_, plan, _ := strings.Cut(rest, "What is added")
	if again := a.want(2, "1 users have neither a password", "--mapping", file); again != first+"What is added"+plan {
		t.Errorf("it was\n%s%s\nand is\n%s", first, plan, again)
	}
	// What the command line says goes before.
	a.want(1, "no table of the schema looks like", "--mapping", file, "--schema", "none")
}

// A mapping that is a whole config file counts as one: what goes before its options does, what
// is looked at is what is changed, and its secrets are not printed.
func TestAdoptMappingDatabase(t *testing.T) {
	a, other := newAdoption(t, "own"), newAdoption(t, "own")
	other.psql("-c", people)
	file := mapping(t, "secret: "+adoptSecret+"\ndatabase:\n  url: "+strings.Replace(other.url, "postgres@", "postgres:hunter2-hunter2@", 1)+"\n  naming: betterauth\nplugins:\n  email-password:\n")
	a.env = append(a.env[2:], "SALLYPORT_DATABASE_URL="+a.url)
	before := other.dump()
	a.want(0, "is taken over", "--mapping", file, "--apply")
	if other.dump() != before {
		t.Error("a database was changed that nobody looked at")
	}
	config := mapping(t, "database:\n  url: "+a.url+"\n")
	a.env = a.env[:len(a.env)-1]
	a.want(1, "says where the database is, and "+config+" is the config file", "--config", config, "--mapping", file)
	before = a.dump()
	for _, args := range [][]string{nil, {"--json"}} {
		if out := a.want(2, "users have a phone number", append(args, "--mapping", file)...); strings.Contains(out, adoptSecret) || strings.Contains(out, "hunter2") {
			t.Errorf("a secret is printed:\n%s", out)
		}
	}
	a.want(0, "is taken over", "--mapping", file, "--apply", "--accept-losses")
	if a.dump() != before {
		t.Error("a database was changed that nobody looked at")
	}
}

// Where several tables look alike somebody has to choose. A file that was written
// nevertheless would be that choice.
func TestAdoptMappingChoice(t *testing.T) {
	a := newAdoption(t, "own")
	a.psql("-c", `CREATE TABLE "users" (LIKE "user" INCLUDING ALL)`)
	file := filepath.Join(t.TempDir(), "mapping.yaml")
	for range 2 {
		a.want(1, "several tables look like Better Auth's user", "--mapping", file, "--apply")
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a mapping was written")
	}
	if err := os.WriteFile(file, []byte(namesOfOwn+"  overrides:\n    user: users\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.want(2, `user "users": `, "--mapping", file)
}

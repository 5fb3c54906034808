package cli_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/migrations/adopt"
	"github.com/sallyport-auth/sallyport/server"
)

// again is a database that is adopted, used, and looked at again.
type again struct {
	*adoption
	exec  func(statements string)
	file  string // the config file in use
	users int    // who have come
}

func onSQLite(t *testing.T) *again {
	dir := t.TempDir()
	file := filepath.Join(dir, "auth.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	env := []string{"SALLYPORT_DATABASE_PATH=" + file, "SALLYPORT_SECRET=" + adoptSecret, "SALLYPORT_DATA=" + filepath.Join(dir, "data")}
	return &again{adoption: &adoption{t: t, env: env}, exec: func(s string) {
		t.Helper()
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}}
}

func onPostgres(t *testing.T) *again {
	a := newAdoption(t, "")
	return &again{adoption: a, exec: func(s string) { t.Helper(); a.psql("-c", s) }}
}

const (
	everyPlugin = "two-factor organization passkey jwt"
	appsOwn     = `create table "job" ("id" text, "title" text); create table "member" ("id" text, "club" text)`
)

type steps []func(string) string

// A database that was adopted and used is understood as before: the same names and forms of
// times, nothing to do, nothing wrong, and nothing to be known that was not so before. A
// server starts with what is proposed.
func TestAdoptAgain(t *testing.T) {
	const ms, s, text, offset = "1767225600123", "1767225600", "'2026-01-01T00:00:00.123Z'", "'2026-01-01T00:00:00.123+00:00'"
	for _, tt := range []struct {
		name, plugins string
		rename        func(string) string
		change        steps
		user, id      string // times of a user who is there, and the id; empty: nobody is
		more          string // statements
		users         int    // who come. Default 1
	}{
		{name: "own", plugins: everyPlugin, rename: own},
		{name: "own, one plugin", plugins: "two-factor", rename: own, user: text, users: 10},
		{name: "own, serial", plugins: everyPlugin, rename: own, change: steps{ids("integer primary key", "integer")}, user: text, id: "7"},
		{name: "Drizzle in seconds", plugins: everyPlugin, rename: snake, change: steps{integers}, user: s},
		{name: "Drizzle in seconds, no plugin", rename: plural, change: steps{integers}, user: s},
		{name: "Drizzle in seconds by default", plugins: everyPlugin, rename: plural, change: steps{replace(" date not null", " integer default (unixepoch()) not null", " date", " integer")}},
		{name: "Drizzle in seconds, serial", plugins: everyPlugin, rename: plural, change: steps{integers, ids("integer primary key autoincrement not null", "integer")}, user: s, id: "7"},
		{name: "Drizzle in milliseconds", plugins: "organization", rename: plural, change: steps{integers}, user: ms},
		{name: "Drizzle, empty", plugins: everyPlugin, rename: plural, change: steps{integers}},
		{name: "Prisma in milliseconds", plugins: everyPlugin, rename: prisma, change: steps{datetimes}, user: ms},
		{name: "Prisma's adapter", plugins: everyPlugin, rename: prisma, change: steps{datetimes}, user: offset},
		{name: "Prisma's adapter, no plugin", rename: prisma, change: steps{datetimes}, user: offset},
		{name: "Prisma, empty", plugins: everyPlugin, rename: prisma, change: steps{datetimes}},
		{name: "Prisma, tables of the app", rename: prisma, change: steps{datetimes}, user: offset, more: strings.NewReplacer(`"job"`, `"Job"`, `"member"`, `"Member"`).Replace(appsOwn)},
		{name: "tables of the app", rename: snake, change: steps{integers}, user: s, more: appsOwn},
		{name: "a column of the app", plugins: everyPlugin, rename: own, user: text, more: `;alter table "session" add column "AMR" text; alter table "user" add column "Two_Factor_Enabled_At" text`},
		{name: "names in quotes", plugins: everyPlugin, rename: quoted, user: text},
		{name: "PostgreSQL", plugins: everyPlugin, rename: own, change: steps{postgres}},
		{name: "PostgreSQL, plural", plugins: "passkey", rename: plural, change: steps{postgres}, user: "now()", users: 10},
		{name: "PostgreSQL, Prisma", plugins: "organization", rename: prisma, change: steps{replace(" date", " timestamp(3)"), postgres}, user: "now()"},
		{name: "PostgreSQL, uuid", plugins: everyPlugin, rename: snake, change: steps{postgres, ids("uuid not null primary key default gen_random_uuid()", "uuid")}, user: "now()", id: "'6f1b0d3e-7a51-4c8e-9d2b-0f4f0c1f2a3b'"},
		{name: "PostgreSQL, serial", plugins: everyPlugin, rename: own, change: steps{postgres, ids("serial not null primary key", "integer")}, user: "now()", id: "-7"},
		{name: "PostgreSQL, schema and names in quotes", plugins: everyPlugin, rename: quoted, change: steps{postgres, func(s string) string { return `create schema "My Schema-1"; set search_path = "My Schema-1"; ` + s }}, user: "now()"},
		{name: "PostgreSQL, tables of the app", rename: snake, change: steps{postgres}, user: "now()", more: appsOwn},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, yes := onSQLite, "1"
			if strings.HasPrefix(tt.name, "PostgreSQL") {
				a, yes = onPostgres, "true"
			}
			ddl := tablesFor(tt.plugins, tt.rename, tt.change...) + tt.more
			if tt.user != "" {
				if tt.id == "" {
					tt.id = "'a'"
				}
				n := tt.rename
				ddl += fmt.Sprintf(`;insert into "%s" ("%s", "%s", "%s", "%s", "%s", "%s") values (%s, 'A', 'a@x.example', %s, %s, %s)`,
					n("user"), n("id"), n("name"), n("email"), n("emailVerified"), n("createdAt"), n("updatedAt"), tt.id, yes, tt.user, tt.user)
			}
			db := a(t)
			db.exec(ddl)
			db.live(max(1, tt.users), strings.Contains(tt.more, "ember"))
		})
	}
}

// live adopts, uses, and looks again, then with more plugins. member tells that the app has
// a table of that name.
func (a *again) live(users int, member bool) {
	a.t.Helper()
	a.file = filepath.Join(a.t.TempDir(), "sallyport.yaml")
	var first adopt.Report
	if err := json.Unmarshal([]byte(a.want(2, "", "--mapping", a.file, "--json")), &first); err != nil {
		a.t.Fatal(err)
	}
	a.want(0, "is taken over", "--mapping", a.file, "--apply", "--accept-losses")
	a.look("applied", &first)
	a.use(users)
	a.look("used", &first)

	text := read0(a.t, a.file)
	if member { // or there are faults that say so
		text = strings.Replace(text, "  overrides:\n", "  overrides:\n    member: sallyport_member\n", 1)
	}
	text = text[:strings.Index(text, "plugins:")] + "plugins:\n  email-password:\n  passkey:\n  two-factor:\n  organization:\n    teams:\n      enabled: true\n    dynamicAccessControl:\n      enabled: true\n  jwt:\n"
	if err := os.WriteFile(a.file, []byte(text), 0o600); err != nil {
		a.t.Fatal(err)
	}
	a.proposeAll()
	a.want(0, "is taken over", "--config", a.file, "--apply", "--accept-losses")
	first.Mapping = ""
	a.look("all plugins", &first)
	a.use(users)
	a.look("all plugins, used", &first)
}

// proposeAll compares what is in use with what is proposed for all plugins.
func (a *again) proposeAll() {
	a.t.Helper()
	env := a.env
	a.env = append(slices.Clone(env), "SALLYPORT_PLUGINS=email-password,passkey,two-factor,organization,jwt")
	defer func() { a.env = env }()
	var r adopt.Report
	_, out, errs := a.run("adopt", "--json")
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Faults) > 0 {
		a.t.Fatalf("for all plugins: %v %s%s", err, out, errs)
	}
	a.compare("for all plugins", r.Mapping)
}

// look looks at the database as for the first time.
func (a *again) look(when string, first *adopt.Report) {
	t := a.t
	t.Helper()
	code, out, errs := a.run("adopt", "--json")
	var r adopt.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%s: %v: %d\n%s%s", when, err, code, out, errs)
	}
	if code != 0 || len(r.Faults)+len(r.Prepare)+len(r.Plan) > 0 {
		t.Errorf("%s: %d, faults %q, to prepare %q, plan %q", when, code, r.Faults, r.Prepare, r.Plan)
	}
	if first.Mapping != "" && r.Mapping != first.Mapping {
		t.Errorf("%s: proposed was\n%s\nand is\n%s", when, first.Mapping, r.Mapping)
	}
	for _, n := range r.Notes {
		if !slices.Contains(first.Notes, n) && !strings.HasPrefix(n, "the secret opens") {
			t.Errorf("%s: a new note: %s", when, n)
		}
	}
	if file := a.compare(when, r.Mapping); !t.Failed() {
		if code, out, errs := a.run("migrate", "verify", "--config", file); code != 0 {
			t.Errorf("%s: what is proposed does not start: %d %s%s", when, code, out, errs)
		}
	}
}

// compare tells where a mapping understands a table that is in use otherwise than the
// configuration in use. It returns the mapping's file.
func (a *again) compare(when, mapping string) (file string) {
	t := a.t
	t.Helper()
	file = filepath.Join(t.TempDir(), "again.yaml")
	if err := os.WriteFile(file, []byte(mapping), 0o600); err != nil {
		t.Fatal(err)
	}
	want, was, _ := a.auth(a.file).Schema()
	got, is, _ := a.auth(file).Schema()
	for _, table := range want.Tables {
		if got.Table(table.Name) == nil {
			if !strings.HasPrefix(table.Name, "team") && table.Name != "organizationRole" || when != "for all plugins" {
				t.Errorf("%s: the table %s is not used any more", when, table.Name)
			}
			continue
		}
		if was.Table(table.Name) != is.Table(table.Name) {
			t.Errorf("%s: the table %s was %q and is %q", when, table.Name, was.Table(table.Name), is.Table(table.Name))
		}
		for _, c := range table.Columns {
			if was, is := was.Column(table.Name, c.Name), is.Column(table.Name, c.Name); was != is {
				t.Errorf("%s: the column %s.%s was %q and is %q", when, table.Name, c.Name, was, is)
			}
			if was, is := was.TimeForm(table.Name, c.Name), is.TimeForm(table.Name, c.Name); c.Kind == schema.Time && was != is {
				t.Errorf("%s: the times of %s.%s were %s and are %s", when, table.Name, c.Name, was, is)
			}
		}
	}
	return file
}

func (a *again) config(file string) server.Config {
	a.t.Helper()
	c, err := server.Load(server.Source{File: file, Env: a.env}, adoptPlugins...)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

func (a *again) auth(file string) *core.Auth {
	a.t.Helper()
	auth, err := server.Describe(a.config(file), adoptPlugins...)
	if err != nil {
		a.t.Fatal(err)
	}
	return auth
}

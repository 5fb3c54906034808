package adopt_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/sqlite"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
	"github.com/sallyport-auth/sallyport/migrations/adopt"
)

type forms map[string]schema.TimeForm

// timed is a SQLite database whose times have that type, with values of user.createdAt,
// user.birthday and session.expiresAt.
func timed(t *testing.T, typ string, created, birthday, expires []string) (storage.Database, *schema.Schema) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "auth.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	ddl := []string{
		fmt.Sprintf(`CREATE TABLE "user" ("id" text PRIMARY KEY, "name" text, "email" text, "emailVerified" integer, "createdAt" %[1]s, "updatedAt" %[1]s, "birthday" %[1]s)`, typ),
		fmt.Sprintf(`CREATE TABLE "session" ("id" text PRIMARY KEY, "expiresAt" %[1]s, "token" text, "createdAt" %[1]s, "updatedAt" %[1]s, "userId" text)`, typ),
		fmt.Sprintf(`CREATE TABLE "account" ("id" text PRIMARY KEY, "accountId" text, "providerId" text, "userId" text, "password" text, "createdAt" %[1]s, "updatedAt" %[1]s)`, typ),
	}
	for column, values := range map[string][]string{`"user" ("createdAt")`: created, `"user" ("birthday")`: birthday, `"session" ("expiresAt")`: expires} {
		for _, v := range values {
			ddl = append(ddl, "INSERT INTO "+column+" VALUES ("+v+")")
		}
	}
	if err := db.DDL(t.Context(), ddl...); err != nil {
		t.Fatal(err)
	}
	at := func(name string) schema.Column { return schema.Column{Name: name, Kind: schema.Time, Nullable: true} }
	want := &schema.Schema{Tables: []schema.Table{{Name: "user", Columns: []schema.Column{at("createdAt"), at("updatedAt"), at("birthday")}},
		{Name: "session", Columns: []schema.Column{at("expiresAt"), at("createdAt"), at("updatedAt")}}, {Name: "job", Columns: []schema.Column{at("runAt")}}}}
	return db, want
}

// findTimes proposes, which has to find these forms and be a configuration that holds.
func findTimes(t *testing.T, db storage.Database, want *schema.Schema, times schema.TimeForm, over forms) *adopt.Proposal {
	t.Helper()
	p, err := adopt.Look(t.Context(), db, adopt.BetterAuth, schema.Names{})
	if err != nil {
		t.Fatal(err)
	}
	p.Naming = schema.BetterAuth
	p.Complete(want)
	if err := p.FindTimes(t.Context(), db, want); err != nil {
		t.Fatal(err)
	}
	if p.Times != times || !maps.Equal(p.TimeOverrides, over) {
		t.Errorf("%q and %v", p.Times, p.TimeOverrides)
	}
	names := schema.Names{Naming: p.Naming, Times: p.Times, TimeOverrides: p.TimeOverrides}
	if faults := names.Check(want); len(faults) > 0 {
		t.Error(faults)
	}
	return p
}

func TestFindTimes(t *testing.T) {
	const (
		ms, s, text, offset = "1767225600123", "1767225600", "'2026-01-01T00:00:00.123Z'", "'2026-01-01T00:00:00.123+00:00'"
		old                 = "-1000000000" // in 1938 as seconds, in 1969 as milliseconds
	)
	for _, tt := range []struct {
		name, typ                  string
		created, birthday, expires []string
		times                      schema.TimeForm
		over                       forms
		note                       string
	}{
		{name: "Better Auth's own", typ: "date", created: []string{text}, expires: []string{text}},
		{name: "empty and Better Auth's own", typ: "date"},
		{name: "Prisma's engine", typ: "datetime", created: []string{ms, ms, "0"}, expires: []string{ms}, times: schema.TimeMilliseconds},
		{name: "Prisma's adapters", typ: "datetime", created: []string{offset}, times: schema.TimeOffset},
		{name: "Drizzle's timestamp", typ: "integer", created: []string{s}, expires: []string{s}, times: schema.TimeMilliseconds,
			over: forms{"user": schema.TimeSeconds, "session": schema.TimeSeconds}, note: "whole seconds"},
		{name: "mixed tables", typ: "integer", created: []string{ms}, birthday: []string{ms}, expires: []string{s}, times: schema.TimeMilliseconds,
			over: forms{"session": schema.TimeSeconds}, note: "whole seconds"},
		{name: "dates of long ago", typ: "integer", created: []string{ms}, birthday: []string{old, old, ms}, times: schema.TimeMilliseconds},
		{name: "empty with a default in milliseconds", typ: "integer DEFAULT (cast(unixepoch('subsecond') * 1000 as integer))", times: schema.TimeMilliseconds},
		{name: "empty with a default in seconds", typ: "integer DEFAULT (unixepoch())", times: schema.TimeMilliseconds, over: forms{"user": schema.TimeSeconds, "session": schema.TimeSeconds}, note: "whole seconds"},
		{name: "empty numbers", typ: "integer", times: schema.TimeMilliseconds, note: "it is assumed by their types: user.createdAt (integer: milliseconds)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db, want := timed(t, tt.typ, tt.created, tt.birthday, tt.expires)
			p := findTimes(t, db, want, tt.times, tt.over)
			if notes := strings.Join(p.Notes, "\n"); !strings.Contains(notes, tt.note) || tt.note == "" && notes != "" {
				t.Errorf("notes %q, want %q", notes, tt.note)
			}
			if yaml := p.YAML(); strings.Contains(yaml, "times: milliseconds") != (tt.times == schema.TimeMilliseconds) || strings.Contains(yaml, "session: seconds") != (tt.over["session"] != "") {
				t.Error(yaml)
			}
		})
	}
}

// What Sallyport made itself is there when a database is looked at again, with values or
// without: its tables are never in seconds, and follow the others in all else.
func TestTimesOfOwnTables(t *testing.T) {
	const ms, s, text, offset = "1767225600123", "1767225600", "'2026-01-01T00:00:00.123Z'", "'2026-01-01T00:00:00.123+00:00'"
	for _, tt := range []struct {
		name, typ, value, job string
		runAt                 []string
		times                 schema.TimeForm
		over                  forms
	}{
		{"seconds", "integer", s, "integer", nil, schema.TimeMilliseconds, forms{"user": schema.TimeSeconds, "session": schema.TimeSeconds}},
		{"seconds, with a job", "integer", s, "integer", []string{ms}, schema.TimeMilliseconds, forms{"user": schema.TimeSeconds, "session": schema.TimeSeconds}},
		{"seconds, with a job of 1970", "integer", s, "integer", []string{"1"}, schema.TimeMilliseconds, forms{"user": schema.TimeSeconds, "session": schema.TimeSeconds}},
		{"milliseconds", "datetime", ms, "integer", nil, schema.TimeMilliseconds, nil},
		{"offset", "datetime", offset, "date", nil, schema.TimeOffset, nil},
		{"text", "date", text, "date", nil, "", nil},
		{"text, made when there were more numbers", "date", text, "integer", nil, "", forms{"job": schema.TimeMilliseconds}},
		{"milliseconds, made when there were more texts", "datetime", ms, "date", []string{text}, schema.TimeMilliseconds, forms{"job": schema.TimeText}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db, want := timed(t, tt.typ, []string{tt.value}, nil, []string{tt.value})
			ddl := []string{`CREATE TABLE "job" ("id" text PRIMARY KEY, "runAt" ` + tt.job + `)`}
			for _, v := range tt.runAt {
				ddl = append(ddl, `INSERT INTO "job" ("runAt") VALUES (`+v+`)`)
			}
			if err := db.DDL(t.Context(), ddl...); err != nil {
				t.Fatal(err)
			}
			p := findTimes(t, db, want, tt.times, tt.over)
			if notes := strings.Join(p.Notes, "\n"); strings.Contains(notes, "assumed") {
				t.Error(notes)
			}
		})
	}
}

// A value of another form than its column's would be compared wrongly. The statement that
// is proposed makes it one of the column's.
func TestStrays(t *testing.T) {
	stray := map[schema.TimeForm]string{schema.TimeText: "'2026-01-01T00:00:00.123Z'", schema.TimeOffset: "'2026-01-01T00:00:00.123+00:00'",
		schema.TimeMilliseconds: "1767225600123", schema.TimeSeconds: "1767225600"}
	for form, right := range stray {
		for other, wrong := range stray {
			db, want := timed(t, "datetime", []string{right}, nil, []string{wrong, right, right})
			names := schema.Names{Naming: schema.BetterAuth, TimeOverrides: map[string]schema.TimeForm{"user": form, "session": form}}
			look := func() *adopt.Report {
				p, err := adopt.Look(t.Context(), db, adopt.BetterAuth, schema.Names{})
				if err != nil {
					t.Fatal(err)
				}
				r := p.Report(want, names, &migrations.Plan{}, p.IDs)
				if err := p.Inspect(t.Context(), db, r, want, names, nil); err != nil {
					t.Fatal(err)
				}
				return r
			}
			r := look()
			if other == form {
				if len(r.Faults)+len(r.Prepare) > 0 {
					t.Errorf("all %s: %q", form, r.Faults)
				}
				continue
			}
			if len(r.Faults) != 1 || !strings.Contains(r.Faults[0], "some times in session.expiresAt are not "+form.Describe()) || len(r.Prepare) != 1 {
				t.Fatalf("%s among %s: %q, %q", other, form, r.Faults, r.Prepare)
			}
			sql, _, _ := strings.Cut(r.Prepare[0], "; --")
			if err := db.DDL(t.Context(), sql); err != nil {
				t.Fatal(sql, err)
			}
			if r := look(); len(r.Faults) > 0 {
				t.Errorf("%s made %s by %s: %q", other, form, sql, r.Faults)
			}
			if form == schema.TimeSeconds || other != schema.TimeSeconds {
				if err := db.DDL(t.Context(), `CREATE TABLE "check" ("n" integer CHECK ("n" = 1))`, `INSERT INTO "check" SELECT count(DISTINCT "expiresAt") FROM "session"`); err != nil {
					t.Errorf("%s made %s by %s is another time: %v", other, form, sql, err)
				}
			}
		}
	}
}

// A text of a whole second becomes that second, and no other.
func TestStraysOfWholeSeconds(t *testing.T) {
	var texts []string
	for i := range 60 {
		texts = append(texts, fmt.Sprintf("'2026-01-01T00:00:%02d.000Z'", i))
	}
	db, want := timed(t, "integer", nil, nil, texts)
	names := schema.Names{Naming: schema.BetterAuth, TimeOverrides: map[string]schema.TimeForm{"user": schema.TimeSeconds, "session": schema.TimeSeconds}}
	p, err := adopt.Look(t.Context(), db, adopt.BetterAuth, schema.Names{})
	if err != nil {
		t.Fatal(err)
	}
	r := p.Report(want, names, &migrations.Plan{}, p.IDs)
	if err := p.Inspect(t.Context(), db, r, want, names, nil); err != nil || len(r.Prepare) != 1 {
		t.Fatal(r.Prepare, err)
	}
	sql, _, _ := strings.Cut(r.Prepare[0], "; --")
	if err := db.DDL(t.Context(), sql, `CREATE TABLE "check" ("n" integer CHECK ("n" = 60))`,
		`INSERT INTO "check" SELECT count(DISTINCT "expiresAt") FROM "session" WHERE "expiresAt" BETWEEN 1767225600 AND 1767225659`); err != nil {
		t.Errorf("by %s: %v", sql, err)
	}
}

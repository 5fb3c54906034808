package migrations_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
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

func namings() []schema.Names {
	return []schema.Names{
		{Naming: schema.Snake, Schema: "auth", Overrides: map[string]string{"rateLimit": "limits", "user.name": "full_name"}},
		{Naming: schema.BetterAuth},
	}
}

func TestGolden(t *testing.T) {
	for _, d := range []storage.Dialect{storage.Postgres, storage.SQLite} {
		for _, names := range namings() {
			p, err := migrations.New(d, &schema.Live{}, everything(t), names, steps(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Notes)+len(p.Faults) > 0 {
				t.Errorf("notes %q, faults %q", p.Notes, p.Faults)
			}
			golden(t, fmt.Sprintf("new.%s.%s.sql", d, names.Naming), p.String())

			// The same on a database that has the core's tables, as Better Auth makes them.
			p, err = migrations.New(d, liveCore(t, d, names), everything(t), names, nil, map[string]string{"gone/1": "x"})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, fmt.Sprintf("add.%s.%s.sql", d, names.Naming), p.String())
		}
	}
}

// liveCore is a database with the core's tables, one column too many, one index too few.
func liveCore(t *testing.T, d storage.Dialect, names schema.Names) *schema.Live {
	live := &schema.Live{SchemaExists: true}
	for _, table := range core(t).Tables {
		lt := schema.LiveTable{Name: names.Table(table.Name)}
		for _, c := range table.Columns {
			lt.Columns = append(lt.Columns, schema.LiveColumn{
				Name: names.Column(table.Name, c.Name), Type: liveTypes[d][c.Kind], Nullable: c.Nullable})
			if c.Unique || c.PrimaryKey {
				lt.Indexes = append(lt.Indexes, schema.LiveIndex{
					Name: "some_name_" + c.Name, Columns: []string{names.Column(table.Name, c.Name)}, Unique: true})
			}
		}
		live.Tables = append(live.Tables, lt)
	}
	acc := live.Table(names.Table("account"))
	acc.Columns = append(acc.Columns, schema.LiveColumn{Name: "issuer", Type: "text", Nullable: true})
	return live
}

var liveTypes = map[storage.Dialect]map[schema.Kind]string{
	storage.Postgres: {schema.String: "text", schema.Bool: "boolean", schema.Int: "integer", schema.BigInt: "bigint",
		schema.Time: "timestamp with time zone"},
	storage.SQLite: {schema.String: "text", schema.Bool: "integer", schema.Int: "integer", schema.BigInt: "bigint", schema.Time: "date"},
}

// one is a schema and database of one table, for the tests of adoption.
func one(c schema.Column, lc schema.LiveColumn) (*schema.Schema, *schema.Live) {
	c.Owner = "p"
	s := &schema.Schema{Tables: []schema.Table{{Name: "thing", Owner: "p", Columns: []schema.Column{
		{Name: "id", Kind: schema.String, PrimaryKey: true}, c}}}}
	live := &schema.Live{SchemaExists: true, Tables: []schema.LiveTable{
		{Name: migrations.Ledger},
		{Name: "thing", Columns: []schema.LiveColumn{{Name: "id", Type: "text"}}},
	}}
	if lc.Name != "" {
		live.Tables[1].Columns = append(live.Tables[1].Columns, lc)
	}
	return s, live
}

func TestAdopt(t *testing.T) {
	const table = `plugin p: table thing ("thing"): `
	pg, lite := storage.Postgres, storage.SQLite
	str := schema.Column{Name: "aB", Kind: schema.String}
	of := func(k schema.Kind) schema.Column { return schema.Column{Name: "aB", Kind: k} }
	with := func(c schema.Column, f func(*schema.Column)) schema.Column { f(&c); return c }
	nullable := func(c *schema.Column) { c.Nullable = true }
	live := func(typ string) schema.LiveColumn { return schema.LiveColumn{Name: "a_b", Type: typ} }
	missing := schema.LiveColumn{}
	for _, c := range []struct {
		name        string
		dialect     storage.Dialect
		want        schema.Column
		live        schema.LiveColumn
		sql         []string
		note, fault string
	}{
		{name: "same", dialect: pg, want: str, live: live("text")},
		{name: "varchar", dialect: pg, want: str, live: live("character varying(255)")},
		{name: "varchar on SQLite", dialect: lite, want: str, live: live("varchar(255)")},
		{name: "json", dialect: pg, want: of(schema.JSON), live: live("json")},
		{name: "timestamp", dialect: pg, want: of(schema.Time), live: live("timestamp(3) without time zone"),
			note: "column a_b is timestamp(3) without time zone: its times have no zone, and are right only while every program writes UTC"},
		{name: "timestamptz with precision", dialect: pg, want: of(schema.Time), live: live("timestamp(3) with time zone")},
		{name: "datetime", dialect: lite, want: of(schema.Time), live: live("datetime")},
		{name: "integer time", dialect: lite, want: of(schema.Time), live: live("integer"), fault: "column a_b is integer, want date"},
		{name: "day", dialect: pg, want: of(schema.Time), live: live("date"), fault: "column a_b is date, want timestamptz"},
		{name: "uuid", dialect: pg, want: str, live: live("uuid"), fault: "column a_b is uuid, want text"},
		{name: "uuid reference", dialect: pg, live: live("uuid"),
			want: with(str, func(c *schema.Column) { c.References = &schema.Reference{Table: "thing", Column: "id"} }),
			note: "column a_b is uuid: ids are read and written as text, and must have its form"},
		{name: "narrow", dialect: pg, want: of(schema.BigInt), live: live("integer"), fault: "column a_b is integer, want bigint"},
		{name: "wide", dialect: pg, want: of(schema.Int), live: live("bigint")},
		{name: "number for text", dialect: pg, want: str, live: live("integer"), fault: "column a_b is integer, want text"},
		{name: "text for boolean", dialect: pg, want: of(schema.Bool), live: live("text"), fault: "column a_b is text, want boolean"},
		{name: "unknown type", dialect: pg, want: of(schema.Bytes), live: live("my_type"), fault: "column a_b is my_type, want bytea"},
		{name: "stricter", dialect: pg, want: with(str, nullable), live: live("text"),
			fault: "column a_b is NOT NULL, but rows without a value are written"},
		{name: "laxer", dialect: pg, want: str, live: schema.LiveColumn{Name: "a_b", Type: "text", Nullable: true},
			note: "column a_b may be NULL; a row with a NULL cannot be read"},
		{name: "new nullable", dialect: pg, want: with(str, nullable), live: missing,
			sql: []string{`ALTER TABLE "public"."thing" ADD COLUMN "a_b" text`}},
		{name: "new with default", dialect: pg, live: missing,
			want: with(of(schema.Bool), func(c *schema.Column) { c.Default = true }),
			sql:  []string{`ALTER TABLE "public"."thing" ADD COLUMN "a_b" boolean NOT NULL DEFAULT true`}},
		{name: "new with default on SQLite", dialect: lite, live: missing,
			want: with(of(schema.Bool), func(c *schema.Column) { c.Default = true }),
			sql:  []string{`ALTER TABLE "thing" ADD COLUMN "a_b" integer NOT NULL DEFAULT 1`}},
		{name: "new with the time", dialect: pg, live: missing,
			want: with(of(schema.Time), func(c *schema.Column) { c.DefaultNow = true }),
			sql:  []string{`ALTER TABLE "public"."thing" ADD COLUMN "a_b" timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP`}},
		{name: "new with the time on SQLite", dialect: lite, live: missing,
			want: with(of(schema.Time), func(c *schema.Column) { c.DefaultNow = true }),
			sql:  []string{`ALTER TABLE "thing" ADD COLUMN "a_b" date NOT NULL DEFAULT '1970-01-01T00:00:00.000Z'`},
			note: "existing rows get 1970-01-01 in the new column a_b"},
		{name: "new without default", dialect: pg, want: str, live: missing,
			fault: "column a_b is missing and has no default: existing rows would have no value (add it by hand, or by a step)"},
		{name: "new unique", dialect: lite, live: missing, want: with(str, func(c *schema.Column) { c.Nullable, c.Unique = true, true }),
			sql: []string{`ALTER TABLE "thing" ADD COLUMN "a_b" text`, `CREATE UNIQUE INDEX "thing_a_b_uidx" ON "thing" ("a_b")`}},
		{name: "new unique with a default", dialect: pg, live: missing,
			want:  with(str, func(c *schema.Column) { c.Default, c.Unique = "x", true }),
			fault: "the unique column a_b is missing: existing rows would all get the same value (add it by hand)"},
		{name: "no longer unique", dialect: pg, want: with(str, func(c *schema.Column) { c.Unique = true }), live: live("text"),
			sql: []string{`CREATE UNIQUE INDEX "thing_a_b_uidx" ON "public"."thing" ("a_b")`}},
		{name: "unindexed", dialect: pg, want: with(str, func(c *schema.Column) { c.Index = true }), live: live("text"),
			sql: []string{`CREATE INDEX "thing_a_b_idx" ON "public"."thing" ("a_b")`},
			note: "nobody can write to the table while index thing_a_b_idx is built, nor read it if the plan adds a column; if it is large, run this before: " +
				`CREATE INDEX CONCURRENTLY "thing_a_b_idx" ON "public"."thing" ("a_b");`},
		{name: "unknown column", dialect: pg, want: with(str, nullable), live: schema.LiveColumn{Name: "other", Type: "text", Nullable: true},
			sql:  []string{`ALTER TABLE "public"."thing" ADD COLUMN "a_b" text`},
			note: "no plugin knows column other; it stays as it is"},
		{name: "unknown column in the way", dialect: pg, want: with(str, nullable), live: schema.LiveColumn{Name: "other", Type: "text"},
			sql:   []string{`ALTER TABLE "public"."thing" ADD COLUMN "a_b" text`},
			fault: "column other, which no plugin knows, is NOT NULL without a default: every insert would fail"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, l := one(c.want, c.live)
			p, err := migrations.New(c.dialect, l, s, schema.Names{}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.SQL(); !slices.Equal(got, c.sql) {
				t.Errorf("statements %q\nwant %q", got, c.sql)
			}
			lines := func(s string) []string {
				if s == "" {
					return nil
				}
				return []string{table + s}
			}
			if !slices.Equal(p.Notes, lines(c.note)) || !slices.Equal(p.Faults, lines(c.fault)) {
				t.Errorf("notes %q, faults %q\nwant %q, %q", p.Notes, p.Faults, c.note, c.fault)
			}
			if p.Empty() != (len(c.sql) == 0) {
				t.Errorf("Empty is %v", p.Empty())
			}
		})
	}
}

// A reference to an id that is a uuid must be one.
func TestForeignIDs(t *testing.T) {
	s := merge(t, coreTables()[:2])
	live := &schema.Live{SchemaExists: true, Tables: []schema.LiveTable{{Name: migrations.Ledger}, {Name: "user"}}}
	for _, c := range s.Table("user").Columns {
		typ := liveTypes[storage.Postgres][c.Kind]
		if c.PrimaryKey {
			typ = "uuid"
		}
		live.Tables[1].Columns = append(live.Tables[1].Columns, schema.LiveColumn{Name: c.Name, Type: typ, Nullable: c.Nullable})
	}
	live.Tables[1].Indexes = []schema.LiveIndex{{Columns: []string{"email"}, Unique: true}}
	p, err := migrations.New(storage.Postgres, live, s, schema.Names{Naming: schema.BetterAuth}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `"userId" uuid NOT NULL REFERENCES "public"."user" ("id") ON DELETE CASCADE`
	if len(p.Faults) > 0 || !strings.Contains(p.String(), want) {
		t.Errorf("no %s in\n%s", want, p)
	}
}

func TestSteps(t *testing.T) {
	s, live := everything(t), &schema.Live{}
	step := func(plugin string, n int, sql ...string) migrations.Step {
		return migrations.Step{Plugin: plugin, Number: n, Name: "n", SQL: map[storage.Dialect][]string{storage.SQLite: sql}}
	}
	sum := migrations.Checksum(step("a", 1, "x"), storage.SQLite)
	// SHA-256 of ["x"]: ledgers hold it, so it must never come out otherwise.
	if want := "cd65ea2c2ad99e94a85b1b6df72efef9cb2ed0ae933a60c32ce16317f7d7d6aa"; sum != want {
		t.Errorf("checksum %q, want %q", sum, want)
	}
	for _, c := range []struct {
		name    string
		steps   []migrations.Step
		done    map[string]string
		pending []string
		err     string
	}{
		{name: "none"},
		{name: "new", steps: []migrations.Step{step("a", 1, "x"), step("b", 1), step("a", 2, "y")}, pending: []string{"a/1", "b/1", "a/2"}},
		{name: "ran", steps: []migrations.Step{step("a", 1, "x"), step("a", 2, "y")}, done: map[string]string{"a/1": sum}, pending: []string{"a/2"}},
		{name: "changed", steps: []migrations.Step{step("a", 1, "z")}, done: map[string]string{"a/1": sum},
			err: "step a/1 (n) was changed after it ran"},
		{name: "gap", steps: []migrations.Step{step("a", 2)}, err: "step a/2 (n) should have number 1"},
		{name: "twice", steps: []migrations.Step{step("a", 1), step("a", 1)}, err: "step a/1 (n) should have number 2"},
		{name: "nobody's", steps: []migrations.Step{step("", 1)}, err: "should have number 1"},
		{name: "unknown column", steps: []migrations.Step{step("a", 1, "{user.nothing}")}, err: "{user.nothing}: the schema has no such column"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := migrations.New(storage.SQLite, live, s, schema.Names{}, c.steps, c.done)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var pending []string
			for _, s := range p.Pending {
				pending = append(pending, migrations.StepKey(s.Plugin, s.Number))
			}
			if !reflect.DeepEqual(pending, c.pending) {
				t.Errorf("pending %q, want %q", pending, c.pending)
			}
		})
	}
	if _, err := migrations.New("oracle", live, s, schema.Names{}, nil, nil); err == nil {
		t.Error("an unknown dialect was taken")
	}
}

// SQLite takes names for the same that differ in letter case only; PostgreSQL does not.
func TestNamesThatSQLiteConfuses(t *testing.T) {
	want := &schema.Schema{Tables: []schema.Table{{Name: "job", Owner: "core", Columns: []schema.Column{{Name: "id", Kind: schema.String, PrimaryKey: true}}}}}
	live := &schema.Live{SchemaExists: true, Tables: []schema.LiveTable{{Name: "Job", Columns: []schema.LiveColumn{{Name: "title", Type: "text", Nullable: true}}}}}
	for d, faults := range map[storage.Dialect]string{storage.Postgres: "[]",
		storage.SQLite: `[plugin core: table job ("job"): there is a table Job already, and SQLite makes no difference between the names: set another one (database.overrides)]`} {
		p, err := migrations.New(d, live, want, schema.Names{}, nil, nil)
		if err != nil || fmt.Sprint(p.Faults) != faults {
			t.Errorf("%s: %v, %q", d, err, p.Faults)
		}
		live := &schema.Live{SchemaExists: true, Tables: []schema.LiveTable{{Name: "job", Columns: []schema.LiveColumn{{Name: "ID", Type: "text", Nullable: true}}}}}
		if p, err = migrations.New(d, live, want, schema.Names{}, nil, nil); err != nil || d == storage.SQLite &&
			!strings.Contains(fmt.Sprint(p.Faults), `there is a column ID already, and SQLite makes no difference between its name and "id"`) ||
			d == storage.Postgres && strings.Contains(fmt.Sprint(p.Faults), "makes no difference") {
			t.Errorf("%s: %v, %q", d, err, p.Faults)
		}
	}
}

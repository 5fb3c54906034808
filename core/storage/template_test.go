package storage

import (
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core/schema"
)

var (
	templateSchema = &schema.Schema{Tables: []schema.Table{
		{Name: "user", Columns: []schema.Column{{Name: "id"}, {Name: "emailVerified"}}},
		{Name: "rateLimit", Columns: []schema.Column{{Name: "key"}}},
	}}
	templateNames = schema.Names{Schema: "auth", Overrides: map[string]string{"rateLimit": `li"mits`, "user.id": "uid"}}
)

func TestExpand(t *testing.T) {
	for _, c := range []struct {
		name, template, postgres, sqlite string
		args                             int
		read                             bool
		err                              string
	}{
		{name: "select", template: "\n SELECT {user.id}, {user.emailVerified} FROM {user} WHERE {user.id} = ? OR ? ",
			postgres: `SELECT "user"."uid", "user"."email_verified" FROM "auth"."user" WHERE "user"."uid" = $1 OR $2`,
			sqlite:   `SELECT "user"."uid", "user"."email_verified" FROM "user" WHERE "user"."uid" = ? OR ?`, args: 2, read: true},
		{name: "insert", template: "INSERT INTO {rateLimit} ({rateLimit:key}) VALUES (?)",
			postgres: `INSERT INTO "auth"."li""mits" ("key") VALUES ($1)`, sqlite: `INSERT INTO "li""mits" ("key") VALUES (?)`, args: 1},
		{name: "alias", template: "select 1 FROM {rateLimit=} {skip locked}",
			postgres: `select 1 FROM "auth"."li""mits" AS "li""mits" FOR UPDATE SKIP LOCKED`,
			sqlite:   `select 1 FROM "li""mits" AS "li""mits"`, read: true},
		{name: "literal", template: "SELECT 'it''s', '\"'", postgres: `SELECT 'it''s', '"'`, sqlite: `SELECT 'it''s', '"'`, read: true},
		{name: "no verb", template: "SELECTED", postgres: "SELECTED", sqlite: "SELECTED"},
		{name: "writing WITH", template: "WITH x AS (DELETE FROM {user}) SELECT 1",
			postgres: `WITH x AS (DELETE FROM "auth"."user") SELECT 1`, sqlite: `WITH x AS (DELETE FROM "user") SELECT 1`},
		{name: "table", template: "{nothing}", err: "{nothing}: the schema has no such table"},
		{name: "column", template: "{user.nothing}", err: "{user.nothing}: the schema has no such column"},
		{name: "bare column", template: "{user:nothing}", err: "{user:nothing}: the schema has no such column"},
		{name: "alias with more", template: "{user=u}", err: "{user=u}: the schema has no such table"},
		{name: "empty", template: "{}", err: "{}: the schema has no such table"},
		{name: "open", template: "{user", err: "template holds { without }"},
		{name: "close", template: "user}", err: "template holds } without {"},
		{name: "question in literal", template: "SELECT '?'", err: "template holds '?' inside a string literal: bind the value"},
		{name: "brace in literal", template: "SELECT '{'", err: "template holds '{' inside a string literal: bind the value"},
		{name: "open literal", template: "SELECT 'x", err: "template holds a string literal without an end"},
		{name: "NUL", template: "SELECT \x00", err: "template holds a NUL"},
		{name: "long", template: strings.Repeat(" ", MaxTemplate+1), err: "template of 65537 bytes, at most 65536 are taken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for d, want := range map[Dialect]string{Postgres: c.postgres, SQLite: c.sqlite} {
				got, err := Expand(d, templateSchema, templateNames, c.template)
				if c.err != "" {
					if err == nil || err.Error() != c.err {
						t.Errorf("%s: error %v, want %s", d, err, c.err)
					}
					continue
				}
				if err != nil || got != (Expanded{SQL: want, Args: c.args, Read: c.read}) {
					t.Errorf("%s: %+v, %v\nwant %s", d, got, err, want)
				}
			}
		})
	}
	if _, err := Expand(SQLite, nil, schema.Names{}, "{user}"); err == nil || err.Error() != "{user}: no schema is bound" {
		t.Errorf("without a schema: %v", err)
	}
}

// Whatever the template, what comes out holds no placeholder of ours, and as many
// values as it says.
func FuzzExpand(f *testing.F) {
	for _, s := range []string{"SELECT {user.id} FROM {user=} WHERE {user:id} = ?", "'{'", "{skip locked}", "''?'", "{{user}}", "\xff{user"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, template string) {
		got, err := Expand(SQLite, templateSchema, schema.Names{}, template)
		if err != nil {
			if got != (Expanded{}) {
				t.Fatalf("a result beside an error: %+v", got)
			}
			return
		}
		if strings.ContainsAny(got.SQL, "{}") {
			t.Fatalf("%q became %q", template, got.SQL)
		}
		if n := strings.Count(got.SQL, "?"); n != got.Args {
			t.Fatalf("%q has %d values, said %d", got.SQL, n, got.Args)
		}
	})
}

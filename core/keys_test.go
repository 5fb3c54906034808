package core_test

import (
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
)

// Keys and references of domains, references that are numbers of another type than the key,
// and texts where somebody made a cast, are what PostgreSQL compares: a server starts with them and works.
func TestKeysThatFit(t *testing.T) {
	for _, tt := range []struct {
		name, ids string
		change    []string
	}{
		{"domains for references", "uuid", []string{
			`ALTER TABLE "session" DROP CONSTRAINT "session_user_id_fkey"; ALTER TABLE "account" DROP CONSTRAINT "account_user_id_fkey"`,
			`ALTER TABLE "user" ALTER "id" TYPE uuid USING NULL; ALTER TABLE "account" ALTER "user_id" TYPE uuid USING NULL`,
			`CREATE DOMAIN "person" AS uuid`, `ALTER TABLE "session" ALTER "user_id" TYPE "person" USING NULL`}},
		{"domains for keys", "uuid", []string{
			`ALTER TABLE "session" DROP CONSTRAINT "session_user_id_fkey"; ALTER TABLE "account" DROP CONSTRAINT "account_user_id_fkey"`,
			`CREATE DOMAIN "person" AS uuid`, `ALTER TABLE "user" ALTER "id" TYPE "person" USING NULL`,
			`ALTER TABLE "session" ALTER "user_id" TYPE uuid USING NULL; ALTER TABLE "account" ALTER "user_id" TYPE "person" USING NULL`}},
		{"numeric references", "serial", []string{`ALTER TABLE "session" DROP CONSTRAINT "session_user_id_fkey"; ALTER TABLE "session" ALTER "user_id" TYPE numeric`}},
		{"a cast that somebody made", "uuid", []string{`CREATE CAST (varchar AS uuid) WITH INOUT AS IMPLICIT`,
			`ALTER TABLE "session" DROP CONSTRAINT "session_user_id_fkey"; ALTER TABLE "account" DROP CONSTRAINT "account_user_id_fkey"`,
			`ALTER TABLE "user" ALTER "id" TYPE uuid USING NULL; ALTER TABLE "session" ALTER "user_id" TYPE varchar(36); ALTER TABLE "account" ALTER "user_id" TYPE uuid USING NULL`}},
		{"devices that refer by text", "serial", []string{`ALTER TABLE "known_device" DROP CONSTRAINT "known_device_user_id_fkey"; ALTER TABLE "known_device" ALTER "user_id" TYPE text`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := start(t, on(openPostgres(t)), config(func(c *core.Config) { c.IDs = tt.ids }))
			if tt.ids == "serial" {
				numberIDs(e)
			} else {
				e.ddl(`ALTER TABLE "known_device" DROP CONSTRAINT "known_device_user_id_fkey"`)
			}
			for _, sql := range tt.change {
				e.ddl(sql)
			}
			e.auth = e.compile()
			c := e.client()
			c.must(200, "POST", "/sign-up/email", m{"email": "a@example.com", "password": password, "name": "A"})
			c.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password})
			if c.user() == "" {
				t.Error("nobody is signed in")
			}
		})
	}
}

// SQLite takes texts for a key that is called a number and is not the one that it keeps rows
// by: such a database works, and the others do not.
func TestKeysOfSQLite(t *testing.T) {
	for _, tt := range []struct {
		columns, end string
		works        bool
	}{
		{`"id" integer PRIMARY KEY NOT NULL, "value" text NOT NULL, %`, "", false},
		{`"id" integer PRIMARY KEY UNIQUE NOT NULL, "value" text NOT NULL, %`, "", false},
		{`"id" INTEGER NOT NULL, "value" text NOT NULL, %, PRIMARY KEY ("id")`, "", false},
		{`"id" integer PRIMARY KEY DESC NOT NULL, "value" text NOT NULL, %`, "", true},
		{`"id" integer PRIMARY KEY NOT NULL, "value" text NOT NULL, %`, " WITHOUT ROWID", true},
		{`"id" integer NOT NULL, "value" text NOT NULL, %, PRIMARY KEY ("id", "value")`, "", true},
		{`"id" integer UNIQUE NOT NULL, "value" text NOT NULL, %`, "", true},
		{`"id" int PRIMARY KEY NOT NULL, "value" text NOT NULL, %`, "", true},
		{`"id" integer PRIMARY KEY NOT NULL, "value" text NOT NULL, %`, " WITHOUT ROWID, STRICT", false},
	} {
		t.Run(tt.columns+tt.end, func(t *testing.T) {
			e := start(t)
			e.ddl(`DROP TABLE "verification"`)
			e.ddl(`CREATE TABLE "verification" (` + strings.Replace(tt.columns, "%", `"identifier" text NOT NULL, "expires_at" text NOT NULL, "created_at" text, "updated_at" text`, 1) + ")" + tt.end)
			_, err := core.New(t.Context(), e.config())
			if !tt.works {
				if err == nil || !strings.Contains(err.Error(), "takes no ids that are random") {
					t.Errorf("it starts: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			e.auth = e.compile()
			c := e.client().signUp("a@example.com")
			c.must(200, "POST", "/request-password-reset", m{"email": "a@example.com"})
			if n := e.sum("verification"); n == 0 {
				t.Error("nothing was written")
			}
		})
	}
}

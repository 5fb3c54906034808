package cli_test

import (
	"path/filepath"
	"strings"
	"testing"
)

const everyKey = `DO $$ DECLARE t text; BEGIN FOR t IN SELECT table_name FROM information_schema.columns WHERE column_name = 'id' AND is_identity = 'YES' LOOP EXECUTE format('%s', t); END LOOP; END $$`

// Keys that take no ids as they are written, columns that cannot be compared with what they
// refer to, and bans that cannot be read are found before anybody signs up; no server starts
// with them.
func TestAdoptKeys(t *testing.T) {
	for _, tt := range []struct{ name, fixture, change, fault string }{
		{"generated always", "serial", strings.Replace(everyKey, "%s", "ALTER TABLE %I ALTER id SET GENERATED ALWAYS", 1), `table user ("user"): the key id is GENERATED ALWAYS`},
		{"no sequence", "serial", strings.Replace(everyKey, "%s", "ALTER TABLE %I ALTER id DROP IDENTITY, ALTER id SET DEFAULT (random() * 1000000)::int", 1), `table session ("session"): the key id has no sequence of its own`},
		{"uuid and numbers", "uuid", `ALTER TABLE session DROP id, ADD id serial PRIMARY KEY`, `table user ("user"): the key id is uuid, and takes no ids that are serial`},
		{"bans until a number", "own", `ALTER TABLE "user" DROP "banExpires", ADD "banExpires" bigint`, `table user ("user"): column banExpires is bigint, and has to be a timestamp`},
		{"text for a uuid", "uuid", `ALTER TABLE session DROP CONSTRAINT "session_userId_fkey"; ALTER TABLE session ALTER "userId" TYPE varchar(36)`, `column userId is character varying(36), and what it refers to, id of user, is uuid`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAdoption(t, tt.fixture)
			a.psql("-c", tt.change)
			file := filepath.Join(t.TempDir(), "mapping.yaml")
			a.want(1, tt.fault, "--mapping", file)
			if code, out, errs := a.run("migrate", "apply", "--config", file); code != 0 {
				t.Fatalf("%d %s%s", code, out, errs)
			}
			if code, out, errs := a.run("routes", "--config", file); code != 0 {
				t.Fatalf("%d %s%s", code, out, errs)
			}
			if code, out, errs := a.run("sessions", "rehash", "--config", file); code != 1 || !strings.Contains(errs, tt.fault) {
				t.Errorf("it starts: %d %s%s", code, out, errs)
			}
		})
	}
}

// Where some keys are uuids and others text, ids are uuids: text takes them.
func TestAdoptSomeUUIDs(t *testing.T) {
	db := onPostgres(t)
	db.exec(tablesFor(everyPlugin, own, postgres) + `; ALTER TABLE "session" ALTER "id" TYPE uuid USING "id"::uuid; ALTER TABLE "verification" ALTER "id" TYPE uuid USING "id"::uuid`)
	if out := db.want(2, ""); !strings.Contains(out, "    ids: uuid\n") {
		t.Fatal(out)
	}
	db.live(1, false)
}

package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What works is no fault, however odd it is: a server starts with it, and adopt finds
// nothing wrong.
func TestAdoptOddAndRight(t *testing.T) {
	const bans = `ALTER TABLE "user" DROP IF EXISTS "banned", DROP IF EXISTS "banExpires", ADD "banned" %, ADD "banExpires" %`
	types := func(banned, expires string) string {
		return strings.Replace(strings.Replace(bans, "%", banned, 1), "%", expires, 1)
	}
	for _, tt := range []struct{ name, fixture, change, config string }{
		{name: "bans of domains", fixture: "own", change: `CREATE DOMAIN yes AS boolean; CREATE DOMAIN moment AS timestamptz; ` + types("yes", "moment")},
		{name: "bans of texts", fixture: "own", change: types("text", "text")},
		{name: "a field that is called as the end of a ban", fixture: "own", change: types("boolean", "bigint"),
			config: "user:\n  additionalFields:\n    - name: banExpires\n      type: number\n      input: false\n"},
		{name: "texts that nothing is joined by", fixture: "uuid", change: `ALTER TABLE "passkey" DROP CONSTRAINT "passkey_userId_fkey", ALTER "userId" TYPE text;
			ALTER TABLE "twoFactor" DROP CONSTRAINT "twoFactor_userId_fkey", ALTER "userId" TYPE text;
			ALTER TABLE "invitation" DROP CONSTRAINT "invitation_inviterId_fkey", ALTER "inviterId" TYPE text`},
		{name: "one sequence for accounts and verifications", fixture: "serial", change: `CREATE SEQUENCE numbers START 1000;
			ALTER TABLE "account" ALTER "id" DROP IDENTITY, ALTER "id" SET DEFAULT nextval('numbers');
			ALTER TABLE "verification" ALTER "id" DROP IDENTITY, ALTER "id" SET DEFAULT nextval('numbers')`},
		{name: "accounts that only the database numbers", fixture: "serial", change: `ALTER TABLE "account" ALTER "id" SET GENERATED ALWAYS; ALTER TABLE "verification" ALTER "id" SET GENERATED ALWAYS`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := &again{adoption: newAdoption(t, tt.fixture), file: filepath.Join(t.TempDir(), "mapping.yaml")}
			a.want(2, "", "--mapping", a.file)
			a.want(0, "is taken over", "--mapping", a.file, "--apply", "--accept-losses")
			a.psql("-c", tt.change)
			if err := os.WriteFile(a.file, []byte(tt.config+read0(t, a.file)), 0o600); err != nil {
				t.Fatal(err)
			}
			a.use(2)
			a.want(0, "has everything that is wanted", "--mapping", a.file)
		})
	}
}

// References that statements compare are joined, and no others.
func TestJoined(t *testing.T) {
	a := onSQLite(t)
	want, _, _ := a.auth(mapping(t, "plugins:\n  email-password:\n  passkey:\n  two-factor:\n  organization:\n    teams:\n      enabled: true\n    dynamicAccessControl:\n      enabled: true\n  jwt:\n")).Schema()
	compared := map[string]bool{}
	pairs := regexp.MustCompile(`\{(\w+)\.(\w+)\} (?:=|IN \(SELECT) \{(\w+)\.(\w+)\}`)
	for _, pattern := range []string{"../core/*.go", "../plugins/*/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, m := range pairs.FindAllStringSubmatch(read0(t, file), -1) {
				compared[m[1]+"."+m[2]], compared[m[3]+"."+m[4]] = true, true
			}
		}
	}
	joined := 0
	for _, table := range want.Tables {
		for _, c := range table.Columns {
			if r := c.References; r != nil && r.Joined != compared[table.Name+"."+c.Name] {
				t.Errorf("%s.%s: joined is %v", table.Name, c.Name, r.Joined)
			} else if r != nil && r.Joined {
				joined++
			}
		}
	}
	if joined == 0 {
		t.Error(compared)
	}
}

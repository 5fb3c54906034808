package cli_test

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/schema"
)

// coreTables and pluginTables are Better Auth's as its own migrations make them on SQLite.
const coreTables = `create table "user" ("id" text not null primary key, "name" text not null, "email" text not null unique, "emailVerified" integer not null, "image" text, "createdAt" date not null, "updatedAt" date not null{two-factor});
create table "session" ("id" text not null primary key, "expiresAt" date not null, "token" text not null unique, "createdAt" date not null, "updatedAt" date not null, "ipAddress" text, "userAgent" text, "userId" text not null references "user" ("id") on delete cascade{organization});
create table "account" ("id" text not null primary key, "accountId" text not null, "providerId" text not null, "userId" text not null references "user" ("id") on delete cascade, "accessToken" text, "refreshToken" text, "idToken" text, "accessTokenExpiresAt" date, "refreshTokenExpiresAt" date, "scope" text, "password" text, "createdAt" date not null, "updatedAt" date not null, "issuer" text);
create table "verification" ("id" text not null primary key, "identifier" text not null, "value" text not null, "expiresAt" date not null, "createdAt" date not null, "updatedAt" date not null);
`

var pluginTables = []struct{ id, column, tables string }{
	{"two-factor", `, "twoFactorEnabled" integer`, `create table "twoFactor" ("id" text not null primary key, "secret" text not null, "backupCodes" text not null, "userId" text not null references "user" ("id") on delete cascade, "verified" integer);`},
	{"organization", `, "activeOrganizationId" text`, `create table "organization" ("id" text not null primary key, "name" text not null, "slug" text not null unique, "logo" text, "createdAt" date not null, "metadata" text);
create table "member" ("id" text not null primary key, "organizationId" text not null references "organization" ("id") on delete cascade, "userId" text not null references "user" ("id") on delete cascade, "role" text not null, "createdAt" date not null);
create table "invitation" ("id" text not null primary key, "organizationId" text not null references "organization" ("id") on delete cascade, "email" text not null, "role" text, "status" text not null, "expiresAt" date not null, "createdAt" date not null, "inviterId" text not null references "user" ("id") on delete cascade);`},
	{"passkey", "", `create table "passkey" ("id" text not null primary key, "name" text, "publicKey" text not null, "userId" text not null references "user" ("id") on delete cascade, "credentialID" text not null, "counter" integer not null, "deviceType" text not null, "backedUp" integer not null, "transports" text, "createdAt" date, "aaguid" text);`},
	{"jwt", "", `create table "jwks" ("id" text not null primary key, "publicKey" text not null, "privateKey" text not null, "createdAt" date not null, "expiresAt" date);`},
}

// tablesFor are the tables with those plugins, as change makes them, under other names.
func tablesFor(plugins string, rename func(string) string, change ...func(string) string) string {
	ddl := coreTables
	for _, p := range pluginTables {
		if !strings.Contains(plugins, p.id) {
			p.column, p.tables = "", ""
		}
		ddl = strings.Replace(ddl, "{"+p.id+"}", p.column, 1) + p.tables
	}
	for _, c := range change {
		ddl = c(ddl)
	}
	return regexp.MustCompile(`"\w+"`).ReplaceAllStringFunc(ddl, func(s string) string { return `"` + rename(strings.Trim(s, `"`)) + `"` })
}

func isTable(s string) bool {
	return slices.Contains([]string{"user", "session", "account", "verification", "twoFactor", "organization", "member", "invitation", "passkey", "jwks"}, s)
}

// Names as people have them.
func own(s string) string   { return s }
func snake(s string) string { return schema.Names{}.Column("", s) }
func plural(s string) string {
	if isTable(s) && s != "jwks" {
		return snake(s) + "s"
	}
	return snake(s)
}
func prisma(s string) string {
	if isTable(s) {
		return strings.ToUpper(s[:1]) + s[1:]
	}
	return s
}

// quoted are names that mean something else without quotation marks.
func quoted(s string) string {
	if isTable(s) {
		return "My Auth-" + s
	}
	return strings.ToUpper(snake(s))
}

func replace(pairs ...string) func(string) string { return strings.NewReplacer(pairs...).Replace }

var (
	integers  = replace(" date", " integer")
	datetimes = replace(" date", " datetime")
	postgres  = replace(" date", " timestamptz", `erified" integer`, `erified" boolean`, `nabled" integer`, `nabled" boolean`, `backedUp" integer`, `backedUp" boolean`)
)

// ids makes keys of that definition, and references of that type.
func ids(definition, typ string) func(string) string {
	key, ref := regexp.MustCompile(`" text not null primary key`), regexp.MustCompile(`" text not null references`)
	return func(s string) string {
		return ref.ReplaceAllString(key.ReplaceAllString(s, `" `+definition), `" `+typ+` not null references`)
	}
}

-- core
CREATE TABLE "sallyport_migration" (
	"plugin" text NOT NULL,
	"number" integer NOT NULL,
	"name" text NOT NULL,
	"checksum" text NOT NULL,
	"applied_at" date NOT NULL,
	PRIMARY KEY ("plugin", "number")
);
CREATE TABLE "user" (
	"id" text NOT NULL PRIMARY KEY,
	"name" text NOT NULL,
	"email" text NOT NULL UNIQUE,
	"emailVerified" integer NOT NULL,
	"image" text,
	"createdAt" date NOT NULL,
	"updatedAt" date NOT NULL,
	"twoFactorEnabled" integer,
	"vaultLevel" integer NOT NULL DEFAULT 2,
	"locked" integer NOT NULL DEFAULT 0,
	"phoneNumber" text UNIQUE
);
CREATE TABLE "session" (
	"id" text NOT NULL PRIMARY KEY,
	"expiresAt" date NOT NULL,
	"token" text NOT NULL UNIQUE,
	"createdAt" date NOT NULL,
	"updatedAt" date NOT NULL,
	"ipAddress" text,
	"userAgent" text,
	"userId" text NOT NULL REFERENCES "user" ("id") ON DELETE CASCADE
);
CREATE TABLE "account" (
	"id" text NOT NULL PRIMARY KEY,
	"accountId" text NOT NULL,
	"providerId" text NOT NULL,
	"userId" text NOT NULL REFERENCES "user" ("id") ON DELETE CASCADE,
	"accessToken" text,
	"refreshToken" text,
	"idToken" text,
	"accessTokenExpiresAt" date,
	"refreshTokenExpiresAt" date,
	"scope" text,
	"password" text,
	"createdAt" date NOT NULL,
	"updatedAt" date NOT NULL
);
CREATE TABLE "rateLimit" (
	"id" text NOT NULL PRIMARY KEY,
	"key" text NOT NULL UNIQUE,
	"count" integer NOT NULL,
	"lastRequest" bigint NOT NULL
);

-- forest
CREATE TABLE "node" (
	"id" text NOT NULL PRIMARY KEY,
	"parentId" text REFERENCES "node" ("id") ON DELETE CASCADE,
	"treeId" text REFERENCES "tree" ("id") ON DELETE SET NULL,
	"label" text NOT NULL DEFAULT 'it''s'
);
CREATE TABLE "tree" (
	"id" text NOT NULL PRIMARY KEY,
	"rootId" text NOT NULL REFERENCES "node" ("id"),
	"slug" text NOT NULL,
	"region" text NOT NULL
);

-- vault
CREATE TABLE "vaultItem" (
	"id" text NOT NULL PRIMARY KEY,
	"ownerId" text NOT NULL REFERENCES "user" ("id") ON DELETE CASCADE,
	"cipher" blob NOT NULL,
	"meta" text,
	"weight" bigint NOT NULL DEFAULT 1,
	"aColumnWhoseNameIsSoLongThatNoIndexIsWhole" date
);

-- two-factor
CREATE INDEX "user_locked_idx" ON "user" ("locked");

-- core
CREATE INDEX "session_userId_idx" ON "session" ("userId");
CREATE INDEX "account_userId_idx" ON "account" ("userId");

-- forest
CREATE INDEX "node_parentId_idx" ON "node" ("parentId");
CREATE UNIQUE INDEX "tree_region_slug_uidx" ON "tree" ("region", "slug");
CREATE INDEX "tree_slug_rootId_idx" ON "tree" ("slug", "rootId");

-- vault
CREATE INDEX "vaultItem_aColumnWhoseNameIsSoLongThatNoIndexIsWhole_idx" ON "vaultItem" ("aColumnWhoseNameIsSoLongThatNoIndexIsWhole");

-- forest
INSERT INTO "node" ("id") VALUES ('{}?');
UPDATE "node" SET "label" = 'oak' WHERE "node"."id" = '{}?';
INSERT INTO "sallyport_migration" ("plugin", "number", "name", "checksum", "applied_at") VALUES ('forest', 1, 'plant', '923cd504b7b470556edee043256f778037280cde22e58c558a3c64d8c3804972', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
INSERT INTO "sallyport_migration" ("plugin", "number", "name", "checksum", "applied_at") VALUES ('forest', 2, 'only there', '74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));

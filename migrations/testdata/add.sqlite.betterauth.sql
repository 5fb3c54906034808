-- note: plugin core: table account ("account"): no plugin knows column issuer; it stays as it is
-- note: step gone/1 ran in the past and is not known any more

-- core
CREATE TABLE "sallyport_migration" (
	"plugin" text NOT NULL,
	"number" integer NOT NULL,
	"name" text NOT NULL,
	"checksum" text NOT NULL,
	"applied_at" date NOT NULL,
	PRIMARY KEY ("plugin", "number")
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
ALTER TABLE "user" ADD COLUMN "twoFactorEnabled" integer;
ALTER TABLE "user" ADD COLUMN "vaultLevel" integer NOT NULL DEFAULT 2;
ALTER TABLE "user" ADD COLUMN "locked" integer NOT NULL DEFAULT 0;
ALTER TABLE "user" ADD COLUMN "phoneNumber" text;
CREATE INDEX "user_locked_idx" ON "user" ("locked");
CREATE UNIQUE INDEX "user_phoneNumber_uidx" ON "user" ("phoneNumber");

-- core
CREATE INDEX "session_userId_idx" ON "session" ("userId");
CREATE INDEX "account_userId_idx" ON "account" ("userId");

-- forest
CREATE INDEX "node_parentId_idx" ON "node" ("parentId");
CREATE UNIQUE INDEX "tree_region_slug_uidx" ON "tree" ("region", "slug");
CREATE INDEX "tree_slug_rootId_idx" ON "tree" ("slug", "rootId");

-- vault
CREATE INDEX "vaultItem_aColumnWhoseNameIsSoLongThatNoIndexIsWhole_idx" ON "vaultItem" ("aColumnWhoseNameIsSoLongThatNoIndexIsWhole");

-- note: plugin core: table session ("session"): nobody can write to the table while index session_userId_idx is built, nor read it if the plan adds a column; if it is large, run this before: CREATE INDEX CONCURRENTLY "session_userId_idx" ON "public"."session" ("userId");
-- note: plugin core: table account ("account"): nobody can write to the table while index account_userId_idx is built, nor read it if the plan adds a column; if it is large, run this before: CREATE INDEX CONCURRENTLY "account_userId_idx" ON "public"."account" ("userId");
-- note: plugin core: table account ("account"): no plugin knows column issuer; it stays as it is
-- note: step gone/1 ran in the past and is not known any more

-- core
CREATE TABLE "public"."sallyport_migration" (
	"plugin" text NOT NULL,
	"number" integer NOT NULL,
	"name" text NOT NULL,
	"checksum" text NOT NULL,
	"applied_at" timestamptz NOT NULL,
	PRIMARY KEY ("plugin", "number")
);

-- forest
CREATE TABLE "public"."node" (
	"id" text NOT NULL PRIMARY KEY,
	"parentId" text REFERENCES "public"."node" ("id") ON DELETE CASCADE,
	"treeId" text,
	"label" text NOT NULL DEFAULT 'it''s'
);
CREATE TABLE "public"."tree" (
	"id" text NOT NULL PRIMARY KEY,
	"rootId" text NOT NULL REFERENCES "public"."node" ("id"),
	"slug" text NOT NULL,
	"region" text NOT NULL
);

-- vault
CREATE TABLE "public"."vaultItem" (
	"id" text NOT NULL PRIMARY KEY,
	"ownerId" text NOT NULL REFERENCES "public"."user" ("id") ON DELETE CASCADE,
	"cipher" bytea NOT NULL,
	"meta" jsonb,
	"weight" bigint NOT NULL DEFAULT 1,
	"aColumnWhoseNameIsSoLongThatNoIndexIsWhole" timestamptz
);

-- two-factor
ALTER TABLE "public"."user" ADD COLUMN "twoFactorEnabled" boolean;
ALTER TABLE "public"."user" ADD COLUMN "vaultLevel" integer NOT NULL DEFAULT 2;
ALTER TABLE "public"."user" ADD COLUMN "locked" boolean NOT NULL DEFAULT false;
ALTER TABLE "public"."user" ADD COLUMN "phoneNumber" text;
CREATE INDEX "user_locked_idx" ON "public"."user" ("locked");
CREATE UNIQUE INDEX "user_phoneNumber_uidx" ON "public"."user" ("phoneNumber");

-- core
CREATE INDEX "session_userId_idx" ON "public"."session" ("userId");
CREATE INDEX "account_userId_idx" ON "public"."account" ("userId");

-- forest
CREATE INDEX "node_parentId_idx" ON "public"."node" ("parentId");
CREATE UNIQUE INDEX "tree_region_slug_uidx" ON "public"."tree" ("region", "slug");
CREATE INDEX "tree_slug_rootId_idx" ON "public"."tree" ("slug", "rootId");

-- vault
CREATE INDEX "vaultItem_aColumnWhoseNameIsSoLongThatNoIndexIsWhole_idx" ON "public"."vaultItem" ("aColumnWhoseNameIsSoLongThatNoIndexIsWhole");

-- forest
ALTER TABLE "public"."node" ADD CONSTRAINT "node_treeId_fkey" FOREIGN KEY ("treeId") REFERENCES "public"."tree" ("id") ON DELETE SET NULL;

-- vault
ALTER TABLE "public"."vaultItem" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "public"."vaultItem" FORCE ROW LEVEL SECURITY;
CREATE POLICY "vaultItem_owner" ON "public"."vaultItem" USING ("ownerId"::text = NULLIF(current_setting('app.current_user_id', true), '')) WITH CHECK ("ownerId"::text = NULLIF(current_setting('app.current_user_id', true), ''));

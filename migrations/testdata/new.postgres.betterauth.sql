-- core
CREATE TABLE "public"."sallyport_migration" (
	"plugin" text NOT NULL,
	"number" integer NOT NULL,
	"name" text NOT NULL,
	"checksum" text NOT NULL,
	"applied_at" timestamptz NOT NULL,
	PRIMARY KEY ("plugin", "number")
);
CREATE TABLE "public"."user" (
	"id" text NOT NULL PRIMARY KEY,
	"name" text NOT NULL,
	"email" text NOT NULL UNIQUE,
	"emailVerified" boolean NOT NULL,
	"image" text,
	"createdAt" timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
	"updatedAt" timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
	"twoFactorEnabled" boolean,
	"vaultLevel" integer NOT NULL DEFAULT 2,
	"locked" boolean NOT NULL DEFAULT false,
	"phoneNumber" text UNIQUE
);
CREATE TABLE "public"."session" (
	"id" text NOT NULL PRIMARY KEY,
	"expiresAt" timestamptz NOT NULL,
	"token" text NOT NULL UNIQUE,
	"createdAt" timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
	"updatedAt" timestamptz NOT NULL,
	"ipAddress" text,
	"userAgent" text,
	"userId" text NOT NULL REFERENCES "public"."user" ("id") ON DELETE CASCADE
);
CREATE TABLE "public"."account" (
	"id" text NOT NULL PRIMARY KEY,
	"accountId" text NOT NULL,
	"providerId" text NOT NULL,
	"userId" text NOT NULL REFERENCES "public"."user" ("id") ON DELETE CASCADE,
	"accessToken" text,
	"refreshToken" text,
	"idToken" text,
	"accessTokenExpiresAt" timestamptz,
	"refreshTokenExpiresAt" timestamptz,
	"scope" text,
	"password" text,
	"createdAt" timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
	"updatedAt" timestamptz NOT NULL
);
CREATE TABLE "public"."rateLimit" (
	"id" text NOT NULL PRIMARY KEY,
	"key" text NOT NULL UNIQUE,
	"count" integer NOT NULL,
	"lastRequest" bigint NOT NULL
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
CREATE INDEX "user_locked_idx" ON "public"."user" ("locked");

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

-- forest
INSERT INTO "public"."node" ("id") VALUES ('{}?');
UPDATE "public"."node" SET "label" = 'oak' WHERE "node"."id" = '{}?';
INSERT INTO "public"."sallyport_migration" ("plugin", "number", "name", "checksum", "applied_at") VALUES ('forest', 1, 'plant', '923cd504b7b470556edee043256f778037280cde22e58c558a3c64d8c3804972', CURRENT_TIMESTAMP);
COMMENT ON TABLE "public"."tree" IS 'trees';
INSERT INTO "public"."sallyport_migration" ("plugin", "number", "name", "checksum", "applied_at") VALUES ('forest', 2, 'only there', 'bbdb6b0d29017c6a867d4484f97599c8cb12de2faf5332b413a45d013f9f0609', CURRENT_TIMESTAMP);

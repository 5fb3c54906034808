-- core
CREATE SCHEMA "auth";
CREATE TABLE "auth"."sallyport_migration" (
	"plugin" text NOT NULL,
	"number" integer NOT NULL,
	"name" text NOT NULL,
	"checksum" text NOT NULL,
	"applied_at" timestamptz NOT NULL,
	PRIMARY KEY ("plugin", "number")
);
CREATE TABLE "auth"."user" (
	"id" text NOT NULL PRIMARY KEY,
	"full_name" text NOT NULL,
	"email" text NOT NULL UNIQUE,
	"email_verified" boolean NOT NULL,
	"image" text,
	"created_at" timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
	"updated_at" timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
	"two_factor_enabled" boolean,
	"vault_level" integer NOT NULL DEFAULT 2,
	"locked" boolean NOT NULL DEFAULT false,
	"phone_number" text UNIQUE
);
CREATE TABLE "auth"."session" (
	"id" text NOT NULL PRIMARY KEY,
	"expires_at" timestamptz NOT NULL,
	"token" text NOT NULL UNIQUE,
	"created_at" timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
	"updated_at" timestamptz NOT NULL,
	"ip_address" text,
	"user_agent" text,
	"user_id" text NOT NULL REFERENCES "auth"."user" ("id") ON DELETE CASCADE
);
CREATE TABLE "auth"."account" (
	"id" text NOT NULL PRIMARY KEY,
	"account_id" text NOT NULL,
	"provider_id" text NOT NULL,
	"user_id" text NOT NULL REFERENCES "auth"."user" ("id") ON DELETE CASCADE,
	"access_token" text,
	"refresh_token" text,
	"id_token" text,
	"access_token_expires_at" timestamptz,
	"refresh_token_expires_at" timestamptz,
	"scope" text,
	"password" text,
	"created_at" timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
	"updated_at" timestamptz NOT NULL
);
CREATE TABLE "auth"."limits" (
	"id" text NOT NULL PRIMARY KEY,
	"key" text NOT NULL UNIQUE,
	"count" integer NOT NULL,
	"last_request" bigint NOT NULL
);

-- forest
CREATE TABLE "auth"."node" (
	"id" text NOT NULL PRIMARY KEY,
	"parent_id" text REFERENCES "auth"."node" ("id") ON DELETE CASCADE,
	"tree_id" text,
	"label" text NOT NULL DEFAULT 'it''s'
);
CREATE TABLE "auth"."tree" (
	"id" text NOT NULL PRIMARY KEY,
	"root_id" text NOT NULL REFERENCES "auth"."node" ("id"),
	"slug" text NOT NULL,
	"region" text NOT NULL
);

-- vault
CREATE TABLE "auth"."vault_item" (
	"id" text NOT NULL PRIMARY KEY,
	"owner_id" text NOT NULL REFERENCES "auth"."user" ("id") ON DELETE CASCADE,
	"cipher" bytea NOT NULL,
	"meta" jsonb,
	"weight" bigint NOT NULL DEFAULT 1,
	"a_column_whose_name_is_so_long_that_no_index_is_whole" timestamptz
);

-- two-factor
CREATE INDEX "user_locked_idx" ON "auth"."user" ("locked");

-- core
CREATE INDEX "session_user_id_idx" ON "auth"."session" ("user_id");
CREATE INDEX "account_user_id_idx" ON "auth"."account" ("user_id");

-- forest
CREATE INDEX "node_parent_id_idx" ON "auth"."node" ("parent_id");
CREATE UNIQUE INDEX "tree_region_slug_uidx" ON "auth"."tree" ("region", "slug");
CREATE INDEX "tree_slug_root_id_idx" ON "auth"."tree" ("slug", "root_id");

-- vault
CREATE INDEX "vault_item_a_column_whose_name_is_so_long_that_no__54e51e4a_idx" ON "auth"."vault_item" ("a_column_whose_name_is_so_long_that_no_index_is_whole");

-- forest
ALTER TABLE "auth"."node" ADD CONSTRAINT "node_tree_id_fkey" FOREIGN KEY ("tree_id") REFERENCES "auth"."tree" ("id") ON DELETE SET NULL;

-- vault
ALTER TABLE "auth"."vault_item" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "auth"."vault_item" FORCE ROW LEVEL SECURITY;
CREATE POLICY "vault_item_owner" ON "auth"."vault_item" USING ("owner_id"::text = NULLIF(current_setting('app.current_user_id', true), '')) WITH CHECK ("owner_id"::text = NULLIF(current_setting('app.current_user_id', true), ''));

-- forest
INSERT INTO "auth"."node" ("id") VALUES ('{}?');
UPDATE "auth"."node" SET "label" = 'oak' WHERE "node"."id" = '{}?';
INSERT INTO "auth"."sallyport_migration" ("plugin", "number", "name", "checksum", "applied_at") VALUES ('forest', 1, 'plant', '923cd504b7b470556edee043256f778037280cde22e58c558a3c64d8c3804972', CURRENT_TIMESTAMP);
COMMENT ON TABLE "auth"."tree" IS 'trees';
INSERT INTO "auth"."sallyport_migration" ("plugin", "number", "name", "checksum", "applied_at") VALUES ('forest', 2, 'only there', 'bbdb6b0d29017c6a867d4484f97599c8cb12de2faf5332b413a45d013f9f0609', CURRENT_TIMESTAMP);

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
	"full_name" text NOT NULL,
	"email" text NOT NULL UNIQUE,
	"email_verified" integer NOT NULL,
	"image" text,
	"created_at" date NOT NULL,
	"updated_at" date NOT NULL,
	"two_factor_enabled" integer,
	"vault_level" integer NOT NULL DEFAULT 2,
	"locked" integer NOT NULL DEFAULT 0,
	"phone_number" text UNIQUE
);
CREATE TABLE "session" (
	"id" text NOT NULL PRIMARY KEY,
	"expires_at" date NOT NULL,
	"token" text NOT NULL UNIQUE,
	"created_at" date NOT NULL,
	"updated_at" date NOT NULL,
	"ip_address" text,
	"user_agent" text,
	"user_id" text NOT NULL REFERENCES "user" ("id") ON DELETE CASCADE
);
CREATE TABLE "account" (
	"id" text NOT NULL PRIMARY KEY,
	"account_id" text NOT NULL,
	"provider_id" text NOT NULL,
	"user_id" text NOT NULL REFERENCES "user" ("id") ON DELETE CASCADE,
	"access_token" text,
	"refresh_token" text,
	"id_token" text,
	"access_token_expires_at" date,
	"refresh_token_expires_at" date,
	"scope" text,
	"password" text,
	"created_at" date NOT NULL,
	"updated_at" date NOT NULL
);
CREATE TABLE "limits" (
	"id" text NOT NULL PRIMARY KEY,
	"key" text NOT NULL UNIQUE,
	"count" integer NOT NULL,
	"last_request" bigint NOT NULL
);

-- forest
CREATE TABLE "node" (
	"id" text NOT NULL PRIMARY KEY,
	"parent_id" text REFERENCES "node" ("id") ON DELETE CASCADE,
	"tree_id" text REFERENCES "tree" ("id") ON DELETE SET NULL,
	"label" text NOT NULL DEFAULT 'it''s'
);
CREATE TABLE "tree" (
	"id" text NOT NULL PRIMARY KEY,
	"root_id" text NOT NULL REFERENCES "node" ("id"),
	"slug" text NOT NULL,
	"region" text NOT NULL
);

-- vault
CREATE TABLE "vault_item" (
	"id" text NOT NULL PRIMARY KEY,
	"owner_id" text NOT NULL REFERENCES "user" ("id") ON DELETE CASCADE,
	"cipher" blob NOT NULL,
	"meta" text,
	"weight" bigint NOT NULL DEFAULT 1,
	"a_column_whose_name_is_so_long_that_no_index_is_whole" date
);

-- two-factor
CREATE INDEX "user_locked_idx" ON "user" ("locked");

-- core
CREATE INDEX "session_user_id_idx" ON "session" ("user_id");
CREATE INDEX "account_user_id_idx" ON "account" ("user_id");

-- forest
CREATE INDEX "node_parent_id_idx" ON "node" ("parent_id");
CREATE UNIQUE INDEX "tree_region_slug_uidx" ON "tree" ("region", "slug");
CREATE INDEX "tree_slug_root_id_idx" ON "tree" ("slug", "root_id");

-- vault
CREATE INDEX "vault_item_a_column_whose_name_is_so_long_that_no__54e51e4a_idx" ON "vault_item" ("a_column_whose_name_is_so_long_that_no_index_is_whole");

-- forest
INSERT INTO "node" ("id") VALUES ('{}?');
UPDATE "node" SET "label" = 'oak' WHERE "node"."id" = '{}?';
INSERT INTO "sallyport_migration" ("plugin", "number", "name", "checksum", "applied_at") VALUES ('forest', 1, 'plant', '923cd504b7b470556edee043256f778037280cde22e58c558a3c64d8c3804972', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
INSERT INTO "sallyport_migration" ("plugin", "number", "name", "checksum", "applied_at") VALUES ('forest', 2, 'only there', '74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));

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
ALTER TABLE "user" ADD COLUMN "two_factor_enabled" integer;
ALTER TABLE "user" ADD COLUMN "vault_level" integer NOT NULL DEFAULT 2;
ALTER TABLE "user" ADD COLUMN "locked" integer NOT NULL DEFAULT 0;
ALTER TABLE "user" ADD COLUMN "phone_number" text;
CREATE INDEX "user_locked_idx" ON "user" ("locked");
CREATE UNIQUE INDEX "user_phone_number_uidx" ON "user" ("phone_number");

-- core
CREATE INDEX "session_user_id_idx" ON "session" ("user_id");
CREATE INDEX "account_user_id_idx" ON "account" ("user_id");

-- forest
CREATE INDEX "node_parent_id_idx" ON "node" ("parent_id");
CREATE UNIQUE INDEX "tree_region_slug_uidx" ON "tree" ("region", "slug");
CREATE INDEX "tree_slug_root_id_idx" ON "tree" ("slug", "root_id");

-- vault
CREATE INDEX "vault_item_a_column_whose_name_is_so_long_that_no__54e51e4a_idx" ON "vault_item" ("a_column_whose_name_is_so_long_that_no_index_is_whole");

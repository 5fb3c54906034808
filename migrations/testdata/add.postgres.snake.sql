-- note: plugin core: table session ("session"): nobody can write to the table while index session_user_id_idx is built, nor read it if the plan adds a column; if it is large, run this before: CREATE INDEX CONCURRENTLY "session_user_id_idx" ON "auth"."session" ("user_id");
-- note: plugin core: table account ("account"): nobody can write to the table while index account_user_id_idx is built, nor read it if the plan adds a column; if it is large, run this before: CREATE INDEX CONCURRENTLY "account_user_id_idx" ON "auth"."account" ("user_id");
-- note: plugin core: table account ("account"): no plugin knows column issuer; it stays as it is
-- note: step gone/1 ran in the past and is not known any more

-- core
CREATE TABLE "auth"."sallyport_migration" (
	"plugin" text NOT NULL,
	"number" integer NOT NULL,
	"name" text NOT NULL,
	"checksum" text NOT NULL,
	"applied_at" timestamptz NOT NULL,
	PRIMARY KEY ("plugin", "number")
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
ALTER TABLE "auth"."user" ADD COLUMN "two_factor_enabled" boolean;
ALTER TABLE "auth"."user" ADD COLUMN "vault_level" integer NOT NULL DEFAULT 2;
ALTER TABLE "auth"."user" ADD COLUMN "locked" boolean NOT NULL DEFAULT false;
ALTER TABLE "auth"."user" ADD COLUMN "phone_number" text;
CREATE INDEX "user_locked_idx" ON "auth"."user" ("locked");
CREATE UNIQUE INDEX "user_phone_number_uidx" ON "auth"."user" ("phone_number");

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

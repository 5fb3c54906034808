-- What drizzle-kit makes of the schema that Better Auth generates for Drizzle, with usePlural:
-- times without a zone, defaults, and an app's own tables and columns beside it.
CREATE TABLE "users" ("id" text PRIMARY KEY NOT NULL, "name" text NOT NULL, "email" text NOT NULL, "email_verified" boolean DEFAULT false NOT NULL, "image" text,
	"created_at" timestamp DEFAULT now() NOT NULL, "updated_at" timestamp DEFAULT now() NOT NULL, "role" text, "banned" boolean DEFAULT false, "ban_reason" text, "ban_expires" timestamp,
	"company_name" text NOT NULL, "stripe_customer_id" text, CONSTRAINT "users_email_unique" UNIQUE ("email"));
CREATE TABLE "sessions" ("id" text PRIMARY KEY NOT NULL, "expires_at" timestamp NOT NULL, "token" text NOT NULL, "created_at" timestamp DEFAULT now() NOT NULL, "updated_at" timestamp NOT NULL,
	"ip_address" text, "user_agent" text, "user_id" text NOT NULL REFERENCES "users" ("id") ON DELETE cascade, "active_organization_id" text, "impersonated_by" text,
	CONSTRAINT "sessions_token_unique" UNIQUE ("token"));
CREATE TABLE "accounts" ("id" text PRIMARY KEY NOT NULL, "account_id" text NOT NULL, "provider_id" text NOT NULL, "user_id" text NOT NULL REFERENCES "users" ("id") ON DELETE cascade,
	"access_token" text, "refresh_token" text, "id_token" text, "access_token_expires_at" timestamp, "refresh_token_expires_at" timestamp, "scope" text, "password" text,
	"created_at" timestamp DEFAULT now() NOT NULL, "updated_at" timestamp NOT NULL);
CREATE TABLE "verifications" ("id" text PRIMARY KEY NOT NULL, "identifier" text NOT NULL, "value" text NOT NULL, "expires_at" timestamp NOT NULL, "created_at" timestamp DEFAULT now() NOT NULL,
	"updated_at" timestamp DEFAULT now() NOT NULL);
CREATE TABLE "organizations" ("id" text PRIMARY KEY NOT NULL, "name" text NOT NULL, "slug" text NOT NULL, "logo" text, "created_at" timestamp NOT NULL, "metadata" jsonb,
	CONSTRAINT "organizations_slug_unique" UNIQUE ("slug"));
CREATE TABLE "members" ("id" text PRIMARY KEY NOT NULL, "organization_id" text NOT NULL REFERENCES "organizations" ("id") ON DELETE cascade,
	"user_id" text NOT NULL REFERENCES "users" ("id") ON DELETE cascade, "role" text DEFAULT 'member' NOT NULL, "created_at" timestamp NOT NULL);
CREATE TABLE "invitations" ("id" text PRIMARY KEY NOT NULL, "organization_id" text NOT NULL REFERENCES "organizations" ("id") ON DELETE cascade, "email" text NOT NULL, "role" text,
	"status" text DEFAULT 'pending' NOT NULL, "expires_at" timestamp NOT NULL, "created_at" timestamp DEFAULT now() NOT NULL, "inviter_id" text NOT NULL REFERENCES "users" ("id") ON DELETE cascade);
CREATE TABLE "job" ("id" serial PRIMARY KEY NOT NULL, "title" text NOT NULL);
CREATE TABLE "posts" ("id" serial PRIMARY KEY NOT NULL, "author_id" text);

// Better Auth as an app would set it up in production, for bench/compare: PORT, SECRET, BASE_URL,
// DATABASE_URL, and of plugins the one of JWT=1. CACHE=1 switches the cookie cache on. MIGRATE=1 makes the tables
// and ends.
import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins";
import pg from "pg";

const { PORT, SECRET, BASE_URL, DATABASE_URL, CACHE, JWT, MIGRATE } = process.env;
const auth = betterAuth({
  baseURL: BASE_URL,
  secret: SECRET,
  database: new pg.Pool({ connectionString: DATABASE_URL, max: 20 }),
  emailAndPassword: { enabled: true },
  session: { cookieCache: { enabled: !!CACHE, maxAge: 3600 } },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: "error" },
  plugins: JWT ? [jwt({ jwt: { issuer: BASE_URL, audience: BASE_URL } })] : [],
});
if (MIGRATE) {
  await (await getMigrations(auth.options)).runMigrations();
  process.exit(0);
}
createServer(toNodeHandler(auth)).listen(+PORT, "127.0.0.1");

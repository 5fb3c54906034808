// A fresh PostgreSQL database per server, made and dropped over the connection in PGURL.
import { randomBytes } from "node:crypto";
import pg from "pg";

const admin = process.env.PGURL ?? "postgres://postgres@127.0.0.1:5432/postgres";

async function run(sql) {
  const client = new pg.Client({ connectionString: admin });
  await client.connect();
  try { await client.query(sql); } finally { await client.end(); }
}

/** Creates an empty database; drop() also ends the connections that are still open. */
export async function freshDatabase() {
  const name = `conformance_${randomBytes(6).toString("hex")}`;
  await run(`CREATE DATABASE ${name}`);
  const url = new URL(admin);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => run(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

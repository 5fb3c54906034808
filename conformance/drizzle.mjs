// SQLite as Drizzle's and Prisma's users have it, through Better Auth's own Drizzle adapter. The tables are those of
// Better Auth's generator: names in snake case, ids that are text or INTEGER PRIMARY KEY AUTOINCREMENT, times as `form` says.
import { drizzle } from "drizzle-orm/better-sqlite3";
import { customType, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { getAuthTables } from "better-auth/db";

const custom = (toDriver, fromDriver) => customType({ dataType: () => "DATETIME", toDriver, fromDriver });
const times = {
  timestamp: (name) => integer(name, { mode: "timestamp" }),
  timestamp_ms: (name) => integer(name, { mode: "timestamp_ms" }),
  // Prisma's query engine and its driver adapters write DATETIME so.
  "prisma": custom((d) => d.getTime(), (v) => new Date(v)),
  "prisma-adapter": custom((d) => d.toISOString().replace("Z", "+00:00"), (v) => new Date(v)),
};

const snake = (s) => s.replace(/[A-Z]+/g, (m) => `_${m.toLowerCase()}`);

/** Makes the tables that options want, and the adapter for them. passkeyForm is of the table of passkeys alone: it came later. */
export function drizzleDatabase(sqlite, options, { form, passkeyForm = form }) {
  const numbers = options.advanced?.database?.generateId === "serial";
  const schema = {};
  for (const [model, { modelName, fields }] of Object.entries(getAuthTables(options))) {
    const time = times[model === "passkey" ? passkeyForm : form];
    const columns = { id: numbers ? integer("id", { mode: "number" }).primaryKey({ autoIncrement: true }) : text("id").primaryKey() };
    const ddl = [`"id" ${numbers ? "integer PRIMARY KEY AUTOINCREMENT NOT NULL" : "text PRIMARY KEY NOT NULL"}`];
    for (const [field, f] of Object.entries(fields)) {
      const name = snake(f.fieldName ?? field);
      const key = f.references?.field === "id";
      let c = key && numbers ? integer(name) : f.type === "date" ? time(name) : f.type === "boolean" ? integer(name, { mode: "boolean" })
        : f.type === "number" ? integer(name) : text(name);
      if (f.required !== false) c = c.notNull();
      columns[field] = c;
      const type = sqliteTable(modelName, { c })["c"].getSQLType();
      ddl.push(`"${name}" ${type}${f.required !== false ? " NOT NULL" : ""}${f.unique ? " UNIQUE" : ""}${
        f.references ? ` REFERENCES "${snake(getAuthTables(options)[f.references.model]?.modelName ?? f.references.model)}" ("${f.references.field}") ON DELETE ${f.references.onDelete ?? "cascade"}` : ""}`);
    }
    schema[modelName] = sqliteTable(snake(modelName), columns);
    sqlite.exec(`CREATE TABLE IF NOT EXISTS "${snake(modelName)}" (${ddl.join(", ")})`);
  }
  return drizzleAdapter(drizzle(sqlite, { schema }), { provider: "sqlite", schema });
}

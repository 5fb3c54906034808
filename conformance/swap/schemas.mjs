// The other swaps on databases that Better Auth made otherwise: names as Drizzle's users have
// them, uuids, numbers, SQLite, also with times that are no text of Better Auth's. The target finds the names by itself, as `sallyport adopt` does.
// It makes no such tables, so that Better Auth always is the first.
import * as liveSwap from "./live-swap.mjs";
import * as organization from "./organization.mjs";
import * as twoFactor from "./two-factor.mjs";
import * as waysIn from "./ways-in.mjs";
import * as jwt from "./jwt.mjs";

// With numbers, which can be guessed, Better Auth itself wants a verified address of the invited.
const guessable = { generateId: "serial", organization: { ...organization.options.organization, requireEmailVerificationOnInvitation: false } };

export const first = "better-auth";
const scenarios = Object.entries({ "live-swap": liveSwap, organization, "two-factor": twoFactor, "ways-in": waysIn, jwt });
// Two factors wait minutes for new codes: once is enough.
const quick = ["live-swap", "organization", "ways-in", "jwt"];
const schemas = [
  { name: "snake and plural", options: { names: "snake-plural" } },
  { name: "uuid", options: { generateId: "uuid" }, only: quick },
  { name: "serial", options: { generateId: "serial" }, own: { organization: guessable }, only: quick },
  { name: "snake, plural and uuid", options: { names: "snake-plural", generateId: "uuid" }, only: ["organization"] },
  { name: "SQLite", database: "sqlite", options: {}, only: ["live-swap"] },
  { name: "SQLite, serial", database: "sqlite", options: { generateId: "serial" }, own: { organization: guessable }, only: quick },
  { name: "SQLite, Prisma", database: "sqlite", options: { drizzle: { form: "prisma" } } },
  { name: "SQLite, Prisma's adapter", database: "sqlite", options: { drizzle: { form: "prisma-adapter" } }, only: ["live-swap", "organization"] },
  // Members who come within a second have no order there, and the transcript of organization has one.
  { name: "SQLite, Drizzle in seconds", database: "sqlite", options: { drizzle: { form: "timestamp" } }, only: ["live-swap", "two-factor", "ways-in", "jwt"] },
  { name: "SQLite, Drizzle in milliseconds and serial", database: "sqlite", options: { generateId: "serial", drizzle: { form: "timestamp_ms", passkeyForm: "timestamp" } }, own: { organization: guessable }, only: quick },
];
export const parts = schemas.flatMap((schema) => scenarios
  .filter(([name]) => !schema.only || schema.only.includes(name))
  .map(([name, s]) => ({ name: `${schema.name}, ${name}`, plugins: s.plugins, options: { ...s.options, ...schema.options, ...schema.own?.[name] }, database: schema.database, run: s.default })));

// The other swaps on databases that Better Auth made otherwise: names as Drizzle's users have
// them, uuids, numbers, SQLite. The target finds the names by itself, as `sallyport adopt` does.
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
];
export const parts = schemas.flatMap((schema) => scenarios
  .filter(([name]) => !schema.only || schema.only.includes(name))
  .map(([name, s]) => ({ name: `${schema.name}, ${name}`, plugins: s.plugins, options: { ...s.options, ...schema.options, ...schema.own?.[name] }, database: schema.database, run: s.default })));

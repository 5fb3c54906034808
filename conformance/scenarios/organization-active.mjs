// The active organization and team: what each answer does to the session and to its cookies, with and without the cookie cache.
import { active, found, get, join, post, signUp } from "../organization.mjs";

async function choose(s) {
  const [ann, bob, eve] = await signUp(s, "ann", "bob", "eve");
  const set = (label, body, c = ann) => s.step(`set-active ${label}`, () => post(c, "set-active", body));
  await set("nothing, none active", {});
  await set("null, none active", { organizationId: null });
  const one = await found(s, ann, "one", { metadata: { a: 1 } }), two = await found(s, ann, "two"), other = await found(s, eve, "other");
  const known = { one: one.id, two: two.id, other: other.id };
  for (const body of [undefined, [], null, { organizationId: 5 }, { organizationSlug: 5 }, { organizationSlug: null }, { organizationId: null, organizationSlug: 5 }]) await set(JSON.stringify(body), body);
  await active(s, ann, "two, which came last", known);
  await set("by id", { organizationId: one.id });
  await active(s, ann, "one", known);
  await set("by slug", { organizationSlug: "two" });
  await active(s, ann, "two", known);
  await set("by both: the id counts", { organizationId: one.id, organizationSlug: "two" });
  await active(s, ann, "one again", known);
  await set("an empty id and a slug", { organizationId: "", organizationSlug: "two" });
  await set("nothing: the active one", {});
  await set("both empty", { organizationId: "", organizationSlug: "" });
  await active(s, ann, "still two", known);
  await set("null beside a slug", { organizationId: null, organizationSlug: "one" });
  await active(s, ann, "none", known);
  await s.step("the client", () => ann.api.organization.setActive({ organizationId: two.id }));
  await set("unknown slug", { organizationSlug: "nope" });
  await active(s, ann, "which leaves two", known);
  await set("unknown id", { organizationId: "nope" });
  await active(s, ann, "which leaves none", known);
  await set("two", { organizationId: two.id });
  await set("another's slug", { organizationSlug: "other" });
  await active(s, ann, "none after another's", known);
  await set("without a session", { organizationId: one.id }, s.client());
  await set("wrong, without a session", { organizationId: 5 }, s.client());
  await s.step("a second sign-in", async () => { await bob.api.signOut(); await bob.api.signIn.email(ann.who); });
  await active(s, bob, "knows of none", known);
  await set("there", { organizationId: one.id }, bob);
  await active(s, ann, "each session has its own", known);
  await set("where it is", { organizationId: two.id });
  await s.step("nobody sets it otherwise", () => ann.raw("POST", "/api/auth/update-session", { activeOrganizationId: other.id }));
  await s.step("nor so", () => ann.raw("POST", "/api/auth/update-user", { activeOrganizationId: other.id, name: "Ann" }));
  await active(s, ann, "two as before", known);
  await s.step("after a new password", () => ann.api.changePassword({ currentPassword: ann.who.password, newPassword: "correct horse 2", revokeOtherSessions: true }));
  await active(s, ann, "in the new session", known);
}

async function lost(s) {
  const [ann, bob, cid] = await signUp(s, "ann", "bob", "cid");
  const one = await found(s, ann, "one"), known = { one: one.id };
  const bobs = await join(s, ann, bob, one.id);
  await active(s, bob, "bob is in", known);
  await s.step("bob is removed", () => post(ann, "remove-member", { memberIdOrEmail: bobs.id }));
  await active(s, bob, "his session does not know", known);
  for (const path of ["get-organization", "get-active-member", "get-active-member-role", "list-members", "list-invitations"]) await s.step(`bob: ${path}`, () => get(bob, path));
  await active(s, bob, "none by now", known);
  for (const path of ["get-active-member", "get-active-member-role", "list-members", "list-invitations"]) await s.step(`bob, none active: ${path}`, () => get(bob, path));
  for (const [path, body] of [["update", { data: { name: "x" } }], ["invite-member", { email: "x@example.com", role: "member" }], ["remove-member", { memberIdOrEmail: "x" }], ["update-member-role", { memberId: "x", role: "member" }], ["has-permission", { permissions: { member: ["create"] } }]])
    await s.step(`bob, none active: ${path}`, () => post(bob, path, body));
  await join(s, ann, cid, one.id, "admin");
  await s.step("cid removes himself", () => post(cid, "remove-member", { memberIdOrEmail: "CID@example.com", organizationId: one.id }));
  await active(s, cid, "and has none", known);
  await join(s, ann, cid, one.id);
  await active(s, cid, "he is back", known);
  await s.step("cid leaves", () => cid.api.organization.leave({ organizationId: one.id }));
  await active(s, cid, "none again", known);
  const two = await found(s, cid, "two");
  await join(s, ann, cid, one.id);
  await s.step("two, then", () => post(cid, "set-active", { organizationId: two.id }));
  await s.step("cid leaves one", () => post(cid, "leave", { organizationId: one.id }));
  await active(s, cid, "two is not touched", { ...known, two: two.id });
}

async function teams(s) {
  const [ann, bob, eve] = await signUp(s, "ann", "bob", "eve");
  const set = (label, body, c = ann) => s.step(`set-active-team ${label}`, () => post(c, "set-active-team", body));
  await set("none", {});
  await set("null, none active", { teamId: null });
  await set("no organization", { teamId: "nope" });
  const one = await found(s, ann, "one");
  await active(s, ann, "what the session says", { one: one.id });
  await s.step("what the teams say", () => get(ann, "list-teams"));
  await s.step("one, by hand", () => post(ann, "set-active", { organizationId: one.id }));
  const [first] = (await s.step("teams", () => get(ann, "list-teams"))).body;
  const two = await found(s, ann, "two", { keepCurrentActiveOrganization: true });
  const [of2] = (await s.step("teams of two", () => get(ann, "list-teams", { organizationId: two.id }))).body;
  const known = { one: one.id, two: two.id, first: first.id, of2: of2.id };
  await active(s, ann, "the first team is active", known);
  const extra = (await s.step("another", () => post(ann, "create-team", { name: "extra" }))).body;
  for (const body of [undefined, [], { teamId: 5 }]) await set(JSON.stringify(body), body);
  await set("the active one", {});
  await set("through an empty id", { teamId: "" });
  await set("by id", { teamId: first.id });
  await set("one she is not in", { teamId: extra.id });
  await set("one of another organization", { teamId: of2.id });
  await set("unknown", { teamId: "nope" });
  await active(s, ann, "still the first", known);
  await set("null", { teamId: null });
  await active(s, ann, "none", known);
  await set("again", { teamId: first.id });
  await s.step("another organization", () => post(ann, "set-active", { organizationId: two.id }));
  await active(s, ann, "keeps the team of the first", known);
  await set("which is none of two's", {});
  await set("its own", { teamId: of2.id });
  await s.step("no organization", () => post(ann, "set-active", { organizationId: null }));
  await active(s, ann, "keeps the team", known);
  await set("without an organization", { teamId: of2.id });
  await set("without a session", { teamId: of2.id }, s.client());
  await join(s, ann, bob, one.id, "member", { teamId: first.id });
  await active(s, bob, "bob is in the team", known, { disableCookieCache: true });
  await join(s, ann, eve, one.id, "member", { teamId: [first.id, extra.id] });
  await active(s, eve, "of two teams none is active", { ...known, extra: extra.id });
}

const plugins = ["organization"];
const cached = { cookieCache: true };
export const parts = [
  { name: "choose", run: choose, plugins, options: {} },
  { name: "choose, cached", run: choose, plugins, options: cached },
  { name: "lost", run: lost, plugins, options: {} },
  { name: "lost, cached", run: lost, plugins, options: cached },
  { name: "teams", run: teams, plugins, options: { teams: true } },
  { name: "teams, cached", run: teams, plugins, options: { teams: true, ...cached } },
];

// Organizations across servers: what one founded, invited, granted, joined or began, the other goes on with.
import { active, found, get, join, post, signUp } from "../organization.mjs";
export const plugins = ["organization"];
export const options = { teams: { maximumMembersPerTeam: 3 }, cookieCache: true, organization: {
  dynamicAccessControl: true, statements: { project: ["create", "share"] },
  roles: Object.fromEntries(["owner", "admin"].map((n) => [n, { organization: ["update", "delete"], member: ["create", "update", "delete"], invitation: ["create", "cancel"], team: ["create", "update", "delete"], ac: ["create", "read", "update", "delete"], project: ["create", "share"] }]).concat([["member", { ac: ["read"] }]])),
  schema: { organization: { additionalFields: { tax: { type: "string", required: false }, seats: { type: "number", required: false }, open: { type: "boolean", required: false } } }, member: { additionalFields: { title: { type: "string", required: false, defaultValue: "none" } } } },
} };
const full = (s, c, organizationId) => s.unordered("full", () => get(c, "get-full-organization", { organizationId }));

/** What each server finds of the one before, and leaves for the next. */
const phase = (n) => async (s, m) => {
  if (n === 0) {
    [m.ann, m.bob, m.cid, m.dan] = await signUp(s, "ann", "bob", "cid", "dan");
    m.one = await found(s, m.ann, "one", { logo: "l", metadata: { a: [1, { b: null }], "ü": "😀" }, tax: "DE1", seats: 3, open: true });
    m.two = await found(s, m.bob, "two");
  } else {
    const one = m.one.id;
    await active(s, m.ann, "ann's session", { one, two: m.two.id });
    await s.step("bypassing the cache", () => m.ann.raw("GET", "/api/auth/get-session?disableCookieCache=true"));
    await s.step("her organization", () => get(m.ann, "get-organization"));
    await s.step("the slugs are taken", () => post(m.cid, "check-slug", { slug: `three${n - 1}` }));
    await s.step("by whoever asks", () => post(m.cid, "create", { name: "x", slug: "one" }));
    await s.step("bob's invitation", () => get(m.bob, "get-invitation", { id: m.bobs }));
    await s.step("bob joins", () => post(m.bob, "accept-invitation", { invitationId: m.bobs }));
    await s.step("once", () => post(m.bob, "accept-invitation", { invitationId: m.bobs }));
    await active(s, m.bob, "bob is in", { one, two: m.two.id, team: m.team }, { disableCookieCache: true });
    await s.unordered("his teams", () => get(m.bob, "list-user-teams"));
    await s.step("its members", () => get(m.bob, "list-team-members", { teamId: m.team }));
    await s.step("who is in is in", () => post(m.ann, "add-team-member", { organizationId: one, teamId: m.team, userId: m.bob.id }));
    await s.step("the rejected", () => post(m.dan, "accept-invitation", { invitationId: m.dans }));
    await s.step("roles", () => get(m.bob, "list-roles", { organizationId: one }));
    await s.step("bob may share", () => post(m.bob, "has-permission", { organizationId: one, permissions: { project: ["share"] } }));
    await s.step("not create", () => post(m.bob, "has-permission", { organizationId: one, permissions: { project: ["create"] } }));
    await s.step("the role is in use", () => post(m.ann, "delete-role", { organizationId: one, roleName: `sales${n - 1}` }));
    await s.step("and changes", () => post(m.ann, "update-role", { organizationId: one, roleName: `sales${n - 1}`, data: { permission: { project: ["create", "share"] } } }));
    await s.step("bob may create", () => post(m.bob, "has-permission", { organizationId: one, permissions: { project: ["create"] } }));
    await s.step("members", () => get(m.ann, "list-members", { organizationId: one, sortBy: "createdAt" }));
    await s.unordered("invitations", () => get(m.ann, "list-invitations", { organizationId: one }));
    await s.step("renamed", () => post(m.ann, "update", { organizationId: one, data: { name: `One ${n}`, metadata: { n }, seats: n, open: false } }));
    await s.step("bob goes", () => post(m.bob, "leave", { organizationId: one }));
    await s.step("and his two goes on", () => full(s, m.bob, m.two.id));
    await full(s, m.ann, one);
    await s.step("the team goes", () => post(m.ann, "remove-team", { organizationId: one, teamId: m.team }));
    await s.step("three goes", () => post(m.dan, "delete", { organizationId: m.three.id }));
    await s.step("eve's invitation", () => get(m.dan, "get-invitation", { id: m.eves }));
    await s.step("dan joins", () => post(m.dan, "accept-invitation", { invitationId: m.eves }));
    await s.step("eve is still in", () => get(m.eve, "get-active-member-role", { organizationId: one }));
    await s.step("dan goes", () => post(m.eve, "remove-member", { organizationId: one, memberIdOrEmail: "dan@example.com" }));
  }
  const one = m.one.id;
  m.three = await found(s, m.dan, `three${n}`);
  m.team = (await s.step("a team", () => post(m.ann, "create-team", { organizationId: one, name: `team ${n}` }))).body.id;
  await s.step("a role", () => post(m.ann, "create-role", { organizationId: one, role: `sales${n}`, permission: { project: ["share"] } }));
  m.bobs = (await s.step("invite bob", () => post(m.ann, "invite-member", { organizationId: one, email: "bob@example.com", role: `sales${n}`, teamId: m.team }))).body.id;
  m.dans = (await s.step("invite dan", () => post(m.ann, "invite-member", { organizationId: one, email: "dan@example.com", role: "member" }))).body.id;
  await s.step("dan refuses", () => post(m.dan, "reject-invitation", { invitationId: m.dans }));
  [m.eve] = await signUp(s, `eve${n}`);
  await join(s, m.ann, m.eve, one, "admin", { teamId: m.team });
  m.eves = (await s.step("eve invites dan", () => post(m.eve, "invite-member", { organizationId: one, email: "dan@example.com", role: "member" }))).body.id;
  await s.step("ann's, chosen", () => post(m.ann, "set-active", { organizationId: one }));
};
export default [phase(0), phase(1), phase(2), async (s, m) => {
  await phase(3)(s, m);
  await s.step("eve goes for good", () => m.eve.api.deleteUser({ password: m.eve.who.password }));
  await s.step("as if she had not been there", () => get(m.ann, "list-members", { organizationId: m.one.id, sortBy: "createdAt" }));
  await s.step("nor invited anybody", () => get(m.dan, "get-invitation", { id: m.eves }));
}];

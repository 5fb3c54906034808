// Teams: what each endpoint takes and refuses, the default team, invitations to teams, limits, the last team, members who go.
import { active, found, get, join, post, signUp } from "../organization.mjs";

const teamsOf = async (s, c, organizationId) => (await s.step("teams", () => get(c, "list-teams", { organizationId }))).body;
const byName = (teams, name) => teams.find((t) => t.name === name);

async function input(s) {
  const [ann, bob, cid, eve] = await signUp(s, "ann", "bob", "cid", "eve");
  await s.step("create, none active", () => post(ann, "create-team", { name: "x" }));
  await s.step("list, none active", () => get(ann, "list-teams"));
  const one = await found(s, ann, "one"), two = await found(s, ann, "two", { keepCurrentActiveOrganization: true }), other = await found(s, eve, "other");
  await join(s, ann, bob, one.id, "admin");
  await join(s, ann, cid, one.id);
  const [first] = await teamsOf(s, ann, one.id), [of2] = await teamsOf(s, ann, two.id), [eves] = await teamsOf(s, eve, other.id);
  const named = (body) => JSON.stringify(body)?.replace(first.id, "first").replace(of2.id, "two's").replace(eves.id, "another's").replace(one.id, "one").replace(two.id, "two").replace(other.id, "other").replace(cid.id, "cid").replace(eve.id, "eve");
  const all = async (path, ...bodies) => { for (const body of bodies) await s.step(`${path} ${named(body)}`, () => post(ann, path, body)); };
  await all("create-team", undefined, {}, [], { name: 5 }, { name: null }, { name: "x", organizationId: 5 }, { name: "x", organizationId: null }, { name: "x", organizationId: "nope" }, { name: "x", organizationId: other.id }, { name: "x", id: "chosen", createdAt: "2001-01-01T00:00:00.000Z", memberCount: 9, extra: 1 }, { name: "x" }, { name: "" });
  await all("update-team", undefined, {}, { teamId: first.id }, { teamId: 5, data: {} }, { teamId: first.id, data: [] }, { teamId: first.id, data: { name: 5 } }, { teamId: first.id, data: { name: "" } }, { teamId: first.id, data: { name: null } }, { teamId: first.id, data: { name: "y", organizationId: 5 } },
    { teamId: "nope", data: { name: "y" } }, { teamId: of2.id, data: { name: "y" } }, { teamId: of2.id, data: { name: "Zwei", organizationId: two.id } }, { teamId: first.id, data: { name: "y", organizationId: "nope" } }, { teamId: first.id, data: { name: "y", organizationId: other.id } }, { teamId: eves.id, data: { name: "y", organizationId: other.id } },
    { teamId: first.id, data: { name: "Erste", id: "chosen", memberCount: 9, createdAt: "2001-01-01T00:00:00.000Z", extra: 1 } }, { teamId: first.id, data: {} });
  await all("remove-team", undefined, {}, { teamId: 5 }, { teamId: "nope" }, { teamId: "x", organizationId: 5 }, { teamId: first.id, organizationId: "nope" }, { teamId: of2.id }, { teamId: eves.id, organizationId: other.id }, { teamId: first.id });
  await all("add-team-member", undefined, {}, { teamId: first.id }, { userId: cid.id }, { teamId: 5, userId: cid.id }, { teamId: first.id, userId: 5 }, { teamId: first.id, userId: null }, { teamId: first.id, userId: cid.id, organizationId: 5 }, { teamId: "nope", userId: cid.id }, { teamId: of2.id, userId: cid.id }, { teamId: eves.id, userId: cid.id },
    { teamId: first.id, userId: "nope" }, { teamId: first.id, userId: eve.id }, { teamId: first.id, userId: cid.id, organizationId: "nope" }, { teamId: first.id, userId: cid.id, organizationId: other.id }, { teamId: first.id, userId: cid.id }, { teamId: first.id, userId: cid.id });
  await all("remove-team-member", undefined, {}, { teamId: first.id }, { userId: cid.id }, { teamId: first.id, userId: 5 }, { teamId: "nope", userId: cid.id }, { teamId: of2.id, userId: cid.id }, { teamId: first.id, userId: eve.id }, { teamId: first.id, userId: cid.id, organizationId: other.id }, { teamId: first.id, userId: cid.id }, { teamId: first.id, userId: cid.id });
  const bodies = { "create-team": { name: "z", organizationId: one.id }, "update-team": { teamId: first.id, data: { name: "z", organizationId: one.id } }, "remove-team": { teamId: first.id, organizationId: one.id }, "add-team-member": { teamId: first.id, userId: cid.id, organizationId: one.id }, "remove-team-member": { teamId: first.id, userId: ann.id, organizationId: one.id } };
  for (const [path, body] of Object.entries(bodies)) {
    await s.step(`${path} by a member`, () => post(cid, path, body));
    await s.step(`${path} by a stranger`, () => post(eve, path, body));
    await s.step(`${path} without a session`, () => post(s.client(), path, body));
    await s.step(`${path} without a session or anything`, () => post(s.client(), path, {}));
    await s.step(`GET ${path}`, () => get(ann, path));
    if (path !== "remove-team") await s.step(`${path} by an admin`, () => post(bob, path, body));
  }
  for (const path of ["list-teams", "list-user-teams", "list-team-members"]) {
    await s.step(`${path} without a session`, () => get(s.client(), path));
    await s.step(`POST ${path}`, () => post(ann, path, {}));
    await s.step(`${path} twice`, () => get(ann, path, { organizationId: ["a", "b"], teamId: ["a", "b"], userId: ["a", "b"] }));
  }
  for (const organizationId of [one.id, other.id, "nope", ""]) {
    await s.step(`list-teams of ${named(organizationId)}`, () => get(cid, "list-teams", { organizationId }));
    await s.step(`list-user-teams in ${named(organizationId)}`, () => get(cid, "list-user-teams", { organizationId }));
  }
  for (const userId of [ann.id, cid.id, eve.id, "nope", ""]) for (const c of [bob, cid, eve]) await s.step(`list-user-teams of ${named(userId).replace(ann.id, "ann")} by ${c.who.name}`, () => get(c, "list-user-teams", { userId, organizationId: one.id }));
  await s.step("list-user-teams of another, none given", () => get(bob, "list-user-teams", { userId: cid.id }));
  await s.step("hers, of all", () => ann.api.organization.listUserTeams());
  for (const teamId of [first.id, of2.id, eves.id, "nope", ""]) for (const c of [bob, cid]) await s.step(`list-team-members of ${named(teamId)} by ${c.who.name}`, () => get(c, "list-team-members", { teamId }));
}

async function flow(s) {
  const [ann, bob, cid, dan] = await signUp(s, "ann", "bob", "cid", "dan");
  const one = await found(s, ann, "one", { metadata: { a: 1 } }), two = await found(s, ann, "two", { keepCurrentActiveOrganization: true });
  const [first] = await teamsOf(s, ann, one.id), [of2] = await teamsOf(s, ann, two.id);
  const extra = (await s.step("create", () => ann.api.organization.createTeam({ name: "extra" }))).data;
  const third = (await s.step("create with a name that is taken", () => ann.api.organization.createTeam({ name: "extra" }))).data;
  const member = (c, teamId, more) => ({ email: c.who.email, role: "member", organizationId: one.id, teamId, ...more });
  for (const teamId of [[], "nope", of2.id, [first.id, "nope"], "a,b", ["a,b"]]) await s.step(`invite to ${JSON.stringify(teamId).replace(of2.id, "two's").replace(first.id, "first")}`, () => post(ann, "invite-member", member(dan, teamId, { email: `${Math.abs(JSON.stringify(teamId).length)}@example.com` })));
  const bobs = await join(s, ann, bob, one.id, "member", { teamId: first.id });
  await active(s, bob, "bob's team", { one: one.id, first: first.id });
  await s.step("bob's teams", () => bob.api.organization.listUserTeams());
  await s.step("its members", () => bob.api.organization.listTeamMembers());
  await join(s, ann, cid, one.id, "admin", { teamId: [first.id, extra.id, first.id] });
  await s.unordered("cid's teams", () => get(cid, "list-user-teams"));
  await s.step("members of extra", () => get(cid, "list-team-members", { teamId: extra.id }));
  const i = (await s.step("invite dan to two teams", () => post(ann, "invite-member", member(dan, [extra.id, third.id])))).body;
  await s.step("ann is none of extra's", () => get(ann, "list-team-members", { teamId: extra.id }));
  await s.step("add ann", () => ann.api.organization.addTeamMember({ teamId: extra.id, userId: ann.id }));
  await s.step("remove ann", () => ann.api.organization.removeTeamMember({ teamId: extra.id, userId: ann.id }));
  await s.step("the active team stays", () => ann.api.organization.removeTeam({ teamId: first.id }));
  await s.step("extra goes", () => ann.api.organization.removeTeam({ teamId: extra.id }));
  await s.step("dan's invitation", () => get(dan, "get-invitation", { id: i.id }));
  await s.step("dan joins", () => post(dan, "accept-invitation", { invitationId: i.id }));
  await active(s, dan, "dan's team", { one: one.id, third: third.id });
  await s.step("bob goes", () => post(ann, "remove-member", { memberIdOrEmail: bobs.id }));
  await s.step("he is in no team", () => get(bob, "list-user-teams"));
  await s.step("members of the first", () => get(ann, "list-team-members", { teamId: first.id }));
  await join(s, ann, bob, one.id);
  await s.step("nor when he is back", () => get(bob, "list-user-teams"));
  await s.step("teams of one", () => teamsOf(s, ann, one.id));
  await s.step("full", () => get(ann, "get-full-organization"));
  await s.step("third goes", () => post(cid, "remove-team", { teamId: third.id }));
  await active(s, dan, "dan's session keeps it", { one: one.id, third: third.id });
  await s.step("the members of a team that is gone", () => get(dan, "list-team-members"));
  await s.step("the first is the last", () => post(bob, "remove-team", { teamId: first.id }));
  await s.step("even for an admin", () => post(cid, "remove-team", { teamId: first.id }));
}

async function limited(s) {
  const [ann, bob, cid, dan] = await signUp(s, "ann", "bob", "cid", "dan");
  const one = await found(s, ann, "one");
  const [first] = await teamsOf(s, ann, one.id);
  const second = (await s.step("a second", () => post(ann, "create-team", { name: "second" }))).body;
  await s.step("a third", () => post(ann, "create-team", { name: "third" }));
  await s.step("a third of an unknown organization", () => post(ann, "create-team", { name: "third", organizationId: "nope" }));
  const to = (c, teamId) => s.step(`invite ${c.who.name}`, () => post(ann, "invite-member", { email: c.who.email, role: "member", teamId })).then((r) => r.body);
  const i = await to(bob, first.id), j = await to(cid, first.id);
  await s.step("bob joins", () => post(bob, "accept-invitation", { invitationId: i.id }));
  await s.step("cid does not", () => post(cid, "accept-invitation", { invitationId: j.id }));
  await s.step("his invitation is pending", () => get(cid, "get-invitation", { id: j.id }));
  await to(dan, first.id);
  await to(dan, [second.id, first.id]);
  await join(s, ann, dan, one.id, "member", { teamId: second.id });
  await s.step("dan does not fit", () => post(ann, "add-team-member", { teamId: first.id, userId: dan.id }));
  await s.step("bob is in already", () => post(ann, "add-team-member", { teamId: first.id, userId: bob.id }));
  await s.step("bob leaves the team", () => post(ann, "remove-team-member", { teamId: first.id, userId: bob.id }));
  await s.step("cid joins", () => post(cid, "accept-invitation", { invitationId: j.id }));
  await s.step("full again", () => post(ann, "add-team-member", { teamId: first.id, userId: bob.id }));
  await s.step("cid leaves", () => post(cid, "leave", { organizationId: one.id }));
  await s.step("bob fits", () => post(ann, "add-team-member", { teamId: first.id, userId: bob.id }));
  await s.step("no active team", () => post(ann, "set-active-team", { teamId: null }));
  for (const t of [first, second]) await s.step(`${t.name} goes`, () => post(ann, "remove-team", { teamId: t.id }));
  await s.step("none left", () => get(ann, "list-teams"));
  await s.step("a new one", () => post(ann, "create-team", { name: "new" }));
}

async function plain(s) {
  const [ann, bob] = await signUp(s, "ann", "bob");
  const one = await found(s, ann, "one");
  await s.step("no default team", () => get(ann, "list-teams"));
  await active(s, ann, "none is active", { one: one.id });
  await s.step("create without its field", () => post(ann, "create-team", { name: "x" }));
  const t = (await s.step("create", () => post(ann, "create-team", { name: "x", colour: "red", hidden: "h" }))).body;
  await s.step("update", () => post(ann, "update-team", { teamId: t.id, data: { colour: "blue", size: 3 } }));
  await s.step("update, wrong", () => post(ann, "update-team", { teamId: t.id, data: { colour: 5, size: "3" } }));
  await s.step("list", () => get(ann, "list-teams"));
  await join(s, ann, bob, one.id, "member", { teamId: t.id });
  await s.step("bob's", () => get(bob, "list-user-teams"));
  await s.step("full", () => get(bob, "get-full-organization"));
}

const plugins = ["organization"];
export const parts = [
  { name: "input", run: input, plugins, options: { teams: true } },
  { name: "flow", run: flow, plugins, options: { teams: true } },
  { name: "limited", run: limited, plugins, options: { teams: { maximumTeams: 2, maximumMembersPerTeam: 2, allowRemovingAllTeams: true } } },
  { name: "plain", run: plain, plugins, options: { teams: { defaultTeam: { enabled: false } }, organization: { schema: { team: { additionalFields: { colour: { type: "string" }, size: { type: "number", required: false }, hidden: { type: "string", required: false, returned: false } } } } } } },
];

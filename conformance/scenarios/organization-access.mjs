// Every endpoint by everybody: owner, admin, member, somebody without an organization, the owner of another
// one, nobody, and a session cookie whose signature is wrong.
import { found, get, join, post, signUp } from "../organization.mjs";

async function matrix(s) {
  const [owner, admin, member, stranger, other, tom] = await signUp(s, "owner", "admin", "member", "stranger", "other", "tom");
  const nobody = s.client(), forged = s.client();
  for (const [k, v] of owner.jar) forged.jar.set(k, `${v.slice(0, -12)}AAAAAAAAAAA%3D`);
  const everybody = { nobody, forged, stranger, other, member, admin, owner };
  const one = await found(s, owner, "one"), organizationId = one.id;
  const others = await found(s, other, "other");
  const [team] = (await s.step("teams", () => get(owner, "list-teams"))).body;
  await join(s, owner, admin, organizationId, "admin");
  await join(s, owner, member, organizationId);
  let toms = await join(s, owner, tom, organizationId, "member", { teamId: team.id });
  const role = (await s.step("a role", () => post(owner, "create-role", { role: "staff", permission: { team: ["create"] } }))).body.roleData;
  const pending = (await s.step("an invitation", () => post(owner, "invite-member", { email: "x@example.com", role: "member" }))).body;
  let n = 0;
  const fresh = async (path, body, member) => (await s.step("fresh", () => post(owner, path, { organizationId, ...body }))).body[member];
  const invitation = () => fresh("invite-member", { email: `i${++n}@example.com`, role: "member" }, "id");
  /** Brings somebody who left back in. */
  const back = async (c) => { const m = await join(s, owner, c, organizationId, c === admin ? "admin" : "member"); if (c === tom) toms = m; };

  const reads = ["list", "get-organization", "get-full-organization", "list-members", "get-active-member-role", "list-invitations", "list-user-invitations", "list-teams", "list-user-teams", "list-roles"];
  for (const path of reads) for (const [who, c] of Object.entries(everybody)) await s.step(`${path} by ${who}`, () => get(c, path, path === "list" ? {} : { organizationId }));
  await s.step("the other one is active again", () => post(other, "set-active", { organizationId: others.id }));
  const more = [
    ["get-active-member", {}], ["get-invitation", { id: pending.id }], ["get-active-member-role", { organizationId, userId: tom.id }], ["list-user-teams", { organizationId, userId: tom.id }],
    ["list-team-members", { teamId: team.id }], ["get-role", { organizationId, roleId: role.id }], ["list-members", { organizationSlug: "one" }],
  ];
  for (const [path, query] of more) for (const [who, c] of Object.entries(everybody)) await s.step(`${path} by ${who}`, () => get(c, path, query));

  /** What is sent, made anew for each of them, and what to do where it succeeded. */
  const writes = [
    ["check-slug", () => ({ slug: "one" })],
    ["create", () => ({ name: "x", slug: `x${++n}`, keepCurrentActiveOrganization: true })],
    ["update", () => ({ organizationId, data: { name: `One ${++n}` } })],
    ["set-active", () => ({ organizationId })],
    ["set-active-team", () => ({ teamId: team.id })],
    ["has-permission", () => ({ organizationId, permissions: { member: ["update"] } })],
    ["invite-member", () => ({ organizationId, email: `x${++n}@example.com`, role: "member" })],
    ["cancel-invitation", async () => ({ invitationId: await invitation() })],
    ["accept-invitation", () => ({ invitationId: pending.id })],
    ["reject-invitation", () => ({ invitationId: pending.id })],
    ["update-member-role", () => ({ organizationId, memberId: toms.id, role: "member" })],
    ["create-team", () => ({ organizationId, name: `team ${++n}` })],
    ["update-team", () => ({ teamId: team.id, data: { organizationId, name: `Team ${++n}` } })],
    ["add-team-member", () => ({ organizationId, teamId: team.id, userId: tom.id })],
    ["remove-team-member", () => ({ organizationId, teamId: team.id, userId: tom.id }), () => s.step("back", () => post(owner, "add-team-member", { organizationId, teamId: team.id, userId: tom.id }))],
    ["remove-team", async () => ({ organizationId, teamId: await fresh("create-team", { name: `team ${++n}` }, "id") })],
    ["create-role", () => ({ organizationId, role: `role${++n}`, permission: { team: ["create"] } })],
    ["update-role", () => ({ organizationId, roleId: role.id, data: { permission: { team: ["update"] } } })],
    ["delete-role", async () => { const name = `role${++n}`; await fresh("create-role", { role: name, permission: {} }, "success"); return { organizationId, roleName: name }; }],
    ["remove-member", () => ({ organizationId, memberIdOrEmail: "tom@example.com" }), () => back(tom)],
    ["leave", () => ({ organizationId }), back],
    ["delete", () => ({ organizationId })],
  ];
  for (const [path, body, after] of writes) {
    for (const [who, c] of Object.entries(everybody)) {
      const sent = await body();
      const { status } = await s.step(`${path} by ${who}`, () => post(c, path, sent));
      if (status === 200) await after?.(c);
    }
  }
}

/** What is refused for its form, whoever asks, and what only a member hears. */
async function forms(s) {
  const [owner, stranger] = await signUp(s, "owner", "stranger");
  const one = await found(s, owner, "one"), organizationId = one.id;
  const everybody = { nobody: s.client(), stranger, owner };
  const bodies = {
    "has-permission": [{}, { permissions: {} }, { permission: {} }, { permissions: {}, permission: {} }, { permissions: null }, { permissions: { member: null } }, { organizationId: 5 }, { organizationId: 5, permissions: {}, permission: {} }, []],
    "update-role": [{}, { data: {} }, { roleName: "x" }, { data: {}, roleName: "" }, { data: {}, roleId: "" }, { data: {}, roleId: "", roleName: "" }, { data: {}, roleName: 5 }, { data: 5, roleName: "" }, { data: {}, roleName: "x", organizationId }],
    "delete-role": [{}, { roleName: "" }, { roleId: "" }, { roleId: 1, roleName: null }, { organizationId: 1 }, { roleName: "x", organizationId }],
    "update-member-role": [{ memberId: "x", role: "" }, { memberId: "x", role: [] }, { memberId: "x", role: " , " }, { memberId: "x", role: [], organizationId }, { memberId: "x", role: "", organizationId }],
  };
  for (const [path, list] of Object.entries(bodies)) for (const body of list) for (const [who, c] of Object.entries(everybody)) await s.step(`${path} ${JSON.stringify(body)} by ${who}`, () => post(c, path, body));
  const queries = { "get-role": ["", "roleName=", "roleId=", "roleName=a&roleName=b"], "get-full-organization": ["membersLimit=1&membersLimit=2"],
    "list-members": ["limit=1&limit=2", "offset=1&offset=2", `organizationId=none&sortBy=nonsense`, `organizationId=none&filterField=nonsense&filterValue=x`, "organizationSlug=none&limit=-1"] };
  for (const [path, list] of Object.entries(queries)) for (const query of list) for (const [who, c] of Object.entries(everybody)) await s.step(`${path} ${query} by ${who}`, () => get(c, path, query));
}

export const parts = [
  { name: "matrix", run: matrix, plugins: ["organization"], options: { teams: true, organization: { dynamicAccessControl: true } } },
  { name: "forms", run: forms, plugins: ["organization"], options: { organization: { dynamicAccessControl: true } } },
];

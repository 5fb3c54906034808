// Access control: has-permission, roles from the options, another creator role, roles in the database.
import { found, get, join, post, signUp } from "../organization.mjs";

const may = (s, label, c, body) => s.step(`may ${label}`, () => post(c, "has-permission", body));

async function permission(s) {
  const [ann, bob, cid, eve] = await signUp(s, "ann", "bob", "cid", "eve");
  await may(s, "none active", ann, { permissions: { member: ["create"] } });
  const one = await found(s, ann, "one"), other = await found(s, eve, "other");
  await join(s, ann, bob, one.id, "admin");
  const cids = await join(s, ann, cid, one.id);
  for (const body of [undefined, {}, [], { permissions: null }, { permissions: "member" }, { permissions: [] }, { permissions: { member: "create" } }, { permissions: { member: [5] } }, { permissions: { member: null } }, { permission: { member: ["create"] } }, { permission: { member: "create" } },
    { permission: { member: ["create"] }, permissions: { member: ["create"] } }, { permission: { member: 5 }, permissions: { member: ["create"] } }, { permissions: { member: ["create"] }, organizationId: 5 }, { permissions: { member: ["create"] }, organizationId: null }, { permissions: { member: ["create"] }, organizationId: "" },
    { permissions: { member: ["create"] }, organizationId: "nope" }, { permissions: {} }, { permissions: { member: [] } }, { permissions: { nope: ["create"] } }, { permissions: { member: ["nope"] } }, { permissions: { member: ["create", "nope"] } }, { permissions: { member: ["create", "create"] } },
    { permissions: { member: ["create"], nope: [] } }, { permissions: { member: { actions: ["create"], connector: "OR" } } }])
    await may(s, JSON.stringify(body), ann, body);
  const all = { organization: ["update", "delete"], member: ["create", "update", "delete"], invitation: ["create", "cancel"], team: ["create", "update", "delete"], ac: ["create", "read", "update", "delete"] };
  for (const c of [ann, bob, cid]) {
    await may(s, `everything, ${c.who.name}`, c, { permissions: all });
    for (const [resource, actions] of Object.entries(all)) for (const a of actions) await may(s, `${resource}:${a}, ${c.who.name}`, c, { permissions: { [resource]: [a] } });
  }
  await may(s, "two resources", bob, { permissions: { member: ["create"], organization: ["delete"] } });
  await may(s, "through the client", { raw: (m, p, b) => bob.api.organization.hasPermission(b) }, { permissions: { invitation: ["cancel"] } });
  await may(s, "as a stranger", eve, { permissions: { ac: ["read"] }, organizationId: one.id });
  await may(s, "in another's", ann, { permissions: { ac: ["read"] }, organizationId: other.id });
  await may(s, "without a session", s.client(), { permissions: { ac: ["read"] }, organizationId: one.id });
  await s.step("several roles", () => post(ann, "update-member-role", { memberId: cids.id, role: ["member", "admin"] }));
  await may(s, "by the second role", cid, { permissions: { member: ["create"] } });
  s.note("in the client", { owner: ann.api.organization.checkRolePermission({ role: "owner", permissions: { organization: ["delete"] } }), several: ann.api.organization.checkRolePermission({ role: "member,admin", permissions: { member: ["create"] } }) });
}

const statements = { project: ["create", "share", "delete"], member: ["create", "update", "delete", "praise"] };
const own = { ...statements, organization: ["update", "delete"], invitation: ["create", "cancel"], team: ["create"], ac: ["create", "read", "update", "delete"] };
const roles = {
  boss: own,
  clerk: { project: ["create"], invitation: ["create"], ac: ["read"] },
  guest: { project: ["share"] },
  owner: { organization: ["update"] },
};

async function custom(s) {
  const [ann, bob, cid, dan] = await signUp(s, "ann", "bob", "cid", "dan");
  const one = await found(s, ann, "one");
  await s.step("the creator is", () => get(ann, "get-active-member-role"));
  const bobs = await join(s, ann, bob, one.id, "clerk");
  await join(s, ann, cid, one.id, ["guest", "clerk"]);
  await join(s, ann, dan, one.id, "admin");
  for (const c of [ann, bob, cid, dan]) {
    for (const permissions of [{ project: ["create"] }, { project: ["share"] }, { project: ["create", "share"] }, { project: ["create"], invitation: ["create"] }, { member: ["praise"] }, { member: ["create"] }, { ac: ["read"] }]) await may(s, `${JSON.stringify(permissions)}, ${c.who.name}`, c, { permissions });
    await s.step(`${c.who.name} invites`, () => post(c, "invite-member", { email: `${c.who.name}s@example.com`, role: "clerk" }));
    await s.step(`${c.who.name} updates`, () => post(c, "update", { data: { name: "Eins" } }));
    await s.step(`${c.who.name} invites a boss`, () => post(c, "invite-member", { email: `${c.who.name}s.boss@example.com`, role: "boss" }));
  }
  await s.step("owner is a role like others", () => post(ann, "update-member-role", { memberId: bobs.id, role: "owner" }));
  await s.step("who may update", () => post(bob, "update", { data: { name: "One" } }));
  await s.step("but not delete", () => post(bob, "delete", { organizationId: one.id }));
  await s.step("an unknown role", () => post(ann, "update-member-role", { memberId: bobs.id, role: "chief" }));
  await s.step("a default role that grants nothing here", () => post(ann, "update-member-role", { memberId: bobs.id, role: "member" }));
  await may(s, "read roles as such", bob, { permissions: { ac: ["read"] } });
  await s.step("the boss stays", () => post(ann, "leave", { organizationId: one.id }));
  await s.step("as the only one", () => post(ann, "remove-member", { memberIdOrEmail: "ann@example.com" }));
  await s.step("a second boss", () => post(ann, "update-member-role", { memberId: bobs.id, role: "boss" }));
  await s.step("now she goes", () => post(ann, "leave", { organizationId: one.id }));
}

async function dynamic(s) {
  const [ann, bob, cid, eve] = await signUp(s, "ann", "bob", "cid", "eve");
  const create = (label, c, body) => s.step(`create ${label}`, () => post(c, "create-role", body)).then((r) => r.body);
  await create("none active", ann, { role: "x", permission: {} });
  for (const path of ["list-roles", "get-role?roleName=x"]) await s.step(`${path}, none active`, () => get(ann, path));
  for (const path of ["delete-role", "update-role"]) await s.step(`${path}, none active`, () => post(ann, path, { roleName: "x", data: {} }));
  const one = await found(s, ann, "one"), other = await found(s, eve, "other");
  const bobs = await join(s, ann, bob, one.id, "admin"), cids = await join(s, ann, cid, one.id);
  const p = { project: ["create"] };
  for (const body of [undefined, {}, [], { role: "x" }, { permission: p }, { role: 5, permission: p }, { role: "x", permission: null }, { role: "x", permission: [] }, { role: "x", permission: { project: "create" } }, { role: "x", permission: { project: [5] } }, { role: "x", permission: p, organizationId: 5 }, { role: "x", permission: p, organizationId: null },
    { role: "x", permission: { nope: ["create"] } }, { role: "x", permission: { project: ["nope"] } }, { role: "owner", permission: p }, { role: "ADMIN", permission: p }, { role: "member", permission: { nope: ["x"] } }, { role: "x", permission: p, organizationId: "nope" }, { role: "x", permission: p, organizationId: other.id }])
    await create(JSON.stringify(body)?.replace(other.id, "another's"), ann, body);
  await create("without a session", s.client(), { role: "x", permission: p });
  await create("by a member", cid, { role: "x", permission: p });
  await create("by a stranger", eve, { role: "x", permission: p, organizationId: one.id });
  const sales = (await create("sales, in capitals", ann, { role: "Sales", permission: { project: ["create", "share"], invitation: ["create"] } })).roleData;
  await create("sales again", ann, { role: "sALES", permission: p });
  await create("what the admin does not hold", bob, { role: "big", permission: { organization: ["delete"], project: ["create"] } });
  await create("what he holds", bob, { role: "desk", permission: { project: ["create"], member: [] } });
  await create("nothing", bob, { role: "nothing", permission: {} });
  await s.step("of another organization", () => post(eve, "create-role", { role: "sales", permission: p }));
  await s.step("list", () => get(ann, "list-roles"));
  await s.step("list by a member", () => get(cid, "list-roles"));
  await s.step("list through the client", () => ann.api.organization.listRoles({ query: { organizationId: one.id } }));
  for (const [c, query] of [[eve, { organizationId: one.id }], [ann, { organizationId: other.id }], [ann, { organizationId: "nope" }], [ann, { organizationId: "" }], [ann, { organizationId: ["a", "b"] }], [s.client(), {}]]) await s.step("list elsewhere", () => get(c, "list-roles", query));
  for (const query of [{ roleName: "sales" }, { roleId: sales.id }, { roleName: "sales", roleId: "nope" }, { roleName: "Sales" }, { roleName: "nope" }, { roleId: "nope" }, { roleName: "" }, { roleId: "" }, { organizationId: one.id }, { roleName: "admin" }, { roleName: ["a", "b"] }, { roleName: "sales", organizationId: other.id }])
    await s.step(`get ${JSON.stringify(query).replace(sales.id, "sales").replace(one.id, "one").replace(other.id, "another")}`, () => get(cid, "get-role", query));
  await s.step("get by another", () => get(eve, "get-role", { roleId: sales.id }));
  await s.step("get without a session", () => get(s.client(), "get-role", { roleId: sales.id }));
  const role = (label, c, body) => s.step(`role ${label}`, () => post(c, "update-member-role", body));
  await role("unknown", ann, { memberId: cids.id, role: "clerks" });
  await role("in part unknown", ann, { memberId: cids.id, role: ["member", "sales", "clerks"] });
  await may(s, "nothing yet", cid, { permissions: p });
  await role("sales", ann, { memberId: cids.id, role: ["member", "sales"] });
  await may(s, "create projects", cid, { permissions: p });
  await may(s, "what is of two roles", cid, { permissions: { project: ["create"], ac: ["read"] } });
  await may(s, "not delete them", cid, { permissions: { project: ["delete"] } });
  await s.step("invite to a role of the database", () => post(cid, "invite-member", { email: "x@example.com", role: "sales" }));
  await s.step("invite to an unknown one", () => post(cid, "invite-member", { email: "y@example.com", role: "sales,clerks" }));
  const update = (label, c, body) => s.step(`update ${label}`, () => post(c, "update-role", body));
  for (const body of [undefined, [], { data: {} }, { roleName: "sales" }, { roleName: "", data: { permission: p } }, { roleName: 5, data: { permission: p } }, { roleName: "sales", data: null }, { roleName: "sales", data: { permission: [] } }, { roleName: "sales", data: { permission: { project: "x" } } }, { roleName: "sales", data: { roleName: 5 } },
    { roleName: "nope", data: { permission: p } }, { roleId: "nope", data: { permission: p } }, { roleName: "admin", data: { permission: p } }, { roleName: "sales", data: { permission: { nope: [] } } }, { roleName: "sales", data: { permission: { project: ["nope"] } } }, { roleName: "sales", data: { roleName: "admin" } }, { roleName: "sales", data: { roleName: "desk" } }, { roleName: "sales", data: { permission: p }, organizationId: other.id }])
    await update(JSON.stringify(body)?.replace(other.id, "another's"), ann, body);
  await update("by a member", cid, { roleName: "sales", data: { permission: { project: ["delete"] } } });
  await update("without a session", s.client(), { roleName: "sales", data: { permission: p } });
  await update("what the admin does not hold", bob, { roleName: "desk", data: { permission: { organization: ["delete"] } } });
  await update("permissions", ann, { roleName: "sales", data: { permission: { project: ["delete"] } } });
  await may(s, "delete them now", cid, { permissions: { project: ["delete"] } });
  await may(s, "create them no more", cid, { permissions: p });
  await update("both", ann, { roleName: "nothing", data: { roleName: "Everything", permission: { project: ["create", "share", "delete"] } } });
  await s.step("get everything", () => get(ann, "get-role", { roleName: "everything" }));
  const remove = (label, c, body) => s.step(`delete ${label}`, () => post(c, "delete-role", body));
  for (const body of [undefined, {}, [], { roleName: "" }, { roleName: 5 }, { roleId: "" }, { roleName: "nope" }, { roleId: "nope" }, { roleName: "admin" }, { roleName: "sales" }, { roleId: sales.id }, { roleName: "desk", organizationId: other.id }]) await remove(JSON.stringify(body)?.replace(sales.id, "sales").replace(other.id, "another's"), ann, body);
  await remove("by a member", cid, { roleName: "desk" });
  await remove("by another", eve, { roleId: sales.id });
  await remove("without a session", s.client(), { roleName: "desk" });
  await remove("by an admin", bob, { roleName: "desk" });
  await role("member", ann, { memberId: cids.id, role: "member" });
  await remove("sales by its id", ann, { roleId: sales.id });
  await may(s, "nothing any more", cid, { permissions: { project: ["delete"] } });
  await role("deleted", ann, { memberId: bobs.id, role: "sales" });
  await s.step("list", () => get(ann, "list-roles"));
  for (const path of ["create-role", "update-role", "delete-role"]) await s.step(`GET ${path}`, () => get(ann, path));
  for (const path of ["list-roles", "get-role"]) await s.step(`POST ${path}`, () => post(ann, path, {}));
  await s.step("the organization goes", () => post(eve, "delete", { organizationId: other.id }));
}

async function limited(s) {
  const [ann, bob] = await signUp(s, "ann", "bob");
  const one = await found(s, ann, "one");
  const create = (label, c, body) => s.step(`create ${label}`, () => post(c, "create-role", body));
  await create("without a colour", ann, { role: "x", permission: {}, additionalFields: {} });
  await create("with one outside", ann, { role: "x", permission: { team: ["create"] }, additionalFields: { colour: "red", extra: 1 } });
  await create("a second", ann, { role: "y", permission: {}, additionalFields: { colour: "blue" } });
  await create("a third", ann, { role: "z", permission: {} });
  await create("the limit comes before the resource", ann, { role: "z", permission: { nope: ["x"] } });
  await s.step("list", () => get(ann, "list-roles"));
  await s.step("update", () => post(ann, "update-role", { roleName: "x", data: { colour: "green" } }));
  await s.step("update, wrong", () => post(ann, "update-role", { roleName: "x", data: { colour: 5 } }));
  await s.step("delete", () => ann.api.organization.deleteRole({ roleName: "x" }));
  await create("there is room", ann, { role: "z", permission: {}, additionalFields: { colour: "c" } });
  await join(s, ann, bob, one.id, "z");
  await may(s, "nothing", bob, { permissions: { ac: ["read"] } });
  await s.step("not even read", () => get(bob, "list-roles"));
  await s.step("nor leave with it in use", () => post(ann, "delete-role", { roleName: "z" }));
}

async function off(s) {
  const [ann] = await signUp(s, "ann");
  await found(s, ann, "one");
  for (const path of ["create-role", "update-role", "delete-role"]) await s.step(path, () => post(ann, path, { role: "x", permission: {}, roleName: "x", data: {} }));
  for (const path of ["list-roles", "get-role", "list-teams", "list-user-teams", "list-team-members"]) await s.step(path, () => get(ann, path));
  for (const path of ["create-team", "update-team", "remove-team", "set-active-team", "add-team-member", "remove-team-member", "add-member"]) await s.step(path, () => post(ann, path, { name: "x", teamId: "x", userId: "x", data: {} }));
}

const plugins = ["organization"];
const all = (extra) => ({ ...own, member: ["create", "update", "delete"], team: ["create", "update", "delete"], ...extra });
const base = { statements, roles: { owner: all(), admin: all({ organization: ["update"] }), member: { ac: ["read"] } } };
export const parts = [
  { name: "permission", run: permission, plugins, options: {} },
  { name: "custom", run: custom, plugins, options: { organization: { statements, roles, creatorRole: "boss" } } },
  { name: "dynamic", run: dynamic, plugins, options: { organization: { ...base, dynamicAccessControl: true } } },
  { name: "limited", run: limited, plugins, options: { organization: { dynamicAccessControl: { maximumRolesPerOrganization: 2 }, schema: { organizationRole: { additionalFields: { colour: { type: "string", required: false } } } } } } },
  { name: "off", run: off, plugins, options: {} },
];

// Members: lists with filters, order and pages; roles that change; who may remove whom; leaving; limits.
import { found, get, join, post, signUp } from "../organization.mjs";

async function lists(s) {
  const [ann, bob, cid, eve] = await signUp(s, "ann", "bob", "cid", "eve");
  const one = await found(s, ann, "one"), two = await found(s, ann, "two", { keepCurrentActiveOrganization: true });
  await found(s, eve, "other");
  const bobs = await join(s, ann, bob, one.id, "admin");
  await join(s, ann, cid, one.id, ["member", "admin"]);
  const list = (label, query, c = ann) => s.step(`list ${label}`, () => get(c, "list-members", query));
  await list("the active one's");
  await list("by a member", "", cid);
  await list("by id", { organizationId: two.id });
  await list("by slug", { organizationSlug: "two" });
  await list("by both: the slug counts", { organizationId: one.id, organizationSlug: "two" });
  await list("unknown slug", { organizationSlug: "nope" });
  await list("unknown id", { organizationId: "nope" });
  await list("another's", { organizationSlug: "other" });
  await list("by a stranger", { organizationId: one.id }, eve);
  await list("without a session", { organizationId: one.id }, s.client());
  for (const q of ["limit=1", "limit=2&offset=1", "offset=1", "offset=9", "limit=0", "limit=", "limit=abc", "offset=abc", "limit=1&limit=2", "limit=1e0", "limit= 2 "]) await list(q, q);
  const by = (sortBy, sortDirection) => ({ sortBy, ...(sortDirection && { sortDirection }) });
  for (const [field, way] of [["role"], ["role", "asc"], ["role", "desc"], ["createdAt"], ["createdAt", "desc"], ["createdAt", ""], ["createdAt", "up"], ["", "desc"], [["role", "createdAt"]]]) await list(`sorted ${field} ${way}`, by(field, way));
  await list("a direction alone", { sortDirection: "desc" });
  await list("the last first, one of them", { ...by("createdAt", "desc"), limit: 1, offset: 1 });
  const filter = (filterField, filterValue, filterOperator) => ({ filterField, ...(filterValue !== undefined && { filterValue }), ...(filterOperator !== undefined && { filterOperator }) });
  for (const f of [["role", "admin"], ["role", "admin", "eq"], ["role", "admin", "ne"], ["role", "admin", "contains"], ["role", "adm", "starts_with"], ["role", "min", "ends_with"],
    ["role", ["owner", "admin"], "in"], ["role", ["owner", "admin"], "not_in"], ["role", "b", "lt"], ["role", "b", "gt"], ["role", "admin", "lte"], ["role", "admin", "gte"],
    ["role", "nope"], ["role", ""], ["role", "ADMIN"], ["role", "admin", "like"], ["role", "admin", ""], ["", "admin"]]) await list(`where ${JSON.stringify(f)}`, filter(...f));
  await list("where the user is", filter("userId", bob.id));
  await list("where the id is", filter("id", bobs.id));
  await list("where the organization is another", filter("organizationId", two.id));
  await list("where and sorted, one of them", { ...filter("role", "owner", "ne"), ...by("createdAt", "desc"), limit: 1 });
  await list("a value and no field", { filterValue: "admin" });
  await s.step("through the client", () => ann.api.organization.listMembers({ query: { limit: 1, sortBy: "createdAt", filterField: "role", filterOperator: "in", filterValue: ["owner", "admin"] } }));
  await s.step("active member", () => get(cid, "get-active-member"));
  await s.step("through the client", () => cid.api.organization.getActiveMemberRole());
  const role = (label, query, c = ann) => s.step(`role ${label}`, () => get(c, "get-active-member-role", query));
  await role("of her own");
  await role("of bob", { userId: bob.id });
  await role("of bob, asked by a member", { userId: bob.id }, cid);
  await role("of bob in two", { userId: bob.id, organizationId: two.id });
  await role("in two, by slug", { organizationSlug: "two" });
  await role("of a stranger", { userId: eve.id });
  await role("unknown user", { userId: "nope" });
  await role("empty", { userId: "", organizationId: "", organizationSlug: "" });
  await role("unknown organization", { organizationId: "nope" });
  await role("unknown slug", { organizationSlug: "nope" });
  await role("of another's", { organizationSlug: "other" });
  await role("twice", { userId: [bob.id, cid.id] });
  await role("without a session", "", s.client());
  await s.step("active member without a session", () => get(s.client(), "get-active-member"));
}

async function roles(s) {
  const [ann, bob, cid, dan, eve] = await signUp(s, "ann", "bob", "cid", "dan", "eve");
  const one = await found(s, ann, "one");
  const anns = (await s.step("ann's", () => get(ann, "get-active-member"))).body;
  const bobs = await join(s, ann, bob, one.id, "admin"), cids = await join(s, ann, cid, one.id), dans = await join(s, ann, dan, one.id);
  const set = (label, c, body) => s.step(`role: ${label}`, () => post(c, "update-member-role", body));
  for (const body of [undefined, {}, [], { role: "member" }, { memberId: cids.id }, { memberId: cids.id, role: 5 }, { memberId: cids.id, role: [5] }, { memberId: cids.id, role: null }, { memberId: 5, role: "member" },
    { memberId: cids.id, role: "member", organizationId: 5 }, { memberId: cids.id, role: "member", organizationId: null }, { memberId: cids.id, role: "" }, { memberId: cids.id, role: " , " }, { memberId: cids.id, role: [] }, { memberId: cids.id, role: [""] },
    { memberId: "nope", role: "member" }, { memberId: "", role: "member" }, { memberId: cid.id, role: "member" }, { memberId: cids.id, role: "boss" }, { memberId: cids.id, role: "admin,boss,chief" }, { memberId: cids.id, role: "Admin" },
    { memberId: cids.id, role: "member", organizationId: "nope" }])
    await set(JSON.stringify(body)?.replace(cids.id, "cid's").replace(cid.id, "cid"), ann, body);
  await set("through the client", { api: null, raw: (m, p, body) => ann.api.organization.updateMemberRole(body) }, { memberId: cids.id, role: "admin" });
  await set("several", ann, { memberId: cids.id, role: ["member", " admin", "member"] });
  await set("several as text", ann, { memberId: cids.id, role: " admin , member," });
  await set("an admin makes a member an admin", bob, { memberId: dans.id, role: "admin" });
  await set("and back", bob, { memberId: dans.id, role: "member" });
  await set("an admin makes no owner", bob, { memberId: dans.id, role: "owner" });
  await set("nor one among others", bob, { memberId: dans.id, role: ["member", "owner"] });
  await set("nor of himself", bob, { memberId: bobs.id, role: "owner" });
  await set("an admin does not touch an owner", bob, { memberId: anns.id, role: "member" });
  await set("a member changes nobody", dan, { memberId: cids.id, role: "member" });
  await set("nor himself", dan, { memberId: dans.id, role: "admin" });
  await set("an unknown role by a member", dan, { memberId: dans.id, role: "boss" });
  await set("a stranger", eve, { memberId: dans.id, role: "admin", organizationId: one.id });
  await set("without a session", s.client(), { memberId: dans.id, role: "admin", organizationId: one.id });
  await set("the only owner stays one", ann, { memberId: anns.id, role: "admin" });
  await set("and may be more", ann, { memberId: anns.id, role: "owner,admin" });
  await set("a second owner", ann, { memberId: bobs.id, role: ["admin", "owner"] });
  await set("the second demotes the first", bob, { memberId: anns.id, role: "member" });
  await set("who is none any more", ann, { memberId: dans.id, role: "admin" });
  await set("the last does not demote himself", bob, { memberId: bobs.id, role: "admin" });
  await set("an admin steps down", bob, { memberId: cids.id, role: "admin" });
  await set("by himself", cid, { memberId: cids.id, role: "member" });
  await s.step("roles at the end", () => get(bob, "list-members", { sortBy: "createdAt" }));
}

async function leaving(s) {
  const [ann, bob, cid, dan, eve] = await signUp(s, "ann", "bob", "cid", "dan", "eve");
  const one = await found(s, ann, "one"), other = await found(s, eve, "other");
  const anns = (await s.step("ann's", () => get(ann, "get-active-member"))).body;
  const bobs = await join(s, ann, bob, one.id, "admin"), cids = await join(s, ann, cid, one.id, "admin"), dans = await join(s, ann, dan, one.id);
  const remove = (label, c, memberIdOrEmail, more) => s.step(`remove: ${label}`, () => post(c, "remove-member", { memberIdOrEmail, ...more }));
  for (const body of [undefined, {}, [], { memberIdOrEmail: 5 }, { memberIdOrEmail: null }, { memberIdOrEmail: "x", organizationId: 5 }, { memberIdOrEmail: "x", organizationId: null }, { memberId: "x" }]) await s.step(`remove ${JSON.stringify(body)}`, () => post(ann, "remove-member", body));
  for (const who of ["", "nope", "@", "nobody@example.com", "eve@example.com", dan.id]) await remove(who === dan.id ? "a user's id" : who, ann, who);
  await remove("unknown organization", ann, dans.id, { organizationId: "nope" });
  await remove("by a member", dan, bobs.id);
  await remove("a member himself", dan, dans.id);
  await remove("the owner, by a member", dan, anns.id);
  await remove("the owner, by an admin", bob, anns.id);
  await remove("the only owner, by herself", ann, anns.id);
  await remove("the only owner, by address", ann, "ann@example.com");
  await remove("by a stranger", eve, dans.id, { organizationId: one.id });
  await remove("in the name of another organization", eve, dans.id, { organizationId: other.id });
  await remove("by address, there", eve, "dan@example.com");
  await remove("without a session", s.client(), dans.id, { organizationId: one.id });
  await remove("an admin, by an admin", bob, cids.id);
  await remove("again", bob, cids.id);
  await remove("by address", bob, "DAN@example.com");
  await s.step("who may be invited again", () => post(ann, "invite-member", { email: "dan@example.com", role: "member" }));
  const leave = (label, c, organizationId) => s.step(`leave: ${label}`, () => post(c, "leave", { organizationId }));
  for (const id of [undefined, 5, null, "", "nope"]) await leave(JSON.stringify(id), ann, id);
  await leave("a stranger", eve, one.id);
  await leave("without a session", s.client(), one.id);
  await leave("the only owner", ann, one.id);
  await s.step("a second owner", () => post(ann, "update-member-role", { memberId: bobs.id, role: "owner" }));
  await leave("the first goes", ann, one.id);
  await leave("the last does not", bob, one.id);
  await remove("nor so", bob, bobs.id);
  await join(s, bob, ann, one.id, "owner");
  await remove("an owner removes an owner", bob, "ann@example.com");
  await s.step("the end", () => get(bob, "list-members", { sortBy: "createdAt" }));
  await s.step("ann's", () => get(ann, "list"));
}

async function limited(s) {
  const [ann, bob, cid] = await signUp(s, "ann", "bob", "cid");
  const one = await found(s, ann, "one");
  const ids = [];
  for (const c of [bob, cid]) ids.push((await s.step("invite", () => post(ann, "invite-member", { email: c.who.email, role: "member" }))).body.id);
  await s.step("the second", () => post(bob, "accept-invitation", { invitationId: ids[0] }));
  await s.step("the third", () => post(cid, "accept-invitation", { invitationId: ids[1] }));
  await s.step("the invitation is pending", () => get(cid, "get-invitation", { id: ids[1] }));
  await s.step("the list has as many", () => get(ann, "list-members", { sortBy: "createdAt" }));
  await s.step("bob goes", () => post(bob, "leave", { organizationId: one.id }));
  await s.step("there is room", () => post(cid, "accept-invitation", { invitationId: ids[1] }));
}

const plugins = ["organization"];
export const parts = [
  { name: "lists", run: lists, plugins, options: {} },
  { name: "roles", run: roles, plugins, options: {} },
  { name: "leaving", run: leaving, plugins, options: {} },
  { name: "limited", run: limited, plugins, options: { organization: { membershipLimit: 2 } } },
];

// Organizations: what create, update, delete, get, full, list and check-slug take, answer and refuse.
import { active, base, found, get, join, post, signUp } from "../organization.mjs";

async function create(s) {
  const [ann, bob] = await signUp(s, "ann", "bob");
  for (const body of [undefined, {}, [], null, "nonsense", { name: "a" }, { slug: "a" }, { name: "", slug: "" }, { name: 1, slug: 2 }, { name: null, slug: "a" },
    { name: "a", slug: "a", logo: 5 }, { name: "a", slug: "a", metadata: "text" }, { name: "a", slug: "a", metadata: null }, { name: "a", slug: "a", metadata: [1] },
    { name: "a", slug: "a", keepCurrentActiveOrganization: "yes" }, { name: "a", slug: "a", keepCurrentActiveOrganization: null }])
    await s.step(`create ${JSON.stringify(body)}`, () => post(ann, "create", body));
  for (const slug of [undefined, 5, null]) await s.step(`check-slug ${JSON.stringify(slug)}`, () => post(ann, "check-slug", { slug }));
  await s.step("check-slug, empty", () => post(ann, "check-slug", { slug: "" }));
  await s.step("check-slug without a session", () => post(s.client(), "check-slug", { slug: "one" }));
  const one = await found(s, ann, "one", { logo: "https://example.com/one.png", metadata: { plan: "free", list: [1, { a: null }], "ü": "😀" } });
  await s.step("check-slug, taken", () => post(ann, "check-slug", { slug: "one" }));
  await s.step("check-slug, in capitals", () => post(ann, "check-slug", { slug: "ONE" }));
  await s.step("check-slug, taken, by a stranger", () => post(bob, "check-slug", { slug: "one" }));
  await s.step("check-slug, spaces around it", () => post(ann, "check-slug", { slug: " one " }));
  await active(s, ann, "one is active", { one: one.id });
  await s.step("the slug is taken", () => post(bob, "create", { name: "other", slug: "one" }));
  const two = await found(s, ann, "two", { logo: null, metadata: {}, keepCurrentActiveOrganization: true });
  await active(s, ann, "one is still active", { one: one.id, two: two.id });
  const three = await found(s, ann, "Drei Ümläute & Söhne/..", { id: "chosen", createdAt: "2001-01-01T00:00:00.000Z", members: [{ role: "x" }], extra: 1 });
  await active(s, ann, "three is active", { one: one.id, two: two.id, three: three.id });
  s.note("ids", { chosen: three.id === "chosen", length: three.id.length });
  await s.step("for another user", () => post(ann, "create", { name: "four", slug: "four", userId: bob.id }));
  await s.step("for a number", () => post(ann, "create", { name: "five", slug: "five", userId: 5, keepCurrentActiveOrganization: true }));
  await s.step("in bob's name, without a session", () => post(s.client(), "create", { name: "six", slug: "six", userId: bob.id }));
  await s.step("without a session", () => post(s.client(), "create", { name: "six", slug: "six" }));
  await s.step("without a session, and wrong", () => post(s.client(), "create", { name: "" }));
  await s.step("ann's", () => ann.api.organization.list());
  await s.step("bob's", () => bob.api.organization.list());
  await s.step("no list without a session", () => get(s.client(), "list"));
  for (const path of ["create", "update", "delete", "check-slug", "set-active"]) await s.step(`GET ${path}`, () => get(ann, path));
  for (const path of ["list", "get-organization", "get-full-organization", "nothing", ""]) await s.step(`POST ${path}`, () => post(ann, path, {}));
  await s.step("a form", () => post(ann, "create", "name=a&slug=a", { "content-type": "application/x-www-form-urlencoded" }));
  await s.step("a query instead of a body", () => ann.raw("POST", `${base}/create?name=a&slug=a`));
}

async function read(s) {
  const [ann, bob, eve] = await signUp(s, "ann", "bob", "eve");
  for (const path of ["get-organization", "get-full-organization"]) {
    await s.step(`${path}, none active`, () => get(ann, path));
    await s.step(`${path}, no session`, () => get(s.client(), path));
  }
  const one = await found(s, ann, "one", { metadata: { a: 1 } }), two = await found(s, ann, "two"), other = await found(s, eve, "other");
  await join(s, ann, bob, one.id);
  await s.step("eve is invited", () => post(ann, "invite-member", { email: "eve@example.com", role: "member", organizationId: one.id }));
  for (const path of ["get-organization", "get-full-organization"]) {
    await s.step(`${path}, the active one`, () => get(ann, path));
    await s.step(`${path}, of bob`, () => get(bob, path));
    await s.step(`${path}, by id`, () => get(ann, path, { organizationId: one.id }));
    await s.step(`${path}, by slug`, () => get(ann, path, { organizationSlug: "one" }));
    await s.step(`${path}, by both: the slug counts`, () => get(ann, path, { organizationId: one.id, organizationSlug: "two" }));
    await s.step(`${path}, empty`, () => get(ann, path, { organizationId: "", organizationSlug: "" }));
    await s.step(`${path}, an id as the slug`, () => get(ann, path, { organizationSlug: one.id }));
    await s.step(`${path}, unknown id`, () => get(ann, path, { organizationId: "nope" }));
    await s.step(`${path}, unknown slug`, () => get(ann, path, { organizationSlug: "nope" }));
    await s.step(`${path}, twice`, () => get(ann, path, { organizationId: [one.id, two.id] }));
    await active(s, ann, "two is active", { two: two.id });
    for (const query of [{ organizationId: other.id }, { organizationSlug: "other" }]) {
      await s.step(`${path}, another's ${JSON.stringify(query).replace(other.id, "id")}`, () => get(ann, path, query));
      await s.step("back", () => post(ann, "set-active", { organizationId: two.id }));
    }
  }
  const full = (label, query, c = ann) => s.step(`full ${label}`, () => get(c, "get-full-organization", { organizationId: one.id, ...query }));
  for (const membersLimit of ["1", "2", "0", "abc", "", "1x"]) await full(`membersLimit=${membersLimit}`, { membersLimit });
  await full("membersLimit twice", { membersLimit: ["1", "2"] });
  await s.step("through the client", () => ann.api.organization.getFullOrganization({ query: { organizationId: one.id, membersLimit: 1 } }));
  await s.step("no teams here", () => get(ann, "list-teams"));
  await s.step("no roles here", () => get(ann, "list-roles"));
}

async function update(s) {
  const [ann, bob, eve] = await signUp(s, "ann", "bob", "eve");
  await s.step("none active", () => post(ann, "update", { data: { name: "x" } }));
  const one = await found(s, ann, "one", { logo: "l", metadata: { a: 1, b: 2 } });
  const two = await found(s, ann, "two", { keepCurrentActiveOrganization: true });
  await found(s, eve, "other");
  await join(s, ann, bob, one.id);
  for (const body of [undefined, {}, [], { data: null }, { data: [] }, { data: "x" }, { data: { name: "" } }, { data: { slug: "" } }, { data: { name: 1, slug: 2, logo: 3, metadata: 4 } },
    { data: { metadata: "text" } }, { data: { metadata: null } }, { data: { name: null } }, { data: { name: "x" }, organizationId: 5 }, { data: { name: "x" }, organizationId: null }, { name: "x" }])
    await s.step(`update ${JSON.stringify(body)}`, () => post(ann, "update", body));
  await s.step("a name, of the active one", () => post(ann, "update", { data: { name: "Eins" } }));
  await s.step("through the client", () => ann.api.organization.update({ data: { metadata: { c: 3 } } }));
  await s.step("empty metadata", () => post(ann, "update", { data: { metadata: {} } }));
  await s.step("the logo goes", () => post(ann, "update", { data: { logo: null } }));
  await s.step("an empty logo", () => post(ann, "update", { data: { logo: "" } }));
  await s.step("its own slug", () => post(ann, "update", { data: { slug: "one" } }));
  await s.step("another slug", () => post(ann, "update", { data: { slug: "eins" } }));
  await s.step("the old one is free", () => post(ann, "check-slug", { slug: "one" }));
  for (const slug of ["two", "other"]) await s.step(`the slug ${slug} is taken`, () => post(ann, "update", { data: { slug } }));
  await s.step("what is not to be set", () => post(ann, "update", { data: { name: "x", id: "chosen", createdAt: "2001-01-01T00:00:00.000Z", members: [], extra: 1 } }));
  await s.step("the other by id", () => post(ann, "update", { organizationId: two.id, data: { name: "Zwei" } }));
  await s.step("an empty id is none: the active one", () => post(ann, "update", { organizationId: "", data: { name: "Eins" } }));
  await s.step("by a member", () => post(bob, "update", { organizationId: one.id, data: { name: "Bobs" } }));
  await s.step("by a stranger", () => post(eve, "update", { organizationId: one.id, data: { name: "Eves" } }));
  await s.step("unknown", () => post(ann, "update", { organizationId: "nope", data: { name: "x" } }));
  await s.step("without a session", () => post(s.client(), "update", { organizationId: one.id, data: { name: "x" } }));
  await s.step("wrong, without a session", () => post(s.client(), "update", {}));
  await s.step("as it is", () => get(ann, "get-organization", { organizationId: one.id }));
  await s.step("delete: by a member", () => post(bob, "delete", { organizationId: one.id }));
  await s.step("delete: by a stranger", () => post(eve, "delete", { organizationId: one.id }));
  for (const body of [undefined, {}, { organizationId: 5 }, { organizationId: null }, { organizationId: "" }, { organizationId: "nope" }, { organizationSlug: "eins" }])
    await s.step(`delete ${JSON.stringify(body)}`, () => post(ann, "delete", body));
  await s.step("delete: without a session", () => post(s.client(), "delete", { organizationId: one.id }));
  await s.step("delete: with a query", () => ann.raw("POST", `${base}/delete?organizationId=${one.id}`));
  await s.step("delete: one that is not active", () => post(ann, "delete", { organizationId: two.id }));
  await active(s, ann, "one is active", { one: one.id });
  await s.step("delete: the active one", () => ann.api.organization.delete({ organizationId: one.id }));
  await active(s, ann, "none is", { one: one.id });
  await active(s, bob, "in bob's session it still is", { one: one.id });
  await s.step("bob sees nothing", () => get(bob, "get-full-organization"));
  await s.step("bob's list", () => get(bob, "list"));
  await s.step("delete: again", () => post(ann, "delete", { organizationId: one.id }));
  await s.step("the slug is free", () => post(ann, "check-slug", { slug: "eins" }));
  await found(s, bob, "eins");
}

async function limited(s) {
  const [ann, bob] = await signUp(s, "ann", "bob");
  const one = await found(s, ann, "one");
  await found(s, ann, "two");
  await s.step("a third", () => post(ann, "create", { name: "three", slug: "three" }));
  await s.step("the limit comes before the slug", () => post(ann, "create", { name: "three", slug: "one" }));
  await join(s, ann, bob, one.id);
  await found(s, bob, "bobs");
  await s.step("memberships count too", () => post(bob, "create", { name: "three", slug: "three" }));
  await s.step("leave", () => post(bob, "leave", { organizationId: one.id }));
  await found(s, bob, "three");
  await s.step("deletion is off", () => post(ann, "delete", { organizationId: one.id }));
  await s.step("for a stranger too", () => post(bob, "delete", { organizationId: one.id }));
  await s.step("and without a session", () => post(s.client(), "delete", { organizationId: one.id }));
  await s.step("but not before the input", () => post(ann, "delete", {}));
}

async function forbidden(s) {
  const [ann] = await signUp(s, "ann");
  await s.step("create", () => post(ann, "create", { name: "one", slug: "one" }));
  await s.step("wrong input", () => post(ann, "create", { name: "" }));
  await s.step("without a session", () => post(s.client(), "create", { name: "one", slug: "one" }));
  await s.step("check-slug", () => post(ann, "check-slug", { slug: "one" }));
  await s.step("none", () => get(ann, "list"));
}

async function fields(s) {
  const [ann, bob] = await signUp(s, "ann", "bob");
  const post1 = (label, path, body) => s.step(`${label} ${JSON.stringify(body)}`, () => post(ann, path, body));
  for (const more of [{}, { tax: 5 }, { tax: null }, { tax: "t", seats: "3" }, { tax: "t", open: "true" }]) await post1("create", "create", { name: "x", slug: "x", ...more });
  const one = await found(s, ann, "one", { tax: "DE1", seats: 3, secret: "s", fixed: "mine", open: true });
  await found(s, ann, "two", { tax: "", seats: null, open: null, keepCurrentActiveOrganization: true });
  for (const data of [{ tax: "DE2" }, { seats: 4, open: false }, { seats: "x" }, { tax: "DE3", fixed: "mine" }, { secret: "t" }, { seats: null }]) await post1("update", "update", { data });
  await s.step("get", () => get(ann, "get-organization"));
  await s.step("list", () => get(ann, "list"));
  await s.step("invite without its field", () => post(ann, "invite-member", { email: "bob@example.com", role: "member" }));
  await s.step("invite with one of a wrong type", () => post(ann, "invite-member", { email: "bob@example.com", role: "member", note: 5 }));
  await join(s, ann, bob, one.id, "member", { note: "welcome" });
  await s.step("invitations", () => get(ann, "list-invitations"));
  await s.step("members", () => get(ann, "list-members"));
  await s.step("full", () => get(ann, "get-full-organization"));
  await s.step("the member", () => get(bob, "get-active-member"));
}

const plugins = ["organization"];
const part = (run, organization, more) => ({ name: run.name, run, plugins, options: { ...(organization && { organization }), ...more } });
export const parts = [
  part(create), part(read), part(update),
  part(limited, { organizationLimit: 2, disableOrganizationDeletion: true }),
  part(forbidden, { allowUserToCreateOrganization: false }),
  part(fields, { schema: {
    organization: { additionalFields: { tax: { type: "string" }, seats: { type: "number", required: false }, open: { type: "boolean", required: false, defaultValue: false }, secret: { type: "string", required: false, returned: false }, fixed: { type: "string", required: false, input: false, defaultValue: "ours" } } },
    member: { additionalFields: { title: { type: "string", required: false, defaultValue: "none" } } },
    invitation: { additionalFields: { note: { type: "string" } } },
  } }),
];

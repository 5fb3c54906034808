// What the scenarios of the organization plugin share: people, requests, memberships.
export const base = "/api/auth/organization";
export const person = (n) => ({ email: `${n}@example.com`, password: "correct horse 1", name: n });
export const post = (c, path, body, h) => c.raw("POST", `${base}/${path}`, body, h);
/** GET with a query that is an object (whose lists repeat the name) or text. */
export const get = (c, path, query = "") => {
  const q = typeof query === "string" ? query : new URLSearchParams(Object.entries(query).flatMap(([k, v]) => [v].flat().map((x) => [k, x]))).toString();
  return c.raw("GET", `${base}/${path}${q && `?${q}`}`);
};

/** Signs each of them up; answers their clients, which know whose they are. */
export async function signUp(s, ...names) {
  const all = [];
  for (const n of names) {
    const c = Object.assign(s.client(), { who: person(n) });
    const { data } = await s.step(`${n} signs up`, () => c.api.signUp.email(c.who));
    all.push(Object.assign(c, { id: data.user?.id }));
  }
  return all;
}

/** Founds an organization whose name and slug are `slug`. */
export const found = async (s, c, slug, more = {}) => (await s.step(`${slug} is founded`, () => post(c, "create", { name: slug, slug, ...more }))).body;

/** Invites c's user and accepts; answers the member. */
export async function join(s, by, c, organizationId, role = "member", more = {}) {
  const { body } = await s.step(`${c.who.name} is invited`, () => post(by, "invite-member", { email: c.who.email, role, organizationId, ...more }));
  const { body: accepted } = await s.step(`${c.who.name} joins`, () => post(c, "accept-invitation", { invitationId: body.id }));
  return accepted.member;
}

/** What the session says of the active organization and team: none, or which of `known`; `query` as get-session's. */
export async function active(s, c, label, known = {}, query = {}) {
  const { data } = await s.step(label, () => c.api.getSession({ query }));
  const name = (id) => (id == null ? "none" : Object.keys(known).find((k) => known[k] === id) ?? "another");
  s.note(`${label}: active`, { organization: name(data?.session.activeOrganizationId), team: name(data?.session.activeTeamId) });
}

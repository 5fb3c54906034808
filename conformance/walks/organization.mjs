// Four people, their organizations, invitations, members, teams and roles.
import { given, parts as walk } from "../walk.mjs";

const base = "/api/auth/organization";

const setUp = (random) => {
  const some = (p, o) => (random.chance(p) ? o : {}), yes = () => random.chance(0.5), upTo = (n) => 1 + Math.floor(random.next() * n);
  const teams = { ...some(0.3, { maximumTeams: upTo(3) }), ...some(0.3, { maximumMembersPerTeam: upTo(3) }), ...some(0.3, { allowRemovingAllTeams: yes() }), ...some(0.2, { defaultTeam: { enabled: yes() } }) };
  return {
    plugins: ["organization"],
    options: {
      ...some(0.2, { cookieCache: { maxAge: 60 } }), ...some(0.6, { teams }),
      organization: {
        requireEmailVerificationOnInvitation: false, ...some(0.2, { allowUserToCreateOrganization: random.chance(0.8) }), ...some(0.2, { organizationLimit: upTo(3) }),
        ...some(0.2, { membershipLimit: upTo(4) }), ...some(0.2, { invitationLimit: upTo(4) }), ...some(0.2, { cancelPendingInvitationsOnReInvite: yes() }),
        ...some(0.2, { creatorRole: yes() ? "admin" : "owner" }), ...some(0.15, { disableOrganizationDeletion: true }),
        ...some(0.4, { dynamicAccessControl: { enabled: true, ...some(0.3, { maximumRolesPerOrganization: upTo(3) }) } }),
      },
    },
  };
};

async function start(s, random) {
  const pick = (...list) => random.pick(list);
  const people = [], organizations = [], invitations = [], members = [], teams = [];
  let last, n = 0;
  const call = (x, label, method, path, arg = {}) => s.unordered(`${++n} ${x.name}: ${label}`, () => {
    if (method === "POST") return x.client.raw(method, `${base}/${path}`, given(arg));
    const query = new URLSearchParams(given(arg)).toString();
    return x.client.raw(method, `${base}/${path}${query && `?${query}`}`);
  });
  for (const name of ["ann", "bob", "cid", "dan"]) {
    const client = s.client(), email = `${name}@example.com`;
    const { data } = await s.step(`${name} signs up`, () => client.api.signUp.email({ email, password: "correct horse 1", name }));
    people.push({ name, client, email, id: data.user.id });
  }
  const anyone = () => random.pick(people), invited = (i, p, x) => people.find((u) => u.email === i?.email && random.chance(p)) ?? x;

  // What is sent: mostly what fits, at times anything.
  const odd = () => pick(5, null, "", "nope", {}, [], true);
  const anOrganization = () => pick(undefined, undefined, random.pick(organizations)?.id, random.pick(organizations)?.id, random.pick(organizations)?.id, random.chance(0.2) ? odd() : undefined);
  const organizationOfQuery = () => pick(undefined, undefined, random.pick(organizations)?.id, random.pick(organizations)?.id, "nope");
  const aRole = () => pick("member", "member", "admin", "owner", ["member", "admin"], "own", "made", "nope", "member,admin", random.chance(0.3) ? odd() : "member");
  const one = (list) => (random.chance(0.1) ? odd() : (random.pick(list)?.id ?? "nope"));
  const learn = (list, more = []) => { for (const x of more) if (x.id && !list.some((y) => y.id === x.id)) list.push(x); };
  const forget = (i) => invitations.splice(invitations.indexOf(i), 1);

  // Reading another's organization takes the active one out of Better Auth's session and not out of Sallyport's: here out of
  // both, by a request that is not compared.
  const reads = async (x, label, path, arg) => {
    if ((await call(x, label, "GET", path, arg)).status !== 403) return;
    await x.client.raw("POST", `${base}/set-active`, { organizationId: null });
    s.transcript.pop();
  };

  const acts = {
    create: async (x) => {
      const slug = `slug${organizations.length}`;
      const { status, body } = await call(x, "creates", "POST", "create", { name: pick("One", "One", "", odd()), slug: pick(slug, slug, slug, "slug0", "", odd()), logo: pick(undefined, "logo", null), metadata: pick(undefined, { a: 1 }, null), keepCurrentActiveOrganization: pick(undefined, true, false) });
      if (status !== 200) return;
      organizations.push(body);
      learn(members, body.members);
      learn(teams, body.teams);
    },
    checkSlug: (x) => call(x, "is the slug free", "POST", "check-slug", { slug: pick("slug0", "slug1", "free") }),
    update: (x) => call(x, "updates", "POST", "update", { data: pick({ name: "New" }, { logo: "x" }, { metadata: { b: 2 } }, { slug: `new${n}` }, { slug: "slug0" }, { name: "" }, { slug: "" }, { name: 5 }), organizationId: anOrganization() }),
    remove: (x) => call(x, "deletes", "POST", "delete", { organizationId: pick(random.pick(organizations)?.id, "nope", odd()) }),
    full: (x) => reads(x, "reads all", "get-full-organization", { organizationId: organizationOfQuery(), organizationSlug: pick(undefined, undefined, undefined, "slug0"), membersLimit: pick(undefined, undefined, 1) }),
    read: (x) => reads(x, "reads", "get-organization", { organizationId: organizationOfQuery() }),
    list: (x) => call(x, "lists", "GET", "list"),
    setActive: (x) => call(x, "sets the active one", "POST", "set-active", pick({ organizationId: anOrganization() }, { organizationSlug: pick("slug0", "slug1", "nope") }, { organizationId: null }, {})),
    session: async (x) => {
      const { body } = await s.step(`${++n} ${x.name}: session`, () => x.client.raw("GET", "/api/auth/get-session"));
      const which = (id, list) => (id == null ? "none" : list.findIndex((o) => o.id === id));
      s.note(`${n} active`, { organization: which(body?.session?.activeOrganizationId, organizations), team: which(body?.session?.activeTeamId, teams) });
    },

    invite: async (x) => {
      const { status, body } = await call(x, "invites", "POST", "invite-member", { email: pick(anyone().email, anyone().email, anyone().email.toUpperCase(), `new${n % 3}@example.com`, "nonsense", odd()), role: aRole(), organizationId: anOrganization(), resend: pick(undefined, undefined, true, false), teamId: teams.length && random.chance(0.3) ? pick(one(teams), [random.pick(teams).id]) : undefined });
      if (status === 200 && body?.id) invitations.push(body);
    },
    accept: async (x) => {
      const i = random.pick(invitations);
      const { status, body } = await call(invited(i, 0.9, x), "accepts", "POST", "accept-invitation", { invitationId: i?.id ?? "nope" });
      if (status === 200) { forget(i); learn(members, [body.member]); }
    },
    reject: async (x) => { const i = random.pick(invitations); if ((await call(invited(i, 0.9, x), "rejects", "POST", "reject-invitation", { invitationId: i?.id ?? "nope" })).status === 200) forget(i); },
    cancel: async (x) => { const i = random.pick(invitations); if ((await call(x, "cancels", "POST", "cancel-invitation", { invitationId: i?.id ?? "nope" })).status === 200) forget(i); },
    invitation: (x) => { const i = random.pick(invitations); return call(invited(i, 0.7, x), "reads an invitation", "GET", "get-invitation", { id: i?.id ?? pick("nope", undefined) }); },
    invitations: (x) => call(x, "lists invitations", "GET", "list-invitations", { organizationId: organizationOfQuery() }),
    ownInvitations: (x) => call(x, "lists their own invitations", "GET", "list-user-invitations"),

    // Members of another organization are not found, which is a difference: each is sought where they are.
    setRole: (x) => { const m = random.chance(0.9) ? random.pick(members) : undefined; return call(x, "sets a role", "POST", "update-member-role", { memberId: m ? m.id : odd(), role: aRole(), organizationId: m ? m.organizationId : anOrganization() }); },
    removeMember: (x) => call(x, "removes a member", "POST", "remove-member", { memberIdOrEmail: pick(one(members), one(members), anyone().email, "nobody@example.com"), organizationId: anOrganization() }),
    leave: (x) => call(x, "leaves", "POST", "leave", { organizationId: pick(random.pick(organizations)?.id, "nope", odd()) }),
    members: (x) => call(x, "lists members", "GET", "list-members", { organizationId: organizationOfQuery(), organizationSlug: pick(undefined, undefined, "slug0", "slug1", "nope"), limit: pick(undefined, 100), sortBy: pick(undefined, "createdAt", "role"), sortDirection: pick(undefined, "asc", "desc"), ...pick({}, {}, { filterField: "role", filterOperator: pick("eq", "ne", "contains", "starts_with", undefined), filterValue: pick("member", "owner", "ad") }) }),
    activeMember: (x) => call(x, "reads the active member", "GET", "get-active-member"),
    activeRole: (x) => call(x, "reads the active role", "GET", "get-active-member-role", { organizationId: organizationOfQuery(), userId: pick(undefined, undefined, anyone().id), organizationSlug: pick(undefined, undefined, "slug0") }),
    may: (x) => call(x, "may", "POST", "has-permission", { permissions: pick({ organization: ["update"] }, { member: ["create"] }, { member: ["delete"], invitation: ["create"] }, { team: ["create"] }, { ac: ["read"] }, { ac: ["create"] }, {}), organizationId: anOrganization() }),

    createTeam: async (x) => { const { status, body } = await call(x, "creates a team", "POST", "create-team", { name: pick(`team${n}`, `team${n}`, "", odd()), organizationId: anOrganization() }); if (status === 200) learn(teams, [body]); },
    // The list has no certain order: what is learned is put in one.
    teams: async (x) => { const { body } = await call(x, "lists teams", "GET", "list-teams", { organizationId: organizationOfQuery() }); if (Array.isArray(body)) learn(teams, body.sort((a, b) => (a.name < b.name ? -1 : 1))); },
    ownTeams: (x) => call(x, "lists their own teams", "GET", "list-user-teams"),
    teamMembers: (x) => call(x, "lists members of a team", "GET", "list-team-members", { teamId: pick(undefined, random.pick(teams)?.id, "nope") }),
    setActiveTeam: (x) => call(x, "sets the active team", "POST", "set-active-team", pick({ teamId: one(teams) }, { teamId: null }, {})),
    updateTeam: (x) => call(x, "updates a team", "POST", "update-team", { teamId: one(teams), data: pick({ name: `named${n}` }, { name: "" }, {}, { organizationId: random.pick(organizations)?.id, name: "v" }, { name: 5 }) }),
    removeTeam: (x) => call(x, "removes a team", "POST", "remove-team", { teamId: one(teams), organizationId: anOrganization() }),
    addToTeam: (x) => call(x, "adds to a team", "POST", "add-team-member", { teamId: one(teams), userId: one(people), organizationId: pick(undefined, undefined, anOrganization()) }),
    takeFromTeam: (x) => call(x, "takes from a team", "POST", "remove-team-member", { teamId: one(teams), userId: one(people), organizationId: pick(undefined, undefined, anOrganization()) }),

    createRole: async (x) => { const { body } = await call(x, "creates a role", "POST", "create-role", { role: pick("own", "made", "Made", "admin", 5, null), permission: pick({ member: ["create"] }, { team: ["create", "update"] }, { ac: ["read"] }, { nope: ["x"] }, {}, { member: ["nope"] }), organizationId: anOrganization() }); last = body?.roleData?.id ?? last; },
    roles: (x) => call(x, "lists roles", "GET", "list-roles", { organizationId: organizationOfQuery() }),
    role: (x) => call(x, "reads a role", "GET", "get-role", { roleName: pick("own", "made", "nope", undefined), roleId: pick(undefined, undefined, last), organizationId: organizationOfQuery() }),
    updateRole: (x) => call(x, "updates a role", "POST", "update-role", { roleName: pick("own", "made", "nope"), roleId: pick(undefined, undefined, last), data: pick({ permission: { member: ["create", "delete"] } }, { roleName: "made" }, { roleName: "own2" }, {}, { permission: { nope: ["x"] } }), organizationId: anOrganization() }),
    removeRole: (x) => call(x, "removes a role", "POST", "delete-role", { roleName: pick("own", "made", "nope", "admin"), organizationId: anOrganization() }),
  };
  const weights = { create: 2, remove: 0.3, setActive: 2, invite: 5, accept: 6, reject: 0.5, cancel: 0.5, setRole: 2, leave: 0.7 };
  const rare = (names) => names.forEach((name) => (weights[name] = 0.05));
  if (!s.options.teams) rare(["createTeam", "teams", "ownTeams", "teamMembers", "setActiveTeam", "updateTeam", "removeTeam", "addToTeam", "takeFromTeam"]);
  if (!s.options.organization.dynamicAccessControl) rare(["createRole", "roles", "role", "updateRole", "removeRole"]);
  await acts.create(people[0]);
  await acts.create(people[1]);
  return { acts: Object.fromEntries(Object.entries(acts).map(([name, act]) => [name, () => act(anyone())])), weights };
}

export const parts = walk(setUp, start);

// Invitations: input, who may, roles, resending, taking, refusing, withdrawing, expiry, limits, unverified addresses.
import { sleep } from "../harness.mjs";
import { active, found, get, join, post, signUp } from "../organization.mjs";

const invite = (s, label, c, body) => s.step(`invite ${label}`, () => post(c, "invite-member", body)).then((r) => r.body);
const act = (s, label, c, what, invitationId) => s.step(`${what} ${label}`, () => post(c, `${what}-invitation`, { invitationId }));
const read = (s, label, c, id) => s.step(`read ${label}`, () => get(c, "get-invitation", { id }));
/** Follows the link that verifies the address. */
const verify = (s, c) => s.step(`${c.who.name} verifies`, async () => {
  await c.raw("POST", "/api/auth/send-verification-email", { email: c.who.email });
  await c.raw("GET", s.path((await s.mail(c.who.email, "verify-email")).url));
});

async function input(s) {
  const [ann, bob, eve] = await signUp(s, "ann", "bob", "eve");
  await invite(s, "none active", ann, { email: "x@example.com", role: "member" });
  const one = await found(s, ann, "one"), other = await found(s, eve, "other");
  await join(s, ann, bob, one.id);
  const x = { email: "x@example.com", role: "member" };
  for (const body of [undefined, {}, [], { email: x.email }, { role: "member" }, { ...x, email: 5 }, { ...x, email: null }, { ...x, role: 5 }, { ...x, role: [5] }, { ...x, role: null }, { ...x, organizationId: 5 }, { ...x, organizationId: null },
    { ...x, resend: "yes" }, { ...x, resend: null }, { ...x, teamId: 5 }, { ...x, teamId: [5] }, { ...x, teamId: null }, { ...x, email: "" }, { ...x, email: "nope" }, { ...x, email: "a@b" }, { ...x, email: "a b@example.com" }, { ...x, email: " x@example.com " },
    { ...x, role: "" }, { ...x, role: [] }, { ...x, role: [" ", ","] }, { ...x, role: "boss" }, { ...x, role: ["member", "boss", "chief"] }, { ...x, role: "Member" }, { ...x, organizationId: "nope" }, { ...x, organizationId: other.id }])
    await invite(s, JSON.stringify(body)?.replace(other.id, "another's"), ann, body);
  await invite(s, "without a session", s.client(), x);
  await invite(s, "wrong, without a session", s.client(), {});
  await invite(s, "by a member", bob, x);
  await invite(s, "by a member, an unknown role", bob, { ...x, role: "boss" });
  await invite(s, "by a stranger", eve, { ...x, organizationId: one.id });
  await invite(s, "who is a member", ann, { ...x, email: "BOB@example.com" });
  await invite(s, "herself", ann, { ...x, email: "ann@example.com" });
  const plain = await invite(s, "with more than it takes", ann, { ...x, email: "Ümit@Example.com", id: "chosen", status: "accepted", inviterId: bob.id, expiresAt: "2099-01-01T00:00:00.000Z", teamId: "nope", extra: 1 });
  s.note("id", { chosen: plain.id === "chosen" });
  const i = await invite(s, "capitals and several roles", ann, { email: "X@Example.COM", role: [" admin", "member "] });
  s.note("life", { hours: Math.round((new Date(i.expiresAt) - Date.now()) / 36e5) });
  const m = await s.mail("x@example.com", "invitation");
  s.note("mail", { id: m.id === i.id, role: m.role, organization: m.organization, inviter: m.inviter });
  for (const what of ["accept", "reject", "cancel"]) {
    for (const id of [undefined, 5, null, "", "nope"]) await act(s, JSON.stringify(id), ann, what, id);
    await act(s, "without a session", s.client(), what, i.id);
    await s.step(`GET ${what}-invitation`, () => get(ann, `${what}-invitation`, { invitationId: i.id }));
  }
  for (const q of ["", "id=", "id=nope", "id=a&id=b", "invitationId=x"]) await s.step(`get-invitation ${q}`, () => get(ann, "get-invitation", q));
  await read(s, "without a session", s.client(), i.id);
  await read(s, "by its inviter", ann, i.id);
  await act(s, "by its inviter", ann, "accept", i.id);
  await act(s, "by its inviter", ann, "reject", i.id);
  await s.step("list", () => get(ann, "list-invitations"));
  await s.step("list through the client", () => ann.api.organization.listInvitations({ query: { organizationId: one.id } }));
  await s.step("list by a member", () => get(bob, "list-invitations"));
  await s.step("list by a stranger", () => get(eve, "list-invitations", { organizationId: one.id }));
  await s.step("list of an unknown one", () => get(ann, "list-invitations", { organizationId: "nope" }));
  await s.step("list twice", () => get(ann, "list-invitations", { organizationId: [one.id, one.id] }));
  await s.step("list without a session", () => get(s.client(), "list-invitations"));
  await s.step("hers, unverified", () => get(ann, "list-user-invitations"));
  await s.step("nobody's", () => get(s.client(), "list-user-invitations"));
  await s.step("by address", () => get(ann, "list-user-invitations", { email: "x@example.com" }));
  await s.step("by address, without a session", () => get(s.client(), "list-user-invitations", { email: "x@example.com" }));
}

async function life(s) {
  const [ann, bob, cid, dan, eve] = await signUp(s, "ann", "bob", "cid", "dan", "eve");
  const one = await found(s, ann, "one", { metadata: { a: 1 } });
  const member = (c, role = "member") => ({ email: c.who.email, role });
  const first = await invite(s, "bob", ann, member(bob, "admin"));
  await invite(s, "bob again", ann, member(bob));
  const again = await invite(s, "bob anew", ann, { ...member(bob, "member"), resend: true });
  s.note("the same", { id: again.id === first.id, later: again.expiresAt >= first.expiresAt, mails: (await s.mail("bob@example.com", "invitation")).id === (await s.mail("bob@example.com", "invitation")).id });
  await invite(s, "for the first time, anew", ann, { ...member(eve), resend: true });
  await read(s, "bob's", bob, first.id);
  await read(s, "bob's by eve", eve, first.id);
  for (const what of ["accept", "reject", "cancel"]) await act(s, "bob's by eve", eve, what, first.id);
  await act(s, "bob's by bob", bob, "cancel", first.id);
  await verify(s, bob);
  await s.step("bob's list", () => get(bob, "list-user-invitations"));
  await s.step("bob's list through the client", () => bob.api.organization.listUserInvitations());
  await s.step("accept", () => bob.api.organization.acceptInvitation({ invitationId: first.id }));
  await active(s, bob, "bob is in", { one: one.id });
  for (const what of ["accept", "reject"]) await act(s, "again", bob, what, first.id);
  await read(s, "an accepted one", bob, first.id);
  await s.step("bob's list is empty", () => get(bob, "list-user-invitations"));
  const cids = await invite(s, "cid by an admin", bob, member(cid));
  await s.step("reject", () => cid.api.organization.rejectInvitation({ invitationId: cids.id }));
  for (const what of ["accept", "reject"]) await act(s, "a rejected one", cid, what, cids.id);
  const more = await invite(s, "cid after that", ann, member(cid));
  await s.step("cancel", () => ann.api.organization.cancelInvitation({ invitationId: more.id }));
  for (const what of ["accept", "reject"]) await act(s, "a canceled one", cid, what, more.id);
  await invite(s, "an owner, by an admin", bob, member(dan, "owner"));
  await invite(s, "an owner among others, by an admin", bob, member(dan, ["member", "owner"]));
  const owners = await invite(s, "an owner, by an owner", ann, member(dan, "member,owner"));
  await invite(s, "an owner anew, by an admin", bob, { ...member(dan), resend: true });
  await s.step("an admin does not see it", () => get(bob, "list-invitations"));
  await act(s, "the owner's, by an admin", bob, "cancel", owners.id);
  const last = await invite(s, "dan", bob, member(dan));
  await s.step("bob is removed", () => post(ann, "remove-member", { memberIdOrEmail: "bob@example.com" }));
  await read(s, "of one who is no member any more", dan, last.id);
  await act(s, "of one who is no member any more", dan, "accept", last.id);
  await s.step("dan is still in", () => get(dan, "get-active-member"));
  const gone = await invite(s, "cid for the last time", ann, member(cid));
  await s.step("the organization goes", () => post(ann, "delete", { organizationId: one.id }));
  for (const what of ["accept", "reject", "cancel"]) await act(s, "of an organization that is gone", what === "cancel" ? ann : cid, what, gone.id);
}

async function reinvite(s) {
  const [ann, bob, cid] = await signUp(s, "ann", "bob", "cid");
  await found(s, ann, "one");
  const i = await invite(s, "bob", ann, { email: "bob@example.com", role: "member" });
  const second = await invite(s, "bob again", ann, { email: "bob@example.com", role: "admin" });
  s.note("another", { id: i.id !== second.id });
  await read(s, "the first", bob, i.id);
  const third = await invite(s, "bob anew", ann, { email: "bob@example.com", role: "member", resend: true });
  s.note("the second", { id: third.id === second.id });
  await invite(s, "cid, who is the second", ann, { email: "cid@example.com", role: "member" });
  await invite(s, "dan, who is one too many", ann, { email: "dan@example.com", role: "member" });
  await invite(s, "cid again, within the limit", ann, { email: "cid@example.com", role: "admin" });
  await invite(s, "the limit comes before teams", ann, { email: "dan@example.com", role: "member", teamId: "nope" });
  await act(s, "bob's", bob, "accept", third.id);
  await invite(s, "dan fits", ann, { email: "dan@example.com", role: "member" });
  await s.quiet("mails for cid", "cid@example.com", 2);
}

async function verified(s) {
  const [ann, bob, cid] = await signUp(s, "ann", "bob", "cid");
  await found(s, ann, "one");
  const i = await invite(s, "bob", ann, { email: "bob@example.com", role: "member" }), j = await invite(s, "cid", ann, { email: "cid@example.com", role: "member" });
  for (const what of ["accept", "reject"]) await act(s, "unverified", bob, what, i.id);
  await act(s, "another's, unverified", cid, "accept", i.id);
  await read(s, "unverified", bob, i.id);
  await s.step("list, unverified", () => get(bob, "list-user-invitations"));
  await verify(s, bob);
  await read(s, "verified", bob, i.id);
  await act(s, "verified", bob, "accept", i.id);
  await verify(s, cid);
  await act(s, "verified", cid, "reject", j.id);
}

async function expired(s) {
  const [ann, bob] = await signUp(s, "ann", "bob");
  await found(s, ann, "one");
  const i = await invite(s, "bob", ann, { email: "bob@example.com", role: "member" });
  s.note("no mail", { mails: s.sink.messages.length });
  await verify(s, bob);
  await sleep(3100);
  await read(s, "an expired one", bob, i.id);
  await act(s, "an expired one", bob, "accept", i.id);
  await s.step("list", () => get(bob, "list-user-invitations"));
  await s.step("ann's list", () => get(ann, "list-invitations"));
  await s.within(3000, async () => {
    const j = await invite(s, "bob again", ann, { email: "bob@example.com", role: "member" });
    s.note("another", { id: i.id !== j.id });
    await act(s, "an expired one", bob, "reject", i.id);
    await act(s, "in time", bob, "accept", j.id);
  });
}

const plugins = ["organization"];
const part = (run, organization) => ({ name: run.name, run, plugins, options: { ...(organization && { organization }) } });
export const parts = [
  part(input), part(life),
  part(reinvite, { cancelPendingInvitationsOnReInvite: true, invitationLimit: 2 }),
  part(verified, { requireEmailVerificationOnInvitation: true }),
  part(expired, { invitationExpiresIn: 3, sendInvitationEmail: false }),
];

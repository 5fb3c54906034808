// Stop one server, start the other on the same database and secret: everything outstanding goes on working,
// there and back. Phases run by turns; the sign-up happens on the first server.
export const options = { sendOnSignUp: true, deleteUserByMail: true, cookieCache: true, additionalFields: { user: { plan: { type: "string", required: false, defaultValue: "free" }, score: { type: "number", required: false }, active: { type: "boolean", required: false } } } };
const user = (n) => ({ email: `${n}@example.com`, password: `correct horse ${n} café`, name: `${n} 😀` });
const get = (c, url, s) => c.raw("GET", s.path(url));

export default [
  async (s, m) => {
    m.ann = s.client(); m.bob = s.client(); m.brief = s.client();
    await s.step("ann signs up", () => m.ann.api.signUp.email({ ...user("ann"), plan: "pro", score: 3, active: true }));
    m.verify = await s.mail("ann@example.com", "verify-email");
    await s.step("ann signs in for the day", () => m.brief.api.signIn.email({ ...user("ann"), rememberMe: false }));
    await s.step("bob signs up", () => m.bob.api.signUp.email(user("bob")));
    await s.step("bob verifies", async () => get(m.bob, (await s.mail("bob@example.com", "verify-email")).url, s));
    await s.step("eve signs up", () => s.client().api.signUp.email(user("eve")));
    await s.step("eve forgets her password", () => s.client().api.requestPasswordReset({ email: "eve@example.com", redirectTo: "/reset" }));
    m.reset = await s.mail("eve@example.com", "reset-password");
    await s.step("bob wants another address", () => m.bob.api.changeEmail({ newEmail: "robert@example.com", callbackURL: "/changed" }));
    m.confirm = await s.mail("bob@example.com", "change-email");
    await s.step("cid signs up", () => (m.cid = s.client()).api.signUp.email(user("cid")));
    await s.step("cid wants to go", () => m.cid.api.deleteUser({ callbackURL: "/bye" }));
    m.leave = await s.mail("cid@example.com", "delete-account");
  },
  async (s, m) => {
    await s.step("ann's cached session", () => m.ann.api.getSession());
    await s.step("ann's session", () => m.ann.api.getSession({ query: { disableCookieCache: true } }));
    await s.step("ann's day session", () => m.brief.api.getSession({ query: { disableCookieCache: true } }));
    await s.step("ann's sessions", async () => { const r = await m.ann.api.listSessions(); s.note("two of them", { count: r.data.length }); });
    await s.step("ann's password", () => s.client().api.signIn.email(user("ann")));
    await s.step("a wrong password", () => s.client().api.signIn.email({ ...user("ann"), password: "wrong horse 1" }));
    await s.step("ann's link", () => get(m.ann, m.verify.url, s));
    await s.step("ann is verified", () => m.ann.api.getSession({ query: { disableCookieCache: true } }));
    await s.step("eve's reset link", () => get(s.client(), m.reset.url, s));
    await s.step("eve's reset", () => s.client().api.resetPassword({ token: m.reset.token, newPassword: "correct horse eva" }));
    await s.step("bob confirms", () => get(m.bob, m.confirm.url, s));
    m.changed = await s.mail("robert@example.com", "verify-email");
    await s.step("cid goes", () => get(m.cid, m.leave.url, s));
    await s.step("cid is gone", () => s.client().api.signIn.email(user("cid")));
    await s.step("ann changes her password", () => m.ann.api.changePassword({ currentPassword: user("ann").password, newPassword: "correct horse anna" }));
    await s.step("ann is renamed", () => m.ann.api.updateUser({ name: "Anna", plan: "max", score: 4, active: false }));
    await s.step("dan signs up", () => (m.dan = s.client()).api.signUp.email({ ...user("dan"), plan: "basic" }));
    m.danVerify = await s.mail("dan@example.com", "verify-email");
    await s.step("dan forgets his password", () => s.client().api.requestPasswordReset({ email: "dan@example.com", redirectTo: "/reset" }));
    m.danReset = await s.mail("dan@example.com", "reset-password");
  },
  async (s, m) => {
    await s.step("back: ann's cached session", () => m.ann.api.getSession());
    await s.step("ann's session", () => m.ann.api.getSession({ query: { disableCookieCache: true } }));
    await s.step("ann's new password", () => s.client().api.signIn.email({ ...user("ann"), password: "correct horse anna" }));
    await s.step("ann's old password", () => s.client().api.signIn.email(user("ann")));
    await s.step("eve's reset link is spent", () => get(s.client(), m.reset.url, s));
    await s.step("bob's new address", () => get(m.bob, m.changed.url, s));
    await s.step("robert's password", () => s.client().api.signIn.email({ ...user("bob"), email: "robert@example.com" }));
    await s.step("eve's new password", () => s.client().api.signIn.email({ ...user("eve"), password: "correct horse eva" }));
    await s.step("dan's cached session", () => m.dan.api.getSession());
    await s.step("dan's session", () => m.dan.api.getSession({ query: { disableCookieCache: true } }));
    await s.step("dan's password", () => s.client().api.signIn.email(user("dan")));
    await s.step("dan's link", () => get(m.dan, m.danVerify.url, s));
    await s.step("dan's reset link", () => get(s.client(), m.danReset.url, s));
    await s.step("dan's reset", () => s.client().api.resetPassword({ token: m.danReset.token, newPassword: "correct horse daniel" }));
    await s.step("dan's accounts", () => m.dan.api.listAccounts());
    await s.step("ann signs out everywhere", () => m.ann.api.revokeSessions());
  },
  async (s, m) => {
    await s.step("and again: ann is out", () => m.brief.api.getSession({ query: { disableCookieCache: true } }));
    await s.step("dan's session", () => m.dan.api.getSession({ query: { disableCookieCache: true } }));
    await s.step("daniel's password", () => s.client().api.signIn.email({ ...user("dan"), password: "correct horse daniel" }));
    await s.step("anna's password", () => s.client().api.signIn.email({ ...user("ann"), password: "correct horse anna" }));
    await s.step("robert's sessions live on", () => m.bob.api.getSession({ query: { disableCookieCache: true } }));
  },
];

// The accounts a user signs in with: list and unlink.
const who = { email: "linked@example.com", password: "correct horse 1", name: "Linked" };
const other = { email: "other@example.com", password: "correct horse 1", name: "Other" };
export const parts = [
  { name: "last account stays", options: {}, run: async (s) => {
    const a = s.client(), b = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    await s.step("sign up another", () => b.api.signUp.email(other));
    const [mine] = (await s.step("list", () => a.api.listAccounts())).data;
    const [theirs] = (await s.step("list the other's", () => b.api.listAccounts())).data;
    s.note("account", { ownId: mine.accountId === mine.userId, keys: Object.keys(mine).sort() });
    await s.step("list without a session", () => s.client().raw("GET", "/api/auth/list-accounts"));
    await s.step("unlink without a session", () => s.client().raw("POST", "/api/auth/unlink-account", { accountId: mine.id }));
    await s.step("unlink the last", () => a.raw("POST", "/api/auth/unlink-account", { accountId: mine.id }));
    await s.step("unlink nonsense", () => a.raw("POST", "/api/auth/unlink-account", { accountId: "nonsense" }));
    await s.step("unlink the other's", () => a.raw("POST", "/api/auth/unlink-account", { accountId: theirs.id }));
    await s.step("unlink no account", () => a.raw("POST", "/api/auth/unlink-account", {}));
    await s.step("unlink a number", () => a.raw("POST", "/api/auth/unlink-account", { accountId: 1 }));
    await s.step("unlink by provider", () => a.raw("POST", "/api/auth/unlink-account", { providerId: "credential" }));
  } },
  { name: "last account may go", options: { allowUnlinkingAll: true }, run: async (s) => {
    const a = s.client(), b = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    await s.step("sign up another", () => b.api.signUp.email(other));
    const [mine] = (await s.step("list", () => a.api.listAccounts())).data;
    const [theirs] = (await s.step("list the other's", () => b.api.listAccounts())).data;
    await s.step("unlink nonsense", () => a.raw("POST", "/api/auth/unlink-account", { accountId: "nonsense" }));
    await s.step("unlink the other's", () => a.raw("POST", "/api/auth/unlink-account", { accountId: theirs.id }));
    await s.step("unlink", () => a.raw("POST", "/api/auth/unlink-account", { accountId: mine.id }));
    await s.step("none left", () => a.api.listAccounts());
    await s.step("unlink again", () => a.raw("POST", "/api/auth/unlink-account", { accountId: mine.id }));
    await s.step("still signed in", () => a.api.getSession());
    await s.step("no password to sign in with", () => s.client().api.signIn.email(who));
    await s.step("no password to change", () => a.api.changePassword({ currentPassword: who.password, newPassword: "correct horse 2" }));
    await s.step("no password to verify", () => a.raw("POST", "/api/auth/verify-password", { password: who.password }));
    await s.step("no password to delete with", () => a.api.deleteUser({ password: who.password }));
    await s.step("the address is still taken", () => s.client().api.signUp.email(who));
    await s.step("ask for a reset", () => s.client().api.requestPasswordReset({ email: who.email, redirectTo: "/reset" }));
    const m = await s.mail(who.email, "reset-password");
    await s.step("reset makes an account", () => s.client().api.resetPassword({ token: m.token, newPassword: "correct horse 3" }));
    await s.step("listed", () => a.api.listAccounts());
    await s.step("sign in with it", () => s.client().api.signIn.email({ ...who, password: "correct horse 3" }));
  } },
  { name: "session not fresh", options: { allowUnlinkingAll: true, freshAge: 1 }, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    const [mine] = (await s.step("list", () => a.api.listAccounts())).data;
    await new Promise((r) => setTimeout(r, 1300));
    await s.step("unlink, stale", () => a.raw("POST", "/api/auth/unlink-account", { accountId: mine.id }));
    await s.step("list accounts, stale", () => a.api.listAccounts());
    await s.step("list sessions, stale", () => a.api.listSessions());
    await s.step("change password, stale", () => a.api.changePassword({ currentPassword: who.password, newPassword: "correct horse 2" }));
    await s.step("delete without a password, stale", () => a.api.deleteUser());
    await s.step("delete with an empty password, stale", () => a.api.deleteUser({ password: "" }));
    await s.step("delete with a password, stale", () => a.api.deleteUser({ password: "correct horse 2" }));
  } },
];

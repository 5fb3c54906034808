// Fields of the application's own on the session.
const path = "/api/auth/update-session";
const who = { email: "us@example.com", password: "correct horse 1", name: "Us" };
export const parts = [
  { name: "fields", options: { cookieCache: true, additionalFields: { session: {
    theme: { type: "string", required: false },
    level: { type: "number", required: false, defaultValue: 3 },
    locked: { type: "string", required: false, input: false, defaultValue: "fixed" },
    sealed: { type: "string", required: false, input: false },
    hidden: { type: "string", required: false, returned: false, defaultValue: "h" },
  } } }, run: async (s) => {
    const a = s.client(), post = (label, body) => s.step(label, () => a.raw("POST", path, body));
    await s.step("without a session", () => s.client().raw("POST", path, { theme: "dark" }));
    await s.step("sign up", () => a.api.signUp.email(who));
    const first = await s.step("defaults", () => a.api.getSession());
    s.note("what is not returned", { hidden: "hidden" in first.data.session });
    await post("no fields", {});
    await post("unknown field", { nonsense: 1 });
    await post("core fields", { token: "mine", userId: "x", expiresAt: "2099-01-01T00:00:00.000Z", ipAddress: "1.2.3.4" });
    await post("an array", []);
    await post("locked", { locked: "open" });
    await post("sealed", { sealed: "open" });
    await post("empty locked", { locked: "" });
    await post("theme", { theme: "dark", level: 9 });
    await s.step("from the cache", () => a.api.getSession());
    await s.step("from the database", () => a.api.getSession({ query: { disableCookieCache: true } }));
    await post("theme null", { theme: null });
    await post("hidden", { hidden: "mine" });
    await s.step("by the client", () => a.api.updateSession({ theme: "light" }));
    const listed = await s.step("list", () => a.api.listSessions());
    s.note("nor in the list", { hidden: "hidden" in listed.data[0] });
    const b = s.client();
    await s.step("sign in elsewhere", () => b.api.signIn.email(who));
    await s.step("not elsewhere", () => b.api.getSession());
    await s.step("sign in, not remembered", () => b.api.signIn.email({ ...who, rememberMe: false }));
    await s.step("update, not remembered", () => b.raw("POST", path, { theme: "dark" }));
    await s.step("a new password", () => a.api.changePassword({ currentPassword: who.password, newPassword: "correct horse 2", revokeOtherSessions: true }));
    await s.step("and fields that are new", () => a.api.getSession({ query: { disableCookieCache: true } }));
  } },
  { name: "no fields", options: {}, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    await s.step("anything", () => a.raw("POST", path, { theme: "dark" }));
    await s.step("core fields", () => a.raw("POST", path, { token: "mine", userId: "x" }));
  } },
];

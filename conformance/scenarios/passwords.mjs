// Verifying and changing the password: every branch.
const who = { email: "pw@example.com", password: "correct horse 1", name: "Pw" };
export const parts = [
  { name: "default", options: {}, run: async (s) => {
    const a = s.client(), b = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    await s.step("sign in elsewhere", () => b.api.signIn.email(who));
    const v = (label, c, body) => s.step(label, () => c.raw("POST", "/api/auth/verify-password", body));
    await v("verify without a session", s.client(), { password: who.password });
    await v("verify", a, { password: who.password });
    await v("verify wrong", a, { password: "wrong horse 1" });
    await v("verify empty", a, { password: "" });
    await v("verify too long", a, { password: "x".repeat(129) });
    await v("verify nothing", a, {});
    await v("verify a number", a, { password: 1 });
    const ch = (label, c, body) => s.step(label, () => c.raw("POST", "/api/auth/change-password", body));
    await ch("without a session", s.client(), { currentPassword: who.password, newPassword: "correct horse 2" });
    await ch("nothing", a, {});
    await ch("numbers", a, { currentPassword: 1, newPassword: 2 });
    await ch("revoke is text", a, { currentPassword: who.password, newPassword: "correct horse 2", revokeOtherSessions: "true" });
    await ch("revoke is null", a, { currentPassword: who.password, newPassword: "correct horse 2", revokeOtherSessions: null });
    await ch("new too short", a, { currentPassword: who.password, newPassword: "1234567" });
    await ch("new too long", a, { currentPassword: who.password, newPassword: "x".repeat(129) });
    await ch("current too long", a, { currentPassword: "x".repeat(129), newPassword: "correct horse 2" });
    await ch("current empty", a, { currentPassword: "", newPassword: "correct horse 2" });
    await ch("current wrong", a, { currentPassword: "wrong horse 1", newPassword: "correct horse 2" });
    await ch("the same again", a, { currentPassword: who.password, newPassword: who.password });
    await ch("change, others stay", a, { currentPassword: who.password, newPassword: "correct horse 2", revokeOtherSessions: false });
    await s.step("elsewhere is in", () => b.api.getSession());
    await ch("old is wrong now", b, { currentPassword: who.password, newPassword: "correct horse 3" });
    await ch("change, others out", a, { currentPassword: "correct horse 2", newPassword: "correct horse 3", revokeOtherSessions: true });
    await s.step("elsewhere is out", () => b.api.getSession());
    await ch("longest", a, { currentPassword: "correct horse 3", newPassword: "x".repeat(128) });
    await s.step("sign in with the longest", () => b.api.signIn.email({ ...who, password: "x".repeat(128) }));
    await s.step("sign in, not remembered", () => b.api.signIn.email({ ...who, password: "x".repeat(128), rememberMe: false }));
    await ch("others out, not remembered", b, { currentPassword: "x".repeat(128), newPassword: "correct horse 4", revokeOtherSessions: true });
    await s.step("still not remembered", () => b.api.getSession());
    await s.step("the first is out", () => a.api.getSession());
  } },
  { name: "lengths", options: { minPasswordLength: 4, maxPasswordLength: 6 }, run: async (s) => {
    const a = s.client(), up = (label, password) => s.step(label, () => a.raw("POST", "/api/auth/sign-up/email", { ...who, email: `${password.length}-${label.replaceAll(/[^a-z]/g, "")}@example.com`, password }));
    await up("three", "abc");
    await up("four", "abcd");
    await up("six", "abcdef");
    await up("seven", "abcdefg");
    await up("empty", "");
    await up("two emoji are four units", "😀😀");
    await up("three emoji and a letter are seven", "😀😀😀a");
    await up("spaces count", "    ");
    await up("combining accents count before they are joined", "e\u0301e\u0301");
    await up("three ligatures are three units", "\ufb03\ufb03\ufb03");
    await s.step("sign in too long", () => a.raw("POST", "/api/auth/sign-in/email", { email: "x@example.com", password: "abcdefg" }));
    await s.step("sign in too short is just wrong", () => a.raw("POST", "/api/auth/sign-in/email", { email: "x@example.com", password: "a" }));
  } },
];

// Deleting oneself: with a password, with a fresh session, by mail, and not at all.
const pw = "correct horse 1";
const user = (n) => ({ email: `${n}@example.com`, password: pw, name: n });
const path = "/api/auth/delete-user";
export const parts = [
  { name: "at once", options: { cookieCache: true }, run: async (s) => {
    const a = s.client(), b = s.client();
    await s.step("without a session", () => s.client().raw("POST", path, {}));
    await s.step("sign up", () => a.api.signUp.email(user("one")));
    await s.step("wrong password", () => a.raw("POST", path, { password: "wrong horse 1" }));
    await s.step("password too long", () => a.raw("POST", path, { password: "x".repeat(129) }));
    await s.step("a number", () => a.raw("POST", path, { password: 1 }));
    await s.step("a token that is none", () => a.raw("POST", path, { token: "nonsense" }));
    await s.step("right password, token that is none", () => a.raw("POST", path, { password: pw, token: "nonsense" }));
    await s.step("foreign callback", () => a.raw("POST", path, { callbackURL: "https://evil.example/" }));
    await s.step("callback page without a token", () => a.raw("GET", `${path}/callback`));
    await s.step("callback page, token that is none", () => a.raw("GET", `${path}/callback?token=nonsense`));
    await s.step("callback page, token that is none, callback", () => a.raw("GET", `${path}/callback?token=nonsense&callbackURL=/gone`));
    await s.step("callback page without a session", () => s.client().raw("GET", `${path}/callback?token=nonsense&callbackURL=/gone`));
    await s.step("no body at all", () => b.raw("POST", path));
    await s.step("fresh session is enough", () => a.raw("POST", path, {}));
    await s.step("gone", () => a.api.getSession());
    await s.step("sign in", () => a.api.signIn.email(user("one")));
    await s.step("the address is free again", () => a.api.signUp.email(user("one")));
    await s.step("no body at all, signed in", () => a.raw("POST", path));
    await s.step("password in the clear", () => a.raw("POST", path, { password: pw, callbackURL: "/bye" }));
    await s.step("sign in once more", () => a.api.signIn.email(user("one")));
  } },
  { name: "by mail", options: { deleteUserByMail: true }, run: async (s) => {
    const a = s.client(), b = s.client();
    await s.step("sign up", () => a.api.signUp.email(user("two")));
    await s.step("sign up another", () => b.api.signUp.email(user("three")));
    await s.step("wrong password", () => a.raw("POST", path, { password: "wrong horse 1" }));
    await s.step("ask", () => a.raw("POST", path, {}));
    const first = await s.mail("two@example.com", "delete-account");
    s.note("mail", { url: first.url });
    await s.step("still here", () => a.api.getSession());
    await s.step("another user follows it, which spends it", () => b.raw("GET", s.path(first.url)));
    await s.step("too late for the owner", () => a.raw("GET", s.path(first.url)));
    await s.step("ask with a callback", () => a.api.deleteUser({ callbackURL: "/bye?x=1" }));
    const second = await s.mail("two@example.com", "delete-account");
    s.note("mail with a callback", { url: second.url });
    await s.step("without a session", () => s.client().raw("GET", s.path(second.url)));
    await s.step("with a foreign callback", () => a.raw("GET", `${path}/callback?token=${second.token}&callbackURL=https://evil.example/`));
    await s.step("as a reset token", () => s.client().api.resetPassword({ token: second.token, newPassword: "correct horse 2" }));
    await s.step("as a verification token", () => a.raw("GET", `/api/auth/verify-email?token=${second.token}`));
    await s.step("follow", () => a.raw("GET", s.path(second.url)));
    await s.step("gone", () => a.api.getSession());
    await s.step("sign in", () => a.api.signIn.email(user("two")));
    await s.step("ask with the password", () => b.raw("POST", path, { password: pw }));
    const third = await s.mail("three@example.com", "delete-account");
    await s.step("callback page without a callback", () => b.raw("GET", `${path}/callback?token=${third.token}`));
    await s.step("gone too", () => b.api.getSession());
    const c = s.client();
    await s.step("sign up a fourth", () => c.api.signUp.email(user("four")));
    await s.step("ask again", () => c.raw("POST", path, {}));
    const fourth = await s.mail("four@example.com", "delete-account");
    await s.step("token in the body", () => c.raw("POST", path, { token: fourth.token }));
  } },
  { name: "link expires", options: { deleteUserByMail: true, deleteTokenExpiresIn: 1 }, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email(user("late")));
    await s.step("ask", () => a.raw("POST", path, {}));
    const m = await s.mail("late@example.com", "delete-account");
    await new Promise((r) => setTimeout(r, 1300));
    await s.step("too late", () => a.raw("GET", s.path(m.url)));
    await s.step("still here", () => a.api.getSession());
  } },
  { name: "disabled", options: { deleteUser: false }, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email(user("kept")));
    await s.step("delete", () => a.raw("POST", path, { password: pw }));
    await s.step("without a session", () => s.client().raw("POST", path, {}));
    await s.step("callback page", () => a.raw("GET", `${path}/callback?token=nonsense`));
    await s.step("callback page without a token", () => a.raw("GET", `${path}/callback`));
    await s.step("still here", () => a.api.getSession());
  } },
];

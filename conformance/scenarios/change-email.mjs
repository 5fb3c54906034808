// Changing the address: confirmation by the old one, verification by the new one, and every wrong token.
const pw = "correct horse 1";
const user = (n) => ({ email: `${n}@example.com`, password: pw, name: n });
const post = (c, body) => c.raw("POST", "/api/auth/change-email", body);
/** Signs up and follows the verification link. */
async function verified(s, n) {
  const c = s.client();
  await s.step(`sign up ${n}`, () => c.api.signUp.email(user(n)));
  const m = await s.mail(`${n}@example.com`, "verify-email");
  await s.step(`verify ${n}`, () => c.raw("GET", s.path(m.url)));
  return c;
}
const verify = (c, token, callbackURL) => c.raw("GET", `/api/auth/verify-email?token=${token}${callbackURL === undefined ? "" : `&callbackURL=${encodeURIComponent(callbackURL)}`}`);

export const parts = [
  { name: "verified", options: { sendOnSignUp: true }, run: async (s) => {
    const a = await verified(s, "ver"), b = await verified(s, "bystander");
    await s.step("without a session", () => post(s.client(), { newEmail: "x@example.com" }));
    await s.step("same address", () => post(a, { newEmail: "ver@example.com" }));
    await s.step("same address in capitals", () => post(a, { newEmail: "VER@Example.com" }));
    await s.step("not an address", () => post(a, { newEmail: "nonsense" }));
    await s.step("no address", () => post(a, {}));
    await s.step("a number", () => post(a, { newEmail: 5 }));
    await s.step("foreign callback", () => post(a, { newEmail: "x@example.com", callbackURL: "https://evil.example/" }));
    await s.step("existing address", () => post(a, { newEmail: "bystander@example.com" }));
    await s.quiet("nobody is told", "ver@example.com");
    await s.quiet("nor the owner", "bystander@example.com");
    await s.step("change", () => post(a, { newEmail: "Ver2@Example.com", callbackURL: "/changed?x=1" }));
    const confirm = await s.mail("ver@example.com", "change-email");
    s.note("confirmation", { url: confirm.url });
    await s.step("not changed yet", () => a.api.getSession());
    await s.step("confirmation opened by another user", () => verify(b, confirm.token));
    await s.step("the same with a callback", () => verify(b, confirm.token, "/back"));
    await s.step("confirmation as a reset token", () => s.client().api.resetPassword({ token: confirm.token, newPassword: "correct horse 2" }));
    await s.step("confirmation as a delete token", () => a.api.deleteUser({ token: confirm.token }));
    await s.step("confirm", () => a.raw("GET", s.path(confirm.url)));
    const second = await s.mail("ver2@example.com", "verify-email");
    s.note("verification", { url: second.url });
    await s.step("still not changed", () => a.api.getSession());
    await s.step("verification opened by another user", () => verify(b, second.token));
    await s.step("verify", () => a.raw("GET", s.path(second.url)));
    await s.step("changed", () => a.api.getSession());
    await s.step("verification again", () => a.raw("GET", s.path(second.url)));
    await s.step("confirmation again", () => verify(a, confirm.token));
    await s.step("old address", () => s.client().api.signIn.email(user("ver")));
    await s.step("new address", () => s.client().api.signIn.email(user("ver2")));
    await s.step("change, no callback", () => post(a, { newEmail: "ver3@example.com" }));
    const third = await s.mail("ver2@example.com", "change-email");
    s.note("confirmation without a callback", { url: third.url });
    const out = s.client();
    await s.step("confirm without a session or callback", () => verify(out, third.token));
    const fourth = await s.mail("ver3@example.com", "verify-email");
    await s.step("verify without a session or callback", () => verify(out, fourth.token));
    await s.step("session follows", () => a.api.getSession());
  } },
  { name: "address taken meanwhile", options: { sendOnSignUp: true }, run: async (s) => {
    const a = await verified(s, "first");
    await s.step("change", () => post(a, { newEmail: "wanted@example.com" }));
    const confirm = await s.mail("first@example.com", "change-email");
    await s.step("confirm", () => verify(a, confirm.token));
    await s.mail("wanted@example.com", "verify-email");
    await s.step("delete the user", () => a.api.deleteUser({ password: pw }));
    await s.step("confirm for a user that is gone", () => verify(s.client(), confirm.token));
    await s.step("the same with a callback", () => verify(s.client(), confirm.token, "/gone"));
  } },
  { name: "unverified", options: {}, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email(user("unv")));
    await s.step("change", () => post(a, { newEmail: "unv2@example.com", callbackURL: "/changed" }));
    const m = await s.mail("unv2@example.com", "verify-email");
    s.note("verification", { url: m.url });
    await s.step("not changed yet", () => a.api.getSession());
    await s.step("verify", () => verify(a, m.token));
    await s.step("changed, still unverified", () => a.api.getSession());
  } },
  { name: "no confirmation", options: { sendOnSignUp: true, sendChangeEmailConfirmation: false }, run: async (s) => {
    const a = await verified(s, "nocon");
    await s.step("change", () => post(a, { newEmail: "nocon2@example.com" }));
    const m = await s.mail("nocon2@example.com", "verify-email");
    await s.step("verify", () => verify(a, m.token, "/done?a=b#c"));
    await s.step("changed, verified", () => a.api.getSession());
  } },
  { name: "no verification needed", options: { updateEmailWithoutVerification: true, cookieCache: true }, run: async (s) => {
    const a = s.client(), b = s.client();
    await s.step("sign up", () => a.api.signUp.email(user("free")));
    await s.step("sign up another", () => b.api.signUp.email(user("taken")));
    await s.step("existing address", () => post(a, { newEmail: "taken@example.com" }));
    await s.quiet("nobody is told", "taken@example.com");
    await s.step("change", () => post(a, { newEmail: "free2@example.com", callbackURL: "/new" }));
    const m = await s.mail("free2@example.com", "verify-email");
    s.note("verification", { url: m.url });
    await s.step("changed at once, also in the cache", () => a.api.getSession());
    await s.step("verify", () => verify(a, m.token));
    await s.step("verified", () => a.api.getSession({ query: { disableCookieCache: true } }));
    await s.step("change when verified", () => post(a, { newEmail: "free3@example.com" }));
    await s.mail("free2@example.com", "change-email");
    await s.step("sign in with the new", () => s.client().api.signIn.email(user("free2")));
  } },
  { name: "neither mail nor freedom", options: { sendVerificationEmail: false }, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email(user("mute")));
    await s.step("change", () => post(a, { newEmail: "mute2@example.com" }));
    await s.step("same address", () => post(a, { newEmail: "mute@example.com" }));
    await s.step("ask for verification", () => a.api.sendVerificationEmail({ email: "mute@example.com" }));
  } },
  { name: "freedom without mail", options: { sendVerificationEmail: false, updateEmailWithoutVerification: true }, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email(user("quiet")));
    await s.step("change", () => post(a, { newEmail: "quiet2@example.com" }));
    await s.step("changed", () => a.api.getSession());
  } },
  { name: "disabled", options: { changeEmail: false }, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email(user("off")));
    await s.step("change", () => post(a, { newEmail: "off2@example.com" }));
    await s.step("not an address", () => post(a, { newEmail: "nonsense" }));
  } },
];

// Reset links: every way to ask, to open and to use one.
const who = { email: "links@example.com", password: "correct horse 1", name: "Links" };
const ask = "/api/auth/request-password-reset", use = "/api/auth/reset-password";
export const parts = [
  { name: "default", options: { cookieCache: true }, run: async (s) => {
    const a = s.client(), c = s.client();
    const post = (label, path, body) => s.step(label, () => c.raw("POST", path, body));
    await s.step("sign up", () => a.api.signUp.email(who));
    await post("nothing", ask, {});
    await post("not an address", ask, { email: "nonsense" });
    await post("a number", ask, { email: 1, redirectTo: 2 });
    await post("foreign redirect", ask, { email: who.email, redirectTo: "https://evil.example/" });
    await post("foreign redirect for a stranger", ask, { email: "stranger@example.com", redirectTo: "https://evil.example/" });
    await post("redirect is an array", ask, { email: who.email, redirectTo: ["/a"] });
    await s.quiet("no mail", who.email);
    await post("no redirect", ask, { email: who.email });
    const bare = await s.mail(who.email, "reset-password");
    s.note("bare link", { url: bare.url, length: bare.token.length });
    await s.step("open it: callbackURL is empty", () => c.raw("GET", s.path(bare.url)));
    await s.step("open without callbackURL", () => c.raw("GET", `${use}/${bare.token}`));
    await s.step("open with a callback", () => c.raw("GET", `${use}/${bare.token}?callbackURL=/reset`));
    await s.step("open twice", () => c.raw("GET", `${use}/${bare.token}?callbackURL=/reset`));
    await s.step("callback with a query", () => c.raw("GET", `${use}/${bare.token}?callbackURL=${encodeURIComponent("/reset?a=1&token=old#part")}`));
    await s.step("absolute callback of our own", () => c.raw("GET", `${use}/${bare.token}?callbackURL=${encodeURIComponent(`${s.server.base}/reset`)}`));
    await s.step("foreign callback", () => c.raw("GET", `${use}/${bare.token}?callbackURL=https://evil.example/`));
    await s.step("two callbacks", () => c.raw("GET", `${use}/${bare.token}?callbackURL=/a&callbackURL=/b`));
    await s.step("wrong token", () => c.raw("GET", `${use}/nonsense?callbackURL=/reset`));
    await s.step("wrong token, empty callback", () => c.raw("GET", `${use}/nonsense?callbackURL=`));
    await s.step("wrong token, no callback", () => c.raw("GET", `${use}/nonsense`));
    await s.step("wrong token, callback with a query", () => c.raw("GET", `${use}/nonsense?callbackURL=${encodeURIComponent("/reset?x=1")}`));
    await s.step("encoded token", () => c.raw("GET", `${use}/%6eonsense?callbackURL=/reset`));
    await s.step("a good token, its first letter encoded", () => c.raw("GET", `${use}/%${bare.token.charCodeAt(0).toString(16)}${bare.token.slice(1)}?callbackURL=/reset`));
    await s.step("slash in the token", () => c.raw("GET", `${use}/a%2Fb?callbackURL=/reset`));
    await s.step("no token at all", () => c.raw("GET", `${use}/?callbackURL=/reset`));
    await s.step("GET without a token", () => c.raw("GET", `${use}?callbackURL=/reset`));
    await post("use: nothing", use, {});
    await post("use: no token", use, { newPassword: "correct horse 2" });
    await post("use: empty token", use, { newPassword: "correct horse 2", token: "" });
    await post("use: numbers", use, { newPassword: 1, token: 2 });
    await post("use: wrong token and too short", use, { newPassword: "x", token: "nonsense" });
    await post("use: too long", use, { newPassword: "x".repeat(129), token: bare.token });
    await post("use: token in the query", `${use}?token=${bare.token}`, { newPassword: "correct horse 2" });
    await post("use: again", `${use}?token=${bare.token}`, { newPassword: "correct horse 3" });
    await s.step("open a used one", () => c.raw("GET", `${use}/${bare.token}?callbackURL=/reset`));
    await s.step("session stays by default", () => a.api.getSession({ query: { disableCookieCache: true } }));
    await s.step("new password", () => s.client().api.signIn.email({ ...who, password: "correct horse 2" }));
    await post("ask in capitals", ask, { email: "LINKS@Example.com", redirectTo: "/r?x=ü y" });
    const one = await s.mail(who.email, "reset-password");
    s.note("redirect is encoded", { url: one.url });
    await post("body token wins over query", `${use}?token=nonsense`, { newPassword: "correct horse 4", token: one.token });
    await s.step("it counts", () => s.client().api.signIn.email({ ...who, password: "correct horse 4" }));
    await s.step("two tokens in the query", () => c.raw("POST", `${use}?token=a&token=b`, { newPassword: "correct horse 6" }));
    await post("ask before deletion", ask, { email: who.email, redirectTo: "/r" });
    const last = await s.mail(who.email, "reset-password");
    await s.step("delete", () => a.api.deleteUser({ password: "correct horse 4" }));
    await post("user is gone", use, { newPassword: "correct horse 6", token: last.token });
  } },
  { name: "expires", options: { resetPasswordTokenExpiresIn: 1 }, run: async (s) => {
    const c = s.client();
    await s.step("sign up", () => s.client().api.signUp.email(who));
    await s.step("ask", () => c.api.requestPasswordReset({ email: who.email, redirectTo: "/reset" }));
    const m = await s.mail(who.email, "reset-password");
    await new Promise((r) => setTimeout(r, 1300));
    await s.step("open", () => c.raw("GET", s.path(m.url)));
    await s.step("use", () => c.api.resetPassword({ token: m.token, newPassword: "correct horse 2" }));
    await s.step("old password", () => c.api.signIn.email(who));
  } },
  { name: "off", options: { sendResetPassword: false }, run: async (s) => {
    const c = s.client();
    await s.step("ask", () => c.api.requestPasswordReset({ email: who.email, redirectTo: "/reset" }));
    await s.step("ask, not an address", () => c.raw("POST", ask, { email: "nonsense" }));
    await s.step("use", () => c.api.resetPassword({ token: "nonsense", newPassword: "correct horse 2" }));
  } },
  { name: "unverified", options: { requireEmailVerification: true }, run: async (s) => {
    const c = s.client();
    await s.step("sign up", () => c.api.signUp.email(who));
    await s.step("ask", () => c.api.requestPasswordReset({ email: who.email, redirectTo: "/reset" }));
    const m = await s.mail(who.email, "reset-password");
    await s.step("use", () => c.api.resetPassword({ token: m.token, newPassword: "correct horse 2" }));
    await s.step("still to be verified", () => c.api.signIn.email({ ...who, password: "correct horse 2" }));
  } },
];

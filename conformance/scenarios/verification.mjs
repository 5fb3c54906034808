// Verifying an address: asking for the mail, following the link, and every token that is none.
import { createHmac } from "node:crypto";
import { SECRET } from "../harness.mjs";
const user = (n) => ({ email: `${n}@example.com`, password: "correct horse 1", name: n });
const b64u = (x) => Buffer.from(typeof x === "string" ? x : JSON.stringify(x)).toString("base64url");
/** An HS256 JWT (RFC 7519). */
function jwt(claims, { secret = SECRET, header = { alg: "HS256" } } = {}) {
  const body = `${b64u(header)}.${b64u(claims)}`;
  return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`;
}
const now = () => Math.floor(Date.now() / 1000);
const path = "/api/auth/verify-email", send = "/api/auth/send-verification-email";
export const parts = [
  { name: "asking", options: {}, run: async (s) => {
    const a = s.client(), out = s.client();
    const ask = (label, c, body) => s.step(label, () => c.raw("POST", send, body));
    await s.step("sign up", () => a.api.signUp.email(user("ask")));
    await s.quiet("no mail by itself", "ask@example.com");
    await ask("nothing", out, {});
    await ask("not an address", out, { email: "nonsense" });
    await ask("foreign callback", out, { email: "ask@example.com", callbackURL: "https://evil.example/" });
    await ask("a stranger", out, { email: "stranger@example.com" });
    await ask("out of session", out, { email: "ask@example.com", callbackURL: "/done?x=1" });
    s.note("mail", { url: (await s.mail("ask@example.com", "verify-email")).url });
    await ask("in capitals", out, { email: "ASK@Example.com" });
    await s.mail("ask@example.com", "verify-email");
    await ask("in session", a, { email: "Ask@example.com" });
    const m = await s.mail("ask@example.com", "verify-email");
    s.note("claims", { members: Object.keys(JSON.parse(Buffer.from(m.token.split(".")[1], "base64url"))).sort(), header: JSON.parse(Buffer.from(m.token.split(".")[0], "base64url")) });
    await ask("another address in session", a, { email: "stranger@example.com" });
    await s.step("verify", () => out.raw("GET", s.path(m.url)));
    await ask("verified, in session", a, { email: "ask@example.com" });
    await ask("verified, out of session", out, { email: "ask@example.com" });
    await s.quiet("no mail any more", "ask@example.com");
  } },
  { name: "following", options: { sendOnSignUp: true }, run: async (s) => {
    const a = s.client(), b = s.client(), out = s.client();
    const r = (await s.step("sign up", () => a.api.signUp.email({ ...user("fol"), callbackURL: "/welcome?x=1&y=ü" }))).data;
    const m = await s.mail("fol@example.com", "verify-email");
    s.note("mail", { url: m.url });
    const other = (await s.step("sign up another", () => b.api.signUp.email(user("oth")))).data;
    s.note("default callback", { url: (await s.mail("oth@example.com", "verify-email")).url });
    const go = (label, c, token, cb) => s.step(label, () => c.raw("GET", `${path}?token=${token}${cb === undefined ? "" : `&callbackURL=${encodeURIComponent(cb)}`}`));
    const claims = { email: "fol@example.com", userId: r.user.id, iat: now(), exp: now() + 3600 };
    await s.step("no token", () => out.raw("GET", path));
    await s.step("no token, callback", () => out.raw("GET", `${path}?callbackURL=/x`));
    await s.step("empty token", () => out.raw("GET", `${path}?token=`));
    await s.step("two tokens", () => out.raw("GET", `${path}?token=a&token=b`));
    await go("nonsense", out, "nonsense");
    await go("nonsense, callback", out, "nonsense", "/x");
    await go("nonsense, callback with a query", out, "nonsense", "/x?a=b#c");
    await go("nonsense, absolute callback", out, "nonsense", `${s.server.base}/x`);
    await go("nonsense, foreign callback", out, "nonsense", "https://evil.example/");
    await go("right, foreign callback", out, m.token, "https://evil.example/");
    await go("expired", out, jwt({ ...claims, exp: now() - 5 }));
    await go("expired, callback", out, jwt({ ...claims, exp: now() - 5 }), "/x");
    await go("another secret", out, jwt(claims, { secret: "another" }));
    await go("unsigned", out, `${b64u({ alg: "none" })}.${b64u(claims)}.`);
    await go("header says HS512", out, jwt(claims, { header: { alg: "HS512" } }));
    await go("unknown address", out, jwt({ ...claims, email: "nobody@example.com" }));
    await go("unknown address, callback", out, jwt({ ...claims, email: "nobody@example.com" }), "/x");
    await go("another user's id", out, jwt({ ...claims, userId: other.user.id }));
    await go("another user's id, callback", out, jwt({ ...claims, userId: other.user.id }), "/x");
    await go("change without a user", out, jwt({ email: "fol@example.com", updateTo: "new@example.com", exp: now() + 60 }));
    await go("change of a user unknown", out, jwt({ ...claims, userId: "nobody", updateTo: "new@example.com" }));
    await go("change from another address", out, jwt({ ...claims, email: "former@example.com", updateTo: "new@example.com" }));
    await s.step("still unverified", () => a.api.getSession());
    await go("follow", out, m.token, "/welcome?x=1&y=2");
    await s.step("nobody is signed in by it", () => out.api.getSession());
    await s.step("verified", () => a.api.getSession());
    await go("again", out, m.token);
    await go("again, callback", out, m.token, "/x");
    await go("capitals in the claim", out, jwt({ ...claims, email: "FOL@example.com" }));
    await go("no user in the claim, no callback", out, jwt({ email: "oth@example.com", exp: now() + 60 }));
    await s.step("verified too", () => b.api.getSession());
  } },
  { name: "signing in", options: { sendOnSignUp: true, autoSignInAfterVerification: true, cookieCache: true }, run: async (s) => {
    const a = s.client(), b = s.client(), out = s.client();
    await s.step("sign up", () => a.api.signUp.email(user("sig")));
    const m = await s.mail("sig@example.com", "verify-email");
    await s.step("sign up another", () => b.api.signUp.email(user("byst")));
    const n = await s.mail("byst@example.com", "verify-email");
    await s.step("in one's own session", () => a.raw("GET", `${path}?token=${m.token}`));
    await s.step("verified, in the cache too", () => a.api.getSession());
    await s.step("in another user's session", () => a.raw("GET", s.path(n.url)));
    await s.step("now as that one", () => a.api.getSession());
    await s.step("used again: nobody is signed in", () => out.raw("GET", s.path(n.url)));
    await s.step("out", () => out.api.getSession());
    await s.step("sign up a third", () => s.client().api.signUp.email(user("third")));
    const o = await s.mail("third@example.com", "verify-email");
    await s.step("out of session, no callback", () => out.raw("GET", `${path}?token=${o.token}`));
    await s.step("in", () => out.api.getSession());
  } },
  { name: "expires", options: { sendOnSignUp: true, verificationExpiresIn: 1 }, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email(user("exp")));
    const m = await s.mail("exp@example.com", "verify-email");
    await new Promise((r) => setTimeout(r, 2300));
    await s.step("too late", () => a.raw("GET", `${path}?token=${m.token}`));
    await s.step("too late, callback", () => a.raw("GET", s.path(m.url)));
  } },
  { name: "required", options: { requireEmailVerification: true, sendOnSignIn: true, sendOnSignUp: true }, run: async (s) => {
    const a = s.client(), b = s.client();
    await s.step("sign up", () => a.api.signUp.email(user("req")));
    await s.mail("req@example.com", "verify-email");
    await s.step("no session", () => a.api.getSession());
    await s.step("wrong password", () => a.api.signIn.email({ ...user("req"), password: "wrong horse 1" }));
    await s.quiet("no mail", "req@example.com");
    await s.step("too early", () => a.api.signIn.email({ ...user("req"), callbackURL: "/app" }));
    const m = await s.mail("req@example.com", "verify-email");
    s.note("mail", { url: m.url });
    await s.step("too early, no callback", () => a.api.signIn.email(user("req")));
    s.note("mail without a callback", { url: (await s.mail("req@example.com", "verify-email")).url });
    await s.step("the same address again", () => b.api.signUp.email({ ...user("req"), name: "Mallory", image: "https://example.com/m.png" }));
    await s.step("the same address again, in capitals", () => b.api.signUp.email({ ...user("req"), email: "REQ@example.com" }));
    await s.quiet("nobody is told", "req@example.com");
    await s.step("follow", () => a.raw("GET", s.path(m.url)));
    await s.step("nobody is signed in by it", () => a.api.getSession());
    await s.step("sign in", () => a.api.signIn.email(user("req")));
    await s.step("name is as it was", () => a.api.getSession());
  } },
  { name: "required, sign-up mail by default", options: { requireEmailVerification: true, sendOnSignUp: null }, run: async (s) => {
    await s.step("sign up", () => s.client().api.signUp.email(user("def")));
    await s.quiet("mail", "def@example.com", 1);
    await s.step("too early", () => s.client().api.signIn.email(user("def")));
    await s.quiet("no mail", "def@example.com");
  } },
  { name: "required, no mail at all", options: { requireEmailVerification: true, sendVerificationEmail: false }, run: async (s) => {
    await s.step("sign up", () => s.client().api.signUp.email(user("none")));
    await s.step("sign in", () => s.client().api.signIn.email(user("none")));
    await s.step("ask", () => s.client().api.sendVerificationEmail({ email: "none@example.com" }));
  } },
];

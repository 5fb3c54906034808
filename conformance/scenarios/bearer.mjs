// Sessions in the Authorization header.
import { createHmac } from "node:crypto";
import { SECRET } from "../harness.mjs";
const who = { email: "bearer@example.com", password: "correct horse 1", name: "Bearer" };
const get = "/api/auth/get-session";
const sign = (text, secret = SECRET) => `${text}.${createHmac("sha256", secret).update(text).digest("base64")}`;
/** The first letter of the signature is another one: the last ones may be what one would put there. */
const altered = (signed) => signed.replace(/\.(.)/, (_, c) => (c === "A" ? ".B" : ".A"));
const mail = (r) => r.body?.user?.email ?? null;

/** Signs up and returns what an app without cookies would keep. */
async function enrol(s, o = {}) {
  const a = s.client();
  const r = await s.step("sign up", () => a.raw("POST", "/api/auth/sign-up/email", { ...who, ...o }));
  const signed = r.headers.get("set-auth-token");
  s.note("set-auth-token is the cookie's value", { same: signed === decodeURIComponent(a.jar.get("better-auth.session_token")), signs: signed === sign(r.body.token) });
  return { browser: a, token: r.body.token, signed };
}
const parts = [
  { name: "forms of the token", run: async (s) => {
    const { token, signed } = await enrol(s);
    const forms = {
      "raw": `Bearer ${token}`, "signed": `Bearer ${signed}`, "encoded": `Bearer ${encodeURIComponent(signed)}`,
      "scheme in capitals": `BEARER ${signed}`, "scheme in small letters": `bearer ${token}`, "spaces": `Bearer    ${token}  `,
      "another scheme": `Basic ${token}`, "no scheme": token, "no space": `Bearer${token}`, "nothing": "Bearer ", "empty": "Bearer",
      "another secret": `Bearer ${sign(token, "another-secret-of-another-server-0123")}`, "no signature": `Bearer ${token}.`,
      "half a signature": `Bearer ${signed.slice(0, -20)}`, "altered token": `Bearer ${signed[0] === "x" ? "y" : "x"}${signed.slice(1)}`, "unknown": `Bearer ${"x".repeat(32)}`,
      "signed, unknown": `Bearer ${sign("x".repeat(32))}`, "encoded twice": `Bearer ${encodeURIComponent(encodeURIComponent(signed))}`,
      "two": `Bearer ${token} ${token}`, "three parts": `Bearer ${sign(signed)}`,
    };
    for (const [name, authorization] of Object.entries(forms)) {
      const r = await s.step(name, () => s.client().http("GET", get, { headers: { authorization } }));
      s.note(`${name}: whose`, { email: mail(r) });
    }
  } },
  { name: "endpoints", run: async (s) => {
    const { signed, token } = await enrol(s);
    const h = { authorization: `Bearer ${signed}` };
    const call = (method, path, body) => s.client().http(method, `/api/auth${path}`, { headers: { ...h, ...(body && { "content-type": "application/json" }) }, body });
    await s.step("sessions", () => call("GET", "/list-sessions"));
    await s.step("accounts", () => call("GET", "/list-accounts"));
    await s.step("a new name", () => call("POST", "/update-user", { name: "Bearer II" }));
    await s.step("an empty change", () => call("POST", "/update-user", {}));
    await s.step("a wrong password", () => call("POST", "/change-password", { currentPassword: "wrong horse 1", newPassword: "correct horse 2" }));
    const r = await s.step("a new password and session", () => call("POST", "/change-password", { currentPassword: who.password, newPassword: "correct horse 2", revokeOtherSessions: true }));
    s.note("another token", { body: r.body.token !== token, header: r.headers.get("set-auth-token") === sign(r.body.token) });
    await s.step("the old one", () => call("GET", "/get-session"));
    h.authorization = `Bearer ${r.body.token}`;
    await s.step("the new one", () => call("GET", "/get-session"));
    await s.step("sign out", () => call("POST", "/sign-out", {}));
    await s.step("signed out", () => call("GET", "/get-session"));
    await s.step("signed out, elsewhere", () => call("GET", "/list-sessions"));
  } },
  { name: "beside a cookie", run: async (s) => {
    const { browser, signed } = await enrol(s);
    const b = s.client();
    await s.step("sign up, somebody else", () => b.raw("POST", "/api/auth/sign-up/email", { ...who, email: "other@example.com" }));
    const cases = { "good": `Bearer ${signed}`, "bad signature": `Bearer ${altered(signed)}`, "unknown": `Bearer ${"y".repeat(32)}`, "other scheme": `Basic ${signed}` };
    for (const [name, authorization] of Object.entries(cases)) {
      const jar = [...b.jar].map(([k, v]) => `${k}=${v}`).join("; ");
      const r = await s.step(name, () => s.client().http("GET", get, { headers: { authorization, cookie: jar } }));
      s.note(`${name}: whose`, { email: mail(r) });
    }
    const post = (headers) => browser.http("POST", "/api/auth/update-user", { headers: { authorization: `Bearer ${signed}`, "content-type": "application/json", ...headers }, body: { name: "B" } });
    await s.step("no cookie, no origin", () => post({ cookie: null }));
    await s.step("no cookie, foreign origin", () => post({ cookie: null, origin: "https://evil.example" }));
    await s.step("cookie, no origin", () => post({}));
    await s.step("cookie, foreign origin", () => post({ origin: "https://evil.example" }));
    await s.step("cookie, own origin", () => post({ origin: s.server.base }));
  } },
  { name: "signing in again", run: async (s) => {
    const { signed } = await enrol(s);
    const r = await s.step("sign in with a token", () => s.client().http("POST", "/api/auth/sign-in/email", { headers: { authorization: `Bearer ${signed}`, "content-type": "application/json" }, body: who }));
    s.note("a token of its own", { new: r.headers.get("set-auth-token") !== signed });
    await s.step("a wrong password", () => s.client().raw("POST", "/api/auth/sign-in/email", { ...who, password: "wrong horse 1" }));
    await s.step("not remembered", () => s.client().raw("POST", "/api/auth/sign-in/email", { ...who, rememberMe: false }));
  } },
  { name: "signature required", options: { bearer: { requireSignature: true } }, run: async (s) => {
    const { token, signed } = await enrol(s);
    for (const [name, authorization] of Object.entries({ raw: `Bearer ${token}`, signed: `Bearer ${signed}`, encoded: `Bearer ${encodeURIComponent(signed)}` })) {
      const r = await s.step(name, () => s.client().http("GET", get, { headers: { authorization } }));
      s.note(`${name}: whose`, { email: mail(r) });
    }
  } },
  { name: "renewed", options: { sessionExpiresIn: 1000, sessionUpdateAge: 0 }, run: async (s) => {
    const { signed, token } = await enrol(s);
    const h = { authorization: `Bearer ${token}` };
    const r = await s.step("read", () => s.client().http("GET", get, { headers: h }));
    s.note("the same token", { same: r.headers.get("set-auth-token") === signed });
    await s.step("read without renewal", () => s.client().http("GET", `${get}?disableRefresh=true`, { headers: h }));
    await s.step("by another endpoint", () => s.client().http("GET", "/api/auth/list-accounts", { headers: h }));
  } },
  { name: "cookie cache", options: { cookieCache: true }, run: async (s) => {
    const { signed, browser } = await enrol(s);
    const h = { authorization: `Bearer ${signed}` };
    await s.step("from the database", () => s.client().http("GET", get, { headers: h }));
    await s.step("from the cache", () => browser.http("GET", get, { headers: h }));
    await s.step("sign out", () => s.client().http("POST", "/api/auth/sign-out", { headers: { ...h, "content-type": "application/json" }, body: {} }));
  } },
];
for (const p of parts) { p.plugins = ["bearer"]; p.options ??= {}; }
export { parts };

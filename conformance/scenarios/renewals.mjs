// A session that is renewed, or replaced, on the way to something else: which cookies and headers the answer carries then.
import { freshCode } from "../harness.mjs";
const who = { email: "renew@example.com", password: "correct horse 1", name: "Renew" };
const api = "/api/auth";
const json = (body) => ({ headers: { "content-type": "application/json" }, body });

async function beside(s) {
  const c = s.client();
  await s.step("sign up", () => c.api.signUp.email(who));
  const post = (label, path, body = {}) => s.step(label, () => c.raw("POST", `${api}${path}`, body));
  const get = (label, path) => s.step(label, () => c.raw("GET", `${api}${path}`));
  await post("sensitive", "/verify-password", { password: who.password });
  await post("sensitive, refused", "/verify-password", { password: "wrong horse 1" });
  await post("sensitive, refused by the input", "/verify-password", {});
  await get("from the cache", "/list-accounts");
  await get("fresh, past the cache", "/list-sessions?disableCookieCache=true");
  await get("reads, past the cache", "/list-accounts?disableCookieCache=true");
  await post("writes the cookies itself", "/update-user?disableCookieCache=true", { name: "Renew II" });
  await post("public, and reads the session", "/send-verification-email?disableCookieCache=true", { email: who.email });
  await get("by mail, and reads the session", "/delete-user/callback?token=none");
  await post("organization: read by the endpoint", "/organization/create?disableCookieCache=true", { name: "One", slug: "one" });
  await post("organization: read before it", "/organization/check-slug?disableCookieCache=true", { slug: "one" });
  await get("organization: invitations to me", "/organization/list-user-invitations?disableCookieCache=true");
  await get("a query of its own, read by the endpoint", "/verify-email?token=none&disableCookieCache=true");
  await get("a query of its own, read before it", "/organization/list-members?disableCookieCache=true");
  await get("a query of its own, not to be renewed", "/delete-user/callback?token=none&disableRefresh=true");
  await get("no query, not to be renewed", "/list-accounts?disableCookieCache=true&disableRefresh=true");
  await get("and get-session", "/get-session?disableCookieCache=true");
  c.jar.set("better-auth.session_data", "nonsense");
  await get("a cache that is none", "/list-accounts");
  c.jar.set("better-auth.session_data", "nonsense");
  await post("a cache that is none, read by the endpoint", "/organization/create", { name: "Two", slug: "two" });
  for (const left of [["session_data.0"], ["session_data", "session_data.0"], ["session_data.1", "session_data"]]) {
    for (const name of [...c.jar.keys()].filter((n) => n.includes("session_data"))) c.jar.delete(name);
    for (const name of left) c.jar.set(`better-auth.${name}`, "nonsense");
    await get(`left over: ${left}`, "/list-accounts");
  }
  const other = { ...who, email: "renew2@example.com" };
  await s.step("sign up, not remembered", () => c.api.signUp.email({ ...other, rememberMe: false }));
  await post("not renewed", "/verify-password", { password: who.password });
  await post("a new password", "/change-password", { currentPassword: who.password, newPassword: who.password, revokeOtherSessions: true });
}

async function refused(s) {
  const c = s.client();
  const { body: { token } } = await s.step("sign up", () => c.raw("POST", `${api}/sign-up/email`, who));
  const call = (label, method, path, body) => s.step(label, () => s.client().http(method, `${api}${path}`, { headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body }));
  await call("renewed", "GET", "/list-accounts");
  await call("renewed and refused", "POST", "/update-user", {});
  await call("refused by the input, not renewed", "POST", "/verify-password", {});
  await call("renewed, a wrong password", "POST", "/verify-password", { password: "wrong horse 1" });
  await call("renewed, and nothing of that name", "POST", "/unlink-account", { accountId: "none" });
  await call("signed out, nothing to hand out", "POST", "/sign-out", {});
  await call("nobody's", "POST", "/update-user", {});
}

async function replaced(s) {
  const browser = (agent) => ({ headers: { "user-agent": agent } });
  const c = s.client(browser("One/1.0"));
  await s.step("sign up", () => c.api.signUp.email(who));
  await s.step("fields of the session", () => c.raw("POST", `${api}/update-session`, { theme: "dark", note: "kept" }));
  const as = (agent, body, path) => s.step(`${path} by ${agent}`, async () => {
    const r = await c.http("POST", `${api}/two-factor/${path}`, { ...json(body), headers: { "content-type": "application/json", origin: s.server.base, "user-agent": agent } });
    return r;
  });
  const { body: { totpURI } } = await as("Two/2.0", { password: who.password }, "enable");
  await as("Two/2.0", { code: await freshCode(new URL(totpURI).searchParams.get("secret")) }, "verify-totp");
  const read = (label) => s.step(label, () => c.raw("GET", `${api}/get-session`));
  await read("goes on where it was, with defaults anew");
  await s.step("fields of the session", () => c.raw("POST", `${api}/update-session`, { theme: "dark" }));
  await as("Three/3.0", { password: who.password }, "disable");
  await read("still where it was");
  await as("Four/4.0", { password: who.password, method: "otp" }, "enable");
  await read("and once more");
}

// Better Auth reads the session twice where two-factor is switched on: from the cache, and from the database.
async function switchedOn(s) {
  const c = s.client(), wrong = { password: "wrong horse 1" };
  const post = (label, body, path = "/two-factor/enable") => s.step(label, () => c.raw("POST", `${api}${path}`, body));
  await s.step("sign up", () => c.api.signUp.email(who));
  await post("from the cache", wrong);
  await post("switching off", wrong, "/two-factor/disable");
  c.jar.set("better-auth.session_data", "nonsense");
  await post("a cache that is none", wrong);
  c.jar.delete("better-auth.session_data");
  await post("no cache", wrong);
  await post("by mail", { password: who.password, method: "otp" });
  await post("off", { password: who.password }, "/two-factor/disable");
  await s.step("not remembered", () => c.api.signIn.email({ ...who, rememberMe: false }));
  await post("from the cache, not remembered", wrong);
  c.jar.set("better-auth.session_data", "nonsense");
  await post("a cache that is none, not remembered", wrong);
  const old = new Map(c.jar), d = s.client();
  await s.step("signed out", () => c.api.signOut());
  for (const [k, v] of old) d.jar.set(k, v);
  await s.step("a session that has ended", () => d.raw("POST", `${api}/two-factor/enable`, wrong));
}

export const parts = [
  { name: "beside the cache", run: beside, plugins: ["organization"], options: { sessionUpdateAge: 0, cookieCache: true } },
  { name: "beside a bearer token", run: beside, plugins: ["bearer", "organization"], options: { sessionUpdateAge: 0, cookieCache: { strategy: "jwt" } } },
  { name: "without a cache", run: beside, plugins: ["bearer", "organization"], options: { sessionUpdateAge: 0 } },
  { name: "refused", run: refused, plugins: ["bearer"], options: { sessionUpdateAge: 0 } },
  { name: "refused, with a cache", run: refused, plugins: ["bearer"], options: { sessionUpdateAge: 0, cookieCache: true } },
  { name: "switched on", run: switchedOn, plugins: ["two-factor", "bearer"], options: { cookieCache: true } },
  { name: "replaced", run: replaced, plugins: ["two-factor"], options: { additionalFields: { session: {
    theme: { type: "string", required: false, defaultValue: "light" }, note: { type: "string", required: false } } } } },
];

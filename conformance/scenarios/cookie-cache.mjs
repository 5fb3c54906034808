// The cookie cache: content, life, version, staleness, tampering, chunks.
import { createHmac } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { getCookieCache } from "better-auth/cookies";
import { SECRET } from "../harness.mjs";
const who = { email: "cache@example.com", password: "correct horse 1", name: "Cache" };
const data = "better-auth.session_data", get = "/api/auth/get-session";
const b64u = (x) => Buffer.from(x).toString("base64url");
const read = (v) => JSON.parse(Buffer.from(decodeURIComponent(v), "base64url").toString());
/** A cache cookie as Better Auth would write it, with other content. */
function forge(payload, expiresAt, secret = SECRET) {
  const signature = createHmac("sha256", secret).update(JSON.stringify({ ...payload, expiresAt })).digest("base64url");
  return b64u(JSON.stringify({ session: payload, expiresAt, signature }));
}
const official = (c, o = {}) => getCookieCache(new Headers({ cookie: [...c.jar].map(([k, v]) => `${k}=${v}`).join("; ") }), { secret: SECRET, isSecure: false, ...o });
/** What the cache in the jar says, beside what the database says of the same session. */
const both = async (c, o) => {
  const { session, user } = JSON.parse(JSON.stringify((await official(c, o)) ?? {})); // its times are dates
  const { body } = await c.raw("GET", `${get}?disableCookieCache=true&disableRefresh=true`);
  if (!isDeepStrictEqual({ session, user }, body)) throw new Error(`the cache says ${JSON.stringify({ session, user })}, the database ${JSON.stringify(body)}`);
  return { email: user.email };
};
/** Of the last part the first letter is another one: the last ones may be what one would put there. */
const altered = (token) => token.replace(/\.(.)([^.]*)$/, (_, c, rest) => `.${c === "A" ? "B" : "A"}${rest}`);
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
export const parts = [
  { name: "compact", options: { cookieCache: true }, run: async (s) => {
    const a = s.client(), b = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    const first = read(a.jar.get(data));
    s.note("content", { members: Object.keys(first), payload: Object.keys(first.session), version: first.session.version, life: Math.round((first.expiresAt - first.session.updatedAt) / 10000),
      session: Object.keys(first.session.session).sort(), user: ["id", "email", "name", "emailVerified", "createdAt", "updatedAt"].every((k) => k in first.session.user), password: JSON.stringify(first).includes("password") });
    const seen = await official(a);
    s.note("accepted by better-auth/cookies", { email: seen?.user.email, token: typeof seen?.session.token });
    s.note("equal to the database's answer", await s.step("for comparison", () => both(a)));
    await s.step("from the cache", () => a.api.getSession());
    await s.step("bypassed", () => a.raw("GET", `${get}?disableCookieCache=true`));
    await s.step("bypassed, as 1", () => a.raw("GET", `${get}?disableCookieCache=1`));
    await s.step("not bypassed, as false", () => a.raw("GET", `${get}?disableCookieCache=false`));
    await s.step("not bypassed, empty", () => a.raw("GET", `${get}?disableCookieCache=`));
    await s.step("sign in elsewhere", () => b.api.signIn.email(who));
    await s.step("rename elsewhere", () => b.api.updateUser({ name: "Renamed" }));
    await s.step("stale here", () => a.api.getSession());
    const good = { token: a.jar.get("better-auth.session_token"), data: a.jar.get(data) };
    const tryData = (label, v, path = get) => { a.jar.set("better-auth.session_token", good.token); a.jar.set(data, v); return s.step(label, () => a.raw("GET", path)); };
    const p = first.session, e = first.expiresAt;
    await tryData("forged by the rules", forge({ ...p, user: { ...p.user, name: "Forged" } }, e));
    await tryData("another secret", forge({ ...p, user: { ...p.user, name: "Forged" } }, e, "another secret"));
    await tryData("content changed", b64u(JSON.stringify({ ...first, session: { ...p, user: { ...p.user, name: "Evil" } } })));
    await tryData("life changed", b64u(JSON.stringify({ ...first, expiresAt: e + 1000 })));
    await tryData("expired", forge(p, Date.now() - 1000));
    await tryData("another version", forge({ ...p, version: "2" }, e));
    const { version, ...unversioned } = p;
    await tryData("no version", forge(unversioned, e));
    await tryData("session expired", forge({ ...p, session: { ...p.session, expiresAt: "2020-01-01T00:00:00.000Z" } }, e));
    await tryData("another session's token", forge({ ...p, session: { ...p.session, token: "x".repeat(32) } }, e));
    await tryData("no session", forge({ user: p.user, updatedAt: p.updatedAt, version: "1" }, e));
    await tryData("no user", forge({ session: p.session, updatedAt: p.updatedAt, version: "1" }, e));
    await tryData("user without an email", forge({ ...p, user: { id: p.user.id, name: "x" } }, e));
    await tryData("date with an offset", forge({ ...p, session: { ...p.session, expiresAt: "2099-01-01T00:00:00.000+00:00" } }, e));
    await tryData("not JSON", b64u("nonsense"));
    await tryData("required session, content changed", b64u(JSON.stringify({ ...first, expiresAt: e + 1000 })), "/api/auth/list-accounts");
    a.jar.set(data, good.data);
    await s.step("revoke the first elsewhere", () => b.raw("POST", "/api/auth/revoke-other-sessions", {}));
    await s.step("lives on in the cache", () => a.api.getSession());
    await s.step("and for what is not sensitive", () => a.api.listAccounts());
    await s.step("not for what is", () => a.api.changePassword({ currentPassword: who.password, newPassword: "correct horse 2" }));
    await s.step("out", () => a.api.getSession());
    const c = s.client();
    c.jar.set(data, good.data);
    await s.step("cache without a session cookie", () => c.raw("GET", get));
    c.jar.set(data, good.data).set("better-auth.session_token", "bad");
    await s.step("cache with a bad session cookie", () => c.raw("GET", get));
    await s.step("sign out clears all", () => b.api.signOut());
    s.note("nothing left", { jar: [...b.jar.keys()] });
  } },
  { name: "short life", options: { cookieCache: { maxAge: 3, version: "v2" } }, run: async (s) => {
    const a = s.client(), b = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    s.note("version", { version: read(a.jar.get(data)).session.version });
    await s.step("sign in elsewhere", () => b.api.signIn.email(who));
    await s.step("revoke the first", () => b.raw("POST", "/api/auth/revoke-other-sessions", {}));
    await sleep(3300);
    await s.step("noticed", () => a.api.getSession());
    await s.within(3000, async () => {
      await s.step("expired, still valid", () => b.api.getSession());
      await s.step("from the cache again", () => b.api.getSession());
    });
  } },
  { name: "not remembered", options: { cookieCache: true }, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email({ ...who, rememberMe: false }));
    const first = read(a.jar.get(data));
    s.note("life", { tens: Math.round((first.expiresAt - first.session.updatedAt) / 10000) });
    await s.step("from the cache", () => a.api.getSession());
    await s.step("from the database: no new cache", () => a.raw("GET", `${get}?disableCookieCache=true`));
    a.jar.delete(data);
    await s.step("cache cookie gone: no new one", () => a.api.getSession());
  } },
  { name: "remembered, cookie gone", options: { cookieCache: true }, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    a.jar.delete(data);
    await s.step("written again", () => a.api.getSession());
    a.jar.delete(data);
    await s.step("not with disableRefresh", () => a.api.getSession({ query: { disableRefresh: true } }));
    await s.step("another endpoint writes it", () => a.api.listAccounts());
  } },
  { name: "chunks", options: { cookieCache: true }, run: async (s) => {
    const a = s.client();
    await s.step("sign up, long name", () => a.api.signUp.email({ ...who, name: "n".repeat(6500) }));
    s.note("chunks", { names: [...a.jar.keys()].sort() });
    const seen = await official(a);
    s.note("accepted by better-auth/cookies", { name: seen?.user.name.length });
    await s.step("from the cache", () => a.api.getSession());
    const kept = a.jar.get(`${data}.1`);
    a.jar.delete(`${data}.1`);
    await s.step("one is missing", () => a.api.getSession());
    a.jar.set(`${data}.1`, kept);
    await s.step("shorter name", () => a.api.updateUser({ name: "Short" }));
    s.note("one cookie", { names: [...a.jar.keys()].sort() });
    await s.step("longer again", () => a.api.updateUser({ name: "n".repeat(6500) }));
    await s.step("sign out", () => a.api.signOut());
    s.note("nothing left", { names: [...a.jar.keys()] });
  } },
  { name: "jwt", options: { cookieCache: { strategy: "jwt" } }, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    const [h, p] = a.jar.get(data).split(".").map((x) => { try { return JSON.parse(Buffer.from(x, "base64url")); } catch { return x; } });
    s.note("claims", { header: h, members: Object.keys(p).sort(), life: p.exp - p.iat });
    s.note("read by better-auth/cookies, equal to the database's answer", await s.step("for comparison", () => both(a, { strategy: "jwt" })));
    await s.step("from the cache", () => a.api.getSession());
    a.jar.set(data, altered(a.jar.get(data)));
    await s.step("tampered with", () => a.api.getSession());
  } },
  { name: "jwe", options: { cookieCache: { strategy: "jwe" } }, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    const header = JSON.parse(Buffer.from(a.jar.get(data).split(".")[0], "base64url"));
    s.note("header", { alg: header.alg, enc: header.enc, kid: typeof header.kid });
    s.note("read by better-auth/cookies, equal to the database's answer", await s.step("for comparison", () => both(a, { strategy: "jwe" })));
    await s.step("from the cache", () => a.api.getSession());
    a.jar.set(data, altered(a.jar.get(data)));
    await s.step("tampered with", () => a.api.getSession());
  } },
];

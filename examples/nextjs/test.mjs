// Builds Sallyport and this app, and opens its pages with the cookies that Sallyport sets, and with
// those that somebody made up. node --test test.mjs; it needs Go, and `npm ci` before.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createAuthClient } from "better-auth/client";
import { getCookieCache } from "better-auth/cookies";
import { signJWT, symmetricEncodeJWT } from "better-auth/crypto";

const secret = "the secret of this test, 0123456789abcdef";
const wrongSecret = "another secret, 0123456789abcdef01234567";
const tokenCookie = "better-auth.session_token", cacheCookie = "better-auth.session_data";
const here = import.meta.dirname;
const work = mkdtempSync(join(tmpdir(), "sallyport-nextjs-"));
const next = join(here, "node_modules/next/dist/bin/next");
const environment = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };
for (const name of ["NODE_ENV", "BETTER_AUTH_SECRET", "BETTER_AUTH_SECRETS", "BETTER_AUTH_URL", "DATABASE_URL"]) delete environment[name];
let authPort, appPort, site;

before(async () => {
  // Below the ports that systems give to outgoing connections: they have to be free after the build too.
  authPort = await freePort(18080);
  appPort = await freePort(authPort + 1);
  site = `http://localhost:${appPort}`;
  execFileSync("go", ["build", "-o", join(work, "sallyport"), "./cmd/sallyport"], { cwd: join(here, "../.."), stdio: "inherit" });
  execFileSync(process.execPath, [next, "build"], { cwd: here, env: { ...environment, AUTH_URL: `http://127.0.0.1:${authPort}` }, stdio: ["ignore", "ignore", "inherit"] });
});

after(() => rmSync(work, { recursive: true }));

async function freePort(from) {
  const server = createServer().listen(from, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return freePort(from + 1);
  }
  server.close();
  return from;
}

/** Starts a program until the test ends, and waits for an answer at url. */
async function start(t, command, args, env, url) {
  const child = spawn(command, args, { cwd: here, env: { ...environment, ...env }, stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(child, "exit");
  const stop = async () => { child.kill(); await ended; };
  t.after(stop);
  for (const limit = Date.now() + 30_000; ; await new Promise((r) => setTimeout(r, 50))) {
    if (await fetch(url).then((r) => r.ok, () => false)) return stop;
    assert.equal(child.exitCode, null, `${command} ended before it answered`);
    assert.ok(Date.now() < limit, `${url} did not answer within 30 s`);
  }
}

/** Sallyport and the app in front of it; the answer stops Sallyport alone. */
async function startBoth(t, strategy, appSecret = secret) {
  const shared = { SALLYPORT_BASE_URL: site, SALLYPORT_SESSION_COOKIE_CACHE_STRATEGY: strategy };
  const stop = await start(t, join(work, "sallyport"), ["serve", "--config", "sallyport.yaml", "--data", mkdtempSync(join(work, "data-"))],
    { ...shared, BETTER_AUTH_SECRET: secret, SALLYPORT_LISTEN: `127.0.0.1:${authPort}`, SALLYPORT_LOG_LEVEL: "error" }, `http://127.0.0.1:${authPort}/api/auth/ok`);
  await start(t, process.execPath, [next, "start", "-H", "localhost", "-p", String(appPort)],
    { ...shared, ...(appSecret && { BETTER_AUTH_SECRET: appSecret }), AUTH_URL: `http://127.0.0.1:${authPort}` }, site);
  return stop;
}

/** A browser: its cookies, the official client, and pages opened without following redirects. */
function browser() {
  const jar = new Map();
  const ask = async (url, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set("cookie", [...jar].map((c) => c.join("=")).join("; "));
    if (init.method === "POST") headers.set("origin", site);
    const answer = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const cookie of answer.headers.getSetCookie()) {
      assert.doesNotMatch(cookie, /domain=/i, "the cookie belongs to this site alone");
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      if (/max-age=0/i.test(cookie)) jar.delete(name); else jar.set(name, value);
    }
    return answer;
  };
  return { jar, auth: createAuthClient({ baseURL: site, fetchOptions: { customFetchImpl: ask } }), open: (path, headers) => ask(site + path, { headers }) };
}

/** A browser with these cookies and no others. */
function browserWith(token, cache) {
  const b = browser();
  if (token) b.jar.set(tokenCookie, token);
  if (cache) b.jar.set(cacheCookie, cache);
  return b;
}

async function opens(b, path, text) {
  const page = await b.open(path);
  assert.equal(page.status, 200, path);
  assert.ok((await page.text()).includes(text), `${path} shows ${text}`);
}

async function sendsAway(b, path, headers) {
  const page = await b.open(path, headers);
  assert.equal(page.status, 307, path);
  assert.equal(page.headers.get("location"), "/sign-in", path);
  assert.doesNotMatch(await page.text(), /lighthouse|ada@/, path);
}

/** The same token, signed with another secret: Sallyport takes it for none. */
function signedAnew(token) {
  const value = decodeURIComponent(token).split(".")[0];
  return encodeURIComponent(`${value}.${createHmac("sha256", wrongSecret).update(value).digest("base64")}`);
}

/** A cache cookie as Better Auth's own library makes it, with a life in seconds. */
function makeCache(strategy, payload, key, life = 60) {
  if (strategy === "jwt") return signJWT(payload, key, life);
  if (strategy === "jwe") return symmetricEncodeJWT(payload, key, "better-auth-session", life);
  const expiresAt = Date.now() + life * 1000;
  const signature = createHmac("sha256", key).update(JSON.stringify({ ...payload, expiresAt })).digest("base64url");
  return Buffer.from(JSON.stringify({ session: payload, expiresAt, signature })).toString("base64url");
}

/** The cookie with other content below the same signature; of what is encrypted, with one bit changed. */
function altered(strategy, cookie) {
  const parts = cookie.split(".");
  const i = { compact: 0, jwt: 1, jwe: 3 }[strategy];
  const bytes = Buffer.from(parts[i], "base64url");
  if (strategy === "jwe") bytes[bytes.length >> 1] ^= 1;
  const text = strategy === "jwe" ? bytes : bytes.toString().replace("Ada", "Eve");
  parts[i] = Buffer.from(text).toString("base64url");
  assert.notEqual(parts.join("."), cookie);
  return parts.join(".");
}

const ada = { name: "Ada", email: "ada@example.com", password: "correct horse battery" };

for (const strategy of ["compact", "jwt", "jwe"]) {
  test(strategy, async (t) => {
    const stopAuth = await startBoth(t, strategy);
    const a = browser(), b = browser();

    for (const path of ["/members", "/account"]) {
      await sendsAway(browser(), path);
      await sendsAway(browser(), path, { rsc: "1" }); // as the router asks for it
    }
    assert.notEqual((await browser().open("/members.rsc")).status, 200);

    assert.equal((await a.auth.signUp.email(ada)).error, null);
    const token = a.jar.get(tokenCookie), cache = a.jar.get(cacheCookie);
    await opens(a, "/members", "lighthouse");
    await opens(a, "/account", ada.email);

    // Without a cache Sallyport is asked, and its new cache reaches the browser.
    const uncached = browserWith(token);
    await opens(uncached, "/members", "lighthouse");
    const payload = await getCookieCache(new Headers({ cookie: `${cacheCookie}=${uncached.jar.get(cacheCookie)}` }), { secret, strategy, isSecure: false });
    assert.equal(payload?.user.email, ada.email);

    // A token that Sallyport does not know opens nothing by itself. With a cache that holds, it opens what
    // the cache is good for: so what follows is refused for the cache's sake.
    const dead = signedAnew(token);
    await sendsAway(browserWith(dead), "/members");
    await sendsAway(browserWith(undefined, cache), "/members");
    await opens(browserWith(dead, cache), "/members", "lighthouse");
    await opens(browserWith(dead, await makeCache(strategy, payload, secret)), "/members", "lighthouse");
    await sendsAway(browserWith(dead, cache), "/account");
    for (const [what, forged] of Object.entries({
      altered: altered(strategy, cache),
      "of another secret": await makeCache(strategy, payload, wrongSecret),
      expired: await makeCache(strategy, payload, secret, -60),
      "of a session that ended": await makeCache(strategy, { ...payload, session: { ...payload.session, expiresAt: "2020-01-01T00:00:00.000Z" } }, secret),
      "of no form": "%%%",
    })) await t.test(`a cache ${what}`, () => sendsAway(browserWith(dead, forged), "/members"));

    // Revoked elsewhere: the cache goes on vouching, the page that asks does not.
    assert.equal((await b.auth.signIn.email(ada)).error, null);
    assert.equal((await b.auth.revokeOtherSessions()).error, null);
    await opens(browserWith(token, cache), "/members", "lighthouse");
    await sendsAway(browserWith(token, cache), "/account");
    await sendsAway(browserWith(token), "/members");

    const kept = b.jar.get(tokenCookie);
    assert.equal((await b.auth.signOut()).error, null);
    assert.deepEqual([...b.jar.keys()].filter((name) => name.includes("session")), []);
    for (const path of ["/members", "/account"]) {
      await sendsAway(b, path);
      await sendsAway(browserWith(kept), path);
    }

    // A server that does not answer signs nobody out.
    await stopAuth();
    assert.equal((await browserWith(token).open("/members")).status, 503);
    assert.equal((await browserWith(token, cache).open("/account")).status, 500);
    await opens(browserWith(token, cache), "/members", "lighthouse");
  });
}

test("without the secret every page asks", async (t) => {
  await startBoth(t, "compact", null);
  const a = browser();
  assert.equal((await a.auth.signUp.email(ada)).error, null);
  await opens(a, "/members", "lighthouse");
  await opens(a, "/account", ada.email);
  await sendsAway(browserWith(signedAnew(a.jar.get(tokenCookie)), a.jar.get(cacheCookie)), "/members");
});

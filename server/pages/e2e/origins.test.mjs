// Apps on other origins, in a browser: what CORS lets them do, what cookies reach the
// server, and what a page of nobody's can do.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { freePort, startBrowser, startServer } from "./support.mjs";

// Chromium resolves all of .localhost to this machine, and takes two labels for a site.
const auth = "auth.example.localhost", app = "app.example.localhost", other = "shop.localhost", nobody = "evil.localhost";

let browser, pages, at;
before(async () => {
  pages = createServer((_, res) => { res.setHeader("content-type", "text/html"); res.end("<!doctype html><title>app</title>"); });
  await new Promise((r) => pages.listen(0, "127.0.0.1", r));
  at = (host) => `http://${host}:${pages.address().port}`;
  browser = await startBrowser();
});
after(async () => { await browser?.close(); pages?.close(); });

/** Runs with a server that trusts the apps, at its own name. */
async function serve(more, run) {
  const port = await freePort(), base = `http://${auth}:${port}`;
  const server = await startServer({ port, more: { baseURL: base, trustedOrigins: [at(app), at(other)], requireEmailVerification: false, sendOnSignUp: false, ...more } });
  const context = await browser.newContext();
  try { await run(context, base); } finally { await context.close(); await server.stop(); }
}

/** A page of a host, and fetch in it as an app would call it. */
async function visit(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  return (path, body, more = {}) => page.evaluate(async ([url, body, more]) => {
    try {
      const res = await fetch(url, { credentials: "include", ...(body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }), ...more });
      return { status: res.status, body: await res.json().catch(() => null), retry: res.headers.get("x-retry-after") };
    } catch (e) { return { refused: e.name }; }
  }, [path, body, more]);
}

const who = { email: "ada@example.com", password: "correct horse 1", name: "Ada" };

/** What every arrangement that works does: up, in, changed, out. */
async function journey(call, base) {
  const up = await call(`${base}/api/auth/sign-up/email`, who);
  assert.equal(up.status, 200, JSON.stringify(up));
  assert.equal((await call(`${base}/api/auth/get-session`)).body?.user.email, who.email);
  assert.equal((await call(`${base}/api/auth/update-user`, { name: "Countess" })).status, 200);
  const wrong = await call(`${base}/api/auth/verify-password`, { password: "wrong horse 1" });
  assert.deepEqual([wrong.status, wrong.body?.code], [400, "INVALID_PASSWORD"], "an error can be read");
  assert.equal((await call(`${base}/api/auth/sign-out`, {})).status, 200);
  assert.equal((await call(`${base}/api/auth/get-session`)).body, null);
}

test("an app on the same origin", () => serve({}, async (context, base) => journey(await visit(context, `${base}/api/auth/ok`), base)));

test("an app on another sub-domain of the site", () => serve({}, async (context, base) => {
  const call = await visit(context, at(app));
  await journey(call, base);
  assert.equal((await call(`${base}/api/auth/sign-in/email`, who)).status, 200);
  const [cookie] = (await context.cookies(base)).filter((c) => c.name.endsWith("session_token"));
  assert.deepEqual([cookie.domain, cookie.sameSite, cookie.httpOnly], [auth, "Lax", true]);
}));

test("an app on another site, with cookies for it", () => serve({ cookies: { sameSite: "none", partitioned: true } }, async (context, base) =>
  journey(await visit(context, at(other)), base)));

test("an app on another site, with cookies that are not for it", () => serve({}, async (context, base) => {
  const call = await visit(context, at(other));
  assert.equal((await call(`${base}/api/auth/sign-up/email`, who)).status, 200);
  assert.equal((await call(`${base}/api/auth/get-session`)).body, null);
}));

test("a page that nobody trusts", () => serve({ cookies: { sameSite: "none" } }, async (context, base) => {
  const mine = await visit(context, at(app));
  assert.equal((await mine(`${base}/api/auth/sign-up/email`, who)).status, 200);
  const call = await visit(context, at(nobody));
  assert.deepEqual(await call(`${base}/api/auth/get-session`), { refused: "TypeError" }, "it reads nothing");
  assert.deepEqual(await call(`${base}/api/auth/update-user`, { name: "Mallory" }), { refused: "TypeError" }, "its preflight fails");
  // What needs no preflight arrives with the cookie, and is refused there.
  for (const headers of [{ "content-type": "text/plain" }, { "content-type": "application/x-www-form-urlencoded" }, {}])
    await call(`${base}/api/auth/sign-out`, { x: 1 }, { mode: "no-cors", headers });
  const { body } = await mine(`${base}/api/auth/get-session`);
  assert.deepEqual([body?.user.email, body?.user.name], [who.email, who.name], "it changes nothing");
}));

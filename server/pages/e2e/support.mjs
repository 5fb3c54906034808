// What the tests share: a mail sink, the server under test, a browser, and a visitor
// who has a keyboard and no mouse.
//
//   SERVER_CMD   starts the server; gets PORT, SINK, SECRET, PLUGINS and OPTIONS in its
//                environment, as the conformance suite's servers do
//   BASE_URL     a server that runs already, instead; it must post mails to MAIL_SINK,
//                a URL on this machine at which the test listens
//   CHROMIUM     the browser; default /usr/bin/chromium
//   SCREENSHOTS  folder for pictures of every step; default none
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import axe from "axe-core";
import { chromium } from "playwright-core";

const shots = process.env.SCREENSHOTS;
if (shots) mkdirSync(shots, { recursive: true });

const options = { requireEmailVerification: true, sendOnSignUp: true, autoSignInAfterVerification: true, revokeSessionsOnPasswordReset: true };

export const looks = [
  { name: "phone-light", width: 360, height: 740, colorScheme: "light" },
  { name: "phone-dark", width: 360, height: 740, colorScheme: "dark" },
  { name: "desktop-light", width: 1280, height: 800, colorScheme: "light" },
  { name: "desktop-dark", width: 1280, height: 800, colorScheme: "dark" },
];

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/** Waits for what an attempt finds, 60 s at most. */
export async function until(what, attempt, seconds = 60) {
  for (let i = 0; i < seconds * 20; i++) {
    const found = await attempt();
    if (found) return found;
    await sleep(50);
  }
  throw new Error(`waited in vain for ${what}`);
}

async function startSink(url) {
  const messages = [];
  const server = createServer(async (req, res) => {
    if (req.method !== "POST") { res.statusCode = 404; res.end(); return; } // who looks for a server that had this port
    let body = "";
    for await (const part of req) body += part;
    messages.push(JSON.parse(body));
    res.setHeader("content-type", "application/json");
    res.end('{"ok":true}');
  });
  await new Promise((r) => server.listen(url ? Number(new URL(url).port) : 0, "127.0.0.1", r));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () => server.close(),
    /** Waits for a mail to an address and takes it out. */
    mail: (recipient, template) => until(`${template} to ${recipient}`, () => {
      const i = messages.findIndex((m) => m.recipient === recipient && m.template === template);
      return i < 0 ? null : messages.splice(i, 1)[0].data;
    }),
  };
}

/** A port that nobody listens on, below those that systems give to whoever asks for any: the server may have to be built first. */
export async function freePort() {
  for (;;) {
    const port = 20000 + Math.floor(Math.random() * 10000), s = createServer().listen(port, "127.0.0.1");
    if (!await new Promise((r) => s.on("listening", () => r(true)).on("error", () => r(false)))) continue;
    await new Promise((r) => s.close(r));
    return port;
  }
}

/**
 * The server under test with its sink; stop() ends both. plugins are beside email-password,
 * more are options on top of the usual ones, port is a free one unless it is given.
 */
export async function startServer({ plugins = [], more = {}, port } = {}) {
  const { SERVER_CMD, BASE_URL, MAIL_SINK } = process.env;
  if (BASE_URL) {
    const sink = await startSink(MAIL_SINK);
    return { base: BASE_URL.replace(/\/$/, ""), mail: sink.mail, stop: () => sink.close() };
  }
  assert.ok(SERVER_CMD, "set SERVER_CMD to the command that starts the server, or BASE_URL and MAIL_SINK");
  const sink = await startSink();
  port ??= await freePort();
  const child = spawn("sh", ["-c", `exec ${SERVER_CMD}`], {
    env: { ...process.env, PORT: String(port), SINK: sink.url, SECRET: "pages-secret-0123456789abcdef0123456789abcdef", PLUGINS: plugins.join(","), OPTIONS: JSON.stringify({ ...options, ...more }) },
    stdio: ["ignore", process.env.VERBOSE ? "inherit" : "ignore", "inherit"],
  });
  let exited = false;
  child.on("exit", () => { exited = true; });
  const base = `http://localhost:${port}`;
  await until(`${SERVER_CMD} to answer`, async () => {
    if (exited) throw new Error(`${SERVER_CMD} exited before it answered`);
    return fetch(`${base}/api/auth/ok`).then((r) => r.ok, () => false);
  }, 180); // it may have to be built
  const stop = async () => {
    child.kill("SIGTERM");
    sink.close();
    await until("the server to end", () => exited);
  };
  return { base, mail: sink.mail, stop };
}

export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: false, // the flag below chooses the full browser without a window
    args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"],
  });
}

/** Somebody with a browser of their own, and no mouse. */
export class Visitor {
  static async enter(browser, base, look = looks[2], locale = "en-US") {
    const context = await browser.newContext({
      viewport: { width: look.width, height: look.height }, colorScheme: look.colorScheme, reducedMotion: "reduce", baseURL: base, locale,
    });
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    const v = new Visitor();
    Object.assign(v, { context, page, base, look, faults: [], shot: 0 });
    page.on("pageerror", (e) => v.faults.push(`error: ${e.message}`));
    page.on("console", (m) => {
      // The browser reports every refused request; refusals are part of the journey.
      // It also asks for a /favicon.ico where an answer of the wire is opened as a page.
      const refused = m.text().startsWith("Failed to load resource") && /\/api\/(auth|v1)\/|\/favicon\.ico$/.test(m.location().url);
      if (m.type() === "error" && !refused) v.faults.push(`console: ${m.text()}`);
    });
    await page.exposeFunction("reportViolation", (text) => v.faults.push(`policy: ${text}`));
    await page.addInitScript(() => document.addEventListener("securitypolicyviolation",
      (e) => window.reportViolation(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`)));
    return v;
  }

  leave() { return this.context.close(); }

  /** Follows a link from outside: the address bar or a mail. */
  async open(url) { return this.page.goto(url, { waitUntil: "load" }); }

  /** Waits for the view with this heading, and checks that the focus is on it. */
  async arrive(heading) {
    await this.page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
    await until(`focus on "${heading}"`, async () => (await this.focus()).tag === "H1");
    assert.match(await this.page.title(), new RegExp(`^${heading} · `));
  }

  /** Waits for the view with this heading, which the focus need not be on. */
  async shows(heading) { await this.page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor(); }

  until(what, attempt) { return until(what, attempt); }

  focus() {
    return this.page.evaluate(() => {
      const e = document.activeElement;
      const name = e.getAttribute("aria-label") ?? e.labels?.[0]?.textContent ?? e.textContent;
      return { tag: e.tagName, name: name.trim(), invalid: e.getAttribute("aria-invalid") };
    });
  }

  /** Presses Tab until the control with this name has the focus, and checks that it shows. It may have to come first. */
  async tab(name) {
    await until(`"${name}"`, () => this.page.evaluate((name) => [...document.querySelectorAll("a, button, input, select, textarea, [tabindex]")]
      .some((e) => (e.getAttribute("aria-label") ?? e.labels?.[0]?.textContent ?? e.textContent).trim() === name), name));
    for (let i = 0; i < 60; i++) {
      await this.page.keyboard.press("Tab");
      const f = await this.focus();
      if (f.tag === "BODY" || f.name !== name) continue;
      const visible = await this.page.evaluate(() => {
        const e = document.activeElement, s = getComputedStyle(e), box = e.getBoundingClientRect();
        return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 && box.top > -1 && box.bottom < innerHeight + 1; // scrolling stops at whole pixels
      });
      assert.ok(visible, `the focus on "${name}" cannot be seen`);
      return;
    }
    throw new Error(`Tab never reached "${name}"; it is on ${JSON.stringify(await this.focus())}`);
  }

  async press(name) { await this.tab(name); await this.page.keyboard.press("Enter"); }

  async type(name, text) {
    await this.tab(name);
    await this.page.keyboard.press("ControlOrMeta+a");
    await this.page.keyboard.type(text);
  }

  async enter() { await this.page.keyboard.press("Enter"); }

  /** Waits until text can be read on the page. */
  async reads(text) { await this.page.locator("main").getByText(text).first().waitFor(); }

  /** Waits until a field is marked wrong, has the focus, and says why. */
  async refused(field, why) {
    await until(`"${field}" to be refused`, async () => {
      const f = await this.focus();
      return f.name === field && f.invalid === "true";
    });
    const said = await this.page.evaluate(() => (document.activeElement.getAttribute("aria-describedby") ?? "").split(" ")
      .map((id) => document.getElementById(id)?.textContent ?? "").join(" "));
    assert.ok(said.includes(why), `"${field}" is described by ${JSON.stringify(said)}, want ${JSON.stringify(why)}`);
  }

  /** Accessibility and layout of what is shown; takes a picture. */
  async check(label) {
    await this.page.evaluate(axe.source);
    const found = await this.page.evaluate(async () => {
      const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
      const bad = violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(" | ")}`);
      if (document.querySelectorAll("h1").length !== 1) bad.push("not exactly one h1");
      if (document.querySelectorAll("main").length !== 1) bad.push("not exactly one main");
      for (const i of document.querySelectorAll("input:not([hidden], [type=hidden])")) if (!i.labels.length) bad.push(`no label: ${i.outerHTML}`);
      for (const i of document.querySelectorAll("input[type=password], input[type=email]")) if (!i.autocomplete) bad.push(`no autocomplete: ${i.outerHTML}`);
      const { scrollWidth, clientWidth } = document.documentElement;
      if (scrollWidth > clientWidth) bad.push(`${scrollWidth}px wide in ${clientWidth}px`);
      for (const e of document.querySelectorAll("button, input, a.brand")) {
        const b = e.getBoundingClientRect();
        if (b.width && (b.right > innerWidth || b.left < 0)) bad.push(`sticks out: ${e.outerHTML.slice(0, 120)}`);
      }
      return bad;
    });
    if (shots) {
      const n = String(++this.shot).padStart(2, "0");
      await this.page.screenshot({ path: join(shots, `${this.look.name}-${n}-${label.replace(/\W+/g, "-")}.png`), fullPage: true });
    }
    assert.deepEqual(found, [], `${label} (${this.look.name})`);
  }

  /** Fails if the browser complained since the visitor came. */
  content() { assert.deepEqual(this.faults, []); }

  /** The session as the server sees it. */
  async session() { return (await this.context.request.get("/api/auth/get-session")).json(); }
}

/** Calls the wire as a script would, with the context's cookies. */
export async function call(context, base, path, data) {
  const res = await context.request.post(`/api/auth${path}`, { data, headers: { origin: base } });
  return { status: res.status(), body: await res.json().catch(() => null) };
}

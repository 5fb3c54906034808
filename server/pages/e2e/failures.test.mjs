// What happens when things do not go well, and what plugins add.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Visitor, call, startBrowser, startServer } from "./support.mjs";

let server, browser;
before(async () => { [server, browser] = await Promise.all([startServer(), startBrowser()]); });
after(async () => { await browser?.close(); await server?.stop(); });

/** Runs with a visitor of its own, who must not have seen a complaint of the browser. */
function visit(name, run) {
  test(name, async () => {
    const v = await Visitor.enter(browser, server.base);
    await run(v);
    v.content();
    await v.leave();
  });
}

const json = (status, body, headers = {}) => (route) => route.fulfill({ status, headers, contentType: "application/json", body: JSON.stringify(body) });

/** A person with a verified address, signed in. */
async function member(v, email) {
  const password = "correct horse 1";
  await call(v.context, server.base, "/sign-up/email", { email, password, name: "Grace Hopper" });
  await v.context.request.get((await server.mail(email, "verify-email")).url);
  const { status } = await call(v.context, server.base, "/sign-in/email", { email, password });
  assert.equal(status, 200);
  return { email, password };
}

async function trySignIn(v) {
  await v.open("/sign-in");
  await v.arrive("Sign in");
  await v.type("Email address", "nobody@example.com");
  await v.type("Password", "correct horse 1");
  await v.enter();
}

for (const [name, answer, words] of [
  ["too many tries", json(429, { message: "Too many requests. Please try again later." }, { "X-Retry-After": "8" }), "Too many tries. Try again in 8 seconds."],
  ["far too many tries", json(429, {}, { "X-Retry-After": "600" }), "Too many tries. Try again in 10 minutes."],
  ["too many tries, no time given", json(429, {}), "Too many tries. Wait a moment and try again."],
  ["overload", json(503, { code: "SERVICE_UNAVAILABLE", message: "x" }, { "Retry-After": "1" }), "The service is busy. Try again in 1 second."],
  ["a failure of the server", json(500, { code: "INTERNAL", message: "pq: no such column" }), "Something went wrong. Try again"],
  ["an answer that is no JSON", (r) => r.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" }), "Something went wrong. Try again"],
  ["a plugin's own refusal", json(403, { code: "TENANT_CLOSED", message: "The harbour is closed on <i>Sundays</i>." }), "The harbour is closed on <i>Sundays</i>."],
]) {
  visit(`sign-in meets ${name}`, async (v) => {
    await v.page.route("**/api/auth/sign-in/email", answer);
    await trySignIn(v);
    await v.reads(words);
    assert.equal(await v.page.getByRole("alert").innerText().then((t) => t.startsWith(words)), true);
    assert.equal((await v.focus()).name, "Password");
    assert.ok(!(await v.page.locator("main").innerText()).includes("pq:"));
  });
}

visit("sign-in meets a dead connection", async (v) => {
  await v.page.route("**/api/auth/sign-in/email", (r) => r.abort("connectionrefused"));
  await trySignIn(v);
  await v.reads("The server does not answer. Check your connection and try again.");
});

visit("a form is sent once, however often Enter is pressed", async (v) => {
  let sent = 0, release;
  const held = new Promise((r) => { release = r; });
  await v.page.route("**/api/auth/sign-in/email", async (route) => {
    sent++;
    await held;
    await json(401, { code: "INVALID_EMAIL_OR_PASSWORD", message: "x" })(route);
  });
  await trySignIn(v);
  await v.page.locator("form[aria-busy=true]").waitFor();
  await v.enter();
  await v.enter();
  release();
  await v.reads("The email address or the password is not right.");
  assert.equal(sent, 1);
});

visit("errors in the address bar are explained from a fixed list", async (v) => {
  for (const [path, heading, words] of [
    ["/verify?done=signup&error=TOKEN_EXPIRED", "The link did not work", "This link has expired. Ask for a new one."],
    ["/verify?error=token_expired", "The link did not work", "This link has expired. Ask for a new one."],
    ["/reset?error=INVALID_TOKEN", "Choose a new password", "This link is not valid."],
    ["/sign-in?error=EXPIRED_TOKEN", "Sign in", "This link has expired."],
    ["/sign-in?error=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "Sign in", "Something went wrong."],
    ["/sign-in?error=Call%20555-0100%20now", "Sign in", "Something went wrong."],
    ["/sign-in?error=constructor", "Sign in", "Something went wrong."],
  ]) {
    await v.open(path);
    await v.arrive(heading);
    await v.reads(words);
    const shown = await v.page.locator("body").innerHTML();
    assert.ok(!/onerror|555-0100|constructor/.test(shown), `${path} is reflected`);
  }
  await v.check("error from the address bar");
});

visit("after signing in, only this origin's paths are next", async (v) => {
  const who = await member(v, "next@example.com");
  for (const [next, want] of [
    ["/account", "/account"],
    ["//evil.example/x", "/account"],
    ["/\\evil.example/x", "/account"],
    ["/.//evil.example/x", "/account"], // a path that becomes "//evil.example/x" by itself
    ["/x/..//evil.example/x", "/account"],
    ["/%2e//evil.example/x", "/account"],
    ["https://evil.example/x", "/account"],
    ["javascript:alert(1)", "/account"],
    ["/api/auth/ok", "/api/auth/ok"],
  ]) {
    await v.context.clearCookies();
    await v.open(`/sign-in?next=${encodeURIComponent(next)}`);
    await v.arrive("Sign in");
    await v.type("Email address", who.email);
    await v.type("Password", who.password);
    await v.enter();
    await v.page.waitForURL((u) => !u.pathname.startsWith("/sign-in"));
    const url = new URL(v.page.url());
    assert.equal(url.origin + url.pathname, server.base + want, `next=${next}`);
  }
});

visit("a session that ended elsewhere leads to the sign-in page", async (v) => {
  const who = await member(v, "ended@example.com");
  await v.open("/account");
  await v.arrive("Your account");
  await call(v.context, server.base, "/revoke-sessions", {});
  await v.press("Change the name");
  await v.page.keyboard.type("Another");
  await v.enter();
  await v.arrive("Sign in");
  await v.reads("Your session has ended. Sign in again.");
  assert.equal(new URL(v.page.url()).search, "?next=%2Faccount");
  await v.type("Email address", who.email);
  await v.type("Password", who.password);
  await v.enter();
  await v.arrive("Your account");
});

visit("a session that is not fresh asks for signing in again", async (v) => {
  await member(v, "stale@example.com");
  await v.page.route("**/api/auth/list-sessions", json(403, { code: "SESSION_NOT_FRESH", message: "Session is not fresh" }));
  await v.open("/account");
  await v.arrive("Your account");
  await v.press("Sign in again");
  await v.arrive("Sign in");
});

visit("a server that is away is asked again", async (v) => {
  await v.page.route("**/api/auth/features", json(503, {}, { "Retry-After": "3" }), { times: 1 });
  await v.open("/sign-in");
  await v.reads("The service is busy. Try again in 3 seconds.");
  await v.check("service away");
  await v.press("Try again");
  await v.arrive("Sign in");
});

visit("plugins add ways to sign in, further steps and pages", async (v) => {
  const entry = (kind, title, order) => ({ id: "demo", kind, title, module: "demo.js", order });
  await v.page.route("**/api/auth/features", async (route) => {
    const features = await (await route.fetch()).json();
    features.plugins.push("demo");
    features.options.demo = { label: "Sign in with a demo" };
    features.entries.push(entry("sign-in", "Demo", 5), entry("challenge", "Demo", 1), entry("page", "Demo page", 1),
      { id: "broken", kind: "sign-in", title: "Broken", module: "no-such-module.js", order: 90 });
    await route.fulfill({ json: features });
  });
  await v.page.route("**/m/demo.js", (route) => route.fulfill({
    contentType: "text/javascript",
    body: `export function render(root, ctx) {
      const act = { "sign-in": () => ctx.signedIn({ twoFactorRedirect: true, twoFactorMethods: ["totp"] }) }[ctx.entry.kind];
      root.append(ctx.ui.h("p", {}, ctx.entry.kind + " " + (ctx.data.methods ?? []).join()),
        act ? ctx.ui.button(ctx.options.label, { onclick: act }) : "");
    }`,
  }));
  await v.open("/sign-in");
  await v.arrive("Sign in");
  await v.reads("“Broken” could not be shown.");
  const order = await v.page.locator("main button").allInnerTexts();
  assert.deepEqual(order, ["Sign in with a demo", "Show", "Sign in"]);
  await v.check("sign in with plugins");
  await v.press("Sign in with a demo");
  await v.arrive("One more step");
  await v.reads("challenge totp");
  await v.open("/p/demo");
  await v.arrive("Demo page");
  await v.reads("page");
  await v.open("/p/nothing");
  await v.arrive("Page not found");
  v.faults = v.faults.filter((f) => !f.includes("no-such-module.js") && !f.includes("404"));
});

visit("what is switched off is not offered", async (v) => {
  await v.page.route("**/api/auth/features", async (route) => {
    const features = await (await route.fetch()).json();
    Object.assign(features.options["email-password"], { signUp: false, resetPassword: false });
    features.options.core = { changeEmail: false, verifyEmail: false, deleteUser: false };
    await route.fulfill({ json: features });
  });
  await v.open("/sign-in");
  await v.arrive("Sign in");
  assert.equal(await v.page.getByRole("link", { name: /Create|Forgot/ }).count(), 0);
  await v.open("/sign-up");
  await v.arrive("Create an account");
  await v.reads("New accounts cannot be made here.");
  await v.open("/forgot");
  await v.arrive("Reset your password");
  await v.reads("Passwords cannot be reset here.");
  await member(v, "off@example.com");
  await v.open("/account");
  await v.arrive("Your account");
  assert.deepEqual(await v.page.getByRole("heading", { level: 2 }).allInnerTexts(), ["Profile", "Password", "Where you are signed in"]);
});

visit("names and agents are text, and fit the narrowest screen", async (v) => {
  await member(v, "a-rather-long-address.with.many.parts@some.department.example.com");
  await call(v.context, server.base, "/update-user", { name: `<img src=x onerror="alert(1)">${"Wolfeschlegelsteinhausen".repeat(3)}` });
  await v.page.setViewportSize({ width: 320, height: 640 });
  await v.open("/account");
  await v.arrive("Your account");
  await v.reads('<img src=x onerror="alert(1)">');
  await v.check("long names at 320");
  await v.page.setViewportSize({ width: 1280, height: 720 });
  await v.check("long names on a desktop");
});

visit("unknown paths are a page of their own", async (v) => {
  const res = await v.open("/no/such/<b>page</b>");
  assert.equal(res.status(), 404);
  await v.page.getByRole("heading", { level: 1, name: "Page not found" }).waitFor();
  await v.check("not found");
  await v.press("Go to the start page");
  await v.arrive("Sign in");
  v.faults = v.faults.filter((f) => !f.includes("404"));
});

visit("back and forward show the views again", async (v) => {
  await v.open("/sign-in");
  await v.arrive("Sign in");
  await v.press("Create an account");
  await v.arrive("Create an account");
  await v.page.goBack();
  await v.arrive("Sign in");
  await v.page.goForward();
  await v.arrive("Create an account");
  await v.press("Sign in");
  await v.arrive("Sign in");
  await v.page.keyboard.press("Shift+Tab");
  await v.tab("Email address");
});

visit("below a prefix, every link and path has it", async (v) => {
  // The server under test has the pages at its root; this makes them appear below /id.
  await v.page.route(`${server.base}/id/**`, async (route) => {
    const res = await route.fetch({ url: route.request().url().replace(`${server.base}/id`, server.base) });
    const body = (await res.text()).replace('name="sallyport-prefix" content=""', 'name="sallyport-prefix" content="/id"');
    await route.fulfill({ response: res, body });
  });
  const who = await member(v, "prefix@example.com");
  await v.open("/id/account");
  await v.arrive("Your account");
  await v.press("Sign out");
  await v.arrive("Sign in");
  assert.equal(v.page.url(), `${server.base}/id/sign-in`);
  await v.open("/id/account");
  await v.arrive("Sign in");
  await v.press("Create an account");
  await v.arrive("Create an account");
  await v.press("Sign in");
  await v.arrive("Sign in");
  await v.type("Email address", who.email);
  await v.type("Password", who.password);
  await v.enter();
  await v.arrive("Your account");
  assert.equal(v.page.url(), `${server.base}/id/account`);
});

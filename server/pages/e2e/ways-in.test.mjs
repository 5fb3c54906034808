// Passkeys, with Chromium's virtual authenticator, and links by mail, on the pages.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Visitor, call, looks, startBrowser, startServer } from "./support.mjs";

let server, browser;
before(async () => {
  [server, browser] = await Promise.all([startServer({ plugins: ["magic-link", "passkey"], more: { requireEmailVerification: false, sendOnSignUp: false } }), startBrowser()]);
});
after(async () => { await browser?.close(); await server?.stop(); });

/** A device's own authenticator (https://chromedevtools.github.io/devtools-protocol/tot/WebAuthn/). */
async function authenticator(v, more = {}) {
  const cdp = await v.context.newCDPSession(v.page);
  await cdp.send("WebAuthn.enable");
  const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true, ...more };
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options });
  return {
    credentials: async () => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
    verified: (is) => cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: is }),
    clear: () => cdp.send("WebAuthn.clearCredentials", { authenticatorId }),
    remove: () => cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId }),
  };
}

async function signUp(v, email) {
  await v.open("/sign-up");
  await v.arrive("Create an account");
  await v.type("Name", "Ada");
  await v.type("Email address", email);
  await v.type("Password", "correct horse 1");
  await v.enter();
  await v.arrive("Your account");
}

const list = (v) => v.page.getByRole("region", { name: "Passkeys" }).getByRole("listitem");

for (const look of [looks[0], looks[3]]) {
  test(`a passkey from its first to its last day, ${look.name}`, async () => {
    const v = await Visitor.enter(browser, server.base, look), email = `ada-${look.name}@example.com`;
    const key = await authenticator(v);
    await v.page.addInitScript(() => { PublicKeyCredential.isConditionalMediationAvailable = async () => false; });
    await signUp(v, email);
    await v.reads("Sign in with your fingerprint");
    await v.check("no passkey yet");
    await v.press("Add a passkey");
    await list(v).first().waitFor();
    await v.reads("Passkey on Linux");
    assert.equal((await key.credentials()).length, 1);
    assert.equal((await v.focus()).name, "Passkeys");
    await v.check("one passkey");
    await v.press("Add a passkey");
    await v.reads("This device has a passkey for your account already.");

    await v.press("Rename Passkey on Linux");
    await v.type("Name of the passkey", "My laptop");
    await v.enter();
    await v.reads("My laptop");

    await v.press("Sign out");
    await v.arrive("Sign in");
    assert.equal(await v.session(), null);
    await v.check("signing in with a passkey is offered");
    await v.press("Sign in with a passkey");
    await v.arrive("Your account");
    assert.equal((await v.session()).user.email, email);
    assert.equal((await key.credentials())[0].signCount, 2);

    await v.press("Delete My laptop");
    await v.page.getByRole("dialog").waitFor();
    await v.check("delete it?");
    await v.press("Delete the passkey");
    await list(v).first().waitFor({ state: "detached" });
    await v.reads("Sign in with your fingerprint");
    await v.press("Sign out");
    await v.arrive("Sign in");
    await v.press("Sign in with a passkey"); // the device still has it
    await v.reads("This passkey is not known here.");
    await v.check("an unknown passkey");
    v.content();
    await v.leave();
  });
}

test("the form itself offers a passkey", async () => {
  const v = await Visitor.enter(browser, server.base);
  const key = await authenticator(v); // touched as soon as it is asked
  await signUp(v, "form@example.com");
  await v.press("Add a passkey");
  await list(v).first().waitFor();
  const proved = v.page.waitForResponse((r) => r.url().endsWith("/passkey/verify-authentication"));
  await v.press("Sign out"); // and that is all that is pressed
  await proved;
  await v.arrive("Your account");
  assert.equal((await v.session()).user.email, "form@example.com");
  assert.equal((await key.credentials())[0].signCount, 2);
  v.content();
  await v.leave();
});

test("a cancelled passkey changes nothing, and a browser without them is not offered any", async () => {
  const v = await Visitor.enter(browser, server.base);
  const key = await authenticator(v);
  await signUp(v, "cancel@example.com");
  await key.verified(false);
  await v.press("Add a passkey"); // the user is not recognised: registering fails or makes a weak one
  await v.page.waitForFunction(() => document.querySelector("[role=alert]")?.textContent || document.querySelector(".list"));
  await key.verified(true);
  await v.press("Sign out");
  await v.arrive("Sign in");
  await key.clear();
  const without = await Visitor.enter(browser, server.base);
  await without.page.addInitScript(() => { delete globalThis.PublicKeyCredential; });
  await without.open("/sign-in");
  await without.arrive("Sign in");
  await without.page.getByRole("button", { name: "Email me a link" }).waitFor();
  assert.equal(await without.page.getByRole("button", { name: "Sign in with a passkey" }).count(), 0);
  without.content();
  await without.leave();
  await v.leave();
});

test("another origin's page cannot use the passkey", async () => {
  const v = await Visitor.enter(browser, server.base);
  await authenticator(v);
  await signUp(v, "origin@example.com");
  await v.press("Add a passkey");
  await list(v).first().waitFor();
  // What the browser signs names the page; the server compares all of it. A script that
  // changes it afterwards breaks the signature.
  const answer = await v.page.evaluate(async () => {
    const from = (s) => Uint8Array.from(atob(s.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const to = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const o = await (await fetch("/api/auth/passkey/generate-authenticate-options")).json();
    const c = await navigator.credentials.get({ publicKey: { ...o, challenge: from(o.challenge), allowCredentials: o.allowCredentials.map((d) => ({ ...d, id: from(d.id) })) } });
    const client = JSON.parse(new TextDecoder().decode(c.response.clientDataJSON));
    return { origin: client.origin, id: c.id, rawId: c.id, type: c.type, clientExtensionResults: {}, response: {
      clientDataJSON: to(new TextEncoder().encode(JSON.stringify({ ...client, origin: "https://evil.example" }))),
      authenticatorData: to(c.response.authenticatorData), signature: to(c.response.signature) } };
  });
  assert.equal(answer.origin, server.base);
  const res = await call(v.context, server.base, "/passkey/verify-authentication", { response: answer });
  assert.deepEqual([res.status, res.body.code], [400, "AUTHENTICATION_FAILED"]);
  v.content();
  await v.leave();
});

test("a link by mail", async () => {
  const v = await Visitor.enter(browser, server.base);
  await v.open("/sign-in");
  await v.arrive("Sign in");
  await v.type("Email address for the link", "link@example.com");
  await v.press("Email me a link");
  await v.reads("A link is on its way to link@example.com. It works once, for 5 minutes.");
  await v.check("a link is on its way");
  const { url } = await server.mail("link@example.com", "magic-link");
  await v.open(url);
  await v.arrive("Your account");
  assert.equal((await v.session()).user.email, "link@example.com");
  const other = await Visitor.enter(browser, server.base);
  await other.open(url);
  await other.arrive("Sign in");
  await other.reads("The link does not work any more.");
  await other.check("a used link");
  assert.equal(await other.session(), null);
  v.content();
  other.content();
  await v.leave();
  await other.leave();
});

test("a link that wants a button pressed", async () => {
  const own = await startServer({ plugins: ["magic-link"], more: { "magic-link": { confirmOnPost: true }, requireEmailVerification: false, sendOnSignUp: false } });
  try {
    const v = await Visitor.enter(browser, own.base);
    await v.open("/sign-in");
    await v.arrive("Sign in");
    await v.type("Email address for the link", "button@example.com");
    await v.press("Email me a link");
    await v.reads("A link is on its way");
    const { url } = await own.mail("button@example.com", "magic-link");
    assert.equal((await fetch(url)).status, 200); // a scanner
    await v.open(url);
    await v.page.getByRole("heading", { level: 1, name: /^Sign in to / }).waitFor();
    await v.check("press the button");
    assert.equal(await v.session(), null);
    await v.press("Sign in"); // a page that names no referrer sends the origin "null"
    await v.arrive("Your account");
    assert.equal((await v.session()).user.email, "button@example.com");
    v.content();
    await v.leave();
  } finally {
    await own.stop();
  }
});

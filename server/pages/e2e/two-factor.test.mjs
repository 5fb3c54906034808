// Two-step sign-in by keyboard: the QR code read from the picture as a phone would, backup
// codes kept once, every second step, a trusted device, and off again.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import decodeQR from "qr/decode.js";
import { Visitor, call, looks, startBrowser, startServer } from "./support.mjs";

let server, browser;
before(async () => { [server, browser] = await Promise.all([startServer({ plugins: ["two-factor", "magic-link"], more: { requireEmailVerification: false, sendOnSignUp: false } }), startBrowser()]); });
after(async () => { await browser?.close(); await server?.stop(); });

const used = new Map();
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/** The code of a time step: RFC 6238, from an otpauth URI. */
function codeAt(uri, step) {
  const base32 = new URL(uri).searchParams.get("secret");
  const bits = [...base32].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const n = Buffer.alloc(8);
  n.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", key).update(n).digest(), at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1e6).padStart(6, "0");
}

/** An authenticator app: never the same code twice, and each with ten seconds at least to type it in. */
async function app(uri) {
  const step = Math.max((used.get(uri) ?? 0) + 1, Math.floor((Date.now() + 10_000) / 30000) - 1);
  used.set(uri, step);
  while (step > Math.floor(Date.now() / 30000) + 1) await sleep(200); // the server takes one step ahead
  return codeAt(uri, step);
}

/** A code that is none of the steps about now. */
function wrong(uri) {
  const now = Math.floor(Date.now() / 30000), right = [-2, -1, 0, 1, 2, 3].map((n) => codeAt(uri, now + n));
  return ["000000", "111111", "222222", "333333", "444444", "555555", "666666"].find((code) => !right.includes(code));
}

/** Reads the QR code from the pixels on the screen. */
async function scan(v) {
  const image = await v.page.getByRole("img", { name: "QR code for your authenticator app" }).evaluate((c) => {
    const { data, width, height } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
    return { data: Array.from(data), width, height };
  });
  return decodeQR({ ...image, data: Uint8ClampedArray.from(image.data) });
}

async function signIn(v, who) {
  await v.open("/sign-in");
  await v.arrive("Sign in");
  await v.type("Email address", who.email);
  await v.type("Password", who.password);
  await v.enter();
}

const section = (v) => v.page.getByRole("region", { name: "Two-step sign-in" });

for (const look of [looks[0], looks[3]]) {
  test(`two-step sign-in, ${look.name}`, async () => {
    const v = await Visitor.enter(browser, server.base, look);
    const who = { name: "Ada Lovelace", email: `two-${look.name}@example.com`, password: "correct horse 1" };
    assert.equal((await call(v.context, server.base, "/sign-up/email", who)).status, 200);
    // The address is proved first: a proof that comes later takes away what was set up before it.
    await call(v.context, server.base, "/send-verification-email", { email: who.email, callbackURL: "/account" });
    await v.open((await server.mail(who.email, "verify-email")).url);
    await v.arrive("Your account");
    const { uri, codes } = await enrol(v, who);
    await challenges(v, who, uri, codes);
    await link(v, who, uri);
    await mailed(v, who);
    await off(v, who, uri);
    v.content();
    await v.leave();
  });
}

async function enrol(v, who) {
  await v.open("/account");
  await v.arrive("Your account");
  await v.press("Set up an authenticator app");
  assert.equal((await v.focus()).name, "Current password");
  await v.page.keyboard.type("wrong horse");
  await v.enter();
  await v.refused("Current password", "The password is not right.");
  await v.page.keyboard.press("ControlOrMeta+a");
  await v.page.keyboard.type(who.password);
  await v.enter();
  await v.reads("Scan this with your authenticator app");
  await v.check("qr code");
  const uri = await scan(v);
  assert.match(uri, /^otpauth:\/\/totp\/[^?]+\?secret=[A-Z2-7]{52}&issuer=[^&]+&digits=6&period=30$/);
  assert.ok(decodeURIComponent(uri).includes(who.email));
  await v.type("Code from the app", "12 456");
  await v.enter();
  await v.refused("Code from the app", "A code has 6 digits.");
  await v.page.keyboard.press("ControlOrMeta+a");
  await v.page.keyboard.type(await app(uri));
  await v.enter();
  await v.reads("Your backup codes");
  await v.check("backup codes");
  const codes = await section(v).getByRole("listitem").allInnerTexts();
  assert.equal(codes.length, 10);
  for (const c of codes) assert.match(c, /^[A-Za-z0-9]{5}-[A-Za-z0-9]{5}$/);
  const coming = v.page.waitForEvent("download");
  await v.press("Download the backup codes");
  const file = await coming;
  assert.equal(file.suggestedFilename(), "backup-codes.txt");
  const saved = readFileSync(await file.path(), "utf8");
  for (const c of codes) assert.ok(saved.includes(c));
  await v.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await v.press("Copy the backup codes");
  await v.reads("Copied.");
  assert.equal(await v.page.evaluate(() => navigator.clipboard.readText()), `${codes.join("\n")}\n`);
  await v.press("I have kept them");
  await v.reads("Two-step sign-in is on.");
  assert.ok(!(await v.page.locator("body").innerText()).includes(codes[0]), "the codes are still shown");
  assert.equal((await v.session()).user.twoFactorEnabled, true);
  await v.check("on");
  await v.open("/account");
  await v.arrive("Your account");
  assert.ok(!(await v.page.locator("body").innerText()).includes(codes[0]), "the codes are shown again");
  return { uri, codes };
}

async function challenges(v, who, uri, codes) {
  await v.press("Sign out");
  await v.arrive("Sign in");
  await signIn(v, who);
  await v.arrive("One more step");
  await v.check("challenge");
  assert.equal(await v.session(), null);
  await v.type("Code", wrong(uri));
  await v.enter();
  await v.refused("Code", "The code is not right.");
  await v.check("wrong code");
  await v.page.keyboard.press("ControlOrMeta+a");
  await v.page.keyboard.type(await app(uri));
  await v.enter();
  await v.arrive("Your account");
  await v.press("Sign out");
  await v.arrive("Sign in");

  await signIn(v, who);
  await v.arrive("One more step");
  await v.press("Use a backup code");
  await v.type("Backup code", codes[0]);
  await v.check("backup code");
  await v.enter();
  await v.arrive("Your account");
  await v.press("Renew the backup codes");
  await v.page.keyboard.type(who.password);
  await v.enter();
  await v.reads("Your backup codes");
  const fresh = await section(v).getByRole("listitem").allInnerTexts();
  await v.press("I have kept them");
  await v.reads("The old ones do not work any more.");
  await v.press("Sign out");
  await v.arrive("Sign in");

  await signIn(v, who);
  await v.arrive("One more step");
  await v.press("Use a backup code");
  await v.type("Backup code", codes[1]);
  await v.enter();
  await v.refused("Backup code", "This is not one of your unused backup codes.");
  await v.page.keyboard.press("ControlOrMeta+a");
  await v.page.keyboard.type(fresh[0]);
  await v.enter();
  await v.arrive("Your account");
  await v.press("Sign out");
  await v.arrive("Sign in");
}

/** A link in a mail is one proof: the mailbox is not asked for the other. */
async function link(v, who, uri) {
  await call(v.context, server.base, "/sign-in/magic-link", { email: who.email, callbackURL: "/account" });
  await v.open((await server.mail(who.email, "magic-link")).url);
  await v.arrive("One more step");
  assert.equal(await v.page.getByText("Get a code by mail").count(), 0);
  assert.equal(await v.session(), null);
  await v.type("Code", await app(uri));
  await v.enter();
  await v.arrive("Your account");
}

async function mailed(v, who) {
  await signIn(v, who);
  await v.arrive("One more step");
  await v.press("Get a code by mail");
  await v.check("code by mail");
  await v.press("Send the code");
  const { otp } = await server.mail(who.email, "two-factor-otp");
  await v.page.getByLabel("Code", { exact: true }).waitFor();
  await v.type("Code", otp);
  await v.tab("Do not ask on this device for 30 days");
  await v.page.keyboard.press("Space");
  await v.check("code from the mail");
  await v.press("Sign in");
  await v.arrive("Your account");
  await v.press("Sign out");
  await v.arrive("Sign in");
  await signIn(v, who); // the device is trusted
  await v.arrive("Your account");
  assert.equal((await v.session()).user.email, who.email);
}

async function off(v, who) {
  await v.press("Turn off two-step sign-in");
  await v.page.keyboard.type(who.password);
  await v.press("Turn off");
  await v.reads("Two-step sign-in is off.");
  assert.equal((await v.session()).user.twoFactorEnabled, false);
  await v.press("Turn on codes by mail");
  await v.page.keyboard.type(who.password);
  await v.check("codes by mail");
  await v.enter();
  await v.reads("Two-step sign-in is on.");
  await v.press("Sign out");
  await v.arrive("Sign in");
  await signIn(v, who); // trust ended with what it was given for
  await v.arrive("One more step");
  await v.reads("We send a code to the email address of your account.");
  assert.equal(await v.session(), null);
}

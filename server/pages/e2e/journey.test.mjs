// The whole journey of a person, by keyboard, on a phone and on a desktop, in light and dark.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Visitor, call, looks, startBrowser, startServer } from "./support.mjs";

let server, browser;
before(async () => { [server, browser] = await Promise.all([startServer(), startBrowser()]); });
after(async () => { await browser?.close(); await server?.stop(); });

for (const look of looks) {
  test(`journey, ${look.name}`, async () => {
    const v = await Visitor.enter(browser, server.base, look);
    const who = { name: "Ada Lovelace", email: `ada-${look.name}@example.com`, password: "correct horse 1" };
    await signUp(v, who);
    await signInAndOut(v, who);
    await sessions(v, who);
    await profile(v, who);
    await password(v, who);
    await address(v, who);
    await forgotten(v, who);
    await deletion(v, who);
    v.content();
    await v.leave();
  });
}

async function signUp(v, who) {
  await v.open("/");
  await v.arrive("Sign in");
  await v.check("sign in");
  await v.press("Create an account");
  await v.arrive("Create an account");
  await v.check("sign up");
  await v.press("Create the account");
  await v.refused("Name", "Please fill this in.");
  await v.check("sign up, nothing entered");
  await v.open("/sign-up");
  await v.arrive("Create an account");
  await v.type("Name", who.name);
  await v.type("Email address", "not an address");
  await v.type("Password", "short");
  await v.enter();
  await v.refused("Email address", "not an email address");
  await v.page.keyboard.press("ControlOrMeta+a");
  await v.page.keyboard.type(who.email);
  await v.enter();
  await v.refused("Password", "Use at least 8 characters.");
  await v.page.keyboard.press("ControlOrMeta+a");
  await v.page.keyboard.type(who.password);
  await v.press("Show password");
  assert.equal(await v.page.getByLabel("Password", { exact: true }).getAttribute("type"), "text");
  await v.press("Create the account");
  await v.arrive("Check your mail");
  await v.reads(who.email);
  await v.check("check your mail");

  const first = await server.mail(who.email, "verify-email");
  await v.open("/sign-in");
  await v.arrive("Sign in");
  await v.type("Email address", who.email);
  await v.type("Password", who.password);
  await v.enter();
  await v.arrive("Verify your email address");
  await v.reads("Your email address is not verified yet.");
  await v.check("not verified yet");
  await v.press("Send a new link");
  await v.arrive("Check your mail");
  const second = await server.mail(who.email, "verify-email");
  assert.ok(second.url, "the second mail has a link");
  await v.open(first.url);
  await v.arrive("Your address is verified");
  await v.check("verified");
  await v.press("Go to your account");
  await v.arrive("Your account");
  await v.reads(who.name);
}

async function signInAndOut(v, who) {
  await v.press("Sign out");
  await v.arrive("Sign in");
  await v.reads("You are signed out.");
  assert.equal(await v.session(), null);
  await v.open("/account");
  await v.arrive("Sign in");
  await v.type("Email address", who.email);
  await v.type("Password", "wrong horse 1");
  await v.enter();
  await v.reads("The email address or the password is not right.");
  assert.equal((await v.focus()).name, "Password");
  await v.check("wrong password");
  await v.page.keyboard.press("ControlOrMeta+a");
  await v.page.keyboard.type(who.password);
  await v.enter();
  await v.arrive("Your account");
  await v.check("account");
}

async function sessions(v, who) {
  const other = await Visitor.enter(browser, server.base);
  const signIn = () => call(other.context, server.base, "/sign-in/email", { email: who.email, password: who.password });
  assert.equal((await signIn()).status, 200);
  await v.open("/account");
  await v.arrive("Your account");
  const list = v.page.getByRole("region", { name: "Where you are signed in" }).getByRole("listitem");
  await list.nth(1).waitFor();
  assert.match(await list.first().innerText(), /This device/);
  await v.check("two sessions");
  const name = await list.nth(1).getByRole("button").getAttribute("aria-label");
  assert.match(name, /^Sign out on Chrome on Linux, since /);
  await v.press(name);
  await list.nth(1).waitFor({ state: "detached" });
  assert.equal(await other.session(), null);
  assert.equal((await v.focus()).name, "Where you are signed in");

  assert.equal((await signIn()).status, 200);
  await v.open("/account");
  await v.arrive("Your account");
  await v.press("Sign out everywhere else");
  await list.nth(1).waitFor({ state: "detached" });
  assert.equal(await other.session(), null);
  assert.equal((await v.session()).user.email, who.email);
  await other.leave();
}

async function profile(v, who) {
  await v.open("/account");
  await v.arrive("Your account");
  await v.press("Change the name");
  assert.equal((await v.focus()).name, "Name");
  await v.press("Cancel");
  assert.equal((await v.focus()).name, "Change the name");
  await v.enter();
  await v.page.keyboard.press("ControlOrMeta+a");
  await v.page.keyboard.type("   ");
  await v.enter();
  await v.refused("Name", "Please fill this in.");
  await v.page.keyboard.press("ControlOrMeta+a");
  await v.page.keyboard.type("Ada <b>King</b>");
  await v.check("changing the name");
  await v.enter();
  await v.reads("Your name is changed.");
  assert.equal((await v.focus()).name, "Change the name");
  await v.reads("Ada <b>King</b>"); // text, not markup
  assert.equal((await v.session()).user.name, "Ada <b>King</b>");
  await v.check("name changed");
}

async function password(v, who) {
  await v.press("Change the password");
  assert.equal((await v.focus()).name, "Current password");
  await v.page.keyboard.type("wrong horse 1");
  await v.type("New password", "correct horse 2");
  await v.check("changing the password");
  await v.enter();
  await v.refused("Current password", "The password is not right.");
  await v.check("wrong current password");
  await v.page.keyboard.press("ControlOrMeta+a");
  await v.page.keyboard.type(who.password);
  await v.enter();
  await v.reads("Your password is changed.");
  assert.equal((await v.focus()).name, "Change the password");
  who.password = "correct horse 2";
}

async function address(v, who) {
  const next = who.email.replace("ada", "ada.king");
  await v.open("/account");
  await v.arrive("Your account");
  await v.press("Change the email address");
  await v.page.keyboard.type(who.email);
  await v.enter();
  await v.refused("New email address", "This is your address already.");
  await v.page.keyboard.press("ControlOrMeta+a");
  await v.page.keyboard.type(next);
  await v.enter();
  await v.reads("Check your mail: open the link that we sent to your current address.");
  await v.check("address, link sent");
  await v.open((await server.mail(who.email, "change-email")).url);
  await v.arrive("Confirmed");
  await v.check("address confirmed");
  await v.open((await server.mail(next, "verify-email")).url);
  await v.arrive("Confirmed");
  await v.press("Go to your account");
  await v.arrive("Your account");
  await v.reads(next);
  who.email = next;
  assert.equal((await v.session()).user.email, next);
}

async function forgotten(v, who) {
  await v.press("Sign out");
  await v.arrive("Sign in");
  await v.type("Email address", who.email);
  await v.press("Forgot your password?");
  await v.arrive("Reset your password");
  assert.equal(await v.page.getByLabel("Email address").inputValue(), who.email);
  await v.check("forgot");
  await v.press("Send the link");
  await v.page.getByRole("heading", { level: 1, name: "Check your mail" }).waitFor();
  await v.check("reset mail sent");
  const { url } = await server.mail(who.email, "reset-password");
  await v.open(url);
  await v.arrive("Choose a new password");
  assert.equal(new URL(v.page.url()).search, "", "the token is still in the address bar");
  await v.page.reload();
  await v.arrive("Choose a new password");
  await v.type("New password", "short");
  await v.enter();
  await v.refused("New password", "Use at least 8 characters.");
  await v.check("reset");
  await v.page.keyboard.press("ControlOrMeta+a");
  await v.page.keyboard.type("correct horse 3");
  await v.enter();
  await v.arrive("Sign in");
  await v.reads("Your password is changed. Sign in with the new one.");
  await v.check("password reset");
  who.password = "correct horse 3";

  await v.open(url);
  await v.arrive("Choose a new password");
  await v.reads("This link is not valid.");
  await v.check("reset link used again");
  await v.press("Back to sign in");
  await v.arrive("Sign in");
  await v.type("Email address", who.email);
  await v.type("Password", who.password);
  await v.enter();
  await v.arrive("Your account");
}

async function deletion(v, who) {
  await v.press("Delete the account…");
  assert.equal((await v.focus()).name, "Password");
  await v.check("deleting");
  await v.page.keyboard.press("Escape");
  assert.equal((await v.focus()).name, "Delete the account…");
  await v.enter();
  await v.press("Delete for good");
  await v.refused("Password", "Please fill this in.");
  await v.page.keyboard.type("wrong horse 1");
  await v.enter();
  await v.refused("Password", "The password is not right.");
  await v.page.keyboard.press("ControlOrMeta+a");
  await v.page.keyboard.type(who.password);
  await v.enter();
  await v.arrive("Sign in");
  await v.reads("Your account is deleted.");
  assert.equal(await v.session(), null);
  await v.type("Email address", who.email);
  await v.type("Password", who.password);
  await v.enter();
  await v.reads("The email address or the password is not right.");
}

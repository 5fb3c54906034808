// The mail page, by keyboard, against a real mail server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startMail, whyNot } from "./mail-server.mjs";
import { Visitor, call, looks, startBrowser, startServer, until } from "./support.mjs";

const skip = whyNot();
let mail, server, browser;
before(async () => {
  if (skip) return;
  mail = await startMail();
  [server, browser] = await Promise.all([startServer({ plugins: mail.plugins, more: mail.options }), startBrowser()]);
});
after(async () => { await browser?.close(); await server?.stop(); mail?.stop(); });

const letter = (subject, { from = "Bob Builder <bob@example.com>", more = "", body = "Hi Ada,\nsee https://example.com/x.\n" } = {}) =>
  `From: ${from}\nTo: Ada <ada@mail.example>\nSubject: ${subject}\nDate: Fri, 27 Nov 2026 10:00:00 +0000\nMessage-ID: <${subject.replace(/\W+/g, "-")}@example.com>\nMIME-Version: 1.0\n${more}\n${body}`;

/** Somebody with a mailbox of their own: name becomes its address. */
async function owner(name, look) {
  const v = await Visitor.enter(browser, server.base, look), email = `${name}@example.com`;
  assert.equal((await call(v.context, server.base, "/sign-up/email", { email, password: "correct horse 1", name })).status, 200);
  await v.open((await server.mail(email, "verify-email")).url);
  await until("the mailbox", async () => (await v.context.request.get("/api/v1/mail/threads")).ok());
  v.mailbox = (await api(v, "/accounts"))[0].email.split("@")[0];
  return v;
}

const rows = (v) => v.page.locator("[data-thread]");
const row = (v, text) => rows(v).filter({ hasText: text });
const onRow = (v, text) => until(`focus on “${text}”`, async () => (await v.page.evaluate(() => document.activeElement.dataset.thread && document.activeElement.textContent))?.includes(text));
const on = (v, tag, text) => until(`focus on ${tag} “${text}”`, async () => { const f = await v.focus(); return f.tag === tag && f.name.startsWith(text); });
const key = (v, k) => v.page.keyboard.press(k);
const api = async (v, path) => (await v.context.request.get(`/api/v1/mail${path}`)).json();
const box = async (v, role) => (await api(v, "/labels")).find((b) => b.role === role);

for (const look of [looks[2], looks[3]]) {
  test(`a day of mail with keys alone, ${look.name}`, { skip }, async () => {
    const name = `ada-${look.colorScheme}`, v = await owner(name, look);
    await mail.deliver(v.mailbox, letter("First", { more: "Content-Type: multipart/mixed; boundary=x\n", body: "--x\nContent-Type: text/plain\n\nThe file is here.\n--x\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"plan.pdf\"\n\n%PDF-1.4 plan\n--x--\n" }));
    await mail.deliver(v.mailbox, letter("Second"));
    await v.press("Mail"); // from the account page
    await v.arrive("Mail");
    await row(v, "Second").waitFor();
    assert.match(await v.page.locator("nav .mail-box").first().textContent(), /^Inbox2 Unread$/);
    await v.check("the list");

    await key(v, "j");
    await onRow(v, "Second");
    await key(v, "ArrowDown");
    await onRow(v, "First");
    await key(v, "Enter");
    await on(v, "H2", "First");
    await until("it to be read", async () => (await box(v, "inbox")).unreadEmails === 1);
    await v.check("a conversation");
    const saved = v.page.waitForEvent("download");
    await v.press("Save plan.pdf, 1 kB");
    assert.equal((await saved).suggestedFilename(), "plan.pdf");

    await key(v, "s");
    await v.page.locator(".mail-thread .mail-mark", { hasText: "Flagged" }).waitFor();
    assert.equal((await api(v, "/threads")).threads.find((x) => x.subject === "First").isFlagged, true);
    await key(v, "k"); // the one above
    await on(v, "H2", "Second");
    await key(v, "e");
    await onRow(v, "First");
    await v.page.getByText("Moved to the archive.").first().waitFor();
    assert.equal((await box(v, "archive")).totalEmails, 1);
    await v.press("Undo");
    await row(v, "Second").waitFor();
    assert.equal((await box(v, "archive")).totalEmails, 0);
    await key(v, "k");
    await onRow(v, "Second");
    await key(v, "#");
    await row(v, "Second").waitFor({ state: "detached" });
    await until("it to be in the trash", async () => (await box(v, "trash")).totalEmails === 1);

    await onRow(v, "First");
    await key(v, "u");
    await until("it to be unread", async () => (await box(v, "inbox")).unreadEmails === 1);
    await key(v, "?");
    await v.page.getByRole("dialog").waitFor();
    await v.check("the keys");
    await key(v, "e"); // rests while the dialog is open
    await key(v, "Escape");
    assert.equal((await box(v, "inbox")).totalEmails, 1);

    await key(v, "v");
    await v.page.getByRole("dialog").waitFor();
    await v.check("where to?");
    await v.press("Archive");
    await row(v, "First").waitFor({ state: "detached" });
    await v.press("Archive1 Unread"); // the mailbox
    await row(v, "First").waitFor();
    v.content();
    await v.leave();
  });
}

test("writing: a reply, its draft, a failure, and a forwarded file", { skip }, async () => {
  const v = await owner("carl");
  await mail.deliver(v.mailbox, letter("Question", { from: "Eve <eve@example.com>", more: "Cc: Dora <dora@example.com>, Carl <carl@mail.example>\n" }));
  await v.open("/p/mail");
  await row(v, "Question").waitFor();
  await v.press("Name and signature");
  await v.type("Signature", "Carl, from the harbour");
  await v.press("Save");
  await v.page.getByText("are saved").first().waitFor();
  await key(v, "j");
  await key(v, "a");
  await on(v, "TEXTAREA", "Message");
  await v.check("a reply");
  const text = await v.page.getByLabel("Message", { exact: true }).inputValue();
  assert.match(text, /-- \nCarl, from the harbour\n\nOn .*, Eve <eve@example.com> wrote:\n> Hi Ada,\n> see/);
  assert.equal(await v.page.getByLabel("To", { exact: true }).inputValue(), "Eve <eve@example.com>, Ada <ada@mail.example>");
  assert.equal(await v.page.getByLabel("Cc", { exact: true }).inputValue(), "Dora <dora@example.com>");
  await v.page.keyboard.type("Yes, e # ? j: letters are letters here.");
  await v.page.reload(); // by mistake
  await on(v, "TEXTAREA", "Message");
  assert.match(await v.page.getByLabel("Message", { exact: true }).inputValue(), /^Yes, e # \? j: letters/);
  assert.equal(await v.page.evaluate(() => window["local" + "Storage"].length), 0);

  mail.relay.refuse = "550 5.1.1 nobody of that name";
  await v.press("Send");
  await v.refused("To", "does not take a recipient");
  assert.match(await v.page.getByLabel("Message", { exact: true }).inputValue(), /^Yes, e/);
  mail.relay.refuse = "451 4.3.0 later";
  await v.press("Send");
  await v.page.getByRole("alert").getByText("cannot be reached").waitFor({ timeout: 30_000 });
  await v.check("it was not sent");
  mail.relay.refuse = "";
  await v.press("Send");
  await v.page.getByText("Your message is sent.").first().waitFor({ timeout: 30_000 });
  const sent = await mail.relay.next();
  assert.deepEqual(sent.to, ["eve@example.com", "ada@mail.example", "dora@example.com"]);
  assert.match(sent.data, /^In-Reply-To: <Question@example.com>$/m);
  assert.match(sent.data, /^Subject: Re: Question$/m);
  assert.match(sent.data, /Yes, e # \? j: letters/);
  assert.equal(await v.page.evaluate(() => Object.keys(sessionStorage).length), 0, "what is sent is no longer kept");

  await row(v, "Question").click();
  await on(v, "H2", "Question");
  await key(v, "c");
  await on(v, "INPUT", "To");
  await v.page.keyboard.type("no address");
  await v.type("Subject", "News");
  await v.press("Send");
  await v.refused("To", "is not an email address");
  await v.type("To", '"Builder, Bob" <bob@example.com>, eve@example.com');
  await v.page.locator("input[type=file]").setInputFiles([{ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("remember") }]);
  await v.page.getByText("notes.txt").first().waitFor();
  await v.page.getByLabel("Message", { exact: true }).focus();
  await v.check("a message with a file");
  await key(v, "Escape");
  await on(v, "H2", "Question");
  await v.press("Go on writing: News");
  await v.press("Send");
  const news = await mail.relay.next();
  assert.deepEqual(news.to, ["bob@example.com", "eve@example.com"]);
  assert.match(news.data, /filename="?notes.txt/);
  v.content();
  await v.leave();
});

test("a draft goes with the account", { skip }, async () => {
  const v = await owner("dora");
  await v.open("/p/mail?write=new");
  await v.page.getByLabel("Message", { exact: true }).fill("a secret");
  await until("it to be kept", () => v.page.evaluate(() => JSON.stringify(sessionStorage).includes("a secret")));
  await v.press("Sign out");
  await v.arrive("Sign in");
  assert.equal(await v.page.evaluate(() => sessionStorage.length), 0);
  v.content();
  await v.leave();
});

test("one column at a time on a phone", { skip }, async () => {
  const v = await owner("finn", looks[0]);
  await mail.deliver(v.mailbox, letter("Pocket"));
  await v.press("Mail");
  await v.arrive("Mail");
  await row(v, "Pocket").waitFor();
  await v.check("phone list");
  await v.press("Mailboxes");
  await v.check("phone mailboxes");
  await key(v, "Escape");
  await v.page.goBack();
  await row(v, "Pocket").click();
  await on(v, "H2", "Pocket");
  assert.equal(await rows(v).first().isVisible(), false);
  await v.check("phone conversation");
  await v.press("Reply");
  await on(v, "TEXTAREA", "Message");
  await v.check("phone writing");
  await v.page.goBack();
  await on(v, "H2", "Pocket");
  await v.press("Back to the list");
  await onRow(v, "Pocket");
  v.content();
  await v.leave();
});

test("search, more than a page, and a server that is down", { skip }, async () => {
  const v = await owner("gina");
  await mail.deliver(v.mailbox, letter("Needle", { body: "a rare word: quokka\n" }));
  await mail.deliver(v.mailbox, letter("Hay"));
  await mail.index();
  await v.open("/p/mail");
  await row(v, "Hay").waitFor();
  await key(v, "/");
  await v.page.keyboard.type("quokka");
  await v.enter();
  await row(v, "Hay").waitFor({ state: "detached" });
  await row(v, "Needle").waitFor();
  await v.check("found");
  await key(v, "Escape");
  await row(v, "Hay").waitFor();

  // The wire's own form of pages, in the place of fifty deliveries.
  const thread = (i) => ({ id: `T${i}`, subject: `Number ${i}`, snippet: "", from: [{ name: "Bob", email: "bob@example.com" }], lastMessageAt: "2026-11-27T10:00:00.000Z", messageCount: 1, isRead: true, isFlagged: false, hasAttachment: false });
  await v.page.route("**/api/v1/mail/threads?*", (route) => {
    const query = new URL(route.request().url()).searchParams, at = Number(query.get("offset")), n = Number(query.get("limit"));
    return route.fulfill({ json: { threads: Array.from({ length: Math.max(0, Math.min(n, 70 - at)) }, (_, i) => thread(at + i)), total: 70 } });
  });
  await v.press("Check for mail");
  await v.page.getByText("50 of 70").waitFor();
  await v.press("Load more");
  await onRow(v, "Number 50");
  assert.equal(await rows(v).count(), 70);
  await v.page.unroute("**/api/v1/mail/threads?*");

  await v.page.route("**/api/v1/mail/**", (route) => route.fulfill({ status: 503, json: { statusCode: 503, code: "SERVICE_UNAVAILABLE", message: "x" } }));
  await v.press("Check for mail");
  await v.page.getByRole("alert").getByText("The mail server cannot be reached at the moment. What you see may be old.").waitFor();
  assert.equal(await rows(v).count(), 70);
  await v.check("the server is down");
  await v.page.unroute("**/api/v1/mail/**");
  await v.page.getByRole("button", { name: "Try again" }).focus();
  await v.enter();
  await row(v, "Needle").waitFor();
  assert.equal(await v.page.getByRole("alert").filter({ hasText: "cannot" }).count(), 0);
  await v.leave();
});

test("no mailbox yet, and nobody who is signed in", { skip }, async () => {
  const v = await Visitor.enter(browser, server.base), email = "hugo@example.com";
  await v.open("/p/mail");
  await v.arrive("Sign in");
  await call(v.context, server.base, "/sign-up/email", { email, password: "correct horse 1", name: "Hugo" });
  await v.open((await server.mail(email, "verify-email")).url);
  await v.page.route("**/api/v1/mail/**", (route) => route.fulfill({ status: 404, json: { statusCode: 404, code: "MAILBOX_NOT_FOUND", message: "x" } }));
  await v.open("/p/mail");
  await v.page.getByRole("heading", { name: "You have no mailbox yet" }).waitFor();
  await v.check("no mailbox");
  await v.page.unroute("**/api/v1/mail/**");
  await until("the mailbox", async () => (await v.context.request.get("/api/v1/mail/threads")).ok());
  await v.press("Look again");
  await v.page.getByText("There is nothing here.").waitFor();
  await v.leave();
});

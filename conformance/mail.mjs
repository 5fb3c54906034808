// A user's mail from sign-up to the deleted account, on a real Cyrus (scripts/cyrus) and a relay in this process. It needs
// root, without whom Cyrus's master cannot run, and cyrus-imapd, cyrus-caldav, sasl2-bin; without them it says so and ends well.
//
//     node mail.mjs [--target COMMAND]
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Session, freePort, sleep, startServer, startSink } from "./harness.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
if (process.getuid() !== 0 || !existsSync("/usr/lib/cyrus/bin/master")) {
  console.log("mail: left out: Cyrus runs as root alone, and has to be installed (cyrus-imapd cyrus-caldav sasl2-bin)");
  process.exit(0);
}
const target = process.argv[2] === "--target" ? process.argv[3].split(" ") : [join(root, "scripts/conformance-server")];

/** Sends lines and waits for each answer; what counts as an answer is a line "CODE text". */
async function talk(socket, lines) {
  let text = "", wake;
  socket.on("data", (d) => { text += d; wake?.(); });
  const answer = async () => {
    for (;;) {
      const m = /^(\d{3}) .*\r\n/m.exec(text);
      if (m) { text = text.slice(m.index + m[0].length); return m[0]; }
      await new Promise((r) => (wake = r));
    }
  };
  for (const line of [null, ...lines]) {
    if (line !== null) socket.write(line + "\r\n");
    const got = await answer();
    assert.match(got, /^[23]/, `${line}: ${got}`);
  }
  socket.end();
}

/** Delivers a mail as a mail exchanger would, by LMTP. */
const deliver = (dir, to, mail) => talk(connect(join(dir, "socket/lmtp")), ["LHLO mx.example", "MAIL FROM:<bob@example.com>", `RCPT TO:<${to}>`, "DATA", mail.replaceAll("\n", "\r\n") + "\r\n.", "QUIT"]);

/** A relay that takes everything. */
async function startRelay() {
  const mails = [];
  const server = createServer((c) => {
    let text = "", mail = null;
    c.write("220 relay\r\n");
    c.on("data", (d) => {
      text += d;
      for (let i; (i = text.indexOf("\r\n")) >= 0; ) {
        const line = text.slice(0, i);
        text = text.slice(i + 2);
        if (mail?.open) {
          if (line === ".") { mail.open = false; mails.push(mail); c.write("250 taken\r\n"); } else mail.data += line + "\n";
        } else if (/^MAIL/i.test(line)) { mail = { from: line, to: [], data: "" }; c.write("250 ok\r\n"); }
        else if (/^RCPT/i.test(line)) { mail.to.push(line); c.write("250 ok\r\n"); }
        else if (/^DATA/i.test(line)) { mail.open = true; c.write("354 go on\r\n"); }
        else c.write("250 ok\r\n");
      }
    });
    c.on("error", () => {});
  });
  await new Promise((r) => server.listen(0, "127.0.0.1", r));
  return { port: server.address().port, mails, close: () => server.close() };
}

const hello = `From: Bob <bob@example.com>
To: ada.lovelace@mail.example
Subject: Hello
Message-ID: <one@example.com>
Date: Fri, 27 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/html; charset=utf-8

<p onclick="x">Hi <a href="https://example.com">there</a><script>alert(1)</script><img src="http://evil.example/x.gif"></p>
--x
Content-Type: text/plain
Content-Disposition: attachment; filename="note.txt"

a note
--x--`;

const until = async (what, f) => {
  for (let i = 0; ; i++) {
    const v = await f();
    if (v) return v;
    assert.ok(i < 200, `${what} did not happen within 20 s`);
    await sleep(100);
  }
};

const dir = mkdtempSync(join(tmpdir(), "mail"));
const http = await freePort(), imap = await freePort();
const cyrus = (...args) => execFileSync(join(root, "scripts/cyrus"), args, { stdio: "pipe" });
cyrus("start", dir, http, imap);
const relay = await startRelay(), sink = await startSink();
const plugins = ["v1", "mail-provisioning", "mail"];
const options = { requireEmailVerification: true, autoSignInAfterVerification: true, sendOnSignUp: true,
  mail: { domain: "mail.example", jmapUrl: `http://127.0.0.1:${http}`, provisioner: "cyrus", address: `127.0.0.1:${imap}`, sasldb: join(dir, "sasldb2"), smtp: { port: relay.port } } };
let server;
try {
  server = await startServer(target, { port: await freePort(), sink: sink.url, plugins, options });
  const s = new Session(server, sink, plugins, options), c = s.client();
  const api = async (method, path, body, headers) => c.raw(method, "/api/v1/mail" + path, body, headers);
  const ok = async (method, path, body, headers) => {
    const r = await api(method, path, body, headers);
    assert.equal(r.status, 200, `${method} ${path}: ${r.status} ${JSON.stringify(r.body)}`);
    return r.body;
  };

  assert.equal((await api("GET", "/threads")).status, 401);
  const user = { email: "ada@example.com", password: "correct horse battery", name: "Ada Lovelace" };
  await c.raw("POST", "/api/auth/sign-up/email", user);
  await c.raw("GET", s.path((await s.mail(user.email, "verify-email")).url));
  await until("the mailbox", async () => (await api("GET", "/threads")).status === 200);
  const [account] = await ok("GET", "/accounts");
  assert.equal(account.email, "ada.lovelace@mail.example");

  await deliver(dir, "ada.lovelace", hello);
  const list = await until("the mail", async () => { const l = await ok("GET", "/threads?limit=10"); return l.total === 1 && l; });
  const [t] = list.threads;
  assert.deepEqual([t.subject, t.from, t.isRead, t.isFlagged, t.hasAttachment, t.messageCount], ["Hello", [{ name: "Bob", email: "bob@example.com" }], false, false, true, 1]);
  const thread = await ok("GET", `/threads/${t.id}`), [mail] = thread.messages;
  assert.equal(mail.bodyHtml, `<p>Hi <a href="https://example.com" rel="nofollow noreferrer noopener" target="_blank">there</a><img></p>`);
  assert.equal(mail.imagesBlocked, true);

  const file = await api("GET", `/messages/${mail.id}/attachments/${mail.attachments[0].blobId}`);
  assert.equal(file.headers.get("content-disposition"), `attachment; filename="note.txt"; filename*=UTF-8''note.txt`);
  assert.equal(file.headers.get("x-content-type-options"), "nosniff");
  assert.match(String(file.body), /a note/);

  const labels = Object.fromEntries((await ok("GET", "/labels")).map((l) => [l.role, l]));
  assert.equal(labels.inbox.unreadEmails, 1);
  await ok("PUT", `/messages/${mail.id}`, { isRead: true, isFlagged: true });
  assert.equal((await ok("GET", "/labels")).find((l) => l.role === "inbox").unreadEmails, 0);

  await ok("PUT", `/accounts/${account.id}`, { displayName: "Countess Lovelace", signature: "Yours" });
  const sent = await ok("POST", "/send", { to: [{ email: "bob@example.com", name: "Bob" }], bcc: [{ email: "eve@example.com" }], subject: "Re: Hello", body: "Thank you.", inReplyTo: mail.messageId, references: [mail.messageId] });
  assert.equal(relay.mails.length, 1);
  assert.deepEqual(relay.mails[0].to, ["RCPT TO:<bob@example.com>", "RCPT TO:<eve@example.com>"]);
  assert.match(relay.mails[0].data, /^From: "Countess Lovelace" <ada\.lovelace@mail\.example>$/m);
  assert.match(relay.mails[0].data, /^In-Reply-To: <one@example\.com>$/m);
  assert.doesNotMatch(relay.mails[0].data, /eve@/);
  const after = await ok("GET", `/threads/${t.id}`);
  assert.deepEqual(after.messages.map((m) => m.id), [mail.id, sent.emailId]);
  assert.deepEqual(after.messages[1].bcc.map((a) => a.email), ["eve@example.com"]);

  const now = Object.fromEntries((await ok("GET", "/labels")).map((l) => [l.role, l]));
  await ok("PUT", `/messages/${mail.id}`, { mailboxIds: [now.drafts.id] });
  assert.equal((await ok("GET", `/threads?mailboxId=${now.inbox.id}`)).total, 0);
  assert.equal((await ok("GET", `/threads?mailboxId=${now.sent.id}`)).total, 1);
  cyrus("index", dir);
  assert.equal((await ok("GET", "/threads?q=there")).total, 1);
  assert.equal((await api("GET", "/threads?limit=NaN")).status, 400);

  const login = (await c.raw("POST", "/api/v1/auth/login", { email: user.email, password: user.password })).body;
  const bearer = { authorization: `Bearer ${login.accessToken}`, cookie: "" };
  assert.equal((await s.client({ origin: null }).raw("GET", "/api/v1/mail/threads", undefined, bearer)).status, 200, "with an access token");

  const others = await c.raw("PUT", `/api/v1/mail/messages/${mail.id}`, { isRead: false }, { origin: "https://evil.example" });
  assert.deepEqual([others.status, others.body.code], [403, "INVALID_ORIGIN"]);

  const gone = await c.raw("DELETE", "/api/v1/auth/account", { password: user.password });
  assert.equal(gone.status, 200, JSON.stringify(gone.body));
  await until("the end of the mailbox", () => deliver(dir, "ada.lovelace", hello).then(() => false, () => true));
  console.log("mail: ok");
} finally {
  await server?.stop();
  relay.close(); sink.close();
  cyrus("stop", dir);
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }); // its master ends its children meanwhile
}

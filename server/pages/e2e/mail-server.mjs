// A real mail server for the tests: Cyrus with JMAP, and a relay that keeps what it is given.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, until } from "./support.mjs";

const script = fileURLToPath(new URL("../../../scripts/cyrus", import.meta.url));

/** Why there can be none here, or nothing. */
export function whyNot() {
  if (process.getuid() !== 0) return "Cyrus's master only runs as root: start the tests as root to have this one";
  if (process.env.BASE_URL) return "the server of BASE_URL has a mail server of its own";
  try {
    execFileSync("sh", ["-c", "command -v saslpasswd2 && test -x /usr/lib/cyrus/bin/httpd"]);
  } catch {
    throw new Error("Cyrus is needed: apt-get install cyrus-imapd cyrus-caldav sasl2-bin");
  }
  return false;
}

/** Speaks a protocol of lines: sends each once the answer to the one before has begun as it must. */
async function talk(socket, steps) {
  let got = "", wake = () => {};
  socket.setEncoding("utf8").on("data", (d) => { got += d; wake(); }).on("error", (e) => { got += `\r\nerror ${e.message}\r\n`; wake(); });
  for (const [want, send] of steps) {
    let m;
    while (!(m = want.exec(got))) {
      if (/^([45]\d\d[ -]|error |\S+ (NO|BAD) ).*\r\n/m.test(got)) throw new Error(`the mail server says ${got.trim()}`);
      await new Promise((r) => { wake = r; });
    }
    got = got.slice(m.index + m[0].length);
    if (send) socket.write(send);
  }
  socket.end();
}

export async function startMail() {
  const dir = mkdtempSync(join(tmpdir(), "cyrus")), http = await freePort(), imap = await freePort();
  execFileSync(script, ["start", dir, String(http), String(imap)], { stdio: "inherit" });
  const relay = await startRelay();
  let last = 0;
  const listens = (port) => new Promise((done) => { const s = connect(port, "127.0.0.1", () => { s.destroy(); done(true); }).on("error", () => done(false)); });
  await until("Cyrus to listen", async () => await listens(http) && await listens(imap));
  return {
    relay,
    plugins: ["mail-provisioning", "mail"],
    options: {
      "mail-provisioning": { domain: "mail.example", cyrus: {
        address: `127.0.0.1:${imap}`, tls: "none", admin: "cyrus", password: "cyrus", passwordCommand: ["saslpasswd2", "-p", "-c", "-f", join(dir, "sasldb2"), "{name}"],
      } },
      mail: { url: `http://127.0.0.1:${http}`, smtp: { host: "127.0.0.1", port: relay.port, tls: "none" } },
    },
    /** Delivers a mail as another mail server would (LMTP, RFC 2033). None comes in the second of another: their order would be anybody's. */
    async deliver(user, text) {
      const second = () => Math.floor(Date.now() / 1000);
      await until("another second", () => second() !== last);
      await talk(connect(join(dir, "socket/lmtp")), [[/^220.*\r\n/m, "LHLO test\r\n"], [/^250 .*\r\n/m, "MAIL FROM:<bob@example.com>\r\n"],
      [/^250.*\r\n/m, `RCPT TO:<${user}>\r\n`], [/^250.*\r\n/m, "DATA\r\n"], [/^354.*\r\n/m, `${text.replace(/\r?\n/g, "\r\n").replace(/^\./gm, "..")}\r\n.\r\n`], [/^250.*\r\n/m, "QUIT\r\n"]]);
      last = second();
    },
    /** Makes what was delivered findable. */
    index: () => execFileSync(script, ["index", dir], { stdio: "pipe" }),
    stop() {
      relay.close();
      execFileSync(script, ["stop", dir]);
      rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }); // its master ends its children meanwhile
    },
  };
}

/** An SMTP server that takes everything, or refuses recipients while refusing is set. */
async function startRelay() {
  const mails = [], relay = { mails, refuse: "", port: 0 };
  const server = createServer((socket) => {
    let rest = "", mail = { to: [] }, data = null;
    socket.on("error", () => {}).write("220 relay\r\n");
    socket.setEncoding("utf8").on("data", (d) => {
      rest += d;
      for (let m; (m = /^(.*)\r\n/.exec(rest)); ) {
        rest = rest.slice(m[0].length);
        const line = m[1];
        if (data !== null) {
          if (line !== ".") { data += `${line.replace(/^\./, "")}\n`; continue; }
          mails.push({ ...mail, data });
          [mail, data] = [{ to: [] }, null];
          socket.write("250 taken\r\n");
        } else if (/^RCPT/i.test(line)) {
          if (!relay.refuse) mail.to.push(/<(.*)>/.exec(line)[1]);
          socket.write(relay.refuse || "250 ok\r\n");
        } else if (/^DATA/i.test(line)) { data = ""; socket.write("354 go on\r\n"); } else if (/^QUIT/i.test(line)) socket.end("221 bye\r\n");
        else socket.write("250 ok\r\n");
      }
    });
  });
  await new Promise((r) => server.listen(0, "127.0.0.1", r));
  relay.port = server.address().port;
  relay.close = () => server.close();
  relay.next = () => until("a mail at the relay", () => mails.shift());
  return relay;
}

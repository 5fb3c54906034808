// The user's side of a mission, as a page in a browser does it: with fetch and WebCrypto.
//
//     node browser.mjs begin  http://localhost:8080 mission.json
//     node browser.mjs audit  http://localhost:8080 mission.json
//     node browser.mjs revoke http://localhost:8080 mission.json
//
// begin signs somebody up, makes their vault, encrypts three notes and grants two of them
// to the mission "summary". What an app would keep (encrypted notes, grant, session) goes
// into mission.json. audit prints what was decrypted, revoke takes the grant back.
import { readFileSync, writeFileSync } from "node:fs";
import { checkValue, encryptRecord, recordKey, unb64 } from "./vault.mjs";

const [command, server, file] = process.argv.slice(2);
let cookie = "";

async function call(method, path, body) {
  const r = await fetch(server + "/api/auth" + path, { method, headers: { origin: new URL(server).origin, cookie, ...(body && { "content-type": "application/json" }) }, body: body && JSON.stringify(body) });
  const set = r.headers.getSetCookie().map((c) => c.split(";")[0]);
  if (set.length) cookie = set.join("; ");
  const answer = await r.json();
  if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${JSON.stringify(answer)}`);
  return answer;
}

if (command === "begin") {
  const { user } = await call("POST", "/sign-up/email", { name: "Ada", email: `ada-${Date.now()}@example.com`, password: "correct horse battery" });
  const vault = await call("POST", "/vault/init");
  const key = unb64(vault.masterKey);
  if ((await checkValue(key, user.id)) !== vault.keyCheck) throw new Error("this is not the vault's key");

  const notes = {};
  for (const [id, text] of Object.entries({ n1: "Buy milk", n2: "Call Bob", n3: "The PIN is 1234" })) {
    notes[id] = await encryptRecord(await recordKey(key, user.id, "notes:" + id), { text });
  }
  const grant = await call("POST", "/mission-grant", { missionId: "summary", tables: ["notes"], recordIds: ["notes:n1", "notes:n2"], ttlMs: 24 * 3600e3 });
  writeFileSync(file, JSON.stringify({ cookie, userId: user.id, missionId: "summary", notes, grant }, null, 2));
  console.log("granted notes:n1 and notes:n2, not notes:n3");
} else {
  const mission = JSON.parse(readFileSync(file, "utf8"));
  cookie = mission.cookie;
  if (command === "audit") {
    const { rows } = await call("GET", "/mission-grant/audit?missionId=" + mission.missionId);
    for (const r of rows.reverse()) console.log(`${r.tableName}:${r.recordId} ${r.status}`);
  } else if (command === "revoke") {
    console.log("revoked", (await call("POST", "/mission-grant/revoke", { missionId: mission.missionId })).revoked);
  } else {
    throw new Error("want begin, audit or revoke");
  }
}

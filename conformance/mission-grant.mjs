// Mission grants and the vault in Node's WebCrypto, beside the Go code: opens what it makes
// and makes what it opens. Reads one JSON object from the standard input, {op, ...}, and
// prints one. It shares no line with the Go code, so that both can be wrong only apart.
//
//     echo '{"op":"sealV1", ...}' | node mission-grant.mjs
import { b64, unb64, hex, hkdf, random, checkValue, recordKey, encryptRecord, decryptRecord, recoveryWrap, recoveryUnwrap, formatRecoveryCode, parseRecoveryCode } from "../examples/mission/vault.mjs";

const { subtle } = globalThis.crypto;
const utf8 = new TextEncoder();

// header is everything that a grant of version 2 says: each part with its length.
function header(g) {
  const parts = [];
  const u32 = (n) => { const b = new Uint8Array(4); new DataView(b.buffer).setUint32(0, n); parts.push(b); };
  const u64 = (n) => { const b = new Uint8Array(8); new DataView(b.buffer).setBigUint64(0, BigInt(n)); parts.push(b); };
  const str = (s) => { const b = utf8.encode(s); u32(b.length); parts.push(b); };
  const list = (l) => { u32(l.length); l.forEach(str); };
  parts.push(utf8.encode("sallyport mission grant v2\0"));
  [g.id, g.issuer, g.userId, g.missionId, g.recipientKeyId, g.signingKeyId].forEach(str);
  [g.keyVersion, g.issuedAt, g.expiresAt].forEach(u64);
  list(g.tables); list(g.recordIds);
  return concat(parts);
}

function signed(g) {
  const parts = [header(g)];
  for (const s of [g.wrappedKey, g.iv, g.sealedKeys]) {
    const b = utf8.encode(s), n = new Uint8Array(4);
    new DataView(n.buffer).setUint32(0, b.length);
    parts.push(n, b);
  }
  return concat(parts);
}

function concat(parts) {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) { out.set(p, at); at += p.length; }
  return out;
}

const oaep = { name: "RSA-OAEP", hash: "SHA-256" };
const aes = (key, use) => subtle.importKey("raw", key, "AES-GCM", false, [use]);
const keyId = async (bytes) => b64(await subtle.digest("SHA-256", bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

const ops = {
  async sealV1({ masterKey, spki, missionId, tables, recordIds }) {
    tables = [...tables].sort(); recordIds = [...recordIds].sort();
    const key = await hkdf(unb64(masterKey), missionId, `mana-ai-mission-grant:v1:tables=${tables.join(",")}:ids=${recordIds.join(",")}`, 32);
    const to = await subtle.importKey("spki", unb64(spki), oaep, false, ["encrypt"]);
    return { missionKey: hex(key), grant: { wrappedKey: b64(await subtle.encrypt(oaep, to, key)), derivation: { version: "v1", missionId, tables, recordIds }, issuedAt: new Date(1e12).toISOString(), expiresAt: new Date(4e12).toISOString() } };
  },
  async openV1({ grant, pkcs8 }) {
    const key = await subtle.importKey("pkcs8", unb64(pkcs8), oaep, false, ["decrypt"]);
    return { missionKey: hex(await subtle.decrypt(oaep, key, unb64(grant.wrappedKey))) };
  },
  async sealV2({ masterKey, spki, grant: g, signingPkcs8, signingPublic }) {
    g = { ...g, version: "v2", tables: [...g.tables].sort(), recordIds: [...g.recordIds].sort(), recipientKeyId: await keyId(unb64(spki)), signingKeyId: await keyId(unb64(signingPublic)) };
    const keys = concat(await Promise.all(g.recordIds.map((id) => recordKey(unb64(masterKey), g.userId, id))));
    const mission = random(32), iv = random(12), label = header(g);
    const to = await subtle.importKey("spki", unb64(spki), oaep, false, ["encrypt"]);
    g.wrappedKey = b64(await subtle.encrypt({ ...oaep, label }, to, mission));
    g.iv = b64(iv);
    g.sealedKeys = b64(await subtle.encrypt({ name: "AES-GCM", iv, additionalData: label }, await aes(mission, "encrypt"), keys));
    const by = await subtle.importKey("pkcs8", unb64(signingPkcs8), "Ed25519", false, ["sign"]);
    g.signature = b64(await subtle.sign("Ed25519", by, signed(g)));
    return { grant: g };
  },
  async openV2({ grant: g, pkcs8, signingPublic }) {
    const issuer = await subtle.importKey("raw", unb64(signingPublic), "Ed25519", false, ["verify"]);
    if (!(await subtle.verify("Ed25519", issuer, unb64(g.signature), signed(g)))) throw new Error("the signature fails");
    const key = await subtle.importKey("pkcs8", unb64(pkcs8), oaep, false, ["decrypt"]), label = header(g);
    const mission = await subtle.decrypt({ ...oaep, label }, key, unb64(g.wrappedKey));
    const keys = new Uint8Array(await subtle.decrypt({ name: "AES-GCM", iv: unb64(g.iv), additionalData: label }, await aes(mission, "decrypt"), unb64(g.sealedKeys)));
    return { keys: Object.fromEntries(g.recordIds.map((id, i) => [id, hex(keys.slice(32 * i, 32 * i + 32))])) };
  },
  async vault({ masterKey, userId }) {
    const key = unb64(masterKey), secret = random(32), code = formatRecoveryCode(secret), wrap = await recoveryWrap(key, secret);
    const back = await recoveryUnwrap(wrap, parseRecoveryCode(` ${code.toLowerCase().replaceAll("-", " ")}\n`));
    const id = "notes:n1", record = await recordKey(key, userId, id), value = { title: "é\u2028😀" }, stored = await encryptRecord(record, value);
    return { check: await checkValue(key, userId), code, secret: b64(secret), ...wrap, same: hex(back) === hex(key), recordKey: hex(record), stored, value, own: await decryptRecord(record, stored) };
  },
};

let input = "";
for await (const chunk of process.stdin) input += chunk;
const { op, ...args } = JSON.parse(input);
console.log(JSON.stringify(await ops[op](args)));

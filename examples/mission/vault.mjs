// What a browser does with the vault and with mission grants, on WebCrypto alone: it runs in
// browsers and in Node 20 alike.

const { subtle } = globalThis.crypto;
const text = new TextEncoder();

export const b64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
export const unb64 = (s) => Uint8Array.from(atob(s), (c) => c.charCodeAt(0));
export const hex = (bytes) => Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");
export const random = (n) => crypto.getRandomValues(new Uint8Array(n));

// hkdf is HKDF-SHA256 (RFC 5869).
export async function hkdf(key, salt, info, bytes) {
  const base = await subtle.importKey("raw", key, "HKDF", false, ["deriveBits"]);
  return new Uint8Array(await subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: text.encode(salt), info: text.encode(info) }, base, bytes * 8));
}

async function aes(key, use) {
  return subtle.importKey("raw", key, "AES-GCM", false, [use]);
}

// checkValue tells whether a master key is the vault's: compare it with keyCheck.
export const checkValue = async (masterKey, userId) => b64(await hkdf(masterKey, userId, "sallyport-vault-check-v1", 16));

// recordKey is the key of one record, "table:id".
export const recordKey = (masterKey, userId, recordId) => hkdf(masterKey, userId, "sallyport-record-key-v1:" + recordId, 32);

// encryptRecord gives "enc:1:" + base64(iv) + "." + base64(ciphertext and tag).
export async function encryptRecord(key, value) {
  const iv = random(12);
  const sealed = await subtle.encrypt({ name: "AES-GCM", iv }, await aes(key, "encrypt"), text.encode(JSON.stringify(value)));
  return `enc:1:${b64(iv)}.${b64(sealed)}`;
}

export async function decryptRecord(key, stored) {
  const [iv, sealed] = stored.slice("enc:1:".length).split(".").map(unb64);
  return JSON.parse(new TextDecoder().decode(await subtle.decrypt({ name: "AES-GCM", iv }, await aes(key, "decrypt"), sealed)));
}

// A recovery code: 32 random bytes, shown as 16 groups of four hexadecimal digits.
export const formatRecoveryCode = (secret) => hex(secret).toUpperCase().match(/.{4}/g).join("-");

export function parseRecoveryCode(code) {
  const digits = code.replace(/[\s-]/g, "");
  if (!/^[0-9a-fA-F]{64}$/.test(digits)) throw new Error("a recovery code has 64 hexadecimal digits");
  return Uint8Array.from(digits.match(/../g), (h) => parseInt(h, 16));
}

// recoveryWrap wraps the master key by a recovery code, for POST /vault/recovery-wrap. The
// server never sees the code.
export async function recoveryWrap(masterKey, secret) {
  const key = await hkdf(secret, "", "mana-recovery-v1", 32), iv = random(12);
  return { recoveryWrappedMk: b64(await subtle.encrypt({ name: "AES-GCM", iv }, await aes(key, "encrypt"), masterKey)), recoveryIv: b64(iv) };
}

export async function recoveryUnwrap(wrap, secret) {
  const key = await hkdf(secret, "", "mana-recovery-v1", 32);
  return new Uint8Array(await subtle.decrypt({ name: "AES-GCM", iv: unb64(wrap.recoveryIv) }, await aes(key, "decrypt"), unb64(wrap.recoveryWrappedMk)));
}

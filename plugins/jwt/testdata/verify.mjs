// Verifies a token with Node's crypto alone: {token, jwks} on standard input.
import { constants, createPublicKey, verify } from "node:crypto";
let text = "";
for await (const chunk of process.stdin) text += chunk;
const { token, jwks } = JSON.parse(text);
const [h, p, s] = token.split(".");
const { alg, kid } = JSON.parse(Buffer.from(h, "base64url"));
const jwk = jwks.keys.find((k) => k.kid === kid && k.alg === alg);
const key = { key: createPublicKey({ key: jwk, format: "jwk" }) };
if (alg.startsWith("ES")) key.dsaEncoding = "ieee-p1363";
if (alg === "PS256") Object.assign(key, { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
const hash = { EdDSA: null, ES256: "sha256", ES512: "sha512", RS256: "sha256", PS256: "sha256" }[alg];
const check = (data) => verify(hash, Buffer.from(data), key, Buffer.from(s, "base64url"));
console.log(`valid ${check(`${h}.${p}`)}, altered ${check(`${h}.${p.slice(0, -1)}`)}`);

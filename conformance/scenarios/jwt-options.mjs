// Tokens under every option: algorithms, claims, paths, key storage, and what shares a server with them.
import { constants, createPublicKey, verify } from "node:crypto";
const who = { email: "jwt@example.com", password: "correct horse 1", name: "Jwt <&> Ünïcode \u2028" };
const get = "/api/auth/get-session";
const dec = (x) => JSON.parse(Buffer.from(x, "base64url"));

/** What a verifier sees of a token that was asked for at since: header, claims, and whether the published key fits. */
function read(token, jwks, since) {
  const [h, p, sig] = token.split(".");
  const header = dec(h), claims = dec(p);
  const jwk = jwks.keys.find((k) => k.kid === header.kid);
  const key = { key: createPublicKey({ key: jwk, format: "jwk" }) };
  if (header.alg.startsWith("ES")) key.dsaEncoding = "ieee-p1363";
  if (header.alg === "PS256") Object.assign(key, { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
  const hash = { EdDSA: null, ES256: "sha256", ES512: "sha512", RS256: "sha256", PS256: "sha256" }[header.alg];
  return {
    header: Object.keys(header), alg: header.alg, claims: Object.keys(claims).filter((k) => claims[k] !== null).sort(), iss: claims.iss, aud: claims.aud,
    ttl: claims.exp - claims.iat, now: claims.iat >= Math.floor(since / 1000) && claims.iat * 1000 <= Date.now(), name: claims.name, subject: claims.sub,
    key: Object.keys(jwk).sort(), valid: verify(hash, Buffer.from(`${h}.${p}`), key, Buffer.from(sig, "base64url")),
  };
}
async function tokens(s, a = s.client(), jwksPath = "/jwks") {
  await s.step("sign up", () => a.raw("POST", "/api/auth/sign-up/email", who));
  const since = Date.now();
  const { body } = await s.step("token", () => a.raw("GET", "/api/auth/token"));
  const jwks = (await s.step("keys", () => s.client().raw("GET", `/api/auth${jwksPath}`))).body;
  s.note("read", read(body.token, jwks, since));
  const r = await s.step("session", () => a.raw("GET", get));
  s.note("header", r.headers.has("set-auth-jwt") ? read(r.headers.get("set-auth-jwt"), jwks, since) : null);
  s.note("one key", { count: jwks.keys.length });
  return { a, jwks };
}
const parts = [
  ...["EdDSA", "ES256", "ES512", "RS256", "PS256"].map((algorithm) => ({ name: algorithm, options: { jwt: { algorithm } }, run: async (s) => { await tokens(s); } })),
  { name: "claims", options: { jwt: { issuer: "https://issuer.example", audience: ["api"], expirationTime: 60, payload: ["email", "name"] } }, run: async (s) => { await tokens(s); } },
  { name: "two audiences, another subject", options: { jwt: { audience: ["a", "b"], subject: "email", payload: [] } }, run: async (s) => { await tokens(s); } },
  { name: "fields of the app", options: { additionalFields: { user: {
    plan: { type: "string", required: false, defaultValue: "free" }, hidden: { type: "string", required: false, returned: false, defaultValue: "no" },
    score: { type: "number", required: false, defaultValue: 3 }, active: { type: "boolean", required: false },
  } } }, run: async (s) => { await tokens(s); } },
  { name: "without the header", options: { jwt: { disableHeader: true } }, run: async (s) => { await tokens(s); } },
  { name: "another path", options: { jwt: { jwksPath: "/.well-known/jwks.json" } }, run: async (s) => {
    await tokens(s, s.client(), "/.well-known/jwks.json");
    await s.step("not at the usual one", () => s.client().raw("GET", "/api/auth/jwks"));
  } },
  { name: "keys in the open, rotated", options: { jwt: { disablePrivateKeyEncryption: true, rotationInterval: 86400, gracePeriod: 3600 } }, run: async (s) => { await tokens(s); } },
  { name: "methods and sessions", run: async (s) => {
    const { a } = await tokens(s);
    for (const path of ["/token", "/jwks"]) {
      for (const method of ["POST", "PUT", "DELETE"]) await s.step(`${method} ${path}`, () => a.raw(method, `/api/auth${path}`, method === "DELETE" ? undefined : {}));
      await s.step(`${path} with a query`, () => a.raw("GET", `/api/auth${path}?a=1`));
      await s.step(`${path} and a slash`, () => a.raw("GET", `/api/auth${path}/`));
    }
    const b = s.client();
    const signed = decodeURIComponent(a.jar.get("better-auth.session_token"));
    b.jar.set("better-auth.session_token", encodeURIComponent(signed.replace(/\.(.)/, (_, c) => (c === "A" ? ".B" : ".A"))));
    await s.step("a bad signature", () => b.raw("GET", "/api/auth/token"));
    await s.step("a bad signature, session", () => b.raw("GET", get));
    await s.step("nobody's session", () => s.client().raw("GET", get));
    await s.step("revoke all", () => a.raw("POST", "/api/auth/revoke-sessions", {}));
    await s.step("revoked", () => a.raw("GET", "/api/auth/token"));
    await s.step("sign in", () => a.raw("POST", "/api/auth/sign-in/email", who));
    await s.step("sign out", () => a.raw("POST", "/api/auth/sign-out", {}));
    await s.step("signed out", () => a.raw("GET", "/api/auth/token"));
  } },
  { name: "keys before anybody signs in", run: async (s) => {
    const first = (await s.step("keys", () => s.client().raw("GET", "/api/auth/jwks"))).body;
    const again = (await s.step("again", () => s.client().raw("GET", "/api/auth/jwks"))).body;
    s.note("the same", { same: first.keys[0].kid === again.keys[0].kid, count: again.keys.length });
  } },
  { name: "cookie cache", options: { cookieCache: true }, run: async (s) => {
    const { a } = await tokens(s);
    await s.step("from the cache", () => a.raw("GET", "/api/auth/token"));
    await s.step("from the database", () => a.raw("GET", `${get}?disableCookieCache=true`));
  } },
  { name: "with bearer", plugins: ["jwt", "bearer"], options: { sessionExpiresIn: 1000, sessionUpdateAge: 0 }, run: async (s) => {
    const a = s.client();
    const r = await s.step("sign up", () => a.raw("POST", "/api/auth/sign-up/email", who));
    const h = { authorization: `Bearer ${r.headers.get("set-auth-token")}` };
    await s.step("token", () => s.client().http("GET", "/api/auth/token", { headers: h }));
    await s.step("session, renewed", () => s.client().http("GET", get, { headers: h }));
    await s.step("a JWT is no session", async () => {
      const { body } = await s.client().http("GET", "/api/auth/token", { headers: h });
      await s.client().http("GET", get, { headers: { authorization: `Bearer ${body.token}` } });
    });
  } },
  { name: "bearer before it", plugins: ["bearer", "jwt"], options: { sessionExpiresIn: 1000, sessionUpdateAge: 0 }, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.raw("POST", "/api/auth/sign-up/email", who));
    await s.step("session, renewed", () => a.raw("GET", get));
  } },
  { name: "with a second factor", plugins: ["two-factor", "jwt", "bearer"], run: async (s) => {
    const { totp } = await import("../harness.mjs");
    const a = s.client();
    await s.step("sign up", () => a.raw("POST", "/api/auth/sign-up/email", who));
    const { body } = await s.step("enable", () => a.raw("POST", "/api/auth/two-factor/enable", { password: who.password }));
    await s.step("verify", () => a.raw("POST", "/api/auth/two-factor/verify-totp", { code: totp(new URL(body.totpURI).searchParams.get("secret")) }));
    const b = s.client();
    const r = await s.step("sign in", () => b.raw("POST", "/api/auth/sign-in/email", who));
    s.note("nothing handed out yet", { token: r.headers.has("set-auth-token"), jwt: r.headers.has("set-auth-jwt"), body: "token" in r.body });
    await s.step("no token", () => b.raw("GET", "/api/auth/token"));
    const g = await s.step("no session", () => b.raw("GET", get));
    s.note("still nothing", { token: g.headers.has("set-auth-token"), jwt: g.headers.has("set-auth-jwt") });
  } },
];
for (const p of parts) { p.plugins ??= ["jwt"]; p.options ??= {}; }
export { parts };

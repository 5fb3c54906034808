// Keys that one server made sign on the other, and tokens of both verify with either's keys.
import { createPublicKey, verify } from "node:crypto";
export const plugins = ["jwt", "bearer"];
const who = { email: "jwt@example.com", password: "correct horse 1", name: "Jwt" };
const dec = (x) => JSON.parse(Buffer.from(x, "base64url"));
const fits = (token, jwks) => {
  const [h, p, sig] = token.split(".");
  const key = jwks.keys.find((k) => k.kid === dec(h).kid);
  return !!key && verify(null, Buffer.from(`${h}.${p}`), createPublicKey({ key, format: "jwk" }), Buffer.from(sig, "base64url"));
};
const use = (label) => async (s, m) => {
  await s.step(`${label}: session`, () => m.a.raw("GET", "/api/auth/get-session"));
  await s.step(`${label}: bearer`, () => s.client().http("GET", "/api/auth/get-session", { headers: { authorization: `Bearer ${m.signed}` } }));
  const { body } = await s.step(`${label}: token`, () => m.a.raw("GET", "/api/auth/token"));
  m.tokens.push(body.token);
  const jwks = (await s.step(`${label}: keys`, () => s.client().raw("GET", "/api/auth/jwks"))).body;
  s.note(`${label}: all tokens`, { valid: m.tokens.map((t) => fits(t, jwks)), kids: new Set(m.tokens.map((t) => dec(t.split(".")[0]).kid)).size, keys: jwks.keys.length });
};
export default [
  async (s, m) => {
    Object.assign(m, { a: s.client(), tokens: [] });
    m.signed = (await s.step("sign up", () => m.a.raw("POST", "/api/auth/sign-up/email", who))).headers.get("set-auth-token");
    await use("first")(s, m);
  },
  use("second"), use("third"),
];

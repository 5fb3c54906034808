// Updating the user, with fields of the application's own.
export const options = { cookieCache: true, additionalFields: { user: {
  nickname: { type: "string", required: false },
  plan: { type: "string", required: true },
  role: { type: "string", required: false, input: false, defaultValue: "member" },
  flag: { type: "string", required: false, input: false },
  hidden: { type: "string", required: false, returned: false, defaultValue: "secret" },
  score: { type: "number", required: false, defaultValue: 7 },
  active: { type: "boolean", required: false, defaultValue: true },
} } };
const path = "/api/auth/update-user";
export default async function (s) {
  const base = { email: "fields@example.com", password: "correct horse 1", name: "Fields" };
  const sign = (label, more) => s.step(label, () => s.client().raw("POST", "/api/auth/sign-up/email", { ...base, email: `${label.replaceAll(/[^a-z]/g, "-")}@example.com`, ...more }));
  await sign("required missing", {});
  await sign("required empty", { plan: "" });
  await sign("input false with default is overwritten", { plan: "free", role: "admin" });
  await sign("input false without default", { plan: "free", flag: "x" });
  await sign("input false without default but empty", { plan: "free", flag: "" });
  await sign("unknown and core fields are dropped", { plan: "free", nonsense: 1, emailVerified: true, id: "mine", createdAt: "2020-01-01T00:00:00.000Z", banned: true });
  await sign("everything given", { plan: "pro", nickname: "Nick", hidden: "mine", score: 12, active: false, image: "https://example.com/i.png" });
  await sign("null where optional", { plan: "pro", nickname: null, score: null, active: null });
  const a = s.client();
  await s.step("sign up", () => a.api.signUp.email({ ...base, plan: "free" }));
  const first = await s.step("session", () => a.api.getSession());
  s.note("what is not returned", { hidden: "hidden" in first.data.user });
  const post = (label, body) => s.step(label, () => a.raw("POST", path, body));
  await s.step("without a session", () => s.client().raw("POST", path, { name: "X" }));
  await post("no fields", {});
  await post("only unknown fields", { nonsense: 1, emailVerified: true });
  await post("an id is not a field", { id: "mine" });
  await post("an array", []);
  await post("a string", '"text"');
  await post("null", "null");
  await s.step("no body at all", () => a.raw("POST", path));
  await post("email", { email: "x@example.com" });
  await post("empty email", { email: "" });
  await post("null email", { email: null, name: "Fields" });
  await post("role", { role: "admin" });
  await post("empty role", { role: "" });
  await post("null role and a name", { role: null, name: "Fields" });
  await post("flag", { flag: "x" });
  await post("name", { name: "Fields II" });
  await post("empty name", { name: "" });
  await post("own fields", { nickname: "Nick", score: 8, active: false, plan: "pro", hidden: "other" });
  await s.step("session from the cache", () => a.api.getSession());
  const fresh = await s.step("session from the database", () => a.api.getSession({ query: { disableCookieCache: true } }));
  s.note("still not returned", { hidden: "hidden" in fresh.data.user });
  await post("image", { image: "https://example.com/i.png" });
  await post("image null", { image: null });
  await post("nickname null", { nickname: null });
  await post("long name", { name: "n".repeat(3000) });
  await post("unicode name", { name: "Ünï 😀 日本" });
  await s.step("session at the end", () => a.api.getSession());
  await s.step("foreign callback", () => a.raw("POST", path, { name: "X", callbackURL: "https://evil.example/" }));
}

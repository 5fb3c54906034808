// Where a redirect may go: one corpus at every endpoint that takes a URL.
const corpus = [
  "/", "/app", "/app?x=1#y", "/a/b/../c", "/a//b", "/a b", "/a%20b", "/%2e%2e/x", "/a;b", "/a@b", "/:80", "/?next=https://evil.example", "/#//evil.example",
  "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\\/evil.example", "/%2fevil.example", "/%2Fevil.example", "/%5cevil.example", "/a%2fb", "/a?x=%2f%5c", "/a\\b", "/a?x=\\", "/\tevil", "/\nevil", "/\u0085", "/\u007f", "\t/app", " /app",
  "app", "./app", "../app", "?x", "#x", "", "<base>", "<base>/", "<base>/app?x=1", "<base>.evil.example", "<base>@evil.example", "http://localhost", "https://evil.example", "http:evil", "javascript:alert(1)", "data:text/html,x", "mailto:a@example.com", "http://[", "%2f%2fevil.example",
];
const json = { "content-type": "application/json" };
const long = `/${"a".repeat(3000)}`;
export default async function (s) {
  const c = s.client();
  await s.step("sign up", () => c.api.signUp.email({ email: "cb@example.com", password: "correct horse 1", name: "Cb" }));
  const at = (u) => u.replace("<base>", s.server.base);
  const posts = {
    "/sign-in/email": "callbackURL", "/sign-up/email": "callbackURL", "/send-verification-email": "callbackURL", "/change-email": "callbackURL", "/delete-user": "callbackURL",
    "/request-password-reset": "redirectTo", "/update-user": "callbackURL", "/sign-out": "callbackURL", "/reset-password": "callbackURL",
  };
  for (const [path, field] of Object.entries(posts)) for (const u of path === "/sign-in/email" || path === "/request-password-reset" ? [...corpus, long] : corpus.filter((_, i) => i % 4 === 0))
    await s.step(`${path} ${field} ${JSON.stringify(u).slice(0, 40)}`, () => s.client().http("POST", `/api/auth${path}`, { headers: json, body: { [field]: at(u) } }));
  for (const field of ["errorCallbackURL", "newUserCallbackURL", "redirectTo"]) for (const u of ["/x", "https://evil.example", 5])
    await s.step(`sign in, ${field} ${u}`, () => s.client().http("POST", "/api/auth/sign-in/email", { headers: json, body: { [field]: u } }));
  for (const u of ["/x", "https://evil.example", "//evil.example"]) {
    await s.step(`in the query of a post: ${u}`, () => s.client().http("POST", `/api/auth/sign-in/email?callbackURL=${encodeURIComponent(u)}`, { headers: json, body: {} }));
    await s.step(`body before query: ${u}`, () => s.client().http("POST", `/api/auth/sign-in/email?callbackURL=${encodeURIComponent(u)}`, { headers: json, body: { callbackURL: "/y" } }));
  }
  for (const path of ["/verify-email?token=nonsense", "/reset-password/nonsense?", "/delete-user/callback?token=nonsense"]) for (const u of corpus) {
    if (/[^\x20-\x7e]/.test(u)) continue;
    await s.step(`${path} ${JSON.stringify(u).slice(0, 40)}`, () => s.client().http("GET", `/api/auth${path}&callbackURL=${encodeURIComponent(at(u))}`));
  }
  await s.step("a real sign-in goes there", () => s.client().api.signIn.email({ email: "cb@example.com", password: "correct horse 1", callbackURL: "/app?x=1#y" }));
}

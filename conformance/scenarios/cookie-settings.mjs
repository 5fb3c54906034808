// Prefix, Secure, Domain: names and attributes of every cookie in every setting.
const who = { email: "set@example.com", password: "correct horse 1", name: "Set" };
const settings = {
  "prefix": { cookiePrefix: "my-app" },
  "prefix with a dot": { cookiePrefix: "a.b" },
  "secure": { useSecureCookies: true },
  "secure off": { useSecureCookies: false },
  "domain": { crossSubDomainCookies: { domain: "example.com" } },
  "domain with a dot": { crossSubDomainCookies: { domain: ".example.com" } },
  "domain of the base URL": { crossSubDomainCookies: true },
  "all": { cookiePrefix: "all", useSecureCookies: true, crossSubDomainCookies: { domain: "auth.example.com" } },
};
export const parts = Object.entries(settings).map(([name, o]) => ({ name, options: { ...o, cookieCache: true, sessionExpiresIn: 12345 }, run: async (s) => {
  const c = s.client();
  await s.step("sign up", () => c.api.signUp.email(who));
  s.note("names", { names: [...c.jar.keys()].sort() });
  await s.step("session", () => c.api.getSession());
  await s.step("from the database", () => c.api.getSession({ query: { disableCookieCache: true } }));
  await s.step("update", () => c.api.updateUser({ name: "Set II" }));
  await s.step("sign in, not remembered", () => c.api.signIn.email({ ...who, rememberMe: false }));
  const plain = s.client();
  for (const [k, v] of c.jar) plain.jar.set(k.replace(/^__Secure-/, ""), v);
  await s.step("without the secure name", () => plain.raw("GET", "/api/auth/get-session"));
  const other = s.client();
  for (const [k, v] of c.jar) other.jar.set(k.replace(/^(__Secure-)?.*\./, "$1better-auth."), v);
  await s.step("under the default prefix", () => other.raw("GET", "/api/auth/get-session"));
  const prefixed = s.client();
  for (const [k, v] of c.jar) prefixed.jar.set(`__Secure-${k.replace(/^__Secure-/, "")}`, v);
  await s.step("with the secure name", () => prefixed.raw("GET", "/api/auth/get-session"));
  await s.step("sign out", () => c.api.signOut());
} }));

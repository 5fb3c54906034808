// Which paths and methods there are, and what everything else answers.
const who = { email: "route@example.com", password: "correct horse 1", name: "Route" };
const odd = ["", "/", "//", "/nonsense", "/ok/", "/ok//", "//ok", "/ok/x", "/OK", "/Ok", "/%6fk", "/ok%2F", "/ok%20", "/ok;x=1", "/../ok", "/ok?x=1", "/ok?", "/sign-in", "/sign-in/", "/sign-in/email/", "/sign-in//email", "/sign-in/Email", "/sign-in%2Femail",
  "/get-session/", "/get%2Dsession", "/reset-password/a/b", "/reset-password/a/", "/delete-user/", "/delete-user/callback/", "/set-password", "/create-user", "/callback", "/error/", "/list-sessions?", "/*", "/**", "/:token"];
export const parts = [
  { name: "default", options: { disabledPaths: ["/verify-password", "/list-sessions"] }, run: async (s) => {
    const c = s.client();
    for (const p of odd) await s.step(`GET ${p}`, () => c.http("GET", `/api/auth${p}`));
    for (const p of ["/", "/api", "/api/", "/api/authx/ok", "/API/AUTH/ok", "/api/auth2", "/ok", "/auth/ok", "//api/auth/ok", "/api//auth/ok", "/api/auth//ok", "/x/api/auth/ok", "/api/auth/api/auth/ok", "/api%2Fauth/ok"]) await s.step(`GET from the root ${p}`, () => c.http("GET", p));
    for (const p of ["/ok", "/get-session", "/sign-in/email", "/sign-out", "/verify-email", "/error", "/list-accounts", "/reset-password/x", "/nonsense"])
      for (const m of ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "POST"].filter((m) => !(m === "POST" && ["/sign-in/email", "/sign-out", "/get-session"].includes(p)))) await s.step(`${m} ${p}`, () => c.http(m, `/api/auth${p}`, { headers: { origin: s.server.base } }));
    for (const p of ["/sign-up/email", "/sign-in/email", "/sign-out", "/change-password", "/change-email", "/update-user", "/update-session", "/delete-user", "/request-password-reset", "/reset-password", "/revoke-session", "/revoke-sessions", "/revoke-other-sessions", "/send-verification-email", "/unlink-account"])
      await s.step(`GET ${p}`, () => c.http("GET", `/api/auth${p}`));
    await s.step("preflight", () => c.http("OPTIONS", "/api/auth/sign-in/email", { headers: { origin: "https://app.example", "access-control-request-method": "POST", "access-control-request-headers": "content-type" } }));
    await s.step("sign up", () => c.api.signUp.email(who));
    await s.step("disabled, post", () => c.raw("POST", "/api/auth/verify-password", { password: who.password }));
    await s.step("disabled, get", () => c.raw("GET", "/api/auth/list-sessions"));
    await s.step("disabled, any method", () => c.raw("PUT", "/api/auth/list-sessions", {}));
    await s.step("disabled, slash at the end", () => c.raw("GET", "/api/auth/list-sessions/"));
    await s.step("disabled, another case", () => c.raw("GET", "/api/auth/List-Sessions"));
    await s.step("query is no trouble", () => c.raw("GET", "/api/auth/list-accounts?x=1&x=2&y[]=3&%zz=%"));
  } },
  { name: "another base path", options: { basePath: "/auth/v1" }, run: async (s) => {
    const c = s.client();
    await s.step("ok", () => c.http("GET", "/auth/v1/ok"));
    await s.step("not at the default", () => c.http("GET", "/api/auth/ok"));
    await s.step("not at a part of it", () => c.http("GET", "/auth/ok"));
    await s.step("not at a longer one", () => c.http("GET", "/auth/v1x/ok"));
    await s.step("sign up", () => c.api.signUp.email(who));
    await s.step("session", () => c.api.getSession());
    await s.step("reset", () => c.api.requestPasswordReset({ email: who.email, redirectTo: "/reset" }));
    const m = await s.mail(who.email, "reset-password");
    s.note("link", { url: m.url });
    await s.step("open", () => c.raw("GET", s.path(m.url)));
    await s.step("error page by redirect", () => c.raw("GET", "/auth/v1/reset-password/nonsense?callbackURL="));
    await s.step("verification", () => c.api.sendVerificationEmail({ email: who.email }));
    s.note("verification link", { url: (await s.mail(who.email, "verify-email")).url });
  } },
  { name: "at the root", options: { basePath: "/" }, run: async (s) => {
    const c = s.client();
    await s.step("ok", () => c.http("GET", "/ok"));
    await s.step("sign up", () => c.raw("POST", "/sign-up/email", who));
    await s.step("session", () => c.raw("GET", "/get-session"));
    await s.step("reset", () => c.raw("POST", "/request-password-reset", { email: who.email, redirectTo: "/reset" }));
    s.note("link", { url: (await s.mail(who.email, "reset-password")).url });
  } },
  { name: "slashes at the end", options: { skipTrailingSlashes: true }, run: async (s) => {
    const c = s.client();
    for (const p of ["/ok/", "/ok//", "/get-session/", "/", ""]) await s.step(`GET ${p}`, () => c.http("GET", `/api/auth${p}`));
    await s.step("POST /sign-up/email/", () => c.raw("POST", "/api/auth/sign-up/email/", who));
  } },
];

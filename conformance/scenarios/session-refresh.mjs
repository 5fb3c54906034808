// How long a session lives, when it is refreshed, and when it counts as fresh.
const who = { email: "life@example.com", password: "correct horse 1", name: "Life" };
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
/** Seconds from the last refresh to the end of the session, to the next ten. */
const noteLife = (s, label, { data: { session } }) => s.note(label, { tens: Math.round((new Date(session.expiresAt) - new Date(session.updatedAt)) / 10000) });
const get = "/api/auth/get-session";
export const parts = [
  { name: "remembered or not", options: {}, run: async (s) => {
    const a = s.client(), b = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    noteLife(s, "seven days", await s.step("session", () => a.api.getSession()));
    await s.step("sign in, not remembered", () => b.api.signIn.email({ ...who, rememberMe: false }));
    noteLife(s, "one day", await s.step("session, not remembered", () => b.api.getSession()));
    const cookie = b.jar.get("better-auth.dont_remember");
    b.jar.set("better-auth.dont_remember", cookie.slice(0, -8) + "AAAAA%3D");
    noteLife(s, "without a valid reminder it is refreshed to seven", await s.step("reminder tampered with", () => b.api.getSession()));
    b.jar.set("better-auth.dont_remember", cookie);
    await s.step("update keeps it so", () => b.raw("POST", "/api/auth/update-user", { name: "Life II" }));
    await s.step("sign in, remembered again", () => b.api.signIn.email(who));
    s.note("no reminder left", { dontRemember: b.jar.has("better-auth.dont_remember") });
    await s.step("sign in, remember as text", () => b.raw("POST", "/api/auth/sign-in/email", { ...who, rememberMe: "false" }));
    await s.step("sign in, remember null", () => b.raw("POST", "/api/auth/sign-in/email", { ...who, rememberMe: null }));
    await s.step("sign in, remember true", () => b.raw("POST", "/api/auth/sign-in/email", { ...who, rememberMe: true }));
    await s.step("sign up, not remembered", () => s.client().api.signUp.email({ ...who, email: "life2@example.com", rememberMe: false }));
    await s.step("sign in, not remembered, then out", () => b.api.signIn.email({ ...who, rememberMe: false }));
    await s.step("out", () => b.api.signOut());
  } },
  { name: "refresh at once", options: { sessionExpiresIn: 1000, sessionUpdateAge: 0 }, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    await s.step("refreshed", () => a.api.getSession());
    await s.step("not with disableRefresh", () => a.api.getSession({ query: { disableRefresh: true } }));
    await s.step("disableRefresh=false as text", () => a.raw("GET", `${get}?disableRefresh=false`));
    await s.step("disableRefresh empty", () => a.raw("GET", `${get}?disableRefresh=`));
    await s.step("disableRefresh=1", () => a.raw("GET", `${get}?disableRefresh=1`));
    await s.step("disableRefresh=TRUE", () => a.raw("GET", `${get}?disableRefresh=TRUE`));
    await s.step("disableRefresh twice", () => a.raw("GET", `${get}?disableRefresh=true&disableRefresh=true`));
    await s.step("also by another endpoint", () => a.api.listAccounts());
    await s.step("also by a failing one", () => a.raw("POST", "/api/auth/update-user", {}));
    await s.step("sign in, not remembered", () => a.api.signIn.email({ ...who, rememberMe: false }));
    await s.step("never refreshed", () => a.api.getSession());
  } },
  { name: "refresh after three seconds", options: { sessionExpiresIn: 100, sessionUpdateAge: 3 }, run: async (s) => {
    const a = s.client();
    const one = await s.within(3000, async () => {
      await s.step("sign up", () => a.api.signUp.email(who));
      return (await s.step("too early", () => a.api.getSession())).data.session;
    });
    await sleep(3200);
    let two;
    await s.within(3000, async () => {
      two = (await s.step("now", () => a.api.getSession())).data.session;
      await s.step("too early again", () => a.api.getSession());
    });
    s.note("moved", { token: one.token === two.token, expires: two.expiresAt > one.expiresAt, updated: two.updatedAt > one.updatedAt, created: +new Date(one.createdAt) === +new Date(two.createdAt) });
  } },
  { name: "refresh disabled", options: { sessionExpiresIn: 1000, sessionUpdateAge: 0, disableSessionRefresh: true }, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    await s.step("not refreshed", () => a.api.getSession());
  } },
  { name: "deferred", options: { sessionExpiresIn: 1000, sessionUpdateAge: 0, deferSessionRefresh: true, cookieCache: true }, run: async (s) => {
    const a = s.client();
    await s.step("get without a session", () => a.raw("GET", get));
    await s.step("post without a session", () => a.raw("POST", get));
    await s.step("sign up", () => a.api.signUp.email(who));
    await s.step("get, from the cache", () => a.raw("GET", get));
    await s.step("get, from the database", () => a.raw("GET", `${get}?disableCookieCache=true`));
    await s.step("get without refresh", () => a.raw("GET", `${get}?disableCookieCache=true&disableRefresh=true`));
    await s.step("post, from the cache", () => a.raw("POST", get));
    await s.step("post, from the database", () => a.raw("POST", `${get}?disableCookieCache=true`));
    await s.step("post with a body", () => a.raw("POST", get, { a: 1 }));
    await s.step("another endpoint does not refresh", () => a.raw("POST", "/api/auth/revoke-other-sessions", {}));
  } },
  { name: "deferred, nothing due", options: { deferSessionRefresh: true }, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    await s.step("get", () => a.raw("GET", get));
    await s.step("post", () => a.raw("POST", get));
    await s.step("not remembered", () => a.api.signIn.email({ ...who, rememberMe: false }));
    await s.step("get, not remembered", () => a.raw("GET", get));
  } },
  { name: "not deferred", options: {}, run: async (s) => {
    const a = s.client();
    await s.step("post without a session", () => a.raw("POST", get));
    await s.step("sign up", () => a.api.signUp.email(who));
    await s.step("post", () => a.raw("POST", get));
    await s.step("post with a body", () => a.raw("POST", get, { a: 1 }));
    await s.step("post with text", () => a.raw("POST", get, "text", { "content-type": "text/plain" }));
  } },
  { name: "expired", options: { sessionExpiresIn: 1, cookieCache: true, sessionUpdateAge: 1 }, run: async (s) => {
    const a = s.client(), b = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    for (const [k, v] of a.jar) b.jar.set(k, v);
    await sleep(1300);
    await s.step("other endpoint", () => b.api.listAccounts());
    await s.step("session", () => a.api.getSession());
    await s.step("and once more", () => a.api.getSession());
  } },
  { name: "expired, deferred", options: { sessionExpiresIn: 1, sessionUpdateAge: 1, deferSessionRefresh: true }, run: async (s) => {
    const a = s.client(), b = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    for (const [k, v] of a.jar) b.jar.set(k, v);
    await sleep(1300);
    await s.step("get", () => a.raw("GET", get));
    await s.step("post", () => b.raw("POST", get));
  } },
  { name: "always fresh", options: { freshAge: 0 }, run: async (s) => {
    const a = s.client();
    await s.step("sign up", () => a.api.signUp.email(who));
    await s.step("list", () => a.api.listSessions());
    await s.step("delete without a password", () => a.api.deleteUser());
  } },
];

// Rate limits: which path counts how, the answer, the window, addresses.
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const get = "/api/auth/get-session";
/** Repeats a request and notes the statuses: all within one window, of so many seconds. */
const times = (s, window, label, n, send) => s.within(window * 1000, async () => {
  let last;
  for (let i = 1; i <= n; i++) last = await s.step(`${label} ${i}`, send);
  return last;
});
const retry = (s, label, r, max) => { const n = Number(r.headers.get("x-retry-after")); s.note(label, { within: n > 0 && n <= max, integer: Number.isInteger(n) }); };
export const parts = [
  { name: "built-in rules", options: { rateLimit: true }, run: async (s) => {
    const c = s.client();
    const bad = { email: "nobody@example.com", password: "x".repeat(200) };
    retry(s, "sign-in window", await times(s, 10, "sign in", 5, () => c.raw("POST", "/api/auth/sign-in/email", bad)), 10);
    await s.step("a foreign address counts apart", () => c.raw("POST", "/api/auth/sign-in/email", bad, { "x-forwarded-for": "203.0.113.9" }));
    await times(s, 10, "sign up has its own", 4, () => c.raw("POST", "/api/auth/sign-up/email", {}));
    await times(s, 10, "change password", 4, () => c.raw("POST", "/api/auth/change-password", {}));
    await times(s, 10, "change email", 4, () => c.raw("POST", "/api/auth/change-email", {}));
    retry(s, "reset window", await times(s, 60, "request a reset", 4, () => c.raw("POST", "/api/auth/request-password-reset", {})), 60);
    await times(s, 60, "send verification", 4, () => c.raw("POST", "/api/auth/send-verification-email", {}));
    await times(s, 10, "reset password is not special", 5, () => c.raw("POST", "/api/auth/reset-password", {}));
    await s.step("ok is not held up", () => c.raw("GET", "/api/auth/ok"));
  } },
  { name: "window and maximum", options: { rateLimit: { window: 4, max: 3 } }, run: async (s) => {
    const c = s.client();
    await s.within(4000, async () => {
      retry(s, "window", await times(s, 4, "session", 5, () => c.raw("GET", get)), 4);
      await s.step("another path", () => c.raw("GET", "/api/auth/ok"));
      await s.step("query does not matter", () => c.raw("GET", `${get}?x=1`));
    });
    await s.step("another address", () => c.raw("GET", get, undefined, { "x-forwarded-for": "203.0.113.1" }));
    await times(s, 4, "one address", 4, () => c.raw("GET", get, undefined, { "x-forwarded-for": "203.0.113.2" }));
    await times(s, 4, "two addresses are none", 1, () => c.raw("GET", get, undefined, { "x-forwarded-for": "203.0.113.3, 203.0.113.4" }));
    await times(s, 4, "IPv6 of one /64", 4, ((n) => () => c.raw("GET", get, undefined, { "x-forwarded-for": `2001:db8::${++n}` }))(0));
    await s.step("IPv6 of another /64", () => c.raw("GET", get, undefined, { "x-forwarded-for": "2001:db8:0:1::1" }));
    await sleep(4300);
    await times(s, 4, "after the window", 2, () => c.raw("GET", get));
  } },
  { name: "own rules", options: { rateLimit: { window: 10, max: 100, customRules: { "/get-session": { window: 10, max: 2 }, "/sign-in/email": false, "/list-*": { window: 10, max: 1 }, "/sign-up/*": { window: 10, max: 1 } } } }, run: async (s) => {
    const c = s.client();
    await times(s, 10, "exact", 3, () => c.raw("GET", get));
    await times(s, 10, "switched off", 5, () => c.raw("POST", "/api/auth/sign-in/email", {}));
    await times(s, 10, "wildcard", 2, () => c.raw("GET", "/api/auth/list-sessions"));
    await times(s, 10, "wildcard, another path", 2, () => c.raw("GET", "/api/auth/list-accounts"));
    await times(s, 10, "wildcard over a special rule", 2, () => c.raw("POST", "/api/auth/sign-up/email", {}));
    await times(s, 10, "special rule stays", 4, () => c.raw("POST", "/api/auth/change-email", {}));
  } },
  { name: "off", options: {}, run: async (s) => {
    await times(s, 10, "sign in", 6, () => s.client().raw("POST", "/api/auth/sign-in/email", {}));
  } },
];

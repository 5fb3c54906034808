// The origin check: every combination of headers, with and without a cookie, at a login and elsewhere.
const who = { email: "origin@example.com", password: "correct horse 1", name: "Origin" };
const json = { "content-type": "application/json" };
export const parts = [
  { name: "default", options: {}, run: async (s) => {
    const c = s.client();
    await s.step("sign up", () => c.api.signUp.email(who));
    const cookie = [...c.jar].map(([k, v]) => `${k}=${v}`).join("; ");
    const own = s.server.base, port = new URL(own).port;
    const headers = {
      "nothing": {},
      "own origin": { origin: own },
      "own origin, slash": { origin: `${own}/` },
      "own origin with a path": { origin: `${own}/evil` },
      "own origin in capitals": { origin: own.toUpperCase() },
      "own host, https": { origin: own.replace("http:", "https:") },
      "own host, no port": { origin: "http://localhost" },
      "own host, other port": { origin: `http://localhost:${+port === 65535 ? 1 : +port + 1}` },
      "own address": { origin: `http://127.0.0.1:${port}` },
      "own host as a prefix": { origin: `${own}.evil.example` },
      "own host as user info": { origin: `http://localhost:${port}@evil.example` },
      "sub-domain": { origin: `http://app.localhost:${port}` },
      "foreign origin": { origin: "https://evil.example" },
      "null origin": { origin: "null" },
      "empty origin": { origin: "" },
      "space for an origin": { origin: " " },
      "nonsense origin": { origin: "nonsense" },
      "path for an origin": { origin: "/" },
      "file origin": { origin: "file://" },
      "extension origin": { origin: "chrome-extension://abcdef" },
      "two origins": { origin: `${own}, https://evil.example` },
      "two origins by a space": { origin: `${own} https://evil.example` },
      "own referer": { referer: `${own}/page?x=1` },
      "foreign referer": { referer: "https://evil.example/page" },
      "referer with ours in its path": { referer: `https://evil.example/${own}` },
      "empty referer": { referer: "" },
      "nonsense referer": { referer: "nonsense" },
      "own origin, foreign referer": { origin: own, referer: "https://evil.example/" },
      "foreign origin, own referer": { origin: "https://evil.example", referer: `${own}/` },
      "null origin, own referer": { origin: "null", referer: `${own}/` },
      "empty origin, own referer": { origin: "", referer: `${own}/` },
      "null origin, same-origin": { origin: "null", "sec-fetch-site": "same-origin" },
      "null origin, same-site": { origin: "null", "sec-fetch-site": "same-site" },
      "null origin, cross-site": { origin: "null", "sec-fetch-site": "cross-site" },
      "fetch: same-origin": { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
      "fetch: same-origin, own origin": { origin: own, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" },
      "fetch: none": { "sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
      "fetch: cross-site": { "sec-fetch-site": "cross-site" },
      "fetch: cross-site cors": { "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors" },
      "fetch: cross-site cors, own origin": { origin: own, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors" },
      "fetch: cross-site navigate": { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
      "fetch: cross-site navigate, own origin": { origin: own, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
      "fetch: cross-site navigate in capitals": { origin: own, "sec-fetch-site": "Cross-Site", "sec-fetch-mode": "Navigate" },
      "fetch: mode alone": { "sec-fetch-mode": "cors" },
      "fetch: mode alone, own origin": { origin: own, "sec-fetch-mode": "cors" },
      "fetch: dest alone": { "sec-fetch-dest": "empty" },
      "fetch: empty headers": { "sec-fetch-site": "", "sec-fetch-mode": " ", "sec-fetch-dest": "" },
      "fetch: foreign origin": { origin: "https://evil.example", "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" },
      "host of another": { host: "evil.example", origin: "http://evil.example" },
      "forwarded host": { "x-forwarded-host": "evil.example", "x-forwarded-proto": "http", origin: "http://evil.example" },
    };
    const kinds = {
      "sign in": ["POST", "/sign-in/email", { email: who.email, password: "x".repeat(200) }],
      "reset request": ["POST", "/request-password-reset", { email: "nobody@example.com" }],
      "update user": ["POST", "/update-user", {}],
      "sign out": ["POST", "/sign-out", {}],
      "session": ["GET", "/get-session", undefined],
    };
    for (const [kind, [method, path, body]] of Object.entries(kinds)) for (const withCookie of [false, true]) {
      if (kind === "sign out" && withCookie) continue;
      for (const [label, h] of Object.entries(headers)) {
        if (kind === "session" && !/foreign|null|cross-site/.test(label)) continue;
        await s.step(`${kind}, ${withCookie ? "cookie" : "no cookie"}, ${label}`, () => s.client().http(method, `/api/auth${path}`, { headers: { ...(body && json), ...(withCookie && { cookie }), ...h }, body }));
      }
    }
    await s.step("a cookie of somebody else's is a cookie", () => s.client().http("POST", "/api/auth/request-password-reset", { headers: { ...json, cookie: "theme=dark", origin: "https://evil.example" }, body: { email: "nobody@example.com" } }));
    await s.step("before validation", () => s.client().http("POST", "/api/auth/update-user", { headers: { ...json, cookie, origin: "https://evil.example" }, body: "[]" }));
    await s.step("after syntax", () => s.client().http("POST", "/api/auth/update-user", { headers: { ...json, cookie, origin: "https://evil.example" }, body: "{" }));
    await s.step("not before the path", () => s.client().http("POST", "/api/auth/nonsense", { headers: { ...json, cookie, origin: "https://evil.example" }, body: {} }));
    await s.step("foreign origin and callback", () => s.client().http("POST", "/api/auth/update-user", { headers: { ...json, cookie, origin: "https://evil.example" }, body: { callbackURL: "https://evil.example" } }));
    await s.step("still in", () => c.api.getSession());
  } },
];

// Longer stories than one endpoint's: who is told what after everything that went before.
import { freshCode, wrongCode } from "../harness.mjs";
const api = "/api/auth";
const W = (n) => ({ email: `${n}@example.com`, password: "correct horse 1", name: n });
export const parts = [
 { name: "sessions", plugins: [], options: {}, run: async (s) => {
   const cs = ["A/1", "B/2", ""].map((ua) => s.client({ headers: ua ? { "user-agent": ua } : {} }));
   await s.step("up", () => cs[0].raw("POST", `${api}/sign-up/email`, W("se")));
   for (const c of cs) await s.step("in", () => c.raw("POST", `${api}/sign-in/email`, { ...W("se"), rememberMe: c !== cs[1] }));
   const l = (await s.step("list", () => cs[0].raw("GET", `${api}/list-sessions`))).body;
   s.note("life", l.map((x) => [x.userAgent, Math.round((new Date(x.expiresAt) - new Date(x.createdAt)) / 1000)]));
   await s.step("revoke by cookie value", () => cs[0].raw("POST", `${api}/revoke-session`, { token: decodeURIComponent(cs[1].jar.get("better-auth.session_token")) }));
   await s.step("revoke by id", () => cs[0].raw("POST", `${api}/revoke-session`, { token: l[1].id }));
   await s.step("revoke own", () => cs[0].raw("POST", `${api}/revoke-session`, { token: l[0].token }));
   await s.step("after", () => cs[0].raw("GET", `${api}/get-session`));
   await s.step("revoke others", () => cs[1].raw("POST", `${api}/revoke-other-sessions`));
   await s.step("list", () => cs[1].raw("GET", `${api}/list-sessions`));
   for (const c of cs) await s.step("each", () => c.raw("GET", `${api}/get-session`));
   await s.step("revoke all", () => cs[1].raw("POST", `${api}/revoke-sessions`));
   for (const c of cs) await s.step("each", () => c.raw("GET", `${api}/get-session`));
   await s.step("out without", () => cs[1].raw("POST", `${api}/sign-out`));
 } },
 { name: "two-factor ua", plugins: ["two-factor"], options: {}, run: async (s) => {
   const a = s.client({ headers: { "user-agent": "Old/1" } });
   await s.step("up", () => a.raw("POST", `${api}/sign-up/email`, W("ua")));
   const d = (await s.step("enable", () => a.raw("POST", `${api}/two-factor/enable`, { password: "correct horse 1" }))).body;
   const secret = new URL(d.totpURI).searchParams.get("secret");
   await s.step("confirm", async () => a.raw("POST", `${api}/two-factor/verify-totp`, { code: await freshCode(secret) }, { "user-agent": "New/2" }));
   const l = (await s.step("list", () => a.raw("GET", `${api}/list-sessions`))).body;
   s.note("ua", l.map((x) => x.userAgent));
   await s.step("change pw", () => a.raw("POST", `${api}/change-password`, { currentPassword: "correct horse 1", newPassword: "correct horse 2", revokeOtherSessions: true }, { "user-agent": "New/3" }));
   s.note("ua", (await s.step("list", () => a.raw("GET", `${api}/list-sessions`))).body.map((x) => x.userAgent));
   await s.step("disable", () => a.raw("POST", `${api}/two-factor/disable`, { password: "correct horse 2" }, { "user-agent": "New/4" }));
   s.note("ua", (await s.step("list", () => a.raw("GET", `${api}/list-sessions`))).body.map((x) => x.userAgent));
 } },
 { name: "two-factor long", plugins: ["two-factor"], options: {}, run: async (s) => {
   const a = s.client();
   await s.step("up", () => a.raw("POST", `${api}/sign-up/email`, W("lo")));
   const d = (await s.step("enable", () => a.raw("POST", `${api}/two-factor/enable`, { password: "correct horse 1" }))).body;
   const secret = new URL(d.totpURI).searchParams.get("secret");
   await s.step("confirm", async () => a.raw("POST", `${api}/two-factor/verify-totp`, { code: await freshCode(secret) }));
   for (const kind of ["verify-totp", "verify-backup-code", "verify-otp"]) {
     const c = s.client();
     await s.step(`${kind} in`, () => c.raw("POST", `${api}/sign-in/email`, W("lo")));
     if (kind === "verify-otp") await s.step("send", () => c.raw("POST", `${api}/two-factor/send-otp`));
     for (let i = 0; i < 7; i++) await s.step(`${kind} ${i}`, () => c.raw("POST", `${api}/two-factor/${kind}`, { code: { "verify-totp": wrongCode(secret), "verify-backup-code": "aaaaa-aaaaa", "verify-otp": "000000" }[kind] }));
     if (kind === "verify-otp") { await s.step("send again", () => c.raw("POST", `${api}/two-factor/send-otp`)); }
   }
   const c = s.client();
   await s.step("locked in", () => c.raw("POST", `${api}/sign-in/email`, W("lo")));
   for (let i = 0; i < 2; i++) await s.step(`locked ${i}`, () => c.raw("POST", `${api}/two-factor/verify-totp`, { code: wrongCode(secret) }));
   await s.step("locked backup", () => c.raw("POST", `${api}/two-factor/verify-backup-code`, { code: d.backupCodes[0] }));
   await s.step("locked send", () => c.raw("POST", `${api}/two-factor/send-otp`));
   const m = await s.mail("lo@example.com", "two-factor-otp");
   await s.step("locked otp", () => c.raw("POST", `${api}/two-factor/verify-otp`, { code: m.otp }));
   await s.step("in session", async () => a.raw("POST", `${api}/two-factor/verify-totp`, { code: await freshCode(secret) }));
   await s.step("re-enable", () => a.raw("POST", `${api}/two-factor/enable`, { password: "correct horse 1" }));
   await s.step("session", () => a.raw("GET", `${api}/get-session`));
   await s.step("sign in after", () => s.client().raw("POST", `${api}/sign-in/email`, W("lo")));
 } },
 { name: "magic", plugins: ["magic-link", "two-factor", "jwt", "bearer"], options: {}, run: async (s) => {
   const a = s.client();
   const ask = async (label, body) => { await s.step(label, () => a.raw("POST", `${api}/sign-in/magic-link`, body)); };
   const take = async (to) => { const m = await s.mail(to, "magic-link"); s.note("url", m.url.replace(m.token, "T").replace(s.server.base, "")); return s.path(m.url); };
   await ask("new", { email: "Mag@Example.com", name: "M", callbackURL: "/in?a=1#f", newUserCallbackURL: "/new?b=2", errorCallbackURL: "/err?c=3" });
   let p = await take("mag@example.com").catch(() => take("Mag@Example.com"));
   await s.step("follow", () => a.raw("GET", p)); await s.step("again", () => a.raw("GET", p)); await s.step("session", () => a.raw("GET", `${api}/get-session`));
   await ask("old", { email: "mag@example.com", callbackURL: s.server.base + "/in", newUserCallbackURL: "/new" }); p = await take("mag@example.com");
   await s.step("follow", () => a.raw("GET", p));
   await ask("three", { email: "mag@example.com" }); await ask("three", { email: "mag@example.com" }); p = await take("mag@example.com"); const q = await take("mag@example.com");
   await s.step("older", () => s.client().raw("GET", p)); await s.step("newer", () => s.client().raw("GET", q));
   await ask("tamper", { email: "mag@example.com" }); p = await take("mag@example.com");
   await s.step("evil callback", () => s.client().raw("GET", p.replace(/callbackURL=[^&]*/, "callbackURL=https://evil.example")));
   await s.step("evil error", () => s.client().raw("GET", p + "&errorCallbackURL=https://evil.example"));
   await s.step("evil new", () => s.client().raw("GET", p + "&newUserCallbackURL=//evil.example"));
   await s.step("no callback", () => s.client().raw("GET", p.replace(/&callbackURL=[^&]*/, "")));
   await s.step("post", () => s.client().raw("POST", p, {}));
   await s.step("no token", () => s.client().raw("GET", `${api}/magic-link/verify`)); await s.step("empty token", () => s.client().raw("GET", `${api}/magic-link/verify?token=&callbackURL=/x`)); await s.step("bad token", () => s.client().raw("GET", `${api}/magic-link/verify?token=x&callbackURL=/x%3Fq=1&errorCallbackURL=/e%3Fz=1`)); await s.step("two tokens", () => s.client().raw("GET", `${api}/magic-link/verify?token=x&token=y`));
   await s.step("set password needs one", () => a.raw("POST", `${api}/change-password`, { currentPassword: "x", newPassword: "correct horse 1" }));
   await s.step("reset for who has none", () => a.raw("POST", `${api}/request-password-reset`, { email: "mag@example.com", redirectTo: "/r" }));
   const r = await s.mail("mag@example.com", "reset-password");
   await s.step("reset", () => s.client().raw("POST", `${api}/reset-password`, { token: r.token, newPassword: "correct horse 5" }));
   await s.step("accounts", () => a.raw("GET", `${api}/list-accounts`));
   await s.step("in by it", () => s.client().raw("POST", `${api}/sign-in/email`, { email: "mag@example.com", password: "correct horse 5" }));
   await s.step("enable without password", () => a.raw("POST", `${api}/two-factor/enable`, {}));
 } },
];

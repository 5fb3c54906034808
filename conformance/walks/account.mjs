// Three users in four browsers: passwords, sessions, links by mail, changes of address, second factors, deletion.
import { totp, sleep } from "../harness.mjs";
import { given, parts as walk } from "../walk.mjs";

const base = "/api/auth";
/** How long a mail may take, in ms: whether one comes is compared. */
const patience = Number(process.env.PATIENCE ?? 700);

const setUp = (random) => {
  const some = (p, o) => (random.chance(p) ? o : {}), yes = () => random.chance(0.5);
  const additionalFields = {
    user: { nick: { type: "string", required: false }, level: { type: "number", required: false, defaultValue: 3, input: yes() } },
    session: { tag: { type: "string", required: false } },
  };
  return {
    plugins: ["magic-link", "jwt", ...(random.chance(0.6) ? ["two-factor"] : []), ...(random.chance(0.4) ? ["bearer"] : [])],
    options: {
      ...some(0.25, { requireEmailVerification: true }), ...some(0.3, { revokeSessionsOnPasswordReset: true }), ...some(0.2, { autoSignIn: false }),
      ...some(0.4, { sendOnSignUp: true }), ...some(0.2, { sendOnSignIn: true }), ...some(0.4, { autoSignInAfterVerification: true }),
      ...some(0.2, { updateEmailWithoutVerification: true }), ...some(0.3, { sendChangeEmailConfirmation: false }), ...some(0.3, { deleteUserByMail: true }),
      ...some(0.3, { cookieCache: { maxAge: 60, strategy: random.pick(["compact", "jwt", "jwe"]) } }), ...some(0.2, { deferSessionRefresh: true }),
      ...some(0.2, { sessionUpdateAge: 0 }), ...some(0.2, { freshAge: 0 }), ...some(0.2, { allowUnlinkingAll: true }),
      ...some(0.3, { twoFactor: { allowPasswordless: yes(), skipVerificationOnEnable: yes() } }), ...some(0.3, { magicLink: { disableSignUp: yes() } }), ...some(0.3, { additionalFields }),
    },
  };
};

async function start(s, random) {
  const pick = (...list) => random.pick(list);
  const users = [0, 1, 2].map((i) => ({ email: `user${i}@example.com`, password: `first password ${i}`, backupCodes: [] }));
  const browsers = [0, 1, 2, 3].map(() => ({ client: s.client(), user: null, sessions: [] }));
  let mails = [], n = 0;
  const call = (x, label, method, path, body) => s.step(`${++n} ${label}`, () => x.client.raw(method, base + path, given(body)));
  const outbox = async () => {
    await sleep(patience);
    const came = s.sink.messages.splice(0).sort((a, b) => (a.template + a.to < b.template + b.to ? -1 : 1));
    s.note(`${n} mails`, came.map((m) => `${m.template} to ${m.to}`));
    mails.push(...came.map((m) => ({ ...m, used: 0 })));
  };
  const anyone = () => random.pick(users), here = (x) => x.user ?? anyone();
  const latest = (template, times = 1) => mails.findLast((m) => m.template === template && m.used < times);
  // What voids a user's outstanding links in Sallyport and not in Better Auth: nobody follows them any more.
  const forget = (email) => { mails = mails.filter((m) => m.to !== email); };

  // What is sent: mostly what fits, at times anything.
  const odd = () => pick("x", "", null, 5, true, "a@b", {}, [], "Ünï", " y ");
  const callback = () => pick(undefined, undefined, undefined, "/app", "/app?x=1", "https://evil.example/", "", "app", "//evil");
  const passwordOf = (u) => pick(u.password, u.password, u.password, u.password, "wrong password", "short", "", odd());

  const plain = {
    signOut: (x) => call(x, "sign out", "POST", "/sign-out", pick(undefined, {})),
    session: (x) => call(x, "session", "GET", `/get-session${pick("", "", "", "?disableCookieCache=true", "?disableRefresh=true", "?disableCookieCache=x")}`),
    sessions: async (x) => { const { body } = await call(x, "sessions", "GET", "/list-sessions"); if (Array.isArray(body)) x.sessions = body; },
    revoke: (x) => call(x, "revoke", "POST", "/revoke-session", { token: pick(x.sessions[0]?.token, x.sessions.at(-1)?.token, random.pick(browsers).sessions[0]?.token, "nope", odd()) }),
    revokeOthers: (x) => call(x, "revoke others", "POST", "/revoke-other-sessions", {}),
    revokeAll: (x) => call(x, "revoke all", "POST", "/revoke-sessions", {}),
    updateUser: (x) => call(x, "update user", "POST", "/update-user", pick({ name: "New" }, { image: "pic" }, { image: null }, { nick: "q" }, { level: 7 }, { email: "z@example.com" }, { emailVerified: true }, {}, { id: "x" }, { name: "" }, { unknown: 1 }, { name: "A", image: "B" })),
    updateSession: (x) => call(x, "update session", "POST", "/update-session", pick({ tag: "t" }, {}, { userId: "x" }, { token: "t" }, { tag: "u", unknown: 2 })),
    changePassword: async (x) => {
      const u = here(x), next = pick(`next password ${n}`, `next password ${n}`, "short", odd());
      const { status } = await call(x, "change password", "POST", "/change-password", { currentPassword: passwordOf(u), newPassword: next, revokeOtherSessions: pick(undefined, true, false) });
      if (status === 200) { u.password = next; forget(u.email); }
    },
    verifyPassword: (x) => call(x, "verify password", "POST", "/verify-password", { password: passwordOf(here(x)) }),
    reset: async (x) => {
      const m = latest("reset-password", 2), next = pick(`reset password ${n}`, `reset password ${n}`, "short");
      if (m && random.chance(0.5)) await call(x, "reset link", "GET", s.path(m.url).slice(base.length));
      const { status } = await call(x, "reset", "POST", "/reset-password", { token: m?.token ?? "nope", newPassword: next });
      if (m) m.used++;
      if (status !== 200) return;
      for (const u of users) if (u.email === m.to) u.password = next;
      forget(m.to);
    },
    accounts: (x) => call(x, "accounts", "GET", "/list-accounts"),
    unlink: (x) => call(x, "unlink", "POST", "/unlink-account", { providerId: pick("credential", "github", odd()), accountId: pick(undefined, "x") }),
    token: (x) => call(x, "token", "GET", "/token"),
  };
  const mailing = {
    signUp: async (x) => {
      const u = anyone();
      const { status, body } = await call(x, "sign up", "POST", "/sign-up/email", { email: pick(u.email, u.email, u.email.toUpperCase(), "nonsense"), password: u.password, name: pick("N", "N", "", undefined), rememberMe: pick(undefined, true, false), callbackURL: callback(), image: pick(undefined, "i"), nick: pick(undefined, "n"), level: pick(undefined, 4) });
      if (status === 200 && body?.token) x.user = u;
    },
    signIn: async (x) => {
      const u = anyone();
      const { status } = await call(x, "sign in", "POST", "/sign-in/email", { email: pick(u.email, u.email, u.email, u.email.toUpperCase(), "nobody@example.com"), password: passwordOf(u), rememberMe: pick(undefined, undefined, true, false, "x"), callbackURL: callback() });
      if (status === 200) x.user = u;
    },
    forgot: (x) => call(x, "forgot", "POST", "/request-password-reset", { email: pick(anyone().email, "nobody@example.com", "nonsense"), redirectTo: callback() }),
    verification: (x) => call(x, "send verification", "POST", "/send-verification-email", { email: pick(anyone().email, x.user?.email, "nobody@example.com", odd()), callbackURL: callback() }),
    changeEmail: async (x) => {
      const u = here(x);
      await call(x, "change email", "POST", "/change-email", { newEmail: pick(`moved${n}@example.com`, `moved${n}@example.com`, anyone().email, "nonsense", odd()), callbackURL: callback() });
      forget(u.email);
    },
    magicLink: (x) => call(x, "magic link", "POST", "/sign-in/magic-link", { email: pick(anyone().email, anyone().email, `fresh${n}@example.com`, "nonsense"), name: pick(undefined, "M"), callbackURL: callback(), newUserCallbackURL: pick(undefined, "/new"), errorCallbackURL: pick(undefined, "/err") }),
    follow: async (x) => {
      const m = random.pick(mails.filter((m) => ["verify-email", "change-email", "magic-link", "delete-account"].includes(m.template) && m.used < 2));
      if (!m) return;
      m.used++;
      const { status } = await call(x, `follow ${m.template}`, "GET", s.path(m.url).slice(base.length));
      const u = users.find((u) => u.email === m.to);
      if (status < 400 && m.template === "magic-link" && u) { x.user = u; forget(u.email); }
    },
    deleteUser: (x) => call(x, "delete user", "POST", "/delete-user", { password: pick(undefined, passwordOf(here(x))), callbackURL: callback(), token: pick(undefined, undefined, "x") }),

    enable: async (x) => {
      const u = here(x);
      const { status, body } = await call(x, "enable", "POST", "/two-factor/enable", { password: passwordOf(u), issuer: pick(undefined, "I"), method: pick(undefined, undefined, "totp", "otp") });
      if (status === 200 && body?.totpURI) Object.assign(u, { secret: new URL(body.totpURI).searchParams.get("secret"), backupCodes: body.backupCodes ?? [], spent: false });
    },
    // A code works once in Sallyport, and any number of times in Better Auth: one of each secret.
    totp: async (x) => {
      const u = here(x), right = u.secret && !u.spent && random.chance(0.8);
      if (right) u.spent = true;
      await call(x, "totp", "POST", "/two-factor/verify-totp", { code: right ? totp(u.secret) : pick("000000x", "", odd(), "12345"), trustDevice: pick(undefined, true, false) });
    },
    sendOTP: (x) => call(x, "send a code", "POST", "/two-factor/send-otp", {}),
    otp: async (x) => {
      const m = latest("two-factor-otp"), right = m && random.chance(0.8);
      if (right) m.used++;
      await call(x, "otp", "POST", "/two-factor/verify-otp", { code: right ? m.otp : pick("0000000", odd()), trustDevice: pick(undefined, true, false) });
    },
    backupCode: (x) => call(x, "backup code", "POST", "/two-factor/verify-backup-code", { code: random.chance(0.7) ? (here(x).backupCodes.pop() ?? "none") : pick("nope", odd()), trustDevice: pick(undefined, true, false), disableSession: pick(undefined, undefined, true, false) }),
    backupCodes: async (x) => { const u = here(x), { status, body } = await call(x, "backup codes", "POST", "/two-factor/generate-backup-codes", { password: passwordOf(u) }); if (status === 200) u.backupCodes = body.backupCodes; },
    totpURI: (x) => call(x, "totp uri", "POST", "/two-factor/get-totp-uri", { password: passwordOf(here(x)) }),
    // In Sallyport this ends trusted devices and challenges in all browsers: here in both.
    disable: async (x) => {
      const u = here(x);
      if ((await call(x, "disable", "POST", "/two-factor/disable", { password: passwordOf(u) })).status !== 200) return;
      for (const { client } of browsers) for (const cookie of [...client.jar.keys()]) if (/trust_device|two_factor/.test(cookie)) client.jar.delete(cookie);
      forget(u.email);
    },
  };
  const second = ["enable", "totp", "sendOTP", "otp", "backupCode", "backupCodes", "totpURI", "disable"];
  const weights = { signIn: 4, signUp: 2, session: 2, follow: 4, reset: 2, deleteUser: 0.3, revokeAll: 0.5, unlink: 0.6, totpURI: 0.5, backupCodes: 0.5 };
  if (!s.plugins.includes("two-factor")) for (const name of second) weights[name] = 0;
  for (const x of browsers.slice(0, 2)) {
    x.user = users[browsers.indexOf(x)];
    await call(x, "sign up", "POST", "/sign-up/email", { email: x.user.email, password: x.user.password, name: "N" });
    await outbox();
  }
  const acts = Object.fromEntries(Object.entries(plain).map(([name, act]) => [name, () => act(random.pick(browsers))]));
  for (const [name, act] of Object.entries(mailing)) acts[name] = async () => { await act(random.pick(browsers)); await outbox(); };
  return { acts, weights };
}

export const parts = walk(setUp, start);

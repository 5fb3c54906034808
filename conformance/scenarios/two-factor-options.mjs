// Two-factor: codes by mail, wrong and missing input, limits, options, and what happens beside other features.
import { freshCode, sleep, wrongCode } from "../harness.mjs";
const secretOf = (uri) => new URL(uri).searchParams.get("secret");
const person = (n) => ({ email: `${n}@example.com`, password: `correct horse ${n}`, name: n });
const post = (c, path, body, h) => c.raw("POST", `/api/auth/two-factor/${path}`, body, h);
const wrong = (code) => (code === "000000" ? "111111" : "000000");

/** Signs up and confirms TOTP; answers the client, the secret and the backup codes. */
async function enrol(s, who) {
  const c = s.client();
  await s.step(`${who.name} signs up`, () => c.api.signUp.email(who));
  const { data } = await s.step(`${who.name} enables`, () => c.api.twoFactor.enable({ password: who.password }));
  const secret = secretOf(data.totpURI);
  await s.step(`${who.name} confirms`, async () => c.api.twoFactor.verifyTotp({ code: await freshCode(secret) }));
  return { c, secret, codes: data.backupCodes };
}
const challenge = async (s, who, more = {}) => {
  const c = s.client();
  await s.step("challenge", () => c.api.signIn.email({ email: who.email, password: who.password, ...more }));
  return c;
};

async function mailed(s) {
  const who = person("ann"), a = s.client();
  await s.step("sign up", () => a.api.signUp.email(who));
  await s.step("enable by mail", () => a.api.twoFactor.enable({ password: who.password, method: "otp" }));
  await s.step("on", () => a.api.getSession());
  await s.step("no backup codes", () => a.api.twoFactor.generateBackupCodes({ password: who.password }));
  await s.step("no uri", () => a.api.twoFactor.getTotpUri({ password: who.password }));
  const b = await challenge(s, who);
  await s.step("totp is not there", () => b.api.twoFactor.verifyTotp({ code: "000000" }));
  await s.step("nor are backup codes", () => b.api.twoFactor.verifyBackupCode({ code: "AAAAA-AAAAA" }));
  await s.step("no code was sent", () => b.api.twoFactor.verifyOtp({ code: "000000" }));
  await s.step("send", () => b.api.twoFactor.sendOtp());
  const first = (await s.mail(who.email, "two-factor-otp")).otp;
  s.note("form", { ok: /^[0-9]{6}$/.test(first) });
  await s.step("send again", () => b.api.twoFactor.sendOtp({ trustDevice: true }));
  const { otp } = await s.mail(who.email, "two-factor-otp");
  if (first !== otp) await s.step("the first is no good", () => b.api.twoFactor.verifyOtp({ code: first }));
  await s.step("wrong", () => b.api.twoFactor.verifyOtp({ code: wrong(otp) }));
  await s.step("right", () => b.api.twoFactor.verifyOtp({ code: otp }));
  await s.step("in", () => b.api.getSession());
  await s.step("once", () => b.api.twoFactor.verifyOtp({ code: otp }));
  const d = await challenge(s, who);
  await s.step("send", () => d.api.twoFactor.sendOtp());
  const last = (await s.mail(who.email, "two-factor-otp")).otp;
  for (let i = 1; i <= 5; i++) await s.step(`wrong ${i}`, () => d.api.twoFactor.verifyOtp({ code: wrong(last) }));
  await s.step("too many", () => d.api.twoFactor.verifyOtp({ code: last }));
  await s.step("gone", () => d.api.twoFactor.verifyOtp({ code: last }));
  await s.step("totp beside it", () => a.api.twoFactor.enable({ password: who.password }));
  await s.step("send while signed in", () => a.api.twoFactor.sendOtp());
  await s.step("verify while signed in", async () => a.api.twoFactor.verifyOtp({ code: (await s.mail(who.email, "two-factor-otp")).otp }));
  await s.step("disable", () => a.api.twoFactor.disable({ password: who.password }));
  const e = s.client();
  await s.step("not asked", () => e.api.signIn.email(who));
  await s.step("send", () => e.api.twoFactor.sendOtp());
  await s.step("a code switches it on", async () => e.api.twoFactor.verifyOtp({ code: (await s.mail(who.email, "two-factor-otp")).otp }));
  await s.step("on again", () => e.api.getSession());
}

async function input(s) {
  const who = person("bob"), a = s.client();
  await s.step("sign up", () => a.api.signUp.email(who));
  const bodies = [undefined, {}, { password: null }, { password: 5 }, { password: "" }, { password: "x".repeat(129) }, [], "nonsense"];
  for (const path of ["enable", "disable", "get-totp-uri", "generate-backup-codes"]) {
    for (const body of bodies) await s.step(`${path} ${JSON.stringify(body)?.slice(0, 30)}`, () => post(a, path, body));
    await s.step(`${path} without a session`, () => post(s.client(), path, { password: who.password }));
    await s.step(`${path} of a wrong type`, () => post(a, path, "password=x", { "content-type": "application/x-www-form-urlencoded" }));
    await s.step(`GET ${path}`, () => a.raw("GET", `/api/auth/two-factor/${path}`));
  }
  for (const body of [{ method: "sms" }, { method: null }, { method: "sms", password: 1, issuer: 2 }, { issuer: null }]) await s.step(`enable ${JSON.stringify(body)}`, () => post(a, "enable", { password: who.password, ...body }));
  for (const path of ["verify-totp", "verify-otp", "verify-backup-code"]) {
    for (const body of [undefined, {}, { code: 123456 }, { code: null }, { code: "000000", trustDevice: "yes" }, { code: "000000", trustDevice: null }, { code: "" }, { code: "000000", disableSession: 1 }]) {
      await s.step(`${path} ${JSON.stringify(body)}`, () => post(a, path, body));
      await s.step(`${path} ${JSON.stringify(body)} without anything`, () => post(s.client(), path, body));
    }
  }
  for (const body of [undefined, {}, { trustDevice: 1 }, [], null]) {
    await s.step(`send-otp ${JSON.stringify(body)}`, () => post(s.client(), "send-otp", body));
    await s.step(`send-otp ${JSON.stringify(body)} in a session`, () => post(a, "send-otp", body));
  }
  for (const path of ["view-backup-codes", "generate-totp", "verify", ""]) await s.step(`no ${path}`, () => post(a, path, { userId: "x" }));
  await s.step("uri before a confirmation", async () => { await a.api.twoFactor.enable({ password: who.password, issuer: "Ünser Laden & Söhne" }); });
  await s.step("uri", () => a.api.twoFactor.getTotpUri({ password: who.password }));
  await s.step("codes before a confirmation", () => a.api.twoFactor.generateBackupCodes({ password: who.password }));
  await s.step("enable again", () => a.api.twoFactor.enable({ password: who.password }));
}

async function limits(s) {
  const who = person("cid");
  const { secret, codes } = await enrol(s, who);
  const b = await challenge(s, who);
  await s.step("wrong", () => b.api.twoFactor.verifyTotp({ code: wrongCode(secret) }));
  for (const code of [" 12345", "12345", "1234567", "abcdef"]) await s.step(`wrong ${code}`, () => b.api.twoFactor.verifyTotp({ code }));
  await s.step("too many", async () => b.api.twoFactor.verifyTotp({ code: await freshCode(secret) }));
  await s.step("over", () => b.api.twoFactor.verifyBackupCode({ code: codes[0] }));
  const c = await challenge(s, who);
  for (let i = 1; i <= 4; i++) await s.step(`a wrong backup code ${i}`, () => c.api.twoFactor.verifyBackupCode({ code: `AAAA${i}-AAAAA` }));
  await s.step("one in the end", async () => c.api.twoFactor.verifyTotp({ code: await freshCode(secret) }));
  const d = await challenge(s, who);
  for (let i = 1; i <= 5; i++) await s.step(`wrong again ${i}`, () => d.api.twoFactor.verifyTotp({ code: wrongCode(secret) }));
  const e = await challenge(s, who);
  for (let i = 6; i <= 10; i++) await s.step(`wrong again ${i}`, () => e.api.twoFactor.verifyBackupCode({ code: "x" }));
  const f = await challenge(s, who);
  await s.step("locked for totp", async () => f.api.twoFactor.verifyTotp({ code: await freshCode(secret) }));
  await s.step("locked for backup codes", () => f.api.twoFactor.verifyBackupCode({ code: codes[1] }));
  await s.step("locked for mail", () => f.api.twoFactor.verifyOtp({ code: "000000" }));
  await s.step("but sends", () => f.api.twoFactor.sendOtp());
}

async function lock(s) {
  const who = person("dan");
  const { secret } = await enrol(s, who);
  const b = await challenge(s, who);
  const wrong = (label) => s.step(label, () => b.api.twoFactor.verifyTotp({ code: wrongCode(secret) }));
  await wrong("wrong");
  await s.within(2000, async () => { await wrong("wrong, and locked"); await wrong("locked"); });
  await sleep(2100);
  await wrong("over");
  await s.step("right", async () => b.api.twoFactor.verifyTotp({ code: await freshCode(secret) }));
}

async function backup(s) {
  const who = person("eve");
  const { c: a, codes } = await enrol(s, who);
  s.note("codes", { n: codes.length, form: codes.every((c) => /^[A-Za-z0-9]{5}-[A-Za-z0-9]{8}$/.test(c)) });
  for (const spelling of [codes[0].replace("-", ""), ` ${codes[0]}`, `${codes[0].slice(0, -1)}`]) {
    const c = await challenge(s, who);
    await s.step("another spelling", () => c.api.twoFactor.verifyBackupCode({ code: spelling }));
  }
  const c = await challenge(s, who);
  await s.step("without a session", () => c.api.twoFactor.verifyBackupCode({ code: codes[0], disableSession: true }));
  await s.step("none", () => c.api.getSession());
  await s.step("nothing to be done any more", () => c.api.twoFactor.verifyBackupCode({ code: codes[1] }));
  await s.step("while signed in", () => a.api.twoFactor.verifyBackupCode({ code: codes[1] }));
  await s.step("while signed in, without a session", () => a.api.twoFactor.verifyBackupCode({ code: codes[2], disableSession: true }));
  await s.step("wrong while signed in", () => a.api.twoFactor.verifyBackupCode({ code: codes[2] }));
  const d = await challenge(s, who);
  await s.step("the last one, trusting", () => d.api.twoFactor.verifyBackupCode({ code: codes[3], trustDevice: true }));
  await s.step("no challenge", () => d.api.signIn.email(who));
  const e = await challenge(s, who);
  await s.step("none left", () => e.api.twoFactor.verifyBackupCode({ code: codes[3] }));
  await s.step("new ones", () => a.api.twoFactor.generateBackupCodes({ password: who.password }));
}

async function remember(s) {
  const who = person("fay");
  const { secret } = await enrol(s, who);
  const b = await challenge(s, who, { rememberMe: false });
  await s.step("for the day", async () => b.api.twoFactor.verifyTotp({ code: await freshCode(secret) }));
  await s.step("in", () => b.api.getSession());
  const c = await challenge(s, who, { rememberMe: false });
  await s.step("for the day, trusting", async () => c.api.twoFactor.verifyTotp({ code: await freshCode(secret), trustDevice: true }));
  await s.step("in", () => c.api.getSession());
  await s.step("trusted, for the day", () => c.api.signIn.email({ ...who, rememberMe: false }));
  await s.step("disable forgets the device", () => c.api.twoFactor.disable({ password: who.password }));
  s.note("cookies", { names: [...c.jar.keys()].sort() });
}

async function trust(s) {
  const ann = person("gil"), bob = person("hal");
  const a = await enrol(s, ann);
  await enrol(s, bob);
  const c = await challenge(s, ann);
  await s.step("trust", async () => c.api.twoFactor.verifyTotp({ code: await freshCode(a.secret), trustDevice: true }));
  const old = c.jar.get("better-auth.trust_device");
  await s.step("another user", () => c.api.signIn.email(bob));
  await s.step("and back", () => c.api.signIn.email(ann));
  c.jar.set("better-auth.trust_device", old);
  await s.step("with the cookie once more", () => c.api.signIn.email(ann));
  s.note("replaced", { changed: c.jar.get("better-auth.trust_device") !== old });
  c.jar.set("better-auth.trust_device", old);
  await s.step("the old one is no good", () => c.api.signIn.email(ann));
  c.jar.set("better-auth.trust_device", "nonsense");
  await s.step("nonsense", () => c.api.signIn.email(ann));
}

async function skip(s) {
  const who = person("ivy"), a = s.client();
  await s.step("sign up", () => a.api.signUp.email(who));
  const { data } = await s.step("enable", () => a.api.twoFactor.enable({ password: who.password }));
  await s.step("on", () => a.api.getSession());
  await s.step("again", () => a.api.twoFactor.enable({ password: who.password }));
  await s.step("uri", () => a.api.twoFactor.getTotpUri({ password: who.password }));
  await s.within(2000, async () => {
    const b = await challenge(s, who);
    await s.step("in", async () => b.api.twoFactor.verifyTotp({ code: await freshCode(secretOf(data.totpURI)) }));
  });
  const c = await challenge(s, who);
  await sleep(2100);
  await s.step("too late", async () => c.api.twoFactor.verifyTotp({ code: await freshCode(secretOf(data.totpURI)) }));
}

async function off(s) {
  const who = person("jay"), a = s.client();
  await s.step("sign up", () => a.api.signUp.email(who));
  await s.step("enable", () => a.api.twoFactor.enable({ password: who.password }));
  await s.step("enable by mail", () => a.api.twoFactor.enable({ password: who.password, method: "otp" }));
  for (const path of ["verify-totp", "get-totp-uri", "send-otp", "verify-otp", "verify-backup-code"]) await s.step(path, () => post(a, path, { code: "000000", password: who.password }));
}

async function unconfirmed(s) {
  const who = person("lee"), a = s.client();
  await s.step("sign up", () => a.api.signUp.email(who));
  const { data } = await s.step("enable", () => a.api.twoFactor.enable({ password: who.password }));
  await s.step("a wrong backup code", () => post(a, "verify-backup-code", { code: "aaaaa-bbbbb" }));
  await s.step("a backup code confirms nothing", () => post(a, "verify-backup-code", { code: data.backupCodes[0] }));
  await s.step("and is used", () => post(a, "verify-backup-code", { code: data.backupCodes[0] }));
  await s.step("nor without a session in return", () => post(a, "verify-backup-code", { code: data.backupCodes[1], disableSession: true }));
  await s.step("still off", () => a.api.getSession());
  await s.step("not asked", () => s.client().api.signIn.email(who));
  await s.step("a code confirms", async () => a.api.twoFactor.verifyTotp({ code: await freshCode(secretOf(data.totpURI)) }));
  await s.step("a backup code in a session", () => post(a, "verify-backup-code", { code: data.backupCodes[2], trustDevice: true }));
}

async function beside(s) {
  const who = person("kim");
  const { c: a, secret } = await enrol(s, who);
  await s.step("cached", () => a.api.getSession());
  const b = await challenge(s, who);
  await s.step("none", () => b.api.getSession());
  await s.step("in", async () => b.api.twoFactor.verifyTotp({ code: await freshCode(secret) }));
  await s.step("cached", () => b.api.getSession());
  await s.step("already in", async () => b.api.twoFactor.verifyTotp({ code: await freshCode(secret) }));
  await s.step("a magic link", () => s.client().api.signIn.magicLink({ email: who.email, callbackURL: "/in" }));
  const c = s.client(), { url } = await s.mail(who.email, "magic-link");
  await s.step("is not asked", () => c.raw("GET", s.path(url)));
  await s.step("disable", () => b.api.twoFactor.disable({ password: who.password }));
  await s.step("off", () => b.api.getSession());
  await s.step("disable again", () => b.api.twoFactor.disable({ password: who.password }));
}

export const plugins = ["two-factor"];
const part = (run, twoFactor, more) => ({ name: run.name, run, plugins, options: { ...(twoFactor && { twoFactor }), ...more } });
export const parts = [
  part(mailed), part(input), part(limits), part(remember), part(trust), part(unconfirmed),
  part(lock, { accountLockout: { maxFailedAttempts: 2, durationSeconds: 2 } }),
  part(backup, { backupCodeOptions: { amount: 4, length: 13, storeBackupCodes: "plain" } }),
  part(skip, { skipVerificationOnEnable: true, issuer: "Laden (ß)", twoFactorCookieMaxAge: 2, totpOptions: { digits: 6, period: 30 } }),
  { ...part(off, { totpOptions: { disable: true } }), name: "no totp" },
  { ...part(off, { otpOptions: { disable: true } }), name: "no mail" },
  { ...part(mailed, { otpOptions: { storeOTP: "hashed" } }), name: "hashed" },
  { ...part(mailed, { otpOptions: { storeOTP: "encrypted", period: 1 } }), name: "encrypted" },
  { ...part(beside, undefined, { cookieCache: true }), plugins: ["two-factor", "magic-link"] },
  { ...part(input, { allowPasswordless: true }), name: "passwordless" },
];

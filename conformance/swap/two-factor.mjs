// Two-factor across servers: what one enrolled, began, sent or trusted, the other finishes.
import { freshCode, wrongCode } from "../harness.mjs";
export const plugins = ["two-factor"];
const ann = { email: "ann@example.com", password: "correct horse ann", name: "ann" };
const secretOf = (uri) => new URL(uri).searchParams.get("secret");
const challenge = async (s, more = {}) => {
  const c = s.client();
  await s.step("challenge", () => c.api.signIn.email({ email: ann.email, password: ann.password, ...more }));
  return c;
};
const totp = async (s, m, c, label, more = {}) => s.step(label, async () => c.api.twoFactor.verifyTotp({ code: await freshCode(m.secret), ...more }));

/** What each server finds of the one before, and leaves for the next. */
const phase = (n) => async (s, m) => {
  if (n > 0) {
    await totp(s, m, m.pending, "the challenge goes on");
    await s.step("in", () => m.pending.api.getSession());
    await totp(s, m, m.brief, "the one for the day too");
    await s.step("wrong for the third time", () => m.tried.api.twoFactor.verifyTotp({ code: wrongCode(m.secret) }));
    for (let i = 4; i <= 5; i++) await s.step("wrong", () => m.tried.api.twoFactor.verifyTotp({ code: wrongCode(m.secret) }));
    await s.step("too many", () => m.tried.api.twoFactor.verifyTotp({ code: wrongCode(m.secret) }));
    await s.step("the mailed code", async () => m.mailed.api.twoFactor.verifyOtp({ code: m.otp }));
    await s.step("the trusted device", () => m.trusted.api.signIn.email(ann));
    await s.step("the used backup code", async () => (await challenge(s)).api.twoFactor.verifyBackupCode({ code: m.codes[n - 1] }));
    await s.step("the next one", async () => (await challenge(s)).api.twoFactor.verifyBackupCode({ code: m.codes[n] }));
    await s.step("the uri", async () => { const r = await m.ann.api.twoFactor.getTotpUri({ password: ann.password }); s.note("the same secret", { same: secretOf(r.data.totpURI) === m.secret }); });
  } else {
    m.ann = s.client();
    await s.step("sign up", () => m.ann.api.signUp.email(ann));
    const { data } = await s.step("enable", () => m.ann.api.twoFactor.enable({ password: ann.password }));
    Object.assign(m, { secret: secretOf(data.totpURI), codes: data.backupCodes });
    await totp(s, m, m.ann, "confirm");
    await s.step("a backup code", async () => (await challenge(s)).api.twoFactor.verifyBackupCode({ code: m.codes[0] }));
    m.trusted = await challenge(s);
    await totp(s, m, m.trusted, "trust", { trustDevice: true });
  }
  m.pending = await challenge(s);
  m.brief = await challenge(s, { rememberMe: false });
  m.tried = await challenge(s);
  for (let i = 1; i <= 2; i++) await s.step("wrong", () => m.tried.api.twoFactor.verifyTotp({ code: wrongCode(m.secret) }));
  m.mailed = await challenge(s);
  await s.step("send", () => m.mailed.api.twoFactor.sendOtp());
  m.otp = (await s.mail(ann.email, "two-factor-otp")).otp;
};
const last = async (s, m) => {
  await phase(2)(s, m);
  await s.step("disable", () => m.ann.api.twoFactor.disable({ password: ann.password }));
  await s.step("off", () => s.client().api.signIn.email(ann));
  const { data } = await s.step("enable anew", () => m.ann.api.twoFactor.enable({ password: ann.password }));
  m.secret = secretOf(data.totpURI);
};
export default [phase(0), phase(1), last, async (s, m) => {
  await totp(s, m, m.ann, "confirmed elsewhere");
  await challenge(s);
}];

// What rememberMe: false means for the sign-ins after it, which may not say anything about it themselves.
import { Authenticator } from "../authenticator.mjs";
const who = { email: "forget@example.com", password: "correct horse 1", name: "Forget" };
const api = "/api/auth";
export const parts = [
  { name: "mail", plugins: ["magic-link"], options: { cookieCache: true, autoSignInAfterVerification: true }, run: async (s) => {
    const c = s.client();
    await s.step("sign up, forgotten", () => c.raw("POST", `${api}/sign-up/email`, { ...who, rememberMe: false }));
    await s.step("ask for a link", () => c.raw("POST", `${api}/sign-in/magic-link`, { email: who.email }));
    await s.step("a link: still forgotten", async () => c.raw("GET", s.path((await s.mail(who.email, "magic-link")).url)));
    await s.step("in", () => c.api.getSession());
    await s.step("sign out", () => c.api.signOut());
    await s.step("ask for a link", () => c.raw("POST", `${api}/sign-in/magic-link`, { email: who.email }));
    await s.step("a link after signing out: remembered", async () => c.raw("GET", s.path((await s.mail(who.email, "magic-link")).url)));
    const other = { ...who, email: "forget2@example.com" }, d = s.client();
    await s.step("sign up another", () => s.client().raw("POST", `${api}/sign-up/email`, other));
    await s.step("sign in elsewhere, forgotten", () => d.raw("POST", `${api}/sign-in/email`, { ...who, rememberMe: false }));
    await s.step("ask for a verification", () => d.raw("POST", `${api}/send-verification-email`, { email: other.email }));
    await s.step("sign in again, forgotten", () => d.raw("POST", `${api}/sign-in/email`, { ...other, rememberMe: false }));
    await s.step("verified in a session of its own", async () => d.raw("GET", s.path((await s.mail(other.email, "verify-email")).url)));
    const third = { ...who, email: "forget3@example.com" };
    await s.step("sign up a third", () => s.client().raw("POST", `${api}/sign-up/email`, third));
    await s.step("ask for a verification", () => s.client().raw("POST", `${api}/send-verification-email`, { email: third.email }));
    await s.step("verified where another is signed in: still forgotten", async () => d.raw("GET", s.path((await s.mail(third.email, "verify-email")).url)));
    await s.step("remembered again by a password", () => d.raw("POST", `${api}/sign-in/email`, who));
    await s.step("forgotten by a password", () => d.raw("POST", `${api}/sign-in/email`, { ...who, rememberMe: false }));
    await s.step("remembered by another sign-up", () => d.raw("POST", `${api}/sign-up/email`, { ...who, email: "forget4@example.com" }));
  } },
  { name: "passkey", plugins: ["passkey"], options: {}, run: async (s) => {
    const c = s.client(), key = new Authenticator({ origin: s.server.base });
    await s.step("sign up, forgotten", () => c.raw("POST", `${api}/sign-up/email`, { ...who, rememberMe: false }));
    const made = (await s.step("register options", () => c.raw("GET", `${api}/passkey/generate-register-options`))).body;
    await s.step("register", () => c.raw("POST", `${api}/passkey/verify-registration`, { response: key.register(made) }));
    const sign = async (label) => {
      const options = (await s.step("options", () => c.raw("GET", `${api}/passkey/generate-authenticate-options`))).body;
      await s.step(label, () => c.raw("POST", `${api}/passkey/verify-authentication`, { response: key.authenticate(options) }));
    };
    await sign("sign in over it: still forgotten");
    await s.step("sign out", () => c.api.signOut());
    await sign("sign in afterwards: remembered");
  } },
];

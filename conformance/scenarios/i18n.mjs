// Error texts in the reader's language: who is asked for it, and which answers are translated.
const password = "correct horse 1";
const de = {
  INVALID_EMAIL_OR_PASSWORD: "E-Mail-Adresse oder Passwort stimmt nicht.", INVALID_EMAIL: "Keine gültige Adresse.", VALIDATION_ERROR: "Ungültige Eingabe.",
  PASSWORD_TOO_SHORT: "Zu kurz.", UNAUTHORIZED: "Nicht angemeldet.", INVALID_TOKEN: "Ungültiges Token.", EMAIL_NOT_VERIFIED: "Nicht bestätigt.",
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: "Vergeben.", INVALID_PASSWORD: "Falsches Passwort.", EMPTY: "",
  FIELD_NOT_ALLOWED: "Nicht erlaubt.", SESSION_EXPIRED: "Abgelaufen.",
};
const en = { INVALID_EMAIL_OR_PASSWORD: "That did not match.", USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: "Taken." };
const fr = { INVALID_EMAIL_OR_PASSWORD: "Adresse ou mot de passe incorrect.", PASSWORD_TOO_SHORT: "" };
const translations = { en, de, fr };
const at = (path) => `/api/auth${path}`;
const wrong = { email: "nobody@example.com", password: "not this one" };
const tries = async (s, c, list, more = {}) => {
  for (const language of list) await s.step(`Accept-Language ${JSON.stringify(language)}`, () => c.raw("POST", at("/sign-in/email"), wrong, { ...(language !== null && { "accept-language": language }), ...more }));
};
export const parts = [
  { name: "header", plugins: ["i18n"], options: { i18n: { translations } }, run: async (s) => {
    await tries(s, s.client(), ["de", "fr", "en", "it", "", "de-CH", "fr-CA, de;q=0.5", "de;q=0.4, fr;q=0.9", "de;q=0.9,fr;q=0.9", "it, es;q=0.9, de;q=0.1",
      "*", "en-*", " de , fr", ",,de", "de-", "-de", "de_DE", "de;q=1e-1, fr;q=0.2", "toString", "__proto__", "constructor", "de;q=.5, fr;q=.6"]);
  } },
  { name: "answers", plugins: ["i18n"], options: { i18n: { translations } }, run: async (s) => {
    const a = s.client({ headers: { "accept-language": "de" } });
    const post = (label, path, body, h) => s.step(label, () => a.raw("POST", at(path), body, h));
    const get = (label, path, h) => s.step(label, () => a.raw("GET", at(path), undefined, h));
    const who = { email: "i18n@example.com", password, name: "Inga" };
    await post("no session", "/change-password", { currentPassword: password, newPassword: "x" });
    await get("no session, a list", "/list-sessions");
    await post("validation", "/sign-up/email", { email: 1 });
    await post("no address", "/sign-up/email", { ...who, email: "nowhere" });
    await post("too short", "/sign-up/email", { ...who, password: "short" });
    await post("too short, no text in French", "/sign-up/email", { ...who, password: "short" }, { "accept-language": "fr" });
    await s.step("sign up", () => a.raw("POST", at("/sign-up/email"), who));
    await post("taken", "/sign-up/email", who);
    await post("wrong password", "/change-password", { currentPassword: "not this one", newPassword: "another one 1" });
    await post("same address", "/change-email", { newEmail: who.email });
    await post("nothing to update", "/update-user", {});
    await post("an address is no field", "/update-user", { email: "x@example.com" });
    await post("no object", "/update-user", "[]");
    await post("no JSON", "/update-user", "{");
    await post("no JSON type", "/sign-in/email", "x=1", { "content-type": "text/plain" });
    await post("foreign origin", "/update-user", { name: "x" }, { origin: "https://evil.example" });
    await post("foreign callback", "/sign-in/email", { ...wrong, callbackURL: "https://evil.example/" });
    await get("nowhere", "/nowhere");
    await get("no redirect", "/verify-email?token=x");
    await get("redirect", "/verify-email?token=x&callbackURL=/app");
    await get("redirect from a reset link", "/reset-password/x?callbackURL=/app");
    await get("error page", "/error?error=INVALID_TOKEN");
    await post("bad reset token", "/reset-password", { token: "x", newPassword: "another one 1" });
    await post("bad reset password", "/reset-password", { token: "x", newPassword: "x" });
    await get("session", "/get-session");
    await post("sign out", "/sign-out", {});
  } },
  { name: "methods", plugins: ["i18n"], options: { requireEmailVerification: true, i18n: { translations, detection: ["cookie", "header"] } }, run: async (s) => {
    const c = s.client();
    await tries(s, c, ["fr"], { cookie: "locale=de" });
    await tries(s, c, ["fr"], { cookie: "locale=it" });
    await tries(s, c, ["fr"], { cookie: "other=1; locale=%64e" });
    await tries(s, c, ["fr"], { cookie: "locale=\"de\"" });
    await tries(s, c, ["it"], { cookie: "better-auth.locale=de" });
    const a = s.client({ headers: { "accept-language": "de" } });
    const who = { email: "unverified@example.com", password, name: "U" };
    await s.step("sign up", () => a.raw("POST", at("/sign-up/email"), who));
    await s.step("not verified", () => a.raw("POST", at("/sign-in/email"), who));
  } },
  { name: "another cookie and default", plugins: ["i18n"], options: { i18n: { translations, detection: ["cookie"], localeCookie: "lang", defaultLocale: "de" } }, run: async (s) => {
    const c = s.client();
    await tries(s, c, ["fr"], { cookie: "lang=fr" });
    await tries(s, c, ["fr"], { cookie: "locale=fr" });
    await tries(s, c, ["fr"]);
  } },
  { name: "default without a text", plugins: ["i18n"], options: { i18n: { translations: { de } } }, run: async (s) => { await tries(s, s.client(), ["fr", "de"]); } },
  { name: "default that is no locale", plugins: ["i18n"], options: { i18n: { translations, defaultLocale: "it" } }, run: async (s) => { await tries(s, s.client(), ["es", "de"]); } },
  { name: "locales of regions", plugins: ["i18n"], options: { i18n: { translations: { "de-CH": de, en }, detection: ["header", "cookie"] } }, run: async (s) => {
    await tries(s, s.client(), ["de", "fr"]);
    await tries(s, s.client(), ["it"], { cookie: "locale=de-CH" });
  } },
  { name: "rate limit", plugins: ["i18n"], options: { rateLimit: { window: 60, max: 100, customRules: { "/sign-in/email": { window: 60, max: 1 } } }, i18n: { translations } }, run: async (s) => {
    const c = s.client();
    await tries(s, c, ["de", "de"]);
  } },
  { name: "session", plugins: ["i18n"], options: { additionalFields: { user: { language: { type: "string", required: false } } }, i18n: { translations, detection: ["session", "header"], userLocaleField: "language" } }, run: async (s) => {
    const a = s.client({ headers: { "accept-language": "fr" } });
    await s.step("sign up", () => a.raw("POST", at("/sign-up/email"), { email: "s@example.com", password, name: "S", language: "de" }));
    const change = (label) => s.step(label, () => a.raw("POST", at("/change-password"), { currentPassword: "not this one", newPassword: "another one 1" }));
    await change("the field");
    await s.step("a route without a session", () => a.raw("POST", at("/sign-in/email"), wrong));
    await s.step("set", () => a.raw("POST", at("/update-user"), { language: "it" }));
    await change("not there");
    await s.step("unset", () => a.raw("POST", at("/update-user"), { language: null }));
    await change("unset");
  } },
];

// With the cookie cache on: who asks the database, who sets which cookie again, and what a renewal in between does.
import { Authenticator } from "../authenticator.mjs";
import { freshCode } from "../harness.mjs";
const who = { email: "conf@example.com", password: "correct horse 1", name: "Conf" };
const api = "/api/auth";
export const plugins = ["two-factor", "passkey", "bearer"];
export const options = { cookieCache: true };
export default async function (s) {
  const c = s.client(), key = new Authenticator({ origin: s.server.base });
  const post = (label, path, body = {}, client = c) => s.step(label, () => client.raw("POST", `${api}${path}`, body));
  const get = (label, path, client = c) => s.step(label, () => client.raw("GET", `${api}${path}`));
  await post("sign up", "/sign-up/email", who);
  const { totpURI } = (await post("enable", "/two-factor/enable", { password: who.password })).body;
  await post("uri", "/two-factor/get-totp-uri", { password: who.password });
  await post("codes too early", "/two-factor/generate-backup-codes", { password: who.password });
  await s.step("confirm", async () => c.raw("POST", `${api}/two-factor/verify-totp`, { code: await freshCode(new URL(totpURI).searchParams.get("secret")) }));
  await post("uri", "/two-factor/get-totp-uri", { password: who.password });
  await post("uri, wrong password", "/two-factor/get-totp-uri", { password: "wrong horse 1" });
  await post("codes", "/two-factor/generate-backup-codes", { password: who.password });
  const options = (await get("register options", "/passkey/generate-register-options")).body;
  const made = (await post("register", "/passkey/verify-registration", { response: key.register(options) })).body;
  await get("list", "/passkey/list-user-passkeys");
  await post("rename", "/passkey/update-passkey", { id: made.id, name: "Key" });
  await post("delete", "/passkey/delete-passkey", { id: made.id });
  await post("unlink", "/unlink-account", { accountId: "none" });
  await post("update", "/update-user", { name: "Conf2" });
  for (const path of ["/verify-password", "/change-password", "/change-email", "/two-factor/enable", "/two-factor/disable", "/revoke-session", "/delete-user"])
    await post(`sensitive: ${path}`, path, { password: "wrong horse 1", currentPassword: "wrong horse 1", newPassword: who.password, newEmail: who.email, token: "none" });
  await get("with the cache refused in the query", "/list-accounts?disableCookieCache=true");
  c.jar.delete("better-auth.session_data");
  await post("without a cache: uri", "/two-factor/get-totp-uri", { password: who.password });
  c.jar.set("better-auth.session_data", "nonsense");
  await post("with one that is none: uri", "/two-factor/get-totp-uri", { password: who.password });
  await post("update: what is refused first", "/update-user", { name: 1, email: "x@example.com" });
  const d = s.client();
  await post("another, to be forgotten", "/sign-up/email", { ...who, email: "conf2@example.com", rememberMe: false }, d);
  await post("a new session for an old one", "/change-password", { currentPassword: who.password, newPassword: who.password, revokeOtherSessions: true }, d);
  const token = decodeURIComponent(d.jar.get("better-auth.session_token"));
  await s.step("by itself it is as long as any", () => s.client({ headers: { authorization: `Bearer ${token}` } }).raw("GET", `${api}/list-sessions`));
}

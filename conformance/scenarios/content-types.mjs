// Media types: forms where they are allowed, 415 elsewhere.
const who = { email: "form@example.com", password: "correct horse 1", name: "Form" };
const form = (o) => new URLSearchParams(o).toString();
const FORM = "application/x-www-form-urlencoded";
export default async function (s) {
  const c = s.client();
  const post = (label, path, type, body, client = s.client()) => s.step(label, () => client.http("POST", `/api/auth${path}`, { headers: { ...(type !== null && { "content-type": type }), origin: s.server.base }, body }));
  await post("sign up by form", "/sign-up/email", FORM, form(who));
  await post("sign up by form, remember is text", "/sign-up/email", FORM, form({ ...who, email: "form2@example.com", rememberMe: "false" }));
  await post("sign up by form, field missing", "/sign-up/email", FORM, form({ email: who.email }));
  await post("sign in by form", "/sign-in/email", FORM, form(who), c);
  await post("sign in by form, with a charset", "/sign-in/email", `${FORM}; charset=utf-8`, form(who));
  await post("sign in by form, type in capitals", "/sign-in/email", "Application/X-WWW-Form-Urlencoded", form(who));
  await post("sign in by form, callback", "/sign-in/email", FORM, form({ ...who, callbackURL: "/app" }));
  await post("sign in by form, foreign callback", "/sign-in/email", FORM, form({ ...who, callbackURL: "https://evil.example/" }));
  await post("sign in by form, plus is a space", "/sign-in/email", FORM, `email=form%40example.com&password=correct+horse+1`);
  await post("sign in by form, bad escapes", "/sign-in/email", FORM, "email=%zz&password=%");
  await post("sign in by form, empty pairs", "/sign-in/email", FORM, "&&=&email&password");
  await post("JSON in a form", "/sign-in/email", FORM, JSON.stringify(who));
  const json = JSON.stringify(who);
  await post("with a charset", "/sign-in/email", "application/json; charset=utf-8", json);
  await post("type in capitals", "/sign-in/email", "APPLICATION/JSON", json);
  await post("spaces around the type", "/sign-in/email", " application/json ;x=y", json);
  await post("form in JSON", "/sign-in/email", "application/json", form(who));
  for (const type of ["text/plain", "application/jsonx", "application/vnd.api+json", "text/json", "multipart/form-data; boundary=x", "application/octet-stream", "application/xml", "nonsense", "application/json, text/plain"]) {
    await post(`sign in: ${type}`, "/sign-in/email", type, json);
    await post(`update user: ${type}`, "/update-user", type, JSON.stringify({ name: "X" }), c);
  }
  await post("update user: form", "/update-user", FORM, form({ name: "X" }), c);
  await post("change password: form", "/change-password", FORM, form({ currentPassword: "a", newPassword: "b" }), c);
  await post("request a reset: form", "/request-password-reset", FORM, form({ email: who.email }));
  await post("sign out: form", "/sign-out", FORM, "a=b");
  await post("sign out: text", "/sign-out", "text/plain", "x");
  await post("no type and no body: sign in", "/sign-in/email", null, undefined);
  await post("no type and no body: revoke others", "/revoke-other-sessions", null, undefined, c);
  await post("no type and an empty body: revoke others", "/revoke-other-sessions", null, "", c);
  await post("JSON type and an empty body: revoke others", "/revoke-other-sessions", "application/json", "", c);
  await post("wrong type, bad session", "/change-password", "text/plain", "x");
  await post("wrong type on an unknown path", "/nonsense", "text/plain", "x");
  await s.step("wrong type from a foreign origin", () => c.http("POST", "/api/auth/update-user", { headers: { "content-type": "text/plain", origin: "https://evil.example" }, body: "x" }));
  await s.step("sign out, at last", () => c.http("POST", "/api/auth/sign-out", { headers: { origin: s.server.base } }));
}

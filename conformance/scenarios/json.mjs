// Bodies that are not what they should be: syntax, types, nesting.
const who = { email: "json@example.com", password: "correct horse 1", name: "Json" };
export default async function (s) {
  const c = s.client();
  await s.step("sign up", () => c.api.signUp.email(who));
  const post = (label, path, body, client = c) => s.step(label, () => client.http("POST", `/api/auth${path}`, { headers: { "content-type": "application/json", origin: s.server.base }, body }));
  const syntax = {
    "cut short": '{"email":"a@example.com"', "nothing but a brace": "{", "single quotes": "{'email':'a'}", "bare key": "{email:1}", "trailing comma": '{"email":"a",}',
    "comment": '{/*x*/"email":"a"}', "two values": "{}{}", "text after": "{} x", "NaN": '{"email":NaN}', "undefined": "undefined", "plus": "+1", "leading zero": "01", "hex": "0x1",
    "raw newline in a string": '{"email":"a\nb"}', "raw tab in a string": '{"email":"a\tb"}', "bad escape": '{"email":"\\x"}', "short unicode escape": '{"email":"\\u12"}', "space only": "   ", "byte order mark": "\ufeff{}",
    "bare word": "nonsense", "HTML": "<html></html>", "open string": '"abc', "open array": "[1,2",
  };
  for (const [label, body] of Object.entries(syntax)) await post(`syntax: ${label}`, "/sign-in/email", body);
  for (const [label, body] of Object.entries({ number: "1", text: '"x"', true: "true", null: "null", array: "[]", "array of objects": "[{}]", "spaces around": ' \n\t{ } \r\n' })) {
    for (const path of ["/sign-in/email", "/sign-up/email", "/update-user", "/update-session", "/change-password", "/sign-out", "/revoke-sessions-typo", "/revoke-other-sessions", "/delete-user"])
      await post(`${label}: ${path}`, path, body, ["/delete-user", "/sign-out"].includes(path) ? s.client() : c);
  }
  const values = { number: 1, float: 1.5, true: true, null: null, array: ["a"], object: { a: 1 }, text: "text" };
  const fields = {
    "/sign-in/email": ["email", "password", "rememberMe"], "/sign-up/email": ["name", "email", "password", "image", "rememberMe"],
    "/change-password": ["currentPassword", "newPassword", "revokeOtherSessions"], "/change-email": ["newEmail"], "/reset-password": ["newPassword", "token"],
    "/request-password-reset": ["email"], "/send-verification-email": ["email"], "/verify-password": ["password"], "/revoke-session": ["token"], "/unlink-account": ["accountId"],
    "/delete-user": ["password", "token"], "/sign-out": ["disableRedirect", "state"],
  };
  for (const [path, names] of Object.entries(fields)) for (const name of names) for (const [label, v] of Object.entries(values)) {
    if (label === "text" && !["rememberMe", "revokeOtherSessions", "disableRedirect", "email", "newEmail"].includes(name)) continue;
    if (label === "true" && ["rememberMe", "revokeOtherSessions", "disableRedirect"].includes(name)) continue;
    await post(`${path} ${name}: ${label}`, path, { [name]: v }, s.client());
  }
  for (const path of ["/sign-in/email", "/sign-up/email", "/change-email", "/send-verification-email", "/delete-user", "/sign-out"])
    for (const [label, v] of Object.entries({ number: 1, true: true, array: ["/a"], object: { a: 1 }, null: null, zero: 0, false: false }))
      await post(`${path} callbackURL: ${label}`, path, { callbackURL: v }, s.client());
  await post("unicode escapes", "/sign-in/email", '{"email":"\\u006ason@example.com","password":"correct horse 1"}', s.client());
  await post("escaped slash", "/sign-in/email", '{"email":"json@example.com","password":"correct horse 1","callbackURL":"\\/x"}', s.client());
  await post("key in another case", "/sign-in/email", '{"Email":"json@example.com","PASSWORD":"correct horse 1"}', s.client());
  await post("__proto__ is no key", "/sign-in/email", '{"__proto__":{"email":"json@example.com","password":"correct horse 1"}}', s.client());
  await post("constructor is dropped", "/update-user", '{"constructor":{"prototype":{"x":1}}}');
  await post("deep nesting", "/sign-in/email", `{"email":${"[".repeat(20)}${"]".repeat(20)}}`, s.client());
  await post("many keys", "/update-user", Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`k${i}`, i])));
  await post("large text", "/sign-in/email", { email: "x".repeat(100_000), password: "y" }, s.client());
  await s.step("at the end", () => c.api.getSession());
}

// Magic links beyond the plain case: options, callbacks, bad input, accounts that nobody had proved.
const ask = (s, c, label, body, headers) => s.step(label, () => c.raw("POST", "/api/auth/sign-in/magic-link", body, headers));
const path = (s, m) => m.url.slice(s.server.base.length);
const link = async (s, to) => path(s, await s.mail(to, "magic-link"));
const verify = (query) => `/api/auth/magic-link/verify?${query}`;

async function callbacks(s) {
  const c = s.client();
  const to = "cb@example.com";
  const cases = {
    "all three": { callbackURL: "/in?x=1#frag", newUserCallbackURL: "/new", errorCallbackURL: "/bad?y=2#end" },
    "absolute": { callbackURL: s.server.base, newUserCallbackURL: `${s.server.base}/new?q=a b`, errorCallbackURL: `${s.server.base}/bad` },
    "only the error's": { errorCallbackURL: "/bad" },
    "only new users'": { newUserCallbackURL: "/new" },
    "an error in the query": { callbackURL: "/in?error=old&error=older", errorCallbackURL: "" },
    "dots and spaces": { callbackURL: "/a/b/../c d", errorCallbackURL: "/x/./y?z=ü%2f" },
  };
  let n = 0;
  for (const [name, body] of Object.entries(cases)) {
    const email = `cb${n++}@example.com`;
    await ask(s, c, `ask: ${name}`, { email, ...body });
    const m = await s.mail(email, "magic-link");
    s.note(`mail: ${name}`, { url: m.url });
    await s.step(`new: ${name}`, () => s.client().raw("GET", path(s, m)));
    await s.step(`again: ${name}`, () => s.client().raw("GET", path(s, m)));
    await ask(s, c, `ask once more: ${name}`, { email, ...body });
    await s.step(`known: ${name}`, async () => s.client().raw("GET", await link(s, email)));
  }
  for (const bad of ["https://evil.example/x", "//evil.example", "javascript:alert(1)", "app"]) {
    for (const member of ["callbackURL", "newUserCallbackURL", "errorCallbackURL"]) {
      await ask(s, c, `ask with ${member} ${bad}`, { email: to, [member]: bad });
      await s.step(`follow with ${member} ${bad}`, () => c.raw("GET", verify(`token=x&${member}=${encodeURIComponent(bad)}`)));
    }
  }
  for (const member of ["callbackURL", "newUserCallbackURL", "errorCallbackURL"]) {
    for (const odd of [null, 0, 1, {}, ["/in"]]) await ask(s, c, `ask with ${member} ${JSON.stringify(odd)}`, { email: to, [member]: odd });
    await s.step(`follow with ${member} twice`, () => c.raw("GET", verify(`token=x&${member}=/a&${member}=/b`)));
    await s.step(`follow with ${member} empty`, () => c.raw("GET", verify(`token=x&${member}=`)));
  }
}

async function input(s) {
  const c = s.client();
  for (const email of ["", "a", "a@b", "a b@example.com", " a@example.com", "a@example.com ", "ä@example.com", null, 1, ["a@example.com"]]) {
    await ask(s, c, `email ${JSON.stringify(email)}`, { email });
  }
  for (const body of [{}, [], "text", null, 1]) await ask(s, c, `body ${JSON.stringify(body)}`, body);
  for (const name of [null, 1, {}]) await ask(s, c, `name ${JSON.stringify(name)}`, { email: "a@example.com", name });
  for (const metadata of [null, 1, "x", [], [1]]) await ask(s, c, `metadata ${JSON.stringify(metadata)}`, { email: "a@example.com", metadata });
  await ask(s, c, "metadata", { email: "meta@example.com", metadata: { a: 1, b: { c: [true] }, d: null } });
  await ask(s, c, "several faults", { email: "x", name: 1, metadata: 2 });
  await ask(s, c, "unknown members", { email: "more@example.com", admin: true, emailVerified: true });
  for (const q of ["", "token=", "token=a&token=b", "tok=1", `token=${"A".repeat(400)}`]) {
    await s.step(`verify ?${q.slice(0, 30)}`, () => c.raw("GET", verify(q)));
  }
  for (const method of ["HEAD", "POST", "PUT", "DELETE"]) {
    await s.step(`${method} verify`, () => c.raw(method, verify("token=x"), method === "POST" ? { token: "x" } : undefined));
  }
  await s.step("GET ask", () => c.raw("GET", "/api/auth/sign-in/magic-link"));
}

async function users(s) {
  const eve = s.client(), owner = s.client();
  await s.step("eve signs up with the victim's address", () => eve.api.signUp.email({ email: "victim@example.com", password: "evil password", name: "Eve" }));
  await s.step("eve is in", () => eve.api.getSession());
  await s.step("the victim asks", () => owner.api.signIn.magicLink({ email: "Victim@Example.com", name: "Ignored" }));
  const m = await s.mail("victim@example.com", "magic-link").catch(() => s.mail("Victim@Example.com", "magic-link"));
  await s.step("the victim follows", () => owner.raw("GET", path(s, m)));
  await s.step("the victim is in", () => owner.api.getSession());
  await s.step("eve is out", () => eve.api.getSession());
  await s.step("eve's password", () => s.client().api.signIn.email({ email: "victim@example.com", password: "evil password" }));
  await s.step("accounts", () => owner.raw("GET", "/api/auth/list-accounts"));
  await s.step("the client verifies while signed in", async () => {
    await owner.api.signIn.magicLink({ email: "victim@example.com" });
    return owner.raw("GET", verify(`token=${(await s.mail("victim@example.com", "magic-link")).token}`));
  });
  const two = s.client();
  await ask(s, two, "first link", { email: "two@example.com", name: "First" });
  const first = await link(s, "two@example.com");
  await ask(s, two, "second link", { email: "TWO@example.com", name: "Second" });
  const m2 = await s.mail("two@example.com", "magic-link").catch(() => s.mail("TWO@example.com", "magic-link"));
  await s.step("second link makes the user", () => two.raw("GET", path(s, m2)));
  await s.step("first link still works", () => two.raw("GET", first));
  await s.step("the user", () => two.api.getSession());
}

async function origin(s) {
  const c = s.client();
  for (const [label, headers] of Object.entries({
    "no origin": { origin: null },
    "a foreign origin": { origin: "https://evil.example" },
    "cross-site": { origin: "https://evil.example", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
    "text": { "content-type": "text/plain" },
    "a form": { "content-type": "application/x-www-form-urlencoded" },
  })) await ask(s, c, label, { email: "o@example.com" }, headers);
}

async function disabled(s) {
  const c = s.client();
  await s.step("sign up", () => c.api.signUp.email({ email: "known@example.com", password: "a good password", name: "Known" }));
  await ask(s, c, "known", { email: "known@example.com" });
  await ask(s, c, "unknown", { email: "unknown@example.com", errorCallbackURL: "/bad" });
  await s.step("follow known", async () => s.client().raw("GET", await link(s, "known@example.com")));
  const to = await link(s, "unknown@example.com");
  await s.step("follow unknown", () => s.client().raw("GET", to));
  await s.step("follow unknown again", () => s.client().raw("GET", to));
  await ask(s, c, "unknown without a callback", { email: "other@example.com" });
  const m = await s.mail("other@example.com", "magic-link");
  await s.step("the client verifies", () => c.raw("GET", verify(`token=${m.token}`)));
}

async function expired(s) {
  const c = s.client();
  await ask(s, c, "ask", { email: "late@example.com", callbackURL: "/in" });
  const to = await link(s, "late@example.com");
  await new Promise((r) => setTimeout(r, 2200));
  await s.step("too late", () => c.raw("GET", to));
}

async function hashed(s) {
  const c = s.client();
  await ask(s, c, "ask", { email: "hash@example.com" });
  const m = await s.mail("hash@example.com", "magic-link");
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(m.token))).toString("base64url");
  await s.step("the hash is no token", () => c.raw("GET", verify(`token=${digest}`)));
  await s.step("the token is", () => c.raw("GET", path(s, m)));
}

async function limit(s) {
  const c = s.client();
  for (let i = 0; i < 6; i++) await ask(s, c, `ask ${i}`, { email: "limit@example.com" });
  for (let i = 0; i < 6; i++) await s.step(`follow ${i}`, () => c.raw("GET", verify("token=x")));
}

const plugins = ["magic-link"];
export const parts = [
  { name: "callbacks", plugins, run: callbacks },
  { name: "input", plugins, run: input },
  { name: "users", plugins, run: users },
  { name: "origin", plugins, run: origin },
  { name: "disabled sign-up", plugins, options: { magicLink: { disableSignUp: true } }, run: disabled },
  { name: "expired", plugins, options: { magicLink: { expiresIn: 1 } }, run: expired },
  { name: "hashed", plugins, options: { magicLink: { storeToken: "hashed" } }, run: hashed },
  { name: "rate limit", plugins, options: { rateLimit: true }, run: limit },
];

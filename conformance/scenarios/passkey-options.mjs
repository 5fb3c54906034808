// Passkeys beyond the plain case: options, keys and flags, bad input, counters, sessions.
import { Authenticator } from "../authenticator.mjs";
import { sleep } from "../harness.mjs";

const p = "/api/auth/passkey";
const user = (n) => ({ email: `${n}@example.com`, password: "correct horse 1", name: n });

/** The usual moves of a client with a security key. */
function moves(s) {
  const post = (c, label, path, body) => s.step(label, () => c.raw("POST", `${p}/${path}`, body));
  const get = (c, label, path) => s.step(label, () => c.raw("GET", `${p}/${path}`));
  return {
    post, get,
    signUp: async (n) => { const c = s.client(); await s.step(`${n} signs up`, () => c.api.signUp.email(user(n))); return c; },
    register: async (c, key, label, { body, query = "", ...how } = {}) => {
      const o = (await get(c, `${label}: options`, `generate-register-options${query}`)).body;
      return post(c, label, "verify-registration", { response: key.register(o, how), ...body });
    },
    signIn: async (c, key, label, how) => {
      const o = (await get(c, `${label}: options`, "generate-authenticate-options")).body;
      return post(c, label, "verify-authentication", { response: key.authenticate(o, how) });
    },
  };
}

async function keys(s) {
  const { signUp, register, signIn, get } = moves(s);
  const a = await signUp("keys");
  for (const alg of [-7, -8, -257]) {
    for (const backedUp of [true, false]) {
      const key = new Authenticator({ origin: s.server.base, alg, backedUp }), what = `${alg} ${backedUp ? "synced" : "bound"}`;
      await register(a, key, `register ${what}`, { body: { name: what }, query: "?name=Somebody&authenticatorAttachment=cross-platform" });
      await signIn(s.client(), key, `sign in ${what}`);
    }
  }
  const key = new Authenticator({ origin: s.server.base, backedUp: false });
  await register(a, key, "user only present", { flags: 0x41 });
  await signIn(s.client(), key, "sign in, only present", { flags: 0x01 });
  await register(a, key, "no transports", { transports: null });
  await register(a, key, "two transports, counter 5", { transports: ["usb", "nfc"], counter: 5 });
  await signIn(s.client(), key, "counter goes on");
  await signIn(s.client(), key, "counter leaps", { counter: 100 });
  await signIn(s.client(), key, "counter stands", { counter: 100 });
  await signIn(s.client(), key, "counter falls", { counter: 7 });
  await signIn(s.client(), key, "counter is gone", { counter: 0 });
  await signIn(s.client(), key, "counter goes on", { counter: 101 });
  await signIn(s.client(), key, "user not present", { flags: 0x04, counter: 102 });
  await signIn(s.client(), key, "backed up but not eligible", { flags: 0x15, counter: 103 });
  await signIn(s.client(), key, "bad signature", { tamper: true, counter: 104 });
  await get(a, "list", "list-user-passkeys");
  await signIn(a, key, "sign in again while signed in");
  await s.step("session", () => a.api.getSession());
}

async function input(s) {
  const { signUp, post, get, register } = moves(s);
  const a = await signUp("input"), b = s.client();
  const key = new Authenticator({ origin: s.server.base });
  for (const name of [undefined, "", "  ", " Work \n", "ü😀"]) await register(a, key, `name ${JSON.stringify(name)}`, { body: { name } });
  const made = (await get(a, "list", "list-user-passkeys")).body;
  for (const name of [null, 1, {}, []]) await post(a, `name ${JSON.stringify(name)}`, "verify-registration", { response: {}, name });
  for (const createSession of [null, "yes", 1]) await post(a, `createSession ${JSON.stringify(createSession)}`, "verify-registration", { response: {}, createSession });
  for (const body of [{}, [], "text", null]) {
    await post(a, `verify-registration ${JSON.stringify(body)}`, "verify-registration", body);
    await post(b, `verify-authentication ${JSON.stringify(body)}`, "verify-authentication", body);
    await post(a, `delete ${JSON.stringify(body)}`, "delete-passkey", body);
    await post(a, `update ${JSON.stringify(body)}`, "update-passkey", body);
  }
  for (const response of [null, 1, "x", [], {}, { id: 1 }, { id: "unknown" }]) {
    await post(b, `no challenge, response ${JSON.stringify(response)}`, "verify-authentication", { response });
    await get(b, "options", "generate-authenticate-options");
    await post(b, `response ${JSON.stringify(response)}`, "verify-authentication", { response });
    await post(b, "the challenge is gone", "verify-authentication", { response: { id: "unknown" } });
    if (response === null || typeof response !== "object" || Array.isArray(response)) await get(b, "options anew", "generate-authenticate-options");
  }
  await get(b, "options for a known id alone", "generate-authenticate-options");
  await post(b, "a known id alone", "verify-authentication", { response: { id: made[0].credentialID } });
  for (const q of ["authenticatorAttachment=usb", "authenticatorAttachment=", "name=a&name=b", "context=x", "context=x&context=y", "other=1"]) {
    await get(a, `register options ?${q}`, `generate-register-options?${q}`);
  }
  for (const id of ["", "unknown", null, 1]) {
    await post(a, `delete ${JSON.stringify(id)}`, "delete-passkey", { id });
    await post(a, `update ${JSON.stringify(id)}`, "update-passkey", { id, name: "x" });
  }
  for (const name of ["", "  ", null, 1]) await post(a, `rename to ${JSON.stringify(name)}`, "update-passkey", { id: made[0].id, name });
  await post(a, "rename with spaces", "update-passkey", { id: made[0].id, name: "  New name  " });
  for (const [method, path] of [["POST", "generate-register-options"], ["POST", "generate-authenticate-options"], ["GET", "verify-registration"],
    ["GET", "verify-authentication"], ["POST", "list-user-passkeys"], ["DELETE", "delete-passkey"], ["HEAD", "generate-authenticate-options"]]) {
    await s.step(`${method} ${path}`, () => a.raw(method, `${p}/${path}`, method === "POST" ? {} : undefined));
  }
  for (const [method, path] of [["GET", "list-user-passkeys"], ["POST", "delete-passkey"], ["POST", "update-passkey"], ["POST", "verify-registration"]]) {
    await s.step(`${path} without a session`, () => s.client().raw(method, `${p}/${path}`, method === "POST" ? { id: made[0].id, name: "x", response: {} } : undefined));
  }
}

async function sessions(s) {
  const { signUp, register, post, get, signIn } = moves(s);
  const a = await signUp("ann"), b = await signUp("bob");
  const key = new Authenticator({ origin: s.server.base });
  await register(a, key, "register and sign in", { body: { name: "Key", createSession: true } });
  await s.step("session", () => a.api.getSession());
  await register(a, key, "createSession false", { body: { createSession: false } });
  const o = (await get(a, "ann's options", "generate-register-options")).body;
  await post(b, "bob answers without options", "verify-registration", { response: key.register(o) });
  key.credentials.pop();
  const wrong = (await get(a, "register options", "generate-register-options")).body;
  await post(a, "an answer to the other ceremony", "verify-authentication", { response: key.authenticate({ challenge: wrong.challenge }) });
  const again = (await get(a, "authenticate options", "generate-authenticate-options")).body;
  await post(a, "and the other way round", "verify-registration", { response: key.register({ ...o, challenge: again.challenge }) });
  key.credentials.pop();
  await signIn(b, key, "bob's browser signs in as ann");
  await s.step("it is ann", () => b.api.getSession());
  await signIn(s.client(), key, "another challenge", { credential: { ...key.credentials.at(-1), rpId: "localhost" } });
}

async function stale(s) {
  const { signUp, get, post } = moves(s);
  const a = await s.within(3000, async () => {
    const c = await signUp("stale");
    await get(c, "in time", "generate-register-options");
    return c;
  });
  await sleep(3500);
  await get(a, "too late", "generate-register-options");
  await post(a, "too late to register", "verify-registration", { response: {} });
  await get(a, "to list is fine", "list-user-passkeys");
  await get(a, "to authenticate is fine", "generate-authenticate-options");
}

async function configured(s) {
  const { signUp, register, signIn } = moves(s);
  const a = await signUp("conf");
  const key = new Authenticator({ origin: "https://one.example" });
  await register(a, key, "one origin");
  await signIn(s.client(), key, "the other origin", { origin: "http://localhost:1" });
  await signIn(s.client(), key, "not the server's own", { origin: s.server.base });
  await signIn(s.client(), key, "a longer one", { origin: "https://one.example.evil.example" });
}

// A signature that is wrong is told from one that has no form.
async function signatures(s) {
  const { signUp, register, get, post } = moves(s);
  const a = await signUp("signatures");
  const der = (hex) => Buffer.from(hex, "hex").toString("base64url");
  const forms = { zeros: () => "AAAA", none: () => undefined, empty: () => "", "cut short": (x) => x.slice(0, -4), changed: (x) => x.slice(0, -8) + (x.at(-8) === "A" ? "B" : "A") + x.slice(-7),
    "small numbers": () => der("3006020101020101"), "large numbers": () => der("30470222" + "01".repeat(34) + "0221" + "01".repeat(33)), "no wrapping": () => der("01".repeat(64)), number: () => 1, "no base64": () => "!!!" };
  for (const alg of [-7, -8, -257]) for (const some of [Object.entries(forms).slice(0, 5), Object.entries(forms).slice(5)]) {
    const key = new Authenticator({ origin: s.server.base, alg });
    await register(a, key, `register ${alg}`);
    for (const [label, form] of some) {
      const c = s.client(), answer = key.authenticate((await get(c, "options", "generate-authenticate-options")).body);
      answer.response.signature = form(answer.response.signature);
      await post(c, `${alg} ${label}`, "verify-authentication", { response: answer });
    }
  }
}

const plugins = ["passkey"];
const selection = { residentKey: "required", userVerification: "discouraged", authenticatorAttachment: "platform" };
export const parts = [
  { name: "keys", plugins, run: keys },
  { name: "input", plugins, run: input },
  { name: "signatures", plugins, run: signatures },
  { name: "sessions", plugins, run: sessions },
  { name: "stale", plugins, options: { freshAge: 3 }, run: stale },
  { name: "configured", plugins, options: { passkey: { rpName: "Example", origin: ["https://one.example", "http://localhost:1"], authenticatorSelection: selection,
    registration: { extensions: { minPinLength: true } }, authentication: { extensions: { uvm: true } }, advanced: { webAuthnChallengeCookie: "pk" } } }, run: configured },
];

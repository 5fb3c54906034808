// Passkeys, magic links and their outstanding challenges, from one server to the other and back.
import { Authenticator } from "../authenticator.mjs";

export const plugins = ["magic-link", "passkey"];
const p = "/api/auth/passkey";
const options = (s, c, label, path) => s.step(label, async () => (await c.raw("GET", `${p}/${path}`)).body);
const post = (s, c, label, path, body) => s.step(label, () => c.raw("POST", `${p}/${path}`, body));
const ask = (s, c, email) => s.step(`${email} asks for a link`, () => c.api.signIn.magicLink({ email, name: "Linked", callbackURL: "/in", newUserCallbackURL: "/new" }));
const follow = (s, c, label, m) => s.step(label, () => c.raw("GET", s.path(m.url)));

const signIn = async (s, key, label) => {
  const c = s.client();
  const o = await options(s, c, `${label}: options`, "generate-authenticate-options");
  await post(s, c, label, "verify-authentication", { response: key.authenticate(o) });
};

export default [
  async (s, m) => {
    m.ann = s.client();
    m.key = new Authenticator({ origin: "http://localhost:1" });
    await s.step("ann signs up", () => m.ann.api.signUp.email({ email: "ann@example.com", password: "correct horse 1", name: "Ann" }));
    m.key.origin = s.server.base;
    const reg = await options(s, m.ann, "ann registers: options", "generate-register-options");
    m.passkey = (await post(s, m.ann, "ann registers", "verify-registration", { response: m.key.register(reg), name: "One" })).body;
    await signIn(s, m.key, "ann signs in");
    m.reg = await options(s, m.ann, "options for a second key", "generate-register-options");
    m.bob = s.client();
    m.get = await options(s, m.bob, "options to sign in later", "generate-authenticate-options");
    await ask(s, m.bob, "linked@example.com");
    m.link = await s.mail("linked@example.com", "magic-link");
    await ask(s, m.bob, "ann@example.com");
    m.annLink = await s.mail("ann@example.com", "magic-link");
  },
  async (s, m) => {
    m.key.origin = s.server.base;
    await post(s, m.ann, "the second key, begun elsewhere", "verify-registration", { response: m.key.register(m.reg), name: "Two" });
    m.second = m.key.credentials.pop();
    await post(s, m.bob, "signing in, begun elsewhere", "verify-authentication", { response: m.key.authenticate(m.get) });
    await post(s, m.bob, "once", "verify-authentication", { response: m.key.authenticate(m.get) });
    await follow(s, s.client(), "the link makes a user", m.link);
    await follow(s, s.client(), "once", m.link);
    await options(s, m.ann, "ann's passkeys", "list-user-passkeys");
    await post(s, m.ann, "the first is renamed", "update-passkey", { id: m.passkey.id, name: "Uno" });
    m.late = s.client();
    m.lateGet = await options(s, m.late, "options to sign in back there", "generate-authenticate-options");
    await ask(s, m.late, "linked@example.com");
    m.link = await s.mail("linked@example.com", "magic-link");
  },
  async (s, m) => {
    m.key.origin = s.server.base;
    await post(s, m.late, "back: signing in", "verify-authentication", { response: m.key.authenticate(m.lateGet) });
    await follow(s, s.client(), "the link signs in", m.link);
    await signIn(s, m.key, "the first key");
    m.key.credentials.push(m.second);
    await signIn(s, m.key, "the second key");
    m.key.credentials.pop();
    await post(s, m.ann, "the first goes", "delete-passkey", { id: m.passkey.id });
  },
  async (s, m) => {
    m.key.origin = s.server.base;
    await signIn(s, m.key, "and again: the first is gone");
    m.key.credentials.push(m.second);
    await signIn(s, m.key, "the second is not");
    await follow(s, s.client(), "ann's old link claims her account", m.annLink);
    await s.step("ann's password went", () => s.client().api.signIn.email({ email: "ann@example.com", password: "correct horse 1" }));
  },
];

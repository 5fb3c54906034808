// Signing up: options, odd names, addresses and passwords.
const who = { email: "up@example.com", password: "correct horse 1", name: "Up" };
const path = "/api/auth/sign-up/email";
const post = (s, label, body, c = s.client()) => s.step(label, () => c.raw("POST", path, body));
export const parts = [
  { name: "default", options: {}, run: async (s) => {
    const p = (label, body) => post(s, label, body);
    await p("nothing", {});
    await p("numbers", { email: 1, password: 2, name: 3, image: 4, rememberMe: "yes", callbackURL: "/x" });
    await p("nulls", { email: null, password: null, name: null });
    await p("image null", { ...who, image: null });
    await p("empty password", { ...who, password: "" });
    await p("empty name", { ...who, email: "noname@example.com", name: "" });
    await p("image", { ...who, email: "img@example.com", image: "https://example.com/a.png" });
    await p("image that is no URL", { ...who, email: "img2@example.com", image: "nonsense" });
    await p("empty image", { ...who, email: "img3@example.com", image: "" });
    await p("callback", { ...who, email: "cb@example.com", callbackURL: "/welcome" });
    await p("foreign callback", { ...who, email: "cb2@example.com", callbackURL: "https://evil.example/" });
    await p("long name", { ...who, email: "long@example.com", name: "n".repeat(20000) });
    await p("unicode name", { ...who, email: "uni@example.com", name: "Zoë 😀 日本語 <b>&\u2028" });
    await p("name with spaces around", { ...who, email: "space@example.com", name: "  x  " });
    await p("fields of the user are not taken", { ...who, email: "ev@example.com", emailVerified: true, id: "mine", createdAt: "2020-01-01T00:00:00.000Z", role: "admin" });
    for (const [i, email] of [
      "plain", "@example.com", "a@", "a@b", "a@b.c", "a b@example.com", " lead@example.com", "trail@example.com ", "a@example..com", "a..b@example.com",
      ".a@example.com", "a.@example.com", "a@-example.com", "a@example-.com", "a@exam_ple.com", "a@[127.0.0.1]", "a@127.0.0.1", "\"q\"@example.com", "a@example.com\n", "a,b@example.com",
      "a+tag@example.com", "a_b@example.com", "a'b@example.com", "a-b@example.com", "-a@example.com", "a%b@example.com", "a!b@example.com", "a/b@example.com", "ü@example.com", "a@exämple.com", "a@xn--exmple-cua.com", "a@example.museum", "a@sub.sub.example.co.uk", "a@example.c1", "a@example.123",
      "A.B@EXAMPLE.COM", `${"l".repeat(64)}@example.com`, `${"l".repeat(65)}@example.com`, `a@${"d".repeat(63)}.com`, `a@${"d".repeat(64)}.com`, `${"l".repeat(300)}@example.com`, "a@b@example.com", "a@example.com.", "",
    ].entries()) await p(`address ${i}: ${email.slice(0, 30)}`, { ...who, email });
    await p("signed up in capitals", { ...who, email: "CAPS@Example.Com" });
    await s.step("lower case at sign-in", () => s.client().api.signIn.email({ ...who, email: "caps@example.com" }));
  } },
  { name: "passwords", options: {}, run: async (s) => {
    const c = s.client();
    let n = 0;
    const pair = async (label, set, ...tries) => {
      const email = `pw${n++}@example.com`;
      await post(s, `${label}: sign up`, { ...who, email, password: set });
      for (const [i, t] of tries.entries()) await s.step(`${label}: sign in ${i}`, () => c.raw("POST", "/api/auth/sign-in/email", { email, password: t }));
    };
    await pair("NFKC: composed and decomposed are one", "caf\u00e9 caf\u00e9", "cafe\u0301 cafe\u0301", "caf\u00e9 caf\u00e9", "cafe cafe");
    await pair("NFKC: ligature and full width", "\ufb01ne \uff21\uff22\uff23 1", "fine ABC 1");
    await pair("spaces count", " correct horse ", "correct horse", " correct horse ");
    await pair("case counts", "Correct Horse", "correct horse", "Correct Horse");
    await pair("emoji", "😀😀😀😀", "😀😀😀😀", "😀😀😀");
    await pair("long in bytes, not in units", "日".repeat(128), "日".repeat(128));
    await pair("too long in units", "😀".repeat(65), "😀".repeat(65));
    await pair("control characters", "tab\tnew\nline\u0001", "tab\tnew\nline\u0001", "tab new line");
    await pair("one sign of NFKC becomes eighteen", "\ufdfa".repeat(8), "\ufdfa".repeat(8));
  } },
  { name: "no automatic sign-in", options: { autoSignIn: false, additionalFields: { user: { plan: { type: "string", required: false, defaultValue: "free" }, note: { type: "string", required: false }, hidden: { type: "string", required: false, returned: false } } } }, run: async (s) => {
    const c = s.client();
    await post(s, "sign up", who, c);
    await s.step("no session", () => c.api.getSession());
    await post(s, "again: as if it were new", { ...who, name: "Other", plan: "pro" });
    const r = await post(s, "again, hidden field", { ...who, hidden: "x" });
    s.note("what is not returned", { hidden: "hidden" in r.body.user });
    await post(s, "again, password too short", { ...who, password: "x" });
    await s.step("sign in", () => c.api.signIn.email(who));
    await s.step("as it was", () => c.api.getSession());
  } },
  { name: "disabled", options: { disableSignUp: true }, run: async (s) => {
    await post(s, "sign up", who);
    await post(s, "nothing", {});
    await s.step("sign in", () => s.client().api.signIn.email(who));
  } },
  { name: "with a session", options: { cookieCache: true }, run: async (s) => {
    const c = s.client();
    await post(s, "sign up", who, c);
    await post(s, "sign up another", { ...who, email: "up2@example.com" }, c);
    await s.step("now as that one", () => c.api.getSession());
    await post(s, "a taken address", who, c);
    await s.step("sign in as the first", () => c.api.signIn.email(who));
    await s.step("wrong password keeps the session", () => c.api.signIn.email({ ...who, password: "wrong horse 1" }));
    await s.step("still in", () => c.api.getSession());
  } },
];

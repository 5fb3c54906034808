// The page that failed redirects end on. Its HTML is a server's own; the code in it is not.
const codes = ["INVALID_TOKEN", "a-b_c'1", "a b", "<script>", "%3Cscript%3E", "", "x".repeat(300), "état"];
export const parts = [
  { name: "page", options: {}, run: async (s) => {
    const c = s.client();
    const go = async (label, q) => {
      const r = await s.step(label, () => c.http("GET", `/api/auth/error${q}`));
      s.note(`${label}: text`, { script: /<script>alert/i.test(r.text), shown: /INVALID_TOKEN/.test(r.text) });
    };
    await go("bare", "");
    for (const code of codes) await go(`error=${code.slice(0, 20)}`, `?error=${encodeURIComponent(code)}`);
    await go("raw markup", "?error=%3Cscript%3Ealert(1)%3C/script%3E");
    await go("description", "?error=INVALID_TOKEN&error_description=It%20went%20wrong");
    await go("description with markup", `?error=INVALID_TOKEN&error_description=${encodeURIComponent("<script>alert(1)</script>\"'&")}`);
    await go("two errors", "?error=INVALID_TOKEN&error=OTHER");
  } },
  { name: "elsewhere", options: { errorURL: "/oops?from=auth" }, run: async (s) => {
    const c = s.client();
    const go = (label, q) => s.step(label, () => c.http("GET", `/api/auth/error${q}`));
    await go("bare", "");
    for (const code of codes) await go(`error=${code.slice(0, 20)}`, `?error=${encodeURIComponent(code)}`);
    await go("description", `?error=INVALID_TOKEN&error_description=${encodeURIComponent("It went <wrong> & more")}`);
    await go("more parameters are dropped", "?error=A&state=b");
    await s.step("a reset link without a callback still ends on the page", () => c.raw("GET", "/api/auth/reset-password/nonsense?callbackURL="));
  } },
];

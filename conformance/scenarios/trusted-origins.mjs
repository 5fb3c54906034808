// trustedOrigins: what each kind of pattern lets through, as an origin and as a callback.
const patterns = [
  "https://app.example", "https://port.example:8443", "https://*.wild.example", "http*://any.example", "*.bare.example", "192.168.*.*", "https://10.0.0.*", "https://q?.example", "myapp://", "deep://host/cb", "star://*.host/ok", "http://localhost:*",
];
const urls = [
  "https://app.example", "https://app.example/", "https://app.example/a/b?c#d", "https://app.example:443/x", "https://app.example:8443", "http://app.example", "https://APP.EXAMPLE/x", "https://app.example.", "https://app.example.evil.example", "https://evil.example/https://app.example", "https://user:pw@app.example/x", "https://app.example@evil.example", "https://app.example%2F@evil.example", "https:app.example", "https:/app.example", "HTTPS://app.example", "//app.example", "app.example",
  "https://port.example:8443/x", "https://port.example", "https://a.wild.example", "https://a.b.wild.example/x", "https://wild.example", "http://a.wild.example", "https://a.wild.example:99", "https://evilwild.example", "https://x.wild.example.evil.example", "https://evil.example/.wild.example", "https://evil.example#.wild.example", "https://evil.example?.wild.example",
  "http://any.example", "https://any.example", "httpx://any.example", "ftp://any.example", "https://a.bare.example", "http://a.bare.example/x", "http://a.bare.example:80", "http://a.bare.example:8080", "bare.example", "https://bare-exact.example",
  "http://192.168.1.1", "http://192.168.1.1:3000", "http://192.168.evil.com", "http://192.168.1.1.evil.com", "http://192.168.300.1", "https://10.0.0.7", "http://10.0.0.7", "https://10.0.0.evil", "https://q1.example", "https://q12.example", "https://q.example",
  "myapp://", "myapp://x", "myapp://host/path?x#y", "MyApp://x", "myapp:x", "otherapp://x", "deep://host/cb", "deep://host/cb/x", "deep://host/cbx", "deep://host/cb/../evil", "deep://host/cb/%2e%2e/evil", "deep://HOST/cb", "deep://other/cb", "deep://host", "star://a.host/ok", "star://a.host/no", "star://evil@a.host/ok", "star://a.host/ok?x=1",
  "http://localhost:1", "http://localhost", "http://localhost.evil.example:1", "http://localhost:1@evil.example", "https://Upper.Example", "https://upper.example",
  "javascript:alert(1)", "JavaScript:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "blob:https://app.example/x", "about:blank", "file:///etc/passwd", "mailto:a@example.com", "nonsense", "http://", "https://", "http:", "://", ":", "*", "?", "https://*", "https://[::1]", "http://0x7f000001",
];
const json = { "content-type": "application/json" };
export const parts = [
  { name: "patterns", options: { trustedOrigins: patterns, rateLimit: false }, run: async (s) => {
    for (const [i, u] of urls.entries()) {
      const body = { email: "nobody@example.com", password: "x".repeat(200), callbackURL: u };
      await s.step(`callback ${i}: ${u}`, () => s.client().http("POST", "/api/auth/sign-in/email", { headers: json, body }));
      if (/^[\x21-\x7e]+$/.test(u)) await s.step(`origin ${i}: ${u}`, () => s.client().http("POST", "/api/auth/sign-in/email", { headers: { ...json, origin: u }, body: { ...body, callbackURL: undefined } }));
    }
  } },
];

// Writes corpus.json: Better Auth's verdict for every pair of pattern and address.
//   node corpus.mjs <directory of the better-auth package> > corpus.json
import { pathToFileURL } from "node:url";
import { join, resolve } from "node:path";
const { matchesOriginPattern } = await import(pathToFileURL(join(resolve(process.argv[2]), "dist/auth/trusted-origins.mjs")));

const patterns = [
  "https://example.com", "http://localhost:3000", "https://example.com:8443", "http://[::1]:3000", "https://xn--4ca.example",
  "*.example.com", "https://*.example.com", "*://*.example.com", "http*://example.com", "https://app-?.example.com", "https://*.example.com:*",
  "https://preview-*.vercel.app", "*-team.vercel.app", "http://localhost:*", "localhost:*", "http://[::1]:*", "*.localhost",
  "192.168.*.*", "192.168.*", "http://10.*:3000", "http://192.168.1.1?:80*", "*.0.0.1",
  "myapp://", "MyApp://", "myapp:", "myapp://host", "myapp://host/cb", "myapp:///cb", "myapp:/cb", "com.example.app:/oauth", "myapp://*", "myapp://*.example.com", "myapp://*/cb/*", "myapp://host/c?", "myapp://h?st",
  "exp://10.*.*.*:*/*", "exp://192.168.*:8081", "chrome-extension://abcdef", "capacitor://localhost",
];
const urls = [
  // relative
  "/", "/ok", "/ok?next=//evil.com", "/ok#//evil.com", "/a/b/../c", "/a//b", "//evil.com", "///evil.com", "/\\evil.com", "/ok\\x", "\\/evil.com", "/\t/evil.com", "/\n/evil.com", "/ok\u0000", "/ok\u0085", "/ok\u2028", "/ok\u007f",
  "/%2f%2fevil.com", "/%2F/evil.com", "/%5cevil.com", "/a%2fb", "/a?x=%2f", "/a?x=\\", "/./evil", "/.//evil.com", "/..//evil.com", "/a/..//evil.com", "/%2e//evil.com", "/%2E%2e//evil.com", "/a/.//b", "/@evil.com", "/:80", "/ä", "/a b", "/ok ", " /ok", "ok", "./ok", "../ok", "?x", "#x", "",
  // http and https
  "https://example.com", "https://example.com/", "https://example.com/a/b?c#d", "HTTPS://EXAMPLE.COM", "https://example.com:443", "http://example.com", "http://example.com:80", "https://example.com:8443/x", "https://example.com:444",
  "https://example.com.evil.com", "https://evil-example.com", "https://evilexample.com", "https://example.com@evil.com", "https://user:pw@example.com/", "https://evil.com#@example.com", "https://evil.com?@example.com", "https://evil.com/@example.com", "https://evil.com\\@example.com", "https://example.com\\@evil.com", "https:\\\\example.com", "https:example.com", "https:/example.com", "https:///example.com", " https://example.com", "https://example.com ", "\thttps://example.com", "ht\ttps://example.com", "https://exam\nple.com", "https://example.com/\r\nX: y", "https://example.com/\u0000", "https://example.com/a b", "https://example.com.", "https://example%2ecom", "https://ex%61mple.com", "https://ｅxample.com", "https://ä.example", "https://example。com",
  "https://a.example.com", "https://a.b.example.com", "https://a.example.com:8443", "http://a.example.com", "https://.example.com", "https://a.example.com.evil.com", "https://a.example.comevil", "https://evil.com/.example.com", "https://evil.com#.example.com", "https://evil.com?.example.com", "https://evil.com%2f.example.com", "https://evil.com\\.example.com", "https://evil.com:80.example.com", "https://u@a.example.com", "https://app-1.example.com", "https://app-12.example.com", "https://app.example.com", "https://app.example.comx", "https://app.example.com:1",
  "https://preview-1.vercel.app", "https://preview-1.evil.com", "https://preview-.evil.com/.vercel.app", "https://x-team.vercel.app", "https://evil.vercel.app",
  "http://localhost", "http://localhost:3000", "http://localhost:5173/x", "http://localhost:80", "https://localhost:3000", "http://localhost.evil.com:80", "http://localhostevil:80", "http://a.localhost", "http://a.localhost:3000", "http://127.0.0.1", "http://127.1", "http://0x7f.1", "http://2130706433", "http://[::1]:3000", "http://[0:0:0:0:0:0:0:1]:3000", "http://[::1]", "http://[::ffff:127.0.0.1]:3000",
  "http://192.168.1.1", "http://192.168.1.1:8080", "https://192.168.1.1", "http://192.168.1.10:80", "http://192.168.1.12:8080", "http://192.168.evil.com", "http://192.168.1.evil.com", "http://192.168.1.1.evil.com", "http://192.168.257", "http://192.168.1.256", "http://0xc0.168.1.1", "http://192.168.010.1", "http://10.1.2.3:3000", "http://10.1.2.3", "http://10.evil.com:3000", "http://192.168.1.1@evil.com", "http://[192.168.1.1]",
  "null", "https://", "https:", "http://:80", "https://example.com:99999", "https://a b",
  // custom schemes
  "myapp://", "myapp:", "MYAPP://HOST/cb", "myapp://host", "myapp://host/", "myapp://host/cb", "myapp://host/cb/", "myapp://host/cb/x", "myapp://host/cbx", "myapp://host/cb?x=1#y", "myapp://host/cb/../evil", "myapp://host/cb/%2e%2e/evil", "myapp://host/cb/..%2fevil", "myapp://host/cb/%252e%252e/evil", "myapp://host/cb/..\\evil", "myapp://host/cb%5c..", "myapp://host/evil/../cb", "myapp://host/%63b", "myapp://host/cb%zz", "myapp://host/cb%ff", "myapp://host//cb", "myapp://host?/cb", "myapp://host#/cb", "myapp://host:80/cb", "myapp://user@host/cb", "myapp://host@evil/cb", "myapp://evil/cb", "myapp://evil/host/cb", "myapp:///cb", "myapp:/cb", "myapp:cb", "myapp:/cb/../evil", "myapp://a.example.com", "myapp://a.example.com@evil", "myapp://evil/a.example.com", "myapp://evil?.example.com", "myapp://evil\\.example.com", "myapp://x/cb/y", "myapp://x/cb", "myapp://x/cb/y/z", "myapp://hast", "myapp://a b", "myapp://host/ä", "myapp://host/\ncb", " myapp://host", "myapp2://host", "com.example.app:/oauth", "com.example.app:/oauth/x", "com.example.app://oauth", "com.example.app.evil:/oauth",
  "exp://10.0.0.1:8081/--/cb", "exp://10.0.0.1:8081", "exp://10.0.0.1/x", "exp://10.evil.com:8081/x", "exp://192.168.1.2:8081", "exp://192.168.1.2:8081/x", "exp://192.168.evil.com:8081", "exp://u@192.168.1.2:8081", "chrome-extension://abcdef", "chrome-extension://abcdef/page.html", "chrome-extension://abcdefg", "chrome-extension://evil/abcdef", "capacitor://localhost", "capacitor://localhost:1",
  "javascript:alert(1)", "javascript://example.com/%0aalert(1)", "javascript://a.example.com/%0aalert(1)", "JavaScript://a.localhost/%0aalert(1)", "java\tscript://a.example.com/x", " javascript://a.example.com", "javascript://192.168.1.1/%0aalert(1)", "javascript://localhost:3000/%0aalert(1)", "data:text/html,x", "data://a.example.com,x", "vbscript://a.example.com/x", "blob:https://example.com/x", "blob://a.example.com/x", "file:///etc/passwd", "file://a.example.com/x", "ftp://a.example.com/x", "ws://a.example.com", "wss://a.example.com/x", "intent://a.example.com/x", "about:blank", "mailto:a@a.example.com", "view-source:https://example.com",
];
const out = { patterns, urls, url: {}, origin: {} };
for (const p of patterns) {
  out.url[p] = urls.filter((u) => matchesOriginPattern(u, p, { allowRelativePaths: true }));
  out.origin[p] = urls.filter((u) => matchesOriginPattern(u, p));
}
console.log(JSON.stringify(out, null, 1));

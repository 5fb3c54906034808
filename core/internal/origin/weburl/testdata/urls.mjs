// Writes urls.json: what the JavaScript URL class says of each input.
//   node urls.mjs > urls.json
const inputs = [
  "http://a", "HTTP://EXAMPLE.com:80/x", "https://example.com:443", "https://example.com:80", "https://a:0443",
  "http:a", "http:/a", "http:\\\\a\\b", "http:///a", "https:////a//b", "http://", "http:", "http:?x", "http:#", "http://#",
  "//a", "/a", "a", "", " ", ":", "1:a", "a:b", "a+.-1:b", "a_b:c", "ä:b",
  " http://a ", "\thttp://a\n", "ht\ttp://a", "http://a\tb", "http://a b", "http://a%20b", "http://a\u0000b", "\u0001http://a", "\u00a0http://a",
  "http://user@a", "http://user:pw@a:1", "http://a@b@c", "http://@a", "http://user@", "http://user@/x", "http://:pw@a", "http://a:b@c:80",
  "http://a:", "http://a:0", "http://a:00080", "http://a:65535", "http://a:65536", "http://a:x", "http://a:8 0", "http://a:-1", "http://:80",
  "http://a:99999999999999999999",
  "http://a\\@b", "http://a/@b", "http://a?@b", "http://a#@b", "http://a\\b", "http://a;b", "http://a,b", "http://a'b", "http://a_b", "http://-a-",
  "http://a..b", "http://a.", "http://.", "http://..", "http://.a", "http://a%2fb", "http://a%5cb", "http://a%", "http://a%zz", "http://%61",
  "http://a<b", "http://a>b", "http://a^b", "http://a|b", "http://a\u007fb", "http://a`b", "http://a{b}", "http://a\"b", "http://a!$&()*+=~",
  "http://1", "http://1.2", "http://1.2.3", "http://1.2.3.4", "http://1.2.3.4.", "http://1.2.3.4..", "http://1.2.3.4.5", "http://256.1.1.1", "http://1.1.1.256",
  "http://0x7f.1", "http://0x7F000001", "http://017700000001", "http://0x", "http://a.0x", "http://a.1", "http://a.0x1g", "http://08", "http://09.1", "http://0x100000000",
  "http://4294967295", "http://4294967296", "http://1..2", "http://1.a", "http://99999999999999999999999", "http://%31", "http://１.２", "http://127。0.0.1", "http://0000000000300",
  "http://[::1]", "http://[::1]:80", "http://[::1]:81", "http://[::1", "http://[]", "http://[::1]x", "http://[::1%25eth0]", "http://[::1%eth0]", "http://[1:2:3:4:5:6:7:8]", "http://[1:2:3:4:5:6:7::]",
  "http://[::1.2.3.4]", "http://[::ffff:1.2.3.4]", "http://[::FFFF:1.2.3.4]", "http://[1:0:0:2:0:0:0:3]", "http://[1:0:2::]", "http://[1:0:0:2:3:0:0:4]", "http://[0:1:2:3:4:5:6:7]", "http://[0::0]", "http://[00001::]", "http://[::01.2.3.4]", "http://[1.2.3.4]", "http://[::1.2.3]", "http://[1:2:3:4:5:6:7:1.2.3.4]", "http://[:1]", "http://[1:]", "http://x[::1]", "http://[g::]",
  "http://ä.example", "http://XN--4CA.example", "http://xn--4ca.example", "http://xn--a", "http://xn--", "http://ＧＯＯＤ.com", "http://good\u00ad.com", "http://\u00ad", "http://ß.de", "http://faß.de", "http://a\u200db", "http://\u05d0a", "http://Ⅷ", "http://a\u3002b", "http://\u2488com", "http://☕.example", "http://a\uff0fb", "http://a\uff20b",
  "http://ab--cd.com", "http://a-.com", "http://" + "a".repeat(64) + ".com", "http://" + "ab.".repeat(100) + "com", "http://%E4", "http://%C3%A4", "http://a\ufffd",
  "file:///x", "file://host/x", "file://localhost/x", "file:x", "file:", "file://C:/x", "file://a b/x", "file:\\\\host\\x", "file://h:80/x", "FILE://HOST",
  "ws://a:80", "wss://a:443", "ftp://a:21", "ftp://a:22", "ws:a",
  "myapp://", "myapp://Host", "myapp://host:80", "myapp://host:", "myapp://:80", "myapp://u@h", "myapp://u@", "myapp://@", "myapp://@/x", "myapp:///x", "myapp:/x", "myapp:x", "myapp:", "MyApp://h", "myapp://a b", "myapp://a%20b", "myapp://a\\b", "myapp:\\\\a", "myapp://a<b", "myapp://a^b", "myapp://a|b", "myapp://ä", "myapp://a\u007f", "myapp://a\u0001b", "myapp://[::1]", "myapp://[x]", "myapp://a:x", "myapp://a:65536", "myapp://1.2.3", "myapp://a%", "myapp://a\"b`{}",
  "javascript:alert(1)", "javascript://a/%0aalert(1)", "data:text/html,x", "vbscript:x", "blob:https://a/b", "about:blank", "mailto:a@b", "chrome-extension://abc/x", "exp://192.168.0.1:8081/--/cb",
];
console.log(JSON.stringify(inputs.map((input) => {
  try {
    const u = new URL(input);
    return { input, ok: true, protocol: u.protocol, host: u.hostname, port: u.port, origin: /^https?:$/.test(u.protocol) ? u.origin : "" };
  } catch {
    return { input, ok: false };
  }
}), null, 1));

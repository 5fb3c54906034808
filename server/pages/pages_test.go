package pages

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func mustNew(t *testing.T, o Options) *Pages {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestServePaths(t *testing.T) {
	root := mustNew(t, Options{})
	below := mustNew(t, Options{Prefix: "/id"})
	tests := []struct {
		p     *Pages
		path  string
		want  int
		ctype string
	}{
		{root, "/", 200, "text/html; charset=utf-8"},
		{root, "", 200, "text/html; charset=utf-8"},
		{root, "/sign-in", 200, "text/html; charset=utf-8"},
		{root, "/sign-up", 200, "text/html; charset=utf-8"},
		{root, "/forgot", 200, "text/html; charset=utf-8"},
		{root, "/reset", 200, "text/html; charset=utf-8"},
		{root, "/verify", 200, "text/html; charset=utf-8"},
		{root, "/challenge", 200, "text/html; charset=utf-8"},
		{root, "/account", 200, "text/html; charset=utf-8"},
		{root, "/p/two-factor", 200, "text/html; charset=utf-8"},
		{root, "/m/email-password.js", 200, "text/javascript; charset=utf-8"},
		{root, root.asset + "shell.js", 200, "text/javascript; charset=utf-8"},
		{root, root.asset + "style.css", 200, "text/css; charset=utf-8"},
		{root, root.asset + "icon.svg", 200, "image/svg+xml"},
		{root, "/a/0123456789abcdef/shell.js", 200, "text/javascript; charset=utf-8"},

		{root, "/nothing", 404, "text/html; charset=utf-8"},
		{root, "/sign-in/", 404, "text/html; charset=utf-8"},
		{root, "//sign-in", 404, "text/html; charset=utf-8"},
		{root, "/Sign-In", 404, "text/html; charset=utf-8"},
		{root, "/sign%2din", 404, "text/html; charset=utf-8"},
		{root, "/p/", 404, "text/html; charset=utf-8"},
		{root, "/p/a/b", 404, "text/html; charset=utf-8"},
		{root, "/p/%3Cscript%3E", 404, "text/html; charset=utf-8"},
		{root, "/m", 404, "text/html; charset=utf-8"},
		{root, "/m/", 404, "text/html; charset=utf-8"},
		{root, "/m/../pages.go", 404, "text/html; charset=utf-8"},
		{root, "/m/shell.js", 404, "text/html; charset=utf-8"},
		{root, "/a/", 404, "text/html; charset=utf-8"},
		{root, strings.TrimSuffix(root.asset, "/"), 404, "text/html; charset=utf-8"},
		{root, root.asset, 404, "text/html; charset=utf-8"},
		{root, root.asset + "shell.html", 404, "text/html; charset=utf-8"},
		{root, root.asset + "m/profile.js", 404, "text/html; charset=utf-8"},
		{root, root.asset + "../m/profile.js", 404, "text/html; charset=utf-8"},
		{root, "/a/xyz/shell.js", 404, "text/html; charset=utf-8"},
		{root, "/api/auth/ok", 404, "text/html; charset=utf-8"},

		{below, "/id", 200, "text/html; charset=utf-8"},
		{below, "/id/", 200, "text/html; charset=utf-8"},
		{below, "/id/account", 200, "text/html; charset=utf-8"},
		{below, "/id/m/profile.js", 200, "text/javascript; charset=utf-8"},
		{below, "/account", 404, "text/html; charset=utf-8"},
		{below, "/", 404, "text/html; charset=utf-8"},
		{below, "/idaccount", 404, "text/html; charset=utf-8"},
	}
	for _, tt := range tests {
		status, header, body := tt.p.Serve(tt.path, "")
		if status != tt.want || header["Content-Type"] != tt.ctype || len(body) == 0 {
			t.Errorf("Serve(%q) = %d, %q, %d bytes; want %d, %q", tt.path, status, header["Content-Type"], len(body), tt.want, tt.ctype)
		}
	}
}

func TestSecurityHeadersOnEveryAnswer(t *testing.T) {
	p := mustNew(t, Options{})
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' " + hashOfFrameStyle(t) + "; img-src 'self' data:; " +
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), " +
			"publickey-credentials-create=(self), publickey-credentials-get=(self)",
		"Referrer-Policy":        "no-referrer",
		"X-Content-Type-Options": "nosniff",
		"X-Frame-Options":        "DENY",
	}
	for _, path := range []string{"/", "/account", "/p/x", "/nothing", "/m/profile.js", p.asset + "style.css", "/a/0123456789abcdef/api.js"} {
		_, got, _ := p.Serve(path, "")
		for k, v := range want {
			if got[k] != v {
				t.Errorf("Serve(%q): %s = %q, want %q", path, k, got[k], v)
			}
		}
	}
}

// hashOfFrameStyle is the style of the frames for mails, as a source of a policy (CSP Level 3, section 2.3.1).
func hashOfFrameStyle(t *testing.T) string {
	t.Helper()
	code, err := static.ReadFile("static/m/mail-body.js")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`const style = "([^"\\\\]+)";`).FindSubmatch(code)
	if m == nil {
		t.Fatal("mail-body.js has no style of one line")
	}
	sum := sha256.Sum256(m[1])
	source := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	if policy := "style-src " + source + ";"; !bytes.Contains(code, []byte(policy)) {
		t.Errorf("mail-body.js does not allow its own style: want %s", policy)
	}
	return source
}

func TestCaching(t *testing.T) {
	p := mustNew(t, Options{})
	tests := []struct {
		path, cache string
		tagged      bool
	}{
		{"/", "no-store", false},
		{"/reset", "no-store", false},
		{"/nothing", "no-store", false},
		{"/m/profile.js", "no-cache", true},
		{p.asset + "shell.js", "public, max-age=31536000, immutable", true},
		{"/a/0123456789abcdef/shell.js", "no-store", true},
	}
	for _, tt := range tests {
		_, h, body := p.Serve(tt.path, "")
		if h["Cache-Control"] != tt.cache {
			t.Errorf("%s: Cache-Control = %q, want %q", tt.path, h["Cache-Control"], tt.cache)
		}
		if tag := h["ETag"]; (tag != "") != tt.tagged || tt.tagged && tag != etag(body) {
			t.Errorf("%s: ETag = %q", tt.path, tag)
		}
	}
	// The lenient answer above must not have changed the strict one.
	if _, h, _ := p.Serve(p.asset+"shell.js", ""); h["Cache-Control"] != cacheForever {
		t.Errorf("after another hash: Cache-Control = %q", h["Cache-Control"])
	}
}

func TestHeaderIsTheCallersOwn(t *testing.T) {
	p := mustNew(t, Options{})
	for _, path := range []string{"/", "/nothing", "/m/profile.js"} {
		_, h, _ := p.Serve(path, "")
		before := maps.Clone(h)
		clear(h)
		if _, again, _ := p.Serve(path, ""); !maps.Equal(again, before) {
			t.Errorf("%s: emptying the header of one answer changed the next", path)
		}
	}
}

func TestMatch(t *testing.T) {
	tests := []struct {
		header, tag string
		want        bool
	}{
		{`"a"`, `"a"`, true},
		{`W/"a"`, `"a"`, true},
		{`"b", "a"`, `"a"`, true},
		{`*`, `"a"`, true},
		{`"b"`, `"a"`, false},
		{`a`, `"a"`, false},
		{``, `"a"`, false},
		{``, ``, false},
		{`*`, ``, false},
	}
	for _, tt := range tests {
		if got := Match(tt.header, tt.tag); got != tt.want {
			t.Errorf("Match(%q, %q) = %v", tt.header, tt.tag, got)
		}
	}
}

func TestShellSaysWhereThingsAre(t *testing.T) {
	p := mustNew(t, Options{BasePath: "/auth", Prefix: "/id", AppName: `<b>"Harbour" & co`})
	_, _, body := p.Serve("/id/sign-in", "")
	for _, want := range []string{
		`<meta name="sallyport-base" content="/auth">`,
		`<meta name="sallyport-prefix" content="/id">`,
		`<meta name="sallyport-app" content="&lt;b&gt;&#34;Harbour&#34; &amp; co">`,
		`<title>&lt;b&gt;&#34;Harbour&#34; &amp; co</title>`,
		`<script type="module" src="/id` + p.asset + `shell.js"></script>`,
		`<link rel="stylesheet" href="/id` + p.asset + `style.css">`,
		`<link rel="modulepreload" href="/id` + p.asset + `api.js">`,
	} {
		if !bytes.Contains(body, []byte(want)) {
			t.Errorf("shell lacks %s", want)
		}
	}
	if _, _, body := mustNew(t, Options{}).Serve("/", ""); !bytes.Contains(body, []byte(`content="/api/auth"`)) {
		t.Error("the default base path is not /api/auth")
	}
	_, _, absent := p.Serve("/id/<script>alert(1)</script>", "")
	if bytes.Contains(absent, []byte("alert")) || !bytes.Contains(absent, []byte("Page not found")) {
		t.Error("the page for unknown paths reflects the path or does not say what it is")
	}
}

// The policy forbids inline scripts, styles and handlers and other hosts; a page that
// has them would break only in a browser.
func TestNothingInlineAndNothingFromElsewhere(t *testing.T) {
	p := mustNew(t, Options{})
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script(?:\s[^>]*)?>[^<]`)
	elsewhere := regexp.MustCompile(`(?:https?:)?//[a-z0-9]`)
	for _, path := range []string{"/", "/nothing"} {
		_, _, body := p.Serve(path, "")
		if m := inline.Find(body); m != nil {
			t.Errorf("%s: inline %q", path, m)
		}
		if m := elsewhere.Find(body); m != nil {
			t.Errorf("%s: another host %q", path, m)
		}
	}
	host := regexp.MustCompile(`https?://`)
	unsafe := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|localStorage`)
	seen := 0
	for name, a := range p.fixed {
		ext := path.Ext(name)
		if ext != ".js" && ext != ".css" {
			continue
		}
		seen++
		if m := host.Find(a.body); m != nil {
			t.Errorf("%s: another host %q", name, m)
		}
		// The choice of a language is the one thing that is kept in a browser.
		if m := unsafe.Find(a.body); m != nil && !(string(m) == "localStorage" && strings.HasSuffix(name, "/language.js")) {
			t.Errorf("%s: %q", name, m)
		}
	}
	if seen < 15 {
		t.Errorf("looked at %d files only", seen)
	}
}

// Every import of the shell's parts must resolve to a part, and every one of a module to a module.
func TestImportsResolve(t *testing.T) {
	p := mustNew(t, Options{})
	imports := regexp.MustCompile(`from "\./([^"]+)"`)
	found := 0
	for name, a := range p.fixed {
		for _, m := range imports.FindAllSubmatch(a.body, -1) {
			if _, ok := p.fixed["/m/"+string(m[1])]; strings.HasPrefix(name, "/m/") && !ok {
				t.Errorf("%s imports %s, which is not there", name, m[1])
			}
		}
	}
	for name, a := range p.parts {
		for _, m := range imports.FindAllSubmatch(a.body, -1) {
			found++
			if _, ok := p.parts[string(m[1])]; !ok {
				t.Errorf("%s imports %s, which is not there", name, m[1])
			}
		}
	}
	if found == 0 {
		t.Error("no imports found")
	}
}

func TestPluginModules(t *testing.T) {
	code := []byte("export function render() {}\n")
	p := mustNew(t, Options{Modules: fstest.MapFS{"another-plugin.js": {Data: code}}})
	status, h, body := p.Serve("/m/another-plugin.js", "")
	if status != 200 || !bytes.Equal(body, code) || h["ETag"] != etag(code) {
		t.Errorf("Serve = %d, %q, %q", status, body, h["ETag"])
	}
	if status, _, _ := p.Serve("/m/profile.js", ""); status != 200 {
		t.Errorf("our own module: %d", status)
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name string
		opts Options
		want []string
	}{
		{"relative base", Options{BasePath: "api"}, []string{`BasePath "api"`}},
		{"base with slash at the end", Options{BasePath: "/api/"}, []string{`BasePath "/api/"`}},
		{"another host", Options{BasePath: "//evil.example/x"}, []string{"BasePath"}},
		{"dots", Options{BasePath: "/a/../b"}, []string{"BasePath"}},
		{"markup in the prefix", Options{Prefix: `/"><script>`}, []string{"Prefix"}},
		{"prefix is a slash", Options{Prefix: "/"}, []string{`Prefix "/"`}},
		{"long name", Options{AppName: strings.Repeat("n", 61)}, []string{"AppName"}},
		{"blank name", Options{AppName: "  "}, []string{"AppName"}},
		{"line break in the name", Options{AppName: "a\nb"}, []string{"AppName"}},
		{"two faults at once", Options{BasePath: "x", Prefix: "y"}, []string{"BasePath", "Prefix"}},
		{"our module's name", Options{Modules: fstest.MapFS{"profile.js": {}}}, []string{`module "profile.js" is there already`}},
		{"not a module", Options{Modules: fstest.MapFS{"x.html": {}}}, []string{`"x.html" is not the name of a module`}},
		{"a folder", Options{Modules: fstest.MapFS{"sub/x.js": {}}}, []string{`"sub" is not the name of a module`}},
		{"two bad modules", Options{Modules: fstest.MapFS{"X.js": {}, "y.css": {}}}, []string{`"X.js"`, `"y.css"`}},
		{"too large", Options{Modules: fstest.MapFS{"big.js": {Data: make([]byte, maxModule+1)}}}, []string{`"big.js" has 1048577 bytes`}},
	}
	for _, tt := range tests {
		p, err := New(tt.opts)
		if p != nil || err == nil {
			t.Errorf("%s: New = %v, %v; want an error", tt.name, p, err)
			continue
		}
		for _, w := range tt.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: error %q lacks %q", tt.name, err, w)
			}
		}
	}
}

func FuzzServe(f *testing.F) {
	for _, s := range []string{"/", "/a/0123456789abcdef/shell.js", "/m/profile.js", "/p/x", "/m/../x", "/%2e%2e/", "/\x00"} {
		f.Add(s)
	}
	p, err := New(Options{Prefix: "/id"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		status, h, body := p.Serve(path, "")
		if status != 200 && status != 404 || h["Content-Security-Policy"] != contentPolicy || len(body) == 0 {
			t.Errorf("Serve(%q) = %d, %v, %d bytes", path, status, h, len(body))
		}
		if status == 200 && !strings.HasPrefix(path, "/id") {
			t.Errorf("Serve(%q) answered outside of the prefix", path)
		}
	})
}

package origin

import (
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core/internal/origin/weburl"
)

func TestNewRefuses(t *testing.T) {
	for pattern, reason := range map[string]string{
		"":                                "is empty",
		"*":                               "trusts hosts of anybody",
		"**":                              "trusts hosts of anybody",
		"?":                               "trusts hosts of anybody",
		"*:3000":                          "trusts hosts of anybody",
		"https://*":                       "trusts hosts of anybody",
		"*://*":                           "trusts hosts of anybody",
		"http://*:3000":                   "trusts hosts of anybody",
		"*.*":                             "trusts hosts of anybody",
		"https://example.*":               "trusts hosts of anybody",
		"https://app.example.com?":        "trusts hosts of anybody",
		"http://localhost*":               "trusts hosts of anybody",
		"*.com":                           `names under "com" can be registered`,
		"*.co.uk":                         `names under "co.uk" can be registered`,
		"https://*example.com":            `names under "com" can be registered`,
		"https://my-*.de:*":               `names under "de" can be registered`,
		"example.com":                     "has no scheme",
		"localhost:3000":                  "has no scheme",
		"localhost:3000/":                 "has no scheme",
		"https:example.com":               "has no scheme",
		"https://":                        "is not a URL",
		"https://example.com/":            `write "https://example.com"`,
		"https://example.com/app":         `write "https://example.com"`,
		"https://example.com:443":         `write "https://example.com"`,
		"HTTPS://Example.com":             `write "https://example.com"`,
		"https://u@example.com":           `write "https://example.com"`,
		"http://127.1":                    `write "http://127.0.0.1"`,
		"https://*.example.com/":          "could never match",
		"https://*.example.com/*":         "could never match",
		"*.example.com/x":                 "could never match",
		"https://*@example.com":           "could never match",
		"https://*.Example.com":           "upper-case",
		"http://[::*]:80":                 "IPv6",
		"https://ä.example":               "outside ASCII",
		" https://example.com":            "space",
		"https://example.com\n":           "control character",
		`https://\*.example.com`:          "backslash",
		"*app://x":                        "only http and https",
		"javascript:":                     "never trusted",
		"JavaScript://*":                  "never trusted",
		"data:text/html":                  "never trusted",
		"vbscript://x":                    "never trusted",
		"blob://x":                        "never trusted",
		"file://x":                        "neither a web page's nor an app's",
		"ws://*.example.com":              "neither a web page's nor an app's",
		"1app://x":                        "no scheme",
		"://x":                            "no scheme",
		"null":                            "has no scheme",
		strings.Repeat("a", 2049) + "://": "2048",
	} {
		m, err := New([]string{"https://fine.example", pattern})
		var pe *PatternError
		if m != nil || !errors.As(err, &pe) || pe.Pattern != pattern || !strings.Contains(err.Error(), reason) {
			t.Errorf("New(%q) = %v, %v; want an error with %q", pattern, m, err, reason)
		}
	}
}

func TestNewNamesEveryFault(t *testing.T) {
	_, err := New([]string{"*", "https://fine.example", "example.com"})
	if err == nil || !strings.Contains(err.Error(), `"*"`) || !strings.Contains(err.Error(), `"example.com"`) ||
		strings.Contains(err.Error(), "fine") {
		t.Errorf("got %v", err)
	}
}

func TestNothingTrusted(t *testing.T) {
	empty, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*Matcher{nil, empty} {
		if m.Origin("https://example.com") || m.Origin("") || m.Origin("null") || m.URL("https://example.com") || m.URL("myapp://x") {
			t.Error("an empty matcher trusts something")
		}
		if !m.URL("/dashboard") {
			t.Error("a path of this site is refused")
		}
		if m.Origin("/dashboard") {
			t.Error("a path is taken for an origin")
		}
	}
}

// New lets no such pattern in; should one get in all the same, it opens nothing.
func TestDeniedSchemesStayDenied(t *testing.T) {
	for scheme := range denied {
		m := &Matcher{custom: []customPattern{{customURL: customURL{scheme: scheme}}}}
		if m.URL(scheme+"://x") || m.Origin(scheme+":x") {
			t.Errorf("%s: is trusted", scheme)
		}
	}
}

func TestLengthAndEncoding(t *testing.T) {
	m, err := New([]string{"https://example.com"})
	if err != nil {
		t.Fatal(err)
	}
	long := "https://example.com/" + strings.Repeat("a", maxURL)
	if !m.URL(long[:maxURL]) || m.URL(long[:maxURL+1]) || m.URL(long[19:19+maxURL+1]) || !m.URL(long[19:19+maxURL]) {
		t.Error("the longest address is not maxURL bytes")
	}
	for _, u := range []string{"https://example.com/\xff", "/\xff"} {
		if m.URL(u) {
			t.Errorf("%q is trusted", u)
		}
	}
}

// Whatever is trusted leads to a web origin that a pattern describes, to a scheme that
// one names, or nowhere else than here.
func FuzzURL(f *testing.F) {
	var c corpus
	read(f, "corpus.json", &c)
	for _, u := range c.URLs {
		f.Add(u)
	}
	m, err := New([]string{"https://example.com", "*.example.org", "http://localhost:*", "192.168.*", "myapp://host/cb", "exp://10.*:*/*"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if m.Origin(s) && !m.URL(s) {
			t.Fatalf("%q is an origin and no URL", s)
		}
		if !m.URL(s) {
			return
		}
		if s[0] == '/' {
			u, ok := weburl.Parse("https://here.example" + s)
			if !ok || u.Host != "here.example" || strings.HasPrefix(s, "//") || strings.Contains(s, `\`) {
				t.Fatalf("%q leads to %+v", s, u)
			}
			return
		}
		u, _ := weburl.Parse(s)
		switch {
		case u.Scheme == "myapp", u.Scheme == "exp":
		case u.Origin() == "https://example.com", strings.HasSuffix(u.Host, ".example.org"), u.Host == "localhost":
		case strings.HasPrefix(u.Host, "192.168.") && isIPv4(u.Host):
		default:
			t.Fatalf("%q leads to %+v", s, u)
		}
	})
}

func BenchmarkOrigin(b *testing.B) {
	m, err := New([]string{"https://example.com", "https://*.example.org"})
	if err != nil {
		b.Fatal(err)
	}
	for _, o := range []string{"https://example.com", "https://app.example.org"} {
		b.Run(o, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !m.Origin(o) {
					b.Fatal("not trusted")
				}
			}
		})
	}
}

func TestSource(t *testing.T) {
	for u, want := range map[string]string{
		"https://App.Example.com:443/a?b#c": "https://app.example.com", "http://localhost:3000": "http://localhost:3000",
		"http://[::1]:80/": "http://[::1]", "myapp://open": "myapp:", "/path": "", "": "", "javascript:alert(1)": "", "data:text/html,x": "",
		"https://a;script-src.example.com/": "", "https://a,b.example/": "", "https://a b.example/": "", "https://*.example.com/": "", `https:\\a.example`: "",
	} {
		if got := Source(u); got != want {
			t.Errorf("Source(%q) = %q, want %q", u, got, want)
		}
	}
}

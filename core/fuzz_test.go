package core_test

import (
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
)

// fuzzTarget is one Auth for a whole fuzzing process, with a user who has a session.
type fuzzTarget struct {
	e  *env
	c  *client
	id string
}

func newFuzzTarget(t testing.TB, options ...option) *fuzzTarget {
	e := start(t, append(options, config(func(c *core.Config) {
		c.Lockout.Disabled, c.Session.CookieCache.Enabled = true, true
		c.Logger = slog.New(slog.DiscardHandler)
		// The same tokens in every process: fuzzing runs several, with one list of seeds.
		c.Random = rand.NewChaCha8([32]byte{})
	}))...)
	c := e.client().signUp("a@example.com")
	return &fuzzTarget{e, c, c.user()}
}

// FuzzCookies: whatever stands in the Cookie header, get-session says null or the
// rightful user, and a session only where the header holds the token (CVE-2026-25748).
func FuzzCookies(f *testing.F) {
	x := newFuzzTarget(f)
	good := x.c.jar[tokenCookie]
	for _, s := range []string{"", "a=b", tokenCookie + "=" + good, x.c.cookieHeader(), dataCookie + "=" + x.c.jar[dataCookie], tokenCookie + "=" + good + "; " + dataCookie + ".0=a; " + dataCookie + ".99999999999=b",
		tokenCookie + "=\"" + good, tokenCookie + "=%", ";;;=;=;", strings.Repeat("a=b; ", 1000), tokenCookie + "=" + strings.Repeat(".", 5000), "\x00\xff=\x00", dataCookie + "=e30", forgetCookie + "=" + good} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cookies string) {
		r := x.c.request("GET", "/get-session", nil)
		r.header["Cookie"] = []string{cookies}
		a := x.e.do(r)
		if a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		if string(a.Body) == "null" {
			return
		}
		u, _ := a.json["user"].(map[string]any)
		decoded, _ := url.PathUnescape(cookies)
		if u["id"] != x.id || !strings.Contains(cookies+decoded, x.c.token()) {
			t.Fatalf("a session of %v for %q", u["id"], cookies)
		}
	})
}

// FuzzBodies: whatever the body is, signing in and up never fail with 5xx, and give a
// session only for the right password, or for a new user.
func FuzzBodies(f *testing.F) {
	x := newFuzzTarget(f)
	for _, s := range []string{"", "{}", "[]", "null", `{"email":"a@example.com","password":"x"}`, `{"email":"b@example.com","password":"long enough","name":"B"}`,
		`{"email":{"$ne":""},"password":{"$ne":""}}`, `{"email":"a@example.com","password":null}`, `{"email":"a@example.com","password":"x","rememberMe":"no"}`, `{"a":` + strings.Repeat("[", 100),
		`email=a%40example.com&password=x`, `email=&password=`, "\xef\xbb\xbf{}", `{"email":"a@example.com","password":"\ud800"}`, `{"__proto__":{"email":"a"}}`, `{"email":"a@example.com","email":"b@example.com"}`} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, body string, form bool) {
		for _, path := range []string{"/sign-in/email", "/sign-up/email"} {
			r := x.e.client().request("POST", path, nil)
			r.body, r.header["Content-Type"] = body, []string{"application/json"}
			if form {
				r.header["Content-Type"] = []string{"application/x-www-form-urlencoded"}
			}
			a := x.e.do(r)
			if a.Status >= 500 {
				t.Fatalf("%s: %d %s", path, a.Status, a.Body)
			}
			if got := a.cookies()[tokenCookie]; got != "" {
				u, _ := a.json["user"].(map[string]any)
				if path == "/sign-in/email" && !strings.Contains(body, "password") || u["id"] == x.id && !strings.Contains(body, "battery") {
					t.Fatalf("%s: a session for %q", path, body)
				}
			}
			if a.Status != 200 && len(a.cookies()) != 0 {
				t.Fatalf("%s: %d with cookies", path, a.Status)
			}
		}
	})
}

// FuzzVerifyQuery: whatever the query is, /verify-email is no 5xx, no session, and never
// redirects to where it must not.
func FuzzVerifyQuery(f *testing.F) {
	x := newFuzzTarget(f, config(func(c *core.Config) { c.Email.AutoSignIn = true }))
	x.c.must(200, "POST", "/send-verification-email", m{"email": "a@example.com"})
	good := x.e.mailed("verify-email").Token
	for _, s := range []string{"", "token=", "token=x", "token=" + good[:len(good)-2], "token=" + good + "x", "token=x&callbackURL=%2F", "token=x&callbackURL=https%3A%2F%2Fevil.example", "token=x&callbackURL=//evil.example",
		"token=x&token=y", "%", "token=%00", "token=a.b.c", "token=eyJhbGciOiJub25lIn0.eyJlbWFpbCI6ImFAZXhhbXBsZS5jb20ifQ.", "token=" + strings.Repeat(".", 3000), "callbackURL=/%0d%0aSet-Cookie:x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if strings.Contains(query, good) && !strings.Contains(query, good+"x") {
			return
		}
		r := x.e.client().request("GET", "/verify-email", nil)
		r.query = query
		a := x.e.do(r)
		if a.Status >= 500 || a.cookies()[tokenCookie] != "" {
			t.Fatalf("%d %s %v", a.Status, a.Body, a.cookies())
		}
		if to := a.Get("Location"); to != "" {
			if strings.ContainsAny(to, "\r\n\x00") {
				t.Fatalf("Location %q", to)
			}
			if strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && !strings.Contains(to, "\\") {
				return // a path of ours, though perhaps none that net/url can read
			}
			u, err := url.Parse(to)
			if err != nil || u.Host != "" && u.Host != "auth.example.com" && u.Host != "app.example.com" && u.Scheme != "myapp" {
				t.Fatalf("Location %q", to)
			}
		}
	})
}

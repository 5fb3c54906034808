package core_test

import (
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
)

// evil are targets that must never be redirected to (CVE-2024-56734 and its kin).
var evil = []string{"https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "https:/\\evil.example",
	"http://auth.example.com", "https://auth.example.com.evil.example", "https://auth.example.com@evil.example", "https://auth.example.com:444",
	"javascript:alert(1)", "data:text/html,x", "vbscript:x", "JAVASCRIPT:alert(1)", " javascript:alert(1)", "/%2f/evil.example", "/%5cevil.example",
	"https://app.example.com.evil.example", "https://evil.example#https://app.example.com", "https://evil.example/?https://app.example.com",
	"app", "?x", "#x", "/\r\nSet-Cookie: a=b", "http:evil.example", "///evil.example", "https://\u0430pp.example.com", "file:///etc/passwd", "myapp2://x"}

// Every endpoint that redirects refuses them, wherever they stand, and says so.
func TestCallbackTargets(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.User.DeleteUser.VerifyByMail = true }))
	c := e.client().signUp("a@example.com")
	c.must(200, "POST", "/send-verification-email", m{"email": "a@example.com"})
	token := e.mailed("verify-email").Token
	fields := map[string]string{"callbackURL": "INVALID_CALLBACK_URL", "redirectTo": "INVALID_REDIRECT_URL",
		"errorCallbackURL": "INVALID_ERROR_CALLBACK_URL", "newUserCallbackURL": "INVALID_NEW_USER_CALLBACK_URL"}
	posts := []string{"/sign-in/email", "/sign-up/email", "/request-password-reset", "/send-verification-email", "/change-email", "/delete-user", "/update-user", "/sign-out"}
	for _, target := range evil {
		for _, path := range posts {
			for field, code := range fields {
				if a := c.clone().post(path, m{field: target}); a.Status != 403 || a.code() != code {
					t.Errorf("POST %s %s=%q: %d %s", path, field, target, a.Status, a.Body)
				}
			}
			if a := c.clone().post(path+"?callbackURL="+core.EncodeURIComponent(target), m{}); a.Status != 403 || a.code() != "INVALID_CALLBACK_URL" {
				t.Errorf("POST %s?callbackURL=%q: %d %s", path, target, a.Status, a.Body)
			}
		}
		for _, path := range []string{"/verify-email?token=" + token, "/verify-email?token=x", "/reset-password/x?", "/delete-user/callback?token=x"} {
			a := c.clone().get(path + "&callbackURL=" + core.EncodeURIComponent(target))
			if a.Get("Location") != "" || a.Status < 400 {
				t.Errorf("GET %s %q: %d to %q", path, target, a.Status, a.Get("Location"))
			}
		}
	}
	for _, target := range []string{"/", "/x?y=1#z", base, base + "/x", "https://app.example.com/x", "https://APP.example.com", "myapp://open"} {
		if a := c.clone().post("/request-password-reset", m{"email": "a@example.com", "redirectTo": target}); a.Status != 200 {
			t.Errorf("%q: %d %s", target, a.Status, a.Body)
		}
	}
}

type originCase struct {
	header map[string]string
	cookie bool
	code   string // "" passes
}

// The origin check and the login CSRF check, by what a browser can and cannot send.
func TestOrigins(t *testing.T) {
	e := start(t)
	const missing, invalid, cross = "MISSING_OR_NULL_ORIGIN", "INVALID_ORIGIN", "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"
	h := func(kv ...string) map[string]string {
		out := map[string]string{}
		for i := 0; i < len(kv); i += 2 {
			out[kv[i]] = kv[i+1]
		}
		return out
	}
	for _, tt := range []originCase{
		{h(), true, missing}, {h("Origin", "null"), true, missing}, {h("Origin", ""), true, missing},
		{h("Origin", "https://evil.example"), true, invalid}, {h("Origin", base), true, ""}, {h("Origin", "https://app.example.com"), true, ""},
		{h("Origin", base+".evil.example"), true, invalid}, {h("Origin", "http://auth.example.com"), true, invalid},
		{h("Origin", base+":8443"), true, invalid}, {h("Origin", base+":443"), true, ""}, {h("Origin", "HTTPS://AUTH.EXAMPLE.COM"), true, ""},
		{h("Referer", base+"/page"), true, ""}, {h("Referer", "https://evil.example/"+base), true, invalid},
		{h("Origin", "null", "Referer", base+"/page"), true, missing}, {h("Origin", "https://evil.example", "Referer", base), true, invalid},
		{h("Origin", "null", "Sec-Fetch-Site", "same-origin"), true, ""}, {h("Origin", "null", "Sec-Fetch-Site", "same-site"), true, missing},
		{h("Origin", "null", "Sec-Fetch-Site", "cross-site"), true, missing}, {h("Host", "evil.example", "Origin", "https://evil.example"), true, invalid},
		{h("X-Forwarded-Host", "evil.example", "Origin", "https://evil.example"), true, invalid},
		{h("Origin", "/"), true, invalid}, {h("Origin", base+", https://evil.example"), true, invalid},
		{h(), false, ""}, {h("Origin", "https://evil.example"), false, invalid}, {h("Referer", "https://evil.example"), false, invalid},
		{h("Origin", "null"), false, missing}, {h("Sec-Fetch-Mode", "cors"), false, missing}, {h("Sec-Fetch-Dest", "empty"), false, missing},
		{h("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Origin", base), false, cross},
		{h("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"), false, cross},
		{h("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Origin", "https://evil.example"), false, invalid},
		{h("Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors", "Origin", base), false, ""},
		{h("Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Origin", base), false, ""},
	} {
		for _, path := range []string{"/sign-in/email", "/sign-up/email", "/sign-out"} {
			r := e.client().request("POST", path, m{"name": "x", "email": "a@b", "password": password})
			delete(r.header, "Origin")
			for k, v := range tt.header {
				r.header[k] = []string{v}
			}
			if tt.cookie {
				r.header["Cookie"] = []string{"theme=dark"}
			}
			want := tt.code
			if path == "/sign-out" && !tt.cookie {
				want = "" // signs nobody in
			}
			a := e.do(r)
			got := a.code()
			if got == "INVALID_EMAIL" || got == "VALIDATION_ERROR" || a.Status == 200 {
				got = ""
			}
			if path == "/sign-up/email" && !tt.cookie {
				continue // validation comes first there; sign-in shows the rest
			}
			if got != want {
				t.Errorf("%s %v cookie %v: %d %s, want %q", path, tt.header, tt.cookie, a.Status, a.Body, want)
			}
		}
	}
	// Reading is never checked.
	r := e.client().request("GET", "/get-session", nil)
	r.header["Origin"], r.header["Cookie"] = []string{"https://evil.example"}, []string{"a=b"}
	if a := e.do(r); a.Status != 200 {
		t.Errorf("GET: %d", a.Status)
	}
}

// A Referer that is not trusted may be a page whose address carries a token: its origin
// is all that the log needs.
func TestRefererInLog(t *testing.T) {
	e := start(t)
	r := e.client().request("POST", "/sign-out", m{})
	delete(r.header, "Origin")
	r.header["Cookie"] = []string{"theme=dark"}
	r.header["Referer"] = []string{"https://user:pass@other.example/reset/s3cret-path?token=s3cret-token#s3cret"}
	if a := e.do(r); a.code() != "INVALID_ORIGIN" {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	log := e.logs.text()
	if strings.Contains(log, "s3cret") || strings.Contains(log, "pass@") {
		t.Errorf("the log has more than the origin:\n%s", log)
	}
	if !strings.Contains(log, "https://other.example") {
		t.Errorf("the log does not name the origin:\n%s", log)
	}
}

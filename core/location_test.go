package core_test

import (
	"net/url"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
)

// Parameters, a reset token among them, go where the callback says.
func TestAddQuery(t *testing.T) {
	for to, want := range map[string]string{
		"/":                         "/?token=a+b",
		"/x?y=1#z":                  "/x?y=1&token=a+b#z",
		"/x:y":                      "/x:y?token=a+b",
		"https://app.example.com":   "https://app.example.com/?token=a+b",
		"https://app.example.com?x": "https://app.example.com/?x&token=a+b",
		"myapp://done":              "myapp://done?token=a+b",
		"myapp:done":                "myapp:done?token=a+b",
		"myapp:done?x=1#y":          "myapp:done?x=1&token=a+b#y",
		"myapp:/done":               "myapp:/done?token=a+b",
	} {
		if got := core.AddQuery(to, "token", "a b"); got != want {
			t.Errorf("%s: %s, want %s", to, got, want)
		}
	}
}

// What is checked, as a browser reads it, is what is sent, whatever a client makes of bytes.
func TestLocation(t *testing.T) {
	for to, want := range map[string]string{
		"/x?y=1#z":                         "/x?y=1#z",
		"/ü?y=ü#ü":                         "/%C3%BC?y=%C3%BC#%C3%BC",
		"/a://ü":                           "/a://%C3%BC",
		"https://app.example.com/ü?a=“":    "https://app.example.com/%C3%BC?a=%E2%80%9C",
		"https://ａpp｡example.com:8443/a?b": "https://app.example.com:8443/a?b",
		"https://bücher.example#ü":         "https://xn--bcher-kva.example#%C3%BC",
		"myapp://ü/ü":                      "myapp://%C3%BC/%C3%BC",
		"myapp:ü":                          "myapp:%C3%BC",
	} {
		if got := core.Location(to); got != want {
			t.Errorf("%s: %s, want %s", to, got, want)
		}
	}
}

func TestRedirectsAreASCII(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.TrustedOrigins = append(c.TrustedOrigins, "https://xn--bcher-kva.example") }))
	c := e.client()
	c.signUp("a@example.com")
	for to, want := range map[string]string{"/ü": "/%C3%BC", "https://bücher.example/ü": "https://xn--bcher-kva.example/%C3%BC"} {
		if a := c.post("/sign-in/email", m{"email": "a@example.com", "password": password, "callbackURL": to}); a.Get("Location") != want {
			t.Errorf("%s: signing in leads to %s", to, a.Get("Location"))
		}
		c.must(200, "POST", "/send-verification-email", m{"email": "a@example.com"})
		if a := e.client().get(link(t, e.mailed("verify-email").URL) + "&callbackURL=" + url.QueryEscape(to)); a.Get("Location") != want {
			t.Errorf("%s: a link leads to %s", to, a.Get("Location"))
		}
		e.exec("UPDATE {user} SET {user:emailVerified} = FALSE")
	}
}

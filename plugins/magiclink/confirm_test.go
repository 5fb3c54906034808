package magiclink_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/plugins/magiclink"
	"github.com/sallyport-auth/sallyport/plugintest"
)

var field = regexp.MustCompile(`name="([a-zA-Z]+)" value="([^"]*)"`)

// form sends the form of a page.
func form(a *plugintest.Answer) plugintest.Request {
	values := url.Values{}
	for _, f := range field.FindAllStringSubmatch(string(a.Body), -1) {
		values.Set(f[1], strings.NewReplacer("&#43;", "+", "&amp;", "&").Replace(f[2]))
	}
	return plugintest.Request{Method: "POST", Path: "/magic-link/verify", Body: values.Encode(), Header: map[string]string{
		"content-type": "application/x-www-form-urlencoded", "origin": "null", "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "accept": "text/html"}}
}

func TestConfirmOnPost(t *testing.T) {
	h := harness(t, plugintest.SQLite, magiclink.Options{ConfirmOnPost: true})
	to := ask(h, "a@example.com", m{"callbackURL": "/in?a=1&b=2", "newUserCallbackURL": "/new"})
	h.Client().Get(to).Want(200) // a scanner, however often
	h.Client().Get(to).Want(200)
	c := h.Client()
	page := c.Get(to).Want(200)
	csp := page.Value("Content-Security-Policy")
	if !strings.Contains(csp, "form-action 'self' https://auth.example.com;") || !strings.Contains(csp, "default-src 'none'") || page.Value("Cache-Control") != "no-store" {
		t.Errorf("policy %q, cache %q", csp, page.Value("Cache-Control"))
	}
	if h.Count("session") != 0 || h.Count("verification") != 1 {
		t.Fatal("GET has used the link up")
	}
	refusal := "https://auth.example.com/in?a=1&b=2&error=CONFIRMATION_FAILED"
	location(h.Client().Do(form(page)), refusal) // another browser
	stranger := h.Client()
	stranger.Get(to).Want(200)
	location(stranger.Do(form(page)), refusal) // another browser that was shown a page of its own
	other := c.Get(ask(h, "b@example.com", nil)).Want(200)
	mixed := form(other)
	mixed.Body = strings.Replace(form(page).Body.(string), regexp.MustCompile(`confirmation=[^&]+`).FindString(form(page).Body.(string)),
		regexp.MustCompile(`confirmation=[^&]+`).FindString(mixed.Body.(string)), 1)
	location(c.Do(mixed), refusal) // the confirmation of another link
	cross := form(page)
	cross.Header["sec-fetch-site"] = "cross-site"
	if a := c.Do(cross); a.Status != 403 {
		t.Errorf("from another site: %d", a.Status)
	}
	location(c.Do(form(page)), "https://auth.example.com/new")
	location(c.Do(form(page)), "https://auth.example.com/in?a=1&b=2&error=INVALID_TOKEN")
	location(c.Do(form(other)), "https://auth.example.com/") // the page that was opened later still works
	c.Get("/get-session").Want(200).Text("user.email")
	location(h.Client().Get(to), "https://auth.example.com/in?a=1&b=2&error=INVALID_TOKEN")
}

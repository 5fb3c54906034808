package server

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

func withPage(module string) func(struct{}) *toy {
	return func(struct{}) *toy {
		return &toy{spec: core.Spec{Pages: []core.PageEntry{{ID: "toy", Kind: "page", Title: "Toy", Module: module}}}}
	}
}

func TestPages(t *testing.T) {
	modules := fstest.MapFS{"toy.js": {Data: []byte("export async function render() {}\n")}}
	ts := startServer(t, func(c *Config) { c.Pages.Prefix = "/id" },
		Entry(emailpassword.ID, emailpassword.New), Entry("toy", withPage("toy.js")).WithModules(modules))
	var tag string
	for _, tt := range []struct {
		method, path string
		header       []string
		status       int
		kind, body   string // a part of it
	}{
		{"GET", "/id/sign-in", nil, 200, "text/html; charset=utf-8", "<title>"},
		{"HEAD", "/id/sign-in", nil, 200, "text/html; charset=utf-8", ""},
		{"GET", "/id/reset?token=x", nil, 200, "text/html; charset=utf-8", "<title>"},
		{"GET", "/id/m/toy.js", nil, 200, "text/javascript; charset=utf-8", "render"},
		{"GET", "/id/m/toy.js", []string{"If-None-Match", "the tag"}, 304, "text/javascript; charset=utf-8", ""},
		{"POST", "/id/sign-in", nil, 405, "text/plain; charset=utf-8", "Method Not Allowed"},
		{"POST", "/id/nothing", nil, 404, "application/json", "NOT_FOUND"},
		{"GET", "/id/nothing", nil, 404, "text/html; charset=utf-8", "Page not found"},
		{"GET", "/id/../id/sign-in", nil, 404, "text/html; charset=utf-8", "Page not found"},
		{"GET", "/", nil, 404, "application/json", "NOT_FOUND"},
		{"GET", "/identity", nil, 404, "application/json", "NOT_FOUND"},
		{"GET", "/api/authx", nil, 404, "application/json", "NOT_FOUND"},
		{"GET", "/api/auth/nothing", nil, 404, "", ""},
	} {
		r := request(t, tt.method, ts.url, "")
		r.URL.Opaque = "//" + ts.addr + tt.path // as it is, not cleaned
		for i := 0; i < len(tt.header); i += 2 {
			r.Header.Set(tt.header[i], strings.Replace(tt.header[i+1], "the tag", tag, 1))
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if got := res.Header.Get("Content-Type"); res.StatusCode != tt.status || got != tt.kind || !strings.Contains(string(body), tt.body) || tt.body == "" && len(body) > 0 {
			t.Errorf("%s %s: %d %q %.100q, want %d %q %q", tt.method, tt.path, res.StatusCode, got, body, tt.status, tt.kind, tt.body)
		}
		if res.Header.Get("ETag") != "" {
			tag = res.Header.Get("ETag")
		}
		if tt.status == 405 && res.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("405 with Allow %q", res.Header.Get("Allow"))
		}
		if tt.status == 200 && res.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s has no Content-Security-Policy", tt.path)
		}
	}
}

func TestPageWithoutItsModule(t *testing.T) {
	c, err := Load(Source{Data: t.TempDir()}, Entry("toy", withPage("toy.js")))
	if err != nil {
		t.Fatal(err)
	}
	_, err = newServer(t.Context(), c, io.Discard, io.Discard, []PluginEntry{Entry("toy", withPage("toy.js"))})
	if want := `pages: entry toy (page) wants module "toy.js", which its plugin does not bring`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

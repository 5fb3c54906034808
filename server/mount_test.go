package server

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/server/nethttp"
)

// TestMounts asks both mounts for what a tidy client never sends.
func TestMounts(t *testing.T) {
	ts := startServer(t, func(c *Config) { off := false; c.Pages.Enabled = &off })
	std := httptest.NewServer(nethttp.Handler(ts.Auth(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the app's own", http.StatusNotFound)
	})))
	defer std.Close()
	const host = "Host: localhost:3000\r\n"
	long := strings.Repeat("x", 2000)
	post := func(body string) string {
		return fmt.Sprintf("POST /api/auth/sign-in/email HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", host, len(body), body)
	}
	for _, tt := range []struct {
		name, request string
		status        int
		body          string // "own" where the request is not core's: each mount answers in its way
	}{
		{"ok", "GET /api/auth/ok HTTP/1.1\r\n" + host + "\r\n", 200, `{"ok":true}`},
		{"absolute form", "GET http://localhost:3000/api/auth/ok HTTP/1.1\r\n" + host + "\r\n", 200, `{"ok":true}`},
		{"query", "GET /api/auth/ok?a=b HTTP/1.1\r\n" + host + "\r\n", 200, `{"ok":true}`},
		{"HEAD", "HEAD /api/auth/ok HTTP/1.1\r\n" + host + "\r\n", 404, ""},
		{"OPTIONS", "OPTIONS /api/auth/ok HTTP/1.1\r\n" + host + "\r\n", 404, ""},
		{"wrong method", "DELETE /api/auth/ok HTTP/1.1\r\n" + host + "\r\n", 404, ""},
		{"two slashes first", "GET //api/auth/ok HTTP/1.1\r\n" + host + "\r\n", 404, "own"},
		{"two slashes inside", "GET /api/auth//ok HTTP/1.1\r\n" + host + "\r\n", 404, ""},
		{"dot first", "GET /./api/auth/ok HTTP/1.1\r\n" + host + "\r\n", 404, "own"},
		{"dot inside", "GET /api/auth/./ok HTTP/1.1\r\n" + host + "\r\n", 404, ""},
		{"dots inside", "GET /api/auth/x/../ok HTTP/1.1\r\n" + host + "\r\n", 404, ""},
		{"encoded dot", "GET /api/auth/%2e/ok HTTP/1.1\r\n" + host + "\r\n", 404, ""},
		{"encoded letter", "GET /api/auth/%6fk HTTP/1.1\r\n" + host + "\r\n", 404, ""},
		{"encoded slash", "GET /api/auth%2fok HTTP/1.1\r\n" + host + "\r\n", 404, "own"},
		{"other case", "GET /API/auth/ok HTTP/1.1\r\n" + host + "\r\n", 404, "own"},
		{"other case of the endpoint", "GET /api/auth/OK HTTP/1.1\r\n" + host + "\r\n", 404, ""},
		{"fragment", "GET /api/auth/ok#x HTTP/1.1\r\n" + host + "\r\n", 404, ""},
		{"longer name", "GET /api/authx/ok HTTP/1.1\r\n" + host + "\r\n", 404, "own"},
		{"the base path itself", "GET /api/auth HTTP/1.1\r\n" + host + "\r\n", 404, "own"},
		{"trailing slash", "GET /api/auth/ok/ HTTP/1.1\r\n" + host + "\r\n", 404, ""},
		{"body at the limit", post(strings.Repeat(" ", 1000)), 400, `{"message":"Invalid JSON in request body","code":"BAD_REQUEST"}`},
		{"body over the limit", post(long), 413, `{"message":"Request body is too large","code":"PAYLOAD_TOO_LARGE"}`},
		{"chunked body over the limit", "POST /api/auth/sign-in/email HTTP/1.1\r\n" + host + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + long + "\r\n0\r\n\r\n",
			413, `{"message":"Request body is too large","code":"PAYLOAD_TOO_LARGE"}`},
		{"panic", "POST /api/auth/toy/panic HTTP/1.1\r\n" + host + "Content-Length: 0\r\n\r\n", 500, `{"message":"Internal Server Error","code":"INTERNAL_SERVER_ERROR"}`},
	} {
		for mount, addr := range map[string]string{"fiber": ts.addr, "net/http": std.Listener.Addr().String()} {
			t.Run(tt.name+" on "+mount, func(t *testing.T) {
				res, body := raw(t, addr, tt.request)
				want := tt.body
				if want == "own" {
					want = map[string]string{"fiber": `{"message":"Not found","code":"NOT_FOUND"}`, "net/http": "the app's own\n"}[mount]
				}
				if res.StatusCode != tt.status || body != want {
					t.Errorf("%d %q, want %d %q", res.StatusCode, body, tt.status, want)
				}
				if loc := res.Header.Get("Location"); loc != "" {
					t.Errorf("redirected to %q", loc)
				}
			})
		}
	}
}

// TestExposedHeaders: what an endpoint exposes, browsers of other origins can read beside
// what every answer exposes.
func TestExposedHeaders(t *testing.T) {
	ts := startServer(t, nil)
	std := httptest.NewServer(nethttp.Handler(ts.Auth(), nil))
	defer std.Close()
	for _, addr := range []string{ts.addr, std.Listener.Addr().String()} {
		res, _ := raw(t, addr, "GET /api/auth/toy/expose HTTP/1.1\r\nHost: localhost:3000\r\nOrigin: http://localhost:5173\r\n\r\n")
		if got := res.Header.Values("Access-Control-Expose-Headers"); len(got) != 1 || got[0] != "set-auth-token, set-auth-jwt, Retry-After, X-Retry-After, X-Toy" {
			t.Errorf("at %s: %q", addr, got)
		}
	}
}

// TestBeyondFiber asks for what fasthttp refuses before a handler sees it.
func TestBeyondFiber(t *testing.T) {
	ts := startServer(t, nil)
	huge := 1 << 20
	for _, tt := range []struct {
		name, request string
		status        int
		code          string
	}{
		{"announced body", fmt.Sprintf("POST /api/auth/sign-in/email HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", huge), 413, "PAYLOAD_TOO_LARGE"},
		{"headers", "GET /api/auth/ok HTTP/1.1\r\nHost: a\r\nCookie: " + strings.Repeat("x", headerLimit) + "\r\n\r\n", 431, "HEADERS_TOO_LARGE"},
		{"path", "GET /" + strings.Repeat("x", headerLimit) + " HTTP/1.1\r\nHost: a\r\n\r\n", 431, "HEADERS_TOO_LARGE"},
		{"no HTTP", "HELLO\r\n\r\n", 400, "BAD_REQUEST"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, body := raw(t, ts.addr, tt.request)
			var e struct{ Code, Message string }
			if err := json.Unmarshal([]byte(body), &e); err != nil || res.StatusCode != tt.status || e.Code != tt.code || e.Message == "" {
				t.Errorf("%d %s, want %d %s", res.StatusCode, body, tt.status, tt.code)
			}
			if s := res.Header.Get("Server"); s != "" {
				t.Errorf("the server calls itself %q", s)
			}
		})
	}
}

func TestHeadersAndLog(t *testing.T) {
	ts := startServer(t, func(c *Config) { c.Core.BaseURL = "https://auth.example" })
	get := func(path string, header ...string) *http.Response {
		t.Helper()
		r, err := http.NewRequest("GET", ts.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	for sent, kept := range map[string]bool{"abc-1.2_Z": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "a b": false, "a\"b": false, "": false} {
		got := get("/api/auth/ok", "X-Request-Id", sent).Header.Get("X-Request-Id")
		if kept && got != sent || !kept && (got == sent || len(got) != 32) {
			t.Errorf("request id %q is answered with %q", sent, got)
		}
	}
	res := get("/api/auth/ok")
	for name, want := range map[string]string{"Strict-Transport-Security": "max-age=31536000", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Server": ""} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if strings.Contains(ts.logs.String(), "no proxy is trusted") {
		t.Error("the warning about X-Forwarded-For came too soon")
	}
	for range 3 {
		get("/api/auth/toy/secret/t0ken-in-the-path?code=t0ken-in-the-query", "X-Forwarded-For", "203.0.113.9", "Cookie", "a=t0ken-in-a-cookie", "Authorization", "Bearer t0ken-in-a-header")
	}
	get("/reset-passwrod/t0ken-in-a-wrong-path")
	get("/api/auth/reset-passwrod/t0ken-in-a-wrong-path")
	get("/reset?token=t0ken-for-a-page")
	if err := ts.stop(); err != nil {
		t.Fatal(err)
	}
	logs := ts.logs.String()
	if strings.Contains(logs, "t0ken") {
		t.Errorf("the log holds a secret:\n%s", logs)
	}
	if n := strings.Count(logs, "no proxy is trusted"); n != 1 {
		t.Errorf("the warning about X-Forwarded-For came %d times", n)
	}
	for _, want := range []string{"path=/api/auth/toy/secret/:token status=", "path=unmatched status=404", "path=/reset status=200", "ip=127.0.0.1 request_id=abc-1.2_Z"} {
		if !strings.Contains(logs, want) {
			t.Errorf("the log lacks %q:\n%s", want, logs)
		}
	}
}

func TestPanicsAreContained(t *testing.T) {
	ts := startServer(t, func(c *Config) { c.Routes = panicking })
	for _, path := range []string{"/app/panic", "/api/auth/toy/panic"} {
		res, err := http.Post(ts.url+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 500 || string(body) != `{"message":"Internal Server Error","code":"INTERNAL_SERVER_ERROR"}` {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
	if logs := ts.logs.String(); strings.Count(logs, "stack=") != 2 {
		t.Errorf("not two stacks in the log:\n%s", logs)
	}
}

func TestLogLevels(t *testing.T) {
	ts := startServer(t, func(c *Config) { c.Log.Level = "warn" })
	if ts.log.Enabled(t.Context(), slog.LevelInfo) {
		t.Error("info is logged at level warn")
	}
}

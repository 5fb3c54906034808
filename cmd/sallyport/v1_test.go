package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport-auth/sallyport/server"
)

// TestFacade runs the program with the configuration that docs/api-v1.md shows.
func TestFacade(t *testing.T) {
	page, err := os.ReadFile("../../docs/api-v1.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("no configuration")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "sallyport.yaml")
	if err := os.WriteFile(file, block[1], 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := server.Load(server.Source{File: file, Data: filepath.Join(dir, "data"), Env: []string{"SALLYPORT_MAX_BODY=1000", "SALLYPORT_LOG_LEVEL=error"}}, plugins...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	s, err := server.New(ctx, cfg, plugins...)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	for _, x := range []struct {
		method, path, body string
		status             int
		class              string
	}{
		{"GET", "/api/v1/auth/signup-status", "", 200, ""},
		{"POST", "/api/v1/auth/register", `{"email":"a@example.com","password":"correct horse battery"}`, 200, ""},
		{"POST", "/api/v1/auth/login", `{"email":"a@example.com","password":"correct horse battery"}`, 403, "EMAIL_NOT_VERIFIED"},
		{"GET", "/api/v1/auth/passkeys/capability", "", 200, ""},
		{"GET", "/api/v1/auth/nothing", "", 404, "NOT_FOUND"},
		{"GET", "/api/v1/me/data", "", 401, "UNAUTHORIZED"},
		{"POST", "/api/v1/auth/login", `{`, 400, "VALIDATION"},
		{"POST", "/api/v1/auth/login", strings.Repeat("x", 2000), 413, "VALIDATION"},     // core refuses it
		{"POST", "/api/v1/auth/login", strings.Repeat("x", 200_000), 413, "VALIDATION"},  // the server does
		{"GET", "/api/v1/auth/" + strings.Repeat("x", 100_000), "", 431, "native"},       // before it knows the path
		{"POST", "/api/auth/sign-in/email", strings.Repeat("x", 200_000), 413, "native"}, // in the form of that path
	} {
		var res *http.Response
		var err error
		for range 5 { // a server that does not read a body to its end may close before the client has read why
			r, e := http.NewRequestWithContext(t.Context(), x.method, "http://"+ln.Addr().String()+x.path, strings.NewReader(x.body))
			if e != nil {
				t.Fatal(e)
			}
			r.Header.Set("Content-Type", "application/json")
			if res, err = http.DefaultClient.Do(r); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
				break
			}
		}
		if err != nil {
			t.Errorf("%s: %v", x.path[:min(40, len(x.path))], err)
			continue
		}
		raw, err := io.ReadAll(res.Body)
		res.Body.Close()
		var e struct{ Error, Code string }
		_ = json.Unmarshal(raw, &e) // what is no JSON has neither
		native := e.Code != "" && e.Error == ""
		if err != nil || res.StatusCode != x.status || x.class == "native" && !native || x.class != "native" && e.Error != x.class {
			t.Errorf("%s %s: %d %s, want %d %s", x.method, x.path[:min(40, len(x.path))], res.StatusCode, raw, x.status, x.class)
		}
	}
}

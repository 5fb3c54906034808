package cli_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/server"
)

type noMail struct{}

func (noMail) Send(context.Context, contract.Message) error { return nil }

// visitor is somebody with a browser.
type visitor struct {
	t       *testing.T
	server  *server.Server
	cookies map[string]string
}

func (v *visitor) call(status int, method, path, body string) {
	v.t.Helper()
	req := httptest.NewRequest(method, "http://localhost:8080/api/auth"+path, strings.NewReader(body))
	req.Header.Set("Origin", "http://localhost:8080")
	req.Header.Set("Content-Type", "application/json")
	for k, value := range v.cookies {
		req.AddCookie(&http.Cookie{Name: k, Value: value})
	}
	res, err := v.server.App().Test(req, -1)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	for _, c := range res.Cookies() {
		v.cookies[c.Name] = c.Value
	}
	if b, err := io.ReadAll(res.Body); res.StatusCode != status {
		v.t.Errorf("%s: %d %s %v", path, res.StatusCode, b, err)
	}
}

// use starts a server, and n new users have it write rows of all kinds.
func (a *again) use(n int) {
	a.t.Helper()
	c := a.config(a.file)
	c.Core.Password = core.PasswordConfig{Hash: "argon2id", MemoryKiB: 64, Iterations: 1, Parallelism: 1} // not what is tested
	c.Core.Logger, c.Core.Mailer = slog.New(slog.DiscardHandler), noMail{}
	s, err := server.New(a.t.Context(), c, adoptPlugins...)
	if err != nil {
		a.t.Fatal(err)
	}
	defer s.Close()
	enabled := func(id string) bool {
		return slices.ContainsFunc(c.Plugins, func(p server.Enabled) bool { return p.ID == id })
	}
	for range n {
		a.users++
		v := &visitor{a.t, s, map[string]string{}}
		email := fmt.Sprintf("u%d@x.example", a.users)
		v.call(200, "POST", "/sign-up/email", `{"name":"U","email":"`+email+`","password":"correct horse 1"}`)
		v.call(401, "POST", "/sign-in/email", `{"email":"`+email+`","password":"wrong horse 1"}`)
		v.call(200, "POST", "/sign-in/email", `{"email":"`+email+`","password":"correct horse 1"}`)
		v.call(200, "POST", "/request-password-reset", `{"email":"`+email+`"}`)
		if enabled("organization") {
			v.call(200, "POST", "/organization/create", fmt.Sprintf(`{"name":"O","slug":"o%d"}`, a.users))
			v.call(200, "POST", "/organization/invite-member", `{"email":"b@x.example","role":"member"}`)
		}
		if enabled("jwt") {
			v.call(200, "GET", "/token", "")
		}
		if enabled("passkey") {
			v.call(200, "GET", "/passkey/generate-register-options", "")
		}
		if enabled("two-factor") {
			v.call(200, "POST", "/two-factor/enable", `{"password":"correct horse 1"}`)
		}
	}
}

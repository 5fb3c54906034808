package core_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

// Whatever a request would be refused for, a call from Go is refused for too, with the
// same code and message.
func TestCallsFromGoObeyTheSameRules(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	long := strings.Repeat("x", 129)
	signUp := func(in emailpassword.SignUpInput) func() error {
		return func() error {
			_, err := emailpassword.SignUpEmail.Call(t.Context(), e.auth, in)
			return err
		}
	}
	for _, tt := range []struct {
		name string
		call func() error
		path string
		body any
	}{
		{"bad address", signUp(emailpassword.SignUpInput{Name: "A", Email: "nobody", Password: password}),
			"/sign-up/email", m{"name": "A", "email": "nobody", "password": password}},
		{"empty password", signUp(emailpassword.SignUpInput{Name: "A", Email: "x@example.com"}),
			"/sign-up/email", m{"name": "A", "email": "x@example.com", "password": ""}},
		{"short password", signUp(emailpassword.SignUpInput{Name: "A", Email: "x@example.com", Password: "short"}),
			"/sign-up/email", m{"name": "A", "email": "x@example.com", "password": "short"}},
		{"long password", signUp(emailpassword.SignUpInput{Name: "A", Email: "x@example.com", Password: long}),
			"/sign-up/email", m{"name": "A", "email": "x@example.com", "password": long}},
		{"taken", signUp(emailpassword.SignUpInput{Name: "A", Email: "A@example.com", Password: password}),
			"/sign-up/email", m{"name": "A", "email": "A@example.com", "password": password}},
		{"NUL in the name", signUp(emailpassword.SignUpInput{Name: "A\x00", Email: "x@example.com", Password: password}),
			"/sign-up/email", m{"name": "A\x00", "email": "x@example.com", "password": password}},
		{"bytes that are no text", signUp(emailpassword.SignUpInput{Name: "A", Email: "x@example.com", Password: "long enough\xff"}),
			"/sign-up/email", `{"name":"A","email":"x@example.com","password":"long enough` + "\xff" + `"}`},
		{"a name beyond the body's limit", signUp(emailpassword.SignUpInput{Name: strings.Repeat("n", 1<<20), Email: "x@example.com", Password: password}),
			"/sign-up/email", m{"name": strings.Repeat("n", 1<<20), "email": "x@example.com", "password": password}},
		{"a foreign callback", signUp(emailpassword.SignUpInput{Name: "A", Email: "x@example.com", Password: password, CallbackURL: ptr("https://evil.example")}),
			"/sign-up/email", m{"name": "A", "email": "x@example.com", "password": password, "callbackURL": "https://evil.example"}},
		{"a foreign redirect", func() error {
			_, err := emailpassword.RequestPasswordReset.Call(t.Context(), e.auth, emailpassword.RequestResetInput{Email: "a@example.com", RedirectTo: ptr("//evil.example")})
			return err
		}, "/request-password-reset", m{"email": "a@example.com", "redirectTo": "//evil.example"}},
		{"no session", func() error {
			_, err := core.RevokeSessions.Call(t.Context(), e.auth, core.None{})
			return err
		}, "/revoke-sessions", m{}},
		{"nothing to update", func() error {
			_, err := core.UpdateUser.Call(t.Context(), e.auth, core.FieldsInput{}, core.AsToken(c.token()))
			return err
		}, "/update-user", m{}},
		{"a member twice", func() error {
			_, err := core.UpdateUser.Call(t.Context(), e.auth, core.FieldsInput{Fields: core.Members{
				{Name: "name", Raw: []byte(`"a"`)}, {Name: "name", Raw: []byte(`"b"`)}}}, core.AsToken(c.token()))
			return err
		}, "/update-user", `{"name":"a","name":"b"}`},
		{"a member that is no JSON", func() error {
			_, err := core.UpdateUser.Call(t.Context(), e.auth, core.FieldsInput{Fields: core.Members{{Name: "name", Raw: []byte(`"a`)}}}, core.AsToken(c.token()))
			return err
		}, "/update-user", `{"name":"a}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			over := e.client()
			if strings.HasPrefix(tt.path, "/update") {
				over = c.clone()
			}
			a := over.post(tt.path, tt.body)
			if a.Status < 400 {
				t.Fatalf("over HTTP %d", a.Status)
			}
			err := core.AsError(tt.call())
			if err == nil || err.Status != a.Status || err.Code != a.code() || err.Message != a.json["message"] {
				t.Errorf("from Go: %v; over HTTP: %d %.200s", err, a.Status, a.Body)
			}
		})
	}
	if n := e.sum("user"); n != 1 {
		t.Errorf("%d users: something was let through", n)
	}
}

// Every endpoint of core can be called from Go, whatever its input looks like.
func TestCallsFromGo(t *testing.T) {
	e := start(t)
	ctx := t.Context()
	h := http.Header{}
	out, err := emailpassword.SignUpEmail.Call(ctx, e.auth, emailpassword.SignUpInput{Name: "A", Email: "a@example.com", Password: password}, core.CaptureHeader(h))
	if err != nil || out.Token == nil || !strings.Contains(h.Get("Set-Cookie"), *out.Token) {
		t.Fatalf("sign-up: %v %v", err, h)
	}
	s, err := core.GetSession.Call(ctx, e.auth, core.None{}, core.AsToken(*out.Token))
	if err != nil || s == nil || s.User.Email != "a@example.com" {
		t.Fatalf("get-session: %v %v", s, err)
	}
	cookie, _, _ := strings.Cut(h.Get("Set-Cookie"), ";")
	if s, err = core.GetSession.Call(ctx, e.auth, core.None{}, core.WithHeader(http.Header{"Cookie": {cookie}})); err != nil || s == nil {
		t.Errorf("get-session by cookie: %v %v", s, err)
	}
	if s, err = core.GetSession.Call(ctx, e.auth, core.None{}); err != nil || s != nil {
		t.Errorf("get-session of nobody: %v %v", s, err)
	}
	if _, err = core.SignOut.Call(ctx, e.auth, core.SignOutInput{}, core.AsToken(*out.Token)); err != nil {
		t.Errorf("sign-out: %v", err)
	}
	if e.sum("session") != 0 {
		t.Error("the session is still there")
	}
	in := emailpassword.SignInInput{Email: "a@example.com", Password: password}
	signIn, err := emailpassword.SignInEmail.Call(ctx, e.auth, in, core.FromAddr(netip.MustParseAddr("203.0.113.7")))
	if err != nil {
		t.Fatal(err)
	}
	if s, err = core.GetSession.Call(ctx, e.auth, core.None{}, core.AsToken(signIn.Token)); err != nil || s.Session.IPAddress == nil || *s.Session.IPAddress != "203.0.113.7" {
		t.Errorf("the session of a client whose address was told: %+v %v", s, err)
	}
}

// A handler chooses the status of its success, and of no failure.
func TestSetStatus(t *testing.T) {
	made := core.NewRoute[core.None, core.Status]("POST /made", core.Public)
	refused := core.NewRoute[core.None, core.Status]("POST /refused", core.Public)
	e := start(t, with(&probe{spec: core.Spec{ID: "maker", Endpoints: []core.Endpoint{
		made.Handle(func(_ context.Context, c *core.Call, _ core.None) (core.Status, error) {
			c.SetStatus(201)
			return core.Status{Status: true}, nil
		}),
		refused.Handle(func(_ context.Context, c *core.Call, _ core.None) (core.Status, error) {
			c.SetStatus(201)
			return core.Status{}, core.ErrInvalidToken
		}),
	}}}))
	if a := e.client().post("/made", nil); a.Status != 201 || string(a.Body) != `{"status":true}` {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := e.client().post("/refused", nil); a.Status != 400 {
		t.Errorf("a failure: %d %s", a.Status, a.Body)
	}
}

func TestCallsFromGoInsideATransaction(t *testing.T) {
	e := start(t)
	err := e.auth.Host().Tx(t.Context(), nil, func(ctx context.Context, tx *core.Tx) error {
		_, err := core.OK.Call(ctx, e.auth, core.None{})
		if err == nil {
			t.Error("a call inside a transaction went through")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestCallsFromGoRecover(t *testing.T) {
	e := start(t, hooks(core.Request.Before(func(context.Context, *core.RequestEvent) error { panic("boom") })))
	if _, err := core.OK.Call(t.Context(), e.auth, core.None{}); !errors.Is(err, core.ErrInternal) {
		t.Errorf("a panic of a hook is %v", err)
	}
	if !strings.Contains(e.logs.text(), "boom") {
		t.Error("the panic is not in the log")
	}
}

func TestSetPassword(t *testing.T) {
	e := start(t)
	c := e.client().signUp("a@example.com")
	set := func(pass string) error {
		_, err := emailpassword.SetPassword.Call(t.Context(), e.auth, emailpassword.SetPasswordInput{NewPassword: pass}, core.AsToken(c.token()))
		return err
	}
	if err := set("another password"); !errors.Is(err, emailpassword.ErrPasswordAlreadySet) {
		t.Errorf("with a password: %v", err)
	}
	e.exec("DELETE FROM {account}")
	if a := c.post("/set-password", m{"newPassword": "another password"}); a.Status != 404 || len(a.Body) != 0 {
		t.Errorf("over HTTP: %d %s", a.Status, a.Body)
	}
	var got outcomes
	parallel(t, many, func(i int) {
		status := 200
		if err := set("another password " + itoa(i)); err != nil {
			status = core.AsError(err).Status
		}
		got.add(answer{Response: core.Response{Status: status}})
	})
	got.want(t, map[string]int{"200": 1, "400": many - 1})
	if n := e.sum("account"); n != 1 {
		t.Errorf("%d accounts", n)
	}
}

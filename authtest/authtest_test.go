package authtest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-auth/sallyport/authtest"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	authfiber "github.com/sallyport-auth/sallyport/server/fiber"
	"github.com/sallyport-auth/sallyport/server/nethttp"
)

// hello is a handler of an app's: it knows core.SessionFrom and nothing else of ours.
func hello(w http.ResponseWriter, r *http.Request) {
	s, ok := core.SessionFrom(r.Context())
	if !ok {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	fmt.Fprintf(w, "hello %s", s.User.Email)
}

func newApp(t *testing.T) *authtest.App {
	return authtest.New(t, func(c *core.Config) { c.Plugins = []core.Plugin{emailpassword.New(emailpassword.Options{})} })
}

func read(t *testing.T, res *http.Response, err error) (int, string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestNetHTTP(t *testing.T) {
	a := newApp(t)
	mux := http.NewServeMux()
	mux.Handle("/hello", nethttp.Require(a.Auth)(http.HandlerFunc(hello)))
	a.Serve(nethttp.Handler(a.Auth, mux))

	alice, nobody := a.SignUp(t, "alice@example.com"), a.Client(t)
	res, err := alice.HTTP().Get(a.URL + "/hello")
	if status, body := read(t, res, err); status != 200 || body != "hello alice@example.com" {
		t.Errorf("signed in: %d %s", status, body)
	}
	res, err = nobody.HTTP().Get(a.URL + "/hello")
	if status, _ := read(t, res, err); status != 401 {
		t.Errorf("without a session: %d, want 401", status)
	}
	// A state-changing request names its origin, as a browser does.
	res, err = alice.HTTP().Post(a.URL+"/api/auth/sign-out", "application/json", strings.NewReader("{}"))
	if status, body := read(t, res, err); status != 200 {
		t.Errorf("sign-out: %d %s", status, body)
	}
	res, err = alice.HTTP().Get(a.URL + "/hello")
	if status, _ := read(t, res, err); status != 401 {
		t.Errorf("after signing out: %d, want 401", status)
	}
}

// TestPassword goes the whole way, with the fast hash.
func TestPassword(t *testing.T) {
	a := newApp(t)
	a.Serve(nethttp.Handler(a.Auth, nil))
	c := a.Client(t)
	post := func(path, body string) int {
		t.Helper()
		res, err := c.HTTP().Post(a.URL+"/api/auth"+path, "application/json", strings.NewReader(body))
		status, _ := read(t, res, err)
		return status
	}
	if got := post("/sign-up/email", `{"name":"Bob","email":"bob@example.com","password":"correct horse"}`); got != 200 {
		t.Fatalf("sign-up: %d", got)
	}
	if got := post("/request-password-reset", `{"email":"bob@example.com"}`); got != 200 {
		t.Fatalf("reset: %d", got)
	}
	token := a.Mail(t, "bob@example.com", "reset-password").Token
	a.Clock.Advance(61 * time.Minute)
	if got := post("/reset-password", `{"newPassword":"another horse","token":"`+token+`"}`); got != 400 {
		t.Errorf("a link of an hour ago: %d, want 400", got)
	}
}

func TestFiber(t *testing.T) {
	a := newApp(t)
	app := fiber.New()
	authfiber.Mount(app, a.Auth)
	app.Get("/hello", authfiber.Require(a.Auth), func(c *fiber.Ctx) error {
		s, _ := authfiber.SessionOf(c)
		return c.SendString("hello " + s.User.Email)
	})
	alice := a.SignUp(t, "alice@example.com")
	res := alice.Fiber(t, app, httptest.NewRequest("GET", "/hello", nil))
	if status, body := read(t, res, nil); status != 200 || body != "hello alice@example.com" {
		t.Errorf("signed in: %d %s", status, body)
	}
	read(t, alice.Fiber(t, app, httptest.NewRequest("POST", "/api/auth/sign-out", nil)), nil)
	if status, _ := read(t, alice.Fiber(t, app, httptest.NewRequest("GET", "/hello", nil)), nil); status != 401 {
		t.Errorf("after signing out: %d, want 401", status)
	}
}

// TestHandlerAlone tests a handler without a server or a client.
func TestHandlerAlone(t *testing.T) {
	alice := newApp(t).SignUp(t, "alice@example.com")
	w := httptest.NewRecorder()
	hello(w, httptest.NewRequest("GET", "/hello", nil).WithContext(alice.Context(t, context.Background())))
	if w.Code != 200 || w.Body.String() != "hello alice@example.com" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	// A session that the test makes up will do as well.
	made := core.WithSession(context.Background(), &core.SessionAnswer{Session: &core.Session{ID: "s"}, User: &core.User{Email: "made@up.example"}})
	w = httptest.NewRecorder()
	hello(w, httptest.NewRequest("GET", "/hello", nil).WithContext(made))
	if w.Body.String() != "hello made@up.example" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

package fiber_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-auth/sallyport/authtest"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	authfiber "github.com/sallyport-auth/sallyport/server/fiber"
)

// newApp is the whole app: the endpoints below /api/auth, and its own pages.
func newApp(auth *core.Auth) *fiber.App {
	app := fiber.New(fiber.Config{BodyLimit: 4 << 20, ReadBufferSize: 16 << 10, DisablePreParseMultipartForm: true})
	authfiber.Mount(app, auth)
	app.Get("/dashboard", authfiber.Require(auth), func(c *fiber.Ctx) error {
		s, _ := authfiber.SessionOf(c) // Require has seen to it
		return c.SendString("Hello " + s.User.Name)
	})
	return app
}

// The README shows newApp: it mounts core, and Require guards the app's own page.
func TestMountedApp(t *testing.T) {
	a := authtest.New(t, func(c *core.Config) {
		c.Plugins = []core.Plugin{emailpassword.New(emailpassword.Options{})}
	})
	app := newApp(a.Auth)
	for _, tt := range []struct {
		client *authtest.Client
		status int
		body   string
	}{{a.SignUp(t, "ada@example.com"), 200, "Hello ada"}, {a.Client(t), 401, `{"message":"Unauthorized","code":"UNAUTHORIZED"}`}} {
		res := tt.client.Fiber(t, app, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/dashboard", nil))
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != tt.status || string(body) != tt.body {
			t.Errorf("%d %s, want %d %s", res.StatusCode, body, tt.status, tt.body)
		}
	}
}

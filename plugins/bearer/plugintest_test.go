package bearer_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/bearer"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// enter signs somebody in by their address alone: what the tests need of a way in.
type enterInput struct {
	Email string `json:"email"`
}

var enter = core.NewRoute[enterInput, core.None]("POST /enter", core.Public)

type door struct{}

func (door) Spec() core.Spec {
	var h *core.Host
	return core.Spec{ID: "door", Init: func(_ context.Context, host *core.Host) error { h = host; return nil },
		Endpoints: []core.Endpoint{enter.Handle(func(ctx context.Context, c *core.Call, in enterInput) (core.None, error) {
			u, err := h.UserByEmail(ctx, h.DB(), in.Email)
			if err != nil || u == nil {
				return core.None{}, core.ErrUserNotFound.Because(err)
			}
			_, err = h.SignIn(ctx, nil, &core.SignIn{Call: c, User: u, Methods: []string{"test"}})
			return core.None{}, err
		})}}
}

// signIn makes a session and returns its client and the headers of the answer.
func signIn(t testing.TB, h *plugintest.Harness, email string) (*plugintest.Client, http.Header) {
	t.Helper()
	header, c := http.Header{}, h.Client()
	a := c.Post("/enter", plugintest.M{"email": email})
	for _, f := range a.Header {
		if f.Name == bearer.Header || f.Name == "Access-Control-Expose-Headers" || f.Name == "Set-Cookie" && a.Status >= 400 {
			header.Add(f.Name, f.Value)
		}
	}
	return c, header
}

func TestRules(t *testing.T) {
	plugintest.Check(t, func() core.Plugin { return bearer.New(bearer.Options{}) }, plugintest.Options{Rules: plugintest.Rules{
		Journey: func(h *plugintest.Harness) {
			token := signed(h.T, h.SignUp("carol@example.com"))
			for _, path := range []string{"/get-session", "/list-sessions", "/list-accounts"} {
				with(h.Client(), "GET", path, "Bearer "+token).Want(200)
			}
			with(h.Client(), "POST", "/revoke-other-sessions", "Bearer "+token).Want(200)
			with(h.Client(), "POST", "/sign-out", "Bearer "+token).Want(200)
		},
	}})
}

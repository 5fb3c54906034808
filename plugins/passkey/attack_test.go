package passkey

import (
	"context"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// regain resets the password by a mailed link, as who reads the mail can.
func regain(h *plugintest.Harness, email string) {
	h.Client().Post("/request-password-reset", m{"email": email}).Want(200)
	h.Client().Post("/reset-password", m{"token": h.Mail(email, "reset-password").Token, "newPassword": "the owner's own"}).Want(200)
}

func prove(h *plugintest.Harness, email string) {
	ctx := context.Background()
	u, err := h.Host.UserByEmail(ctx, h.Host.DB(), email)
	if err == nil {
		u, err = h.Host.ClaimUnproven(ctx, nil, nil, u)
	}
	if err != nil || u == nil {
		panic(err)
	}
}

// Somebody signs up with another's address and adds a passkey. The owner finds the address
// taken and resets the password. That is a first proof of the address, and the passkey was
// a way back in.
func TestAResetOfAnUnprovenAccountDropsPasskeys(t *testing.T) {
	for _, e := range engines {
		for _, verified := range []bool{false, true} {
			h := plugintest.New(t, plugintest.Options{Database: e, Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{}), New(Options{})}})
			eve, k := h.SignUp("victim@example.com", func(u *core.User) { u.EmailVerified = verified }), newKey(-7)
			enrol(eve, k)
			other := newKey(-7)
			enrol(h.SignUp("other@example.com", func(u *core.User) { u.EmailVerified = false }), other)
			regain(h, "victim@example.com")
			if _, a := use(h, k); verified != (a.Status == 200) {
				t.Errorf("%s, proved %v: the passkey answers %d %s", e, verified, a.Status, a.Body)
			}
			if _, a := use(h, other); a.Status != 200 {
				t.Errorf("%s: somebody else's passkey: %d %s", e, a.Status, a.Body)
			}
		}
	}
}

// A registration is under way while the owner takes the account over: its session was good
// when it was read, and is not when the passkey is written.
func TestARegistrationDoesNotOutliveItsSession(t *testing.T) {
	for _, e := range engines {
		for name, take := range map[string]func(*plugintest.Harness, string){"reset": regain, "claim": prove} {
			var between func()
			h := plugintest.New(t, plugintest.Options{Database: e, Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{}), New(Options{})},
				Config: func(c *core.Config) {
					c.Hooks = append(c.Hooks, core.Request.Before(func(_ context.Context, e *core.RequestEvent) error {
						if e.Call.Path() == registerPath && between != nil {
							between()
						}
						return nil
					}))
				}})
			eve, k := h.SignUp("victim@example.com", func(u *core.User) { u.EmailVerified = false }), newKey(-7)
			challenge := registerChallenge(eve)
			between = func() { take(h, "victim@example.com") }
			if a := eve.Post(registerPath, m{"response": k.register(challenge), "createSession": true}); a.Status != 401 {
				t.Errorf("%s, %s: the registration answers %d %s", e, name, a.Status, a.Body)
			}
			if n := h.Count("passkey"); n != 0 {
				t.Errorf("%s, %s: %d passkeys", e, name, n)
			}
			if n := h.Count("session"); n != 0 {
				t.Errorf("%s, %s: %d sessions", e, name, n)
			}
		}
	}
}

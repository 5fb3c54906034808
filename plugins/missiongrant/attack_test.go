package missiongrant

import (
	"context"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// Somebody makes an account with another's address, and leaves grants for records that the
// owner will have one day. When the owner proves the address, by a link or by resetting the
// password, their keys are none of a mission's that somebody else has set up.
func TestGrantsEndWithTheFirstProof(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine, func(o *plugintest.Options) {
			o.Plugins = append(o.Plugins, emailpassword.New(emailpassword.Options{}))
		})
		for name, take := range map[string]func(email string){
			"claim": func(email string) {
				ctx := context.Background()
				u, err := w.Host.UserByEmail(ctx, w.Host.DB(), email)
				if err == nil {
					_, err = w.Host.ClaimUnproven(ctx, nil, nil, u)
				}
				if err != nil {
					t.Fatal(err)
				}
			},
			"reset": func(email string) {
				w.Client().Post("/request-password-reset", m{"email": email}).Want(200)
				w.Client().Post("/reset-password", m{"token": w.Mail(email, "reset-password").Token, "newPassword": "the owner's own"}).Want(200)
			},
		} {
			for _, verified := range []bool{false, true} {
				email := name + map[bool]string{true: "-proved@example.com", false: "@example.com"}[verified]
				eve := w.SignUp(email, func(u *core.User) { u.EmailVerified = verified })
				eve.Post("/vault/init", nil).Want(200)
				id := eve.Post("/mission-grant", wanted(nil)).Want(200).Text("id")
				take(email)
				want := map[bool]string{true: "active", false: "revoked"}[verified]
				if got := w.status("grantId="+id, serviceKey).Want(200).Text("state"); got != want {
					t.Errorf("%s, proved before: %v: the grant is %s, want %s", name, verified, got, want)
				}
			}
		}
	})
}

// A grant is on its way while the owner takes the account over: the session was good when it
// was read, and is not when the grant is written.
func TestAGrantDoesNotOutliveItsSession(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		var between func()
		w := newWorld(t, Options{}, engine, func(o *plugintest.Options) {
			o.Config = func(c *core.Config) {
				c.Hooks = append(c.Hooks, core.Request.Before(func(_ context.Context, e *core.RequestEvent) error {
					if e.Call.Path() == Issue.Path() && between != nil {
						between()
					}
					return nil
				}))
			}
		})
		const email = "victim@example.com"
		eve := w.SignUp(email, func(u *core.User) { u.EmailVerified = false })
		eve.Post("/vault/init", nil).Want(200)
		between = func() {
			ctx := context.Background()
			u, err := w.Host.UserByEmail(ctx, w.Host.DB(), email)
			if err == nil {
				_, err = w.Host.ClaimUnproven(ctx, nil, nil, u)
			}
			if err != nil {
				t.Error(err)
			}
		}
		eve.Post("/mission-grant", wanted(nil)).Want(401)
		if n := w.Count("missionGrant"); n != 0 {
			t.Errorf("%d grants", n)
		}
	})
}

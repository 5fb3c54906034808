package passkey

import (
	"context"
	"fmt"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// bans brings the column of bans: where it is, a sign-in holds the user's row as well.
type bans struct{}

func (bans) Spec() core.Spec {
	return core.Spec{ID: "bans", Extend: []schema.Extension{{Table: "user", Columns: []schema.Column{{Name: "banned", Kind: schema.Bool, Nullable: true}}}}}
}

// A sign-in holds its passkey and the user's row; a deletion of the user and a first proof
// of the address hold the same two. Nobody is told that the service is unavailable.
func TestASignInDoesNotWaitForWhoDropsPasskeys(t *testing.T) {
	for name, drop := range map[string]func(context.Context, *core.Host, *core.User) error{
		"deletion": func(ctx context.Context, h *core.Host, u *core.User) error { return h.DeleteUser(ctx, nil, nil, u) },
		"proof": func(ctx context.Context, h *core.Host, u *core.User) error {
			_, err := h.ClaimUnproven(ctx, nil, nil, u)
			return err
		},
	} {
		h := plugintest.New(t, plugintest.Options{Database: plugintest.Postgres, Plugins: []core.Plugin{New(Options{}), bans{}}})
		for round := range 6 {
			email := fmt.Sprintf("%s%d@example.com", name, round)
			alice := h.SignUp(email, func(u *core.User) { u.EmailVerified = false })
			var clients [20]*plugintest.Client
			var answers [20]object
			for i := 1; i < 16; i++ {
				k := newKey(-7)
				enrol(alice, k)
				clients[i] = h.Client()
				k.counter++
				answers[i] = k.assert(assertChallenge(clients[i]))
			}
			u, err := h.Host.UserByEmail(t.Context(), h.Host.DB(), email)
			if err != nil {
				t.Fatal(err)
			}
			race(func(i int) bool {
				switch {
				case i == 0:
					if err := drop(t.Context(), h.Host, u); err != nil {
						t.Errorf("%s, round %d: %v", name, round, err)
					}
				case clients[i] != nil:
					if a := clients[i].Post(assertPath, m{"response": answers[i]}); a.Status >= 500 {
						t.Errorf("%s, round %d: the sign-in answers %d %s", name, round, a.Status, a.Body)
					}
				}
				return true
			})
		}
	}
}
